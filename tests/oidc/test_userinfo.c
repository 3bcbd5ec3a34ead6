/* Bearer tokens in, claims out. */
#include "tests/oidc/fixture.h"

#include "oidc/error.h"
#include "oidc/id_token.h"
#include "oidc/userinfo.h"
#include "tests/keys/test_keys.h"
#include "tests/oidc/support.h"

static const struct params none = {NULL, 0};

static void
a_token_comes_in_the_header_or_the_form(void **state UNUSED)
{
	const struct params form = {&(struct param){"access_token", "mF_9.B5f-4.1JqM"}, 1};
	const char *token;
	bool dpop;

	ASSERT_OK(oidc_bearer_parse("Bearer mF_9.B5f-4.1JqM", &none, &none, &token, &dpop, &err),
		  &err);
	assert_string_equal(token, "mF_9.B5f-4.1JqM");
	ASSERT_OK(oidc_bearer_parse("bearer aZ09-._~+/==", &none, &none, &token, &dpop, &err),
		  &err);
	assert_string_equal(token, "aZ09-._~+/==");
	ASSERT_OK(oidc_bearer_parse(NULL, &form, &none, &token, &dpop, &err), &err);
	assert_string_equal(token, "mF_9.B5f-4.1JqM");
}

/* RFC 9449 7.1 */
static void
the_scheme_says_whether_it_is_bound(void **state UNUSED)
{
	const struct params form = {&(struct param){"access_token", "t"}, 1};
	const char *token;
	bool dpop;

	ASSERT_OK(oidc_bearer_parse("DPoP t.1", &none, &none, &token, &dpop, &err), &err);
	assert_string_equal(token, "t.1");
	assert_true(dpop);
	ASSERT_OK(oidc_bearer_parse("Bearer t", &none, &none, &token, &dpop, &err), &err);
	assert_false(dpop);
	ASSERT_OK(oidc_bearer_parse(NULL, &form, &none, &token, &dpop, &err), &err);
	assert_false(dpop);
}

static void
a_token_elsewhere_twice_or_malformed_is_refused(void **state UNUSED)
{
	static const struct param two[] = {{"access_token", "a"}, {"access_token", "a"}};
	const struct params once = {two, 1}, twice = {two, 2};
	static const char *const bad[] = {"Bearer ",  "Bearer a b",   "Bearer  a", "Bearer a=b",
					  "Bearer =", "Bearer \"a\"", "Bearer a,b"};
	const char *token;
	bool dpop;

	ASSERT_REFUSED(oidc_bearer_parse(NULL, &none, &once, &token, &dpop, &err), &err, ERR_INPUT,
		       "in the query");
	ASSERT_REFUSED(oidc_bearer_parse("Bearer a", &none, &once, &token, &dpop, &err), &err,
		       ERR_INPUT, "in the query");
	ASSERT_REFUSED(oidc_bearer_parse("Bearer a", &once, &none, &token, &dpop, &err), &err,
		       ERR_INPUT, "in two places");
	ASSERT_REFUSED(oidc_bearer_parse("Basic YTpi", &once, &none, &token, &dpop, &err), &err,
		       ERR_INPUT, "in two places");
	ASSERT_REFUSED(oidc_bearer_parse(NULL, &twice, &none, &token, &dpop, &err), &err, ERR_INPUT,
		       "twice");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ASSERT_REFUSED(oidc_bearer_parse(bad[i], &none, &none, &token, &dpop, &err), &err,
			       ERR_INPUT, "malformed");
	char *longer = arena_alloc(a, 3000);

	memset(longer, 'a', 2100);
	ASSERT_REFUSED(oidc_bearer_parse(arena_printf(a, "Bearer %s", longer), &none, &none, &token,
					 &dpop, &err),
		       &err, ERR_INPUT, "malformed");
}

static void
a_request_without_token_gets_a_bare_challenge(void **state UNUSED)
{
	static const char *const headers[] = {NULL, "Basic YTpi", "Bearer", "Bearerx a", "DPoP"};
	const char *token;
	bool dpop;

	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		ASSERT_REFUSED(oidc_bearer_parse(headers[i], &none, &none, &token, &dpop, &err),
			       &err, ERR_DENIED, "no access token");
		assert_false(oidc_bearer_parse(headers[i], &none, &none, &token, &dpop, &err));
		assert_int_equal(oidc_error_of(&err)->status, 401);
		assert_string_equal(oidc_error_of(&err)->challenge, "Bearer");
		err_clear(&err);
	}
}

static void
no_claim_replaces_the_subject(void **state UNUSED)
{
	json_t *claims = json_new_object(a);

	json_put_str(a, claims, "sub", "evil");
	json_put_str(a, claims, "given_name", "Erika");
	assert_string_equal(oidc_userinfo_build(a, "pairwise", claims),
			    "{\"sub\":\"pairwise\",\"given_name\":\"Erika\"}");
	assert_string_equal(oidc_userinfo_build(a, "pairwise", NULL), "{\"sub\":\"pairwise\"}");
}

static void
a_signed_answer_says_who_says_it_to_whom(void **state UNUSED)
{
	struct test_keys *keys = test_keys_create(a);
	struct oidc_jwk key = {keys->p256.kid, OIDC_ES256, keys->p256.pub};
	const struct oidc_userinfo u = {
		"https://idp.example", "c1", "pairwise",
		json_of(a, "{\"sub\":\"evil\",\"iss\":\"evil\",\"aud\":\"evil\",\"email\":\"e\"}")};
	const struct oidc_signed *s;
	struct oidc_hint hint;
	struct oidc_jws jws;
	const char *text;

	ASSERT_OK(oidc_userinfo_sign(a, &keys->ops, key.kid, OIDC_ES256, &u, &text, &err), &err);
	ASSERT_OK(oidc_jws_parse(a, bytes_of(text), &jws, &err), &err);
	ASSERT_OK(oidc_jws_verify(a, &jws, &(struct oidc_jwks){.keys = &key, .n = 1}, &s, &err),
		  &err);
	assert_string_equal(json_text(a, oidc_signed_claims(s), true),
			    "{\"aud\":\"c1\",\"email\":\"e\",\"iss\":\"https://idp.example\","
			    "\"sub\":\"pairwise\"}");
	/* It is no ID token, not even where one that has expired would do. */
	ASSERT_REFUSED(oidc_hint_verify(a, text, &(struct oidc_jwks){.keys = &key, .n = 1},
					"https://idp.example", &hint, &err),
		       &err, ERR_DENIED, "not an ID token");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_scheme_says_whether_it_is_bound),
		cmocka_unit_test(a_token_comes_in_the_header_or_the_form),
		cmocka_unit_test(a_token_elsewhere_twice_or_malformed_is_refused),
		cmocka_unit_test(a_request_without_token_gets_a_bare_challenge),
		cmocka_unit_test(no_claim_replaces_the_subject),
		cmocka_unit_test(a_signed_answer_says_who_says_it_to_whom),
	};

	return cmocka_run_group_tests_name("userinfo", tests, setup, teardown);
}
