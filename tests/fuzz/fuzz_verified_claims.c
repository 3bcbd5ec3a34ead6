/* oidc_verified_check and _put: what is told was asked for, was verified, and says by what rules.
 */
#include <stdlib.h>

#include "base/text.h"
#include "oidc/verified.h"

#define NOW 1800000000

static const struct oidc_claim_value values[] = {
	{"given_name", "Erika", false, NULL, "low", NOW - 5, NULL},
	{"nationalities", "D", true, NULL, "high", NOW - 50, NULL},
	{"address.locality", "K\xc3\xb6ln", false, NULL, "high", NOW - 50, NULL},
	{"email", "erika@example.invalid", false, NULL, "basic", 0, NULL},
	{"title", NULL, false, NULL, "low", NOW - 5, NULL},
};

static void
check_set(const json_t *set, struct oidc_strs asked)
{
	const json_t *claims = json_object_get(set, "claims");
	const char *name;
	json_t *v;

	if (json_object_get(json_object_get(set, "verification"), "trust_framework") == NULL ||
	    json_object_size(claims) == 0 || json_object_get(claims, "email") != NULL ||
	    json_object_get(claims, "title") != NULL)
		abort();
	json_object_foreach((json_t *)(uintptr_t)claims, name, v)
	{
		if (!oidc_strs_have(asked, name))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(16 << 20);
	const json_t *request;
	json_t *o, *told;

	if (a == NULL)
		return 0;
	if (json_parse_object(a, (struct bytes){data, size}, 1 << 14, &o, NULL) &&
	    (request = json_object_get(o, "r")) != NULL && oidc_verified_check(request, NULL)) {
		struct oidc_strs asked = oidc_verified_claims(a, request);

		o = json_new_object(a);
		oidc_verified_put(a, request, values, ARRAY_LEN(values), NOW, o);
		told = json_object_get(o, OIDC_VERIFIED_CLAIMS);
		if (json_is_object(told))
			check_set(told, asked);
		for (size_t i = 0; i < json_array_size(told); i++)
			check_set(json_array_get(told, i), asked);
	}
	arena_destroy(a);
	return 0;
}
