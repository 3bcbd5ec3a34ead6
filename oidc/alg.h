/*
 * The closed lists of JOSE algorithms: for signatures (RFC 7518 3.1, RFC 8037 3.1) and,
 * of types of their own, for encryption (RFC 7518 4.1, 5.1).  A signature algorithm fits
 * one type of key; none of them is an HMAC, so no public key can ever be taken for a
 * shared secret.  HS256 stands outside: it has no row, fits no key, and oidc_alg_find does
 * not find it; see oidc_jws_parse_proof.
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
	OIDC_HS256 = 64, /* client_secret_jwt alone */
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

/* How a content key comes to its reader.  No PBES2, no dir, no RSA1_5, no RSA-OAEP with SHA-1. */
enum oidc_jwe_alg {
	OIDC_JWE_ALG_NONE = 0,
	OIDC_ECDH_ES, /* the agreed key is the content key */
	OIDC_ECDH_ES_A128KW,
	OIDC_ECDH_ES_A256KW,
	OIDC_RSA_OAEP_256,
	OIDC_JWE_ALG_COUNT,
};

struct oidc_jwe_alg_info {
	const char *name;
	bool rsa;         /* for RSA keys; else for those on P-256 and P-384 */
	size_t kek_bytes; /* octets of the agreed key that wraps the content key; 0: none does */
};

enum oidc_jwe_enc {
	OIDC_ENC_NONE = 0,
	OIDC_A128GCM,
	OIDC_A256GCM,
	OIDC_A128CBC_HS256,
	OIDC_A256CBC_HS512,
	OIDC_ENC_COUNT,
};

struct oidc_jwe_enc_info {
	const char *name;
	size_t key_bytes, iv_bytes, tag_bytes;
	bool cbc; /* CBC with HMAC; else GCM */
};

/* The rows; never NULL. */
const struct oidc_jwe_alg_info *oidc_jwe_alg_info(enum oidc_jwe_alg alg);
const struct oidc_jwe_enc_info *oidc_jwe_enc_info(enum oidc_jwe_enc enc);

/* Of that exact name; NONE for all others. */
enum oidc_jwe_alg oidc_jwe_alg_find(const char *name);
enum oidc_jwe_enc oidc_jwe_enc_find(const char *name);

/* Does a key of this type encrypt in this way? */
bool oidc_jwe_alg_fits(enum oidc_jwe_alg alg, enum oidc_key_type type);

#endif
