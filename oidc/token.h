/*
 * The token endpoint's dialect (RFC 6749 4.1.3, 5.1): which grant is asked for,
 * the authorization_code grant, and the answer.  The table of grants is idp/'s;
 * another grant reads its own parameters in a file of its own.
 */
#ifndef KONTOR_OIDC_TOKEN_H
#define KONTOR_OIDC_TOKEN_H

#include "oidc/client_auth.h"

#define OIDC_GRANT_CODE "authorization_code"

/* ERR_INPUT, invalid_request: grant_type is missing, twice or malformed. */
MUST_USE bool oidc_token_grant_type(const struct params *form, const char **out, struct err *err);

struct oidc_code_request {
	const char *code, *redirect_uri; /* never NULL */
	const char *verifier;            /* NULL if absent: refused by oidc_code_check */
};

/* ERR_INPUT, invalid_request: code or redirect_uri missing, a parameter twice or malformed. */
MUST_USE bool oidc_code_request_parse(const struct params *form, struct oidc_code_request *out,
				      struct err *err);

/* What was laid down when the code was made; its lifetime and single use are the caller's. */
struct oidc_code {
	const char *client_id, *redirect_uri;
	const char *challenge; /* NULL: refused */
};

/*
 * May this client have this code redeemed in this way?  ERR_DENIED,
 * invalid_grant: another client's code, another redirect_uri (octet by octet),
 * a verifier that is missing or does not fit.
 */
MUST_USE bool oidc_code_check(struct arena *a, const struct oidc_code_request *rq,
			      const struct oidc_code *code, const struct oidc_client_proof *proof,
			      struct err *err);

struct oidc_token_response {
	const char *access_token;
	int64_t expires_in_s;
	const char *scope;    /* as granted, separated by spaces */
	const char *id_token; /* NULL: none */
};

/* The JSON of the answer; to be sent with Cache-Control: no-store. */
const char *oidc_token_response_build(struct arena *a, const struct oidc_token_response *r);

#endif
