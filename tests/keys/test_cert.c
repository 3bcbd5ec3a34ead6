/* Certificates and public keys (keys/cert.h, keys/cert_build.h). */
#include "tests/test.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/hash.h"
#include "keys/cert.h"
#include "keys/cert_build.h"
#include "tests/keys/test_keys.h"

#define NOT_BEFORE ((time_t)1800000000)

static void
free_pkey(void *p)
{
	EVP_PKEY_free(p);
}

static EVP_PKEY *
keep(struct arena *a, EVP_PKEY *p)
{
	assert_non_null(p);
	arena_defer(a, free_pkey, p);
	return p;
}

/* A public RSA key of modulus n, which is freed, and any exponent, however bad. */
static EVP_PKEY *
rsa_public_of(struct arena *a, BIGNUM *n, const char *e_hex)
{
	BIGNUM *e = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY *pub = NULL;

	assert_true(BN_hex2bn(&e, e_hex) > 0);
	OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);

	EVP_PKEY_fromdata_init(ctx);
	EVP_PKEY_fromdata(ctx, &pub, EVP_PKEY_PUBLIC_KEY, params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	BN_free(e);
	return keep(a, pub);
}

static EVP_PKEY *
rsa_public(struct arena *a, int bits, bool odd, const char *e_hex)
{
	BIGNUM *n = BN_new();

	assert_int_equal(BN_rand(n, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD), 1);
	if (!odd)
		BN_clear_bit(n, 0);
	return rsa_public_of(a, n, e_hex);
}

static void
rsa_keys_are_measured(void **state UNUSED)
{
	static const struct {
		int bits;
		bool odd;
		const char *e, *why;
	} rows[] = {
		{2048, true, "10001", NULL},
		{3072, true, "FFFFFFFFFFFFFFFF", NULL},
		{2047, true, "10001", "shorter than 2048"},
		{1024, true, "10001", "shorter than 2048"},
		{16385, true, "10001", "longer than 16384"},
		{2048, false, "10001", "modulus is even"},
		{2048, true, "3", "exponent is out of range"},
		{2048, true, "FFFF", "exponent is out of range"},
		{2048, true, "10002", "exponent is out of range"},
		{2048, true, "10000000000000001", "exponent is out of range"},
	};
	struct arena *a = arena_create(1 << 20);
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		EVP_PKEY *pub = rsa_public(a, rows[i].bits, rows[i].odd, rows[i].e);

		if (rows[i].why == NULL)
			ASSERT_OK(cert_key_check(pub, &err), &err);
		else
			ASSERT_REFUSED(cert_key_check(pub, &err), &err, ERR_INPUT, rows[i].why);
	}
	arena_destroy(a);
}

/* CVE-2017-15361: 65537^128, whose residues are those of such keys. */
static void
keys_of_a_faulty_generator_are_refused(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	BIGNUM *n = BN_new(), *g = BN_new(), *e = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	struct err err = {0};

	assert_true(BN_set_word(g, 65537) == 1 && BN_set_word(e, 128) == 1);
	assert_int_equal(BN_exp(n, g, e, ctx), 1);
	BN_CTX_free(ctx);
	BN_free(g);
	BN_free(e);
	ASSERT_REFUSED(cert_key_check(rsa_public_of(a, n, "10001"), &err), &err, ERR_INPUT, "ROCA");
	arena_destroy(a);
}

static void
curves_are_on_a_list(void **state UNUSED)
{
	static const struct {
		const char *name;
		bool good;
	} rows[] = {
		{"P-256", true},           {"P-384", true},           {"P-521", true},
		{"brainpoolP256r1", true}, {"brainpoolP384r1", true}, {"brainpoolP512r1", true},
		{"P-224", false},          {"secp256k1", false},      {"brainpoolP256t1", false},
		{"P-192", false},
	};
	struct arena *a = arena_create(1 << 20);
	struct bytes spki;
	EVP_PKEY *again;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		EVP_PKEY *key = keep(a, EVP_EC_gen(rows[i].name));

		ASSERT_OK(cert_spki_build(a, key, &spki, &err), &err);
		if (!rows[i].good) {
			ASSERT_REFUSED(cert_spki_parse(a, spki, &again, &err), &err, ERR_INPUT,
				       "curve is not on the list");
			continue;
		}
		ASSERT_OK(cert_spki_parse(a, spki, &again, &err), &err);
		assert_int_equal(EVP_PKEY_eq(key, again), 1);
	}
	arena_destroy(a);
}

static void
a_curve_spelled_out_and_other_kinds_of_key_are_refused(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	EVP_PKEY *key = keep(a, EVP_EC_gen("P-256"));
	EVP_PKEY *ed = keep(a, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	struct bytes spki;
	struct err err = {0};

	EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING,
				       OSSL_PKEY_EC_ENCODING_EXPLICIT);
	ASSERT_OK(cert_spki_build(a, key, &spki, &err), &err);
	ASSERT_REFUSED(cert_spki_parse(a, spki, &key, &err), &err, ERR_INPUT,
		       "does not name its curve");
	ASSERT_REFUSED(cert_key_check(ed, &err), &err, ERR_INPUT, "neither RSA nor EC");
	arena_destroy(a);
}

static void
a_point_is_a_key_only_on_its_curve(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	EVP_PKEY *key = keep(a, EVP_EC_gen("P-256")), *again;
	unsigned char point[66];
	size_t n;
	struct err err = {0};

	assert_int_equal(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
							 point, sizeof(point), &n),
			 1);
	ASSERT_OK(cert_ec_parse(a, "prime256v1", (struct bytes){point, n}, &again, &err), &err);
	assert_int_equal(EVP_PKEY_eq(key, again), 1);
	for (size_t less = 0; less < n; less++)
		ASSERT_REFUSED(
			cert_ec_parse(a, "prime256v1", (struct bytes){point, less}, &again, &err),
			&err, ERR_INPUT, "not a point");
	ASSERT_REFUSED(cert_ec_parse(a, "secp384r1", (struct bytes){point, n}, &again, &err), &err,
		       ERR_INPUT, "not a point");
	ASSERT_REFUSED(cert_ec_parse(a, "no curve", (struct bytes){point, n}, &again, &err), &err,
		       ERR_INPUT, "not a point");
	point[64] ^= 1; /* an invalid-curve point */
	ASSERT_REFUSED(cert_ec_parse(a, "prime256v1", (struct bytes){point, n}, &again, &err), &err,
		       ERR_INPUT, "not a point");
	point[64] ^= 1;
	point[0] = point[64] & 1 ? 3 : 2; /* compressed */
	ASSERT_REFUSED(cert_ec_parse(a, "prime256v1", (struct bytes){point, 33}, &again, &err),
		       &err, ERR_INPUT, "not a point");
	key = keep(a, EVP_EC_gen("secp256k1"));
	assert_int_equal(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
							 point, sizeof(point), &n),
			 1);
	ASSERT_REFUSED(cert_ec_parse(a, "secp256k1", (struct bytes){point, n}, &again, &err), &err,
		       ERR_INPUT, "not on the list");
	arena_destroy(a);
}

static void
octets_that_are_no_public_key_are_refused(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	struct test_keys *t = test_keys_create(a);
	struct bytes longer = arena_bytes(a, t->p256.spki), big = {arena_alloc(a, 16385), 16385};
	EVP_PKEY *pub;
	struct err err = {0};

	longer.n++;
	ASSERT_REFUSED(cert_spki_parse(a, bytes_of(""), &pub, &err), &err, ERR_INPUT, "empty");
	ASSERT_REFUSED(cert_spki_parse(a, big, &pub, &err), &err, ERR_INPUT, "too long");
	ASSERT_REFUSED(cert_spki_parse(a, bytes_of("x"), &pub, &err), &err, ERR_INPUT,
		       "not a DER public key");
	ASSERT_REFUSED(cert_spki_parse(a, longer, &pub, &err), &err, ERR_INPUT, "octets after");
	arena_destroy(a);
}

static struct bytes
self_signed(struct arena *a, EVP_PKEY *key)
{
	struct bytes der;
	struct err err = {0};

	ASSERT_OK(
		cert_build_self_signed(a, key, "Servicekonto Muster", NOT_BEFORE, 3650, &der, &err),
		&err);
	return der;
}

static void
a_self_signed_certificate_reads_back_as_it_was_asked_for(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	EVP_PKEY *key = keep(a, EVP_EC_gen("P-256"));
	struct bytes der = self_signed(a, key);
	const unsigned char *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);
	struct cert cert;
	unsigned char digest[32];
	char cn[64];
	struct err err = {0};

	ASSERT_OK(cert_parse(a, der, &cert, &err), &err);
	hash_sha256(der, digest);
	assert_int_equal(EVP_PKEY_eq(cert.pub, key), 1);
	assert_memory_equal(cert.sha256, digest, 32);
	assert_int_equal(cert.not_before, NOT_BEFORE);
	assert_int_equal(cert.not_after, NOT_BEFORE + (time_t)3650 * 86400);
	assert_int_equal(X509_verify(x, cert.pub), 1);
	assert_int_equal(X509_get_version(x), X509_VERSION_3);
	assert_non_null(X509_get0_subject_key_id(x));
	X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, cn, sizeof(cn));
	assert_string_equal(cn, "Servicekonto Muster");
	X509_free(x);
	arena_destroy(a);
}

/* Signed with the digest of the key's own size, by itself and by whoever holds it. */
static bool
sign_there(void *ctx, struct arena *a, struct bytes tbs, struct bytes *sig, struct err *err)
{
	EVP_PKEY *key = ctx;
	size_t half = ((size_t)EVP_PKEY_get_bits(key) + 7) / 8, n = 256;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char der[256], *raw = arena_alloc(a, 2 * half);
	const unsigned char *p = der;

	assert_int_equal(EVP_DigestSignInit_ex(md, NULL, half > 32 ? "SHA384" : "SHA256", NULL,
					       NULL, key, NULL),
			 1);
	assert_int_equal(EVP_DigestSign(md, der, &n, tbs.p, tbs.n), 1);
	EVP_MD_CTX_free(md);
	ECDSA_SIG *both = d2i_ECDSA_SIG(NULL, &p, (long)n);

	BN_bn2binpad(ECDSA_SIG_get0_r(both), raw, (int)half);
	BN_bn2binpad(ECDSA_SIG_get0_s(both), raw + half, (int)half);
	ECDSA_SIG_free(both);
	*sig = (struct bytes){raw, 2 * half};
	return err != NULL;
}

static void
a_certificate_is_made_for_each_curve(void **state UNUSED)
{
	static const struct {
		const char *curve;
		int signature;
	} rows[] = {{"P-256", NID_ecdsa_with_SHA256},
		    {"P-384", NID_ecdsa_with_SHA384},
		    {"brainpoolP256r1", NID_ecdsa_with_SHA256},
		    {"brainpoolP384r1", NID_ecdsa_with_SHA384}};
	struct arena *a = arena_create(1 << 20);
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		EVP_PKEY *key = keep(a, EVP_EC_gen(rows[i].curve));
		struct bytes der[2] = {self_signed(a, key)};

		ASSERT_OK(cert_build_signed_by(a, key, "Servicekonto Muster", NOT_BEFORE, 3650,
					       sign_there, key, &der[1], &err),
			  &err);
		for (size_t d = 0; d < 2; d++) {
			const unsigned char *p = der[d].p;
			X509 *x = d2i_X509(NULL, &p, (long)der[d].n);
			struct cert cert;

			ASSERT_OK(cert_parse(a, der[d], &cert, &err), &err);
			assert_int_equal(EVP_PKEY_eq(cert.pub, key), 1);
			assert_int_equal(X509_verify(x, cert.pub), 1);
			assert_int_equal(X509_get_signature_nid(x), rows[i].signature);
			X509_free(x);
		}
	}
	arena_destroy(a);
}

static void
a_certificate_without_name_or_end_is_not_made(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	EVP_PKEY *key = keep(a, EVP_EC_gen("P-256"));
	char name[80];
	struct bytes der;
	struct err err = {0};

	memset(name, 'x', sizeof(name));
	name[65] = '\0';
	ASSERT_REFUSED(cert_build_self_signed(a, key, "", NOT_BEFORE, 1, &der, &err), &err,
		       ERR_INPUT, "without a name");
	ASSERT_REFUSED(cert_build_self_signed(a, key, name, NOT_BEFORE, 1, &der, &err), &err,
		       ERR_INPUT, "cannot be made for this name");
	ASSERT_REFUSED(cert_build_self_signed(a, key, "x", NOT_BEFORE, 0, &der, &err), &err,
		       ERR_INPUT, "for 0 days");
	ASSERT_REFUSED(cert_build_self_signed(a, key, "x", NOT_BEFORE, 36501, &der, &err), &err,
		       ERR_INPUT, "for 36501 days");
	arena_destroy(a);
}

static void
octets_that_are_no_certificate_are_refused(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	EVP_PKEY *weak = keep(a, EVP_EC_gen("P-224"));
	struct bytes der = self_signed(a, keep(a, EVP_EC_gen("P-256"))), weak_der;
	struct bytes longer = arena_bytes(a, der), big = {arena_alloc(a, 16385), 16385};
	struct bytes timeless = arena_bytes(a, der);
	struct cert cert;
	struct err err = {0};

	ASSERT_OK(cert_build_self_signed(a, weak, "x", NOT_BEFORE, 1, &weak_der, &err), &err);
	longer.n++;
	memcpy(memmem(timeless.p, timeless.n, "270115", 6), "271915", 6);
	ASSERT_REFUSED(cert_parse(a, bytes_of(""), &cert, &err), &err, ERR_INPUT, "empty");
	ASSERT_REFUSED(cert_parse(a, big, &cert, &err), &err, ERR_INPUT, "too long");
	ASSERT_REFUSED(cert_parse(a, bytes_of("x"), &cert, &err), &err, ERR_INPUT,
		       "not a DER certificate");
	ASSERT_REFUSED(cert_parse(a, longer, &cert, &err), &err, ERR_INPUT, "octets after");
	ASSERT_REFUSED(cert_parse(a, weak_der, &cert, &err), &err, ERR_INPUT,
		       "curve is not on the list");
	ASSERT_REFUSED(cert_parse(a, timeless, &cert, &err), &err, ERR_INPUT,
		       "time that does not exist");
	arena_destroy(a);
}

/* The key's algorithm replaced by one OpenSSL does not know. */
static void
a_certificate_with_an_unknown_key_is_refused(void **state UNUSED)
{
	static const unsigned char ec_oid[] = {0x06, 0x07, 0x2a, 0x86, 0x48,
					       0xce, 0x3d, 0x02, 0x01};
	struct arena *a = arena_create(1 << 20);
	struct bytes der = self_signed(a, keep(a, EVP_EC_gen("P-256")));
	unsigned char *at = memmem(der.p, der.n, ec_oid, sizeof(ec_oid));
	struct cert cert;
	struct err err = {0};

	at[8] = 0x7f;
	ASSERT_REFUSED(cert_parse(a, der, &cert, &err), &err, ERR_INPUT, "no usable key");
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rsa_keys_are_measured),
		cmocka_unit_test(keys_of_a_faulty_generator_are_refused),
		cmocka_unit_test(curves_are_on_a_list),
		cmocka_unit_test(a_curve_spelled_out_and_other_kinds_of_key_are_refused),
		cmocka_unit_test(a_point_is_a_key_only_on_its_curve),
		cmocka_unit_test(octets_that_are_no_public_key_are_refused),
		cmocka_unit_test(a_self_signed_certificate_reads_back_as_it_was_asked_for),
		cmocka_unit_test(a_certificate_is_made_for_each_curve),
		cmocka_unit_test(a_certificate_without_name_or_end_is_not_made),
		cmocka_unit_test(octets_that_are_no_certificate_are_refused),
		cmocka_unit_test(a_certificate_with_an_unknown_key_is_refused),
	};

	return cmocka_run_group_tests_name("cert", tests, NULL, NULL);
}
