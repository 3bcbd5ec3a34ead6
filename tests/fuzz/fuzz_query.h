/* A query string or form body as parameters, for targets that read parameters. */
#ifndef KONTOR_TESTS_FUZZ_QUERY_H
#define KONTOR_TESTS_FUZZ_QUERY_H

#include <string.h>

#include "base/enc.h"
#include "base/param.h"
#include "base/text.h"

static inline const char *
query_part(struct arena *a, struct bytes encoded)
{
	struct bytes plain;
	const char *text;

	if (!dec_form(a, encoded, &plain, NULL) ||
	    !text_from_bytes(a, plain, 1 << 16, "part", &text, NULL))
		return NULL;
	return text;
}

/* Pairs that do not decode are left out; at most 64 are read. */
static inline struct params
query_params(struct arena *a, struct bytes query)
{
	struct param *p = ARENA_ARRAY(a, struct param, 64);
	size_t n = 0;

	while (query.n > 0 && n < 64) {
		const unsigned char *end = memchr(query.p, '&', query.n);
		size_t len = end == NULL ? query.n : (size_t)(end - query.p);
		const unsigned char *eq = memchr(query.p, '=', len);

		if (eq != NULL) {
			size_t k = (size_t)(eq - query.p);

			p[n].name = query_part(a, (struct bytes){query.p, k});
			p[n].value = query_part(a, (struct bytes){eq + 1, len - k - 1});
			n += p[n].name != NULL && p[n].value != NULL ? 1 : 0;
		}
		len += end == NULL ? 0 : 1;
		query.p += len;
		query.n -= len;
	}
	return (struct params){p, n};
}

#endif
