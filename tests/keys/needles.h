/*
 * Looks for secrets in octets that should not hold them: memory of a process,
 * answers of the signer.  A secret is cut into pieces and each piece is looked
 * for at every place, so that half a key, or one in the middle of another's
 * layout, is found as well.
 */
#ifndef KONTOR_TESTS_KEYS_NEEDLES_H
#define KONTOR_TESTS_KEYS_NEEDLES_H

#include "keys/key_ops.h"

#define NEEDLE_BYTES 16

struct needles;

/* Lives in `a`, which needs 4 MiB. */
struct needles *needles_create(struct arena *a);

/*
 * A private half as key rows hold it.  PKCS#8: the P-256 scalar, or RSA's private
 * exponent, primes, CRT exponents and coefficient, each from either end.  From the
 * great end it lies so in the DER; from the least it is how a little-endian
 * machine's OpenSSL lays out its limbs.  KEY_SECRET: as needles_add_secret.
 */
void needles_add_key(struct needles *n, const char *name, enum key_type type, struct bytes plain);

/* Octets from either end, as hex and as base64url; at least NEEDLE_BYTES. */
void needles_add_secret(struct needles *n, const char *name, struct bytes secret);

/* Counts what is found at any place in hay; how many pieces that were. */
size_t needles_hunt(struct needles *n, struct bytes hay);

/* Count from nothing again. */
void needles_forget(struct needles *n);

/*
 * What was added and how many places of any of its pieces were found so far, one
 * name after the other; NULL after the last.
 *	for (size_t i = 0; (name = needles_found(n, &i, &places)) != NULL;)
 */
const char *needles_found(const struct needles *n, size_t *i, size_t *places);

#endif
