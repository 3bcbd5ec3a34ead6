/* db/dated.c: texts that claim to be a code, a token, a ticket or the id of a flow. */
#include "db/dated.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct db_dated at;

	/* What is taken has exactly one spelling. */
	if (text != NULL && db_dated_parse("code", text, &at)) {
		char day[24];
		size_t n = (size_t)snprintf(day, sizeof(day), "%lld.", (long long)at.day);

		if (strncmp(text, day, n) != 0 || strlen(text) != n + 43)
			abort();
	}
	free(text);
	return 0;
}
