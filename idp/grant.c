/* The table of grants; see grant.h. */
#include "idp/grant.h"

#include "base/text.h"
#include "oidc/exchange.h"

const struct grant grants[] = {
	{OIDC_GRANT_CODE, grant_code_give},
	{OIDC_GRANT_REFRESH, grant_refresh_give},
	{OIDC_GRANT_CLIENT, grant_client_give},
	{OIDC_GRANT_DEVICE, grant_device_give},
	{OIDC_GRANT_EXCHANGE, grant_exchange_give},
	{OIDC_GRANT_CIBA, grant_ciba_give},
	{NULL, NULL},
};

struct oidc_strs
grant_types(struct arena *a)
{
	const char **names = ARENA_ARRAY(a, const char *, ARRAY_LEN(grants));
	size_t n = 0;

	while (grants[n].type != NULL) {
		names[n] = grants[n].type;
		n++;
	}
	return (struct oidc_strs){names, n};
}

const struct grant *
grant_find(const char *type)
{
	for (const struct grant *g = grants; g->type != NULL; g++)
		if (text_eq(g->type, type))
			return g;
	return NULL;
}
