/* Templates and texts: any octets are parsed or refused; sections end behind their start. */
#include "idp/template.h"

#include <stdlib.h>

static void
check(const struct template *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct node *n = &t->nodes[i];
		bool section = n->kind == NODE_SECTION || n->kind == NODE_INVERTED;

		if (section ? n->end <= i || n->end > t->n : n->end != 0)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create((size_t)1 << 24);
	struct template t;

	if (a == NULL)
		return 0;
	if (template_parse(a, "x", "x.html", (struct bytes){data, size}, &t, NULL))
		check(&t);
	if (template_parse_message(a, "x.po", 1, arena_strndup(a, (const char *)data, size), &t,
				   NULL))
		check(&t);
	arena_destroy(a);
	return 0;
}
