/*
 * Decoded names and values of a query, a form, headers or cookies, as the HTTP
 * side hands them to protocol code.
 */
#ifndef KONTOR_BASE_PARAM_H
#define KONTOR_BASE_PARAM_H

#include "base/base.h"

struct param {
	const char *name, *value; /* decoded UTF-8, never NULL */
};

struct params {
	const struct param *p; /* may be NULL when n is 0 */
	size_t n;
};

/*
 * How often `name` occurs; *value becomes its first value, or NULL.  Names are
 * exact.  Who must have a parameter once asks for a count of at most 1.
 */
size_t params_find(const struct params *ps, const char *name, const char **value);

#endif
