/* Proof Key for Code Exchange (RFC 7636), S256 only (RFC 9700 2.1.1). */
#ifndef KONTOR_OIDC_PKCE_H
#define KONTOR_OIDC_PKCE_H

#include "base/arena.h"
#include "base/err.h"

/*
 * The two parameters of an authorization request; NULL where absent.
 * ERR_INPUT, invalid_request: no challenge where it is `demanded`, another method than S256 (absent
 * means plain, RFC 7636 4.3), a challenge that cannot be a SHA-256 digest.
 */
MUST_USE bool oidc_pkce_check_challenge(const char *challenge, const char *method, bool demanded,
					struct err *err);

/*
 * The verifier of a token request against the challenge of its code; either
 * may be NULL; both: a client that may leave PKCE out did.  ERR_DENIED, invalid_grant: one of
 * them is missing (a verifier
 * without challenge is a downgrade, RFC 9700 4.8.2), a verifier that RFC 7636 4.1
 * does not allow, or one that does not fit.
 */
MUST_USE bool oidc_pkce_check_verifier(struct arena *a, const char *challenge, const char *verifier,
				       struct err *err);

#endif
