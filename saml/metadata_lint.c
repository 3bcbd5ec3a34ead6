/*
 * What is wrong or unwise in a party's metadata, one rule a row: BundID's rules
 * for service providers among them, since portals that are registered with us
 * are often registered there too.  See metadata.h.
 */
#include <string.h>

#include <openssl/evp.h>

#include "base/text.h"
#include "saml/choose.h"
#include "saml/metadata.h"

struct lint {
	struct arena *a;
	const struct saml_party *party;
	unsigned flags;
	time_t now;
	const struct rule *rule; /* whose turn it is */
	struct saml_finding *found;
	size_t n, max;
};

struct rule {
	enum saml_severity severity;
	const char *id;
	void (*look)(struct lint *l);
};

#define MAX_FINDINGS 200

/* A finding of the rule whose turn it is. */
static void PRINTF_LIKE(2, 3) find(struct lint *l, const char *fmt, ...)
{
	va_list ap;

	if (l->n == l->max)
		return;
	va_start(ap, fmt);
	l->found[l->n++] =
		(struct saml_finding){l->rule->severity, l->rule->id, arena_vprintf(l->a, fmt, ap)};
	va_end(ap);
}

/* ---- URLs ---- */

/* The authority of an http or https URL as it stands there; n 0: none, p is never NULL. */
static struct bytes
authority_of(const char *url)
{
	const char *start = url + strcspn(url, ":") + strlen("://");

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
	struct bytes host = authority_of(url);
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
	if (http && !((l->flags & SAML_LINT_LOCAL_HTTP) && is_local(url)))
		return "is not https";
	if (authority_of(url).n == 0)
		return "names no host";
	if (has_octet(authority_of(url), '@'))
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
			find(l, "%s %s %s", what, e->url, problem);
		problem = url_problem(l, e->response_url);
		if (problem != NULL && e->response_url != e->url)
			find(l, "%s %s %s", what, e->response_url, problem);
	}
}

/* ---- fatal ---- */

static void
look_no_acs(struct lint *l)
{
	if (l->party->acs.n == 0 && l->party->n_acs_skipped > 0)
		find(l, "none of %zu AssertionConsumerServices takes HTTP-POST",
		     l->party->n_acs_skipped);
	else if (l->party->acs.n == 0)
		find(l, "there is no AssertionConsumerService");
}

static void
look_acs_url(struct lint *l)
{
	look_endpoints(l, "AssertionConsumerService", &l->party->acs);
}

static void
look_slo_url(struct lint *l)
{
	look_endpoints(l, "SingleLogoutService", &l->party->slo);
}

static void
look_unusable_key(struct lint *l)
{
	for (size_t i = 0; i < l->party->n_keys; i++)
		if (l->party->keys[i].problem != NULL)
			find(l, "KeyDescriptor %zu: %s", i + 1, l->party->keys[i].problem);
}

static void
look_expired(struct lint *l)
{
	if (l->party->valid_until != 0 && l->party->valid_until <= l->now)
		find(l, "validUntil of the metadata has passed");
}

static void
look_signing_methods(struct lint *l)
{
	const char *problem = saml_party_signing_problem(l->party);

	if (problem != NULL)
		find(l, "%s", problem);
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
			find(l, "KeyDescriptor %zu: %s", i + 1, problem);
	}
}

static void
look_old_signatures(struct lint *l)
{
	const struct saml_sign_wish wish = {SIG_NONE, SAML_SIGN_ALL, l->now};
	const struct saml_suite *suite;

	if (l->party->old_until == 0 && saml_party_signing_problem(l->party) == NULL &&
	    !saml_choose_suite(l->party, &wish, &suite, NULL))
		find(l, "the best of its SigningMethods is RSA PKCS#1 v1.5, which ended "
			"(TR-03116-4, SAML/XML Security): it is for parties marked old "
			"(--old-until) alone");
}

/* ---- warnings ---- */

static void
look_no_signing_key(struct lint *l)
{
	if (l->party->signing.n == 0)
		find(l, "there is no signing key: signed requests and logout cannot be verified");
}

static void
look_no_encryption_key(struct lint *l)
{
	if (l->party->recipient.key == NULL)
		find(l, "there is no encryption key that we can use: assertions would go in clear");
}

/* TR-02102-1: RSA below 3000 bits ended with 2025. */
static void
look_short_rsa(struct lint *l)
{
	for (size_t i = 0; i < l->party->n_keys; i++) {
		EVP_PKEY *key = l->party->keys[i].pub;

		if (key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
		    EVP_PKEY_get_bits(key) < 3000)
			find(l, "KeyDescriptor %zu: RSA of %d bits, 3072 are asked for", i + 1,
			     EVP_PKEY_get_bits(key));
	}
}

/* Chosen only where nothing better is listed: XMLENC 1.1 5.5.2 has SHA-256. */
static void
look_old_transport(struct lint *l)
{
	if (l->party->recipient.key != NULL && l->party->recipient.transport == XMLENC_OAEP_SHA1)
		find(l,
		     "its best key transport is rsa-oaep-mgf1p, with SHA-1: rsa-oaep with SHA-256 "
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
				find(l, "one key serves for signing and for encryption");
				return;
			}
}

static void
look_certificate_dates(struct lint *l)
{
	for (size_t i = 0; i < l->party->n_keys; i++) {
		const struct saml_party_key *key = &l->party->keys[i];

		if (key->pub != NULL && (key->not_after <= l->now || key->not_before > l->now))
			find(l,
			     "KeyDescriptor %zu: the certificate's dates do not cover today; the "
			     "key counts all the same",
			     i + 1);
	}
}

static void
look_unsigned_requests(struct lint *l)
{
	if (!l->party->authn_requests_signed)
		find(l, "AuthnRequestsSigned is not true");
}

static void
look_entity_id(struct lint *l)
{
	if (!text_starts(l->party->entity_id, "https://"))
		find(l, "entityID %s is not an https URL", l->party->entity_id);
}

static void
look_entity_id_port(struct lint *l)
{
	if (text_starts(l->party->entity_id, "https://") &&
	    has_octet(authority_of(l->party->entity_id), ':'))
		find(l, "entityID %s has a port", l->party->entity_id);
}

static void
look_valid_until(struct lint *l)
{
	if (l->party->valid_until != 0)
		find(l, "validUntil is stated: the entry ends with it");
}

static void
look_id_attribute(struct lint *l)
{
	if (l->party->has_id)
		find(l, "EntityDescriptor has an ID attribute");
}

static void
look_several_defaults(struct lint *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->party->acs.n; i++)
		n += l->party->acs.p[i].is_default;
	if (n > 1)
		find(l, "%zu AssertionConsumerServices are the default; the first is taken", n);
}

static void
look_same_index(struct lint *l)
{
	for (size_t i = 0; i < l->party->acs.n; i++)
		for (size_t j = 0; j < i; j++)
			if (l->party->acs.p[i].index == l->party->acs.p[j].index)
				find(l,
				     "two AssertionConsumerServices have the index %d; the first "
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
				find(l, "RequestedAttribute \"%s\" has a blank in its name", name);
		}
}

/* ---- notes ---- */

static void
look_no_slo(struct lint *l)
{
	if (l->party->slo.n == 0)
		find(l, "there is no SingleLogoutService: a logout elsewhere does not reach it");
}

static void
look_no_display_name(struct lint *l)
{
	if (l->party->display_name.n == 0 && l->party->organization_display_name.n == 0)
		find(l, "there is no name to show to people");
}

static void
look_skipped_acs(struct lint *l)
{
	if (l->party->acs.n > 0 && l->party->n_acs_skipped > 0)
		find(l, "%zu AssertionConsumerServices by other bindings are not used",
		     l->party->n_acs_skipped);
}

/* Gravest first: the order of the findings.  Ids are stable names (`--json`). */
static const struct rule rules[] = {
	{SAML_FATAL, "no-acs", look_no_acs},
	{SAML_FATAL, "acs-url", look_acs_url},
	{SAML_FATAL, "slo-url", look_slo_url},
	{SAML_FATAL, "unusable-key", look_unusable_key},
	{SAML_FATAL, "expired", look_expired},
	{SAML_FATAL, "signing-methods", look_signing_methods},
	{SAML_FATAL, "encryption-methods", look_encryption_methods},
	{SAML_FATAL, "old-signatures", look_old_signatures},
	{SAML_WARNING, "no-signing-key", look_no_signing_key},
	{SAML_WARNING, "no-encryption-key", look_no_encryption_key},
	{SAML_WARNING, "short-rsa", look_short_rsa},
	{SAML_WARNING, "old-key-transport", look_old_transport},
	{SAML_WARNING, "shared-key", look_shared_key},
	{SAML_WARNING, "certificate-dates", look_certificate_dates},
	{SAML_WARNING, "unsigned-requests", look_unsigned_requests},
	{SAML_WARNING, "entity-id-https", look_entity_id},
	{SAML_WARNING, "entity-id-port", look_entity_id_port},
	{SAML_WARNING, "valid-until", look_valid_until},
	{SAML_WARNING, "id-attribute", look_id_attribute},
	{SAML_WARNING, "several-defaults", look_several_defaults},
	{SAML_WARNING, "same-index", look_same_index},
	{SAML_WARNING, "blank-in-name", look_blank_in_name},
	{SAML_NOTE, "no-slo", look_no_slo},
	{SAML_NOTE, "no-display-name", look_no_display_name},
	{SAML_NOTE, "skipped-acs", look_skipped_acs},
};

void
saml_metadata_lint(struct arena *a, const struct saml_party *party, unsigned flags, time_t now,
		   const struct saml_finding **out, size_t *n)
{
	struct lint l = {.a = a, .party = party, .flags = flags, .now = now, .max = MAX_FINDINGS};

	l.found = ARENA_ARRAY(a, struct saml_finding, l.max);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		l.rule = &rules[i];
		l.rule->look(&l);
	}
	*out = l.found;
	*n = l.n;
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
