/* SHA-2 and SHA-1 on OpenSSL; see hash.h. */
#include "base/hash.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/arena.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t context_of_thread;
static bool has_key;
static struct {
	const char *name;
	_Atomic(EVP_MD *) md; /* NULL: not asked for yet */
} digests[] = {{"SHA256", NULL}, {"SHA384", NULL}, {"SHA512", NULL}, {"SHA1", NULL}};

#define SHA1 (ARRAY_LEN(digests) - 1) /* not to be had by name */

static void
context_free(void *p)
{
	EVP_MD_CTX_free(p);
}

static void
prepare(void)
{
	has_key = pthread_key_create(&context_of_thread, context_free) == 0;
}

/* Nothing can fail here but for want of memory, mostly at a thread's first digest. */
static void
need(bool held)
{
	if (!held)
		arena_leave(NULL);
}

static EVP_MD *
digest(size_t i)
{
	EVP_MD *md = atomic_load(&digests[i].md), *there = NULL;

	if (md != NULL)
		return md;
	md = EVP_MD_fetch(NULL, digests[i].name, NULL);
	need(md != NULL);
	if (atomic_compare_exchange_strong(&digests[i].md, &there, md))
		return md;
	EVP_MD_free(md); /* another thread was faster */
	return there;
}

static EVP_MD_CTX *
context(void)
{
	need(pthread_once(&once, prepare) == 0 && has_key);
	EVP_MD_CTX *ctx = pthread_getspecific(context_of_thread);

	if (ctx == NULL) {
		ctx = EVP_MD_CTX_new();
		if (ctx == NULL || pthread_setspecific(context_of_thread, ctx) != 0) {
			EVP_MD_CTX_free(ctx);
			arena_leave(NULL);
		}
	}
	return ctx;
}

void
hash_sha256_parts(const struct bytes *parts, size_t n, unsigned char out[SHA256_BYTES])
{
	EVP_MD_CTX *ctx = context();

	need(EVP_DigestInit_ex2(ctx, digest(0), NULL) == 1);
	for (size_t i = 0; i < n; i++)
		need(EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) == 1);
	need(EVP_DigestFinal_ex(ctx, out, NULL) == 1);
}

void
hash_sha256(struct bytes text, unsigned char out[SHA256_BYTES])
{
	hash_sha256_parts(&text, 1, out);
}

void
hash_sha1(struct bytes text, unsigned char out[SHA1_BYTES])
{
	EVP_MD_CTX *ctx = context();

	need(EVP_DigestInit_ex2(ctx, digest(SHA1), NULL) == 1 &&
	     EVP_DigestUpdate(ctx, text.p, text.n) == 1 && EVP_DigestFinal_ex(ctx, out, NULL) == 1);
}

bool
hash_named(const char *name, struct bytes text, struct hash_digest *out)
{
	EVP_MD_CTX *ctx = context();
	size_t i = 0;
	unsigned n = 0;

	while (i < SHA1 && strcmp(digests[i].name, name) != 0)
		i++;
	if (i == SHA1)
		return false;
	need(EVP_DigestInit_ex2(ctx, digest(i), NULL) == 1 &&
	     EVP_DigestUpdate(ctx, text.p, text.n) == 1 &&
	     EVP_DigestFinal_ex(ctx, out->octets, &n) == 1);
	out->n = n;
	return true;
}
