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
#define ES256_BYTES       64
#define CONTENT_KEY_LEAST 16 /* octets of an unwrapped or agreed key */
#define CONTENT_KEY_MOST  64
#define P256_POINT_BYTES  65
#define P256_SECRET_BYTES 32

/* What stands before the uncompressed point in a P-256 SubjectPublicKeyInfo (RFC 5480 2). */
static const unsigned char p256_spki_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
					       0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
					       0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

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
	EVP_PKEY *pkey = NULL;

	switch (type) {
	case KEY_SECRET: {
		unsigned char *p = arena_alloc(a, PRIVATE_SECRET_BYTES);

		rand_bytes(p, PRIVATE_SECRET_BYTES);
		*plain = (struct bytes){p, PRIVATE_SECRET_BYTES};
		return true;
	}
	case KEY_P256:
		pkey = EVP_EC_gen("P-256");
		break;
	case KEY_RSA3072:
		pkey = EVP_RSA_gen(KEY_RSA_BITS);
		break;
	}
	if (pkey == NULL)
		return CRYPTO_FAIL(err, ERR_INTERNAL, "key cannot be made");
	crypto_keep_pkey(a, pkey);
	return pkcs8_build(a, pkey, plain, err);
}

/* Is it really a key of the type its row names? */
static bool
type_check(const EVP_PKEY *pkey, enum key_type type)
{
	char group[32] = "";

	if (type == KEY_RSA3072)
		return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA &&
		       EVP_PKEY_get_bits(pkey) >= KEY_RSA_BITS;
	return type == KEY_P256 && EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC &&
	       EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1 &&
	       strcmp(group, "prime256v1") == 0;
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
	if (pkey == NULL || p != plain.p + plain.n || !type_check(pkey, type))
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

static bool
sign_ctx_init(const struct private_key *k, struct private_lane *lane, enum sig_alg alg)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, lane->pkey, NULL);

	lane->sign[alg] = ctx;
	if (ctx == NULL || EVP_PKEY_sign_init(ctx) != 1)
		return false;
	if (alg == SIG_RS256 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1)
		return false;
	if (alg == SIG_PS256 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1)
		return false;
	if (EVP_PKEY_CTX_set_signature_md(ctx, k->sha256) != 1)
		return false;
	return alg != SIG_PS256 ||
	       (EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1 &&
		EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, k->sha256) == 1);
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
	bool rsa = k->type == KEY_RSA3072;

	lane_close(lane);
	lane->pkey = EVP_PKEY_dup(k->pkey);
	if (lane->pkey == NULL)
		return false;
	if (k->purpose == KEY_DECRYPT && rsa)
		return unwrap_ctx_init(lane, WRAP_RSA_OAEP_SHA256, "SHA256") &&
		       unwrap_ctx_init(lane, WRAP_RSA_OAEP_SHA1, "SHA1");
	if (k->purpose == KEY_DECRYPT)
		return derive_ctx_init(lane);
	if (rsa)
		return sign_ctx_init(k, lane, SIG_RS256) && sign_ctx_init(k, lane, SIG_PS256);
	return sign_ctx_init(k, lane, SIG_ES256);
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
		return crypto_hmac_init(a, c, plain.p, &lane->mac, err);
	arena_defer(a, lane_close, lane);
	return pkey_lane_make(k, lane) ||
	       CRYPTO_FAIL(err, ERR_INTERNAL, "key cannot be made ready");
}

bool
private_key_init(struct arena *a, const struct crypto *c, const char *kid, enum key_purpose purpose,
		 enum key_type type, struct bytes plain, size_t n_lanes, struct private_key *out,
		 struct err *err)
{
	struct private_key k = {
		.purpose = purpose, .type = type, .sha256 = c->sha256, .n_lanes = n_lanes};

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

/* RFC 7518 3.4: r and s as fixed-length big-endian integers, one after the other. */
static bool
ecdsa_raw(struct arena *a, const unsigned char *der, size_t n, struct bytes *sig)
{
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)n);
	unsigned char *p = arena_alloc(a, ES256_BYTES);
	bool ok = s != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(s), p, 32) == 32 &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(s), p + 32, 32) == 32;

	ECDSA_SIG_free(s);
	*sig = (struct bytes){p, ES256_BYTES};
	return ok;
}

bool
private_key_sign(struct private_key *k, size_t lane, struct arena *a, enum sig_alg alg,
		 struct bytes text, struct bytes *sig, struct err *err)
{
	struct private_lane *mine = lane_of(k, lane, err);
	unsigned char digest[32], made[RSA_MAX_BYTES];
	size_t n = sizeof(made);

	if (mine == NULL)
		return false;
	if (key_type_of_sig(alg) != k->type || mine->sign[alg] == NULL)
		return FAIL(err, ERR_DENIED, NULL, "key makes no signatures of this kind");
	hash_sha256(text, digest);
	if (EVP_PKEY_sign(mine->sign[alg], made, &n, digest, sizeof(digest)) != 1) {
		mine->spoiled = memory_failed();
		return CRYPTO_FAIL(err, ERR_INTERNAL, "signature failed");
	}
	if (alg == SIG_ES256)
		return ecdsa_raw(a, made, n, sig) ||
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
 * is the one DER encoding of an uncompressed P-256 point, which is 26 fixed
 * octets and the point; OpenSSL then checks that it lies on the curve.
 */
static bool
peer_parse(struct arena *a, const EVP_PKEY *ours, struct bytes spki, EVP_PKEY **out)
{
	size_t head = sizeof(p256_spki_head);
	EVP_PKEY *peer = EVP_PKEY_new();

	crypto_keep_pkey(a, peer);
	if (peer == NULL || spki.n != head + P256_POINT_BYTES ||
	    !bytes_eq((struct bytes){spki.p, head}, (struct bytes){p256_spki_head, head}) ||
	    EVP_PKEY_copy_parameters(peer, ours) != 1 ||
	    EVP_PKEY_set1_encoded_public_key(peer, spki.p + head, P256_POINT_BYTES) != 1)
		return false;
	*out = peer;
	return true;
}

bool
private_key_agree(struct private_key *k, size_t lane, struct arena *a, struct bytes peer_spki,
		  struct bytes other_info, size_t key_bytes, struct bytes *key, struct err *err)
{
	const struct private_lane *mine = lane_of(k, lane, err);
	EVP_PKEY_CTX *ctx = mine == NULL ? NULL : mine->derive;
	size_t z_n = P256_SECRET_BYTES;
	EVP_PKEY *peer = NULL;

	if (mine == NULL)
		return false;
	if (ctx == NULL || key_bytes < CONTENT_KEY_LEAST || key_bytes > CONTENT_KEY_MOST)
		return FAIL(err, ERR_DENIED, NULL, "key does not agree in this way");
	unsigned char *z = arena_alloc(a, z_n), *p = arena_alloc(a, key_bytes);

	if (!peer_parse(a, k->pkey, peer_spki, &peer) || EVP_PKEY_derive_set_peer(ctx, peer) != 1 ||
	    EVP_PKEY_derive(ctx, z, &z_n) != 1 || z_n != P256_SECRET_BYTES)
		return CRYPTO_FAIL(err, ERR_INPUT, "peer's key is not a point of P-256");
	envelope_concat_kdf((struct bytes){z, z_n}, other_info, p, key_bytes);
	*key = (struct bytes){p, key_bytes};
	return true;
}
