/* Comparing and wiping octets. */
#include "base/base.h"

#include <string.h>

#include <openssl/crypto.h>

struct bytes
bytes_of(const char *s)
{
	return (struct bytes){(const unsigned char *)s, strlen(s)};
}

bool
bytes_eq(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
bytes_start(struct bytes b, const char *s)
{
	size_t n = strlen(s);

	return b.n >= n && bytes_eq((struct bytes){b.p, n}, bytes_of(s));
}

bool
bytes_end(struct bytes b, const char *s)
{
	size_t n = strlen(s);

	return b.n >= n && bytes_eq((struct bytes){b.n == 0 ? b.p : b.p + b.n - n, n}, bytes_of(s));
}

bool
bytes_eq_secret(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

void
wipe(void *p, size_t n)
{
	if (n > 0)
		OPENSSL_cleanse(p, n);
}
