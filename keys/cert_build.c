/* Writing self-signed certificates (cert_build.h), with OpenSSL's X.509 builder. */
#include "keys/cert_build.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/rand.h"

#define DAYS_MAX     36500
#define SERIAL_BYTES 16

static void
free_x509(void *p)
{
	X509_free(p);
}

/* RFC 5280 4.1.2.2: positive, at most 20 octets; random, so that no two are equal. */
static bool
set_serial(X509 *x)
{
	unsigned char serial[SERIAL_BYTES];
	rand_bytes(serial, sizeof(serial));
	serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40);
	BIGNUM *bn = BN_bin2bn(serial, sizeof(serial), NULL);
	bool ok = bn != NULL && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)) != NULL;
	BN_free(bn);
	return ok;
}

static bool
set_names(X509 *x, const char *cn)
{
	X509_NAME *name = X509_get_subject_name(x);
	return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
					  (const unsigned char *)cn, -1, -1, 0) == 1 &&
	       X509_set_issuer_name(x, name) == 1;
}

static bool
set_key_identifier(X509 *x)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_key_identifier, "hash");
	bool ok = ext != NULL && X509_add_ext(x, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

static bool
fill(X509 *x, EVP_PKEY *key, const char *cn, time_t not_before, int64_t days)
{
	return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) && set_names(x, cn) &&
	       ASN1_TIME_set(X509_getm_notBefore(x), not_before) != NULL &&
	       ASN1_TIME_adj(X509_getm_notAfter(x), not_before, (int)days, 0) != NULL &&
	       X509_set_pubkey(x, key) == 1 && set_key_identifier(x) &&
	       X509_sign(x, key, EVP_sha256()) > 0;
}

bool
cert_build_self_signed(struct arena *a, EVP_PKEY *key, const char *cn, time_t not_before,
		       int64_t days, struct bytes *der, struct err *err)
{
	if (days < 1 || days > DAYS_MAX)
		return FAIL(err, ERR_INPUT, NULL, "certificate for %lld days", (long long)days);
	if (cn[0] == '\0')
		return FAIL(err, ERR_INPUT, NULL, "certificate without a name");
	X509 *x = X509_new();
	if (x == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "out of memory");
	arena_defer(a, free_x509, x);
	int n = fill(x, key, cn, not_before, days) ? i2d_X509(x, NULL) : -1;
	if (n <= 0) {
		ERR_clear_error();
		return FAIL(err, ERR_INPUT, NULL, "certificate cannot be made for this name");
	}
	unsigned char *p = arena_alloc(a, (size_t)n), *end = p;
	if (i2d_X509(x, &end) != n)
		return FAIL(err, ERR_INTERNAL, NULL, "certificate cannot be encoded");
	*der = (struct bytes){p, (size_t)n};
	return true;
}
