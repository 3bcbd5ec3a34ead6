/*
 * Reading certificates and public keys (cert.h).  OpenSSL decodes; this file says
 * which keys are good enough.  Private keys do not come here (cert_build.c).
 */
#include "keys/cert.h"

#include <limits.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/hash.h"
#include "base/roca.h"

#define RSA_MIN_BITS     2048
#define RSA_MAX_BITS     16384
#define RSA_MIN_EXPONENT 65537
#define RSA_MAX_EXP_BITS 64

/* Forget OpenSSL's error queue: what we refuse is said in our own words. */
static bool
refuse(struct err *err, const char *why)
{
	ERR_clear_error();
	return FAIL(err, ERR_INPUT, NULL, "%s", why);
}

static void
free_x509(void *p)
{
	X509_free(p);
}

static void
free_pkey(void *p)
{
	EVP_PKEY_free(p);
}

static bool
has_roca_mark(const BIGNUM *n)
{
	unsigned char octets[RSA_MAX_BITS / 8];

	return roca_marked((struct bytes){octets, (size_t)BN_bn2bin(n, octets)});
}

static const char *
rsa_weakness(const BIGNUM *n, const BIGNUM *e)
{
	if (BN_num_bits(n) < RSA_MIN_BITS)
		return "RSA key is shorter than 2048 bits";
	if (BN_num_bits(n) > RSA_MAX_BITS)
		return "RSA key is longer than 16384 bits";
	if (!BN_is_odd(n))
		return "RSA modulus is even";
	if (!BN_is_odd(e) || BN_num_bits(e) > RSA_MAX_EXP_BITS || BN_get_word(e) < RSA_MIN_EXPONENT)
		return "RSA public exponent is out of range";
	if (has_roca_mark(n)) /* after the bounds: the octets fit */
		return "RSA key of a faulty generator (ROCA)";
	return NULL;
}

static bool
rsa_check(const EVP_PKEY *pub, struct err *err)
{
	BIGNUM *n = NULL, *e = NULL;
	const char *weakness = "RSA key has no modulus or exponent";
	if (EVP_PKEY_get_bn_param(pub, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	    EVP_PKEY_get_bn_param(pub, OSSL_PKEY_PARAM_RSA_E, &e) == 1)
		weakness = rsa_weakness(n, e);
	BN_free(n);
	BN_free(e);
	return weakness == NULL || refuse(err, weakness);
}

static const struct {
	const char *name;
	int bits;
} curves[] = {
	{"prime256v1", 256},      {"secp384r1", 384},       {"secp521r1", 521},
	{"brainpoolP256r1", 256}, {"brainpoolP384r1", 384}, {"brainpoolP512r1", 512},
};

void
cert_key_bits(const char *kind, int *least, int *most)
{
	bool rsa = strcmp(kind, "RSA") == 0;

	*least = rsa ? RSA_MIN_BITS : INT_MAX;
	*most = rsa ? RSA_MAX_BITS : 0;
	for (size_t i = 0; !rsa && i < ARRAY_LEN(curves); i++) {
		*least = curves[i].bits < *least ? curves[i].bits : *least;
		*most = curves[i].bits > *most ? curves[i].bits : *most;
	}
}

static bool
ec_check(const EVP_PKEY *pub, struct err *err)
{
	char name[64] = "", encoding[32] = "";
	if (EVP_PKEY_get_utf8_string_param(pub, OSSL_PKEY_PARAM_EC_ENCODING, encoding,
					   sizeof(encoding), NULL) != 1 ||
	    strcmp(encoding, OSSL_PKEY_EC_ENCODING_GROUP) != 0)
		return refuse(err, "EC key does not name its curve");
	/* A curve without a name OpenSSL knows leaves "", which is not on the list. */
	EVP_PKEY_get_utf8_string_param(pub, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof(name), NULL);
	for (size_t i = 0; i < ARRAY_LEN(curves); i++)
		if (strcmp(name, curves[i].name) == 0)
			return true;
	return refuse(err, "EC curve is not on the list");
}

bool
cert_key_check(const EVP_PKEY *pub, struct err *err)
{
	switch (EVP_PKEY_get_base_id(pub)) {
	case EVP_PKEY_RSA:
		return rsa_check(pub, err);
	case EVP_PKEY_EC:
		return ec_check(pub, err);
	default:
		return refuse(err, "key is neither RSA nor EC");
	}
}

bool
cert_spki_build(struct arena *a, const EVP_PKEY *pub, struct bytes *out, struct err *err)
{
	int n = i2d_PUBKEY(pub, NULL);
	if (n <= 0) {
		ERR_clear_error();
		return FAIL(err, ERR_INTERNAL, NULL, "public key cannot be encoded");
	}
	unsigned char *p = arena_alloc(a, (size_t)n), *end = p;
	if (i2d_PUBKEY(pub, &end) != n) {
		ERR_clear_error();
		return FAIL(err, ERR_INTERNAL, NULL, "public key cannot be encoded");
	}
	*out = (struct bytes){p, (size_t)n};
	return true;
}

bool
cert_spki_parse(struct arena *a, struct bytes der, EVP_PKEY **out, struct err *err)
{
	const unsigned char *p = der.p;
	if (der.n == 0 || der.n > CERT_DER_MAX)
		return refuse(err, "public key is empty or too long");
	EVP_PKEY *pub = d2i_PUBKEY(NULL, &p, (long)der.n);
	if (pub == NULL)
		return refuse(err, "not a DER public key");
	arena_defer(a, free_pkey, pub);
	if (p != der.p + der.n)
		return refuse(err, "octets after the public key");
	if (!cert_key_check(pub, err))
		return false;
	*out = pub;
	return true;
}

bool
cert_ec_parse(struct arena *a, const char *curve, struct bytes point, EVP_PKEY **out,
	      struct err *err)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						 (char *)(uintptr_t)curve, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
						  (void *)(uintptr_t)point.p, point.n),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *pub = NULL;
	bool made = point.n > 0 && point.p[0] == 4 && ctx != NULL &&
		    EVP_PKEY_fromdata_init(ctx) == 1 &&
		    EVP_PKEY_fromdata(ctx, &pub, EVP_PKEY_PUBLIC_KEY, params) == 1;

	EVP_PKEY_CTX_free(ctx);
	if (!made)
		return refuse(err, "not a point of an EC curve");
	arena_defer(a, free_pkey, pub);
	if (!cert_key_check(pub, err))
		return false;
	*out = pub;
	return true;
}

bool
cert_ec_point(struct arena *a, const EVP_PKEY *pub, struct bytes *out, struct err *err)
{
	const char *name = OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY;
	size_t n = 0;

	if (EVP_PKEY_get_octet_string_param(pub, name, NULL, 0, &n) != 1)
		return refuse(err, "key has no point");
	unsigned char *p = arena_alloc(a, n);

	if (EVP_PKEY_get_octet_string_param(pub, name, p, n, &n) != 1)
		return refuse(err, "key has no point");
	*out = (struct bytes){p, n};
	return true;
}

static bool
time_of(const ASN1_TIME *t, time_t *out, struct err *err)
{
	struct tm tm = {0};
	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return refuse(err, "certificate has a time that does not exist");
	*out = timegm(&tm);
	return true;
}

static bool
has_old_digest(const X509 *x)
{
	int digest = NID_undef, key;

	return OBJ_find_sigid_algs(X509_get_signature_nid(x), &digest, &key) == 1 &&
	       (digest == NID_sha1 || digest == NID_md5);
}

bool
cert_parse(struct arena *a, struct bytes der, struct cert *out, struct err *err)
{
	const unsigned char *p = der.p;
	struct cert cert = {0};
	if (der.n == 0 || der.n > CERT_DER_MAX)
		return refuse(err, "certificate is empty or too long");
	X509 *x = d2i_X509(NULL, &p, (long)der.n);
	if (x == NULL)
		return refuse(err, "not a DER certificate");
	arena_defer(a, free_x509, x);
	if (p != der.p + der.n)
		return refuse(err, "octets after the certificate");
	cert.pub = X509_get0_pubkey(x); /* lives with x */
	if (cert.pub == NULL)
		return refuse(err, "certificate has no usable key");
	if (!cert_key_check(cert.pub, err) ||
	    !time_of(X509_get0_notBefore(x), &cert.not_before, err) ||
	    !time_of(X509_get0_notAfter(x), &cert.not_after, err))
		return false;
	hash_sha256(der, cert.sha256);
	cert.old_digest = has_old_digest(x);
	*out = cert;
	return true;
}
