/*
 * Authenticated encryption of secrets at rest: AES-256-GCM (NIST SP 800-38D) in
 * an envelope that names its key.  Used inside the signer alone.
 *
 *	version (1) | key id, big endian (4) | nonce (12) | ciphertext | tag (16)
 *
 * The header is authenticated together with the caller's associated data, which
 * says what the value is and whose: a value moved elsewhere does not open.
 * Nonces are random, so one key may seal at most 2^32 values (SP 800-38D 8.3);
 * the signer counts.
 */
#ifndef KONTOR_KEYS_SEAL_H
#define KONTOR_KEYS_SEAL_H

#include "keys/crypto.h"

#define SEAL_OVERHEAD 33 /* octets an envelope is longer than what is in it */

/* A keyed cipher; one thread at a time uses it. */
struct seal {
	EVP_CIPHER_CTX *ctx; /* NULL: none */
	uint32_t id;         /* of the key; what envelopes say */
};

/* The context lives as long as the arena. */
MUST_USE bool seal_init(struct arena *a, const struct crypto *c, uint32_t id,
			const unsigned char key[32], struct seal *out, struct err *err);

/* The same context with another key. */
MUST_USE bool seal_rekey(struct seal *s, uint32_t id, const unsigned char key[32], struct err *err);

MUST_USE bool seal_write(struct seal *s, struct arena *a, struct bytes aad, struct bytes plain,
			 struct bytes *out, struct err *err);

/* ERR_INPUT with one text for every cause: key, associated data or any octet is another. */
MUST_USE bool seal_read(struct seal *s, struct arena *a, struct bytes aad, struct bytes sealed,
			struct bytes *plain, struct err *err);

/* The key id an envelope names; false when it is too short or of another version. */
MUST_USE bool seal_key_id(struct bytes sealed, uint32_t *id);

#endif
