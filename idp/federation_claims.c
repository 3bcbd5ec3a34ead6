/* Who says that it speaks for which scopes; see federation_claims.h. */
#include "idp/federation_claims.h"

#include <stdlib.h>
#include <string.h>

const char *
federation_scope_key(struct arena *a, const char *scope)
{
	char *key = arena_strdup(a, scope);

	for (char *p = key; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return key;
}

static int
by_scope(const void *x, const void *y)
{
	const struct federation_claim *p = x, *q = y;
	int scopes = strcmp(p->scope, q->scope);

	return scopes != 0 ? scopes : strcmp(p->entity_id, q->entity_id);
}

void
federation_claims_sort(struct federation_claim *p, size_t n)
{
	if (n > 0)
		qsort(p, n, sizeof(*p), by_scope);
}

/* The first of this scope; n: there is none. */
static size_t
first_of(const struct federation_claims *claims, const char *key)
{
	size_t low = 0, high = claims->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(claims->p[middle].scope, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct federation_claim *
federation_claims_other(const struct federation_claims *claims, const char *key,
			const char *entity_id, bool named)
{
	for (size_t i = first_of(claims, key);
	     i < claims->n && strcmp(claims->p[i].scope, key) == 0; i++)
		if (strcmp(claims->p[i].entity_id, entity_id) != 0 &&
		    (!named || claims->p[i].named))
			return &claims->p[i];
	return NULL;
}

bool
federation_claims_has(const struct federation_claims *claims, const char *key,
		      const char *entity_id)
{
	for (size_t i = first_of(claims, key);
	     i < claims->n && strcmp(claims->p[i].scope, key) == 0; i++)
		if (strcmp(claims->p[i].entity_id, entity_id) == 0)
			return true;
	return false;
}
