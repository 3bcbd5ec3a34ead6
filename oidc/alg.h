/*
 * The closed list of JOSE signature algorithms (RFC 7518 3.1, RFC 8037 3.1).
 * An algorithm fits one type of key; none of them is an HMAC, so no public key
 * can ever be taken for a shared secret.
 */
#ifndef KONTOR_OIDC_ALG_H
#define KONTOR_OIDC_ALG_H

#include "keys/key_ops.h"

/* Zero is "no algorithm": nothing is signed or verified with it. */
enum oidc_alg {
	OIDC_ALG_NONE = 0,
	OIDC_ES256,
	OIDC_ES384,
	OIDC_EDDSA, /* Ed25519 only; "Ed25519" names it too */
	OIDC_PS256,
	OIDC_PS384,
	OIDC_RS256,
	OIDC_ALG_COUNT,
};

enum oidc_key_type {
	OIDC_KEY_NONE = 0,
	OIDC_KEY_RSA,
	OIDC_KEY_P256,
	OIDC_KEY_P384,
	OIDC_KEY_ED25519,
};

struct oidc_alg_info {
	const char *name; /* "ES256" */
	enum oidc_key_type key;
	const char *digest;     /* OpenSSL's name; NULL: the algorithm hashes by itself */
	bool pss;               /* RSASSA-PSS, salt as long as the digest (RFC 7518 3.5) */
	size_t signature_bytes; /* 0: as long as the RSA modulus */
	enum sig_alg sign;      /* how our own keys make it; SIG_NONE: we only verify it */
};

/* The row of an algorithm.  Never NULL; for OIDC_ALG_NONE a row that fits no key. */
const struct oidc_alg_info *oidc_alg_info(enum oidc_alg alg);

/*
 * The algorithm of that exact name, OIDC_ALG_NONE for "none", "HS256" and all others.
 * "Ed25519" is EdDSA by the name that says the curve (RFC 9864 2.2).
 */
enum oidc_alg oidc_alg_find(const char *name);

#endif
