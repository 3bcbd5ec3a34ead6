/* keys/envelope.c against the private halves of the test keys and OpenSSL's own vectors. */
#include "tests/test.h"

#include <openssl/evp.h>

#include "base/enc.h"
#include "keys/cert.h"
#include "keys/envelope.h"
#include "tests/keys/test_keys.h"

static struct arena *a;
static struct err err;

static int
setup(void **state UNUSED)
{
	a = arena_create(1 << 20);
	err_clear(&err);
	return a == NULL;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(a);
	return 0;
}

static struct bytes
hex(const char *s)
{
	struct bytes b = {NULL, 0};

	ASSERT_OK(dec_hex(a, bytes_of(s), &b, &err), &err);
	return b;
}

static struct bytes
copy_with(struct bytes b, size_t i)
{
	struct bytes c = arena_bytes(a, b);

	((unsigned char *)(uintptr_t)c.p)[i] ^= 1;
	return c;
}

static void
a_content_key_wrapped_for_rsa_is_unwrapped(void **state UNUSED)
{
	static const enum wrap_alg algs[] = {WRAP_RSA_OAEP_SHA256, WRAP_RSA_OAEP_SHA1};
	struct test_keys *k = test_keys_create(a);
	struct bytes key = hex("000102030405060708090a0b0c0d0e0f"), wrapped, got;

	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		ASSERT_OK(envelope_wrap_rsa(a, k->dec_rsa.pub, algs[i], key, &wrapped, &err), &err);
		assert_int_equal(wrapped.n, 384);
		ASSERT_OK(
			k->ops.unwrap(k->ops.ctx, a, k->dec_rsa.kid, algs[i], wrapped, &got, &err),
			&err);
		assert_true(bytes_eq(got, key));
		ASSERT_REFUSED(
			k->ops.unwrap(k->ops.ctx, a, k->dec_rsa.kid, algs[!i], wrapped, &got, &err),
			&err, ERR_INPUT, "does not open");
	}
	ASSERT_REFUSED(envelope_wrap_rsa(a, k->dec_p256.pub, algs[0], key, &wrapped, &err), &err,
		       ERR_INTERNAL, "RSA key");
}

static struct bytes
spki_of_point(const char *curve, struct bytes point)
{
	struct bytes spki;
	EVP_PKEY *key;

	ASSERT_OK(cert_ec_parse(a, curve, point, &key, &err), &err);
	ASSERT_OK(cert_spki_build(a, key, &spki, &err), &err);
	return spki;
}

static void
both_sides_of_an_agreement_derive_the_same_key(void **state UNUSED)
{
	struct test_keys *k = test_keys_create(a);
	struct bytes info = bytes_of("other info"), point, ours, theirs;

	for (size_t n = 16; n <= 48; n += 16) {
		ASSERT_OK(envelope_agree(a, k->dec_p256.pub, info, n, &point, &theirs, &err), &err);
		assert_int_equal(point.n, 65);
		assert_int_equal(theirs.n, n);
		ASSERT_OK(k->ops.agree(k->ops.ctx, a, k->dec_p256.kid,
				       spki_of_point("prime256v1", point), info, n, &ours, &err),
			  &err);
		assert_true(bytes_eq(ours, theirs));
	}
	ASSERT_REFUSED(envelope_agree(a, k->dec_rsa.pub, info, 16, &point, &theirs, &err), &err,
		       ERR_INTERNAL, "EC key");
}

static void
an_agreement_works_on_every_permitted_curve(void **state UNUSED)
{
	static const char *const curves[] = {"prime256v1",      "secp384r1",
					     "secp521r1",       "brainpoolP256r1",
					     "brainpoolP384r1", "brainpoolP512r1"};
	struct bytes point, key, again;

	for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
		EVP_PKEY *pub = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[i]);

		assert_non_null(pub);
		ASSERT_OK(envelope_agree(a, pub, (struct bytes){0}, 32, &point, &key, &err), &err);
		spki_of_point(curves[i], point);
		ASSERT_OK(envelope_agree(a, pub, (struct bytes){0}, 32, &point, &again, &err),
			  &err);
		assert_false(bytes_eq(key, again));
		EVP_PKEY_free(pub);
	}
}

static void
aes_key_wrap_is_rfc_3394(void **state UNUSED)
{
	/* RFC 3394 4.1 and 4.6. */
	static const struct {
		const char *kek, *key, *wrapped;
	} rows[] = {
		{"000102030405060708090A0B0C0D0E0F", "00112233445566778899AABBCCDDEEFF",
		 "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5"},
		{"000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
		 "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F",
		 "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD2"
		 "1"},
	};
	struct bytes got;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes kek = hex(rows[i].kek), key = hex(rows[i].key),
			     wrapped = hex(rows[i].wrapped);

		ASSERT_OK(envelope_wrap_aes(a, kek, key, &got, &err), &err);
		assert_true(bytes_eq(got, wrapped));
		ASSERT_OK(envelope_unwrap_aes(a, kek, wrapped, &got, &err), &err);
		assert_true(bytes_eq(got, key));
		for (size_t k = 0; k < wrapped.n; k++)
			ASSERT_REFUSED(
				envelope_unwrap_aes(a, kek, copy_with(wrapped, k), &got, &err),
				&err, ERR_INPUT, "does not open");
		for (size_t n = 0; n < wrapped.n; n++) {
			wrapped.n = n;
			ASSERT_REFUSED(envelope_unwrap_aes(a, kek, wrapped, &got, &err), &err,
				       ERR_INPUT, "does not open");
			wrapped.n = key.n + 8;
		}
		kek.n = 24;
		ASSERT_REFUSED(envelope_wrap_aes(a, kek, key, &got, &err), &err, ERR_INTERNAL,
			       "cannot be wrapped");
	}
}

static void
gcm_opens_only_what_was_sealed(void **state UNUSED)
{
	struct bytes key = hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
	struct bytes sealed, got, aad = bytes_of("header"), plain = bytes_of("content");

	for (size_t n = 16; n <= 32; n += 16) {
		key.n = n;
		ASSERT_OK(envelope_seal(a, key, aad, plain, &sealed, &err), &err);
		assert_int_equal(sealed.n, 12 + plain.n + 16);
		ASSERT_OK(envelope_open(a, key, aad, sealed, &got, &err), &err);
		assert_true(bytes_eq(got, plain));
		for (size_t i = 0; i < sealed.n; i++)
			ASSERT_REFUSED(envelope_open(a, key, aad, copy_with(sealed, i), &got, &err),
				       &err, ERR_INPUT, "does not open");
		/* CVE-2026-32600: a tag cut short is no tag. */
		for (size_t cut = 1; cut <= sealed.n; cut++)
			ASSERT_REFUSED(envelope_open(a, key, aad,
						     (struct bytes){sealed.p, sealed.n - cut}, &got,
						     &err),
				       &err, ERR_INPUT, "does not open");
		ASSERT_REFUSED(envelope_open(a, key, plain, sealed, &got, &err), &err, ERR_INPUT,
			       "does not open");
		ASSERT_OK(
			envelope_seal(a, key, (struct bytes){0}, (struct bytes){0}, &sealed, &err),
			&err);
		ASSERT_OK(envelope_open(a, key, (struct bytes){0}, sealed, &got, &err), &err);
		assert_int_equal(got.n, 0);
	}
	key.n = 24;
	ASSERT_REFUSED(envelope_seal(a, key, aad, plain, &sealed, &err), &err, ERR_INTERNAL,
		       "cannot be encrypted");
	ASSERT_REFUSED(envelope_open(a, key, aad, plain, &got, &err), &err, ERR_INPUT,
		       "does not open");
}

static void
gcm_opens_a_known_vector(void **state UNUSED)
{
	/* NIST's GCM specification, test case 4. */
	struct bytes got;

	ASSERT_OK(
		envelope_open(a, hex("feffe9928665731c6d6a8f9467308308"),
			      hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
			      hex("cafebabefacedbaddecaf888"
				  "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
				  "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
				  "5bc94fbc3221a5db94fae95ae7121a47"),
			      &got, &err),
		&err);
	assert_true(
		bytes_eq(got, hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
				  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39")));
}

/* RFC 7518 B.1 and B.3. */
static void
cbc_with_hmac_opens_the_vectors_of_the_standard(void **state UNUSED)
{
	static const char key[] =
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
		"202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f";
	static const struct {
		size_t key_bytes;
		const char *sealed;
	} rows[] = {
		{32, "1af38c2dc2b96ffdd86694092341bc04"
		     "c80edfa32ddf39d5ef00c0b468834279a2e46a1b8049f792f76bfe54b903a9c9"
		     "a94ac9b47ad2655c5f10f9aef71427e2fc6f9b3f399a221489f16362c7032336"
		     "09d45ac69864e3321cf82935ac4096c86e133314c54019e8ca7980dfa4b9cf1b"
		     "384c486f3a54c51078158ee5d79de59fbd34d848b3d69550a67646344427ade5"
		     "4b8851ffb598f7f80074b9473c82e2db652c3fa36b0a7c5b3219fab3a30bc1c4"},
		{64, "1af38c2dc2b96ffdd86694092341bc04"
		     "4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd"
		     "822c301dd67c373bccb584ad3e9279c2e6d12a1374b77f077553df829410446b"
		     "36ebd97066296ae6427ea75c2e0846a11a09ccf5370dc80bfecbad28c73f09b3"
		     "a3b75e662a2594410ae496b2e2e6609e31e6e02cc837f053d21f37ff4f51950b"
		     "be2638d09dd7a4930930806d0703b1f6"
		     "4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes got, k = {hex(key).p, rows[i].key_bytes};

		ASSERT_OK(envelope_open_cbc(a, k,
					    bytes_of("The second principle of Auguste Kerckhoffs"),
					    hex(rows[i].sealed), &got, &err),
			  &err);
		assert_true(bytes_eq(
			got, bytes_of("A cipher system must not be required to be secret, and it "
				      "must be able to fall into the hands of the enemy without "
				      "inconvenience")));
	}
}

static void
cbc_with_hmac_opens_only_what_was_sealed(void **state UNUSED)
{
	unsigned char octets[64];
	struct bytes sealed, got, aad = bytes_of("header"), plain = bytes_of("content");

	memset(octets, 7, sizeof(octets));
	for (size_t n = 32; n <= 64; n += 32) {
		struct bytes key = {octets, n};

		ASSERT_OK(envelope_seal_cbc(a, key, aad, plain, &sealed, &err), &err);
		assert_int_equal(sealed.n, 16 + 16 + n / 2);
		ASSERT_OK(envelope_open_cbc(a, key, aad, sealed, &got, &err), &err);
		assert_true(bytes_eq(got, plain));
		for (size_t i = 0; i < sealed.n; i++)
			ASSERT_REFUSED(
				envelope_open_cbc(a, key, aad, copy_with(sealed, i), &got, &err),
				&err, ERR_INPUT, "does not open");
		for (size_t cut = 1; cut <= sealed.n; cut++)
			ASSERT_REFUSED(envelope_open_cbc(a, key, aad,
							 (struct bytes){sealed.p, sealed.n - cut},
							 &got, &err),
				       &err, ERR_INPUT, "does not open");
		ASSERT_REFUSED(envelope_open_cbc(a, key, bytes_of("heade"), sealed, &got, &err),
			       &err, ERR_INPUT, "does not open");
		ASSERT_OK(envelope_seal_cbc(a, key, aad, (struct bytes){octets, 0}, &sealed, &err),
			  &err);
		ASSERT_OK(envelope_open_cbc(a, key, aad, sealed, &got, &err), &err);
		assert_int_equal(got.n, 0);
	}
	for (size_t n = 0; n < 64; n++) {
		struct bytes odd = {octets, n};

		if (n == 32)
			continue;
		ASSERT_REFUSED(envelope_seal_cbc(a, odd, aad, plain, &sealed, &err), &err,
			       ERR_INTERNAL, "cannot be encrypted");
		ASSERT_REFUSED(envelope_open_cbc(a, odd, aad, sealed, &got, &err), &err, ERR_INPUT,
			       "does not open");
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_content_key_wrapped_for_rsa_is_unwrapped),
		T(both_sides_of_an_agreement_derive_the_same_key),
		T(an_agreement_works_on_every_permitted_curve),
		T(aes_key_wrap_is_rfc_3394),
		T(gcm_opens_only_what_was_sealed),
		T(gcm_opens_a_known_vector),
		T(cbc_with_hmac_opens_the_vectors_of_the_standard),
		T(cbc_with_hmac_opens_only_what_was_sealed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
