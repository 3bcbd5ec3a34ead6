/* The table of profiles; see profile.h. */
#include "oidc/profile.h"

#include "base/text.h"

const struct oidc_profile oidc_profiles[] = {
	/* FAPI 2.0 Security Profile */
	{"fapi2", OIDC_CHECK_PKCE | OIDC_CHECK_PUSHED | OIDC_CHECK_CODE_ONLY |
			  OIDC_CHECK_BOUND_TOKENS | OIDC_CHECK_KEY_AUTH |
			  OIDC_CHECK_ISSUER_AUDIENCE | OIDC_CHECK_STRONG_ALGS |
			  OIDC_CHECK_STABLE_REFRESH | OIDC_CHECK_TIMED_REQUEST | OIDC_CHECK_CIBA |
			  OIDC_CHECK_SAFE_UNSAID},
	/* what the certification plans of OpenID Connect send */
	{"oidc", OIDC_CHECK_OPENID},
	/* OAuth 2.0 by its best current practice (RFC 9700) */
	{"oauth", OIDC_CHECK_PKCE | OIDC_CHECK_SAFE_UNSAID},
	{NULL, 0},
};

const struct oidc_profile *
oidc_profile_find(const char *name)
{
	for (const struct oidc_profile *p = oidc_profiles; p->name != NULL; p++)
		if (text_eq(p->name, name))
			return p;
	return NULL;
}
