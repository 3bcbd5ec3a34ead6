/* Private keys and what is done with them; see private.h. */
#include "keys/private.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/rand.h"
#include "keys/cert.h"
#include "keys/envelope.h"
#include "keys/keyring.h"

#define RSA_MAX_BYTES     2048
#define CONTENT_KEY_LEAST 16 /* octets of an unwrapped or agreed key */
#define CONTENT_KEY_MOST  64

static bool
pkcs8_build(struct arena *a, const EVP_PKEY *pkey, struct bytes *plain, struct err *err)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
	int n = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, NULL) : -1;

	if (n > 0) {
		unsigned char *p = arena_alloc(a, (size_t)n), *end = p;

		n = i2d_PKCS8_PRIV_KEY_INFO(info, &end);
		*plain = (struct bytes){p, (size_t)n};
	}
	PKCS8_PRIV_KEY_INFO_free(info);
	return n > 0 || CRYPTO_FAIL(err, ERR_INTERNAL, "new key cannot be encoded");
}

bool
private_key_generate(struct arena *a, enum key_type type, struct bytes *plain, struct err *err)
{
	const struct key_type_row *row = key_type_row(type);
	EVP_PKEY *pkey = NULL;

	if (type == KEY_SECRET) {
		unsigned char *p = arena_alloc(a, PRIVATE_SECRET_BYTES);

		rand_bytes(p, PRIVATE_SECRET_BYTES);
		*plain = (struct bytes){p, PRIVATE_SECRET_BYTES};
		return true;
	}
	if (key_type_is_rsa(type))
		pkey = EVP_RSA_gen(KEY_RSA_BITS);
	else if (row != NULL)
		pkey = EVP_EC_gen(row->curve);
	if (pkey == NULL)
		return CRYPTO_FAIL(err, ERR_INTERNAL, "key cannot be made");
	crypto_keep_pkey(a, pkey);
	return pkcs8_build(a, pkey, plain, err);
}

bool
private_key_parse(struct arena *a, enum key_type type, struct bytes plain, EVP_PKEY **out,
		  struct err *err)
{
	const unsigned char *p = plain.p;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)plain.n);
	EVP_PKEY *pkey = info != NULL ? EVP_PKCS82PKEY(info) : NULL;

	PKCS8_PRIV_KEY_INFO_free(info);
	crypto_keep_pkey(a, pkey);
	if (pkey == NULL || p != plain.p + plain.n || !key_type_fits(type, pkey))
		return CRYPTO_FAIL(err, ERR_INPUT, "not a private key of its type");
	*out = pkey;
	return true;
}

static void
lane_close(void *p)
{
	struct private_lane *lane = p;

	for (size_t i = 0; i < ARRAY_LEN(lane->sign); i++)
		EVP_PKEY_CTX_free(lane->sign[i]);
	for (size_t i = 0; i < ARRAY_LEN(lane->unwrap); i++)
		EVP_PKEY_CTX_free(lane->unwrap[i]);
	EVP_PKEY_CTX_free(lane->derive);
	EVP_PKEY_free(lane->pkey);
	memset(lane->sign, 0, sizeof(lane->sign));
	memset(lane->unwrap, 0, sizeof(lane->unwrap));
	lane->derive = NULL;
	lane->pkey = NULL;
}

static EVP_MD *
digest_of(const struct private_key *k, const struct verify_how *how)
{
	return strcmp(how->digest, "SHA384") == 0 ? k->sha384 : k->sha256;
}

static bool
sign_ctx_init(const struct private_key *k, struct private_lane *lane, const struct sig_alg_row *row)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, lane->pkey, NULL);
	EVP_MD *digest = digest_of(k, &row->how);
	int padding = row->how.pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;

	lane->sign[row->alg] = ctx;
	if (ctx == NULL || EVP_PKEY_sign_init(ctx) != 1)
		return false;
	if (key_type_is_rsa(k->type) && EVP_PKEY_CTX_set_rsa_padding(ctx, padding) != 1)
		return false;
	if (EVP_PKEY_CTX_set_signature_md(ctx, digest) != 1)
		return false;
	return !row->how.pss ||
	       (EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1 &&
		EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, digest) == 1);
}

/* A context for each signature that keys of this type make. */
static bool
sign_ctxs_init(const struct private_key *k, struct private_lane *lane)
{
	const struct sig_alg_row *row;

	for (size_t i = 0; (row = sig_alg_at(i)) != NULL; i++)
		if (row->type == k->type && !sign_ctx_init(k, lane, row))
			return false;
	return true;
}

static bool
unwrap_ctx_init(struct private_lane *lane, enum wrap_alg alg, const char *digest)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, lane->pkey, NULL);

	lane->unwrap[alg] = ctx;
	return ctx != NULL && EVP_PKEY_decrypt_init(ctx) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, digest, NULL) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, digest, NULL) == 1;
}

static bool
derive_ctx_init(struct private_lane *lane)
{
	lane->derive = EVP_PKEY_CTX_new_from_pkey(NULL, lane->pkey, NULL);
	return lane->derive != NULL && EVP_PKEY_derive_init(lane->derive) == 1;
}

/* The contexts of one lane for an asymmetric key, made or made anew. */
static bool
pkey_lane_make(const struct private_key *k, struct private_lane *lane)
{
	lane_close(lane);
	lane->pkey = EVP_PKEY_dup(k->pkey);
	if (lane->pkey == NULL)
		return false;
	if (k->purpose == KEY_DECRYPT && k->type == KEY_RSA3072)
		return unwrap_ctx_init(lane, WRAP_RSA_OAEP_SHA256, "SHA256") &&
		       unwrap_ctx_init(lane, WRAP_RSA_OAEP_SHA1, "SHA1");
	if (k->purpose == KEY_DECRYPT)
		return derive_ctx_init(lane);
	return sign_ctxs_init(k, lane);
}

/* This thread's lane, fit for use; NULL: there is no memory for it. */
static struct private_lane *
lane_of(const struct private_key *k, size_t i, struct err *err)
{
	struct private_lane *lane = &k->lanes[i];

	if (lane->spoiled && !pkey_lane_make(k, lane)) {
		(void)CRYPTO_FAIL(err, ERR_UNAVAILABLE, "key cannot be made ready");
		return NULL;
	}
	lane->spoiled = false;
	return lane;
}

static bool
lane_init(struct arena *a, const struct crypto *c, const struct private_key *k, struct bytes plain,
	  struct private_lane *lane, struct err *err)
{
	if (k->type == KEY_SECRET && k->purpose == KEY_SEAL)
		return seal_init(a, c, 0, plain.p, &lane->seal, err);
	if (k->type == KEY_SECRET)
		return crypto_hmac_init(a, c, (struct bytes){plain.p, 32}, &lane->mac, err);
	arena_defer(a, lane_close, lane);
	return pkey_lane_make(k, lane) ||
	       CRYPTO_FAIL(err, ERR_INTERNAL, "key cannot be made ready");
}

bool
private_key_init(struct arena *a, const struct crypto *c, const char *kid, enum key_purpose purpose,
		 enum key_type type, struct bytes plain, size_t n_lanes, struct private_key *out,
		 struct err *err)
{
	struct private_key k = {.purpose = purpose,
				.type = type,
				.sha256 = c->sha256,
				.sha384 = c->sha384,
				.n_lanes = n_lanes};

	if (!key_purpose_takes(purpose, type))
		return FAIL(err, ERR_DENIED, NULL, "a key of this type has no such purpose");
	if (type == KEY_SECRET && plain.n != PRIVATE_SECRET_BYTES)
		return FAIL(err, ERR_INPUT, NULL, "not a private key of its type");
	if (type != KEY_SECRET && (!private_key_parse(a, type, plain, &k.pkey, err) ||
				   !cert_spki_build(a, k.pkey, &k.spki, err)))
		return false;
	k.kid = arena_strdup(a, kid);
	k.lanes = ARENA_ARRAY(a, struct private_lane, n_lanes);
	for (size_t i = 0; i < n_lanes; i++)
		if (!lane_init(a, c, &k, plain, &k.lanes[i], err))
			return false;
	*out = k;
	return true;
}

/* RFC 7518 3.4: r and s as big-endian integers of fixed length, one after the other. */
static bool
ecdsa_raw(struct arena *a, size_t half, const unsigned char *der, size_t n, struct bytes *sig)
{
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)n);
	unsigned char *p = arena_alloc(a, 2 * half);
	bool ok = s != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(s), p, (int)half) == (int)half &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(s), p + half, (int)half) == (int)half;

	ECDSA_SIG_free(s);
	*sig = (struct bytes){p, 2 * half};
	return ok;
}

bool
private_key_sign(struct private_key *k, size_t lane, struct arena *a, enum sig_alg alg,
		 struct bytes text, struct bytes *sig, struct err *err)
{
	const struct sig_alg_row *row = sig_alg_row(alg);
	struct private_lane *mine = lane_of(k, lane, err);
	size_t n = RSA_MAX_BYTES, half = key_type_row(k->type)->field_bytes;
	unsigned char made[RSA_MAX_BYTES];
	struct hash_digest digest;

	if (mine == NULL)
		return false;
	if (row == NULL || row->type != k->type || mine->sign[alg] == NULL)
		return FAIL(err, ERR_DENIED, NULL, "key makes no signatures of this kind");
	if (!hash_named(row->how.digest, text, &digest) ||
	    EVP_PKEY_sign(mine->sign[alg], made, &n, digest.octets, digest.n) != 1) {
		mine->spoiled = memory_failed();
		return CRYPTO_FAIL(err, ERR_INTERNAL, "signature failed");
	}
	if (half > 0)
		return ecdsa_raw(a, half, made, n, sig) ||
		       CRYPTO_FAIL(err, ERR_INTERNAL, "signature cannot be encoded");
	*sig = arena_bytes(a, (struct bytes){made, n});
	return true;
}

bool
private_key_unwrap(struct private_key *k, size_t lane, struct arena *a, enum wrap_alg alg,
		   struct bytes wrapped, struct bytes *key, struct err *err)
{
	struct private_lane *mine = lane_of(k, lane, err);
	size_t n = RSA_MAX_BYTES;

	if (mine == NULL)
		return false;
	if ((alg != WRAP_RSA_OAEP_SHA256 && alg != WRAP_RSA_OAEP_SHA1) || mine->unwrap[alg] == NULL)
		return FAIL(err, ERR_DENIED, NULL, "key does not unwrap in this way");
	unsigned char *p = arena_alloc(a, n);

	/* One text whatever is wrong, so that answers tell nothing about the padding. */
	if (EVP_PKEY_decrypt(mine->unwrap[alg], p, &n, wrapped.p, wrapped.n) != 1 ||
	    n < CONTENT_KEY_LEAST || n > CONTENT_KEY_MOST) {
		mine->spoiled = memory_failed();
		return CRYPTO_FAIL(err, ERR_INPUT, "wrapped key does not open");
	}
	*key = (struct bytes){p, n};
	return true;
}

/*
 * The peer's public point.  Not by OpenSSL's decoder: the only form that passes
 * is the one DER encoding of an uncompressed point on our curve, which is our own
 * SubjectPublicKeyInfo with another point; OpenSSL then checks that it lies on
 * the curve.
 */
static bool
peer_parse(struct arena *a, const struct private_key *k, struct bytes spki, EVP_PKEY **out)
{
	size_t point = key_type_point_bytes(key_type_row(k->type)), head = k->spki.n - point;
	EVP_PKEY *peer = EVP_PKEY_new();

	crypto_keep_pkey(a, peer);
	if (peer == NULL || spki.n != k->spki.n ||
	    !bytes_eq((struct bytes){spki.p, head}, (struct bytes){k->spki.p, head}) ||
	    EVP_PKEY_copy_parameters(peer, k->pkey) != 1 ||
	    EVP_PKEY_set1_encoded_public_key(peer, spki.p + head, point) != 1)
		return false;
	*out = peer;
	return true;
}

bool
private_key_agree(struct private_key *k, size_t lane, struct arena *a, struct bytes peer_spki,
		  struct bytes other_info, size_t key_bytes, struct bytes *key, struct err *err)
{
	const struct private_lane *mine = lane_of(k, lane, err);
	const struct key_type_row *row = key_type_row(k->type);
	EVP_PKEY_CTX *ctx = mine == NULL ? NULL : mine->derive;
	size_t z_n = KEY_FIELD_BYTES_MOST;
	EVP_PKEY *peer = NULL;

	if (mine == NULL)
		return false;
	if (ctx == NULL || key_bytes < CONTENT_KEY_LEAST || key_bytes > CONTENT_KEY_MOST)
		return FAIL(err, ERR_DENIED, NULL, "key does not agree in this way");
	unsigned char *z = arena_alloc(a, z_n), *p = arena_alloc(a, key_bytes);

	if (!peer_parse(a, k, peer_spki, &peer) || EVP_PKEY_derive_set_peer(ctx, peer) != 1 ||
	    EVP_PKEY_derive(ctx, z, &z_n) != 1 || z_n != row->field_bytes)
		return CRYPTO_FAIL(err, ERR_INPUT, "peer's key is not a point of %s", row->title);
	envelope_concat_kdf((struct bytes){z, z_n}, other_info, p, key_bytes);
	*key = (struct bytes){p, key_bytes};
	return true;
}
