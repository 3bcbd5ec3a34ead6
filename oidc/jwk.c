/* Reading and writing JSON Web Keys; see jwk.h. */
#include "oidc/jwk.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "base/enc.h"
#include "base/roca.h"
#include "base/text.h"

#define RSA_MIN_BITS   2048
#define RSA_MAX_BITS   8192 /* verification time grows with the square */
#define EXPONENT_BYTES 8
#define KID_MAX_BYTES  256
#define ED25519_BYTES  32

static const struct curve {
	const char *crv;
	const char *group; /* OpenSSL's name */
	enum oidc_key_type key;
	size_t coordinate_bytes;
	enum oidc_alg alg;
} curves[] = {
	{"P-256", "prime256v1", OIDC_KEY_P256, 32, OIDC_ES256},
	{"P-384", "secp384r1", OIDC_KEY_P384, 48, OIDC_ES384},
};

/* Encodings of the points of order 1, 2, 4 and 8: under such a key anything verifies. */
static const char *const ed25519_small_order[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

static void
release_pkey(void *p)
{
	EVP_PKEY_free(p);
}

static void
release_bn(void *p)
{
	BN_free(p);
}

static void
release_params(void *p)
{
	OSSL_PARAM_free(p);
}

/* A member that holds base64url octets; missing is an error. */
static bool
octets(struct arena *a, const json_t *o, const char *name, struct bytes *out, struct err *err)
{
	const char *text = NULL;

	if (!json_get_str(o, name, &text, err))
		return false;
	if (text == NULL)
		return FAIL(err, ERR_INPUT, NULL, "JWK: %s is missing", name);
	return dec_base64url(a, bytes_of(text), out, err);
}

/* OpenSSL's key from its parameters, tied to the arena; NULL when it refuses them. */
static EVP_PKEY *
make_key(struct arena *a, const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	/* second line: OpenSSL leaves no key where it refuses */
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	arena_defer(a, release_pkey, pkey);
	return pkey;
}

static BIGNUM *
number(struct arena *a, struct bytes big_endian)
{
	BIGNUM *bn = BN_bin2bn(big_endian.p, (int)big_endian.n, NULL);

	arena_defer(a, release_bn, bn);
	return bn;
}

static OSSL_PARAM *
rsa_params(struct arena *a, struct bytes n, struct bytes e)
{
	BIGNUM *bn_n = number(a, n), *bn_e = number(a, e);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;

	if (bld != NULL && bn_n != NULL && bn_e != NULL &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, bn_n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, bn_e) == 1)
		params = OSSL_PARAM_BLD_to_param(bld);
	OSSL_PARAM_BLD_free(bld);
	arena_defer(a, release_params, params);
	return params;
}

static size_t
bits_of(struct bytes big_endian)
{
	size_t bits = (big_endian.n - 1) * 8;

	for (unsigned top = big_endian.p[0]; top != 0; top >>= 1)
		bits++;
	return bits;
}

/* RFC 7518 6.3.1; bounds on the exponent as in NIST SP 800-56B 6.2 (2^16 < e) and BSI TR-02102-1.
 */
static bool
rsa_key(struct arena *a, const json_t *o, EVP_PKEY **out, struct err *err)
{
	struct bytes n, e;

	if (!octets(a, o, "n", &n, err) || !octets(a, o, "e", &e, err))
		return false;
	/* second line: there is no first octet of nothing, whatever lies in its place */
	if (n.n == 0 || n.p[0] == 0 || e.n == 0 || e.p[0] == 0)
		return FAIL(err, ERR_INPUT, NULL, "JWK: n or e is empty or has leading zeros");
	if (bits_of(n) < RSA_MIN_BITS || bits_of(n) > RSA_MAX_BITS)
		return FAIL(err, ERR_INPUT, NULL, "JWK: RSA with %zu bits, wanted %d to %d",
			    bits_of(n), RSA_MIN_BITS, RSA_MAX_BITS);
	if ((n.p[n.n - 1] & 1) == 0)
		return FAIL(err, ERR_INPUT, NULL, "JWK: RSA modulus is even");
	if (roca_marked(n))
		return FAIL(err, ERR_INPUT, NULL, "JWK: RSA key of a faulty generator (ROCA)");
	if (e.n > EXPONENT_BYTES || bits_of(e) <= 16 || (e.p[e.n - 1] & 1) == 0)
		return FAIL(err, ERR_INPUT, NULL, "JWK: RSA exponent is weak or out of range");
	OSSL_PARAM *params = rsa_params(a, n, e);

	*out = params == NULL ? NULL : make_key(a, "RSA", params);
	return *out != NULL || FAIL(err, ERR_INTERNAL, NULL, "JWK: RSA key could not be made");
}

/* RFC 7518 6.2.1: coordinates have the full length; OpenSSL checks that the point is on the curve.
 */
static bool
ec_key(struct arena *a, const json_t *o, const struct curve *c, EVP_PKEY **out, struct err *err)
{
	unsigned char point[1 + 2 * 48] = {0x04};
	struct bytes x, y;

	if (!octets(a, o, "x", &x, err) || !octets(a, o, "y", &y, err))
		return false;
	if (x.n != c->coordinate_bytes || y.n != c->coordinate_bytes)
		return FAIL(err, ERR_INPUT, NULL, "JWK: coordinate of wrong length for %s", c->crv);
	memcpy(point + 1, x.p, x.n);
	memcpy(point + 1 + x.n, y.p, y.n);
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)c->group,
				       strlen(c->group)),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * x.n),
		OSSL_PARAM_END,
	};

	*out = make_key(a, "EC", params);
	return *out != NULL || FAIL(err, ERR_INPUT, NULL, "JWK: no point of %s", c->crv);
}

/* RFC 8037 2. */
static bool
ed25519_key(struct arena *a, const json_t *o, EVP_PKEY **out, struct err *err)
{
	unsigned char y[ED25519_BYTES];
	struct bytes x;

	if (!octets(a, o, "x", &x, err))
		return false;
	if (x.n != ED25519_BYTES)
		return FAIL(err, ERR_INPUT, NULL, "JWK: Ed25519 key of %zu octets", x.n);
	memcpy(y, x.p, sizeof(y));
	y[sizeof(y) - 1] &= 0x7f; /* the sign of the other coordinate */
	const char *hex = enc_hex(a, (struct bytes){y, sizeof(y)});

	for (size_t i = 0; i < ARRAY_LEN(ed25519_small_order); i++)
		if (strcmp(hex, ed25519_small_order[i]) == 0)
			return FAIL(err, ERR_INPUT, NULL, "JWK: Ed25519 point of small order");
	*out = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x.p, x.n);
	if (*out == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "JWK: Ed25519 key could not be made");
	arena_defer(a, release_pkey, *out);
	return true;
}

static bool
check_public(const json_t *o, const char *kty, struct err *err)
{
	/* RFC 7518 6.2.2, 6.3.2, 6.4.1. */
	static const char *const secret[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

	if (strcmp(kty, "oct") == 0)
		return FAIL(err, ERR_INPUT, NULL, "JWK: a symmetric key is no public key");
	for (size_t i = 0; i < ARRAY_LEN(secret); i++)
		if (json_object_get(o, secret[i]) != NULL)
			return FAIL(err, ERR_INPUT, NULL, "JWK: private member %s", secret[i]);
	return true;
}

/* What a key is for (RFC 7517 4.2, 4.3).  Zero: nothing that we do. */
enum key_use { USE_NONE = 0, USE_VERIFY, USE_ENCRYPT };

/* alg NULL: not said.  With one that encrypts, the key need not say its use. */
static bool
use_of(struct arena *a, const json_t *o, const char *alg, enum key_use *out, struct err *err)
{
	bool encrypts = alg != NULL && oidc_jwe_alg_find(alg) != OIDC_JWE_ALG_NONE;
	const char *use = NULL, **ops;
	bool verify;
	size_t n;

	if (!json_get_str(o, "use", &use, err) ||
	    !json_get_strs(a, o, "key_ops", 16, &ops, &n, err))
		return false;
	if (json_is_null(json_object_get(o, "key_ops")))
		return FAIL(err, ERR_INPUT, NULL, "JWK: key_ops is null");
	verify = json_object_get(o, "key_ops") == NULL;
	for (size_t i = 0; i < n; i++)
		verify = verify || strcmp(ops[i], "verify") == 0;
	if (use == NULL ? encrypts : strcmp(use, "enc") == 0)
		*out = USE_ENCRYPT;
	else
		*out = verify && (use == NULL || strcmp(use, "sig") == 0) ? USE_VERIFY : USE_NONE;
	return true;
}

/* What the members kty and crv make of a key.  type stays NONE for one we have no use for. */
struct key_kind {
	enum oidc_key_type type;
	enum oidc_alg alg;         /* the one of its type; for RSA none */
	const struct curve *curve; /* NULL: not on a Weierstrass curve */
};

static bool
kind_of(const json_t *o, const char *kty, struct key_kind *out, struct err *err)
{
	struct key_kind k = {0};
	const char *crv = "";

	if (!json_get_str(o, "crv", &crv, err))
		return false;
	if (strcmp(kty, "RSA") == 0)
		k.type = OIDC_KEY_RSA;
	if (strcmp(kty, "OKP") == 0 && strcmp(crv, "Ed25519") == 0)
		k = (struct key_kind){OIDC_KEY_ED25519, OIDC_EDDSA, NULL};
	for (size_t i = 0; i < ARRAY_LEN(curves) && strcmp(kty, "EC") == 0; i++)
		if (strcmp(crv, curves[i].crv) == 0)
			k = (struct key_kind){curves[i].key, curves[i].alg, &curves[i]};
	*out = k;
	return true;
}

static bool
material_parse(struct arena *a, const json_t *o, const struct key_kind *k, EVP_PKEY **out,
	       struct err *err)
{
	return k->curve != NULL          ? ec_key(a, o, k->curve, out, err)
	       : k->type == OIDC_KEY_RSA ? rsa_key(a, o, out, err)
					 : ed25519_key(a, o, out, err);
}

/* A list of each kind, with places for all keys of the set. */
struct sorted {
	struct oidc_jwk *keys;
	size_t n;
	struct oidc_enc_jwk *enc;
	size_t n_enc;
};

static bool
add_verifying(struct arena *a, const json_t *o, struct key_kind k, const char *kid, const char *alg,
	      enum oidc_alg rsa_alg, struct sorted *s, struct err *err)
{
	struct oidc_jwk key = {kid, k.type == OIDC_KEY_RSA ? rsa_alg : k.alg, NULL};

	if (alg != NULL)
		key.alg = oidc_alg_find(alg);
	if (alg != NULL && key.alg == OIDC_ALG_NONE)
		return true; /* ES512, HS256: not for us */
	if (key.alg == OIDC_ALG_NONE)
		return FAIL(err, ERR_INPUT, NULL, "JWK: an RSA key must name its alg");
	if (oidc_alg_info(key.alg)->key != k.type)
		return FAIL(err, ERR_INPUT, NULL, "JWK: alg %s does not fit the key",
			    oidc_alg_info(key.alg)->name);
	for (size_t i = 0; i < s->n; i++)
		if (kid != NULL && text_eq(s->keys[i].kid, kid))
			return FAIL(err, ERR_INPUT, NULL, "JWKS: one kid names two keys");
	if (!material_parse(a, o, &k, &key.pkey, err))
		return false;
	s->keys[s->n++] = key;
	return true;
}

static bool
add_encrypting(struct arena *a, const json_t *o, struct key_kind k, const char *kid,
	       const char *alg, struct sorted *s, struct err *err)
{
	struct oidc_enc_jwk key = {kid, k.type, OIDC_JWE_ALG_NONE, NULL};

	if (alg != NULL)
		key.alg = oidc_jwe_alg_find(alg);
	if (k.type == OIDC_KEY_ED25519 || (alg != NULL && key.alg == OIDC_JWE_ALG_NONE))
		return true; /* it signs; RSA-OAEP, ECDH-ES+A192KW: not for us */
	if (alg != NULL && !oidc_jwe_alg_fits(key.alg, k.type))
		return FAIL(err, ERR_INPUT, NULL, "JWK: alg %s does not fit the key",
			    oidc_jwe_alg_info(key.alg)->name);
	for (size_t i = 0; i < s->n_enc; i++)
		if (kid != NULL && text_eq(s->enc[i].kid, kid))
			return FAIL(err, ERR_INPUT, NULL, "JWKS: one kid names two keys");
	if (!material_parse(a, o, &k, &key.pkey, err))
		return false;
	s->enc[s->n_enc++] = key;
	return true;
}

/* A key that is in order but not for us is left out. */
static bool
key_add(struct arena *a, const json_t *o, enum oidc_alg rsa_alg, struct sorted *s, struct err *err)
{
	const char *kty = NULL, *kid = NULL, *alg = NULL;
	enum key_use use;
	struct key_kind k;

	if (!json_get_str(o, "kty", &kty, err) || !json_get_str(o, "kid", &kid, err) ||
	    !json_get_str(o, "alg", &alg, err))
		return false;
	if (kty == NULL)
		return FAIL(err, ERR_INPUT, NULL, "JWK: kty is missing");
	if (kid != NULL && (*kid == '\0' || strlen(kid) > KID_MAX_BYTES))
		return FAIL(err, ERR_INPUT, NULL, "JWK: kid is empty or too long");
	if (!check_public(o, kty, err) || !use_of(a, o, alg, &use, err) ||
	    !kind_of(o, kty, &k, err))
		return false;
	if (k.type == OIDC_KEY_NONE || use == USE_NONE)
		return true;
	kid = arena_strdup(a, kid);
	return use == USE_ENCRYPT ? add_encrypting(a, o, k, kid, alg, s, err)
				  : add_verifying(a, o, k, kid, alg, rsa_alg, s, err);
}

bool
oidc_jwks_parse(struct arena *a, const json_t *set, enum oidc_alg rsa_alg, struct oidc_jwks *out,
		struct err *err)
{
	const json_t *array = NULL;

	if (!json_get_array(set, "keys", &array, err))
		return false;
	size_t count = json_array_size(array);

	if (array == NULL || count > OIDC_JWKS_MAX_KEYS)
		return FAIL(err, ERR_INPUT, NULL, "JWKS: no array of keys, or more than %d",
			    OIDC_JWKS_MAX_KEYS);
	struct sorted s = {.keys = ARENA_ARRAY(a, struct oidc_jwk, count + 1),
			   .enc = ARENA_ARRAY(a, struct oidc_enc_jwk, count + 1)};

	for (size_t i = 0; i < count; i++) {
		const json_t *o = json_array_get(array, i);

		if (!json_is_object(o))
			return FAIL(err, ERR_INPUT, NULL, "JWKS: a key is not an object");
		if (!key_add(a, o, rsa_alg, &s, err))
			return false;
	}
	if (s.n + s.n_enc == 0)
		return FAIL(err, ERR_INPUT, NULL, "JWKS: no key that we have a use for");
	*out = (struct oidc_jwks){s.keys, s.n, s.enc, s.n_enc};
	return true;
}

const struct oidc_jwk *
oidc_jwks_find(const struct oidc_jwks *set, const char *kid, enum oidc_alg alg)
{
	const struct oidc_jwk *found = NULL;

	for (size_t i = 0; i < set->n; i++) {
		const struct oidc_jwk *k = &set->keys[i];

		if (kid != NULL ? !text_eq(k->kid, kid) : k->alg != alg)
			continue;
		if (found != NULL)
			return NULL;
		found = k;
	}
	return found;
}

const struct oidc_enc_jwk *
oidc_jwks_find_enc(const struct oidc_jwks *set, enum oidc_jwe_alg alg)
{
	const struct oidc_enc_jwk *fits = NULL;

	for (size_t i = 0; i < set->n_enc; i++) {
		const struct oidc_enc_jwk *k = &set->enc[i];

		if (!oidc_jwe_alg_fits(alg, k->type))
			continue;
		if (k->alg == alg)
			return k;
		if (k->alg == OIDC_JWE_ALG_NONE && fits == NULL)
			fits = k;
	}
	return fits;
}

bool
oidc_epk_parse(struct arena *a, const json_t *epk, enum oidc_key_type *type, EVP_PKEY **out,
	       struct err *err)
{
	const char *kty = NULL;
	struct key_kind k;

	if (!json_get_str(epk, "kty", &kty, err) ||
	    !kind_of(epk, kty == NULL ? "" : kty, &k, err) || !check_public(epk, "", err))
		return false;
	if (k.curve == NULL)
		return FAIL(err, ERR_INPUT, NULL, "JWK: epk is not on a curve of ours");
	*type = k.type;
	return ec_key(a, epk, k.curve, out, err);
}

static const struct curve *
curve_of(enum oidc_key_type type)
{
	return &curves[type == OIDC_KEY_P384];
}

json_t *
oidc_epk_build(struct arena *a, enum oidc_key_type type, struct bytes point)
{
	const struct curve *c = curve_of(type);
	size_t n = c->coordinate_bytes;
	json_t *o = json_new_object(a);

	json_put_str(a, o, "kty", "EC");
	json_put_str(a, o, "crv", c->crv);
	json_put_str(a, o, "x", enc_base64url(a, (struct bytes){point.p + 1, n}));
	json_put_str(a, o, "y", enc_base64url(a, (struct bytes){point.p + 1 + n, n}));
	return o;
}

/* A number of the key as base64url octets of at least `width` octets (0: no leading zeros). */
static bool
put_number(struct arena *a, json_t *o, const char *member, const EVP_PKEY *pkey, const char *param,
	   size_t width)
{
	BIGNUM *bn = NULL;

	if (EVP_PKEY_get_bn_param(pkey, param, &bn) != 1)
		return false;
	arena_defer(a, release_bn, bn);
	size_t n = width != 0 ? width : (size_t)BN_num_bytes(bn);
	unsigned char *p = arena_alloc(a, n);

	if (BN_bn2binpad(bn, p, (int)n) < 0)
		return false;
	json_put_str(a, o, member, enc_base64url(a, (struct bytes){p, n}));
	return true;
}

static bool
put_rsa(struct arena *a, json_t *o, const EVP_PKEY *pkey)
{
	json_put_str(a, o, "kty", "RSA");
	/* second line: a key without the one has not the other either */
	return put_number(a, o, "n", pkey, OSSL_PKEY_PARAM_RSA_N, 0) &&
	       put_number(a, o, "e", pkey, OSSL_PKEY_PARAM_RSA_E, 0);
}

static bool
put_ec(struct arena *a, json_t *o, const EVP_PKEY *pkey, enum oidc_key_type type)
{
	const struct curve *c = curve_of(type);

	json_put_str(a, o, "kty", "EC");
	json_put_str(a, o, "crv", c->crv);
	/* second line: a key without the one has not the other either */
	return put_number(a, o, "x", pkey, OSSL_PKEY_PARAM_EC_PUB_X, c->coordinate_bytes) &&
	       put_number(a, o, "y", pkey, OSSL_PKEY_PARAM_EC_PUB_Y, c->coordinate_bytes);
}

static bool
put_ed25519(struct arena *a, json_t *o, const EVP_PKEY *pkey)
{
	unsigned char x[ED25519_BYTES];
	size_t n = sizeof(x);

	json_put_str(a, o, "kty", "OKP");
	json_put_str(a, o, "crv", "Ed25519");
	if (EVP_PKEY_get_raw_public_key(pkey, x, &n) != 1)
		return false;
	json_put_str(a, o, "x", enc_base64url(a, (struct bytes){x, n}));
	return true;
}

static bool
put_key(struct arena *a, json_t *array, const char *kid, enum oidc_key_type type, const char *use,
	const char *alg, const EVP_PKEY *pkey)
{
	json_t *o = json_new_object(a);
	bool ok = type == OIDC_KEY_RSA       ? put_rsa(a, o, pkey)
		  : type == OIDC_KEY_ED25519 ? put_ed25519(a, o, pkey)
					     : put_ec(a, o, pkey, type);

	json_put_str(a, o, "kid", kid);
	json_put_str(a, o, "use", use);
	json_put_str(a, o, "alg", alg);
	json_push(a, array, o);
	return ok && kid != NULL;
}

/* Key i of the set: those that verify, then those to encrypt to. */
static bool
put_at(struct arena *a, json_t *array, const struct oidc_jwks *set, size_t i)
{
	if (i < set->n) {
		const struct oidc_jwk *k = &set->keys[i];
		const struct oidc_alg_info *alg = oidc_alg_info(k->alg);

		return put_key(a, array, k->kid, alg->key, "sig", alg->name, k->pkey);
	}
	const struct oidc_enc_jwk *k = &set->enc[i - set->n];
	const char *alg = oidc_jwe_alg_info(k->alg)->name;

	return put_key(a, array, k->kid, k->type, "enc", alg[0] == '\0' ? NULL : alg, k->pkey);
}

bool
oidc_jwks_build(struct arena *a, const struct oidc_jwks *set, const char **json, struct err *err)
{
	json_t *o = json_new_object(a), *array = json_new_array(a);

	for (size_t i = 0; i < set->n + set->n_enc; i++)
		if (!put_at(a, array, set, i)) {
			ERR_clear_error();
			return FAIL(err, ERR_INTERNAL, NULL, "JWKS: key %zu cannot be written", i);
		}
	json_put(a, o, "keys", array);
	*json = json_text(a, o, false);
	return true;
}
