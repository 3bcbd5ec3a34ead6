/* The fronts there are. */
#include "idp/front.h"

#include "base/text.h"
#include "idp/front_account.h"
#include "idp/front_oidc.h"
#include "idp/front_polled.h"
#include "idp/front_saml.h"

const struct front *const fronts[] = {&front_saml,   &front_oidc, &front_account,
				      &front_device, &front_ciba, NULL};

const struct front *
front_find(const char *name)
{
	for (size_t i = 0; fronts[i] != NULL; i++)
		if (text_eq(fronts[i]->name, name))
			return fronts[i];
	return NULL;
}
