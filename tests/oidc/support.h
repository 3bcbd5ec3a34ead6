/* What the tests of oidc/ share: fresh keys of each kind, tokens of any shape, vector files. */
#ifndef KONTOR_TESTS_OIDC_SUPPORT_H
#define KONTOR_TESTS_OIDC_SUPPORT_H

#include "oidc/jws.h"
#include "tests/test.h"

/* The text of tests/vectors/oidc/NAME without its last line break. */
struct bytes vector_read(struct arena *a, const char *name);

/* A key pair, made once per program, for an algorithm. */
EVP_PKEY *key_pair(enum oidc_alg alg);

/* The public half of that pair with kid NULL or given. */
struct oidc_jwk public_key(enum oidc_alg alg, const char *kid);

/* A JWK Set as JSON text: public_key(alg, kid) alone. */
const char *public_jwks(struct arena *a, enum oidc_alg alg, const char *kid);

/* Sign with the pair of alg whatever header and payload are given. */
const char *token_of(struct arena *a, enum oidc_alg alg, const char *header, const char *payload);

/* header.payload.signature in base64url, the signature as given. */
const char *compact_of(struct arena *a, const char *header, const char *payload,
		       struct bytes signature);

/* JSON text as an object; a mistake in it fails the test. */
json_t *json_of(struct arena *a, const char *text);

#endif
