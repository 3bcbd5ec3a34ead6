/*
 * Keys for the tests of other modules: struct key_ops over keys in the same
 * process (P-256 freshly made, RSA fixed), with the signer's own checks of shape.  A signing key
 * here serves every signing purpose.
 */
#ifndef KONTOR_TESTS_KEYS_TEST_KEYS_H
#define KONTOR_TESTS_KEYS_TEST_KEYS_H

#include <openssl/types.h>

#include "keys/key_ops.h"

struct test_key {
	const char *kid;
	enum key_type type;
	struct bytes spki; /* DER */
	struct bytes cert; /* DER, self-signed, valid 2020 to 2050 */
	EVP_PKEY *pub;
};

struct test_keys {
	struct key_ops ops;
	struct test_key p256;     /* "test-p256": signs ES256 */
	struct test_key rsa;      /* "test-rsa": signs RS256 and PS256 */
	struct test_key dec_rsa;  /* "test-dec-rsa": unwraps */
	struct test_key dec_p256; /* "test-dec-p256": agrees */
};

/* Lives as long as the arena, which needs 256 KiB. */
struct test_keys *test_keys_create(struct arena *a);

/*
 * One of them, or one of another type, which is made when it is first asked for:
 * "test-p384", "test-dec-bp256" …  For signing any purpose but KEY_DECRYPT.
 */
const struct test_key *test_key_of(const struct test_keys *t, enum key_purpose purpose,
				   enum key_type type);

/* A KEY_DECRYPT key on P-256 or P-384 with a private half that is given, as in a standard's
 * example: big-endian octets of the curve's size, and the uncompressed point. */
const struct test_key *test_key_import(const struct test_keys *t, const char *kid,
				       enum key_type type, struct bytes secret, struct bytes point);

/* A JWS signing input with this header and an empty payload. */
struct bytes test_jws_input(struct arena *a, const char *alg, const char *kid);

/* The octets of the Redirect binding that name this algorithm. */
struct bytes test_redirect_query(struct arena *a, const char *alg_uri);

/* As a peer verifies a signature of one of our algorithms. */
bool test_verifies(EVP_PKEY *pub, enum sig_alg alg, struct bytes text, struct bytes sig);

#endif
