/*
 * What a client's record demands over what everyone must do.  A profile is a row of
 * checks switched on: whoever enforces one asks for its bit, never for the profile.
 */
#ifndef KONTOR_OIDC_PROFILE_H
#define KONTOR_OIDC_PROFILE_H

#include "base/arena.h"

enum oidc_check {
	OIDC_CHECK_PKCE = 1 << 0,            /* also of confidential clients (RFC 9700 2.1.1) */
	OIDC_CHECK_PUSHED = 1 << 1,          /* requests by PAR only (FAPI2SP 5.3.2.2) */
	OIDC_CHECK_CODE_ONLY = 1 << 2,       /* response_type code alone (FAPI2SP 5.3.2.1) */
	OIDC_CHECK_BOUND_TOKENS = 1 << 3,    /* DPoP or mTLS (FAPI2SP 5.3.2.1) */
	OIDC_CHECK_KEY_AUTH = 1 << 4,        /* private_key_jwt or mTLS (FAPI2SP 5.3.2.1) */
	OIDC_CHECK_ISSUER_AUDIENCE = 1 << 5, /* of assertions: our issuer alone (FAPI2SP 5.3.2.1) */
	OIDC_CHECK_STRONG_ALGS = 1 << 6,     /* no RS256 (FAPI2SP 5.4.1) */
	OIDC_CHECK_STABLE_REFRESH = 1 << 7,  /* refresh tokens are not rotated (FAPI2SP 5.3.2.1) */
	OIDC_CHECK_TIMED_REQUEST = 1 << 8,   /* request objects have nbf and exp (FAPI2MS 5.3.1) */
	/* what a record leaves out is what is safest, not what Registration 2 and Core 9 have */
	OIDC_CHECK_SAFE_UNSAID = 1 << 10,
	OIDC_CHECK_OPENID = 1 << 11, /* scope has openid (Core 3.1.2.1); else it is plain OAuth */
	OIDC_CHECK_CIBA = 1 << 9,    /* signed and with a binding message (FAPI-CIBA 5.2.2) */
};

struct oidc_profile {
	const char *name;
	unsigned checks; /* of enum oidc_check */
};

extern const struct oidc_profile oidc_profiles[]; /* ends with a NULL name */

/* NULL: no such profile. */
const struct oidc_profile *oidc_profile_find(const char *name);

#endif
