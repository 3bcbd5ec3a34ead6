/* Texts that carry the partition of their row; see dated.h. */
#include "db/dated.h"

#include <string.h>

#include "base/hash.h"
#include "base/rand.h"

#define SECRET_BYTES 32
#define SECRET_CHARS 43
#define DAY_CHARS    7

const char *
db_dated_create(struct arena *a, time_t expires)
{
	return arena_printf(a, "%lld.%s", (long long)(expires / DAY_S),
			    rand_token(a, SECRET_BYTES));
}

void
db_hash_into(const char *purpose, struct bytes value, unsigned char out[SHA256_BYTES])
{
	const struct bytes parts[] = {{(const unsigned char *)purpose, strlen(purpose) + 1}, value};

	hash_sha256_parts(parts, ARRAY_LEN(parts), out);
}

bool
db_dated_parse(const char *purpose, const char *text, struct db_dated *out)
{
	static const char digits[] = "0123456789";
	static const char secret[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t n = strspn(text, digits);
	int64_t day = 0;

	if (n == 0 || n > DAY_CHARS || text[0] == '0' || text[n] != '.' ||
	    strspn(text + n + 1, secret) != SECRET_CHARS || strlen(text) != n + 1 + SECRET_CHARS)
		return false;
	for (size_t i = 0; i < n; i++)
		day = day * 10 + (text[i] - '0');
	out->day = day;
	db_hash_into(purpose, bytes_of(text), out->hash);
	return true;
}

struct bytes
db_hash(struct arena *a, const char *purpose, struct bytes value)
{
	unsigned char *p = arena_alloc(a, SHA256_BYTES);

	db_hash_into(purpose, value, p);
	return (struct bytes){p, SHA256_BYTES};
}
