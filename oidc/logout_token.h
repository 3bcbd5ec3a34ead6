/* The logout token (OpenID Connect Back-Channel Logout 1.0, 2.4). */
#ifndef KONTOR_OIDC_LOGOUT_TOKEN_H
#define KONTOR_OIDC_LOGOUT_TOKEN_H

#include "oidc/jws.h"

#define OIDC_LOGOUT_TOKEN_LIVES_S 120 /* 4: preferably at most two minutes */

struct oidc_logout_token {
	const char *issuer, *client_id, *sub; /* never NULL */
	const char *sid;                      /* which session; NULL: all of that person */
	const char *jti;                      /* random */
};

/* Sign with our key `kid`, by the client's ID token algorithm.  Errors are the signer's. */
MUST_USE bool oidc_logout_token_build(struct arena *a, const struct key_ops *ops, const char *kid,
				      enum oidc_alg alg, const struct oidc_logout_token *t,
				      time_t now, const char **compact, struct err *err);

#endif
