/* The table of grants; see grant.h. */
#include "idp/grant.h"

#include "base/text.h"

const struct grant grants[] = {
	{OIDC_GRANT_CODE, grant_code_give},
	{NULL, NULL},
};

const struct grant *
grant_find(const char *type)
{
	for (const struct grant *g = grants; g->type != NULL; g++)
		if (text_eq(g->type, type))
			return g;
	return NULL;
}
