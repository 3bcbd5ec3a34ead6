/*
 * Encrypted tokens: the examples of the RFCs, the whole matrix of algorithms and
 * keys, and what other libraries were made to open or to believe.
 */
#include "tests/oidc/fixture.h"
#include "tests/oidc/support.h"

#include <string.h>

#include "base/enc.h"
#include "keys/cert.h"
#include "keys/envelope.h"
#include "oidc/jwe.h"
#include "tests/keys/test_keys.h"

#define PROSE                                                                                 \
	"You can trust us to stick with you through thick and thin\xe2\x80\x93to the bitter " \
	"end. And you can trust us to keep any secret of yours\xe2\x80\x93"                   \
	"closer than you "                                                                    \
	"keep it yourself. But you cannot trust us to let you face trouble alone, and go "    \
	"off without a word. We are your friends, Frodo."

static struct test_keys *k;

/* The kinds of keys that encrypt, each with its private half in k. */
static struct oidc_enc_jwk
enc_key(enum oidc_key_type type)
{
	const struct test_key *t = type == OIDC_KEY_RSA    ? &k->dec_rsa
				   : type == OIDC_KEY_P256 ? &k->dec_p256
							   : test_key_of(k, KEY_DECRYPT, KEY_P384);

	return (struct oidc_enc_jwk){t->kid, type, OIDC_JWE_ALG_NONE, t->pub};
}

static bool
open_with(const char *compact, const struct oidc_enc_jwk *keys, size_t n, struct bytes *plain)
{
	struct oidc_jwe_keys ours = {&k->ops, keys, n};

	return oidc_jwe_open(a, bytes_of(compact), &ours, plain, &err);
}

static const char *
built(enum oidc_key_type type, enum oidc_jwe_alg alg, enum oidc_jwe_enc enc, const char *plain)
{
	struct oidc_enc_jwk key = enc_key(type);
	const char *compact;

	ASSERT_OK(oidc_jwe_build(a, &key, alg, enc, "JWT", NULL, bytes_of(plain), &compact, &err),
		  &err);
	return compact;
}

static struct bytes
octets_of(const char *base64url)
{
	struct bytes b = {0};

	ASSERT_OK(dec_base64url(a, bytes_of(base64url), &b, &err), &err);
	return b;
}

static struct bytes
point_of(const char *x, const char *y)
{
	struct bytes bx = octets_of(x), by = octets_of(y);
	unsigned char *p = arena_alloc(a, 1 + bx.n + by.n);

	p[0] = 4;
	memcpy(p + 1, bx.p, bx.n);
	memcpy(p + 1 + bx.n, by.p, by.n);
	return (struct bytes){p, 1 + bx.n + by.n};
}

static void
the_tokens_of_the_standards_open(void **state UNUSED)
{
	static const struct {
		const char *name, *kid, *x, *y, *d;
		enum key_type key;
		enum oidc_key_type type;
	} rows[] = {
		{"rfc7520-5.4.jwe", "peregrin.took@tuckborough.example",
		 "YU4rRUzdmVqmRtWOs2OpDE_T5fsNIodcG8G5FWPrTPMyxpzsSOGaQLpe2FpxBmu2",
		 "A8-yxCHxkfBz3hKZfI1jUYMjUhsEveZ9THuwFjH2sCNdtksRJU7D5-SkgaFL1ETP",
		 "iTx2pk7wW-GqJkHcEkFQb2EFyYcO7RugmaW3mRrQVAOUiPommT0IdnYK2xDlZh-j", KEY_P384,
		 OIDC_KEY_P384},
		{"rfc7520-5.5.jwe", "meriadoc.brandybuck@buckland.example",
		 "Ze2loSV3wrroKUN_4zhwGhCqo3Xhu1td4QjeQ5wIVR0",
		 "HlLtdXARY_f55A3fnzQbPcm6hgr34Mp8p-nuzQCE0Zw",
		 "r_kHyZ-a06rmxM3yESK84r1otSg-aQcVStkRhA-iCM8", KEY_P256, OIDC_KEY_P256},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct test_key *t =
			test_key_import(k, rows[i].kid, rows[i].key, octets_of(rows[i].d),
					point_of(rows[i].x, rows[i].y));
		struct oidc_enc_jwk key = {rows[i].kid, rows[i].type, OIDC_JWE_ALG_NONE, t->pub};
		struct oidc_jwe_keys ours = {&k->ops, &key, 1};
		struct bytes plain;

		ASSERT_OK(oidc_jwe_open(a, vector_read(a, rows[i].name), &ours, &plain, &err),
			  &err);
		assert_true(bytes_eq(plain, bytes_of(PROSE)));
	}
}

/* RFC 7518 C: the parties' names go into the key.  The content is ours, the key is the RFC's. */
static void
the_agreement_of_the_standard_comes_out(void **state UNUSED)
{
	static const char header[] =
		"{\"alg\":\"ECDH-ES\",\"enc\":\"A128GCM\",\"apu\":\"QWxpY2U\",\"apv\":\"Qm9i\","
		"\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\","
		"\"x\":\"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0\","
		"\"y\":\"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps\"}}";
	const struct test_key *t = test_key_import(
		k, "bob", KEY_P256, octets_of("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"),
		point_of("weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
			 "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"));
	struct oidc_enc_jwk key = {"bob", OIDC_KEY_P256, OIDC_JWE_ALG_NONE, t->pub};
	const char *head = enc_base64url(a, bytes_of(header));
	struct bytes sealed, plain;

	ASSERT_OK(envelope_seal(a, octets_of("VqqN6vgjbSBcIijNcacQGg"), bytes_of(head),
				bytes_of("told"), &sealed, &err),
		  &err);
	ASSERT_OK(open_with(arena_printf(a, "%s..%s.%s.%s", head,
					 enc_base64url(a, (struct bytes){sealed.p, 12}),
					 enc_base64url(a, (struct bytes){sealed.p + 12, 4}),
					 enc_base64url(a, (struct bytes){sealed.p + 16, 16})),
			    &key, 1, &plain),
		  &err);
	assert_true(bytes_eq(plain, bytes_of("told")));
}

static void
every_algorithm_opens_with_its_kind_of_key_and_no_other(void **state UNUSED)
{
	static const enum oidc_key_type types[] = {OIDC_KEY_RSA, OIDC_KEY_P256, OIDC_KEY_P384};

	for (size_t t = 0; t < ARRAY_LEN(types); t++)
		for (int alg = OIDC_ECDH_ES; alg < OIDC_JWE_ALG_COUNT; alg++)
			for (int enc = OIDC_A128GCM; enc < OIDC_ENC_COUNT; enc++) {
				struct oidc_enc_jwk key = enc_key(types[t]);
				const char *compact;
				struct bytes plain;

				if ((alg == OIDC_RSA_OAEP_256) != (types[t] == OIDC_KEY_RSA)) {
					ASSERT_REFUSED(
						oidc_jwe_build(a, &key, (enum oidc_jwe_alg)alg,
							       (enum oidc_jwe_enc)enc, NULL, NULL,
							       bytes_of("x"), &compact, &err),
						&err, ERR_INTERNAL, "no such encryption");
					continue;
				}
				compact = built(types[t], (enum oidc_jwe_alg)alg,
						(enum oidc_jwe_enc)enc, "{\"sub\":\"x\"}");
				ASSERT_OK(open_with(compact, &key, 1, &plain), &err);
				assert_true(bytes_eq(plain, bytes_of("{\"sub\":\"x\"}")));
				for (size_t o = 0; o < ARRAY_LEN(types); o++) {
					struct oidc_enc_jwk other = enc_key(types[o]);

					other.kid = key.kid;
					if (o != t)
						ASSERT_REFUSED(
							open_with(compact, &other, 1, &plain), &err,
							ERR_INPUT, "does not open");
				}
			}
}

static void
what_is_in_no_list_is_not_built(void **state UNUSED)
{
	struct oidc_enc_jwk key = enc_key(OIDC_KEY_P256);
	const char *compact;

	ASSERT_REFUSED(oidc_jwe_build(a, &key, OIDC_JWE_ALG_NONE, OIDC_A128GCM, NULL, NULL,
				      bytes_of("x"), &compact, &err),
		       &err, ERR_INTERNAL, "no such encryption");
	ASSERT_REFUSED(oidc_jwe_build(a, &key, OIDC_ECDH_ES, OIDC_ENC_NONE, NULL, NULL,
				      bytes_of("x"), &compact, &err),
		       &err, ERR_INTERNAL, "no such encryption");
	assert_ptr_equal(oidc_jwe_alg_info((enum oidc_jwe_alg)99),
			 oidc_jwe_alg_info(OIDC_JWE_ALG_NONE));
	assert_ptr_equal(oidc_jwe_enc_info((enum oidc_jwe_enc)99),
			 oidc_jwe_enc_info(OIDC_ENC_NONE));
	assert_false(oidc_jwe_alg_fits((enum oidc_jwe_alg)99, OIDC_KEY_P256));
}

static void
any_changed_character_is_refused(void **state UNUSED)
{
	static const enum oidc_jwe_enc encs[] = {OIDC_A256GCM, OIDC_A256CBC_HS512};
	struct oidc_enc_jwk key = enc_key(OIDC_KEY_P256);
	struct arena *mine = a;

	for (size_t e = 0; e < ARRAY_LEN(encs); e++) {
		char *t = arena_strdup(
			mine, built(OIDC_KEY_P256, OIDC_ECDH_ES_A256KW, encs[e], "{\"a\":1}"));

		for (size_t i = 0; t[i] != '\0'; i++) {
			struct bytes plain;
			char was = t[i];

			a = arena_create(1 << 20);
			t[i] = was == 'A' ? 'B' : 'A';
			err_clear(&err);
			assert_false(open_with(t, &key, 1, &plain));
			t[i] = was;
			arena_destroy(a);
		}
		a = mine;
		struct bytes plain;

		err_clear(&err);
		ASSERT_OK(open_with(t, &key, 1, &plain), &err);
	}
}

/* A token with this header and otherwise empty or given parts. */
static const char *
with_header(const char *header, const char *rest)
{
	return arena_printf(a, "%s%s", enc_base64url(a, bytes_of(header)), rest);
}

#define IV_TAG ".AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA"
#define EPK                                                      \
	"\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\","             \
	"\"x\":\"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0\"," \
	"\"y\":\"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps\"}"
#define ES_GCM "\"alg\":\"ECDH-ES\",\"enc\":\"A128GCM\""

static void
shapes_that_are_no_encrypted_token_of_ours_are_refused(void **state UNUSED)
{
	static const struct {
		const char *header, *rest, *part;
	} cases[] = {
		{"{" ES_GCM "," EPK "}", "", "of 1 parts"},
		{"{" ES_GCM "," EPK "}", ".AA.AA", "of 3 parts"}, /* a JWS */
		{"{" ES_GCM "," EPK "}", "." IV_TAG ".", "of 6 parts"},
		{"[]", "." IV_TAG, "not an object"},
		{"{" ES_GCM ",\"alg\":\"ECDH-ES\"}", "." IV_TAG, "not well-formed"},
		{"{\"enc\":\"A128GCM\"}", "." IV_TAG, "alg or enc"},
		{"{\"alg\":\"ECDH-ES\"}", "." IV_TAG, "alg or enc"},
		{"{\"alg\":1,\"enc\":\"A128GCM\"}", "." IV_TAG, "alg is not"},
		{"{\"alg\":\"ECDH-ES\",\"enc\":1}", "." IV_TAG, "enc is not"},
		{"{" ES_GCM ",\"kid\":1}", "." IV_TAG, "kid is not"},
		{"{" ES_GCM ",\"kid\":null}", "." IV_TAG, "member is null"},
		{"{" ES_GCM ",\"epk\":1}", "." IV_TAG, "epk is not"},
		{"{" ES_GCM ",\"apu\":1}", "." IV_TAG, "apu is not"},
		{"{" ES_GCM ",\"apu\":\"A\"}", "." IV_TAG, "base64"},
		{"{" ES_GCM ",\"apv\":1}", "." IV_TAG, "apv is not"},
		{"{" ES_GCM ",\"crit\":[]}", "." IV_TAG, "crit is refused"},
		{"{" ES_GCM ",\"zip\":\"DEF\"}", "." IV_TAG, "zip is refused"},
		{"{" ES_GCM ",\"jku\":\"\"}", "." IV_TAG, "jku is refused"},
		{"{" ES_GCM ",\"jwk\":{}}", "." IV_TAG, "jwk is refused"},
		{"{" ES_GCM ",\"x5u\":\"\"}", "." IV_TAG, "x5u is refused"},
		{"{" ES_GCM ",\"x5c\":[]}", "." IV_TAG, "x5c is refused"},
		{"{" ES_GCM "," EPK "}", ".AA" IV_TAG, "encrypted key of wrong size"},
		{"{\"alg\":\"ECDH-ES+A128KW\",\"enc\":\"A128GCM\"," EPK "}", "." IV_TAG,
		 "encrypted key of wrong size"},
		{"{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A128GCM\"}", "." IV_TAG,
		 "encrypted key of wrong size"},
		{"{" ES_GCM "," EPK "}", "..AAAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA", "base64"},
		{"{" ES_GCM "," EPK "}", "..AAAAAAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA",
		 "vector or tag"},
		{"{" ES_GCM "," EPK "}", "..AAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA",
		 "vector or tag"},
		/* CVE-2023-37464, CVE-2026-32600: a tag cut short could be guessed. */
		{"{" ES_GCM "," EPK "}", "..AAAAAAAAAAAAAAAA.AA.AAAAAA", "vector or tag"},
		{"{" ES_GCM "," EPK "}", "..AAAAAAAAAAAAAAAA.AA.", "vector or tag"},
		{"{\"alg\":\"ECDH-ES\",\"enc\":\"A256CBC-HS512\"," EPK "}",
		 "..AAAAAAAAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA", "vector or tag"},
		{"{" ES_GCM "," EPK "}", "..AAAAAAAAAAAAAAAA.A A.AAAAAAAAAAAAAAAAAAAAAA", "base64"},
	};
	struct oidc_enc_jwk key = enc_key(OIDC_KEY_P256);
	struct bytes plain;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ASSERT_REFUSED(
			open_with(with_header(cases[i].header, cases[i].rest), &key, 1, &plain),
			&err, ERR_INPUT, cases[i].part);
}

static void
algorithms_outside_the_lists_are_refused(void **state UNUSED)
{
	static const char *const algs[] = {
		"dir",
		"none",
		"RSA1_5",
		"RSA-OAEP",
		"A128KW",
		"A256KW",
		"A128GCMKW",
		"PBES2-HS256+A128KW",
		"ECDH-1PU",
		"ECDH-ES+A192KW",
		"RSA-OAEP-384",
		"PBES2-HS512+A256KW",
		"ecdh-es",
		"ES256",
		"",
	};
	static const char *const encs[] = {"A192GCM", "A192CBC-HS384", "none", "a128gcm",
					   "A128CBC", "XC20P",         ""};
	struct oidc_enc_jwk key = enc_key(OIDC_KEY_P256);
	struct bytes plain;

	for (size_t i = 0; i < ARRAY_LEN(algs); i++)
		ASSERT_REFUSED(
			open_with(with_header(arena_printf(a,
							   "{\"alg\":\"%s\",\"enc\":\"A128GCM\","
							   "\"p2s\":\"AA\",\"p2c\":1000000000," EPK
							   "}",
							   algs[i]),
					      ".AA" IV_TAG),
				  &key, 1, &plain),
			&err, ERR_INPUT, "alg or enc");
	for (size_t i = 0; i < ARRAY_LEN(encs); i++)
		ASSERT_REFUSED(
			open_with(with_header(
					  arena_printf(
						  a, "{\"alg\":\"ECDH-ES\",\"enc\":\"%s\"," EPK "}",
						  encs[i]),
					  "." IV_TAG),
				  &key, 1, &plain),
			&err, ERR_INPUT, "alg or enc");
}

static void
an_ephemeral_key_that_is_none_does_not_open(void **state UNUSED)
{
	static const char *const epks[] = {
		"",
		",\"epk\":{}",
		",\"epk\":{\"kty\":\"EC\"}",
		",\"epk\":{\"kty\":1}",
		",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AA\",\"y\":\"AA\"}",
		",\"epk\":{\"kty\":\"OKP\",\"crv\":\"X25519\","
		"\"x\":\"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0\"}",
		/* CVE-2017-16007: a point that is not on the curve */
		",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\","
		"\"x\":\"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0\","
		"\"y\":\"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFppo\"}",
		",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\","
		"\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
		"\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		/* of another curve than our key */
		",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-384\","
		"\"x\":\"uBo4kHPw6kbjx5l0xowrd_oYzBmaz-GKFZu4xAFFkbYiWgutEK6iuEDsQ6wNdNg3\","
		"\"y\":\"sp3p5SGhZVC2faXumI-e9JU2Mo8KpoYrFDr5yPNVtW4PgEwZOyQTA-JdaY8tb7E0\"}",
		/* with its private half */
		",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"d\":\"AA\","
		"\"x\":\"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0\","
		"\"y\":\"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps\"}",
	};
	struct oidc_enc_jwk key = enc_key(OIDC_KEY_P256);
	struct bytes plain;

	for (size_t i = 0; i < ARRAY_LEN(epks); i++)
		ASSERT_REFUSED(open_with(with_header(arena_printf(a, "{" ES_GCM "%s}", epks[i]),
						     "." IV_TAG),
					 &key, 1, &plain),
			       &err, ERR_INPUT, "JWE: does not open");
}

/* One text, whatever is wrong: the key, its size, the tag, the kid. */
static void
all_that_depends_on_a_key_fails_alike(void **state UNUSED)
{
	struct oidc_enc_jwk rsa = enc_key(OIDC_KEY_RSA), p256 = enc_key(OIDC_KEY_P256);
	const char *head =
		enc_base64url(a, bytes_of("{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\"}"));
	unsigned char cek[32] = {0}, junk[384] = {1};
	struct bytes wrapped, sealed, plain, short_key = {cek, 16};

	/* A key of 16 octets where the header says 32: unwraps well, and must not be used. */
	ASSERT_OK(envelope_wrap_rsa(a, rsa.pkey, WRAP_RSA_OAEP_SHA256, short_key, &wrapped, &err),
		  &err);
	ASSERT_OK(envelope_seal(a, short_key, bytes_of(head), bytes_of("told"), &sealed, &err),
		  &err);
	const char *rest =
		arena_printf(a, "%s.%s.%s", enc_base64url(a, (struct bytes){sealed.p, 12}),
			     enc_base64url(a, (struct bytes){sealed.p + 12, 4}),
			     enc_base64url(a, (struct bytes){sealed.p + 16, 16}));

	ASSERT_REFUSED(open_with(arena_printf(a, "%s.%s.%s", head, enc_base64url(a, wrapped), rest),
				 &rsa, 1, &plain),
		       &err, ERR_INPUT, "JWE: does not open");
	ASSERT_REFUSED(open_with(arena_printf(a, "%s.%s.%s", head,
					      enc_base64url(a, (struct bytes){junk, 384}), rest),
				 &rsa, 1, &plain),
		       &err, ERR_INPUT, "JWE: does not open");
	/* RSA-OAEP with SHA-1 under the name of the other. */
	ASSERT_OK(envelope_wrap_rsa(a, rsa.pkey, WRAP_RSA_OAEP_SHA1, (struct bytes){cek, 32},
				    &wrapped, &err),
		  &err);
	ASSERT_REFUSED(open_with(arena_printf(a, "%s.%s.%s", head, enc_base64url(a, wrapped), rest),
				 &rsa, 1, &plain),
		       &err, ERR_INPUT, "JWE: does not open");
	const char *good = built(OIDC_KEY_P256, OIDC_ECDH_ES, OIDC_A128GCM, "x");

	ASSERT_REFUSED(open_with(good, NULL, 0, &plain), &err, ERR_INPUT, "JWE: does not open");
	/* A header that names another key is not tried with this one, though it would fit. */
	struct oidc_enc_jwk another = {"another", OIDC_KEY_P256, OIDC_JWE_ALG_NONE, p256.pkey};

	ASSERT_OK(open_with(good, &p256, 1, &plain), &err);
	ASSERT_OK(oidc_jwe_build(a, &another, OIDC_ECDH_ES, OIDC_A128GCM, NULL, NULL, bytes_of("x"),
				 &good, &err),
		  &err);
	ASSERT_REFUSED(open_with(good, &p256, 1, &plain), &err, ERR_INPUT, "JWE: does not open");
}

/* A header without a kid: each key that fits is tried, an older one too. */
static void
without_a_kid_each_key_is_tried(void **state UNUSED)
{
	struct test_keys *other = test_keys_create(a);
	struct oidc_enc_jwk keys[] = {enc_key(OIDC_KEY_RSA), enc_key(OIDC_KEY_P384),
				      enc_key(OIDC_KEY_P256)};
	struct oidc_enc_jwk nameless = keys[2];
	struct oidc_enc_jwk foreign = {NULL, OIDC_KEY_P256, OIDC_JWE_ALG_NONE, other->dec_p256.pub};
	const char *compact;
	struct bytes plain;

	nameless.kid = NULL;
	ASSERT_OK(oidc_jwe_build(a, &nameless, OIDC_ECDH_ES, OIDC_A128GCM, NULL, NULL,
				 bytes_of("x"), &compact, &err),
		  &err);
	ASSERT_OK(open_with(compact, keys, ARRAY_LEN(keys), &plain), &err);
	ASSERT_OK(oidc_jwe_build(a, &foreign, OIDC_ECDH_ES, OIDC_A128GCM, NULL, NULL, bytes_of("x"),
				 &compact, &err),
		  &err);
	ASSERT_REFUSED(open_with(compact, keys, ARRAY_LEN(keys), &plain), &err, ERR_INPUT,
		       "does not open");
}

static void
sizes_are_capped(void **state UNUSED)
{
	struct oidc_enc_jwk key = enc_key(OIDC_KEY_P256);
	char *text = arena_alloc(a, OIDC_JWE_MAX_BYTES + 2);
	struct bytes plain;

	memset(text, 'A', OIDC_JWE_MAX_BYTES + 1);
	text[OIDC_JWE_MAX_BYTES + 1] = '\0';
	ASSERT_REFUSED(open_with(text, &key, 1, &plain), &err, ERR_INPUT, "JWE: 32769 octets");
	text[5000] = '\0';
	ASSERT_REFUSED(open_with(with_header(arena_printf(a, "{" ES_GCM ",\"x\":\"%s\"}", text),
					     "." IV_TAG),
				 &key, 1, &plain),
		       &err, ERR_INPUT, "at most 4096");
	text[684] = '\0'; /* 513 octets */
	ASSERT_REFUSED(open_with(with_header(arena_printf(a, "{" ES_GCM ",\"apu\":\"%s\"}", text),
					     "." IV_TAG),
				 &key, 1, &plain),
		       &err, ERR_INPUT, "long apu");
	ASSERT_REFUSED(open_with(with_header(arena_printf(a, "{" ES_GCM ",\"apv\":\"%s\"}", text),
					     "." IV_TAG),
				 &key, 1, &plain),
		       &err, ERR_INPUT, "long apv");
	memset(text, 'A', 1368); /* 1026 octets */
	text[1368] = '\0';
	ASSERT_REFUSED(open_with(with_header("{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A128GCM\"}",
					     arena_printf(a, ".%s" IV_TAG, text)),
				 &key, 1, &plain),
		       &err, ERR_INPUT, "encrypted key of wrong size");
}

/* CVE-2026-29000, CVE-2026-9793: what was only encrypted was believed. */
static void
only_a_signed_token_comes_out_of_an_encrypted_one(void **state UNUSED)
{
	struct oidc_enc_jwk key = enc_key(OIDC_KEY_P256);
	struct oidc_jwe_keys ours = {&k->ops, &key, 1};
	const char *inner[] = {
		"{\"sub\":\"x\"}",
		"eyJhbGciOiJub25lIn0.e30.",
		built(OIDC_KEY_P256, OIDC_ECDH_ES, OIDC_A128GCM, "{\"sub\":\"x\"}"),
	};
	static const char *const parts[] = {"of 1 parts", "not one we verify", "of 5 parts"};
	const char *jws = token_of(a, OIDC_ES256, "{\"alg\":\"ES256\"}", "{\"sub\":\"x\"}");
	struct oidc_jws out;

	for (size_t i = 0; i < ARRAY_LEN(inner); i++)
		ASSERT_REFUSED(oidc_jwe_open_jws(a,
						 bytes_of(built(OIDC_KEY_P256, OIDC_ECDH_ES,
								OIDC_A128GCM, inner[i])),
						 &ours, &out, &err),
			       &err, ERR_INPUT, parts[i]);
	const char *nested = built(OIDC_KEY_P256, OIDC_ECDH_ES, OIDC_A128GCM, jws);

	assert_true(oidc_is_jwe(bytes_of(nested)));
	assert_false(oidc_is_jwe(bytes_of(jws)));
	ASSERT_OK(oidc_jwe_open_jws(a, bytes_of(nested), &ours, &out, &err), &err);
	assert_int_equal(out.alg, OIDC_ES256);
}

static bool
away_agree(void *ctx UNUSED, struct arena *arena UNUSED, const char *kid UNUSED,
	   struct bytes peer_spki UNUSED, struct bytes info UNUSED, size_t n UNUSED,
	   struct bytes *key UNUSED, struct err *e)
{
	return FAIL(e, ERR_UNAVAILABLE, NULL, "signer is away");
}

static void
a_signer_that_is_away_is_told(void **state UNUSED)
{
	struct oidc_enc_jwk key = enc_key(OIDC_KEY_P256);
	struct key_ops ops = k->ops;
	struct oidc_jwe_keys ours = {&ops, &key, 1};
	struct bytes plain;

	ops.agree = away_agree;
	ASSERT_REFUSED(
		oidc_jwe_open(a, bytes_of(built(OIDC_KEY_P256, OIDC_ECDH_ES, OIDC_A128GCM, "x")),
			      &ours, &plain, &err),
		&err, ERR_UNAVAILABLE, "signer is away");
}

static int
keys_setup(void **state)
{
	int r = setup(state);

	k = test_keys_create(a);
	return r;
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, keys_setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_tokens_of_the_standards_open),
		T(the_agreement_of_the_standard_comes_out),
		T(every_algorithm_opens_with_its_kind_of_key_and_no_other),
		T(what_is_in_no_list_is_not_built),
		T(any_changed_character_is_refused),
		T(shapes_that_are_no_encrypted_token_of_ours_are_refused),
		T(algorithms_outside_the_lists_are_refused),
		T(an_ephemeral_key_that_is_none_does_not_open),
		T(all_that_depends_on_a_key_fails_alike),
		T(without_a_kid_each_key_is_tried),
		T(sizes_are_capped),
		T(only_a_signed_token_comes_out_of_an_encrypted_one),
		T(a_signer_that_is_away_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
