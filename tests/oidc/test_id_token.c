/* ID tokens: what stands in them, and what counts as a hint. */
#include "tests/oidc/fixture.h"
#include "tests/oidc/support.h"

#include "oidc/id_token.h"
#include "tests/keys/test_keys.h"

#define ISSUER "https://idp.example"
#define NOW    1800000000

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

static const char *const amr[] = {"pwd", "otp"};

static struct oidc_id_token
full(void)
{
	return (struct oidc_id_token){
		.issuer = ISSUER,
		.sub = "pairwise",
		.client_id = "c1",
		.sid = "s1",
		.nonce = "n1",
		.acr = "substantial",
		.amr = {amr, 2},
		.auth_time = NOW - 60,
		.lifetime_s = 300,
		.access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
		.claims = json_of(a, "{\"email\":\"erika@mustermann.invalid\",\"sub\":\"evil\","
				     "\"iss\":\"evil\",\"acr\":\"high\"}"),
	};
}

static void
an_id_token_holds_what_the_protocol_demands(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		struct oidc_id_token t = full();
		const struct oidc_signed *s;
		struct oidc_jws jws;
		const char *text;

		ASSERT_OK(oidc_id_token_build(a, &keys->ops, ours[i].kid, ours[i].alg, &t, NOW,
					      &text, &err),
			  &err);
		ASSERT_OK(oidc_jws_parse(a, bytes_of(text), &jws, &err), &err);
		ASSERT_OK(oidc_jws_verify(a, &jws, &our_keys, &s, &err), &err);
		assert_true(oidc_signed_typ_is(s, "JWT"));
		/* The digest is that of the example in OpenID Connect Core A.3. */
		assert_string_equal(
			json_text(a, oidc_signed_claims(s), true),
			"{\"acr\":\"substantial\",\"amr\":[\"pwd\",\"otp\"],"
			"\"at_hash\":\"77QmUPtjPfzWtF2AnpK9RQ\",\"aud\":\"c1\","
			"\"auth_time\":1799999940,\"email\":\"erika@mustermann.invalid\","
			"\"exp\":1800000300,\"iat\":1800000000,\"iss\":\"https://idp.example\","
			"\"nonce\":\"n1\",\"sid\":\"s1\",\"sub\":\"pairwise\"}");
	}
}

/* Core 3.1.3.6: by the hash of the signature's algorithm, and with the key of that algorithm. */
static void
each_algorithm_has_its_key_and_its_hash(void **state UNUSED)
{
	static const struct {
		enum oidc_alg alg;
		enum key_type type;
		const char *at_hash;
	} rows[] = {
		{OIDC_ES256, KEY_P256, "77QmUPtjPfzWtF2AnpK9RQ"},
		{OIDC_RS256, KEY_RSA3072, "77QmUPtjPfzWtF2AnpK9RQ"},
		{OIDC_PS256, KEY_RSA_PSS, "77QmUPtjPfzWtF2AnpK9RQ"},
		{OIDC_ES384, KEY_P384, "jtAeDp945y1dDqU3nkIVGNZP1HjH_MFs"},
	};
	struct oidc_id_token t = full();
	const char *text;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct test_key *k = test_key_of(keys, KEY_OIDC_SIGN, rows[i].type);
		struct oidc_jwk key = {k->kid, rows[i].alg, k->pub};
		const struct oidc_signed *s;
		struct oidc_jws jws;

		ASSERT_OK(oidc_id_token_build(a, &keys->ops, k->kid, rows[i].alg, &t, NOW, &text,
					      &err),
			  &err);
		ASSERT_OK(oidc_jws_parse(a, bytes_of(text), &jws, &err), &err);
		ASSERT_OK(oidc_jws_verify(a, &jws, &(struct oidc_jwks){.keys = &key, .n = 1}, &s,
					  &err),
			  &err);
		assert_string_equal(
			json_string_value(json_object_get(oidc_signed_claims(s), "at_hash")),
			rows[i].at_hash);
		for (size_t o = 0; o < ARRAY_LEN(rows); o++)
			if (o != i)
				ASSERT_REFUSED(oidc_id_token_build(a, &keys->ops, k->kid,
								   rows[o].alg, &t, NOW, &text,
								   &err),
					       &err, ERR_DENIED, "no signatures of this kind");
	}
	ASSERT_REFUSED(
		oidc_id_token_build(a, &keys->ops, "test-p256", OIDC_EDDSA, &t, NOW, &text, &err),
		&err, ERR_INTERNAL, "do not sign with 'EdDSA'");
}

/* Of the example in OpenID Connect Core A.4, whose ID token goes with this code. */
static void
code_and_state_leave_half_a_digest(void **state UNUSED)
{
	struct oidc_id_token t = full();
	struct oidc_jws jws;
	const char *text, *value;

	t.access_token = NULL;
	t.code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
	t.state = "af0ifjsldkj";
	ASSERT_OK(oidc_id_token_build(a, &keys->ops, ours[0].kid, OIDC_ES256, &t, NOW, &text, &err),
		  &err);
	ASSERT_OK(oidc_jws_parse(a, bytes_of(text), &jws, &err), &err);
	ASSERT_OK(oidc_jws_claimed(a, &jws, "c_hash", &value, &err), &err);
	assert_string_equal(value, "LDktKdoQak3Pk0cnXxCltA");
	ASSERT_OK(oidc_jws_claimed(a, &jws, "s_hash", &value, &err), &err);
	assert_int_equal(strlen(value), 22);
	ASSERT_OK(oidc_jws_claimed(a, &jws, "at_hash", &value, &err), &err);
	assert_null(value);
}

static void
what_is_absent_stays_out(void **state UNUSED)
{
	struct oidc_id_token t = full();
	struct oidc_jws jws;
	const char *text, *value;

	t.nonce = NULL;
	t.acr = NULL;
	t.claims = NULL;
	ASSERT_OK(oidc_id_token_build(a, &keys->ops, ours[0].kid, OIDC_ES256, &t, NOW, &text, &err),
		  &err);
	ASSERT_OK(oidc_jws_parse(a, bytes_of(text), &jws, &err), &err);
	ASSERT_OK(oidc_jws_claimed(a, &jws, "nonce", &value, &err), &err);
	assert_null(value);
	ASSERT_OK(oidc_jws_claimed(a, &jws, "acr", &value, &err), &err);
	assert_null(value);
}

static void
an_unknown_key_signs_nothing(void **state UNUSED)
{
	struct oidc_id_token t = full();
	const char *text;

	ASSERT_REFUSED(
		oidc_id_token_build(a, &keys->ops, "other", OIDC_ES256, &t, NOW, &text, &err), &err,
		ERR_DENIED, "");
}

static const char *
hint_of(const char *typ, const char *claims)
{
	const char *text;

	ASSERT_OK(oidc_jws_build(a, &keys->ops, ours[0].kid, OIDC_ES256, typ, json_of(a, claims),
				 &text, &err),
		  &err);
	return text;
}

static void
an_expired_token_of_ours_is_a_hint(void **state UNUSED)
{
	struct oidc_id_token t = full();
	struct oidc_hint h;
	const char *text;

	t.lifetime_s = -1000000;
	ASSERT_OK(oidc_id_token_build(a, &keys->ops, ours[1].kid, OIDC_RS256, &t, NOW, &text, &err),
		  &err);
	ASSERT_OK(oidc_hint_verify(a, text, &our_keys, ISSUER, &h, &err), &err);
	assert_string_equal(h.client_id, "c1");
	assert_string_equal(h.sub, "pairwise");
	assert_string_equal(h.sid, "s1");
}

static void
anything_else_is_no_hint(void **state UNUSED)
{
	static const struct {
		const char *typ, *claims, *part;
	} cases[] = {
		{"at+jwt", "{\"iss\":\"" ISSUER "\",\"aud\":\"c1\",\"sub\":\"s\"}",
		 "not an ID token"},
		{"logout+jwt", "{\"iss\":\"" ISSUER "\",\"aud\":\"c1\",\"sub\":\"s\"}",
		 "not an ID token"},
		{NULL, "{\"iss\":\"" ISSUER "\",\"aud\":\"c1\",\"sub\":\"s\"}", "not an ID token"},
		{"JWT", "{\"iss\":\"https://evil.example\",\"aud\":\"c1\",\"sub\":\"s\"}",
		 "iss, aud or sub"},
		{"JWT", "{\"aud\":\"c1\",\"sub\":\"s\"}", "iss, aud or sub"},
		{"JWT", "{\"iss\":\"" ISSUER "\",\"sub\":\"s\"}", "iss, aud or sub"},
		{"JWT", "{\"iss\":\"" ISSUER "\",\"aud\":[\"c1\"],\"sub\":\"s\"}",
		 "iss, aud or sub"},
		{"JWT", "{\"iss\":\"" ISSUER "\",\"aud\":\"c1\"}", "iss, aud or sub"},
	};
	struct oidc_hint h;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *text = hint_of(cases[i].typ, cases[i].claims);

		ASSERT_REFUSED(oidc_hint_verify(a, text, &our_keys, ISSUER, &h, &err), &err,
			       ERR_DENIED, cases[i].part);
	}
	ASSERT_REFUSED(oidc_hint_verify(a, "a.b", &our_keys, ISSUER, &h, &err), &err, ERR_INPUT,
		       "wanted 3");
	/* Signed by somebody else under our kid. */
	const char *foreign = token_of(
		a, OIDC_ES256, arena_printf(a, "{\"alg\":\"ES256\",\"kid\":\"%s\"}", ours[0].kid),
		"{\"iss\":\"" ISSUER "\",\"aud\":\"c1\",\"sub\":\"s\"}");

	assert_false(oidc_hint_verify(a, foreign, &our_keys, ISSUER, &h, &err));
	assert_non_null(strstr(err.text, "wrong signature"));
	assert_string_equal(err.proto, "invalid_request");
	err_clear(&err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_token_holds_what_the_protocol_demands),
		cmocka_unit_test(each_algorithm_has_its_key_and_its_hash),
		cmocka_unit_test(code_and_state_leave_half_a_digest),
		cmocka_unit_test(what_is_absent_stays_out),
		cmocka_unit_test(an_unknown_key_signs_nothing),
		cmocka_unit_test(an_expired_token_of_ours_is_a_hint),
		cmocka_unit_test(anything_else_is_no_hint),
	};

	return cmocka_run_group_tests_name("id_token", tests, setup_keys, teardown);
}
