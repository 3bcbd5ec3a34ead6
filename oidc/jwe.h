/*
 * JSON Web Encryption in compact form (RFC 7516), both ways.  Encryption proves
 * nothing about who wrote the content: what comes out is unverified, and where a
 * signature is expected oidc_jwe_open_jws gives nothing else.
 */
#ifndef KONTOR_OIDC_JWE_H
#define KONTOR_OIDC_JWE_H

#include "oidc/jws.h"

#define OIDC_JWE_MAX_BYTES (32 * 1024)

/* Our keys that others encrypt to, each with a kid; the private halves are behind ops. */
struct oidc_jwe_keys {
	const struct key_ops *ops;
	const struct oidc_enc_jwk *keys;
	size_t n;
};

/* Is it encrypted, by its number of parts? */
bool oidc_is_jwe(struct bytes compact);

/*
 * Open with that of our keys which the header names, or without a kid with each
 * that fits in turn.  ERR_INPUT: more than OIDC_JWE_MAX_BYTES, what
 * oidc_header_parse refuses, an alg or enc outside our lists, parts of a wrong
 * size; and with one and the same text for everything that depends on a key.
 * ERR_UNAVAILABLE passes through.
 */
MUST_USE bool oidc_jwe_open(struct arena *a, struct bytes compact, const struct oidc_jwe_keys *ours,
			    struct bytes *plain, struct err *err);

/* The signed token inside (RFC 7519 5.2); ERR_INPUT for all that oidc_jws_parse refuses: plain
 * claims, "none", an encrypted token in an encrypted one. */
MUST_USE bool oidc_jwe_open_jws(struct arena *a, struct bytes compact,
				const struct oidc_jwe_keys *ours, struct oidc_jws *out,
				struct err *err);

/*
 * Encrypt to a client's key.  cty ("JWT" for a signed token) and iss (so that who has a key for
 * each issuer finds it, RFC 7519 5.3) go into the header; NULL: it has none.  ERR_INTERNAL: alg
 * does not fit the key.
 */
MUST_USE bool oidc_jwe_build(struct arena *a, const struct oidc_enc_jwk *to, enum oidc_jwe_alg alg,
			     enum oidc_jwe_enc enc, const char *cty, const char *iss,
			     struct bytes plain, const char **compact, struct err *err);

#endif
