/* oidc_jwks_parse: an accepted set holds usable public keys only, and can be written again. */
#include <stdlib.h>

#include "oidc/jwk.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(16 << 20);
	struct oidc_jwks set, again;
	const char *text;
	json_t *o;

	if (a == NULL)
		return 0;
	if (json_parse_object(a, (struct bytes){data, size}, OIDC_JWKS_MAX_BYTES, &o, NULL) &&
	    oidc_jwks_parse(a, o, OIDC_PS256, &set, NULL)) {
		if (set.n == 0)
			abort();
		/* Fails only when a key has no kid. */
		if (oidc_jwks_build(a, &set, &text, NULL) &&
		    (!json_parse_object(a, bytes_of(text), 1 << 20, &o, NULL) ||
		     !oidc_jwks_parse(a, o, OIDC_ALG_NONE, &again, NULL) || again.n != set.n))
			abort();
	}
	arena_destroy(a);
	return 0;
}
