/*
 * What saml/ and oidc/ see of private keys: three operations on keys named by
 * kid.  In the program they reach the signer process; in tests, a key in the
 * same process.  The bytes to be signed go over, never a digest, so that the
 * signer can check that they have the shape its key is for.
 */
#ifndef KONTOR_KEYS_KEY_OPS_H
#define KONTOR_KEYS_KEY_OPS_H

#include "base/arena.h"
#include "base/err.h"

/* What a key is for.  Stored in rows and sent to the signer: append, never renumber. */
enum key_purpose {
	KEY_SAML_SIGN = 1,
	KEY_OIDC_SIGN = 2,
	KEY_FEDERATION_SIGN = 3,
	KEY_DECRYPT = 4,
	KEY_SEAL = 5,
	KEY_PSEUDONYM = 6,
	KEY_PEPPER = 7,
	KEY_LOOKUP = 8,
	KEY_COOKIE = 9,
	KEY_AUDIT = 10,
};

/* What kind of key: a row of keys/key_type.c each.  Stored like the purpose. */
enum key_type {
	KEY_P256 = 1,    /* ECDSA or ECDH on P-256 */
	KEY_RSA3072 = 2, /* RSA, KEY_RSA_BITS or more; 3072 but in programs built for measuring */
	KEY_SECRET = 3,  /* 32 random octets */
	KEY_P384 = 4,    /* the same on other curves */
	KEY_BP256 = 5,   /* brainpoolP256r1 (RFC 5639) */
	KEY_BP384 = 6,
	KEY_RSA_PSS = 7, /* as KEY_RSA3072, for RSASSA-PSS alone (RFC 8725 3.1) */
};

/* Signature algorithms we make.  An algorithm fits exactly one key type. */
enum sig_alg {
	SIG_NONE = 0,
	SIG_ES256 = 1,       /* ECDSA P-256 SHA-256; signature is r || s, 64 octets */
	SIG_RS256 = 2,       /* RSASSA-PKCS1-v1_5 SHA-256 */
	SIG_PS256 = 3,       /* RSASSA-PSS SHA-256, MGF1 SHA-256, salt 32 */
	SIG_ES384 = 4,       /* ECDSA P-384 SHA-384, r || s as in all of ECDSA */
	SIG_BP256 = 5,       /* ECDSA brainpoolP256r1 SHA-256 */
	SIG_BP384 = 6,       /* ECDSA brainpoolP384r1 SHA-384 */
	SIG_PS256_ALONE = 7, /* PS256 by a key that makes nothing else */
};

enum wrap_alg {
	WRAP_NONE = 0,
	WRAP_RSA_OAEP_SHA256 = 1, /* digest and MGF1 SHA-256 */
	WRAP_RSA_OAEP_SHA1 = 2,   /* rsa-oaep-mgf1p, for old peers */
};

/*
 * Each function puts its result into `a` and returns false with err.kind
 * ERR_DENIED (no such key, wrong purpose, bytes of another shape),
 * ERR_INPUT (ciphertext that does not open; one text for all causes) or
 * ERR_UNAVAILABLE (the signer does not answer).
 */
struct key_ops {
	void *ctx;

	/* Sign `text` (canonical SignedInfo, Redirect query octets, JWS signing input). */
	bool (*sign)(void *ctx, struct arena *a, const char *kid, enum sig_alg alg,
		     struct bytes text, struct bytes *sig, struct err *err);

	/* Open a content key that was wrapped for our KEY_DECRYPT RSA key; 16..64 octets. */
	bool (*unwrap)(void *ctx, struct arena *a, const char *kid, enum wrap_alg alg,
		       struct bytes wrapped, struct bytes *key, struct err *err);

	/*
	 * ECDH-ES with our KEY_DECRYPT EC key and a peer's public key (DER
	 * SubjectPublicKeyInfo, same curve), then ConcatKDF with SHA-256 over
	 * other_info (NIST SP 800-56A 5.8.1): key_bytes octets.
	 */
	bool (*agree)(void *ctx, struct arena *a, const char *kid, struct bytes peer_spki,
		      struct bytes other_info, size_t key_bytes, struct bytes *key,
		      struct err *err);
};

#endif
