/*
 * The token endpoint's dialect (RFC 6749 4.1.3, 5.1): which grant is asked for,
 * the authorization_code grant, and the answer.  The table of grants is idp/'s;
 * another grant reads its own parameters in a file of its own.
 */
#ifndef KONTOR_OIDC_TOKEN_H
#define KONTOR_OIDC_TOKEN_H

#include "oidc/client_auth.h"

#define OIDC_SCOPES_MAX     64 /* words of one scope */

#define OIDC_GRANT_CODE     "authorization_code"
#define OIDC_GRANT_REFRESH  "refresh_token"
#define OIDC_GRANT_CLIENT   "client_credentials"
#define OIDC_GRANT_IMPLICIT "implicit" /* a word of records: nothing is given by it */
#define OIDC_GRANT_DEVICE   "urn:ietf:params:oauth:grant-type:device_code"
#define OIDC_GRANT_CIBA     "urn:openid:params:grant-type:ciba"

/* ERR_INPUT, invalid_request: grant_type is missing, twice or malformed. */
MUST_USE bool oidc_token_grant_type(const struct params *form, const char **out, struct err *err);

struct oidc_code_request {
	const char *code, *redirect_uri; /* never NULL */
	const char *verifier;            /* NULL if absent */
};

/* ERR_INPUT, invalid_request: code or redirect_uri missing, a parameter twice or malformed. */
MUST_USE bool oidc_code_request_parse(const struct params *form, struct oidc_code_request *out,
				      struct err *err);

/* What was laid down when the code was made; its lifetime and single use are the caller's. */
struct oidc_code {
	const char *client_id, *redirect_uri;
	const char *challenge; /* NULL: PKCE was left out, and has to be here, too */
};

/*
 * May this client have this code redeemed in this way?  ERR_DENIED,
 * invalid_grant: another client's code, another redirect_uri (octet by octet),
 * a verifier that is missing or does not fit.
 */
MUST_USE bool oidc_code_check(struct arena *a, const struct oidc_code_request *rq,
			      const struct oidc_code *code, const struct oidc_client_proof *proof,
			      struct err *err);

struct oidc_refresh_request {
	const char *token;       /* never NULL */
	struct oidc_strs scopes; /* n 0: what was granted */
};

/* ERR_INPUT, invalid_request: refresh_token missing, a parameter twice or malformed. */
MUST_USE bool oidc_refresh_request_parse(struct arena *a, const struct params *form,
					 struct oidc_refresh_request *out, struct err *err);

/*
 * RFC 6749 6: what is asked for, of what was `granted` (separated by spaces).  *out and *dropped
 * are the two halves of the latter, in its order.  ERR_INPUT, invalid_scope: something else.
 */
MUST_USE bool oidc_scope_narrow(struct arena *a, struct oidc_strs asked, const char *granted,
				struct oidc_strs *out, struct oidc_strs *dropped, struct err *err);

/*
 * RFC 6749 4.4.2: scopes that a client asks for itself.  ERR_INPUT, invalid_scope: one that is not
 * among `may`; without any, all of those.
 */
MUST_USE bool oidc_client_scopes_parse(struct arena *a, const struct params *form,
				       struct oidc_strs may, struct oidc_strs *out,
				       struct err *err);

/* RFC 8707 2: the one resource, NULL: none is named.  ERR_INPUT, invalid_target: several. */
MUST_USE bool oidc_resource_parse(const struct params *form, const char **out, struct err *err);

/* Those words of a scope (separated by spaces) that are in `of`. */
struct oidc_strs oidc_scope_of(struct arena *a, const char *scope, struct oidc_strs of);

/* Is it what OpenID Connect gives, with an ID token and userinfo? */
bool oidc_scope_is_openid(struct arena *a, const char *scope);

/* Separated by spaces; "" for none. */
const char *oidc_scope_text(struct arena *a, struct oidc_strs scopes);

struct oidc_token_response {
	const char *access_token;
	int64_t expires_in_s;
	const char *scope;         /* as granted, separated by spaces */
	const char *id_token;      /* NULL: none */
	const char *refresh_token; /* NULL: none */
	const char *issued_type; /* of the access token, where RFC 8693 2.2.1 says so; else NULL */
	bool dpop;               /* bound to a key that is proven with each use (RFC 9449 5) */
	json_t *details;         /* authorization_details of the access token; NULL: none */
};

/* The JSON of the answer; to be sent with Cache-Control: no-store. */
const char *oidc_token_response_build(struct arena *a, const struct oidc_token_response *r);

#endif
