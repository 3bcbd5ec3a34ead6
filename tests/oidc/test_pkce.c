/* PKCE: the RFC's example, and each way to weaken it. */
#include "tests/oidc/fixture.h"
#include "tests/oidc/support.h"

#include "oidc/pkce.h"

#define VERIFIER  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

static void
the_example_of_the_standard_fits(void **state UNUSED)
{
	struct bytes text = vector_read(a, "rfc7636-b.json");
	const char *verifier = NULL, *challenge = NULL;
	json_t *o;

	ASSERT_OK(json_parse_object(a, text, text.n, &o, &err), &err);
	ASSERT_OK(json_get_str(o, "code_verifier", &verifier, &err), &err);
	ASSERT_OK(json_get_str(o, "code_challenge", &challenge, &err), &err);
	ASSERT_OK(oidc_pkce_check_challenge(challenge, "S256", true, &err), &err);
	ASSERT_OK(oidc_pkce_check_verifier(a, challenge, verifier, &err), &err);
}

static void
a_challenge_is_demanded_in_s256(void **state UNUSED)
{
	static const struct {
		const char *challenge, *method, *part;
	} cases[] = {
		{NULL, "S256", "missing"},
		{NULL, NULL, "missing"},
		{CHALLENGE, NULL, "not S256"}, /* absent means plain */
		{CHALLENGE, "plain", "not S256"},
		{CHALLENGE, "s256", "not S256"},
		{CHALLENGE, "S512", "not S256"},
		{CHALLENGE "A", "S256", "no digest"},
		{CHALLENGE "=", "S256", "no digest"},
		{"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c", "S256", "no digest"},
		{"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM", "S256", "no digest"},
		{"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c=", "S256", "no digest"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ASSERT_REFUSED(
			oidc_pkce_check_challenge(cases[i].challenge, cases[i].method, true, &err),
			&err, ERR_INPUT, cases[i].part);
		assert_false(
			oidc_pkce_check_challenge(cases[i].challenge, cases[i].method, true, &err));
		assert_string_equal(err.proto, "invalid_request");
		err_clear(&err);
	}
}

static void
a_verifier_must_be_there_well_formed_and_fit(void **state UNUSED)
{
	static const struct {
		const char *challenge, *verifier, *part;
	} cases[] = {
		{CHALLENGE, NULL, "missing"},
		{NULL, VERIFIER, "missing"}, /* the downgrade of RFC 9700 4.8.2 */
		{CHALLENGE, "", "malformed"},
		{CHALLENGE, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX", "malformed"},
		{CHALLENGE, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX=", "malformed"},
		{CHALLENGE, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK", "does not fit"},
		{CHALLENGE, VERIFIER "A", "does not fit"},
		{CHALLENGE, CHALLENGE, "does not fit"}, /* plain */
	};
	char longest[130] = {0};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ASSERT_REFUSED(
			oidc_pkce_check_verifier(a, cases[i].challenge, cases[i].verifier, &err),
			&err, ERR_DENIED, cases[i].part);
		assert_false(
			oidc_pkce_check_verifier(a, cases[i].challenge, cases[i].verifier, &err));
		assert_string_equal(err.proto, "invalid_grant");
		err_clear(&err);
	}
	memset(longest, '~', 129);
	ASSERT_REFUSED(oidc_pkce_check_verifier(a, CHALLENGE, longest, &err), &err, ERR_DENIED,
		       "malformed");
	longest[128] = '\0';
	ASSERT_REFUSED(oidc_pkce_check_verifier(a, CHALLENGE, longest, &err), &err, ERR_DENIED,
		       "does not fit");
}

/* Who may leave PKCE out does so in both places, or in neither. */
static void
what_is_not_demanded_may_be_left_out_whole(void **state UNUSED)
{
	ASSERT_OK(oidc_pkce_check_challenge(NULL, NULL, false, &err), &err);
	ASSERT_OK(oidc_pkce_check_challenge(CHALLENGE, "S256", false, &err), &err);
	ASSERT_REFUSED(oidc_pkce_check_challenge(NULL, "S256", false, &err), &err, ERR_INPUT,
		       "missing");
	ASSERT_REFUSED(oidc_pkce_check_challenge(CHALLENGE, NULL, false, &err), &err, ERR_INPUT,
		       "not S256");
	ASSERT_REFUSED(oidc_pkce_check_challenge(CHALLENGE, "plain", false, &err), &err, ERR_INPUT,
		       "not S256");
	ASSERT_OK(oidc_pkce_check_verifier(a, NULL, NULL, &err), &err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_standard_fits),
		cmocka_unit_test(a_challenge_is_demanded_in_s256),
		cmocka_unit_test(what_is_not_demanded_may_be_left_out_whole),
		cmocka_unit_test(a_verifier_must_be_there_well_formed_and_fit),
	};

	return cmocka_run_group_tests_name("pkce", tests, setup, teardown);
}
