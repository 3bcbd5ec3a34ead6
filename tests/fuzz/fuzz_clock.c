/* clock_parse: an accepted time written and read again is the same time. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(1 << 20);
	const char *text;
	time_t t, again;

	if (a == NULL)
		return 0;
	if (text_from_bytes(a, (struct bytes){data, size}, 256, "time", &text, NULL) &&
	    clock_parse(text, &t, NULL) &&
	    (!clock_parse(clock_text(a, t), &again, NULL) || again != t))
		abort();
	arena_destroy(a);
	return 0;
}
