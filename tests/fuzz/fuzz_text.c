/* text_from_bytes on any octets, and the readers of what it accepts. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(4 << 20);
	struct bytes in = {data, size};
	const char *text, **words;
	uint64_t number;
	size_t n;

	if (a == NULL)
		return 0;
	if (text_from_bytes(a, in, 4096, "input", &text, NULL)) {
		/* What is text stays what it was, octet by octet. */
		if (!bytes_eq(bytes_of(text), in) || !text_is_utf8(in))
			abort();
		(void)text_trim(a, text);
		(void)text_is_visible_ascii(text, 256);
		if (text_words(a, text, 16, &words, &n, NULL) && n > 16)
			abort();
		if (text_to_u64(text, 1000, &number) && number > 1000)
			abort();
	}
	arena_destroy(a);
	return 0;
}
