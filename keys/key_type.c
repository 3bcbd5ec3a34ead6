/* The tables of key types and signature algorithms; see key_type.h. */
#include "keys/key_type.h"

#include <openssl/evp.h>
#include <string.h>

#define MORE_2001 "http://www.w3.org/2001/04/xmldsig-more#"
#define MORE_2007 "http://www.w3.org/2007/05/xmldsig-more#"

static const struct key_type_row types[] = {
	{KEY_P256, "p256", "P-256", "prime256v1", 32, true, true},
	{KEY_RSA3072, "rsa3072", "RSA", NULL, 0, true, true},
	{KEY_SECRET, "secret", "secret", NULL, 0, false, false},
	{KEY_P384, "p384", "P-384", "secp384r1", 48, true, true},
	{KEY_BP256, "bp256", "brainpoolP256r1", "brainpoolP256r1", 32, false, true},
	{KEY_BP384, "bp384", "brainpoolP384r1", "brainpoolP384r1", 48, false, true},
	{KEY_RSA_PSS, "rsa3072-pss", "RSA-PSS", NULL, 0, true, false},
};

/* An EC signature's digest is as long as the curve's order (TR-03111 4.1.2). */
static const struct sig_alg_row algs[] = {
	{SIG_ES256, KEY_P256, {"EC", "SHA256", false}, "ES256", MORE_2001 "ecdsa-sha256"},
	{SIG_RS256, KEY_RSA3072, {"RSA", "SHA256", false}, "RS256", MORE_2001 "rsa-sha256"},
	{SIG_PS256, KEY_RSA3072, {"RSA", "SHA256", true}, NULL, MORE_2007 "sha256-rsa-MGF1"},
	{SIG_ES384, KEY_P384, {"EC", "SHA384", false}, "ES384", MORE_2001 "ecdsa-sha384"},
	{SIG_BP256, KEY_BP256, {"EC", "SHA256", false}, NULL, MORE_2001 "ecdsa-sha256"},
	{SIG_BP384, KEY_BP384, {"EC", "SHA384", false}, NULL, MORE_2001 "ecdsa-sha384"},
	{SIG_PS256_ALONE, KEY_RSA_PSS, {"RSA", "SHA256", true}, "PS256", NULL},
};

const struct key_type_row *
key_type_row(enum key_type type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].type == type)
			return &types[i];
	return NULL;
}

const char *
key_type_name(enum key_type type)
{
	const struct key_type_row *row = key_type_row(type);

	return row != NULL ? row->name : NULL;
}

bool
key_type_from_name(const char *name, enum key_type *out)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].name, name) == 0) {
			*out = types[i].type;
			return true;
		}
	return false;
}

bool
key_type_is_rsa(enum key_type type)
{
	return type == KEY_RSA3072 || type == KEY_RSA_PSS;
}

size_t
key_type_point_bytes(const struct key_type_row *row)
{
	return 1 + 2 * row->field_bytes;
}

bool
key_type_fits(enum key_type type, const EVP_PKEY *pkey)
{
	const struct key_type_row *row = key_type_row(type);
	char group[64] = "";

	if (key_type_is_rsa(type))
		return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA &&
		       EVP_PKEY_get_bits(pkey) >= KEY_RSA_BITS;
	return row != NULL && row->curve != NULL && EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC &&
	       EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1 &&
	       strcmp(group, row->curve) == 0;
}

const struct sig_alg_row *
sig_alg_at(size_t i)
{
	return i < ARRAY_LEN(algs) ? &algs[i] : NULL;
}

const struct sig_alg_row *
sig_alg_row(enum sig_alg alg)
{
	for (size_t i = 0; i < ARRAY_LEN(algs); i++)
		if (algs[i].alg == alg)
			return &algs[i];
	return NULL;
}

enum key_type
key_type_of_sig(enum sig_alg alg)
{
	const struct sig_alg_row *row = sig_alg_row(alg);

	return row != NULL ? row->type : (enum key_type)0;
}
