/* Which signatures count for a portal, and which it gets: by its metadata, its record and the day.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"
#include "tests/flow/steps.h"

static void
an_unsigned_request_needs_the_partys_policy(void **state)
{
	struct world *w = *state;
	const char *url = saml_request_url(w, "_unsigned1", "", "");
	struct web b;

	web_init(&b, w);
	web_get(&b, unsigned_url(w, url));
	assert_null(saml_response_of(&b));
	assert_int_equal(b.status, 403);
	world_saml_party(w, "{\"accept-unsigned\":\"yes\"}");
	web_get(&b, unsigned_url(w, url));
	assert_int_equal(b.status, 200);
	assert_true(text_starts(b.path, "/flow/"));
	world_saml_party(w, POLICY);
}

/* The portal for now: what it signs with, what else its metadata say, its record. */
static void
portal_is(struct world *w, const char *suite, const char *more, const char *policy)
{
	w->saml_suite = suite;
	w->saml_more = more;
	world_saml_party(w, policy);
}

/* SignatureMethods of Response and assertion, or NULL: it was refused. */
static bool
answer_is_signed_with(struct world *w, const char *uri)
{
	const char *method = arena_printf(w->a, "SignatureMethod Algorithm=\"%s\"", uri);
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	/* Nobody is asked to log in for what cannot be signed. */
	if (b.status != 200 || web_field(&b, "SAMLResponse") != NULL)
		return false;
	log_in(&b, "erika");
	if (page_of(&b) == CONSENT)
		web_submit(&b, "/flow/consent/", "attr_email=1&do=agree");
	/* What saml_response_of gives is verified; this is what came. */
	const char *value = web_field(&b, "SAMLResponse");
	struct bytes xml;
	struct err err = {0};

	assert_non_null(saml_response_of(&b));
	ASSERT_OK(dec_base64(w->a, bytes_of(value), false, &xml, &err), &err);
	const char *text = arena_strndup(w->a, (const char *)xml.p, xml.n);
	const char *first = strstr(text, method);

	if (first == NULL || strstr(first + 1, method) == NULL)
		fail_msg("not signed with %s: %s", uri, text);
	return true;
}

#define MORE_2001 "http://www.w3.org/2001/04/xmldsig-more#"
#define METHOD(uri)                                                                     \
	"<alg:SigningMethod xmlns:alg=\"urn:oasis:names:tc:SAML:metadata:algsupport\" " \
	"Algorithm=\"" uri "\"/>"

static void
a_portal_gets_the_suite_of_its_metadata_and_record(void **state)
{
	struct world *w = *state;
	const char *pss = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1";

	portal_is(w, "rsa-pss-sha256", NULL, POLICY);
	assert_true(answer_is_signed_with(w, MORE_2001 "ecdsa-sha256"));
	portal_is(w, "rsa-pss-sha256",
		  METHOD("http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"), POLICY);
	assert_true(answer_is_signed_with(w, pss));
	portal_is(w, "ecdsa-sha384", NULL, POLICY);
	assert_true(answer_is_signed_with(w, MORE_2001 "ecdsa-sha384"));
	portal_is(w, "ecdsa-sha256-brainpool", NULL, POLICY);
	assert_true(answer_is_signed_with(w, MORE_2001 "ecdsa-sha256"));
	portal_is(w, "ecdsa-sha384-brainpool", NULL, POLICY);
	assert_true(answer_is_signed_with(w, MORE_2001 "ecdsa-sha384"));
	portal_is(w, NULL, NULL, "{\"attribute\":[\"email\"],\"suite\":\"ps256\"}");
	assert_true(answer_is_signed_with(w, pss));
	portal_is(w, NULL, NULL, POLICY);
}

/* RSA PKCS#1 v1.5 in both directions: before its day, on it, after it, and without one. */
static void
an_old_portal_works_until_its_day(void **state)
{
	struct world *w = *state;
	const time_t was = w->now;
	const char *last = arena_strndup(w->a, clock_text(w->a, was), 10);
	const char *old = arena_printf(w->a,
				       "{\"attribute\":[\"email\"],\"suite\":\"rs256\","
				       "\"old-until\":\"%s\"}",
				       last);
	const char *record =
		arena_printf(w->a, "{\"attribute\":[\"email\"],\"old-until\":\"%s\"}", last);
	time_t end;

	assert_true(clock_parse(arena_printf(w->a, "%sT00:00:00Z", last), &end, NULL));
	end += 86400;
	portal_is(w, "rsa-sha256", NULL, old);
	assert_true(answer_is_signed_with(w, MORE_2001 "rsa-sha256"));
	/* What it sends is taken, and what it gets is the best that it can. */
	portal_is(w, "rsa-sha256", NULL, record);
	assert_true(answer_is_signed_with(w, MORE_2001 "ecdsa-sha256"));
	w->now = end - 1;
	portal_is(w, "rsa-sha256", NULL, old);
	assert_true(answer_is_signed_with(w, MORE_2001 "rsa-sha256"));
	w->now = end;
	assert_false(answer_is_signed_with(w, MORE_2001 "rsa-sha256"));
	portal_is(w, "rsa-sha256", NULL, record);
	assert_false(answer_is_signed_with(w, MORE_2001 "ecdsa-sha256"));
	/* It signs better, but its record still wants the old: nobody logs in for nothing. */
	portal_is(w, NULL, NULL, old);
	assert_false(answer_is_signed_with(w, MORE_2001 "rsa-sha256"));
	w->now = was;
	portal_is(w, "rsa-sha256", NULL, POLICY);
	assert_false(answer_is_signed_with(w, MORE_2001 "ecdsa-sha256"));
	portal_is(w, NULL, NULL, POLICY);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)
	const struct CMUnitTest tests[] = {
		T(an_unsigned_request_needs_the_partys_policy),
		T(a_portal_gets_the_suite_of_its_metadata_and_record),
		T(an_old_portal_works_until_its_day),
	};

	return cmocka_run_group_tests(tests, steps_setup, world_teardown);
}
