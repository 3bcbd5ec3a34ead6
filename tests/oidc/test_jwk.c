/* Reading and writing key sets: what is admitted, what is passed over, what is refused. */
#include "tests/oidc/fixture.h"
#include "tests/oidc/support.h"

#include <openssl/bn.h>

#include "base/enc.h"

#define EC_X  "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y  "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\""
#define OKP_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"

static bool
parse(const char *text, enum oidc_alg rsa_alg, struct oidc_jwks *out)
{
	return oidc_jwks_parse(a, json_of(a, text), rsa_alg, out, &err);
}

/* An RSA public key whose modulus has `bits` bits and ends in `last`. */
static const char *
rsa_key(size_t bits, unsigned char last, const char *e, const char *more)
{
	size_t n = (bits + 7) / 8;
	unsigned char *p = arena_alloc(a, n);

	memset(p, 0xa5, n);
	p[0] = (unsigned char)(1U << (bits - 1) % 8);
	p[n - 1] = last;
	return arena_printf(a, "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s}]}",
			    enc_base64url(a, (struct bytes){p, n}), e, more);
}

static void
the_key_sets_of_the_standard_are_read(void **state UNUSED)
{
	struct oidc_jwks set;
	struct bytes text = vector_read(a, "rfc7517-a.1.jwks");
	json_t *o;

	/* RFC 7517 A.1: an EC key for encryption and an RSA key with alg. */
	ASSERT_OK(json_parse_object(a, text, text.n, &o, &err), &err);
	ASSERT_OK(oidc_jwks_parse(a, o, OIDC_ALG_NONE, &set, &err), &err);
	assert_int_equal(set.n, 1);
	assert_string_equal(set.keys[0].kid, "2011-04-29");
	assert_int_equal(set.keys[0].alg, OIDC_RS256);
	assert_int_equal(set.n_enc, 1);
	assert_string_equal(set.enc[0].kid, "1");
	assert_int_equal(set.enc[0].type, OIDC_KEY_P256);

	/* RFC 7517 A.2: the same with private members. */
	text = vector_read(a, "rfc7517-a.2.jwks");
	ASSERT_OK(json_parse_object(a, text, text.n, &o, &err), &err);
	ASSERT_REFUSED(oidc_jwks_parse(a, o, OIDC_ALG_NONE, &set, &err), &err, ERR_INPUT,
		       "private member d");
}

static void
keys_we_have_no_use_for_are_passed_over(void **state UNUSED)
{
	static const char *const others[] = {
		"{" EC ",\"use\":\"enc\",\"alg\":\"ES256\"}",
		"{" EC ",\"use\":\"enc\",\"alg\":\"ECDH-ES+A192KW\"}",
		"{" EC ",\"use\":\"sig\",\"alg\":\"ECDH-ES\"}",
		"{" EC ",\"use\":\"other\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":\"enc\",\"x\":\"" OKP_X "\"}",
		"{" EC ",\"key_ops\":[\"sign\"]}",
		"{" EC ",\"key_ops\":[]}",
		"{" EC ",\"alg\":\"HS256\"}",
		"{" EC ",\"alg\":\"none\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-521\"}",
		"{\"kty\":\"EC\",\"crv\":\"secp256k1\"}",
		"{\"kty\":\"EC\"}",
		"{\"kty\":\"OKP\",\"crv\":\"X25519\"}",
		"{\"kty\":\"AKP\"}",
		"{\"kty\":\"AKP\",\"crv\":\"Ed25519\",\"x\":\"" OKP_X "\"}",
	};
	struct oidc_jwks set;

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		const char *good =
			"{" EC ",\"kid\":\"k\",\"use\":\"sig\",\"key_ops\":[\"verify\"]}";

		ASSERT_OK(parse(arena_printf(a, "{\"keys\":[%s,%s]}", others[i], good),
				OIDC_ALG_NONE, &set),
			  &err);
		assert_int_equal(set.n, 1);
		assert_string_equal(set.keys[0].kid, "k");
		ASSERT_REFUSED(
			parse(arena_printf(a, "{\"keys\":[%s]}", others[i]), OIDC_ALG_NONE, &set),
			&err, ERR_INPUT, "no key that we have a use for");
	}
}

#define ENC(more) "{" EC ",\"use\":\"enc\"" more "}"

static void
keys_to_encrypt_to_are_kept_apart(void **state UNUSED)
{
	struct oidc_jwks set;
	const char *n =
		"{\"keys\":["
		"{" EC ",\"kid\":\"k\",\"use\":\"sig\"}," ENC(",\"kid\":\"k\"") "," ENC(
			",\"kid\":\"l\",\"alg\":\"ECDH-ES+A256KW\"") ","
								     "{" EC
								     ",\"alg\":\"ECDH-ES\"}]}";

	ASSERT_OK(parse(n, OIDC_ALG_NONE, &set), &err);
	assert_int_equal(set.n, 1);
	assert_int_equal(set.n_enc, 3);
	/* The one that says so, else the first that says nothing, else none. */
	assert_string_equal(oidc_jwks_find_enc(&set, OIDC_ECDH_ES_A256KW)->kid, "l");
	assert_string_equal(oidc_jwks_find_enc(&set, OIDC_ECDH_ES_A128KW)->kid, "k");
	assert_null(oidc_jwks_find_enc(&set, OIDC_ECDH_ES)->kid);
	assert_null(oidc_jwks_find_enc(&set, OIDC_RSA_OAEP_256));
	assert_null(oidc_jwks_find_enc(&set, OIDC_JWE_ALG_NONE));
	ASSERT_OK(parse("{\"keys\":[" ENC("") "]}", OIDC_ALG_NONE, &set), &err);
	assert_int_equal(set.n, 0);
	/* A key to encrypt to is as strong and as public as any. */
	static const struct {
		const char *key, *part;
	} bad[] = {
		{ENC(",\"d\":\"AAAA\""), "private member d"},
		{ENC(",\"key_ops\":null"), "key_ops is null"},
		{ENC(",\"alg\":\"RSA-OAEP-256\""), "does not fit the key"},
		{ENC(",\"kid\":\"k\"") "," ENC(",\"kid\":\"k\""), "one kid names two"},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"enc\",\"x\":\"AA\",\"y\":\"AA\"}",
		 "wrong length"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ASSERT_REFUSED(
			parse(arena_printf(a, "{\"keys\":[%s]}", bad[i].key), OIDC_ALG_NONE, &set),
			&err, ERR_INPUT, bad[i].part);
}

static void
our_keys_to_encrypt_to_are_written_as_such(void **state UNUSED)
{
	struct oidc_enc_jwk enc[] = {
		{"a", OIDC_KEY_P256, OIDC_JWE_ALG_NONE, key_pair(OIDC_ES256)},
		{"b", OIDC_KEY_RSA, OIDC_RSA_OAEP_256, key_pair(OIDC_RS256)},
	};
	struct oidc_jwks set = {.enc = enc, .n_enc = 2}, again;
	const char *text;

	ASSERT_OK(oidc_jwks_build(a, &set, &text, &err), &err);
	assert_non_null(strstr(text, "\"kid\":\"a\",\"use\":\"enc\"}"));
	assert_non_null(strstr(text, "\"kid\":\"b\",\"use\":\"enc\",\"alg\":\"RSA-OAEP-256\"}"));
	ASSERT_OK(parse(text, OIDC_ALG_NONE, &again), &err);
	assert_int_equal(again.n, 0);
	assert_int_equal(again.n_enc, 2);
	enc[1].kid = NULL;
	ASSERT_REFUSED(oidc_jwks_build(a, &set, &text, &err), &err, ERR_INTERNAL, "key 1");
}

static void
a_key_among_others_is_taken(void **state UNUSED)
{
	struct oidc_jwks set;

	ASSERT_OK(parse("{\"keys\":[{" EC ",\"kid\":\"k\",\"key_ops\":[\"verify\",\"wrapKey\"]},"
			"{" EC ",\"kid\":\"l\"},{" EC "},{" EC "}]}",
			OIDC_ALG_NONE, &set),
		  &err);
	assert_int_equal(set.n, 4); /* two without a kid have no kid in common */
	assert_ptr_equal(oidc_alg_info((enum oidc_alg)99), oidc_alg_info(OIDC_ALG_NONE));
}

static void
a_bad_key_refuses_the_set(void **state UNUSED)
{
	static const struct {
		const char *key, *part;
	} cases[] = {
		{"{\"kty\":\"oct\",\"k\":\"AAAA\"}", "symmetric"},
		{"{" EC ",\"d\":\"AAAA\"}", "private member d"},
		{"{" EC ",\"k\":\"AAAA\"}", "private member k"},
		{"{" EC ",\"d\":null}", "private member d"},
		{"{" EC ",\"use\":\"enc\",\"d\":\"AAAA\"}", "private member d"},
		{"{" EC ",\"alg\":\"RS256\"}", "does not fit"},
		{"{" EC ",\"alg\":\"ES384\"}", "does not fit"},
		{"{" EC ",\"kid\":\"\"}", "kid is empty"},
		{"{" EC ",\"kid\":5}", "kid is not a string"},
		{"{" EC ",\"use\":1}", "use is not a string"},
		{"{" EC ",\"key_ops\":[1]}", "key_ops holds something"},
		{"{" EC ",\"alg\":1}", "alg is not a string"},
		{"{}", "kty is missing"},
		{"{\"kty\":1}", "kty is not a string"},
		{"5", "not an object"},
		{"{\"kty\":\"EC\",\"crv\":1}", "crv is not a string"},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"" EC_Y "\"}",
		 "wrong length"},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\"}", "y is missing"},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"y\":\"" EC_Y "\"}", "x is missing"},
		{"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}",
		 "wrong length"},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"AA\"}",
		 "wrong length"},
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "=\"}",
		 "base64"},
		/* CVE-2015-7940 and its like: a point off the curve */
		{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_X "\"}",
		 "no point of P-256"},
		{"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", "of 3 octets"},
		{"{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", "x is missing"},
		{"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" OKP_X "\",\"alg\":\"ES256\"}",
		 "does not fit"},
		{"{\"kty\":\"RSA\",\"alg\":\"RS256\",\"e\":\"AQAB\"}", "n is missing"},
		{"{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"\",\"e\":\"AQAB\"}", "empty"},
		{"{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"AQAB\"}", "e is missing"},
		{"{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":5,\"e\":\"AQAB\"}", "n is not a string"},
		{"{" EC ",\"kid\":\"k\"},{" EC ",\"kid\":\"k\"}", "one kid names two keys"},
	};
	struct oidc_jwks set;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ASSERT_REFUSED(parse(arena_printf(a, "{\"keys\":[%s]}", cases[i].key),
				     OIDC_ALG_NONE, &set),
			       &err, ERR_INPUT, cases[i].part);
	ASSERT_REFUSED(parse("{}", OIDC_ALG_NONE, &set), &err, ERR_INPUT, "no array of keys");
	ASSERT_REFUSED(parse("{\"keys\":{}}", OIDC_ALG_NONE, &set), &err, ERR_INPUT,
		       "not an array");
	ASSERT_REFUSED(parse("{\"keys\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
			     "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}",
			     OIDC_ALG_NONE, &set),
		       &err, ERR_INPUT, "more than 32");
	char *long_kid = arena_alloc(a, 300);

	memset(long_kid, 'k', 257);
	ASSERT_REFUSED(parse(arena_printf(a, "{\"keys\":[{" EC ",\"kid\":\"%s\"}]}", long_kid),
			     OIDC_ALG_NONE, &set),
		       &err, ERR_INPUT, "too long");
}

static void
weak_rsa_keys_are_refused(void **state UNUSED)
{
	static const char alg[] = ",\"alg\":\"PS256\"";
	struct oidc_jwks set;

	ASSERT_OK(parse(rsa_key(2048, 1, "AQAB", alg), OIDC_ALG_NONE, &set), &err);
	ASSERT_OK(parse(rsa_key(8192, 1, "AQAB", alg), OIDC_ALG_NONE, &set), &err);
	ASSERT_REFUSED(parse(rsa_key(2047, 1, "AQAB", alg), OIDC_ALG_NONE, &set), &err, ERR_INPUT,
		       "2047 bits");
	ASSERT_REFUSED(parse(rsa_key(8193, 1, "AQAB", alg), OIDC_ALG_NONE, &set), &err, ERR_INPUT,
		       "8193 bits");
	ASSERT_REFUSED(parse(rsa_key(2048, 2, "AQAB", alg), OIDC_ALG_NONE, &set), &err, ERR_INPUT,
		       "even");
	ASSERT_REFUSED(parse(rsa_key(2048, 1, "Aw", alg), OIDC_ALG_NONE, &set), &err, ERR_INPUT,
		       "exponent");
	ASSERT_REFUSED(parse(rsa_key(2048, 1, "AQAA", alg), OIDC_ALG_NONE, &set), &err, ERR_INPUT,
		       "exponent");
	ASSERT_REFUSED(parse(rsa_key(2048, 1, "AQAAAAAAAAAB", alg), OIDC_ALG_NONE, &set), &err,
		       ERR_INPUT, "exponent");
	ASSERT_REFUSED(parse(rsa_key(2048, 1, "AAEAAQ", alg), OIDC_ALG_NONE, &set), &err, ERR_INPUT,
		       "leading zeros");
	ASSERT_REFUSED(parse(rsa_key(2048, 1, "", alg), OIDC_ALG_NONE, &set), &err, ERR_INPUT,
		       "empty");
	/* RFC 7518 6.3.1.1: the same number under a second spelling. */
	char *zero = arena_strdup(a, rsa_key(2048, 1, "AQAB", alg));
	char *n = strstr(zero, "\"n\":\"") + strlen("\"n\":\"");

	ASSERT_REFUSED(
		parse(arena_printf(a, "%.*sAAAA%s", (int)(n - zero), zero, n), OIDC_ALG_NONE, &set),
		&err, ERR_INPUT, "leading zeros");
}

/* CVE-2017-15361: 65537^128, whose residues are those of such keys. */
static void
keys_of_a_faulty_generator_are_refused(void **state UNUSED)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *g = BN_new(), *e = BN_new(), *n = BN_new();
	unsigned char p[300];
	struct oidc_jwks set;

	assert_true(BN_set_word(g, 65537) == 1 && BN_set_word(e, 128) == 1);
	assert_int_equal(BN_exp(n, g, e, ctx), 1);
	const struct bytes modulus = {p, (size_t)BN_bn2bin(n, p)};

	BN_free(g);
	BN_free(e);
	BN_free(n);
	BN_CTX_free(ctx);
	ASSERT_REFUSED(parse(arena_printf(a,
					  "{\"keys\":[{\"kty\":\"RSA\",\"alg\":\"PS256\","
					  "\"e\":\"AQAB\",\"n\":\"%s\"}]}",
					  enc_base64url(a, modulus)),
			     OIDC_ALG_NONE, &set),
		       &err, ERR_INPUT, "ROCA");
}

static void
small_order_points_are_refused(void **state UNUSED)
{
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	struct oidc_jwks set;

	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		struct bytes raw;

		ASSERT_OK(dec_hex(a, bytes_of(points[i]), &raw, &err), &err);
		ASSERT_REFUSED(parse(arena_printf(a,
						  "{\"keys\":[{\"kty\":\"OKP\","
						  "\"crv\":\"Ed25519\",\"x\":\"%s\"}]}",
						  enc_base64url(a, raw)),
				     OIDC_ALG_NONE, &set),
			       &err, ERR_INPUT, "small order");
	}
}

/* LibJWT CVE-2026-44699: an RSA key without alg must not be left open to any algorithm. */
static void
an_rsa_key_without_alg_gets_one_from_its_record_or_is_refused(void **state UNUSED)
{
	struct oidc_jwks set;

	ASSERT_REFUSED(parse(rsa_key(2048, 1, "AQAB", ""), OIDC_ALG_NONE, &set), &err, ERR_INPUT,
		       "must name its alg");
	ASSERT_OK(parse(rsa_key(2048, 1, "AQAB", ""), OIDC_PS256, &set), &err);
	assert_int_equal(set.keys[0].alg, OIDC_PS256);
	ASSERT_OK(parse(rsa_key(2048, 1, "AQAB", ",\"alg\":\"RS256\""), OIDC_PS256, &set), &err);
	assert_int_equal(set.keys[0].alg, OIDC_RS256);
}

static void
what_we_write_is_what_we_read(void **state UNUSED)
{
	for (int alg = OIDC_ES256; alg < OIDC_ALG_COUNT; alg++) {
		struct oidc_jwks set;

		ASSERT_OK(parse(public_jwks(a, (enum oidc_alg)alg, "k1"), OIDC_ALG_NONE, &set),
			  &err);
		assert_int_equal(set.n, 1);
		assert_string_equal(set.keys[0].kid, "k1");
		assert_int_equal(set.keys[0].alg, alg);
		assert_int_equal(EVP_PKEY_eq(set.keys[0].pkey, key_pair((enum oidc_alg)alg)), 1);
	}
}

static void
no_private_half_is_ever_written(void **state UNUSED)
{
	for (int alg = OIDC_ES256; alg < OIDC_ALG_COUNT; alg++) {
		const json_t *keys = json_object_get(
			json_of(a, public_jwks(a, (enum oidc_alg)alg, "k")), "keys");
		const json_t *key = json_array_get(keys, 0);
		const char *name;
		json_t *v;

		json_object_foreach((json_t *)(uintptr_t)key, name, v)
		{
			static const char *const allowed[] = {"kty", "crv", "x",   "y",  "n",
							      "e",   "kid", "use", "alg"};
			bool known = false;

			for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
				known = known || strcmp(name, allowed[i]) == 0;
			assert_true(known);
		}
	}
}

static void
our_keys_are_written_with_their_names(void **state UNUSED)
{
	struct oidc_jwk keys[] = {public_key(OIDC_ES256, "2026-a"), public_key(OIDC_RS256, NULL)};
	const char *text;

	ASSERT_REFUSED(oidc_jwks_build(a, &(struct oidc_jwks){.keys = keys, .n = 2}, &text, &err),
		       &err, ERR_INTERNAL, "key 1");
	keys[1].kid = "2026-b";
	/* A key that is not of its algorithm's kind cannot be written. */
	for (int alg = OIDC_ES256; alg < OIDC_ALG_COUNT; alg++) {
		struct oidc_jwk odd = public_key(
			alg == OIDC_RS256 || alg == OIDC_PS256 || alg == OIDC_PS384 ? OIDC_ES256
										    : OIDC_RS256,
			"odd");

		odd.alg = (enum oidc_alg)alg;
		ASSERT_REFUSED(
			oidc_jwks_build(a, &(struct oidc_jwks){.keys = &odd, .n = 1}, &text, &err),
			&err, ERR_INTERNAL, "key 0 cannot be written");
	}
	ASSERT_OK(oidc_jwks_build(a, &(struct oidc_jwks){.keys = keys, .n = 2}, &text, &err), &err);
	assert_non_null(strstr(text, "\"kid\":\"2026-a\",\"use\":\"sig\",\"alg\":\"ES256\""));
	ASSERT_OK(oidc_jwks_build(a, &(struct oidc_jwks){.keys = NULL, .n = 0}, &text, &err), &err);
	assert_string_equal(text, "{\"keys\":[]}");
}

static void
a_key_is_found_by_kid_or_when_it_is_the_only_one(void **state UNUSED)
{
	const struct oidc_jwk keys[] = {
		public_key(OIDC_ES256, "a"),  public_key(OIDC_RS256, "b"),
		public_key(OIDC_ES384, NULL), public_key(OIDC_PS256, "c"),
		public_key(OIDC_PS256, "d"),
	};
	const struct oidc_jwks set = {.keys = keys, .n = ARRAY_LEN(keys)};

	assert_ptr_equal(oidc_jwks_find(&set, "b", OIDC_ES256), &keys[1]);
	assert_ptr_equal(oidc_jwks_find(&set, NULL, OIDC_ES384), &keys[2]);
	assert_ptr_equal(oidc_jwks_find(&set, NULL, OIDC_ES256), &keys[0]);
	assert_null(oidc_jwks_find(&set, NULL, OIDC_PS256)); /* two would do */
	assert_null(oidc_jwks_find(&set, "x", OIDC_ES256));
	assert_null(oidc_jwks_find(&set, "", OIDC_ES256));
	assert_null(oidc_jwks_find(&set, NULL, OIDC_EDDSA));
}

/* What JOSE registers (RFC 7518, 8037, 8812, 9864): names of algorithms, by what they do. */
static const char *const all_algs[] = {
	"HS256",
	"HS384",
	"HS512",
	"RS256",
	"RS384",
	"RS512",
	"ES256",
	"ES384",
	"ES512",
	"PS256",
	"PS384",
	"PS512",
	"none",
	"EdDSA",
	"Ed25519",
	"Ed448",
	"ES256K",
	"RS1",
	"RSA1_5",
	"RSA-OAEP",
	"RSA-OAEP-256",
	"RSA-OAEP-384",
	"RSA-OAEP-512",
	"A128KW",
	"A192KW",
	"A256KW",
	"dir",
	"ECDH-ES",
	"ECDH-ES+A128KW",
	"ECDH-ES+A192KW",
	"ECDH-ES+A256KW",
	"A128GCMKW",
	"A192GCMKW",
	"A256GCMKW",
	"PBES2-HS256+A128KW",
	"PBES2-HS384+A192KW",
	"PBES2-HS512+A256KW",
	"A128GCM",
	"A256CBC-HS512",
	"ML-DSA-44",
	"es256",
	"",
};

static const char *
kind_members(size_t kind)
{
	static const char *const other[] = {
		"\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AA\",\"y\":\"AA\"",
		"\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"",
		"\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AA\"",
		"\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"AA\"",
		"\"kty\":\"oct\",\"k\":\"AA\"",
	};
	static const enum oidc_alg algs[] = {OIDC_RS256, OIDC_ES256, OIDC_ES384, OIDC_EDDSA};

	if (kind >= ARRAY_LEN(algs))
		return kind - ARRAY_LEN(algs) < ARRAY_LEN(other) ? other[kind - ARRAY_LEN(algs)]
								 : NULL;
	json_t *set = json_of(a, public_jwks(a, algs[kind], "k"));
	json_t *o = json_array_get(json_object_get(set, "keys"), 0);

	json_object_del(o, "alg");
	json_object_del(o, "use");
	const char *text = json_text(a, o, false);

	return arena_strndup(a, text + 1, strlen(text) - 2);
}

/* Kind of key, use, algorithm: "-" is what is not said.  All that passes, nothing else does. */
static bool
may_pass(size_t kind, const char *use, const char *alg)
{
	static const struct {
		size_t kind;
		const char *purpose, *algs;
	} rows[] = {
		{0, "sig", " RS256 PS256 PS384 "},
		{0, "enc", " - RSA-OAEP-256 "},
		{1, "sig", " - ES256 "},
		{1, "enc", " - ECDH-ES ECDH-ES+A128KW ECDH-ES+A256KW "},
		{2, "sig", " - ES384 "},
		{2, "enc", " - ECDH-ES ECDH-ES+A128KW ECDH-ES+A256KW "},
		{3, "sig", " - EdDSA Ed25519 "},
	};
	const char *word = arena_printf(a, " %s ", alg);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].kind == kind && strstr(rows[i].algs, word) != NULL &&
		    (strcmp(use, rows[i].purpose) == 0 ||
		     (strcmp(use, "-") == 0 &&
		      (strcmp(rows[i].purpose, "sig") == 0 || strcmp(alg, "-") != 0))))
			return true;
	return false;
}

static void
of_all_kinds_uses_and_algorithms_only_the_list_passes(void **state UNUSED)
{
	static const char *const uses[] = {"-", "sig", "enc", "tls"};
	const char *members;
	size_t passed = 0;

	for (size_t kind = 0; (members = kind_members(kind)) != NULL; kind++)
		for (size_t u = 0; u < ARRAY_LEN(uses); u++)
			for (size_t i = 0; i <= ARRAY_LEN(all_algs); i++) {
				const char *alg = i < ARRAY_LEN(all_algs) ? all_algs[i] : "-";
				const char *more =
					strcmp(alg, "-") == 0
						? ""
						: arena_printf(a, ",\"alg\":\"%s\"", alg);
				struct oidc_jwks set;

				if (strcmp(uses[u], "-") != 0)
					more = arena_printf(a, "%s,\"use\":\"%s\"", more, uses[u]);
				err_clear(&err);
				bool got =
					parse(arena_printf(a, "{\"keys\":[{%s%s}]}", members, more),
					      OIDC_ALG_NONE, &set);

				if (got != may_pass(kind, uses[u], alg))
					fail_msg("%s%s: %d %s", members, more, got, err.text);
				if (got && strcmp(uses[u], "-") != 0)
					assert_int_equal(set.n_enc, strcmp(uses[u], "enc") == 0);
				passed += got ? 1 : 0;
			}
	assert_int_equal(passed, 37);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_key_sets_of_the_standard_are_read),
		cmocka_unit_test(keys_we_have_no_use_for_are_passed_over),
		cmocka_unit_test(keys_to_encrypt_to_are_kept_apart),
		cmocka_unit_test(our_keys_to_encrypt_to_are_written_as_such),
		cmocka_unit_test(a_key_among_others_is_taken),
		cmocka_unit_test(a_bad_key_refuses_the_set),
		cmocka_unit_test(weak_rsa_keys_are_refused),
		cmocka_unit_test(keys_of_a_faulty_generator_are_refused),
		cmocka_unit_test(small_order_points_are_refused),
		cmocka_unit_test(an_rsa_key_without_alg_gets_one_from_its_record_or_is_refused),
		cmocka_unit_test(of_all_kinds_uses_and_algorithms_only_the_list_passes),
		cmocka_unit_test(what_we_write_is_what_we_read),
		cmocka_unit_test(no_private_half_is_ever_written),
		cmocka_unit_test(our_keys_are_written_with_their_names),
		cmocka_unit_test(a_key_is_found_by_kid_or_when_it_is_the_only_one),
	};

	return cmocka_run_group_tests_name("jwk", tests, setup, teardown);
}
