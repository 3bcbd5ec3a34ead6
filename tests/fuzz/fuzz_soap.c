/*
 * soap_read: what was accepted has one content or a fault, and the content, put into
 * an envelope of ours, is read as the same.
 */
#include <stdlib.h>
#include <string.h>

#include "saml/soap.h"

static void
same_again(struct arena *a, const struct xml_node *content)
{
	/* Of no prefix that can be in scope: the writer's check is about its own. */
	static const struct xmlns any = {"", ""};
	struct soap_envelope again;
	struct bytes once, twice, text;

	if (!xml_c14n(a, content, NULL, NULL, 0, &once, NULL))
		abort();
	if (!soap_write(a, &any, once, &text, NULL))
		return; /* canonical text may be longer than an envelope of ours gets */
	/* What was near a limit may be past it now. */
	if (!soap_read(a, text, NULL, &again, NULL))
		return;
	if (again.fault != NULL || !xml_c14n(a, again.content, NULL, NULL, 0, &twice, NULL) ||
	    !bytes_eq(once, twice))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct soap_name known[] = {{"urn:x", "h"}, {0}};
	struct arena *a = arena_create(64 << 20);
	struct soap_envelope e, strict;
	struct err err = {0};

	if (a == NULL || size > 65536) {
		arena_destroy(a);
		return 0;
	}
	if (!soap_read(a, (struct bytes){data, size}, known, &e, &err)) {
		if (err.kind != ERR_INPUT || err.proto == NULL)
			abort();
		/* Who understands less takes less. */
		if (soap_read(a, (struct bytes){data, size}, NULL, &strict, NULL))
			abort();
	} else if (e.content != NULL && e.fault == NULL) {
		same_again(a, e.content);
	} else if (e.content != NULL || e.fault == NULL || e.fault->code == NULL ||
		   e.fault->text == NULL) {
		abort();
	}
	arena_destroy(a);
	return 0;
}
