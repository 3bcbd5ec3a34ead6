/*
 * An RSA key that is there already: making one takes a second, and `key init` makes three each
 * time it fails.  What fails in the making fails in the reading: there is no key.
 */
#include <stdarg.h>
#include <string.h>

#include <openssl/evp.h>

#include "tests/keys/test_rsa.h"

EVP_PKEY *__real_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *ctx, const char *query, const char *type, ...);
EVP_PKEY *__wrap_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *ctx, const char *query, const char *type, ...);

EVP_PKEY *
__wrap_EVP_PKEY_Q_keygen(OSSL_LIB_CTX *ctx, const char *query, const char *type, ...)
{
	unsigned char der[2048];
	const unsigned char *p = der;
	va_list args;

	if (strcmp(type, "RSA") == 0) {
		int n = EVP_DecodeBlock(der, (const unsigned char *)test_rsa_keys[0],
					(int)strlen(test_rsa_keys[0]));

		return d2i_AutoPrivateKey(NULL, &p, n);
	}
	va_start(args, type);
	const char *curve = va_arg(args, const char *);

	va_end(args);
	return __real_EVP_PKEY_Q_keygen(ctx, query, type, curve);
}
