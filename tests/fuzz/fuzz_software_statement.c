/* oidc_statement_apply: metadata is as it was unless the statement is by a key of the set. */
#include <stdlib.h>
#include <string.h>

#include "oidc/statement.h"

static const char signers[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"s1\","
			      "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
			      "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(16 << 20);
	json_t *set, *metadata;
	struct oidc_jwks keys;

	if (a == NULL || size > 32 << 10) {
		arena_destroy(a);
		return 0;
	}
	if (!json_parse_object(a, bytes_of(signers), sizeof(signers), &set, NULL) ||
	    !oidc_jwks_parse(a, set, OIDC_ALG_NONE, &keys, NULL))
		abort();
	if (json_parse_object(a, (struct bytes){data, size}, 32 << 10, &metadata, NULL)) {
		const char *before = json_text(a, metadata, true);
		bool none = json_object_get(metadata, "software_statement") == NULL ||
			    json_is_null(json_object_get(metadata, "software_statement"));

		/* Nobody here has that key's private half. */
		if (oidc_statement_apply(a, metadata, &keys, 1800000000, NULL) && !none)
			abort();
		if (strcmp(before, json_text(a, metadata, true)) != 0)
			abort();
	}
	arena_destroy(a);
	return 0;
}
