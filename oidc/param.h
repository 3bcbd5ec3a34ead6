/* Parameters of OAuth requests: each at most once, empty is absent (RFC 6749 3.1, 3.2). */
#ifndef KONTOR_OIDC_PARAM_H
#define KONTOR_OIDC_PARAM_H

#include "base/arena.h"
#include "base/err.h"
#include "base/param.h"

/*
 * *out becomes the value of `name`, NULL when it is missing or empty.
 * ERR_INPUT, invalid_request: it occurs twice or is longer than max_bytes.
 */
MUST_USE bool oidc_param_text(const struct params *ps, const char *name, size_t max_bytes,
			      const char **out, struct err *err);

/* The same; also refused: anything but visible ASCII and space (RFC 6749 A, VSCHAR). */
MUST_USE bool oidc_param(const struct params *ps, const char *name, size_t max_bytes,
			 const char **out, struct err *err);

/* A list of words separated by spaces; missing: n 0. */
struct oidc_strs {
	const char *const *s;
	size_t n;
};

MUST_USE bool oidc_param_words(struct arena *a, const struct params *ps, const char *name,
			       size_t max_words, struct oidc_strs *out, struct err *err);

bool oidc_strs_have(struct oidc_strs list, const char *s);

#endif
