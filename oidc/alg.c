/* The algorithm table; see alg.h. */
#include "oidc/alg.h"

#include <string.h>

static const struct oidc_alg_info infos[OIDC_ALG_COUNT] = {
	[OIDC_ALG_NONE] = {"", OIDC_KEY_NONE, NULL, false, 0, SIG_NONE},
	[OIDC_ES256] = {"ES256", OIDC_KEY_P256, "SHA256", false, 64, SIG_ES256},
	[OIDC_ES384] = {"ES384", OIDC_KEY_P384, "SHA384", false, 96, SIG_NONE},
	[OIDC_EDDSA] = {"EdDSA", OIDC_KEY_ED25519, NULL, false, 64, SIG_NONE},
	[OIDC_PS256] = {"PS256", OIDC_KEY_RSA, "SHA256", true, 0, SIG_PS256},
	[OIDC_PS384] = {"PS384", OIDC_KEY_RSA, "SHA384", true, 0, SIG_NONE},
	[OIDC_RS256] = {"RS256", OIDC_KEY_RSA, "SHA256", false, 0, SIG_RS256},
};

const struct oidc_alg_info *
oidc_alg_info(enum oidc_alg alg)
{
	return &infos[(size_t)alg < OIDC_ALG_COUNT ? alg : OIDC_ALG_NONE];
}

enum oidc_alg
oidc_alg_find(const char *name)
{
	for (int alg = OIDC_ALG_NONE + 1; alg < OIDC_ALG_COUNT; alg++)
		if (strcmp(infos[alg].name, name) == 0)
			return (enum oidc_alg)alg;
	return strcmp(name, "Ed25519") == 0 ? OIDC_EDDSA : OIDC_ALG_NONE;
}
