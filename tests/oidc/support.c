/* Keys, tokens and vectors for the tests; see support.h. */
#include "tests/oidc/support.h"

#include <stdio.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "base/conf.h"
#include "base/enc.h"

struct bytes
vector_read(struct arena *a, const char *name)
{
	struct err err = {0};
	struct bytes b;

	ASSERT_OK(conf_read_file(a, arena_printf(a, "%s/%s", VECTORS, name), 1 << 16, &b, &err),
		  &err);
	while (b.n > 0 && b.p[b.n - 1] == '\n')
		b.n--;
	return b;
}

EVP_PKEY *
key_pair(enum oidc_alg alg)
{
	static EVP_PKEY *pairs[OIDC_KEY_ED25519 + 1];
	enum oidc_key_type type = oidc_alg_info(alg)->key;

	if (pairs[type] == NULL)
		pairs[type] = type == OIDC_KEY_RSA    ? EVP_RSA_gen(2048)
			      : type == OIDC_KEY_P256 ? EVP_EC_gen("P-256")
			      : type == OIDC_KEY_P384 ? EVP_EC_gen("P-384")
						      : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	assert_non_null(pairs[type]);
	return pairs[type];
}

struct oidc_jwk
public_key(enum oidc_alg alg, const char *kid)
{
	return (struct oidc_jwk){kid, alg, key_pair(alg)};
}

const char *
public_jwks(struct arena *a, enum oidc_alg alg, const char *kid)
{
	struct oidc_jwk key = public_key(alg, kid);
	struct err err = {0};
	const char *text;

	ASSERT_OK(oidc_jwks_build(a, &(struct oidc_jwks){.keys = &key, .n = 1}, &text, &err), &err);
	return text;
}

static struct bytes
raw_ecdsa(struct arena *a, struct bytes der, size_t n)
{
	const unsigned char *p = der.p;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der.n);
	unsigned char *out = arena_alloc(a, n);

	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, (int)n / 2), (int)n / 2);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + n / 2, (int)n / 2), (int)n / 2);
	ECDSA_SIG_free(sig);
	return (struct bytes){out, n};
}

static struct bytes
sign_with(struct arena *a, enum oidc_alg alg, struct bytes text)
{
	const struct oidc_alg_info *info = oidc_alg_info(alg);
	const EVP_MD *md = info->digest == NULL ? NULL : EVP_get_digestbyname(info->digest);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *out = arena_alloc(a, 1024);
	EVP_PKEY_CTX *pctx;
	size_t n = 1024;

	assert_int_equal(EVP_DigestSignInit(ctx, &pctx, md, NULL, key_pair(alg)), 1);
	if (info->pss) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST), 1);
	}
	assert_int_equal(EVP_DigestSign(ctx, out, &n, text.p, text.n), 1);
	EVP_MD_CTX_free(ctx);
	if (info->key == OIDC_KEY_P256 || info->key == OIDC_KEY_P384)
		return raw_ecdsa(a, (struct bytes){out, n}, info->signature_bytes);
	return (struct bytes){out, n};
}

static const char *
signing_input(struct arena *a, const char *header, const char *payload)
{
	return arena_printf(a, "%s.%s", enc_base64url(a, bytes_of(header)),
			    enc_base64url(a, bytes_of(payload)));
}

const char *
compact_of(struct arena *a, const char *header, const char *payload, struct bytes signature)
{
	return arena_printf(a, "%s.%s", signing_input(a, header, payload),
			    enc_base64url(a, signature));
}

const char *
token_of(struct arena *a, enum oidc_alg alg, const char *header, const char *payload)
{
	return compact_of(a, header, payload,
			  sign_with(a, alg, bytes_of(signing_input(a, header, payload))));
}

json_t *
json_of(struct arena *a, const char *text)
{
	struct err err = {0};
	json_t *o;

	ASSERT_OK(json_parse_object(a, bytes_of(text), 1 << 20, &o, &err), &err);
	return o;
}
