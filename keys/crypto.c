/* Fetched algorithms and keyed contexts; see crypto.h. */
#include "keys/crypto.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

/* One cleanup per foreign type, in the shape arena_defer wants. */
#define CLEANUP(name, type, fn)   \
	static void name(void *p) \
	{                         \
		fn((type *)p);    \
	}
CLEANUP(free_md, EVP_MD, EVP_MD_free)
CLEANUP(free_cipher, EVP_CIPHER, EVP_CIPHER_free)
CLEANUP(free_mac, EVP_MAC, EVP_MAC_free)
CLEANUP(free_mac_ctx, EVP_MAC_CTX, EVP_MAC_CTX_free)
CLEANUP(free_pkey, EVP_PKEY, EVP_PKEY_free)
CLEANUP(free_pkey_ctx, EVP_PKEY_CTX, EVP_PKEY_CTX_free)
CLEANUP(free_cipher_ctx, EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

void
crypto_forget_errors(void)
{
	ERR_clear_error();
}

void
crypto_keep_pkey(struct arena *a, EVP_PKEY *p)
{
	arena_defer(a, free_pkey, p);
}

void
crypto_keep_pkey_ctx(struct arena *a, EVP_PKEY_CTX *p)
{
	arena_defer(a, free_pkey_ctx, p);
}

void
crypto_keep_cipher_ctx(struct arena *a, EVP_CIPHER_CTX *p)
{
	arena_defer(a, free_cipher_ctx, p);
}

bool
crypto_init(struct arena *a, struct crypto *c, struct err *err)
{
	struct crypto got = {
		.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL),
		.sha384 = EVP_MD_fetch(NULL, "SHA384", NULL),
		.aes256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL),
		.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL),
	};

	arena_defer(a, free_md, got.sha256); /* OpenSSL's free functions take NULL */
	arena_defer(a, free_md, got.sha384);
	arena_defer(a, free_cipher, got.aes256_gcm);
	arena_defer(a, free_mac, got.hmac);
	if (got.sha256 == NULL || got.sha384 == NULL || got.aes256_gcm == NULL || got.hmac == NULL)
		return CRYPTO_FAIL(err, ERR_INTERNAL, "OpenSSL lacks an algorithm");
	*c = got;
	return true;
}

bool
crypto_hmac_init(struct arena *a, const struct crypto *c, struct bytes key, EVP_MAC_CTX **out,
		 struct err *err)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(c->hmac);

	arena_defer(a, free_mac_ctx, ctx);
	if (ctx == NULL || EVP_MAC_init(ctx, key.p, key.n, params) != 1)
		return CRYPTO_FAIL(err, ERR_INTERNAL, "HMAC cannot be keyed");
	*out = ctx;
	return true;
}

bool
crypto_hmac(EVP_MAC_CTX *ctx, struct bytes data, unsigned char out[32], struct err *err)
{
	size_t n = 0;

	if (EVP_MAC_init(ctx, NULL, 0, NULL) != 1 || EVP_MAC_update(ctx, data.p, data.n) != 1 ||
	    EVP_MAC_final(ctx, out, &n, 32) != 1 || n != 32)
		return CRYPTO_FAIL(err, ERR_INTERNAL, "HMAC failed");
	return true;
}
