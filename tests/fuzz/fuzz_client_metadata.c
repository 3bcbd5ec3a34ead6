/* oidc_client_parse: an accepted record holds registrable URIs, and reads back the same. */
#include <stdlib.h>
#include <string.h>

#include "oidc/client.h"
#include "oidc/redirect.h"

static const char *const scopes[] = {"openid", "profile", "address"};
static const struct oidc_client_rules rules = {.scopes = {scopes, ARRAY_LEN(scopes)}};

static void
check_accepted(struct arena *a, const struct oidc_client *c)
{
	char *text = json_text(a, oidc_client_build(a, c), false);
	struct oidc_client *again;
	struct oidc_strs unknown;

	for (size_t i = 0; i < c->redirect_uris.n; i++)
		if (c->application == OIDC_APPLICATION_NATIVE
			    ? !oidc_uri_check_native(c->redirect_uris.s[i], NULL)
			    : !oidc_uri_check(c->redirect_uris.s[i], false, NULL))
			abort();
	if ((c->redirect_uris.n == 0) != (c->response_types == 0) || c->sector_host == NULL)
		abort();
	if (c->auth_method == OIDC_AUTH_NONE || c->id_token_alg == OIDC_ALG_NONE)
		abort();
	if (!oidc_client_parse(a, bytes_of(text), NULL, &rules, &again, &unknown, NULL) ||
	    unknown.n != 0 || strcmp(text, json_text(a, oidc_client_build(a, again), false)) != 0)
		abort();
	(void)oidc_client_text(c, "client_name", "de");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(32 << 20);
	struct oidc_client *c;
	struct oidc_strs unknown;

	if (a == NULL)
		return 0;
	if (size <= 32 << 10 &&
	    oidc_client_parse(a, (struct bytes){data, size}, "c1", &rules, &c, &unknown, NULL))
		check_accepted(a, c);
	arena_destroy(a);
	return 0;
}
