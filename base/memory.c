/* Memory of libraries; see memory.h.  OpenSSL's is set here, that of others in their homes. */
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

static _Thread_local bool failed;

static void *
noted(void *p)
{
	if (p == NULL)
		failed = true;
	return p;
}

void *
memory_alloc(size_t n)
{
	return noted(malloc(n));
}

void *
memory_calloc(size_t count, size_t size)
{
	return noted(calloc(count, size));
}

void *
memory_realloc(void *p, size_t n)
{
	return noted(realloc(p, n));
}

char *
memory_strdup(const char *s)
{
	return noted(strdup(s));
}

bool
memory_failed(void)
{
	return failed;
}

void
memory_set_failed(bool value)
{
	failed = value;
}

/* OpenSSL gives nothing for nothing. */
static void *
crypto_alloc(size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return n == 0 ? NULL : memory_alloc(n);
}

static void
crypto_free(void *p, const char *file, int line)
{
	(void)file, (void)line;
	free(p);
}

static void *
crypto_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file, (void)line;
	if (n > 0)
		return memory_realloc(p, n);
	free(p);
	return NULL;
}

/* Before main, since OpenSSL takes it only before its first use. */
static void __attribute__((constructor)) set_crypto_memory(void)
{
	if (CRYPTO_set_mem_functions(crypto_alloc, crypto_realloc, crypto_free) == 1)
		return;
	fputs("kontor: OpenSSL was in use before the program\n", stderr);
	abort();
}
