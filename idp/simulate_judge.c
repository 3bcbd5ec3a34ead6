/*
 * What the interfaces demand of requests, a row each; see simulate.h.  All that can be told is
 * told at once.  What a rule looks at was read by the program's own reader.
 */
#include <string.h>

#include "base/text.h"
#include "idp/simulate.h"
#include "saml/names.h"
#include "saml/status.h"

#define RELAY_STATE_MOST   80 /* SAML2Bindings 3.4.3, 3.5.3 */
#define DISPLAY_NAME_SHOWN 50 /* BundID interface 9 */

/* ---- getting at it ---- */

static const char *
our_url(const struct sim_case *c)
{
	return c->binding == SAML_BINDING_REDIRECT ? c->s->redirect_url : c->s->post_url;
}

static bool
holds_wire(struct sim_case *c, struct err *err)
{
	return saml_message_decode(c->a, c->binding, c->raw, &c->m, err);
}

static bool
holds_kind(struct sim_case *c, struct err *err)
{
	return saml_message_kind(c->m) == SAML_AUTHN_REQUEST ||
	       FAIL(err, ERR_INPUT, NULL, "another kind of message");
}

static bool
holds_sender(struct sim_case *c, struct err *err)
{
	const char *issuer = saml_message_issuer(c->m);

	for (size_t i = 0; i < c->s->n_portals && c->portal == NULL; i++)
		if (strcmp(c->s->portals[i].party->entity_id, issuer) == 0)
			c->portal = &c->s->portals[i];
	return c->portal != NULL ||
	       FAIL(err, ERR_NOT_FOUND, NULL, "no --portal has the entityID %s", issuer);
}

/* An unsigned one is read all the same, to say what else is wrong with it. */
static bool
holds_signed(struct sim_case *c, struct err *err)
{
	const struct saml_policy lenient = {.accept_unsigned = true};

	return !saml_message_accept_unsigned(c->a, c->m, c->portal->party, &lenient, &c->v, NULL) ||
	       FAIL(err, ERR_DENIED, NULL, "there is no signature");
}

static bool
holds_signature(struct sim_case *c, struct err *err)
{
	return c->v != NULL || saml_message_verify(c->a, c->m, c->portal->party, &c->v, err);
}

static bool
holds_schema(struct sim_case *c, struct err *err)
{
	struct saml_header header;

	return saml_authn_request_parse(c->a, c->v, &c->r, err) &&
	       saml_header_read(c->a, c->v, SAML_AUTHN_REQUEST, &header, &c->root, err);
}

static bool
holds_readable(struct sim_case *c, struct err *err)
{
	const struct err *fault = &c->r->fault;

	return fault->kind == ERR_NONE || FAIL(err, fault->kind, NULL, "%s", fault->text);
}

/* ---- where to and when ---- */

static bool
holds_destination(struct sim_case *c, struct err *err)
{
	if (c->r->header.destination == NULL)
		return FAIL(err, ERR_DENIED, NULL, "there is none; %s expected", our_url(c));
	return saml_header_check_place(&c->r->header, our_url(c), NULL) ||
	       FAIL(err, ERR_DENIED, NULL, "%s; %s expected", c->r->header.destination, our_url(c));
}

static bool
holds_acs(struct sim_case *c, struct err *err)
{
	c->acs =
		saml_party_acs(c->portal->party, c->r->acs_url, c->r->acs_index, SAML_BINDING_POST);
	return c->acs != NULL ||
	       FAIL(err, ERR_DENIED, NULL, "%s is none of the metadata by HTTP-POST",
		    c->r->acs_url == NULL ? "its index" : c->r->acs_url);
}

static bool
holds_acs_binding(struct sim_case *c, struct err *err)
{
	return c->r->protocol_binding == NULL ||
	       strcmp(c->r->protocol_binding, SAML_BINDING_URI_POST) == 0 ||
	       FAIL(err, ERR_DENIED, NULL, "%s", c->r->protocol_binding);
}

static bool
holds_time(struct sim_case *c, struct err *err)
{
	return saml_header_check_worth(&c->r->header, &saml_window_default, c->now, err);
}

static bool
holds_algorithm(struct sim_case *c, struct err *err)
{
	const struct saml_suite *suite = c->r->header.suite;

	return suite == NULL || !suite->old || FAIL(err, ERR_DENIED, NULL, "%s", suite->name);
}

static bool
holds_relay_state(struct sim_case *c, struct err *err)
{
	const char *relay = saml_message_relay_state(c->m);

	return relay == NULL || strlen(relay) <= RELAY_STATE_MOST ||
	       FAIL(err, ERR_INPUT, NULL, "%zu octets", strlen(relay));
}

/* ---- how to log in ---- */

static bool
holds_force(struct sim_case *c, struct err *err)
{
	return c->r->force_authn || FAIL(err, ERR_INPUT, NULL, "ForceAuthn is not true");
}

static bool
holds_passive(struct sim_case *c, struct err *err)
{
	return !c->r->is_passive || FAIL(err, ERR_DENIED, NULL, "IsPassive is true");
}

static bool
holds_nameid(struct sim_case *c, struct err *err)
{
	const char *format = c->r->nameid_format;

	return format == NULL || strcmp(format, SAML_NAMEID_UNSPECIFIED) == 0 ||
	       (saml_nameid_format_bit(format) & c->s->kind->nameid_formats) != 0 ||
	       FAIL(err, ERR_DENIED, NULL, "%s", format);
}

static bool
holds_no_nameid_policy(struct sim_case *c, struct err *err)
{
	return !c->r->has_nameid_policy || FAIL(err, ERR_INPUT, NULL, "there is a NameIDPolicy");
}

static bool
holds_one_class(struct sim_case *c, struct err *err)
{
	return c->r->n_class_refs == 1 ||
	       FAIL(err, ERR_DENIED, NULL, "there are %zu", c->r->n_class_refs);
}

static bool
holds_class(struct sim_case *c, struct err *err)
{
	for (size_t i = 0; i < c->r->n_class_refs; i++)
		if (level_vocabulary_of(c->r->class_refs[i]) != LEVEL_VOCAB_STORK)
			return FAIL(err, ERR_DENIED, NULL, "%s", c->r->class_refs[i]);
	return true;
}

static bool
holds_minimum(struct sim_case *c, struct err *err)
{
	return c->r->n_class_refs == 0 || c->r->comparison == SAML_MINIMUM ||
	       FAIL(err, ERR_INPUT, NULL, "Comparison is not minimum");
}

enum level
sim_level_wanted(const struct sim_case *c)
{
	return c->s->kind->of == SIM_BUNDID && c->r != NULL && c->r->n_class_refs > 0
		       ? level_from_word(c->r->class_refs[0])
		       : LEVEL_NONE;
}

bool
sim_method_allowed(const struct sim_case *c, const struct sim_person *p)
{
	return c->s->kind->of != SIM_BUNDID || c->r == NULL || c->r->akdb == NULL ||
	       !c->r->akdb->names_methods ||
	       (c->r->akdb->methods & saml_akdb_method_of(p->method)) != 0;
}

static bool
holds_means(struct sim_case *c, struct err *err)
{
	static const struct {
		const char *method;
		enum level most;
	} means[] = {
		{"Benutzername", LEVEL_BASIC}, {"Authega", LEVEL_SUBSTANTIAL},
		{"Diia", LEVEL_SUBSTANTIAL},   {"Elster", LEVEL_SUBSTANTIAL},
		{"eID", LEVEL_HIGH},           {"eIDAS", LEVEL_HIGH},
		{"FINK", LEVEL_HIGH},
	};

	for (size_t i = 0; i < ARRAY_LEN(means); i++) {
		struct sim_person p = {.method = means[i].method};

		if (sim_method_allowed(c, &p) && means[i].most >= sim_level_wanted(c))
			return true;
	}
	return FAIL(err, ERR_DENIED, NULL, "no enabled method reaches the level");
}

/* ---- BundID's extension ---- */

/* Of what is not there, or was not read, nothing else is said. */
static const struct saml_akdb_request *
akdb(const struct sim_case *c)
{
	return c->r->akdb;
}

static bool
unbroken(const struct sim_case *c, const char *code, struct err *err)
{
	return !saml_akdb_breaks(c->r->akdb, c->r->header.is_signed, code) ||
	       FAIL(err, ERR_DENIED, NULL, "%s", code);
}

/* Unsigned requests are not read so far, and one that does not read is told of already. */
static bool
holds_akdb(struct sim_case *c, struct err *err)
{
	return !c->r->header.is_signed || c->r->fault.kind != ERR_NONE ||
	       unbroken(c, SAML_AKDB_MISSING, err);
}

static bool
holds_version(struct sim_case *c, struct err *err)
{
	return unbroken(c, SAML_AKDB_V1, err);
}

static bool
holds_methods(struct sim_case *c, struct err *err)
{
	return unbroken(c, SAML_AKDB_NO_METHODS, err);
}

static bool
holds_attributes(struct sim_case *c, struct err *err)
{
	return unbroken(c, SAML_AKDB_NO_ATTRIBUTES, err);
}

static bool
holds_named(struct sim_case *c, struct err *err)
{
	return unbroken(c, SAML_AKDB_NAMELESS, err);
}

static bool
holds_organization(struct sim_case *c, struct err *err)
{
	return unbroken(c, SAML_AKDB_NO_ORGANIZATION, err);
}

static bool
holds_shape(struct sim_case *c, struct err *err)
{
	const struct xml_node *extensions;

	return xml_child_opt(c->root, SAML_NS_PROTOCOL, "Extensions", &extensions, err) &&
	       (extensions == NULL || saml_akdb_check_shape(extensions, err));
}

static bool
holds_known_names(struct sim_case *c, struct err *err)
{
	for (size_t i = 0; akdb(c) != NULL && i < akdb(c)->attributes.n; i++) {
		const char *name = akdb(c)->attributes.p[i].name;

		if (name[0] != '\0' && sim_name_by_wire(c->s->kind, name) == NULL)
			return FAIL(err, ERR_INPUT, NULL, "'%s'", name);
	}
	return true;
}

static bool
holds_names_once(struct sim_case *c, struct err *err)
{
	for (size_t i = 0; akdb(c) != NULL && i < akdb(c)->attributes.n; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(akdb(c)->attributes.p[i].name, akdb(c)->attributes.p[j].name) ==
			    0)
				return FAIL(err, ERR_INPUT, NULL, "%s",
					    akdb(c)->attributes.p[i].name);
	return true;
}

static bool
holds_short_name(struct sim_case *c, struct err *err)
{
	const char *name = akdb(c) == NULL ? NULL : akdb(c)->organization_display_name;
	size_t n = 0;

	for (const char *p = name; p != NULL && *p != '\0'; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	return n <= DISPLAY_NAME_SHOWN || FAIL(err, ERR_INPUT, NULL, "%zu characters", n);
}

static bool
holds_service_id(struct sim_case *c, struct err *err)
{
	return akdb(c) == NULL ||
	       (akdb(c)->online_service_id != NULL && akdb(c)->online_service_id[0] != '\0') ||
	       FAIL(err, ERR_INPUT, NULL, "there is no OnlineServiceId");
}

static bool
holds_lang(struct sim_case *c, struct err *err)
{
	static const char *const langs[] = {"de", "en", "ru", "uk"};
	const char *lang = akdb(c) == NULL ? NULL : akdb(c)->lang;

	return lang == NULL || text_in(langs, ARRAY_LEN(langs), lang) ||
	       FAIL(err, ERR_INPUT, NULL, "'%s'", lang);
}

static bool
holds_back_url(struct sim_case *c, struct err *err)
{
	const char *url = akdb(c) == NULL ? NULL : akdb(c)->back_url;

	return url == NULL || text_starts(url, "https://") || FAIL(err, ERR_INPUT, NULL, "%s", url);
}

static bool
holds_no_akdb(struct sim_case *c, struct err *err)
{
	return c->r->akdb == NULL || FAIL(err, ERR_INPUT, NULL, "it has BundID's extension");
}

/* ---- portals' metadata ---- */

static bool
holds_endless(struct sim_case *c, struct err *err)
{
	return c->portal->party->valid_until == 0 || FAIL(err, ERR_INPUT, NULL, "validUntil");
}

static bool
holds_no_id(struct sim_case *c, struct err *err)
{
	return !c->portal->party->has_id || FAIL(err, ERR_INPUT, NULL, "ID");
}

static bool
holds_entity_id(struct sim_case *c, struct err *err)
{
	const char *id = c->portal->party->entity_id;
	const char *host = text_starts(id, "https://") ? id + strlen("https://") : NULL;

	return (host != NULL && host[strcspn(host, ":/?#")] != ':') ||
	       FAIL(err, ERR_INPUT, NULL, "%s", id);
}

static bool
holds_encryption_key(struct sim_case *c, struct err *err)
{
	return c->portal->party->recipient.key != NULL ||
	       FAIL(err, ERR_DENIED, NULL, "no KeyDescriptor with a usable key for encryption");
}

static bool
holds_signing_key(struct sim_case *c, struct err *err)
{
	return c->portal->party->signing.n > 0 ||
	       FAIL(err, ERR_DENIED, NULL, "no KeyDescriptor with a usable key for signing");
}

static bool
holds_post(struct sim_case *c, struct err *err)
{
	return saml_party_acs(c->portal->party, NULL, -1, SAML_BINDING_POST) != NULL ||
	       FAIL(err, ERR_DENIED, NULL, "no AssertionConsumerService by HTTP-POST");
}

static bool
holds_says_signed(struct sim_case *c, struct err *err)
{
	return c->portal->says_signed ||
	       FAIL(err, ERR_INPUT, NULL, "AuthnRequestsSigned is not true");
}

/* ---- all of them ---- */

#define BOTH (SIM_BUNDID | SIM_ORGANISATION)

/* Numbers are told to people: never another rule by the same. */
static const struct sim_rule rules[] = {
	{1, "wire", "SAML2Bindings 3.4.4, 3.5.4", BOTH, SIM_REFUSAL, NULL, true, holds_wire},
	{2, "kind", "SAML2Core 3.4.1", BOTH, SIM_REFUSAL, NULL, true, holds_kind},
	{3, "sender", "SAML2Core 2.2.5, 3.2.1", BOTH, SIM_REFUSAL, NULL, true, holds_sender},
	{4, "signed", "BundID 9; SAML2Metadata 2.4.3", BOTH, SIM_REFUSAL, SAML_AKDB_UNSIGNED, false,
	 holds_signed},
	{5, "signature", "SAML2Core 5; SAML2Bindings 3.4.4.1", BOTH, SIM_REFUSAL, NULL, true,
	 holds_signature},
	{6, "schema", "saml-schema-protocol-2.0", BOTH, SIM_REFUSAL, NULL, true, holds_schema},
	{7, "readable", "SAML2Core 3.4.1", BOTH, SIM_REFUSAL, SAML_REQUESTER, false,
	 holds_readable},
	{8, "destination", "SAML2Bindings 3.4.5.2, 3.5.5.2", BOTH, SIM_REFUSAL, NULL, false,
	 holds_destination},
	{9, "acs", "SAML2Core 3.4.1; SAML2Profiles 4.1.4.1", BOTH, SIM_REFUSAL, NULL, false,
	 holds_acs},
	{10, "acs_binding", "BundID 10.1; SAML2Profiles 4.1.2", BOTH, SIM_REFUSAL,
	 SAML_UNSUPPORTED_BINDING, false, holds_acs_binding},
	{11, "time", "SAML2Core 3.2.1", BOTH, SIM_REFUSAL, SAML_REQUEST_DENIED, false, holds_time},
	{12, "algorithm", "TR-03116-4", BOTH, SIM_ADVICE, NULL, false, holds_algorithm},
	{13, "relay_state", "SAML2Bindings 3.4.3, 3.5.3", BOTH, SIM_ADVICE, NULL, false,
	 holds_relay_state},
	{14, "force", "BundID 10.1", BOTH, SIM_ADVICE, NULL, false, holds_force},
	{15, "passive", "BundID 10.1; SAML2Core 3.4.1", BOTH, SIM_REFUSAL, SAML_NO_PASSIVE, false,
	 holds_passive},
	{16, "nameid", "SAML2Core 3.4.1.1, 8.3", BOTH, SIM_REFUSAL, SAML_INVALID_NAMEID_POLICY,
	 false, holds_nameid},
	{17, "no_nameid_policy", "BundID 10.1", SIM_BUNDID, SIM_ADVICE, NULL, false,
	 holds_no_nameid_policy},
	{18, "one_class", "BundID 5, 10.1", SIM_BUNDID, SIM_REFUSAL, SAML_NO_AUTHN_CONTEXT, false,
	 holds_one_class},
	{19, "class", "BundID 5", SIM_BUNDID, SIM_REFUSAL, SAML_NO_AUTHN_CONTEXT, false,
	 holds_class},
	{20, "minimum", "BundID 10.1", SIM_BUNDID, SIM_ADVICE, NULL, false, holds_minimum},
	{21, "akdb", "BundID 9", SIM_BUNDID, SIM_REFUSAL, SAML_AKDB_MISSING, false, holds_akdb},
	{22, "version", "BundID 9", SIM_BUNDID, SIM_REFUSAL, SAML_AKDB_V1, false, holds_version},
	{23, "shape", "BundID 9", SIM_BUNDID, SIM_REFUSAL, SAML_REQUESTER, false, holds_shape},
	{24, "methods", "BundID 9, 9.6", SIM_BUNDID, SIM_REFUSAL, SAML_AKDB_NO_METHODS, false,
	 holds_methods},
	{25, "means", "BundID 5, 9", SIM_BUNDID, SIM_REFUSAL, SAML_WHY_NO_MEANS, false,
	 holds_means},
	{26, "attributes", "BundID 9, 9.6", SIM_BUNDID, SIM_REFUSAL, SAML_AKDB_NO_ATTRIBUTES, false,
	 holds_attributes},
	{27, "named", "BundID 9, 9.6", SIM_BUNDID, SIM_REFUSAL, SAML_AKDB_NAMELESS, false,
	 holds_named},
	{28, "known_names", "BundID 6", SIM_BUNDID, SIM_ADVICE, NULL, false, holds_known_names},
	{29, "names_once", "BundID 9", SIM_BUNDID, SIM_ADVICE, NULL, false, holds_names_once},
	{30, "organization", "BundID 9, 9.6", SIM_BUNDID, SIM_REFUSAL, SAML_AKDB_NO_ORGANIZATION,
	 false, holds_organization},
	{31, "short_name", "BundID 9", SIM_BUNDID, SIM_ADVICE, NULL, false, holds_short_name},
	{32, "service_id", "BundID 9", SIM_BUNDID, SIM_ADVICE, NULL, false, holds_service_id},
	{33, "lang", "BundID 9", SIM_BUNDID, SIM_ADVICE, NULL, false, holds_lang},
	{34, "back_url", "BundID 9", SIM_BUNDID, SIM_ADVICE, NULL, false, holds_back_url},
	{35, "no_akdb", "EKONA", SIM_ORGANISATION, SIM_ADVICE, NULL, false, holds_no_akdb},
};

static const struct sim_rule metadata_rules[] = {
	{51, "md_endless", "BundID 7.2", SIM_BUNDID, SIM_ADVICE, NULL, false, holds_endless},
	{52, "md_no_id", "BundID 7.2", SIM_BUNDID, SIM_ADVICE, NULL, false, holds_no_id},
	{53, "md_entity_id", "BundID 7.2", SIM_BUNDID, SIM_ADVICE, NULL, false, holds_entity_id},
	{54, "md_encryption", "BundID 10.2; EKONA", BOTH, SIM_REFUSAL, NULL, false,
	 holds_encryption_key},
	{55, "md_signing", "SAML2Metadata 2.4.1.1", BOTH, SIM_REFUSAL, NULL, false,
	 holds_signing_key},
	{56, "md_post", "BundID 10.1; EKONA", BOTH, SIM_REFUSAL, NULL, false, holds_post},
	{57, "md_says_signed", "SAML2Metadata 2.4.4", BOTH, SIM_ADVICE, NULL, false,
	 holds_says_signed},
};

const struct sim_rule *
sim_rule_at(size_t i)
{
	if (i < ARRAY_LEN(rules))
		return &rules[i];
	i -= ARRAY_LEN(rules);
	return i < ARRAY_LEN(metadata_rules) ? &metadata_rules[i] : NULL;
}

/* False: nothing further can be judged. */
static bool
judge_one(struct sim_case *c, const struct sim_rule *rule, bool *answerable)
{
	struct err why = {0};
	struct sim_finding *f = &c->found[c->n_found++];

	*f = (struct sim_finding){.rule = rule, .holds = rule->holds(c, &why)};
	if (f->holds)
		return true;
	f->detail = arena_strdup(c->a, why.text);
	c->n_advice += rule->weight == SIM_ADVICE;
	c->n_refusals += rule->weight == SIM_REFUSAL;
	if (rule->weight == SIM_REFUSAL) {
		*answerable = *answerable && rule->status != NULL;
		c->status = c->status == NULL ? rule->status : c->status;
	}
	return !rule->stops;
}

static void
judge(struct sim_case *c, const struct sim_rule *list, size_t n)
{
	bool answerable = true, goes_on = true;

	for (size_t i = 0; i < n && goes_on; i++)
		if ((list[i].of & c->s->kind->of) != 0)
			goes_on = judge_one(c, &list[i], &answerable);
	if (c->acs == NULL || !answerable)
		c->status = NULL;
}

void
sim_judge(struct sim_case *c)
{
	judge(c, rules, ARRAY_LEN(rules));
}

void
sim_judge_metadata(struct sim_case *c)
{
	judge(c, metadata_rules, ARRAY_LEN(metadata_rules));
}
