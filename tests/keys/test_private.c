/* Private keys and their operations (keys/private.h), through the key_ops of tests. */
#include "tests/test.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/enc.h"
#include "keys/cert.h"
#include "keys/key_type.h"
#include "keys/private.h"
#include "tests/keys/test_keys.h"

static void
signatures_verify_and_only_over_their_text(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 22);
	struct test_keys *t = test_keys_create(a);
	const struct sig_alg_row *row;
	struct err err = {0};

	for (int turn = 0; turn < 3; turn++) /* contexts serve more than once */
		for (size_t i = 0; (row = sig_alg_at(i)) != NULL; i++) {
			const struct test_key *k = test_key_of(t, KEY_SAML_SIGN, row->type);
			size_t half = key_type_row(row->type)->field_bytes;
			struct bytes text = row->jose == NULL || (turn == 1 && row->xml != NULL)
						    ? test_redirect_query(a, row->xml)
						    : test_jws_input(a, row->jose, k->kid);
			struct bytes sig;

			ASSERT_OK(t->ops.sign(t->ops.ctx, a, k->kid, row->alg, text, &sig, &err),
				  &err);
			assert_int_equal(sig.n, half > 0 ? 2 * half : 384);
			assert_true(test_verifies(k->pub, row->alg, text, sig));
			assert_false(test_verifies(k->pub, row->alg, bytes_of("other"), sig));
		}
	arena_destroy(a);
}

static struct bytes
text_of(struct arena *a, const struct sig_alg_row *row, const char *kid)
{
	return row->xml != NULL ? test_redirect_query(a, row->xml)
				: test_jws_input(a, row->jose, kid);
}

/* Each algorithm with each key that signs: those of its own type alone. */
static void
an_algorithm_is_made_by_one_type_of_key(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 22);
	struct test_keys *t = test_keys_create(a);
	const struct sig_alg_row *row, *other;
	struct bytes sig;
	struct err err = {0};

	for (size_t i = 0; (row = sig_alg_at(i)) != NULL; i++)
		for (size_t j = 0; (other = sig_alg_at(j)) != NULL; j++) {
			const struct test_key *k = test_key_of(t, KEY_SAML_SIGN, other->type);

			if (row->type != other->type)
				ASSERT_REFUSED(t->ops.sign(t->ops.ctx, a, k->kid, row->alg,
							   text_of(a, row, k->kid), &sig, &err),
					       &err, ERR_DENIED, "no signatures of this kind");
		}
	assert_int_equal(key_type_of_sig(SIG_NONE), 0);
	assert_null(sig_alg_row((enum sig_alg)99));
	arena_destroy(a);
}

static void
a_key_signs_only_with_its_own_algorithms(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	struct test_keys *t = test_keys_create(a);
	struct bytes sig;
	struct err err = {0};

	ASSERT_REFUSED(t->ops.sign(t->ops.ctx, a, "test-p256", SIG_RS256,
				   test_jws_input(a, "RS256", "test-p256"), &sig, &err),
		       &err, ERR_DENIED, "no signatures of this kind");
	ASSERT_REFUSED(t->ops.sign(t->ops.ctx, a, "test-dec-p256", SIG_ES256,
				   test_jws_input(a, "ES256", "test-dec-p256"), &sig, &err),
		       &err, ERR_DENIED, "no signatures of this kind");
	ASSERT_REFUSED(t->ops.sign(t->ops.ctx, a, "nobody", SIG_ES256,
				   test_jws_input(a, "ES256", "nobody"), &sig, &err),
		       &err, ERR_DENIED, "no such key");
	arena_destroy(a);
}

static struct bytes
oaep_with(struct arena *a, EVP_PKEY *pub, const EVP_MD *md, const EVP_MD *mask, const char *label,
	  struct bytes key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pub, NULL);
	size_t n = 1024;
	unsigned char *p = arena_alloc(a, n);

	assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
	EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING);
	EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md);
	EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mask);
	if (label != NULL)
		EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, OPENSSL_strdup(label), (int)strlen(label));
	assert_int_equal(EVP_PKEY_encrypt(ctx, p, &n, key.p, key.n), 1);
	EVP_PKEY_CTX_free(ctx);
	return (struct bytes){p, n};
}

static struct bytes
oaep(struct arena *a, EVP_PKEY *pub, const EVP_MD *md, struct bytes key)
{
	return oaep_with(a, pub, md, md, NULL, key);
}

static void
oaep_of_another_digest_mask_or_label_does_not_open(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 22);
	struct test_keys *t = test_keys_create(a);
	const struct {
		const EVP_MD *md, *mask;
		const char *label;
	} rows[] = {{EVP_sha256(), EVP_sha1(), NULL},    {EVP_sha1(), EVP_sha256(), NULL},
		    {EVP_sha384(), EVP_sha384(), NULL},  {EVP_sha512(), EVP_sha512(), NULL},
		    {EVP_sha256(), EVP_sha256(), "key"}, {EVP_sha1(), EVP_sha1(), "key"}};
	struct bytes content = bytes_of("0123456789abcdef"), key;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int alg = WRAP_RSA_OAEP_SHA256; alg <= WRAP_RSA_OAEP_SHA1; alg++)
			ASSERT_REFUSED(
				t->ops.unwrap(t->ops.ctx, a, "test-dec-rsa", (enum wrap_alg)alg,
					      oaep_with(a, t->dec_rsa.pub, rows[i].md, rows[i].mask,
							rows[i].label, content),
					      &key, &err),
				&err, ERR_INPUT, "wrapped key does not open");
	arena_destroy(a);
}

static void
a_wrapped_key_opens_and_every_other_octet_is_refused_alike(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 22);
	struct test_keys *t = test_keys_create(a);
	struct bytes content = bytes_of("0123456789abcdef0123456789abcdef"), key, wrapped;
	struct err err = {0};

	wrapped = oaep(a, t->dec_rsa.pub, EVP_sha1(), content);
	ASSERT_OK(t->ops.unwrap(t->ops.ctx, a, "test-dec-rsa", WRAP_RSA_OAEP_SHA1, wrapped, &key,
				&err),
		  &err);
	assert_true(bytes_eq(key, content));
	wrapped = oaep(a, t->dec_rsa.pub, EVP_sha256(), content);
	ASSERT_OK(t->ops.unwrap(t->ops.ctx, a, "test-dec-rsa", WRAP_RSA_OAEP_SHA256, wrapped, &key,
				&err),
		  &err);
	assert_true(bytes_eq(key, content));
	ASSERT_REFUSED(t->ops.unwrap(t->ops.ctx, a, "test-dec-rsa", WRAP_RSA_OAEP_SHA1, wrapped,
				     &key, &err),
		       &err, ERR_INPUT, "wrapped key does not open");
	for (size_t i = 0; i < wrapped.n; i += 37) {
		struct bytes bad = arena_bytes(a, wrapped);

		((unsigned char *)(uintptr_t)bad.p)[i] ^= 1;
		ASSERT_REFUSED(t->ops.unwrap(t->ops.ctx, a, "test-dec-rsa", WRAP_RSA_OAEP_SHA256,
					     bad, &key, &err),
			       &err, ERR_INPUT, "wrapped key does not open");
	}
	arena_destroy(a);
}

static void
a_content_key_of_odd_length_is_refused(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	struct test_keys *t = test_keys_create(a);
	unsigned char content[65] = {1};
	struct bytes key;
	struct err err = {0};

	for (size_t n = 15; n <= 65; n += 50)
		ASSERT_REFUSED(t->ops.unwrap(t->ops.ctx, a, "test-dec-rsa", WRAP_RSA_OAEP_SHA256,
					     oaep(a, t->dec_rsa.pub, EVP_sha256(),
						  (struct bytes){content, n}),
					     &key, &err),
			       &err, ERR_INPUT, "wrapped key does not open");
	arena_destroy(a);
}

static void
only_a_decryption_key_unwraps(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	struct test_keys *t = test_keys_create(a);
	static const struct {
		const char *kid;
		enum wrap_alg alg;
	} rows[] = {{"test-rsa", WRAP_RSA_OAEP_SHA256},
		    {"test-dec-p256", WRAP_RSA_OAEP_SHA256},
		    {"test-dec-rsa", WRAP_NONE},
		    {"test-dec-rsa", (enum wrap_alg)9}};
	struct bytes key;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ASSERT_REFUSED(t->ops.unwrap(t->ops.ctx, a, rows[i].kid, rows[i].alg, bytes_of("x"),
					     &key, &err),
			       &err, ERR_DENIED, "does not unwrap in this way");
	arena_destroy(a);
}

/* The other side of the agreement, on OpenSSL's own ConcatKDF (SSKDF). */
static void
peer_agrees(EVP_PKEY *mine, EVP_PKEY *theirs, struct bytes info, unsigned char *out, size_t n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(mine, NULL);
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SSKDF", NULL);
	EVP_KDF_CTX *kctx = EVP_KDF_CTX_new(kdf);
	unsigned char z[64];
	size_t z_n = sizeof(z);
	char digest[] = "SHA256";

	assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
	assert_int_equal(EVP_PKEY_derive_set_peer(ctx, theirs), 1);
	assert_int_equal(EVP_PKEY_derive(ctx, z, &z_n), 1);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, z, z_n),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info.p,
						  info.n),
		OSSL_PARAM_construct_end(),
	};
	assert_int_equal(EVP_KDF_derive(kctx, out, n, params), 1);
	EVP_KDF_CTX_free(kctx);
	EVP_KDF_free(kdf);
	EVP_PKEY_CTX_free(ctx);
}

static const enum key_type curves[] = {KEY_P256, KEY_P384, KEY_BP256, KEY_BP384};

static void
both_sides_agree_on_a_key_of_any_length(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 22);
	struct test_keys *t = test_keys_create(a);
	struct bytes spki, key, info = bytes_of("AlgorithmID and parties");
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
		const struct test_key *k = test_key_of(t, KEY_DECRYPT, curves[i]);
		EVP_PKEY *peer = EVP_EC_gen(key_type_row(curves[i])->curve);

		ASSERT_OK(cert_spki_build(a, peer, &spki, &err), &err);
		for (size_t n = 16; n <= 64; n += 8) {
			unsigned char want[64];

			ASSERT_OK(t->ops.agree(t->ops.ctx, a, k->kid, spki, info, n, &key, &err),
				  &err);
			peer_agrees(peer, k->pub, info, want, n);
			assert_true(bytes_eq(key, (struct bytes){want, n}));
		}
		EVP_PKEY_free(peer);
	}
	arena_destroy(a);
}

static void
a_point_off_the_curve_or_in_another_form_is_refused(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 22);
	struct test_keys *t = test_keys_create(a);
	struct bytes key, none = bytes_of("");
	struct err err = {0};

	for (size_t c = 0; c < ARRAY_LEN(curves); c++) {
		const struct test_key *k = test_key_of(t, KEY_DECRYPT, curves[c]);
		const char *why =
			arena_printf(a, "not a point of %s", key_type_row(curves[c])->title);
		struct bytes cut = k->spki;

		cut.n--;
		ASSERT_REFUSED(t->ops.agree(t->ops.ctx, a, k->kid, cut, none, 32, &key, &err), &err,
			       ERR_INPUT, why);
		ASSERT_REFUSED(
			t->ops.agree(t->ops.ctx, a, k->kid, t->rsa.spki, none, 32, &key, &err),
			&err, ERR_INPUT, why);
		for (size_t o = 0; o < ARRAY_LEN(curves); o++)
			if (o != c)
				ASSERT_REFUSED(
					t->ops.agree(t->ops.ctx, a, k->kid,
						     test_key_of(t, KEY_DECRYPT, curves[o])->spki,
						     none, 32, &key, &err),
					&err, ERR_INPUT, why);
		for (size_t i = 0; i < k->spki.n; i++) { /* any octet another: off the curve */
			struct bytes bad = arena_bytes(a, k->spki);

			((unsigned char *)(uintptr_t)bad.p)[i] ^= 1;
			ASSERT_REFUSED(
				t->ops.agree(t->ops.ctx, a, k->kid, bad, none, 32, &key, &err),
				&err, ERR_INPUT, why);
		}
	}
	arena_destroy(a);
}

static void
only_an_ec_decryption_key_agrees_and_on_16_to_64_octets(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	struct test_keys *t = test_keys_create(a);
	static const struct {
		const char *kid;
		size_t n;
	} rows[] = {{"test-p256", 32},
		    {"test-dec-rsa", 32},
		    {"test-dec-p256", 15},
		    {"test-dec-p256", 65}};
	struct bytes key;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ASSERT_REFUSED(t->ops.agree(t->ops.ctx, a, rows[i].kid, t->p256.spki, bytes_of(""),
					    rows[i].n, &key, &err),
			       &err, ERR_DENIED, "does not agree in this way");
	arena_destroy(a);
}

/* PKCS#8 of a fresh key that is none of ours. */
static struct bytes
foreign_key(struct arena *a, const char *type, const char *curve)
{
	EVP_PKEY *pkey = curve == NULL ? EVP_PKEY_Q_keygen(NULL, NULL, type, (size_t)2048)
				       : EVP_PKEY_Q_keygen(NULL, NULL, type, curve);
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
	unsigned char *p = arena_alloc(a, 4096), *end = p;
	int n = i2d_PKCS8_PRIV_KEY_INFO(info, &end);

	assert_true(n > 0 && n < 4096);
	PKCS8_PRIV_KEY_INFO_free(info);
	EVP_PKEY_free(pkey);
	return (struct bytes){p, (size_t)n};
}

static void
a_weaker_key_or_one_of_another_curve_is_refused(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	struct crypto c;
	struct private_key k;
	struct bytes p256, longer;
	struct err err = {0};

	ASSERT_OK(crypto_init(a, &c, &err), &err);
	ASSERT_OK(private_key_generate(a, KEY_P256, &p256, &err), &err);
	const struct {
		enum key_type type;
		struct bytes key;
	} rows[] = {
		{KEY_RSA3072, foreign_key(a, "RSA", NULL)},
		{KEY_P256, foreign_key(a, "EC", "P-384")},
		{KEY_P256, foreign_key(a, "EC", "secp256k1")},
		{KEY_P256, foreign_key(a, "EC", "brainpoolP256r1")},
		{KEY_P384, foreign_key(a, "EC", "brainpoolP384r1")},
		{KEY_BP256, foreign_key(a, "EC", "brainpoolP256t1")},
		{KEY_BP256, p256},
		{KEY_BP384, foreign_key(a, "EC", "brainpoolP256r1")},
		{KEY_BP384, foreign_key(a, "RSA", NULL)},
		{KEY_SECRET, p256},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_false(private_key_init(a, &c, "k", KEY_SAML_SIGN, rows[i].type, rows[i].key,
					      1, &k, NULL));
	/* The same key with one octet more. */
	unsigned char *p = arena_alloc(a, p256.n + 1);

	memcpy(p, p256.p, p256.n);
	p[p256.n] = 0;
	longer = (struct bytes){p, p256.n + 1};
	ASSERT_OK(private_key_init(a, &c, "k", KEY_SAML_SIGN, KEY_P256, p256, 1, &k, &err), &err);
	ASSERT_REFUSED(private_key_init(a, &c, "k", KEY_SAML_SIGN, KEY_P256, longer, 1, &k, &err),
		       &err, ERR_INPUT, "not a private key of its type");
	arena_destroy(a);
}

static void
a_private_key_of_another_type_is_refused(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	struct crypto c;
	struct private_key k;
	struct bytes p256, secret;
	struct err err = {0};

	ASSERT_OK(crypto_init(a, &c, &err), &err);
	ASSERT_OK(private_key_generate(a, KEY_P256, &p256, &err), &err);
	ASSERT_OK(private_key_generate(a, KEY_SECRET, &secret, &err), &err);
	assert_int_equal(secret.n, 32);
	ASSERT_REFUSED(private_key_init(a, &c, "k", KEY_SAML_SIGN, KEY_RSA3072, p256, 1, &k, &err),
		       &err, ERR_INPUT, "not a private key of its type");
	ASSERT_REFUSED(private_key_init(a, &c, "k", KEY_SAML_SIGN, KEY_P256, secret, 1, &k, &err),
		       &err, ERR_INPUT, "not a private key of its type");
	ASSERT_REFUSED(private_key_init(a, &c, "k", KEY_COOKIE, KEY_SECRET, p256, 1, &k, &err),
		       &err, ERR_INPUT, "not a private key of its type");
	ASSERT_REFUSED(private_key_init(a, &c, "k", KEY_COOKIE, KEY_P256, p256, 1, &k, &err), &err,
		       ERR_DENIED, "no such purpose");
	ASSERT_REFUSED(private_key_generate(a, (enum key_type)9, &p256, &err), &err, ERR_INTERNAL,
		       "cannot be made");
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_verify_and_only_over_their_text),
		cmocka_unit_test(an_algorithm_is_made_by_one_type_of_key),
		cmocka_unit_test(a_key_signs_only_with_its_own_algorithms),
		cmocka_unit_test(oaep_of_another_digest_mask_or_label_does_not_open),
		cmocka_unit_test(a_wrapped_key_opens_and_every_other_octet_is_refused_alike),
		cmocka_unit_test(a_content_key_of_odd_length_is_refused),
		cmocka_unit_test(only_a_decryption_key_unwraps),
		cmocka_unit_test(both_sides_agree_on_a_key_of_any_length),
		cmocka_unit_test(a_point_off_the_curve_or_in_another_form_is_refused),
		cmocka_unit_test(only_an_ec_decryption_key_agrees_and_on_16_to_64_octets),
		cmocka_unit_test(a_private_key_of_another_type_is_refused),
		cmocka_unit_test(a_weaker_key_or_one_of_another_curve_is_refused),
	};

	return cmocka_run_group_tests_name("private", tests, NULL, NULL);
}
