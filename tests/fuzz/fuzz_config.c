/* config_parse: what it accepts has the form everything else relies on. */
#include <stdlib.h>

#include "base/text.h"
#include "idp/config.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(4 << 20);
	struct config c;

	if (a == NULL)
		return 0;
	if (size <= 64 << 10 &&
	    config_parse(a, "fuzz.conf", (struct bytes){data, size}, false, &c, NULL) &&
	    (!text_starts(c.base_url, "https://") || c.n_listen == 0 || c.host[0] == '\0'))
		abort();
	arena_destroy(a);
	return 0;
}
