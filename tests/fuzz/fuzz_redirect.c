/* oidc_uri_check: an admitted URI has a plain host and nothing a browser reads in another way. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "oidc/redirect.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(1 << 20);
	const char *uri;

	if (a == NULL)
		return 0;
	if (text_from_bytes(a, (struct bytes){data, size}, 4096, "uri", &uri, NULL) &&
	    oidc_uri_check(uri, true, NULL)) {
		const char *host = oidc_uri_host(a, uri),
			   *after = strstr(uri, "://") + 3 + strlen(host);

		if (*host == '\0' || strpbrk(uri, "\\#* \r\n\t") != NULL ||
		    strchr(host, '@') != NULL || strchr("/?:", *after) == NULL ||
		    (text_starts(uri, "http:") && strstr(host, "localhost") == NULL &&
		     strcmp(host, "127.0.0.1") != 0 && strcmp(host, "[::1]") != 0))
			abort();
	}
	arena_destroy(a);
	return 0;
}
