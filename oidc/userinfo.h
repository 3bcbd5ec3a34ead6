/* The userinfo endpoint's dialect: bearer tokens (RFC 6750) in, claims out. */
#ifndef KONTOR_OIDC_USERINFO_H
#define KONTOR_OIDC_USERINFO_H

#include "oidc/jws.h"
#include "oidc/param.h"

/*
 * The access token of a request: from the Authorization header (NULL: none) or
 * the form, never the query (RFC 9700 4.3.2).  *dpop: it came by the scheme DPoP
 * (RFC 9449 7.1).  ERR_INPUT, invalid_request: in the
 * query, in two places, malformed.  ERR_DENIED, token_missing: nowhere, or
 * another scheme.
 */
MUST_USE bool oidc_bearer_parse(const char *authorization, const struct params *form,
				const struct params *query, const char **token, bool *dpop,
				struct err *err);

/* Core 5.3.2: the claims (an object, or NULL) and sub, which none of them replaces. */
const char *oidc_userinfo_build(struct arena *a, const char *sub, const json_t *claims);

/* Whose answer it is. */
struct oidc_userinfo {
	const char *issuer, *client_id, *sub; /* never NULL */
	const json_t *claims;                 /* as above */
};

/*
 * The same as a signed token with iss and aud.  It has no typ, so that it can never be
 * taken for an ID token.  Errors are the signer's.
 */
MUST_USE bool oidc_userinfo_sign(struct arena *a, const struct key_ops *ops, const char *kid,
				 enum oidc_alg alg, const struct oidc_userinfo *u,
				 const char **compact, struct err *err);

#endif
