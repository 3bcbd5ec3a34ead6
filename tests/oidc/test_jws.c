/*
 * Tokens: the examples of the RFCs, the whole matrix of algorithms and keys,
 * and the ways in which other libraries were made to believe a forged one.
 */
#include "tests/oidc/fixture.h"
#include "tests/oidc/support.h"

#include <openssl/hmac.h>
#include <openssl/x509.h>

#include "base/enc.h"
#include "tests/keys/test_keys.h"

static bool
parse(const char *compact, struct oidc_jws *out)
{
	return oidc_jws_parse(a, bytes_of(compact), out, &err);
}

static bool
verify(const char *compact, const struct oidc_jwk *key, const struct oidc_signed **out)
{
	struct oidc_jws jws;

	return parse(compact, &jws) &&
	       oidc_jws_verify(a, &jws, &(struct oidc_jwks){.keys = key, .n = 1}, out, &err);
}

static bool
verify_vector(const char *name, const struct oidc_signed **out)
{
	struct oidc_jws jws;
	struct oidc_jwks keys;
	json_t *set;
	struct bytes text = vector_read(a, arena_printf(a, "%s.jwks", name));

	return json_parse_object(a, text, text.n, &set, &err) &&
	       oidc_jwks_parse(a, set, OIDC_ALG_NONE, &keys, &err) &&
	       oidc_jws_parse(a, vector_read(a, arena_printf(a, "%s.jws", name)), &jws, &err) &&
	       oidc_jws_verify(a, &jws, &keys, out, &err);
}

static void
the_tokens_of_the_standards_verify(void **state UNUSED)
{
	static const char *const with_claims[] = {"rfc7515-a.2", "rfc7515-a.3"};
	static const char *const other_payload[] = {"rfc7520-4.2", "rfc8037-a.4"};
	const struct oidc_signed *s;

	for (size_t i = 0; i < ARRAY_LEN(with_claims); i++) {
		int64_t exp = 0;

		ASSERT_OK(verify_vector(with_claims[i], &s), &err);
		ASSERT_OK(json_get_i64(oidc_signed_claims(s), "exp", &exp, &err), &err);
		assert_int_equal(exp, 1300819380);
		assert_true(oidc_signed_typ_is(s, NULL));
	}
	/* The signature is right; what it signs is prose, which no reader of ours takes. */
	for (size_t i = 0; i < ARRAY_LEN(other_payload); i++)
		ASSERT_REFUSED(verify_vector(other_payload[i], &s), &err, ERR_INPUT,
			       "not well-formed");
}

static void
every_algorithm_verifies_with_its_key_and_no_other(void **state UNUSED)
{
	for (int alg = OIDC_ES256; alg < OIDC_ALG_COUNT; alg++)
		for (int key_alg = OIDC_ES256; key_alg < OIDC_ALG_COUNT; key_alg++) {
			const struct oidc_signed *s = NULL;
			struct oidc_jwk key = public_key((enum oidc_alg)key_alg, "k");
			const char *t =
				token_of(a, (enum oidc_alg)alg,
					 arena_printf(a, "{\"alg\":\"%s\",\"kid\":\"k\"}",
						      oidc_alg_info((enum oidc_alg)alg)->name),
					 "{\"sub\":\"x\"}");

			if (alg == key_alg) {
				ASSERT_OK(verify(t, &key, &s), &err);
				assert_non_null(s);
			} else {
				ASSERT_REFUSED(verify(t, &key, &s), &err, ERR_DENIED,
					       "the key is for");
			}
		}
}

/* A header that names the key's algorithm over a signature made by another of the same key. */
static void
a_signature_of_another_algorithm_is_refused(void **state UNUSED)
{
	static const struct {
		enum oidc_alg made, said;
	} cases[] = {
		{OIDC_RS256, OIDC_PS256}, {OIDC_PS256, OIDC_RS256}, {OIDC_PS384, OIDC_PS256},
		{OIDC_PS256, OIDC_PS384}, {OIDC_RS256, OIDC_PS384}, {OIDC_PS384, OIDC_RS256},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct oidc_jwk key = public_key(cases[i].said, NULL);
		const struct oidc_signed *s;
		const char *header =
			arena_printf(a, "{\"alg\":\"%s\"}", oidc_alg_info(cases[i].said)->name);

		ASSERT_REFUSED(verify(token_of(a, cases[i].made, header, "{}"), &key, &s), &err,
			       ERR_DENIED, "wrong signature");
	}
}

static void
any_flipped_bit_is_refused(void **state UNUSED)
{
	struct oidc_jwk key = public_key(OIDC_ES256, NULL);
	const struct oidc_signed *s;
	char *t = arena_strdup(a, token_of(a, OIDC_ES256, "{\"alg\":\"ES256\"}", "{\"a\":1}"));
	struct arena *mine = a;

	ASSERT_OK(verify(t, &key, &s), &err);
	for (size_t i = 0; t[i] != '\0'; i++)
		for (int bit = 0; bit < 8; bit++) {
			struct oidc_jws jws;

			a = arena_create(1 << 20);
			t[i] = (char)(t[i] ^ (1 << bit));
			err_clear(&err);
			assert_false(
				oidc_jws_parse(a, (struct bytes){(unsigned char *)t, strlen(t)},
					       &jws, &err) &&
				oidc_jws_verify(a, &jws, &(struct oidc_jwks){.keys = &key, .n = 1},
						&s, &err));
			t[i] = (char)(t[i] ^ (1 << bit));
			arena_destroy(a);
		}
	a = mine;
	err_clear(&err);
	ASSERT_OK(verify(t, &key, &s), &err);
}

static void
signatures_of_wrong_length_are_refused(void **state UNUSED)
{
	unsigned char zeros[512] = {0};

	for (int alg = OIDC_ES256; alg < OIDC_ALG_COUNT; alg++) {
		struct oidc_jwk key = public_key((enum oidc_alg)alg, NULL);
		const char *header = arena_printf(a, "{\"alg\":\"%s\"}",
						  oidc_alg_info((enum oidc_alg)alg)->name);
		const struct oidc_signed *s;

		for (size_t n = 0; n <= sizeof(zeros); n += 16) /* r = s = 0 is among them */
			ASSERT_REFUSED(verify(compact_of(a, header, "{}", (struct bytes){zeros, n}),
					      &key, &s),
				       &err, ERR_DENIED, "wrong signature");
	}
}

/* A signature that verifies, with a zero before each half: RFC 7518 3.4 fixes the length. */
static void
a_signature_has_one_spelling(void **state UNUSED)
{
	static const enum oidc_alg algs[] = {OIDC_ES256, OIDC_ES384};

	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		struct oidc_jwk key = public_key(algs[i], NULL);
		const char *header =
			arena_printf(a, "{\"alg\":\"%s\"}", oidc_alg_info(algs[i])->name);
		const char *good = token_of(a, algs[i], header, "{}");
		unsigned char longer[2 * 49] = {0};
		const struct oidc_signed *s;
		struct oidc_jws jws;

		ASSERT_OK(verify(good, &key, &s), &err);
		ASSERT_OK(parse(good, &jws), &err);
		size_t half = jws.signature.n / 2;

		memcpy(longer + 1, jws.signature.p, half);
		memcpy(longer + half + 2, jws.signature.p + half, half);
		ASSERT_REFUSED(
			verify(compact_of(a, header, "{}", (struct bytes){longer, 2 * half + 2}),
			       &key, &s),
			&err, ERR_DENIED, "wrong signature");
	}
}

/* RFC 7515 6; the "alg none" family since 2015. */
static void
alg_none_is_refused(void **state UNUSED)
{
	static const char *const names[] = {"none",  "None",   "NONE",   "nOnE",  "",
					    " ",     "es256",  "ES256 ", "RS512", "ES512",
					    "PS512", "ES256K", "RSA1_5", "dir"};
	struct oidc_jws jws;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		ASSERT_REFUSED(parse(compact_of(a, arena_printf(a, "{\"alg\":\"%s\"}", names[i]),
						"{}", (struct bytes){NULL, 0}),
				     &jws),
			       &err, ERR_INPUT, "alg is not one");
	ASSERT_REFUSED(parse(compact_of(a, "{}", "{}", (struct bytes){NULL, 0}), &jws), &err,
		       ERR_INPUT, "alg is not one");
	ASSERT_REFUSED(parse(compact_of(a, "{\"alg\":5}", "{}", (struct bytes){NULL, 0}), &jws),
		       &err, ERR_INPUT, "alg is not a string");
}

/* RFC 9864 2.2: EdDSA by the name that says the curve; the same key, the same signature. */
static void
ed25519_is_eddsa(void **state UNUSED)
{
	struct oidc_jwk key = public_key(OIDC_EDDSA, NULL);
	struct oidc_jwks keys = {.keys = &key, .n = 1};
	const char *token = token_of(a, OIDC_EDDSA, "{\"alg\":\"Ed25519\"}", "{\"sub\":\"x\"}");
	const struct oidc_signed *s;
	struct oidc_jws jws;

	ASSERT_OK(parse(token, &jws), &err);
	assert_int_equal(jws.alg, OIDC_EDDSA);
	ASSERT_OK(oidc_jws_verify(a, &jws, &keys, &s, &err), &err);
	key = public_key(OIDC_ES256, NULL);
	ASSERT_REFUSED(oidc_jws_verify(a, &jws, &keys, &s, &err), &err, ERR_DENIED, "no key");
}

/* The public key, as PEM or DER, or nothing at all, used as HMAC secret (CVE-2016-5431,
 * CVE-2026-44699). */
static void
hs256_with_a_public_key_is_refused(void **state UNUSED)
{
	unsigned char *der = NULL, mac[32];
	int n = i2d_PUBKEY(key_pair(OIDC_RS256), &der);
	const char *input =
		arena_printf(a, "%s.%s", enc_base64url(a, bytes_of("{\"alg\":\"HS256\"}")),
			     enc_base64url(a, bytes_of("{}")));
	struct oidc_jws jws;

	for (int len = 0; len <= n; len += n) {
		assert_non_null(HMAC(EVP_sha256(), der, len, (const unsigned char *)input,
				     strlen(input), mac, NULL));
		ASSERT_REFUSED(parse(arena_printf(a, "%s.%s", input,
						  enc_base64url(a, (struct bytes){mac, 32})),
				     &jws),
			       &err, ERR_INPUT, "alg is not one");
	}
	OPENSSL_free(der);
}

/* CVE-2018-0114 and its kin: the token brings its own key; and headers that change the reading. */
static void
headers_that_change_the_rules_are_refused(void **state UNUSED)
{
	static const char *const members[] = {
		"\"crit\":[\"exp\"]",  "\"crit\":[]",
		"\"crit\":null",       "\"b64\":false",
		"\"b64\":true",        "\"zip\":\"DEF\"",
		"\"enc\":\"A128GCM\"", "\"jku\":\"https://evil.example/jwks\"",
		"\"jwk\":{}",          "\"x5u\":\"https://evil.example/cert\"",
		"\"x5c\":[]",
	};
	struct oidc_jws jws;

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		ASSERT_REFUSED(
			parse(token_of(a, OIDC_ES256,
				       arena_printf(a, "{\"alg\":\"ES256\",%s}", members[i]), "{}"),
			      &jws),
			&err, ERR_INPUT, "is refused");
	/* A thumbprint of a certificate names a key and brings none. */
	ASSERT_OK(
		parse(token_of(a, OIDC_ES256, "{\"alg\":\"ES256\",\"x5t\":\"AAAA\",\"x\":1}", "{}"),
		      &jws),
		&err);
}

static void
duplicate_members_are_refused(void **state UNUSED)
{
	struct oidc_jwk key = public_key(OIDC_ES256, NULL);
	const struct oidc_signed *s;
	struct oidc_jws jws;

	ASSERT_REFUSED(
		parse(token_of(a, OIDC_ES256, "{\"alg\":\"ES256\",\"alg\":\"ES256\"}", "{}"), &jws),
		&err, ERR_INPUT, "not well-formed");
	ASSERT_REFUSED(verify(token_of(a, OIDC_ES256, "{\"alg\":\"ES256\"}",
				       "{\"sub\":\"a\",\"sub\":\"b\"}"),
			      &key, &s),
		       &err, ERR_INPUT, "not well-formed");
}

static void
shapes_that_are_no_compact_token_are_refused(void **state UNUSED)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{"", "of 1 parts"},
		{"..", "JSON"},
		{"a.b", "of 2 parts"},
		{"e30.e30.AA.AA", "of 4 parts"},
		{"e30.e30.AA.AA.AA", "of 5 parts"}, /* a JWE */
		{"e30=.e30.AA", "base64"},
		{"e30.e30.A A", "base64"},
		{"eyJhbGciOiJFUzI1NiJ9.e30.A", "base64"},
		{"eyJhbGciOiJFUzI1NiJ9.e30.AB", "base64"}, /* spare bits: a second spelling */
		{"eyJhbGciOiJFUzI1NiJ9.e.AA", "base64"},
		{"W10.e30.AA", "not an object"},
		{"eyJraWQiOjV9.e30.AA", "kid is not"},
		{"eyJhbGciOiJFUzI1NiIsImtpZCI6bnVsbH0.e30.AA", "member is null"},
		{"eyJ0eXAiOjV9.e30.AA", "typ is not"},
	};
	struct oidc_jws jws;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ASSERT_REFUSED(parse(cases[i].text, &jws), &err, ERR_INPUT, cases[i].part);
}

static void
oversize_tokens_are_refused(void **state UNUSED)
{
	char *x = arena_alloc(a, 20000);
	struct oidc_jws jws;

	memset(x, 'x', 4080);
	ASSERT_REFUSED(parse(token_of(a, OIDC_ES256,
				      arena_printf(a, "{\"alg\":\"ES256\",\"x\":\"%s\"}", x), "{}"),
			     &jws),
		       &err, ERR_INPUT, "at most 4096");
	memset(x, 'x', 17000);
	ASSERT_REFUSED(parse(x, &jws), &err, ERR_INPUT, "17000 octets");
}

static void
a_key_must_be_named_without_doubt(void **state UNUSED)
{
	const struct oidc_jwk keys[] = {public_key(OIDC_PS256, "a"), public_key(OIDC_PS256, "b")};
	const struct oidc_jwks set = {.keys = keys, .n = 2};
	const struct oidc_signed *s;
	struct oidc_jws jws;

	ASSERT_OK(parse(token_of(a, OIDC_PS256, "{\"alg\":\"PS256\"}", "{}"), &jws), &err);
	ASSERT_REFUSED(oidc_jws_verify(a, &jws, &set, &s, &err), &err, ERR_DENIED, "no key, or");
	ASSERT_OK(parse(token_of(a, OIDC_PS256, "{\"alg\":\"PS256\",\"kid\":\"c\"}", "{}"), &jws),
		  &err);
	ASSERT_REFUSED(oidc_jws_verify(a, &jws, &set, &s, &err), &err, ERR_DENIED, "no key, or");
	ASSERT_OK(parse(token_of(a, OIDC_PS256, "{\"alg\":\"PS256\",\"kid\":\"b\"}", "{}"), &jws),
		  &err);
	ASSERT_OK(oidc_jws_verify(a, &jws, &set, &s, &err), &err);
}

static void
a_claim_can_be_looked_at_before_verification(void **state UNUSED)
{
	struct oidc_jws jws;
	const char *sub = "unset";

	ASSERT_OK(parse(compact_of(a, "{\"alg\":\"ES256\"}", "{\"sub\":\"c\",\"n\":1}",
				   (struct bytes){NULL, 0}),
			&jws),
		  &err);
	ASSERT_OK(oidc_jws_claimed(a, &jws, "sub", &sub, &err), &err);
	assert_string_equal(sub, "c");
	ASSERT_OK(oidc_jws_claimed(a, &jws, "iss", &sub, &err), &err);
	assert_null(sub);
	ASSERT_REFUSED(oidc_jws_claimed(a, &jws, "n", &sub, &err), &err, ERR_INPUT, "not a string");
	ASSERT_OK(parse(compact_of(a, "{\"alg\":\"ES256\"}", "[\"sub\"]", (struct bytes){NULL, 0}),
			&jws),
		  &err);
	ASSERT_REFUSED(oidc_jws_claimed(a, &jws, "sub", &sub, &err), &err, ERR_INPUT,
		       "not an object");
}

static void
typ_is_a_media_type(void **state UNUSED)
{
	static const struct {
		const char *header, *asked;
		bool same;
	} cases[] = {
		{"{\"alg\":\"ES256\"}", NULL, true},
		{"{\"alg\":\"ES256\"}", "JWT", false},
		{"{\"alg\":\"ES256\",\"typ\":\"JWT\"}", NULL, false},
		{"{\"alg\":\"ES256\",\"typ\":\"jwt\"}", "JWT", true},
		{"{\"alg\":\"ES256\",\"typ\":\"application/at+jwt\"}", "at+jwt", true},
		{"{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}", "JWT", false},
	};
	struct oidc_jwk key = public_key(OIDC_ES256, NULL);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct oidc_signed *s;

		ASSERT_OK(verify(token_of(a, OIDC_ES256, cases[i].header, "{}"), &key, &s), &err);
		assert_int_equal(oidc_signed_typ_is(s, cases[i].asked), cases[i].same);
	}
}

static void
what_we_sign_verifies(void **state UNUSED)
{
	const struct test_keys *keys = test_keys_create(a);
	const struct {
		enum oidc_alg alg;
		const struct test_key *key;
	} cases[] = {
		{OIDC_ES256, &keys->p256},
		{OIDC_RS256, &keys->rsa},
		{OIDC_PS256, test_key_of(keys, KEY_OIDC_SIGN, KEY_RSA_PSS)},
		{OIDC_ES384, test_key_of(keys, KEY_OIDC_SIGN, KEY_P384)},
	};
	json_t *claims = json_of(a, "{\"sub\":\"x\"}");

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct oidc_jwk key = {cases[i].key->kid, cases[i].alg, cases[i].key->pub};
		const struct oidc_signed *s;
		const char *t;

		ASSERT_OK(oidc_jws_build(a, &keys->ops, key.kid, key.alg, "JWT", claims, &t, &err),
			  &err);
		ASSERT_OK(verify(t, &key, &s), &err);
		assert_true(oidc_signed_typ_is(s, "JWT"));
		assert_string_equal(
			json_string_value(json_object_get(oidc_signed_claims(s), "sub")), "x");
	}
}

static bool
signer_is_away(void *ctx UNUSED, struct arena *m UNUSED, const char *kid UNUSED,
	       enum sig_alg alg UNUSED, struct bytes text UNUSED, struct bytes *sig UNUSED,
	       struct err *e)
{
	return FAIL(e, ERR_UNAVAILABLE, NULL, "signer is away");
}

static void
signing_fails_with_its_cause(void **state UNUSED)
{
	static const enum oidc_alg never[] = {OIDC_ALG_NONE, OIDC_EDDSA, OIDC_PS384};
	const struct key_ops away = {.sign = signer_is_away};
	json_t *claims = json_new_object(a);
	const char *t;

	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		ASSERT_REFUSED(oidc_jws_build(a, &test_keys_create(a)->ops, "k", never[i], "JWT",
					      claims, &t, &err),
			       &err, ERR_INTERNAL, "do not sign");
	ASSERT_REFUSED(oidc_jws_build(a, &away, "k", OIDC_ES256, "JWT", claims, &t, &err), &err,
		       ERR_UNAVAILABLE, "away");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tokens_of_the_standards_verify),
		cmocka_unit_test(every_algorithm_verifies_with_its_key_and_no_other),
		cmocka_unit_test(a_signature_of_another_algorithm_is_refused),
		cmocka_unit_test(any_flipped_bit_is_refused),
		cmocka_unit_test(signatures_of_wrong_length_are_refused),
		cmocka_unit_test(a_signature_has_one_spelling),
		cmocka_unit_test(alg_none_is_refused),
		cmocka_unit_test(ed25519_is_eddsa),
		cmocka_unit_test(hs256_with_a_public_key_is_refused),
		cmocka_unit_test(headers_that_change_the_rules_are_refused),
		cmocka_unit_test(duplicate_members_are_refused),
		cmocka_unit_test(shapes_that_are_no_compact_token_are_refused),
		cmocka_unit_test(oversize_tokens_are_refused),
		cmocka_unit_test(a_key_must_be_named_without_doubt),
		cmocka_unit_test(a_claim_can_be_looked_at_before_verification),
		cmocka_unit_test(typ_is_a_media_type),
		cmocka_unit_test(what_we_sign_verifies),
		cmocka_unit_test(signing_fails_with_its_cause),
	};

	return cmocka_run_group_tests_name("jws", tests, setup, teardown);
}
