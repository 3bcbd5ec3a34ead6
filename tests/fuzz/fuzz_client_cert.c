/* oidc_certificate_read: names without NUL, a digest of 43 characters; no bare claim is a proof. */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "oidc/certificate.h"
#include "oidc/client.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct oidc_client client = {.client_id = "c1",
					   .auth_method = OIDC_AUTH_SELF_SIGNED_TLS};
	struct arena *a = arena_create(16 << 20);
	struct oidc_certificate c;

	if (a == NULL || size > 16 << 10) {
		arena_destroy(a);
		return 0;
	}
	/* The octets of a certificate, as they would come. */
	const char *text = arena_printf(a, ":%s:", enc_base64(a, (struct bytes){data, size}));

	if (oidc_certificate_read(a, text, "0", &c, NULL)) {
		if (!c.verified || strlen(c.thumbprint) != 43 || c.names.subject == NULL)
			abort();
		if (oidc_certificate_check(&c, &client, c.cert.not_before, NULL))
			abort();
	}
	/* And what is no byte sequence at all. */
	if (oidc_certificate_read(a, arena_strndup(a, (const char *)data, size), NULL, &c, NULL) &&
	    c.verified)
		abort();
	arena_destroy(a);
	return 0;
}
