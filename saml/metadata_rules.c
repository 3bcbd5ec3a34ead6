/* Rules that look at the document itself; see metadata_rules.h. */
#include "saml/metadata_rules.h"

#include <string.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/text.h"
#include "saml/choose.h"
#include "saml/nameid.h"
#include "saml/names.h"
#include "saml/schema.h"
#include "saml/xmlsig.h"

#define DAY_S         86400
#define ENDS_SOON_S   ((time_t)60 * DAY_S)
#define ENTITIES_TOLD 5

/* ---- the document ---- */

void
rule_size(struct lint *l)
{
	if (l->stage == STAGE_SIZE)
		lint_find(l, "%s", l->why.text);
}

void
rule_xml(struct lint *l)
{
	if (l->stage == STAGE_XML)
		lint_find(l, "%s; nothing else is looked at", l->why.text);
	l->silent = l->stage < STAGE_XML;
}

void
rule_schema(struct lint *l)
{
	l->silent = l->stage < STAGE_SCHEMA;
	if (l->stage != STAGE_SCHEMA)
		return;
	const char *order = saml_schema_order(l->a, l->root);

	if (order != NULL)
		lint_find(l, "%s (%s)", l->why.text, order);
	else
		lint_find(l, "%s", l->why.text);
}

/* How many entities there are, and what the first are called. */
static size_t
count_entities(struct lint *l, const char **names)
{
	size_t n = 0;

	*names = "";
	for (const struct xml_node *e = l->root; e != NULL; e = xml_next_in_document(e)) {
		if (!xml_is(e, SAML_NS_METADATA, "EntityDescriptor"))
			continue;
		if (n < ENTITIES_TOLD)
			*names = arena_printf(l->a, "%s%s%s", *names, n == 0 ? "" : ", ",
					      xml_attr(e, "entityID"));
		n++;
	}
	return n;
}

static bool
is_one_of_several(struct lint *l, const char **names, size_t *n)
{
	*n = l->stage < STAGE_ENTITY ? 0 : count_entities(l, names);
	return *n > 1 && l->wish->entity_id == NULL;
}

void
rule_several_entities(struct lint *l)
{
	const char *names;
	size_t n;

	if (is_one_of_several(l, &names, &n))
		lint_find(l, "the file describes %zu entities: say which one with --id (%s%s)", n,
			  names, n > ENTITIES_TOLD ? ", ..." : "");
	l->silent = n == 0;
}

void
rule_entity(struct lint *l)
{
	const char *names;
	size_t n;

	l->silent = l->stage < STAGE_READ;
	if (l->stage == STAGE_ENTITY && !is_one_of_several(l, &names, &n))
		lint_find(l, "%s", l->why.text);
}

/* Its own signature, else one around it; NULL: none. */
static const struct xml_node *
signed_node(const struct saml_party *p)
{
	for (const struct xml_node *n = p->entity; n != NULL; n = xml_parent(n))
		for (const struct xml_node *c = xml_first(n); c != NULL; c = xml_next(c))
			if (xml_is(c, SAML_NS_DS, "Signature"))
				return n;
	return NULL;
}

/* What a party signs itself with shows that nothing was lost on the way, not whose it is. */
void
rule_signature(struct lint *l)
{
	const struct xml_node *n = signed_node(l->party);
	struct saml_signed *s;
	struct err why = {0};

	l->silent = n == NULL || n != l->party->entity;
	if (!l->silent && !xmlsig_verify(l->a, n, l->party->signing, &s, &why))
		lint_find(l,
			  "the signature of the metadata verifies with none of its own signing "
			  "keys: changed after it was signed, or signed by somebody else (%s)",
			  why.text);
}

void
rule_no_signature(struct lint *l)
{
	if (signed_node(l->party) == NULL)
		lint_find(l, "the metadata are not signed: they are believed because of who brings "
			     "them");
}

void
rule_cache(struct lint *l)
{
	if (l->party->cache_s >= 0)
		lint_find(l,
			  "cacheDuration of %lld s: it counts where the metadata come from a URL",
			  (long long)l->party->cache_s);
}

/* ---- keys and algorithms ---- */

void
rule_key_use(struct lint *l)
{
	l->silent = l->party->n_keys == 0;
	for (size_t i = 0; i < l->party->n_keys; i++)
		if (l->party->keys[i].signing && l->party->keys[i].encryption)
			lint_find(l,
				  "KeyDescriptor %zu has no use: it counts for signing and for "
				  "encryption",
				  i + 1);
}

void
rule_certificate_digest(struct lint *l)
{
	l->silent = l->party->n_keys == 0;
	for (size_t i = 0; i < l->party->n_keys; i++)
		if (l->party->keys[i].old_digest)
			lint_find(l,
				  "KeyDescriptor %zu: its certificate is signed over SHA-1 or MD5; "
				  "only the key in it counts here",
				  i + 1);
}

void
rule_certificate_ends(struct lint *l)
{
	l->silent = l->party->n_keys == 0;
	for (size_t i = 0; i < l->party->n_keys; i++) {
		const struct saml_party_key *k = &l->party->keys[i];

		if (k->pub != NULL && k->not_after > l->wish->now &&
		    k->not_after - l->wish->now <= ENDS_SOON_S)
			lint_find(l,
				  "KeyDescriptor %zu: its certificate ends on %.10s; publish the "
				  "next "
				  "key beside it in time",
				  i + 1, clock_text(l->a, k->not_after));
	}
}

static bool
signs_with(const struct saml_party *p, const char *kind)
{
	for (size_t i = 0; i < p->signing.n; i++)
		if (EVP_PKEY_is_a(p->signing.key[i], kind))
			return true;
	return false;
}

/* SAML2MetaAlgSup 2.4: without a list we choose, and software of RSA keys may not know ECDSA. */
void
rule_signing_unsaid(struct lint *l)
{
	if (l->party->n_signing_methods > 0)
		return;
	if (signs_with(l->party, "RSA") && !signs_with(l->party, "EC"))
		lint_find(l, "there is no alg:SigningMethod: answers are signed with ECDSA, though "
			     "it signs with RSA itself; list what it can verify");
	else
		lint_find(l,
			  "there is no alg:SigningMethod: which signature it gets is our choice");
}

static bool
is_sha1(const char *uri)
{
	return strstr(uri, "sha1") != NULL || strstr(uri, "md5") != NULL;
}

/* With nothing else it would be signing-methods. */
void
rule_signing_never(struct lint *l)
{
	const struct saml_party *p = l->party;

	l->silent = p->n_signing_methods == 0 && p->n_digest_methods == 0;
	for (size_t i = 0; i < p->n_signing_methods; i++)
		if (is_sha1(p->signing_methods[i].uri))
			lint_find(l, "SigningMethod %s is never used", p->signing_methods[i].uri);
	for (size_t i = 0; i < p->n_digest_methods; i++)
		if (is_sha1(p->digest_methods[i]))
			lint_find(l, "DigestMethod %s is never used", p->digest_methods[i]);
}

void
rule_encryption_unsaid(struct lint *l)
{
	l->silent = l->party->recipient.key == NULL;
	for (size_t i = 0; i < l->party->n_keys; i++) {
		const struct saml_party_key *k = &l->party->keys[i];

		if (k->encryption && k->pub != NULL && k->n_methods == 0)
			lint_find(l,
				  "KeyDescriptor %zu lists no EncryptionMethod: it gets AES-GCM, "
				  "which software that only knows CBC cannot open",
				  i + 1);
	}
}

void
rule_encryption_never(struct lint *l)
{
	l->silent = l->party->recipient.key == NULL;
	for (size_t i = 0; i < l->party->n_keys; i++) {
		const struct saml_party_key *k = &l->party->keys[i];

		for (size_t m = 0; m < k->n_methods; m++)
			if (strstr(k->methods[m].uri, "-cbc") != NULL ||
			    strstr(k->methods[m].uri, "#rsa-1_5") != NULL)
				lint_find(l, "KeyDescriptor %zu: %s is never used", i + 1,
					  k->methods[m].uri);
	}
}

/* ---- endpoints and names ---- */

static struct bytes
host_of(const char *url)
{
	struct bytes host = lint_authority(url);
	const unsigned char *colon = memchr(host.p, ':', host.n);

	if (colon != NULL)
		host.n = (size_t)(colon - host.p);
	return host;
}

/* Often a mistake between a test system and the real one. */
void
rule_hosts(struct lint *l)
{
	struct bytes own = host_of(l->party->entity_id);

	l->silent = !text_starts(l->party->entity_id, "https://");
	for (size_t i = 0; !l->silent && i < l->party->acs.n; i++)
		if (!bytes_eq(own, host_of(l->party->acs.p[i].url)))
			lint_find(
				l,
				"AssertionConsumerService %s is at another host than the entityID",
				l->party->acs.p[i].url);
}

void
rule_slo_soap(struct lint *l)
{
	l->silent = l->party->slo.n == 0;
	if (!l->silent && saml_party_slo(l->party, SAML_BINDING_SOAP) == NULL)
		lint_find(l, "no SingleLogoutService takes SOAP: a logout reaches it only while "
			     "the person's browser goes along");
}

void
rule_slo_binding(struct lint *l)
{
	l->silent = l->party->slo.n == 0;
	for (const struct xml_node *c = xml_first(l->party->role); c != NULL; c = xml_next(c)) {
		if (!xml_is(c, SAML_NS_METADATA, "SingleLogoutService"))
			continue;
		const struct saml_binding_row *row = saml_binding_by_uri(xml_attr(c, "Binding"));

		if (row == NULL || !row->for_logout)
			lint_find(l, "SingleLogoutService by %s is not used",
				  xml_attr(c, "Binding"));
	}
}

void
rule_nameid_none(struct lint *l)
{
	if (l->party->n_nameid_formats == 0)
		lint_find(l, "there is no NameIDFormat: what a request does not ask for is ours to "
			     "choose");
}

void
rule_nameid_format(struct lint *l)
{
	l->silent = l->party->n_nameid_formats == 0;
	for (size_t i = 0; i < l->party->n_nameid_formats; i++) {
		const char *uri = l->party->nameid_formats[i];

		if (text_eq(uri, SAML_NAMEID_EMAIL))
			lint_find(l,
				  "NameIDFormat %s is given only where the record permits it "
				  "(--nameid email)",
				  uri);
		else if (saml_nameid_format_bit(uri) == 0 && !text_eq(uri, SAML_NAMEID_UNSPECIFIED))
			lint_find(l, "NameIDFormat %s is never given", uri);
	}
}

void
rule_assertions_signed(struct lint *l)
{
	if (!l->party->want_assertions_signed)
		lint_find(l,
			  "WantAssertionsSigned is not true: assertions are signed all the same");
}

/* ---- attributes ---- */

void
rule_no_attributes(struct lint *l)
{
	if (l->party->n_services == 0)
		lint_find(l, "there is no AttributeConsumingService: attributes come only as the "
			     "record or the request names them");
}

void
rule_service_index(struct lint *l)
{
	const struct saml_party *p = l->party;
	size_t defaults = 0;

	l->silent = p->n_services == 0;
	for (size_t i = 0; i < p->n_services; i++) {
		defaults += p->services[i].is_default;
		for (size_t j = 0; j < i; j++)
			if (p->services[i].index == p->services[j].index)
				lint_find(l,
					  "two AttributeConsumingServices have the index %d; the "
					  "first is taken",
					  p->services[i].index);
	}
	if (defaults > 1)
		lint_find(l, "%zu AttributeConsumingServices are the default; the first is taken",
			  defaults);
}

/* The next RequestedAttribute of any service, with what is known of its name; false: no more. */
struct name_walk {
	size_t service, attribute;
	const struct saml_requested_attribute *at;
	struct saml_name_word word;
};

static bool
next_name(struct lint *l, struct name_walk *w)
{
	const struct saml_party *p = l->party;

	if (l->wish->explain == NULL)
		return false;
	while (w->service < p->n_services && w->attribute == p->services[w->service].n_attributes) {
		w->service++;
		w->attribute = 0;
	}
	if (w->service == p->n_services)
		return false;
	w->at = &p->services[w->service].attributes[w->attribute++];
	w->word = (struct saml_name_word){0};
	l->wish->explain(l->a, w->at->name, w->at->friendly_name, &w->word);
	return true;
}

static bool
is_silent_on_names(struct lint *l)
{
	l->silent = l->wish->explain == NULL || l->party->n_services == 0;
	return l->silent;
}

void
rule_name_unknown(struct lint *l)
{
	struct name_walk w = {0};

	(void)is_silent_on_names(l);
	while (next_name(l, &w)) {
		if (w.word.ours || w.word.vocabulary != NULL)
			continue;
		if (w.word.guess != NULL)
			lint_find(l,
				  "RequestedAttribute \"%s\" is unknown and never comes; most like "
				  "it is %s",
				  w.at->name, w.word.guess);
		else
			lint_find(l, "RequestedAttribute \"%s\" is unknown and never comes",
				  w.at->name);
	}
}

void
rule_name_elsewhere(struct lint *l)
{
	struct name_walk w = {0};

	(void)is_silent_on_names(l);
	while (next_name(l, &w))
		if (!w.word.ours && w.word.vocabulary != NULL)
			lint_find(l,
				  "RequestedAttribute \"%s\" (%s, of %s) is nothing that accounts "
				  "here hold: it never comes",
				  w.at->name, w.word.friendly, w.word.vocabulary);
}

void
rule_name_format(struct lint *l)
{
	struct name_walk w = {0};

	(void)is_silent_on_names(l);
	while (next_name(l, &w))
		if (w.word.name_format != NULL && w.at->name_format != NULL &&
		    !text_eq(w.word.name_format, w.at->name_format))
			lint_find(l,
				  "RequestedAttribute \"%s\" with NameFormat %s: it comes with %s",
				  w.at->name, w.at->name_format, w.word.name_format);
}

/* idp/ answers in the vocabulary of the first name that is of one. */
void
rule_names_mixed(struct lint *l)
{
	const char *first = NULL;
	struct name_walk w = {0};

	(void)is_silent_on_names(l);
	while (next_name(l, &w)) {
		if (!w.word.ours || w.word.vocabulary == NULL)
			continue;
		if (first == NULL)
			first = w.word.vocabulary;
		if (!text_eq(first, w.word.vocabulary)) {
			lint_find(
				l,
				"RequestedAttributes are named in the words of %s and of %s (%s): "
				"answers come in those of the first",
				first, w.word.vocabulary, w.at->name);
			return;
		}
	}
}

/* BundID interface 9.2: an account of level 1 often has little. */
void
rule_required(struct lint *l)
{
	size_t n = 0;

	l->silent = l->party->n_services == 0;
	for (size_t s = 0; s < l->party->n_services; s++)
		for (size_t i = 0; i < l->party->services[s].n_attributes; i++)
			n += l->party->services[s].attributes[i].required;
	if (n > 0)
		lint_find(l,
			  "isRequired at %zu attributes: without one of them there is no answer "
			  "but an error",
			  n);
}

/* ---- people ---- */

void
rule_no_ui_info(struct lint *l)
{
	l->silent = l->party->organization_display_name.n == 0; /* no-display-name says it */
	if (!l->silent && l->party->display_name.n == 0)
		lint_find(l, "there is no mdui:DisplayName: people are shown what the Organization "
			     "is called, or the record says");
}

void
rule_no_organization(struct lint *l)
{
	if (l->party->organization_name.n == 0)
		lint_find(l, "there is no Organization");
}

void
rule_contacts(struct lint *l)
{
	static const char *const types[] = {"administrative", "technical", "support", "other"};
	const char *missing = "";

	for (size_t t = 0; t < ARRAY_LEN(types); t++) {
		bool found = false;

		for (size_t i = 0; i < l->party->n_contacts; i++)
			found |= text_eq(l->party->contacts[i].type, types[t]) &&
				 l->party->contacts[i].email != NULL;
		if (!found)
			missing = arena_printf(l->a, "%s%s%s", missing,
					       *missing == '\0' ? "" : ", ", types[t]);
	}
	if (*missing != '\0')
		lint_find(l,
			  "there is no ContactPerson with an EmailAddress for: %s (other is for "
			  "security)",
			  missing);
}

const char *
saml_key_words(struct arena *a, const struct saml_party_key *key)
{
	char curve[64] = "an unknown curve";

	if (EVP_PKEY_is_a(key->pub, "RSA"))
		return arena_printf(a, "RSA of %d bits", EVP_PKEY_get_bits(key->pub));
	(void)EVP_PKEY_get_group_name(key->pub, curve, sizeof(curve), NULL);
	return arena_printf(a, "EC on %s", curve);
}
