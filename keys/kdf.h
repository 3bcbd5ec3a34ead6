/*
 * Password hashes: Argon2id (RFC 9106) in memory that the hashing worker keeps,
 * then HMAC with the pepper inside the signer, and only that is stored.  A stolen
 * database without the signer's key gives nothing to guess against.
 *
 * The stored text, PHC-like:
 *	$argon2id$v=19$m=19456,t=2,p=1,keyid=PEPPER-KID$SALT$TAG
 * with salt (16 octets) and tag (32) in base64url.
 */
#ifndef KONTOR_KEYS_KDF_H
#define KONTOR_KEYS_KDF_H

#include "base/arena.h"
#include "base/err.h"

#define KDF_PASSWORD_MAX 1024 /* octets; longer ones are refused before any hashing */

struct signer;

/* What one hash costs, and the pepper it is made with. */
struct kdf_cost {
	uint32_t m_kib;     /* memory, KiB; 8 * p .. 1 GiB */
	uint32_t t;         /* passes, 1..16 */
	uint32_t p;         /* lanes, 1..4 */
	const char *pepper; /* kid of a KEY_PEPPER key */
};

#define KDF_DEFAULT_M_KIB 19456
#define KDF_DEFAULT_T     2
#define KDF_DEFAULT_P     1

/* The memory one worker hashes in; one thread at a time uses it. */
struct kdf_memory;

/* Room for m_kib; grows when a stored hash asks for more.  ERR_UNAVAILABLE: none to be had. */
MUST_USE bool kdf_memory_create(uint32_t m_kib, struct kdf_memory **out, struct err *err);
void kdf_memory_destroy(struct kdf_memory *m); /* m may be NULL */

/*
 * The text to store for a new password.  ERR_INPUT: longer than KDF_PASSWORD_MAX;
 * ERR_UNAVAILABLE, ERR_DENIED: as the signer says; ERR_INTERNAL: a cost out of range.
 */
MUST_USE bool kdf_hash(struct kdf_memory *m, struct signer *s, struct arena *a,
		       const struct kdf_cost *cost, struct bytes password, const char **record,
		       struct err *err);

/*
 * Is it the password of this record?  record NULL (no such account): the same
 * work with `cost`, then *matches is false.  Errors as kdf_hash, and ERR_INTERNAL
 * for a record that cannot be read.
 */
MUST_USE bool kdf_verify(struct kdf_memory *m, struct signer *s, struct arena *a,
			 const char *record, const struct kdf_cost *cost, struct bytes password,
			 bool *matches, struct err *err);

/* Is the record made with anything else than this cost and pepper? */
bool kdf_needs_rehash(struct arena *a, const char *record, const struct kdf_cost *cost);

/* Argon2id alone: 32 octets from password and a salt of 16.  For kdf_hash and its tests. */
MUST_USE bool kdf_argon2id(struct kdf_memory *m, const struct kdf_cost *cost, struct bytes password,
			   const unsigned char salt[16], unsigned char raw[32], struct err *err);

#endif
