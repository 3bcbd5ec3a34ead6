/*
 * Request objects: the input is what a client signs.  Whatever it is, the request is that
 * client's own, holds no other request, and nothing of the token itself.
 */
#include <stdlib.h>
#include <string.h>

#include "oidc/request_object.h"
#include "tests/keys/test_keys.h"

static const struct test_keys *keys;

static const char *
signed_by_client(struct arena *a, json_t *claims)
{
	const char *compact;

	if (!oidc_jws_build(a, &keys->ops, keys->p256.kid, OIDC_ES256, "JWT", claims, &compact,
			    NULL))
		return "";
	return compact;
}

static void
must_be_harmless(const struct oidc_request_object *o)
{
	static const char *const never[] = {"iss", "aud", "sub",     "exp",        "nbf",
					    "iat", "jti", "request", "request_uri"};
	const char *value;

	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		if (params_find(&o->ps, never[i], &value) > 0)
			abort();
	if (params_find(&o->ps, "client_id", &value) != 1 || strcmp(value, "c1") != 0 ||
	    o->ps.n > 64)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *lasting;
	struct arena *a = arena_create(16 << 20);
	struct oidc_request_object o;
	json_t *claims;

	if (keys == NULL)
		keys = test_keys_create(lasting = arena_create(16 << 20));
	struct oidc_jwk key = {keys->p256.kid, OIDC_ES256, keys->p256.pub};
	struct oidc_client client = {.client_id = "c1",
				     .profile = &oidc_profiles[size % 3],
				     .jwks = {.keys = &key, .n = 1}};
	const struct oidc_jwe_keys none = {0};

	if (json_parse_object(a, (struct bytes){data, size}, 8 << 10, &claims, NULL) &&
	    oidc_request_object_read(a, signed_by_client(a, claims), &client, "https://idp.example",
				     &none, 1800000000, &o, NULL))
		must_be_harmless(&o);
	arena_destroy(a);
	return 0;
}
