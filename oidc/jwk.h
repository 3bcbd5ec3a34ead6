/*
 * JSON Web Keys (RFC 7517): the keys of clients, read once into OpenSSL's form,
 * and our own public keys, written for others.  Public keys only: a set that
 * carries a private member or a symmetric key is refused, for its owner must
 * learn that the key is out.
 */
#ifndef KONTOR_OIDC_JWK_H
#define KONTOR_OIDC_JWK_H

#include <openssl/evp.h>

#include "base/json.h"
#include "oidc/alg.h"

#define OIDC_JWKS_MAX_KEYS  32
#define OIDC_JWKS_MAX_BYTES (64 * 1024)

struct oidc_jwk {
	const char *kid;   /* NULL: the key has no name */
	enum oidc_alg alg; /* the one algorithm this key is for; never OIDC_ALG_NONE */
	EVP_PKEY *pkey;    /* public half; owned by the arena it was parsed into */
};

/*
 * A key to encrypt to.  A type of its own: what verifies signatures never encrypts, and
 * the other way round.
 */
struct oidc_enc_jwk {
	const char *kid;         /* NULL: the key has no name */
	enum oidc_key_type type; /* RSA, P-256 or P-384 */
	enum oidc_jwe_alg
		alg;    /* the only one it is for; OIDC_JWE_ALG_NONE: all that fit its type */
	EVP_PKEY *pkey; /* as above */
};

struct oidc_jwks {
	const struct oidc_jwk *keys;
	size_t n;
	const struct oidc_enc_jwk *enc;
	size_t n_enc;
};

/*
 * Read a key set ({"keys": [...]}, RFC 7517 5).  A key is to encrypt to if it says
 * so, by use or by the alg it names; else it verifies.  Keys for other uses (key_ops
 * without verify, an algorithm outside our lists, an unknown kty or curve) are
 * left out; a set without any key left is ERR_INPUT, as are: a private or
 * symmetric key, a weak or malformed one, an alg that does not fit its key, the
 * same kid twice among keys of one use.
 *
 * An RSA key need not say its algorithm; it gets rsa_alg then, and is refused
 * when that is OIDC_ALG_NONE: the key's record decides, never a token.
 */
MUST_USE bool oidc_jwks_parse(struct arena *a, const json_t *set, enum oidc_alg rsa_alg,
			      struct oidc_jwks *out, struct err *err);

/*
 * The key that a token's header names: by kid, or without one the only key of
 * that algorithm.  NULL: there is none, or more than one would do.
 */
const struct oidc_jwk *oidc_jwks_find(const struct oidc_jwks *set, const char *kid,
				      enum oidc_alg alg);

/*
 * The key to encrypt to in this way: one that names the algorithm, else the
 * first that fits and names none.  NULL: there is none.
 */
const struct oidc_enc_jwk *oidc_jwks_find_enc(const struct oidc_jwks *set, enum oidc_jwe_alg alg);

/*
 * A public key on P-256 or P-384 as a header's epk brings it (RFC 7518 4.6.1.1), and
 * written as such from its uncompressed point.  ERR_INPUT: another curve, a point
 * that is not on it.
 */
MUST_USE bool oidc_epk_parse(struct arena *a, const json_t *epk, enum oidc_key_type *type,
			     EVP_PKEY **out, struct err *err);
json_t *oidc_epk_build(struct arena *a, enum oidc_key_type type, struct bytes point);

/* Our key set as JSON text for the jwks_uri.  Each key must have a kid. */
MUST_USE bool oidc_jwks_build(struct arena *a, const struct oidc_jwks *set, const char **json,
			      struct err *err);

#endif
