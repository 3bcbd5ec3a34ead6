/* request_accept_language on any text: always a language of ours. */
#include <stdlib.h>

#include "idp/request.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(1 << 20);

	if (a == NULL)
		return 0;
	if (size < 64 << 10 &&
	    request_accept_language(arena_strndup(a, (const char *)data, size)) >= LANG_COUNT)
		abort();
	arena_destroy(a);
	return 0;
}
