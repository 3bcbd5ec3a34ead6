/*
 * DPoP proofs: what is accepted for the request of RFC 9449 4.1 has the thumbprint of its key,
 * and no nonce is taken that we did not tell.
 */
#include <stdlib.h>
#include <string.h>

#include "oidc/dpop.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(16 << 20);
	struct oidc_dpop_request rq = {.method = "POST", .url = "https://server.example.com/token"};
	struct oidc_dpop d = {0};

	if (a == NULL || size > 64 << 10 || memchr(data, '\0', size) != NULL) {
		arena_destroy(a);
		return 0;
	}
	const char *text = arena_strndup(a, (const char *)data, size);

	if (oidc_dpop_check(a, text, &rq, 1562262616, &d, NULL) &&
	    (strlen(d.jkt) != 43 || *d.jti == '\0' || d.expires <= 1562262616))
		abort();
	rq.nonce_demanded = true;
	if (oidc_dpop_check(a, text, &rq, 1562262616, &d, NULL))
		abort();
	/* The same octets as a URL: nothing that is not ours equals it. */
	if (oidc_dpop_url_eq(a, text, rq.url) && strncasecmp(text, "https://server.", 15) != 0)
		abort();
	arena_destroy(a);
	return 0;
}
