/*
 * OpenSSL algorithms fetched once per process: a fetch on each call is slower and
 * does not scale over threads.  Internal to keys/.
 */
#ifndef KONTOR_KEYS_CRYPTO_H
#define KONTOR_KEYS_CRYPTO_H

#include <openssl/types.h>

#include "base/arena.h"
#include "base/err.h"

/* Fetched algorithms; immutable, shared by all threads. */
struct crypto {
	EVP_MD *sha256, *sha384;
	EVP_CIPHER *aes256_gcm;
	EVP_MAC *hmac;
};

/* Threads that can share a key: each has a number below, its place in every key (its lane). */
#define CRYPTO_LANES_MAX 16

/* Lives as long as the arena.  ERR_INTERNAL when OpenSSL lacks something. */
MUST_USE bool crypto_init(struct arena *a, struct crypto *c, struct err *err);

/* A keyed HMAC-SHA-256 context of the arena. */
MUST_USE bool crypto_hmac_init(struct arena *a, const struct crypto *c, struct bytes key,
			       EVP_MAC_CTX **out, struct err *err);

/* HMAC-SHA-256 with a context of crypto_hmac_init, which stays keyed. */
MUST_USE bool crypto_hmac(EVP_MAC_CTX *ctx, struct bytes data, unsigned char out[32],
			  struct err *err);

/* arena_defer for what OpenSSL gave. */
void crypto_keep_pkey(struct arena *a, EVP_PKEY *p);
void crypto_keep_pkey_ctx(struct arena *a, EVP_PKEY_CTX *p);
void crypto_keep_cipher_ctx(struct arena *a, EVP_CIPHER_CTX *p);

/* Fail with our own words and forget OpenSSL's error queue. */
#define CRYPTO_FAIL(err, kind, ...) (crypto_forget_errors(), FAIL((err), (kind), NULL, __VA_ARGS__))
void crypto_forget_errors(void);

#endif
