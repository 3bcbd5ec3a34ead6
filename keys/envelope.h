/*
 * Encrypting to the public key of a peer, and the symmetric half of opening: what
 * XML encryption and JWE have in common.  Private keys do not come here; what
 * needs ours goes over struct key_ops.  Keys of peers were accepted by
 * keys/cert.h.
 */
#ifndef KONTOR_KEYS_ENVELOPE_H
#define KONTOR_KEYS_ENVELOPE_H

#include <openssl/types.h>

#include "keys/key_ops.h"

#define ENVELOPE_NONCE_BYTES 12
#define ENVELOPE_TAG_BYTES   16

/* AES-CBC with HMAC: octets of the initialization vector; the tag is half as long as the key. */
#define ENVELOPE_CBC_IV_BYTES 16

/* RSA-OAEP (RFC 8017 7.1) of a content key.  ERR_INTERNAL: not an RSA key. */
MUST_USE bool envelope_wrap_rsa(struct arena *a, EVP_PKEY *pub, enum wrap_alg alg,
				struct bytes content_key, struct bytes *out, struct err *err);

/*
 * ECDH-ES: a fresh key on the curve of pub agrees with it, ConcatKDF with
 * SHA-256 over other_info gives key_bytes octets (NIST SP 800-56A 5.8.1).
 * *point is the fresh public key, uncompressed.  ERR_INTERNAL: not an EC key.
 */
MUST_USE bool envelope_agree(struct arena *a, EVP_PKEY *pub, struct bytes other_info,
			     size_t key_bytes, struct bytes *point, struct bytes *key,
			     struct err *err);

/* ConcatKDF with SHA-256: n octets from the agreed z.  For envelope_agree and its other side. */
void envelope_concat_kdf(struct bytes z, struct bytes other_info, unsigned char *out, size_t n);

/* AES key wrap (RFC 3394) under a kek of 16 or 32 octets. */
MUST_USE bool envelope_wrap_aes(struct arena *a, struct bytes kek, struct bytes content_key,
				struct bytes *out, struct err *err);
/* ERR_INPUT when it does not open. */
MUST_USE bool envelope_unwrap_aes(struct arena *a, struct bytes kek, struct bytes wrapped,
				  struct bytes *out, struct err *err);

/* AES-GCM with a key of 16 or 32 octets: a fresh nonce, the ciphertext and the tag, joined. */
MUST_USE bool envelope_seal(struct arena *a, struct bytes key, struct bytes aad, struct bytes plain,
			    struct bytes *out, struct err *err);
/* Opens what envelope_seal joined.  ERR_INPUT when it does not open. */
MUST_USE bool envelope_open(struct arena *a, struct bytes key, struct bytes aad,
			    struct bytes sealed, struct bytes *plain, struct err *err);

/*
 * AES-CBC, then HMAC over it (RFC 7518 5.2), in the same manner: a key of 32 octets is
 * A128CBC-HS256, one of 64 A256CBC-HS512; vector, ciphertext and tag, joined.
 */
MUST_USE bool envelope_seal_cbc(struct arena *a, struct bytes key, struct bytes aad,
				struct bytes plain, struct bytes *out, struct err *err);
/* ERR_INPUT, with the text of envelope_open, when it does not open; the tag is judged first. */
MUST_USE bool envelope_open_cbc(struct arena *a, struct bytes key, struct bytes aad,
				struct bytes sealed, struct bytes *plain, struct err *err);

#endif
