/* Logout tokens: what stands in them. */
#include "tests/oidc/fixture.h"
#include "tests/oidc/support.h"

#include "oidc/logout_token.h"
#include "tests/keys/test_keys.h"

#define NOW 1800000000

static const struct test_keys *keys;
static struct oidc_jwk ours[2];
static const struct oidc_jwks our_keys = {.keys = ours, .n = 2};

static int
setup_keys(void **state)
{
	setup(state);
	keys = test_keys_create(a);
	ours[0] = (struct oidc_jwk){keys->p256.kid, OIDC_ES256, keys->p256.pub};
	ours[1] = (struct oidc_jwk){keys->rsa.kid, OIDC_RS256, keys->rsa.pub};
	return 0;
}

static const char *
claims_of(const struct oidc_jwk *key, const char *sid)
{
	struct oidc_logout_token t = {
		.issuer = "https://idp.example",
		.client_id = "c1",
		.sub = "pairwise",
		.sid = sid,
		.jti = "j1",
	};
	const struct oidc_signed *s;
	struct oidc_jws jws;
	const char *text;

	ASSERT_OK(oidc_logout_token_build(a, &keys->ops, key->kid, key->alg, &t, NOW, &text, &err),
		  &err);
	ASSERT_OK(oidc_jws_parse(a, bytes_of(text), &jws, &err), &err);
	ASSERT_OK(oidc_jws_verify(a, &jws, &our_keys, &s, &err), &err);
	assert_true(oidc_signed_typ_is(s, "logout+jwt"));
	assert_int_equal(jws.alg, key->alg);
	return json_text(a, oidc_signed_claims(s), true);
}

/* Back-Channel Logout 1.0, 2.4, to the last member: a nonce must not be there. */
static void
a_logout_token_holds_what_the_protocol_demands_and_no_more(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		assert_string_equal(claims_of(&ours[i], "s1"),
				    "{\"aud\":\"c1\",\"events\":{\"http://schemas.openid.net/event/"
				    "backchannel-logout\":{}},\"exp\":1800000120,"
				    "\"iat\":1800000000,\"iss\":\"https://idp.example\","
				    "\"jti\":\"j1\",\"sid\":\"s1\",\"sub\":\"pairwise\"}");
}

static void
without_a_session_all_of_the_person_are_meant(void **state UNUSED)
{
	assert_null(strstr(claims_of(&ours[0], NULL), "sid"));
}

static void
the_signer_s_failure_is_ours(void **state UNUSED)
{
	struct oidc_logout_token t = {"https://idp.example", "c1", "pairwise", "s1", "j1"};
	const char *text;

	assert_false(oidc_logout_token_build(a, &keys->ops, "nobody's", OIDC_ES256, &t, NOW, &text,
					     &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_logout_token_holds_what_the_protocol_demands_and_no_more),
		cmocka_unit_test(without_a_session_all_of_the_person_are_meant),
		cmocka_unit_test(the_signer_s_failure_is_ours),
	};

	return cmocka_run_group_tests_name("oidc logout token", tests, setup_keys, teardown);
}
