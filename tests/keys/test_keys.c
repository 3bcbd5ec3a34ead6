/* In-process keys for tests; see test_keys.h. */
#include "tests/keys/test_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/enc.h"
#include "keys/cert.h"
#include "keys/cert_build.h"
#include "keys/keyring.h"
#include "keys/private.h"
#include "keys/shape.h"
#include "keys/verify.h"
#include "tests/keys/test_rsa.h"

#define CERT_FROM ((time_t)1577836800) /* 2020-01-01 */
#define CERT_DAYS 10958

#define KEYS_MAX  16

struct local {
	struct arena *a;
	struct crypto c;
	struct private_key keys[KEYS_MAX];
	struct test_key shown[KEYS_MAX];
	size_t n;
};

struct wanted {
	const char *kid;
	enum key_purpose purpose;
	enum key_type type;
	const char *const *rsa;
	struct bytes plain; /* PKCS#8; n 0: to be made */
};

static const struct wanted wanted[] = {
	{"test-p256", KEY_OIDC_SIGN, KEY_P256, NULL, {0}},
	{"test-rsa", KEY_OIDC_SIGN, KEY_RSA3072, &test_rsa_keys[0], {0}},
	{"test-dec-rsa", KEY_DECRYPT, KEY_RSA3072, &test_rsa_keys[1], {0}},
	{"test-dec-p256", KEY_DECRYPT, KEY_P256, NULL, {0}},
};

static void
need(bool ok, const struct err *err)
{
	if (ok)
		return;
	fprintf(stderr, "test keys: %s\n", err->text);
	abort();
}

/* PKCS#8 of each key: EC keys are fresh, RSA keys fixed (making one takes long). */
static struct bytes
plain_of(struct arena *a, const struct wanted *w)
{
	struct bytes plain;
	struct err err = {0};

	if (w->plain.n > 0)
		return w->plain;
	if (w->rsa != NULL)
		need(dec_base64(a, bytes_of(*w->rsa), false, &plain, &err), &err);
	else
		need(private_key_generate(a, w->type, &plain, &err), &err);
	return plain;
}

static struct private_key *
find(struct local *l, const char *kid, struct err *err)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->keys[i].kid, kid) == 0)
			return &l->keys[i];
	(void)FAIL(err, ERR_DENIED, NULL, "no such key");
	return NULL;
}

static bool
local_sign(void *ctx, struct arena *a, const char *kid, enum sig_alg alg, struct bytes text,
	   struct bytes *sig, struct err *err)
{
	struct local *l = ctx;
	struct private_key *k = find(l, kid, err);
	enum key_purpose purpose =
		text.n > 0 && memchr("<S", text.p[0], 2) != NULL ? KEY_SAML_SIGN : KEY_OIDC_SIGN;

	if (k == NULL)
		return false;
	if (!shape_check(a, KEY_FEDERATION_SIGN, kid, alg, text, NULL) &&
	    !shape_check(a, purpose, kid, alg, text, err))
		return false;
	return private_key_sign(k, 0, a, alg, text, sig, err);
}

static bool
local_unwrap(void *ctx, struct arena *a, const char *kid, enum wrap_alg alg, struct bytes wrapped,
	     struct bytes *key, struct err *err)
{
	struct local *l = ctx;
	struct private_key *k = find(l, kid, err);

	return k != NULL && private_key_unwrap(k, 0, a, alg, wrapped, key, err);
}

static bool
local_agree(void *ctx, struct arena *a, const char *kid, struct bytes peer_spki,
	    struct bytes other_info, size_t key_bytes, struct bytes *key, struct err *err)
{
	struct local *l = ctx;
	struct private_key *k = find(l, kid, err);

	return k != NULL && private_key_agree(k, 0, a, peer_spki, other_info, key_bytes, key, err);
}

static const struct test_key *
key_make(struct arena *a, struct local *l, const struct wanted *w)
{
	struct private_key *k = &l->keys[l->n];
	struct test_key *out = &l->shown[l->n];
	struct err err = {0};

	need(l->n < KEYS_MAX && private_key_init(a, &l->c, w->kid, w->purpose, w->type,
						 plain_of(a, w), 1, k, &err),
	     &err);
	l->n++;
	out->kid = k->kid;
	out->type = k->type;
	out->spki = k->spki;
	need(cert_build_self_signed(a, k->pkey, w->kid, CERT_FROM, CERT_DAYS, &out->cert, &err),
	     &err);
	need(cert_spki_parse(a, out->spki, &out->pub, &err), &err);
	return out;
}

const struct test_key *
test_key_of(const struct test_keys *t, enum key_purpose purpose, enum key_type type)
{
	struct local *l = t->ops.ctx;
	bool decrypts = purpose == KEY_DECRYPT;

	for (size_t i = 0; i < l->n; i++)
		if (l->keys[i].type == type && (l->keys[i].purpose == KEY_DECRYPT) == decrypts)
			return &l->shown[i];
	const char *kid =
		arena_printf(l->a, decrypts ? "test-dec-%s" : "test-%s", key_type_name(type));

	if (!key_purpose_takes(purpose, type))
		purpose = KEY_OIDC_SIGN; /* whatever signs serves every purpose here */
	/* The same octets as another's: making RSA keys takes long. */
	return key_make(
		l->a, l,
		&(struct wanted){
			kid, purpose, type, key_type_is_rsa(type) ? &test_rsa_keys[0] : NULL, {0}});
}

const struct test_key *
test_key_import(const struct test_keys *t, const char *kid, enum key_type type, struct bytes secret,
		struct bytes point)
{
	struct local *l = t->ops.ctx;
	const char *curve = key_type_row(type)->curve;
	BIGNUM *d = BN_bin2bn(secret.p, (int)secret.n, NULL);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *pkey = NULL;
	unsigned char *der = NULL;
	struct err err = {.text = "no such key"};

	need(OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) == 1 &&
		     OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point.p,
						      point.n) == 1 &&
		     OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, d) == 1,
	     &err);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);

	need(EVP_PKEY_fromdata_init(ctx) == 1 &&
		     EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) == 1,
	     &err);
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
	int n = i2d_PKCS8_PRIV_KEY_INFO(info, &der);

	need(n > 0, &err);
	struct bytes plain = arena_bytes(l->a, (struct bytes){der, (size_t)n});

	OPENSSL_free(der);
	PKCS8_PRIV_KEY_INFO_free(info);
	EVP_PKEY_free(pkey);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	BN_free(d);
	return key_make(l->a, l, &(struct wanted){kid, KEY_DECRYPT, type, NULL, plain});
}

struct test_keys *
test_keys_create(struct arena *a)
{
	struct test_keys *t = ARENA_NEW(a, struct test_keys);
	struct local *l = ARENA_NEW(a, struct local);
	struct test_key *keys[] = {&t->p256, &t->rsa, &t->dec_rsa, &t->dec_p256};
	struct err err = {0};

	l->a = a;
	need(crypto_init(a, &l->c, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		*keys[i] = *key_make(a, l, &wanted[i]);
	t->ops = (struct key_ops){
		.ctx = l, .sign = local_sign, .unwrap = local_unwrap, .agree = local_agree};
	return t;
}

struct bytes
test_jws_input(struct arena *a, const char *alg, const char *kid)
{
	const char *header = arena_printf(a, "{\"alg\":\"%s\",\"kid\":\"%s\"}", alg, kid);

	return bytes_of(arena_printf(a, "%s.e30", enc_base64url(a, bytes_of(header))));
}

struct bytes
test_redirect_query(struct arena *a, const char *alg_uri)
{
	struct bytes text;
	struct err err = {0};
	struct buf b;

	buf_init(&b, a, 256);
	buf_str(&b, "SAMLRequest=x&SigAlg=");
	enc_percent(&b, bytes_of(alg_uri));
	need(buf_finish(&b, &text, &err), &err);
	return text;
}

bool
test_verifies(EVP_PKEY *pub, enum sig_alg alg, struct bytes text, struct bytes sig)
{
	return verify_signature(&sig_alg_row(alg)->how, pub, text, sig);
}
