/* Logout that a relying party starts (OpenID Connect RP-Initiated Logout 1.0). */
#ifndef KONTOR_OIDC_LOGOUT_H
#define KONTOR_OIDC_LOGOUT_H

#include "oidc/client.h"
#include "oidc/id_token.h"

struct oidc_logout {
	const char *id_token_hint; /* unverified; NULL if absent, as all of them */
	const char *client_id;
	const char *redirect_uri; /* post_logout_redirect_uri */
	const char *state;
	struct oidc_strs ui_locales;
};

/* ERR_INPUT, invalid_request: a parameter twice or malformed. */
MUST_USE bool oidc_logout_parse(struct arena *a, const struct params *ps, struct oidc_logout *out,
				struct err *err);

/* Whose record to look up: the verified hint's (NULL: there was none), else the claimed one's;
 * NULL: nobody's. */
const char *oidc_logout_client_id(const struct oidc_logout *rq, const struct oidc_hint *hint);

/*
 * Where the browser goes afterwards: *url is NULL for a page of ours.  client
 * is the record of oidc_logout_client_id or NULL.  ERR_INPUT, invalid_request, for
 * a page: the hint is another client's, or a post_logout_redirect_uri that this
 * client has not registered octet by octet.  Without a hint the person is to be
 * asked before anything ends (RP-Initiated Logout 1.0, 2).
 */
MUST_USE bool oidc_logout_check(struct arena *a, const struct oidc_logout *rq,
				const struct oidc_hint *hint, const struct oidc_client *client,
				const char **url, struct err *err);

#endif
