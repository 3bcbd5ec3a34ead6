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

/* NULL: none that is to be had by name. */
static EVP_MD *
digest_named(const char *name)
{
	for (size_t i = 0; i < SHA1; i++)
		if (strcmp(digests[i].name, name) == 0)
			return digest(i);
	return NULL;
}

bool
hash_named(const char *name, struct bytes text, struct hash_digest *out)
{
	EVP_MD_CTX *ctx = context();
	EVP_MD *md = digest_named(name);
	unsigned n = 0;

	if (md == NULL)
		return false;
	need(EVP_DigestInit_ex2(ctx, md, NULL) == 1 && EVP_DigestUpdate(ctx, text.p, text.n) == 1 &&
	     EVP_DigestFinal_ex(ctx, out->octets, &n) == 1);
	out->n = n;
	return true;
}

struct hash_stream {
	EVP_MD_CTX *ctx;
};

static void
stream_free(void *p)
{
	EVP_MD_CTX_free(((struct hash_stream *)p)->ctx);
}

struct hash_stream *
hash_stream_begin(struct arena *a, const char *name)
{
	struct hash_stream *h = ARENA_NEW(a, struct hash_stream);
	EVP_MD *md = digest_named(name);

	if (md == NULL)
		return NULL;
	arena_defer(a, stream_free, h);
	h->ctx = EVP_MD_CTX_new();
	need(h->ctx != NULL && EVP_DigestInit_ex2(h->ctx, md, NULL) == 1);
	return h;
}

void
hash_stream_add(struct hash_stream *h, struct bytes piece)
{
	need(EVP_DigestUpdate(h->ctx, piece.p, piece.n) == 1);
}

void
hash_stream_end(struct hash_stream *h, struct hash_digest *out)
{
	unsigned n = 0;

	need(EVP_DigestFinal_ex(h->ctx, out->octets, &n) == 1);
	out->n = n;
}
