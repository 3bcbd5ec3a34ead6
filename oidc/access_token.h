/*
 * Access tokens for resource servers: signed ones (RFC 9068), and what they are told of any by
 * introspection (RFC 7662), plain or signed (RFC 9701).
 */
#ifndef KONTOR_OIDC_ACCESS_TOKEN_H
#define KONTOR_OIDC_ACCESS_TOKEN_H

#include "oidc/jws.h"
#include "oidc/param.h"

#define OIDC_INTROSPECTION_TYPE "application/token-introspection+jwt"

/* What a token says; NULL where there is nothing to say. */
struct oidc_access_token {
	const char *issuer, *sub, *audience, *client_id; /* never NULL */
	const char *jti;
	const char *scope; /* "": none */
	const char *acr;
	time_t auth_time; /* 0: nobody logged in */
	const char *cnf;  /* a JSON object: the key it is bound to (RFC 7800) */
	const char *act;  /* a JSON object: who acts (RFC 8693 4.1) */
	json_t *details;  /* an array: authorization_details (RFC 9396 9) */
	time_t issued, expires;
};

/* Sign it with our key `kid`.  Errors are the signer's. */
MUST_USE bool oidc_access_token_build(struct arena *a, const struct key_ops *ops, const char *kid,
				      enum oidc_alg alg, const struct oidc_access_token *t,
				      const char **compact, struct err *err);

/* Has it the form of a signed one? */
bool oidc_access_token_is_jwt(const char *text);

/*
 * The name of a signed one of ours; whether it still counts is the caller's business.  ERR_INPUT
 * or ERR_DENIED, invalid_token: not a token, not ours, of another type, without jti.
 */
MUST_USE bool oidc_access_token_jti(struct arena *a, const char *text, const struct oidc_jwks *ours,
				    const char *issuer, const char **jti, struct err *err);

/* The answer: NULL is a token that does not count (RFC 7662 2.2). */
json_t *oidc_introspection_build(struct arena *a, const struct oidc_access_token *t);

/* RFC 9701 5: the same, signed for who asked. */
MUST_USE bool oidc_introspection_sign(struct arena *a, const struct key_ops *ops, const char *kid,
				      enum oidc_alg alg, const char *issuer, const char *client_id,
				      const json_t *answer, time_t now, const char **compact,
				      struct err *err);

#endif
