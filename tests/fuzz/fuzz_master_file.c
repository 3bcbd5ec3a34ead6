/* masterfile_parse: what is accepted is written and read again as the same. */
#include <stdlib.h>
#include <string.h>

#include "keys/masterfile.h"

static bool
same(const struct masterfile *x, const struct masterfile *y)
{
	bool equal = x->n_masters == y->n_masters && x->n_epochs == y->n_epochs;

	for (size_t i = 0; equal && i < x->n_masters; i++)
		equal = x->masters[i].generation == y->masters[i].generation &&
			memcmp(x->masters[i].key, y->masters[i].key, MASTERFILE_KEY_BYTES) == 0;
	for (size_t i = 0; equal && i < x->n_epochs; i++)
		equal = x->epochs[i].id == y->epochs[i].id &&
			x->epochs[i].created == y->epochs[i].created &&
			memcmp(x->epochs[i].key, y->epochs[i].key, MASTERFILE_KEY_BYTES) == 0;
	return equal;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create((size_t)4 << 20);
	struct masterfile mf, again;
	struct bytes text;

	if (a == NULL)
		return 0;
	if (masterfile_parse(a, (struct bytes){data, size}, &mf, NULL) &&
	    (!masterfile_build(a, &mf, &text, NULL) || !masterfile_parse(a, text, &again, NULL) ||
	     !same(&mf, &again)))
		abort();
	arena_destroy(a);
	return 0;
}
