/* Enums that are stored as words. */
#ifndef KONTOR_DB_NAMES_H
#define KONTOR_DB_NAMES_H

#include <string.h>

#include "base/base.h"

/* names[0] is NULL: zero is no value.  0 for a word that is none of them. */
static inline int
db_name_find(const char *const *names, size_t n, const char *word)
{
	for (size_t i = 1; i < n; i++)
		if (word != NULL && strcmp(names[i], word) == 0)
			return (int)i;
	return 0;
}

static inline const char *
db_name(const char *const *names, size_t n, int value)
{
	return value > 0 && (size_t)value < n ? names[value] : NULL;
}

#endif
