/*
 * What is wrong or unwise in a party's metadata, one rule a row: BundID's rules
 * for service providers among them, since portals that are registered with us
 * are often registered there too.  See metadata_check.h; rules that look at the
 * document itself are in metadata_rules.c.
 */
#include <string.h>

#include <openssl/evp.h>

#include "base/text.h"
#include "saml/choose.h"
#include "saml/metadata_rules.h"
#include "saml/names.h"
#include "saml/schema.h"

#define MAX_FINDINGS 200

struct rule {
	enum saml_severity severity;
	const char *id;
	const char *clause;
	void (*look)(struct lint *l);
	enum { OF_PARTY, OF_DOCUMENT, OF_WHOLE_PARTY } of; /* what it looks at */
	const char *fine; /* said when it finds nothing; NULL: nothing is */
};

void
lint_find(struct lint *l, const char *fmt, ...)
{
	va_list ap;

	if (l->n == l->max)
		return;
	va_start(ap, fmt);
	l->found[l->n++] = (struct saml_finding){l->rule->severity, l->rule->id, l->rule->clause,
						 arena_vprintf(l->a, fmt, ap)};
	va_end(ap);
}

/* ---- URLs ---- */

struct bytes
lint_authority(const char *url)
{
	const char *start = strstr(url, "://");

	if (start == NULL)
		return bytes_of("");
	start += strlen("://");
	return (struct bytes){(const unsigned char *)start, strcspn(start, "/?#")};
}

static bool
has_octet(struct bytes b, char c)
{
	return memchr(b.p, c, b.n) != NULL;
}

/* This machine itself: "localhost", a name below it, 127.0.0.1. */
static bool
is_local(const char *url)
{
	struct bytes host = lint_authority(url);
	const unsigned char *colon = memchr(host.p, ':', host.n);

	if (colon != NULL)
		host.n = (size_t)(colon - host.p);
	return bytes_eq(host, bytes_of("localhost")) || bytes_end(host, ".localhost") ||
	       bytes_eq(host, bytes_of("127.0.0.1"));
}

/* What keeps a URL from being an endpoint; NULL: nothing. */
static const char *
url_problem(const struct lint *l, const char *url)
{
	bool http = text_starts(url, "http://");

	if (!http && !text_starts(url, "https://"))
		return "is not an https URL";
	if (http && !((l->wish->flags & SAML_LINT_LOCAL_HTTP) && is_local(url)))
		return "is not https";
	if (lint_authority(url).n == 0)
		return "names no host";
	if (has_octet(lint_authority(url), '@'))
		return "has a user name in it";
	if (strchr(url, '#') != NULL)
		return "has a fragment";
	return NULL;
}

static void
look_endpoints(struct lint *l, const char *what, const struct saml_endpoints *endpoints)
{
	for (size_t i = 0; i < endpoints->n; i++) {
		const struct saml_endpoint *e = &endpoints->p[i];
		const char *problem = url_problem(l, e->url);

		if (problem != NULL)
			lint_find(l, "%s %s %s", what, e->url, problem);
		problem = url_problem(l, e->response_url);
		if (problem != NULL && e->response_url != e->url)
			lint_find(l, "%s %s %s", what, e->response_url, problem);
	}
}

/* ---- fatal ---- */

static void
look_no_acs(struct lint *l)
{
	if (l->party->acs_client.n > 0)
		return;
	if (l->party->acs.n == 0 && l->party->n_acs_skipped > 0)
		lint_find(l,
			  "none of %zu AssertionConsumerServices takes HTTP-POST or HTTP-Artifact",
			  l->party->n_acs_skipped);
	else if (l->party->acs.n == 0)
		lint_find(l, "there is no AssertionConsumerService");
}

static void
look_acs_url(struct lint *l)
{
	look_endpoints(l, "AssertionConsumerService", &l->party->acs);
	look_endpoints(l, "AssertionConsumerService", &l->party->acs_client);
	l->silent = l->party->acs.n + l->party->acs_client.n == 0;
}

static void
look_slo_url(struct lint *l)
{
	look_endpoints(l, "SingleLogoutService", &l->party->slo);
	l->silent = l->party->slo.n == 0;
}

static void
look_unusable_key(struct lint *l)
{
	l->silent = l->party->n_keys == 0;
	for (size_t i = 0; i < l->party->n_keys; i++)
		if (l->party->keys[i].problem != NULL)
			lint_find(l, "KeyDescriptor %zu: %s", i + 1, l->party->keys[i].problem);
}

static void
look_expired(struct lint *l)
{
	if (l->party->valid_until != 0 && l->party->valid_until <= l->wish->now)
		lint_find(l, "validUntil of the metadata has passed");
}

static void
look_signing_methods(struct lint *l)
{
	const char *problem = saml_party_signing_problem(l->party);

	if (problem != NULL)
		lint_find(l, "%s", problem);
}

/* Only when no other key will do. */
static void
look_encryption_methods(struct lint *l)
{
	for (size_t i = 0; i < l->party->n_keys && l->party->recipient.key == NULL; i++) {
		const struct saml_party_key *key = &l->party->keys[i];
		const char *problem = key->encryption && key->pub != NULL
					      ? saml_key_encryption_problem(key)
					      : NULL;

		if (problem != NULL)
			lint_find(l, "KeyDescriptor %zu: %s", i + 1, problem);
	}
}

static void
look_old_signatures(struct lint *l)
{
	const struct saml_sign_wish wish = {SIG_NONE, SAML_SIGN_ALL, l->wish->now};
	const struct saml_suite *suite;

	if (l->party->old_until == 0 && saml_party_signing_problem(l->party) == NULL &&
	    !saml_choose_suite(l->party, &wish, &suite, NULL))
		lint_find(l, "the best of its SigningMethods is RSA PKCS#1 v1.5, which ended "
			     "(TR-03116-4, SAML/XML Security): it is for parties marked old "
			     "(--old-until) alone");
}

/* ---- warnings ---- */

static void
look_no_signing_key(struct lint *l)
{
	if (l->party->signing.n == 0)
		lint_find(l,
			  "there is no signing key: signed requests and logout cannot be verified");
}

/* SAML2Profiles 5.4.1: who resolves one is known by its signature. */
static void
look_artifact_without_key(struct lint *l)
{
	for (size_t i = 0; i < l->party->acs.n && l->party->signing.n == 0; i++)
		if (l->party->acs.p[i].binding == SAML_BINDING_ARTIFACT)
			lint_find(l,
				  "AssertionConsumerService %s takes artifacts, which without a "
				  "signing "
				  "key could not be resolved",
				  l->party->acs.p[i].url);
}

static void
look_no_encryption_key(struct lint *l)
{
	if (l->party->recipient.key == NULL)
		lint_find(
			l,
			"there is no encryption key that we can use: assertions would go in clear");
}

/* TR-02102-1: RSA below 3000 bits ended with 2025. */
static void
look_short_rsa(struct lint *l)
{
	for (size_t i = 0; i < l->party->n_keys; i++) {
		EVP_PKEY *key = l->party->keys[i].pub;

		if (key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
		    EVP_PKEY_get_bits(key) < 3000)
			lint_find(l, "KeyDescriptor %zu: RSA of %d bits, 3072 are asked for", i + 1,
				  EVP_PKEY_get_bits(key));
	}
}

/* Chosen only where nothing better is listed: XMLENC 1.1 5.5.2 has SHA-256. */
static void
look_old_transport(struct lint *l)
{
	if (l->party->recipient.key != NULL && l->party->recipient.transport == XMLENC_OAEP_SHA1)
		lint_find(l, "its best key transport is rsa-oaep-mgf1p, with SHA-1: rsa-oaep with "
			     "SHA-256 "
			     "is asked for");
}

static void
look_shared_key(struct lint *l)
{
	for (size_t i = 0; i < l->party->n_keys; i++)
		for (size_t j = i; j < l->party->n_keys; j++)
			if (l->party->keys[i].sha256 != NULL && l->party->keys[i].signing &&
			    l->party->keys[j].encryption &&
			    text_eq(l->party->keys[i].sha256, l->party->keys[j].sha256)) {
				lint_find(l, "one key serves for signing and for encryption");
				return;
			}
}

static void
look_certificate_dates(struct lint *l)
{
	for (size_t i = 0; i < l->party->n_keys; i++) {
		const struct saml_party_key *key = &l->party->keys[i];

		if (key->pub != NULL &&
		    (key->not_after <= l->wish->now || key->not_before > l->wish->now))
			lint_find(l,
				  "KeyDescriptor %zu: the certificate's dates do not cover today; "
				  "the "
				  "key counts all the same",
				  i + 1);
	}
}

static void
look_unsigned_requests(struct lint *l)
{
	if (!l->party->authn_requests_signed)
		lint_find(l, "AuthnRequestsSigned is not true");
}

static void
look_entity_id(struct lint *l)
{
	if (!text_starts(l->party->entity_id, "https://"))
		lint_find(l, "entityID %s is not an https URL", l->party->entity_id);
}

static void
look_entity_id_port(struct lint *l)
{
	if (text_starts(l->party->entity_id, "https://") &&
	    has_octet(lint_authority(l->party->entity_id), ':'))
		lint_find(l, "entityID %s has a port", l->party->entity_id);
}

static void
look_valid_until(struct lint *l)
{
	if (l->party->valid_until != 0)
		lint_find(l, "validUntil is stated: the entry ends with it");
}

static void
look_id_attribute(struct lint *l)
{
	if (l->party->has_id)
		lint_find(l, "EntityDescriptor has an ID attribute");
}

static void
look_several_defaults(struct lint *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->party->acs.n; i++)
		n += l->party->acs.p[i].is_default;
	if (n > 1)
		lint_find(l, "%zu AssertionConsumerServices are the default; the first is taken",
			  n);
}

static void
look_same_index(struct lint *l)
{
	for (size_t i = 0; i < l->party->acs.n; i++)
		for (size_t j = 0; j < i; j++)
			if (l->party->acs.p[i].index == l->party->acs.p[j].index)
				lint_find(l,
					  "two AssertionConsumerServices have the index %d; the "
					  "first "
					  "is taken",
					  l->party->acs.p[i].index);
}

/* "urn:oid: 1.2.3" and blanks at the ends occur in copied tables; such a name matches nothing. */
static void
look_blank_in_name(struct lint *l)
{
	for (size_t s = 0; s < l->party->n_services; s++)
		for (size_t i = 0; i < l->party->services[s].n_attributes; i++) {
			const char *name = l->party->services[s].attributes[i].name;

			if (strpbrk(name, " \t\r\n") != NULL)
				lint_find(l, "RequestedAttribute \"%s\" has a blank in its name",
					  name);
		}
}

/* ---- notes ---- */

static void
look_no_slo(struct lint *l)
{
	if (l->party->slo.n == 0)
		lint_find(l,
			  "there is no SingleLogoutService: a logout elsewhere does not reach it");
}

static void
look_no_display_name(struct lint *l)
{
	if (l->party->display_name.n == 0 && l->party->organization_display_name.n == 0)
		lint_find(l, "there is no name to show to people");
}

/* The bindings of those that are not used. */
static const char *
skipped_bindings(struct lint *l)
{
	const char *list = "";

	for (const struct xml_node *c = xml_first(l->party->role); c != NULL; c = xml_next(c)) {
		const struct saml_binding_row *row = saml_binding_by_uri(xml_attr(c, "Binding"));

		if (xml_is(c, SAML_NS_METADATA, "AssertionConsumerService") &&
		    (row == NULL || !row->for_response))
			list = arena_printf(l->a, "%s%s%s", list, *list == '\0' ? ": " : ", ",
					    xml_attr(c, "Binding"));
	}
	return list;
}

static void
look_skipped_acs(struct lint *l)
{
	if (l->party->acs.n > 0 && l->party->n_acs_skipped > 0)
		lint_find(l, "%zu AssertionConsumerServices by other bindings are not used%s",
			  l->party->n_acs_skipped, l->whole ? skipped_bindings(l) : "");
}

/* Gravest first: the order of the findings.  Ids are stable names (`--json`). */
#define MD(n)  "SAML2Metadata " n
#define BUNDID "BundID interface 7.2"
#define TR4    "TR-03116-4, SAML/XML Security"
static const struct rule rules[] = {
	{SAML_FATAL, "size", "kontor party add", rule_size, OF_DOCUMENT, NULL},
	{SAML_FATAL, "xml", "XML 1.0 2.1; TR-03160-2 4.3.2.10", rule_xml, OF_DOCUMENT,
	 "it is XML without DTD, entities or processing instructions"},
	{SAML_FATAL, "schema", "SAML2Metadata schema", rule_schema, OF_DOCUMENT,
	 "elements and attributes are those of the schema, in its order"},
	{SAML_FATAL, "several-entities", MD("2.3.1"), rule_several_entities, OF_DOCUMENT, NULL},
	{SAML_FATAL, "entity", MD("2.2.1, 2.3.2, 2.4.4"), rule_entity, OF_DOCUMENT,
	 "it describes one SAML 2.0 service provider"},
	{SAML_FATAL, "no-acs", MD("2.4.4"), look_no_acs, OF_PARTY, NULL},
	{SAML_FATAL, "acs-url", MD("2.2.2"), look_acs_url, OF_PARTY,
	 "every AssertionConsumerService that is used is an https URL"},
	{SAML_FATAL, "slo-url", MD("2.2.2"), look_slo_url, OF_PARTY,
	 "every SingleLogoutService that is used is an https URL"},
	{SAML_FATAL, "unusable-key", "SAML2MetaIOP 2.6.1; TR-02102-1", look_unusable_key, OF_PARTY,
	 "every key can be used"},
	{SAML_FATAL, "expired", MD("2.3.2"), look_expired, OF_PARTY, NULL},
	{SAML_FATAL, "signing-methods", "SAML2MetaAlgSup 2.3, 2.4", look_signing_methods, OF_PARTY,
	 "there is a signature that it verifies and we make"},
	{SAML_FATAL, "encryption-methods", MD("2.4.1.1"), look_encryption_methods, OF_PARTY, NULL},
	{SAML_FATAL, "old-signatures", TR4, look_old_signatures, OF_PARTY, NULL},
	{SAML_WARNING, "no-signing-key", MD("2.4.1.1"), look_no_signing_key, OF_PARTY,
	 "there is a key to verify its requests and logouts with"},
	{SAML_WARNING, "artifact-no-key", "SAML2Profiles 5.4.1", look_artifact_without_key,
	 OF_PARTY, NULL},
	{SAML_WARNING, "no-encryption-key", "TR-03160-2 4.3.2.1", look_no_encryption_key, OF_PARTY,
	 "there is a key to encrypt for"},
	{SAML_WARNING, "short-rsa", "TR-02102-1", look_short_rsa, OF_PARTY, NULL},
	{SAML_WARNING, "old-key-transport", "XMLENC 1.1 5.5.2", look_old_transport, OF_PARTY, NULL},
	{SAML_WARNING, "shared-key", TR4, look_shared_key, OF_PARTY, NULL},
	{SAML_WARNING, "certificate-dates", "SAML2MetaIOP 2.6.1", look_certificate_dates, OF_PARTY,
	 NULL},
	{SAML_WARNING, "signature", MD("3.1"), rule_signature, OF_WHOLE_PARTY,
	 "the signature of the metadata verifies with a key of its own, which shows that they are "
	 "whole, not whose they are"},
	{SAML_WARNING, "unsigned-requests", MD("2.4.4"), look_unsigned_requests, OF_PARTY,
	 "it signs its requests"},
	{SAML_WARNING, "entity-id-https", BUNDID, look_entity_id, OF_PARTY,
	 "the entityID is an https URL"},
	{SAML_WARNING, "entity-id-port", BUNDID, look_entity_id_port, OF_PARTY, NULL},
	{SAML_WARNING, "valid-until", BUNDID, look_valid_until, OF_PARTY, NULL},
	{SAML_WARNING, "id-attribute", BUNDID, look_id_attribute, OF_PARTY, NULL},
	{SAML_WARNING, "several-defaults", MD("2.2.3"), look_several_defaults, OF_PARTY, NULL},
	{SAML_WARNING, "same-index", MD("2.2.3"), look_same_index, OF_PARTY, NULL},
	{SAML_WARNING, "service-index", MD("2.4.4.1"), rule_service_index, OF_WHOLE_PARTY, NULL},
	{SAML_WARNING, "blank-in-name", "SAML2Core 2.7.3.1", look_blank_in_name, OF_PARTY, NULL},
	{SAML_WARNING, "name-unknown", "SAML2Core 2.7.3.1", rule_name_unknown, OF_WHOLE_PARTY,
	 "every attribute it asks for has a name that is known"},
	{SAML_WARNING, "name-elsewhere", MD("2.4.4.2"), rule_name_elsewhere, OF_WHOLE_PARTY, NULL},
	{SAML_WARNING, "name-format", "SAML2Core 8.2", rule_name_format, OF_WHOLE_PARTY, NULL},
	{SAML_WARNING, "names-mixed", MD("2.4.4.2"), rule_names_mixed, OF_WHOLE_PARTY, NULL},
	{SAML_NOTE, "no-slo", MD("2.4.2"), look_no_slo, OF_PARTY, NULL},
	{SAML_NOTE, "no-display-name", "SAML2MDUI 2.1", look_no_display_name, OF_PARTY, NULL},
	{SAML_NOTE, "skipped-acs", MD("2.4.4"), look_skipped_acs, OF_PARTY, NULL},
	{SAML_NOTE, "cache-duration", MD("2.3.2, 4.3.1"), rule_cache, OF_WHOLE_PARTY, NULL},
	{SAML_NOTE, "no-signature", MD("3"), rule_no_signature, OF_WHOLE_PARTY, NULL},
	{SAML_NOTE, "no-key-use", MD("2.4.1.1"), rule_key_use, OF_WHOLE_PARTY,
	 "every key says what it is for"},
	{SAML_NOTE, "certificate-digest", "SAML2MetaIOP 2.6.1", rule_certificate_digest,
	 OF_WHOLE_PARTY, NULL},
	{SAML_NOTE, "certificate-ends", "SAML2MetaIOP 2.6.1", rule_certificate_ends, OF_WHOLE_PARTY,
	 NULL},
	{SAML_NOTE, "no-signing-methods", "SAML2MetaAlgSup 2.4", rule_signing_unsaid,
	 OF_WHOLE_PARTY, NULL},
	{SAML_NOTE, "signing-never", TR4, rule_signing_never, OF_WHOLE_PARTY, NULL},
	{SAML_NOTE, "no-encryption-methods", MD("2.4.1.1"), rule_encryption_unsaid, OF_WHOLE_PARTY,
	 NULL},
	{SAML_NOTE, "encryption-never", TR4, rule_encryption_never, OF_WHOLE_PARTY, NULL},
	{SAML_NOTE, "hosts", "SAML2Profiles 4.1.6", rule_hosts, OF_WHOLE_PARTY, NULL},
	{SAML_NOTE, "slo-soap", "SAML2Profiles 4.4.5", rule_slo_soap, OF_WHOLE_PARTY,
	 "a logout reaches it without the person's browser (SOAP)"},
	{SAML_NOTE, "slo-binding", "SAML2Profiles 4.4.5", rule_slo_binding, OF_WHOLE_PARTY, NULL},
	{SAML_NOTE, "no-nameid-format", MD("2.4.2"), rule_nameid_none, OF_WHOLE_PARTY, NULL},
	{SAML_NOTE, "nameid-format", "SAML2Core 8.3", rule_nameid_format, OF_WHOLE_PARTY,
	 "every NameIDFormat is one that is given"},
	{SAML_NOTE, "assertions-signed", MD("2.4.4"), rule_assertions_signed, OF_WHOLE_PARTY, NULL},
	{SAML_NOTE, "no-attributes", MD("2.4.4.1"), rule_no_attributes, OF_WHOLE_PARTY, NULL},
	{SAML_NOTE, "required-attributes", "BundID interface 9.2", rule_required, OF_WHOLE_PARTY,
	 NULL},
	{SAML_NOTE, "no-ui-info", "SAML2MDUI 2.1", rule_no_ui_info, OF_WHOLE_PARTY,
	 "it has a name to show to people"},
	{SAML_NOTE, "no-organization", "TR-03160-2 4.3.2.1", rule_no_organization, OF_WHOLE_PARTY,
	 "it says who runs it"},
	{SAML_NOTE, "contacts", "TR-03160-2 4.3.2.1", rule_contacts, OF_WHOLE_PARTY,
	 "there is a contact of each kind"},
};

const char *
saml_metadata_rule_at(size_t i)
{
	return i < ARRAY_LEN(rules) ? rules[i].id : NULL;
}

static bool
applies(const struct lint *l, const struct rule *r)
{
	if (r->of == OF_DOCUMENT)
		return l->whole;
	return l->party != NULL && (r->of == OF_PARTY || l->whole);
}

static void
run_rules(struct lint *l)
{
	bool quiet[ARRAY_LEN(rules)];

	l->max = MAX_FINDINGS;
	l->found = ARENA_ARRAY(l->a, struct saml_finding, MAX_FINDINGS + ARRAY_LEN(rules));
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		size_t before = l->n;

		quiet[i] = false;
		if (!applies(l, &rules[i]))
			continue;
		l->rule = &rules[i];
		l->silent = false;
		rules[i].look(l);
		quiet[i] = l->n == before && l->n < l->max && !l->silent;
	}
	for (size_t i = 0; l->whole && i < ARRAY_LEN(rules); i++)
		if (quiet[i] && rules[i].fine != NULL)
			l->found[l->n++] = (struct saml_finding){SAML_FINE, rules[i].id,
								 rules[i].clause, rules[i].fine};
}

void
saml_metadata_lint(struct arena *a, const struct saml_party *party, unsigned flags, time_t now,
		   const struct saml_finding **out, size_t *n)
{
	const struct saml_check_wish wish = {.flags = flags, .now = now};
	struct lint l = {.a = a, .party = party, .wish = &wish, .stage = STAGE_READ};

	run_rules(&l);
	*out = l.found;
	*n = l.n;
}

/* As far as it can be read, with the reason when it cannot. */
static void
read_document(struct lint *l, struct bytes text)
{
	const struct saml_party *read;
	struct xml_doc *doc;

	l->stage = STAGE_SIZE;
	if (text.n > SAML_METADATA_MAX_BYTES) {
		(void)FAIL(&l->why, ERR_INPUT, NULL, "it has %zu octets; at most %zu are taken",
			   text.n, SAML_METADATA_MAX_BYTES);
		return;
	}
	l->stage = STAGE_XML;
	if (!xml_parse(l->a, text, &xml_limits_metadata, &doc, &l->why))
		return;
	l->root = xml_root(doc);
	l->stage = STAGE_SCHEMA;
	if (!saml_schema_check(l->a, l->root, &l->why))
		return;
	l->stage = STAGE_ENTITY;
	if (!saml_metadata_read(l->a, doc, l->wish->entity_id, &read, &l->why))
		return;
	l->stage = STAGE_READ;
	l->party = l->wish->known != NULL ? l->wish->known : read;
}

void
saml_metadata_examine(struct arena *a, struct bytes text, const struct saml_check_wish *wish,
		      struct saml_checked *out)
{
	struct lint l = {.a = a, .wish = wish, .whole = true};

	read_document(&l, text);
	run_rules(&l);
	*out = (struct saml_checked){l.party, l.found, l.n};
}

bool
saml_metadata_check(struct arena *a, const struct saml_party *party, unsigned flags, time_t now,
		    struct err *err)
{
	const struct saml_finding *found;
	size_t n;

	saml_metadata_lint(a, party, flags, now, &found, &n);
	if (n > 0 && found[0].severity == SAML_FATAL)
		return FAIL(err, ERR_DENIED, NULL, "%s (%s)", found[0].text, found[0].rule);
	return true;
}
