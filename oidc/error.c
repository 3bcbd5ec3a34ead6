/* The error table; see error.h.  Descriptions keep to RFC 6749 5.2: no quote, no backslash. */
#include "oidc/error.h"

#include <string.h>

#define DPOP_PROOF "The DPoP proof is missing, malformed, used, or for another request."
#define DPOP_NONCE "The DPoP proof needs the nonce of the DPoP-Nonce header."
#define DPOP_ALGS  ", algs=\"ES256 ES384 EdDSA PS256 PS384\""

static const struct oidc_error errors[] = {
	{OIDC_INVALID_REQUEST, 400, NULL,
	 "The request is missing a parameter or has a malformed one.", NULL},
	{OIDC_INVALID_CLIENT, 401, "Basic realm=\"client\"",
	 "The client could not be authenticated.", NULL},
	{OIDC_INVALID_GRANT, 400, NULL,
	 "The grant is invalid, expired, used or not for this client.", NULL},
	{OIDC_INVALID_SCOPE, 400, NULL,
	 "The scope is malformed, lacks openid, or is more than may be had.", NULL},
	{OIDC_INVALID_TARGET, 400, NULL, "The resource is unknown or not for this client.", NULL},
	{OIDC_INVALID_AUTHORIZATION_DETAILS, 400, NULL,
	 "The authorization details are malformed, unknown or more than may be had.", NULL},
	{OIDC_UNAUTHORIZED_CLIENT, 400, NULL, "The client is not registered for this.", NULL},
	{OIDC_UNSUPPORTED_RESPONSE_TYPE, 400, NULL, "The response type is not supported.", NULL},
	{OIDC_UNSUPPORTED_GRANT_TYPE, 400, NULL, "The grant type is not supported.", NULL},
	{OIDC_ACCESS_DENIED, 403, NULL, "The request was denied.", NULL},
	{OIDC_ACCESS_DENIED, 400, NULL, "The request was denied.", OIDC_TOKEN_DENIED},
	{OIDC_SERVER_ERROR, 500, NULL, "The request failed through a fault of this server.", NULL},
	{OIDC_TEMPORARILY_UNAVAILABLE, 503, NULL, "The server is busy, please try again.", NULL},
	{OIDC_INTERACTION_REQUIRED, 400, NULL, "The person would have to be asked.", NULL},
	{OIDC_LOGIN_REQUIRED, 400, NULL, "The person would have to log in.", NULL},
	{OIDC_CONSENT_REQUIRED, 400, NULL, "The person would have to consent.", NULL},
	{OIDC_INVALID_REQUEST_OBJECT, 400, NULL,
	 "The request object is not signed by this client for this server and this time.", NULL},
	{OIDC_REQUEST_URI_NOT_SUPPORTED, 400, NULL, "The request_uri parameter is not supported.",
	 NULL},
	{OIDC_REGISTRATION_NOT_SUPPORTED, 400, NULL, "The registration parameter is not supported.",
	 NULL},
	{OIDC_UNMET_REQUIREMENTS, 400, NULL, "The level of assurance asked for cannot be reached.",
	 NULL},
	{OIDC_INVALID_TOKEN, 401, "Bearer error=\"invalid_token\"",
	 "The access token is unknown, expired or revoked.", NULL},
	{OIDC_TOKEN_MISSING, 401, "Bearer", "An access token is needed.", NULL},
	{OIDC_INSUFFICIENT_SCOPE, 403, "Bearer error=\"insufficient_scope\"",
	 "The access token does not allow this.", NULL},
	{OIDC_AUTHORIZATION_PENDING, 400, NULL, "Nobody has agreed yet.", NULL},
	{OIDC_SLOW_DOWN, 400, NULL, "Ask less often: five seconds more between two questions.",
	 NULL},
	{OIDC_EXPIRED_TOKEN, 400, NULL, "The time to agree is over.", NULL},
	{OIDC_UNKNOWN_USER_ID, 400, NULL, "The client knows nobody by this hint.", NULL},
	{OIDC_EXPIRED_LOGIN_HINT_TOKEN, 400, NULL, "The login_hint_token has expired.", NULL},
	{OIDC_INVALID_BINDING_MESSAGE, 400, NULL,
	 "The binding_message is missing, too long, or cannot be shown as it is.", NULL},
	{OIDC_INVALID_REDIRECT_URI, 400, NULL, "A redirect URI is not acceptable.", NULL},
	{OIDC_INVALID_SOFTWARE_STATEMENT, 400, NULL, "The software statement is not acceptable.",
	 NULL},
	{OIDC_UNAPPROVED_SOFTWARE_STATEMENT, 400, NULL, "No software statement is approved here.",
	 NULL},
	{OIDC_INVALID_CLIENT_METADATA, 400, NULL, "The client metadata is not acceptable.", NULL},
	{OIDC_INVALID_DPOP_PROOF, 400, NULL, DPOP_PROOF, NULL},
	{OIDC_USE_DPOP_NONCE, 400, NULL, DPOP_NONCE, NULL},
	{OIDC_INVALID_DPOP_PROOF, 401, "DPoP error=\"invalid_dpop_proof\"" DPOP_ALGS, DPOP_PROOF,
	 OIDC_DPOP_RESOURCE_PROOF},
	{OIDC_USE_DPOP_NONCE, 401, "DPoP error=\"use_dpop_nonce\"" DPOP_ALGS, DPOP_NONCE,
	 OIDC_DPOP_RESOURCE_NONCE},
	{OIDC_INVALID_TOKEN, 401, "DPoP error=\"invalid_token\"" DPOP_ALGS,
	 "The access token is bound to a key that the request does not prove.",
	 OIDC_DPOP_RESOURCE_TOKEN},
};

static const char *const by_kind[] = {
	[ERR_NONE] = OIDC_SERVER_ERROR,        [ERR_INPUT] = OIDC_INVALID_REQUEST,
	[ERR_DENIED] = OIDC_ACCESS_DENIED,     [ERR_NOT_FOUND] = OIDC_INVALID_REQUEST,
	[ERR_CONFLICT] = OIDC_INVALID_REQUEST, [ERR_UNAVAILABLE] = OIDC_TEMPORARILY_UNAVAILABLE,
	[ERR_INTERNAL] = OIDC_SERVER_ERROR,
};

static const struct oidc_error *
find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		if (strcmp(errors[i].key != NULL ? errors[i].key : errors[i].name, name) == 0)
			return &errors[i];
	return NULL;
}

const struct oidc_error *
oidc_error_of(const struct err *err)
{
	const struct oidc_error *e = err->proto == NULL ? NULL : find(err->proto);
	size_t kind = (size_t)err->kind < ARRAY_LEN(by_kind) ? err->kind : ERR_NONE;

	return e != NULL ? e : find(by_kind[kind]);
}
