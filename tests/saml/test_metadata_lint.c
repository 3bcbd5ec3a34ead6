/* saml/metadata_lint.c: each rule speaks when it should, and only then. */
#include "saml/metadata.h"

#include <openssl/rsa.h>

#include "base/clock.h"
#include "saml/names.h"
#include "tests/saml/portal.h"
#include "tests/test.h"

static struct arena *a;
static struct test_keys *keys;
static struct saml_party good; /* nothing to find but the skipped endpoint */

static time_t
now(void)
{
	return portal_now();
}

/* The finding of this rule, or NULL. */
static const struct saml_finding *
found_with(const struct saml_party *p, unsigned flags, time_t t, const char *rule)
{
	const struct saml_finding *found;
	size_t n;

	saml_metadata_lint(a, p, flags, t, &found, &n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(found[i].rule, rule) == 0)
			return &found[i];
	return NULL;
}

static void
expect(const struct saml_party *p, enum saml_severity severity, const char *rule, const char *part)
{
	const struct saml_finding *f = found_with(p, 0, now(), rule);

	assert_null(found_with(&good, 0, now(), rule));
	if (f == NULL)
		fail_msg("%s found nothing", rule);
	assert_int_equal(f->severity, severity);
	if (strstr(f->text, part) == NULL)
		fail_msg("%s: %s", rule, f->text);
}

static void
test_a_good_party_has_no_findings_but_a_note(void **state)
{
	const struct saml_finding *found;
	struct err err = {0};
	size_t n;

	(void)state;
	saml_metadata_lint(a, &good, 0, now(), &found, &n);
	assert_int_equal(n, 1);
	assert_string_equal(found[0].rule, "skipped-acs");
	assert_int_equal(found[0].severity, SAML_NOTE);
	ASSERT_OK(saml_metadata_check(a, &good, 0, now(), &err), &err);
}

static void
test_without_an_endpoint_there_is_no_answer(void **state)
{
	struct saml_party p = good;
	struct err err = {0};

	(void)state;
	p.acs.n = 0;
	expect(&p, SAML_FATAL, "no-acs",
	       "none of 1 AssertionConsumerServices takes HTTP-POST or "
	       "HTTP-Artifact");
	ASSERT_REFUSED(saml_metadata_check(a, &p, 0, now(), &err), &err, ERR_DENIED, "(no-acs)");
	p.n_acs_skipped = 0;
	expect(&p, SAML_FATAL, "no-acs", "there is no AssertionConsumerService");
	/* Clients without a browser may be all that a service has. */
	p.acs_client = good.acs;
	ASSERT_OK(saml_metadata_check(a, &p, 0, now(), &err), &err);
}

static const struct {
	const char *url;
	bool local; /* fine with SAML_LINT_LOCAL_HTTP */
	const char *why;
} urls[] = {
	{"http://amt24.example/acs", false, "is not https"},
	{"http://localhost/acs", true, "is not https"},
	{"http://localhost:8080/acs", true, "is not https"},
	{"http://amt24.localhost:8080/acs", true, "is not https"},
	{"http://127.0.0.1/acs", true, "is not https"},
	{"http://localhost.evil.example/acs", false, "is not https"},
	{"http://localhost@evil.example/acs", false, "is not https"},
	{"http://evil.example/localhost", false, "is not https"},
	{"http://notlocalhost/acs", false, "is not https"},
	{"http:///acs", false, "is not https"},
	{"ftp://amt24.example/acs", false, "is not an https URL"},
	{"urn:x", false, "is not an https URL"},
	{"", false, "is not an https URL"},
	{"https:///acs", false, "names no host"},
	{"https://user@amt24.example/acs", false, "has a user name in it"},
	{"https://amt24.example/acs#x", false, "has a fragment"},
};

static void
test_endpoints_are_https_urls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct saml_endpoint e = {SAML_BINDING_POST, urls[i].url, urls[i].url, 0, 0, 0};
		const struct saml_finding *found;
		struct saml_party p = good;
		size_t n;

		p.acs = (struct saml_endpoints){&e, 1};
		expect(&p, SAML_FATAL, "acs-url", urls[i].why);
		saml_metadata_lint(a, &p, 0, now(), &found, &n);
		assert_int_equal(n, 2); /* with the note: one address, told once */
		p = good;
		p.acs_client = (struct saml_endpoints){&e, 1};
		expect(&p, SAML_FATAL, "acs-url", urls[i].why);
		p = good;
		p.slo = (struct saml_endpoints){&e, 1};
		expect(&p, SAML_FATAL, "slo-url", urls[i].why);
		if ((found_with(&p, SAML_LINT_LOCAL_HTTP, now(), "slo-url") == NULL) !=
		    urls[i].local)
			fail_msg("%s with the flag", urls[i].url);
	}
	struct saml_endpoint e = {
		SAML_BINDING_POST, "https://a.example/", "http://a.example/", -1, 0, 0};
	struct saml_party p = good;

	p.slo = (struct saml_endpoints){&e, 1};
	expect(&p, SAML_FATAL, "slo-url", "http://a.example/");
	e.response_url =
		"https://a.example/back"; /* other than the first, and nothing against it */
	assert_null(found_with(&p, 0, now(), "slo-url"));
}

static void
test_a_key_we_cannot_use_is_fatal(void **state)
{
	struct saml_party_key k = good.keys[0];
	struct saml_party p = good;

	(void)state;
	k.problem = "RSA key is shorter than 2048 bits";
	p.keys = &k;
	p.n_keys = 1;
	expect(&p, SAML_FATAL, "unusable-key", "KeyDescriptor 1: RSA key is shorter");
}

static void
test_metadata_that_has_ended_is_fatal(void **state)
{
	struct saml_party p = good;

	(void)state;
	p.valid_until = now();
	expect(&p, SAML_FATAL, "expired", "has passed");
	p.valid_until = now() + 1;
	assert_null(found_with(&p, 0, now(), "expired"));
	expect(&p, SAML_WARNING, "valid-until", "the entry ends with it");
}

static void
test_missing_keys_are_warned_of(void **state)
{
	struct saml_party p = good;
	struct err err = {0};

	(void)state;
	p.signing.n = 0;
	expect(&p, SAML_WARNING, "no-signing-key", "no signing key");
	p = good;
	p.recipient.key = NULL;
	expect(&p, SAML_WARNING, "no-encryption-key", "would go in clear");
	ASSERT_OK(saml_metadata_check(a, &p, 0, now(), &err), &err);
}

static void
test_a_short_rsa_key_is_warned_of(void **state)
{
	EVP_PKEY *pkey = EVP_RSA_gen(2048);
	struct saml_party_key k = good.keys[0];
	struct saml_party p = good;

	(void)state;
	k.pub = pkey;
	p.keys = &k;
	p.n_keys = 1;
	expect(&p, SAML_WARNING, "short-rsa", "RSA of 2048 bits");
	EVP_PKEY_free(pkey);
}

static void
test_one_key_for_two_uses_is_warned_of(void **state)
{
	struct saml_party_key k[2] = {good.keys[0], good.keys[1]};
	struct saml_party p = good;

	(void)state;
	k[1].sha256 = k[0].sha256;
	p.keys = k;
	expect(&p, SAML_WARNING, "shared-key", "for signing and for encryption");
	k[0].encryption = true;
	p.n_keys = 1;
	expect(&p, SAML_WARNING, "shared-key", "for signing and for encryption");
}

static void
test_certificate_dates_are_reported_only(void **state)
{
	struct saml_party_key k = good.keys[0];
	struct saml_party p = good;
	struct err err = {0};

	(void)state;
	p.keys = &k;
	p.n_keys = 1;
	k.not_after = now();
	expect(&p, SAML_WARNING, "certificate-dates", "the key counts all the same");
	ASSERT_OK(saml_metadata_check(a, &p, 0, now(), &err), &err);
	k.not_after = now() + 1;
	assert_null(found_with(&p, 0, now(), "certificate-dates"));
	k.not_before = now() + 1;
	expect(&p, SAML_WARNING, "certificate-dates", "do not cover today");
	k.pub = NULL; /* what is wrong with it is said elsewhere */
	assert_null(found_with(&p, 0, now(), "certificate-dates"));
}

static void
test_bundids_rules_are_warned_of(void **state)
{
	struct saml_party p = good;

	(void)state;
	p.authn_requests_signed = false;
	expect(&p, SAML_WARNING, "unsigned-requests", "AuthnRequestsSigned");
	p = good;
	p.entity_id = "urn:amt24";
	expect(&p, SAML_WARNING, "entity-id-https", "urn:amt24 is not an https URL");
	assert_null(found_with(&p, 0, now(), "entity-id-port"));
	p.entity_id = "https://amt24.example:8443/sp";
	expect(&p, SAML_WARNING, "entity-id-port", "has a port");
	p.entity_id = "https://amt24.example/a:b";
	assert_null(found_with(&p, 0, now(), "entity-id-port"));
	p.entity_id = "urn:amt24:sp:8443"; /* no host, no port */
	assert_null(found_with(&p, 0, now(), "entity-id-port"));
	p = good;
	p.has_id = true;
	expect(&p, SAML_WARNING, "id-attribute", "ID attribute");
}

static void
test_ambiguous_endpoints_are_warned_of(void **state)
{
	struct saml_endpoint e[2] = {good.acs.p[0], good.acs.p[1]};
	struct saml_party p = good;

	(void)state;
	p.acs = (struct saml_endpoints){e, ARRAY_LEN(e)};
	e[1].is_default = true;
	expect(&p, SAML_WARNING, "several-defaults", "2 AssertionConsumerServices are the default");
	e[1].index = e[0].index;
	expect(&p, SAML_WARNING, "same-index", "have the index 0");
}

static void
test_artifacts_that_cannot_be_resolved_are_warned_of(void **state UNUSED)
{
	struct saml_party p = good;

	p.signing.n = 0;
	expect(&p, SAML_WARNING, "artifact-no-key", "could not be resolved");
	p.acs.n = 2; /* those for POST */
	assert_null(found_with(&p, 0, now(), "artifact-no-key"));
}

static void
test_a_blank_in_a_name_is_warned_of(void **state)
{
	static const char *const bad[] = {"urn:oid: 2.5.4.42", "urn:oid:2.5.4.42 ", "a\tb"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct saml_requested_attribute at = {.name = bad[i]};
		struct saml_attribute_service s = {.attributes = &at, .n_attributes = 1};
		struct saml_party p = good;

		p.services = &s;
		p.n_services = 1;
		expect(&p, SAML_WARNING, "blank-in-name", bad[i]);
	}
}

static void
test_what_would_be_nice_is_noted(void **state)
{
	struct saml_party p = good;

	(void)state;
	p.slo.n = 0;
	expect(&p, SAML_NOTE, "no-slo", "no SingleLogoutService");
	p = good;
	p.display_name.n = 0;
	assert_null(found_with(&p, 0, now(), "no-display-name"));
	p = good;
	p.organization_display_name.n = 0;
	assert_null(found_with(&p, 0, now(), "no-display-name"));
	p.display_name.n = 0;
	expect(&p, SAML_NOTE, "no-display-name", "no name to show");
	p = good;
	p.acs.n = 0;
	assert_null(found_with(&p, 0, now(), "skipped-acs")); /* no-acs has said it */
}

static void
test_the_gravest_comes_first_and_the_list_ends(void **state)
{
	struct saml_endpoint *many = ARENA_ARRAY(a, struct saml_endpoint, 300);
	const struct saml_finding *found;
	struct saml_party p = good;
	size_t n;

	(void)state;
	for (int i = 0; i < 300; i++)
		many[i] = (struct saml_endpoint){SAML_BINDING_POST, "urn:x", "urn:x", 1, 0, 0};
	p.acs = (struct saml_endpoints){many, 300};
	p.has_id = true;
	saml_metadata_lint(a, &p, 0, now(), &found, &n);
	assert_int_equal(n, 200);
	for (size_t i = 1; i < n; i++)
		assert_true(found[i].severity <= found[i - 1].severity);
}

static int
open_arena(void **state)
{
	(void)state;
	a = arena_create(64 << 20);
	keys = test_keys_create(a);
	good = *portal_party(a, keys);
	return 0;
}

static int
close_arena(void **state)
{
	(void)state;
	arena_destroy(a);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_good_party_has_no_findings_but_a_note),
		cmocka_unit_test(test_without_an_endpoint_there_is_no_answer),
		cmocka_unit_test(test_endpoints_are_https_urls),
		cmocka_unit_test(test_a_key_we_cannot_use_is_fatal),
		cmocka_unit_test(test_metadata_that_has_ended_is_fatal),
		cmocka_unit_test(test_missing_keys_are_warned_of),
		cmocka_unit_test(test_a_short_rsa_key_is_warned_of),
		cmocka_unit_test(test_one_key_for_two_uses_is_warned_of),
		cmocka_unit_test(test_certificate_dates_are_reported_only),
		cmocka_unit_test(test_bundids_rules_are_warned_of),
		cmocka_unit_test(test_ambiguous_endpoints_are_warned_of),
		cmocka_unit_test(test_artifacts_that_cannot_be_resolved_are_warned_of),
		cmocka_unit_test(test_a_blank_in_a_name_is_warned_of),
		cmocka_unit_test(test_what_would_be_nice_is_noted),
		cmocka_unit_test(test_the_gravest_comes_first_and_the_list_ends),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
