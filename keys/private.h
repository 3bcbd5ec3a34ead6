/*
 * A private key in memory, with the contexts that each thread keeps for it.  Held
 * by the signer alone (and by tests).  Internal to keys/.
 *
 * Nothing is parsed or fetched per operation: contexts are made when the key is,
 * one set for each lane (thread).
 */
#ifndef KONTOR_KEYS_PRIVATE_H
#define KONTOR_KEYS_PRIVATE_H

#include "keys/crypto.h"
#include "keys/key_ops.h"
#include "keys/seal.h"

/*
 * What one thread keeps for one key; which are set follows from purpose and type.  Its
 * copy of the key is its own: OpenSSL keeps the blinding of RSA with the key, and leaves it
 * half changed when memory runs out in the middle (BN_BLINDING_update), after which every
 * result is wrong without a word.  Then the lane is spoiled, and made anew from private_key.
 */
struct private_lane {
	EVP_PKEY *pkey; /* NULL for KEY_SECRET */
	bool spoiled;
	EVP_PKEY_CTX *sign[SIG_PS256_ALONE + 1]; /* by enum sig_alg */
	EVP_PKEY_CTX *unwrap[3];                 /* by enum wrap_alg */
	EVP_PKEY_CTX *derive;
	EVP_MAC_CTX *mac;
	struct seal seal;
};

struct private_key {
	const char *kid;
	enum key_purpose purpose;
	enum key_type type;
	EVP_PKEY *pkey;          /* never worked with, only copied; NULL for KEY_SECRET */
	EVP_MD *sha256, *sha384; /* of struct crypto, whose arena outlives this */
	struct bytes spki;       /* empty for KEY_SECRET */
	size_t n_lanes;
	struct private_lane *lanes;
};

/* Bytes of an AES or HMAC key that a KEY_SECRET consists of. */
#define PRIVATE_SECRET_BYTES 32

/* A new key: PKCS#8 DER, or 32 random octets for KEY_SECRET. */
MUST_USE bool private_key_generate(struct arena *a, enum key_type type, struct bytes *plain,
				   struct err *err);

/* The EVP_PKEY in a PKCS#8 DER, which must be a key of this type.  ERR_INPUT. */
MUST_USE bool private_key_parse(struct arena *a, enum key_type type, struct bytes plain,
				EVP_PKEY **out, struct err *err);

/*
 * Make the key ready for n_lanes threads; everything lives in `a`.  ERR_DENIED:
 * the purpose does not take this type.  ERR_INPUT: `plain` is not such a key.
 */
MUST_USE bool private_key_init(struct arena *a, const struct crypto *c, const char *kid,
			       enum key_purpose purpose, enum key_type type, struct bytes plain,
			       size_t n_lanes, struct private_key *out, struct err *err);

/* The three operations of struct key_ops on this thread's lane, without the check of shape. */
MUST_USE bool private_key_sign(struct private_key *k, size_t lane, struct arena *a,
			       enum sig_alg alg, struct bytes text, struct bytes *sig,
			       struct err *err);
MUST_USE bool private_key_unwrap(struct private_key *k, size_t lane, struct arena *a,
				 enum wrap_alg alg, struct bytes wrapped, struct bytes *key,
				 struct err *err);
MUST_USE bool private_key_agree(struct private_key *k, size_t lane, struct arena *a,
				struct bytes peer_spki, struct bytes other_info, size_t key_bytes,
				struct bytes *key, struct err *err);

#endif
