/* PO files: any octets are parsed or refused; what is parsed has keys and texts. */
#include "idp/po.h"

#include <stdlib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create((size_t)1 << 24);
	struct po po;

	if (a == NULL)
		return 0;
	if (po_parse(a, "x.po", (struct bytes){data, size}, &po, NULL))
		for (size_t i = 0; i < po.n; i++)
			if (po.entries[i].key[0] == '\0' || po.entries[i].text == NULL)
				abort();
	arena_destroy(a);
	return 0;
}
