/*
 * The protocol errors of OAuth 2.0 and OpenID Connect in one table: name,
 * status, description.  A failure of oidc/ carries such a name in err.proto;
 * what the peer reads is the row's text, never the log's, so nothing a request
 * held comes back in it.
 */
#ifndef KONTOR_OIDC_ERROR_H
#define KONTOR_OIDC_ERROR_H

#include "base/arena.h"
#include "base/err.h"

/* RFC 6749 4.1.2.1 and 5.2 */
#define OIDC_INVALID_REQUEST     "invalid_request"
#define OIDC_INVALID_CLIENT      "invalid_client"
#define OIDC_INVALID_GRANT       "invalid_grant"
#define OIDC_INVALID_SCOPE       "invalid_scope"
#define OIDC_UNAUTHORIZED_CLIENT "unauthorized_client"
/* RFC 9449 5, 8 */
#define OIDC_INVALID_DPOP_PROOF "invalid_dpop_proof"
#define OIDC_USE_DPOP_NONCE     "use_dpop_nonce"
/* Ours: the same at a resource, and a token that is bound to another key (RFC 9449 7.1, 9) */
#define OIDC_DPOP_RESOURCE_PROOF           "resource_invalid_dpop_proof"
#define OIDC_DPOP_RESOURCE_NONCE           "resource_use_dpop_nonce"
#define OIDC_DPOP_RESOURCE_TOKEN           "resource_dpop_invalid_token"
#define OIDC_INVALID_AUTHORIZATION_DETAILS "invalid_authorization_details" /* RFC 9396 5 */
#define OIDC_INVALID_TARGET                "invalid_target"                /* RFC 8707 2 */
#define OIDC_UNSUPPORTED_RESPONSE_TYPE     "unsupported_response_type"
#define OIDC_UNSUPPORTED_GRANT_TYPE        "unsupported_grant_type"
#define OIDC_ACCESS_DENIED                 "access_denied"
#define OIDC_SERVER_ERROR                  "server_error"
#define OIDC_TEMPORARILY_UNAVAILABLE       "temporarily_unavailable"
/* Ours: the same at the token endpoint (RFC 6749 5.2, RFC 8628 3.5, CIBA Core 1.0, 11) */
#define OIDC_TOKEN_DENIED "token_access_denied"
/* OpenID Connect Core 3.1.2.6 */
#define OIDC_INTERACTION_REQUIRED       "interaction_required"
#define OIDC_LOGIN_REQUIRED             "login_required"
#define OIDC_CONSENT_REQUIRED           "consent_required"
#define OIDC_REQUEST_URI_NOT_SUPPORTED  "request_uri_not_supported"
#define OIDC_REGISTRATION_NOT_SUPPORTED "registration_not_supported"
/* RFC 9101 7, OpenID Connect Core 3.1.2.6 */
#define OIDC_INVALID_REQUEST_OBJECT "invalid_request_object"
/* OpenID Connect Core Error Code unmet_authentication_requirements 1.0 */
#define OIDC_UNMET_REQUIREMENTS "unmet_authentication_requirements"
/* RFC 6750 3.1 */
#define OIDC_INVALID_TOKEN      "invalid_token"
#define OIDC_INSUFFICIENT_SCOPE "insufficient_scope"
/* Ours: a request without token, which RFC 6750 3.1 answers without a code. */
#define OIDC_TOKEN_MISSING "token_missing"
/* RFC 8628 3.5 */
#define OIDC_AUTHORIZATION_PENDING "authorization_pending"
#define OIDC_SLOW_DOWN             "slow_down"
#define OIDC_EXPIRED_TOKEN         "expired_token"
/* CIBA Core 1.0, 13 */
#define OIDC_UNKNOWN_USER_ID          "unknown_user_id"
#define OIDC_EXPIRED_LOGIN_HINT_TOKEN "expired_login_hint_token"
#define OIDC_INVALID_BINDING_MESSAGE  "invalid_binding_message"
/* RFC 7591 3.2.2 */
#define OIDC_INVALID_REDIRECT_URI          "invalid_redirect_uri"
#define OIDC_INVALID_CLIENT_METADATA       "invalid_client_metadata"
#define OIDC_INVALID_SOFTWARE_STATEMENT    "invalid_software_statement"
#define OIDC_UNAPPROVED_SOFTWARE_STATEMENT "unapproved_software_statement"

struct oidc_error {
	const char *name;      /* as the peer reads it */
	int status;            /* of a direct answer; an answer by redirect has none */
	const char *challenge; /* WWW-Authenticate (RFC 6749 5.2, RFC 6750 3); NULL: none */
	const char *description;
	const char *key; /* what it is found by; NULL: its name */
};

/*
 * The row for a failure: by err->proto, else by its kind (input, not found,
 * conflict: invalid_request, denied: access_denied, unavailable:
 * temporarily_unavailable, internal: server_error).  Never NULL.
 */
const struct oidc_error *oidc_error_of(const struct err *err);

#endif
