/* The ID token (OpenID Connect Core 2): made for a client, and come back as a hint. */
#ifndef KONTOR_OIDC_ID_TOKEN_H
#define KONTOR_OIDC_ID_TOKEN_H

#include "oidc/jws.h"
#include "oidc/param.h"

struct oidc_id_token {
	const char *issuer, *sub, *client_id, *sid; /* never NULL */
	const char *nonce;                          /* as the request had it; NULL: it had none */
	const char *acr;      /* in the client's words; NULL: no level to tell */
	struct oidc_strs amr; /* RFC 8176 */
	time_t auth_time;
	int64_t lifetime_s;
	/* What it goes out with, for at_hash, c_hash, s_hash; NULL: not with that. */
	const char *access_token, *code, *state;
	const json_t *claims; /* further ones, an object; NULL: none */
};

/*
 * Sign with our key `kid`, by the client's algorithm (whose hash at_hash takes
 * too).  A further claim never replaces one of the
 * protocol's.  Errors are the signer's.
 */
MUST_USE bool oidc_id_token_build(struct arena *a, const struct key_ops *ops, const char *kid,
				  enum oidc_alg alg, const struct oidc_id_token *t, time_t now,
				  const char **compact, struct err *err);

/*
 * The left half of the digest that goes with the signature's algorithm (Core 3.1.3.6); with EdDSA
 * that of Ed25519 itself, SHA-512.  NULL: of nothing.
 */
const char *oidc_half_hash(struct arena *a, enum oidc_alg alg, const char *text);

/* Whom an id_token_hint speaks of. */
struct oidc_hint {
	const char *client_id, *sub; /* never NULL */
	const char *sid;             /* NULL if absent */
};

/*
 * Verify a hint with our own published keys.  One that has expired counts
 * (RP-Initiated Logout 1.0, 2).  ERR_INPUT or ERR_DENIED with invalid_request: not
 * a token, not ours, not an ID token.
 */
MUST_USE bool oidc_hint_verify(struct arena *a, const char *text, const struct oidc_jwks *ours,
			       const char *issuer, struct oidc_hint *out, struct err *err);

#endif
