/* oidc_jws_parse and verification: an accepted token has one spelling, and only signed ones pass.
 */
#include <stdlib.h>

#include "base/enc.h"
#include "oidc/jws.h"

/* RFC 7515 A.3 and RFC 8037 A.1: the seeds hold tokens that these keys signed. */
static const char keys_json[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
				"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
				"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},"
				"{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
				"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

static void
check_spelling(struct arena *a, struct bytes in, const struct oidc_jws *jws)
{
	char *payload = enc_base64url(a, jws->payload);
	char *tail = arena_printf(a, "%s.%s", payload, enc_base64url(a, jws->signature));
	struct bytes t = bytes_of(tail);

	if (t.n > in.n || !bytes_eq(t, (struct bytes){in.p + in.n - t.n, t.n}))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(16 << 20);
	struct bytes in = {data, size};
	const struct oidc_signed *s;
	struct oidc_jwks keys;
	struct oidc_jws jws;
	const char *claim;
	json_t *set;

	if (a == NULL)
		return 0;
	if (oidc_jws_parse(a, in, &jws, NULL)) {
		check_spelling(a, in, &jws);
		(void)!oidc_jws_claimed(a, &jws, "sub", &claim, NULL);
		if (!json_parse_object(a, bytes_of(keys_json), sizeof(keys_json), &set, NULL) ||
		    !oidc_jwks_parse(a, set, OIDC_ALG_NONE, &keys, NULL))
			abort();
		/* Both keys have signed one token each, and nobody can sign another. */
		if (oidc_jws_verify(a, &jws, &keys, &s, NULL) &&
		    json_object_get(oidc_signed_claims(s), "http://example.com/is_root") == NULL)
			abort();
	}
	arena_destroy(a);
	return 0;
}
