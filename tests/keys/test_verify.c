/* keys/verify.c: each algorithm on its own key type only. */
#include "tests/arena.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "keys/verify.h"

#define TEXT bytes_of("what is signed")

/* Sign with OpenSSL; salt_bytes only for PSS. */
static struct bytes
sign(EVP_PKEY *key, const struct verify_how *how, int salt_bytes)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *p = arena_alloc(a, 1024);
	EVP_PKEY_CTX *pctx;
	size_t n = 1024;

	assert_int_equal(EVP_DigestSignInit_ex(ctx, &pctx, how->digest, NULL, NULL, key, NULL), 1);
	if (how->pss) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, salt_bytes), 1);
	}
	assert_int_equal(EVP_DigestSign(ctx, p, &n, TEXT.p, TEXT.n), 1);
	EVP_MD_CTX_free(ctx);
	return (struct bytes){p, n};
}

/* r || s of half octets each. */
static struct bytes
raw(struct bytes der, int half)
{
	const unsigned char *p = der.p;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der.n);
	unsigned char *out = arena_alloc(a, 2 * (size_t)half);

	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, half), half);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + half, half), half);
	ECDSA_SIG_free(sig);
	return (struct bytes){out, 2 * (size_t)half};
}

static void
refuse_changes(const struct verify_how *how, EVP_PKEY *key, struct bytes sig)
{
	assert_true(verify_signature(how, key, TEXT, sig));
	assert_false(verify_signature(how, key, bytes_of("what is not"), sig));
	for (size_t i = 0; i < sig.n; i++) {
		unsigned char *p = (unsigned char *)(uintptr_t)sig.p;

		p[i] ^= 1;
		assert_false(verify_signature(how, key, TEXT, sig));
		p[i] ^= 1;
	}
	for (size_t n = 0; n < sig.n; n++)
		assert_false(verify_signature(how, key, TEXT, (struct bytes){sig.p, n}));
	unsigned char *longer = arena_alloc(a, sig.n + 2);

	memcpy(longer, sig.p, sig.n);
	assert_false(verify_signature(how, key, TEXT, (struct bytes){longer, sig.n + 2}));
}

static const struct verify_how es256 = {"EC", "SHA256", false}, es384 = {"EC", "SHA384", false},
			       rs256 = {"RSA", "SHA256", false}, rs512 = {"RSA", "SHA512", false},
			       ps256 = {"RSA", "SHA256", true}, eddsa = {"ED25519", NULL, false};

static void
ecdsa_signatures_are_r_and_s_of_the_curves_length(void **state UNUSED)
{
	static const struct {
		const char *curve;
		int half;
	} rows[] = {{"P-256", 32},           {"P-384", 48},           {"P-521", 66},
		    {"brainpoolP256r1", 32}, {"brainpoolP384r1", 48}, {"brainpoolP512r1", 64}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", rows[i].curve);
		struct bytes der = sign(key, &es256, 0);

		refuse_changes(&es256, key, raw(der, rows[i].half));
		refuse_changes(&es384, key, raw(sign(key, &es384, 0), rows[i].half));
		assert_false(verify_signature(&es256, key, TEXT, der));
		assert_false(verify_signature(&es384, key, TEXT, raw(der, rows[i].half)));
		EVP_PKEY_free(key);
	}
}

static void
an_ecdsa_signature_of_zeros_is_refused(void **state UNUSED)
{
	static const unsigned char zeros[64];
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

	assert_false(verify_signature(&es256, key, TEXT, (struct bytes){zeros, sizeof(zeros)}));
	EVP_PKEY_free(key);
}

static void
rsa_padding_and_salt_are_the_rows(void **state UNUSED)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	struct bytes sig = sign(key, &rs256, 0), pss = sign(key, &ps256, 32);

	refuse_changes(&rs256, key, sig);
	refuse_changes(&ps256, key, pss);
	assert_true(verify_signature(&rs512, key, TEXT, sign(key, &rs512, 0)));
	assert_false(verify_signature(&ps256, key, TEXT, sig));
	assert_false(verify_signature(&rs256, key, TEXT, pss));
	assert_false(verify_signature(&rs512, key, TEXT, sig));
	assert_false(verify_signature(&ps256, key, TEXT, sign(key, &ps256, 0)));
	assert_false(verify_signature(&ps256, key, TEXT, sign(key, &ps256, 20)));
	EVP_PKEY_free(key);
}

static void
an_algorithm_is_tried_on_its_own_key_type_only(void **state UNUSED)
{
	static const struct verify_how *const hows[] = {&es256, &es384, &rs256, &ps256, &eddsa};
	EVP_PKEY *keys[] = {
		EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"),
		EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048),
		EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
		EVP_PKEY_new_mac_key(EVP_PKEY_HMAC, NULL, (const unsigned char *)"secret", 6),
	};
	struct bytes sigs[] = {
		raw(sign(keys[0], &es256, 0), 32),
		sign(keys[1], &rs256, 0),
		sign(keys[2], &eddsa, 0),
		sign(keys[3], &(struct verify_how){"HMAC", "SHA256", false}, 0),
	};

	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		for (size_t s = 0; s < ARRAY_LEN(sigs); s++)
			for (size_t h = 0; h < ARRAY_LEN(hows); h++) {
				bool want = k == s && ((k == 0 && hows[h] == &es256) ||
						       (k == 1 && hows[h] == &rs256) ||
						       (k == 2 && hows[h] == &eddsa));

				assert_int_equal(verify_signature(hows[h], keys[k], TEXT, sigs[s]),
						 want);
			}
	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		EVP_PKEY_free(keys[k]);
}

/* More keys than a thread keeps contexts for, in turn; and one key in several ways. */
static void
contexts_that_are_kept_do_not_mix(void **state UNUSED)
{
	enum { KEYS = 20 };
	static const struct verify_how ec = {"EC", "SHA256", false},
				       ec384 = {"EC", "SHA384", false},
				       rsa = {"RSA", "SHA256", false},
				       pss = {"RSA", "SHA256", true};
	EVP_PKEY *key[KEYS], *big = EVP_RSA_gen(2048);
	struct bytes sig[KEYS];

	for (size_t i = 0; i < KEYS; i++) {
		key[i] = EVP_EC_gen("P-256");
		sig[i] = raw(sign(key[i], &ec, 0), 32);
	}
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < KEYS; i++) {
			assert_true(verify_signature(&ec, key[i], TEXT, sig[i]));
			assert_false(verify_signature(&ec384, key[i], TEXT, sig[i]));
			assert_false(verify_signature(&ec, key[(i + 1) % KEYS], TEXT, sig[i]));
		}
	struct bytes plain = sign(big, &rsa, 0), salted = sign(big, &pss, 32);

	for (int round = 0; round < 3; round++) {
		assert_true(verify_signature(&rsa, big, TEXT, plain));
		assert_true(verify_signature(&pss, big, TEXT, salted));
		assert_false(verify_signature(&rsa, big, TEXT, salted));
		assert_false(verify_signature(&pss, big, TEXT, plain));
	}
	for (size_t i = 0; i < KEYS; i++)
		EVP_PKEY_free(key[i]);
	EVP_PKEY_free(big);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(ecdsa_signatures_are_r_and_s_of_the_curves_length),
		T(an_ecdsa_signature_of_zeros_is_refused),
		T(rsa_padding_and_salt_are_the_rows),
		T(an_algorithm_is_tried_on_its_own_key_type_only),
		T(contexts_that_are_kept_do_not_mix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
