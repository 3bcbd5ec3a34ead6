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

struct oidc_jwks {
	const struct oidc_jwk *keys;
	size_t n;
};

/*
 * Read a key set ({"keys": [...]}, RFC 7517 5).  Keys for other uses (enc,
 * key_ops without verify, an algorithm outside our list, an unknown kty or
 * curve) are left out; a set without any key left is ERR_INPUT, as are: a
 * private or symmetric key, a weak or malformed one, an alg that does not fit
 * its key, the same kid twice.
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

/* Our key set as JSON text for the jwks_uri.  Each key must have a kid. */
MUST_USE bool oidc_jwks_build(struct arena *a, const struct oidc_jwks *set, const char **json,
			      struct err *err);

#endif
