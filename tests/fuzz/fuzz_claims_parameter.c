/* oidc_claims_parse: what is asked for stays bounded, and what goes out was asked for. */
#include <stdlib.h>

#include "base/text.h"
#include "oidc/claims.h"

static const struct oidc_scope_claim rows[] = {
	{"profile", "given_name"},
	{"address", "address.locality"},
};

static const struct oidc_claim_value values[] = {
	{"given_name", "Erika", false, "low", "low", 1, NULL},
	{"address.locality", "K\xc3\xb6ln", false, "high", "high", 2, NULL},
	{"nationalities", "D", true, "high", NULL, 0, NULL},
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const scopes[] = {"openid", "address"};
	struct arena *a = arena_create(16 << 20);
	struct oidc_claims c;
	const char *text;

	if (a == NULL)
		return 0;
	if (text_from_bytes(a, (struct bytes){data, size}, 1 << 14, "claims", &text, NULL) &&
	    oidc_claims_parse(a, text, &c, NULL)) {
		json_t *o = json_new_object(a);

		if (c.n > 64 || (c.acr_essential && c.acr.n == 0))
			abort();
		oidc_claims_put(a, values, ARRAY_LEN(values), &c, OIDC_IN_ID_TOKEN, o);
		for (size_t i = 0; i < c.n; i++)
			if (c.p[i].in_id_token == false && json_object_get(o, c.p[i].name) != NULL)
				abort();
		oidc_claims_add_scopes(a, rows, ARRAY_LEN(rows), (struct oidc_strs){scopes, 2}, &c);
		if (oidc_claims_find(&c, "address.country") == NULL)
			abort();
		oidc_claims_put(a, values, ARRAY_LEN(values), &c, OIDC_IN_USERINFO, o);
	}
	arena_destroy(a);
	return 0;
}
