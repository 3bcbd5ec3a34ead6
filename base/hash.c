/* SHA-256 on OpenSSL; see hash.h. */
#include "base/hash.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t context_of_thread;
static EVP_MD *sha256;

static void
context_free(void *p)
{
	EVP_MD_CTX_free(p);
}

static void
need(bool held)
{
	if (held)
		return;
	fputs("kontor: no SHA-256\n", stderr);
	abort();
}

static void
prepare(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	need(sha256 != NULL && pthread_key_create(&context_of_thread, context_free) == 0);
}

static EVP_MD_CTX *
context(void)
{
	need(pthread_once(&once, prepare) == 0);
	EVP_MD_CTX *ctx = pthread_getspecific(context_of_thread);

	if (ctx == NULL) {
		ctx = EVP_MD_CTX_new();
		need(ctx != NULL && pthread_setspecific(context_of_thread, ctx) == 0);
	}
	return ctx;
}

void
hash_sha256_parts(const struct bytes *parts, size_t n, unsigned char out[SHA256_BYTES])
{
	EVP_MD_CTX *ctx = context();

	need(EVP_DigestInit_ex2(ctx, sha256, NULL) == 1);
	for (size_t i = 0; i < n; i++)
		need(EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) == 1);
	need(EVP_DigestFinal_ex(ctx, out, NULL) == 1);
}

void
hash_sha256(struct bytes text, unsigned char out[SHA256_BYTES])
{
	hash_sha256_parts(&text, 1, out);
}
