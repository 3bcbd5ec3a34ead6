/*
 * Client authentication from a form body (the parameter "authorization" stands
 * for the header): nobody proves to be the client without its key or secret.
 */
#include <stdlib.h>

#include "oidc/client_auth.h"
#include "tests/fuzz/fuzz_query.h"

static const char metadata[] =
	"{\"client_id\":\"joe\",\"redirect_uris\":[\"https://portal.example/cb\"],"
	"\"token_endpoint_auth_method\":\"private_key_jwt\",\"jwks\":{\"keys\":[{"
	"\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}}";

static const char *const scopes[] = {"openid"};
static const struct oidc_client_rules rules = {.scopes = {scopes, 1}};

static bool
no_mac_fits(void *ctx, struct arena *a, const char *client_id, struct bytes sealed_secret,
	    struct bytes text, struct bytes mac, struct err *err)
{
	(void)ctx, (void)a, (void)client_id, (void)sealed_secret, (void)text, (void)mac;
	return FAIL(err, ERR_DENIED, NULL, "no");
}

static const struct oidc_server server = {.issuer = "https://idp.example",
					  .token_endpoint = "https://idp.example/oidc/token",
					  .mtls_token_endpoint =
						  "https://mtls.idp.example/oidc/token",
					  .mac = {NULL, no_mac_fits}};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(16 << 20);
	struct oidc_client_proof proof = {0};
	struct oidc_client_auth auth;
	struct oidc_client *client;
	struct oidc_strs unknown;
	const char *header;

	if (a == NULL || size > 64 << 10) {
		arena_destroy(a);
		return 0;
	}
	const struct params ps = query_params(a, (struct bytes){data, size});

	params_find(&ps, "authorization", &header);
	if (oidc_client_auth_parse(a, header, &ps, &auth, NULL)) {
		if (!oidc_client_parse(a, bytes_of(metadata), NULL, &rules, &client, &unknown,
				       NULL))
			abort();
		/* The seeds hold a token of this key, for nobody and long expired. */
		if (oidc_client_auth_check(a, &auth, client, &server, 1800000000, &proof, NULL))
			abort();
		client->auth_method = OIDC_AUTH_BASIC;
		client->secret_sha256 = (struct bytes){(const unsigned char *)metadata, 32};
		if (oidc_client_auth_check(a, &auth, client, &server, 1800000000, &proof, NULL))
			abort();
		client->auth_method = OIDC_AUTH_SECRET_JWT;
		client->secret_sealed = client->secret_sha256;
		if (oidc_client_auth_check(a, &auth, client, &server, 1800000000, &proof, NULL))
			abort();
	}
	arena_destroy(a);
	return 0;
}
