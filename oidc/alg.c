/* The algorithm tables; see alg.h. */
#include "oidc/alg.h"

#include <string.h>

static const struct oidc_alg_info infos[OIDC_ALG_COUNT] = {
	[OIDC_ALG_NONE] = {"", OIDC_KEY_NONE, NULL, false, 0, SIG_NONE},
	[OIDC_ES256] = {"ES256", OIDC_KEY_P256, "SHA256", false, 64, SIG_ES256},
	[OIDC_ES384] = {"ES384", OIDC_KEY_P384, "SHA384", false, 96, SIG_ES384},
	[OIDC_EDDSA] = {"EdDSA", OIDC_KEY_ED25519, NULL, false, 64, SIG_NONE},
	[OIDC_PS256] = {"PS256", OIDC_KEY_RSA, "SHA256", true, 0, SIG_PS256_ALONE},
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

static const struct oidc_jwe_alg_info jwe_algs[OIDC_JWE_ALG_COUNT] = {
	[OIDC_JWE_ALG_NONE] = {"", false, 0},
	[OIDC_ECDH_ES] = {"ECDH-ES", false, 0},
	[OIDC_ECDH_ES_A128KW] = {"ECDH-ES+A128KW", false, 16},
	[OIDC_ECDH_ES_A256KW] = {"ECDH-ES+A256KW", false, 32},
	[OIDC_RSA_OAEP_256] = {"RSA-OAEP-256", true, 0},
};

static const struct oidc_jwe_enc_info jwe_encs[OIDC_ENC_COUNT] = {
	[OIDC_ENC_NONE] = {"", 0, 0, 0, false},
	[OIDC_A128GCM] = {"A128GCM", 16, 12, 16, false},
	[OIDC_A256GCM] = {"A256GCM", 32, 12, 16, false},
	[OIDC_A128CBC_HS256] = {"A128CBC-HS256", 32, 16, 16, true},
	[OIDC_A256CBC_HS512] = {"A256CBC-HS512", 64, 16, 32, true},
};

const struct oidc_jwe_alg_info *
oidc_jwe_alg_info(enum oidc_jwe_alg alg)
{
	return &jwe_algs[(size_t)alg < OIDC_JWE_ALG_COUNT ? alg : OIDC_JWE_ALG_NONE];
}

const struct oidc_jwe_enc_info *
oidc_jwe_enc_info(enum oidc_jwe_enc enc)
{
	return &jwe_encs[(size_t)enc < OIDC_ENC_COUNT ? enc : OIDC_ENC_NONE];
}

enum oidc_jwe_alg
oidc_jwe_alg_find(const char *name)
{
	for (int alg = OIDC_JWE_ALG_NONE + 1; alg < OIDC_JWE_ALG_COUNT; alg++)
		if (strcmp(jwe_algs[alg].name, name) == 0)
			return (enum oidc_jwe_alg)alg;
	return OIDC_JWE_ALG_NONE;
}

enum oidc_jwe_enc
oidc_jwe_enc_find(const char *name)
{
	for (int enc = OIDC_ENC_NONE + 1; enc < OIDC_ENC_COUNT; enc++)
		if (strcmp(jwe_encs[enc].name, name) == 0)
			return (enum oidc_jwe_enc)enc;
	return OIDC_ENC_NONE;
}

bool
oidc_jwe_alg_fits(enum oidc_jwe_alg alg, enum oidc_key_type type)
{
	if (oidc_jwe_alg_info(alg)->name[0] == '\0')
		return false;
	return jwe_algs[alg].rsa ? type == OIDC_KEY_RSA
				 : type == OIDC_KEY_P256 || type == OIDC_KEY_P384;
}
