/* The error table; see error.h.  Descriptions keep to RFC 6749 5.2: no quote, no backslash. */
#include "oidc/error.h"

#include <string.h>

static const struct oidc_error errors[] = {
	{OIDC_INVALID_REQUEST, 400, NULL,
	 "The request is missing a parameter or has a malformed one."},
	{OIDC_INVALID_CLIENT, 401, "Basic realm=\"client\"",
	 "The client could not be authenticated."},
	{OIDC_INVALID_GRANT, 400, NULL,
	 "The grant is invalid, expired, used or not for this client."},
	{OIDC_INVALID_SCOPE, 400, NULL,
	 "The scope is malformed, lacks openid, or is more than may be had."},
	{OIDC_UNAUTHORIZED_CLIENT, 400, NULL, "The client is not registered for this."},
	{OIDC_UNSUPPORTED_RESPONSE_TYPE, 400, NULL, "The only response type is code."},
	{OIDC_UNSUPPORTED_GRANT_TYPE, 400, NULL, "The grant type is not supported."},
	{OIDC_ACCESS_DENIED, 403, NULL, "The request was denied."},
	{OIDC_SERVER_ERROR, 500, NULL, "The request failed through a fault of this server."},
	{OIDC_TEMPORARILY_UNAVAILABLE, 503, NULL, "The server is busy, please try again."},
	{OIDC_INTERACTION_REQUIRED, 400, NULL, "The person would have to be asked."},
	{OIDC_LOGIN_REQUIRED, 400, NULL, "The person would have to log in."},
	{OIDC_CONSENT_REQUIRED, 400, NULL, "The person would have to consent."},
	{OIDC_REQUEST_NOT_SUPPORTED, 400, NULL, "Request objects are not supported."},
	{OIDC_REQUEST_URI_NOT_SUPPORTED, 400, NULL, "The request_uri parameter is not supported."},
	{OIDC_REGISTRATION_NOT_SUPPORTED, 400, NULL,
	 "The registration parameter is not supported."},
	{OIDC_UNMET_REQUIREMENTS, 400, NULL, "The level of assurance asked for cannot be reached."},
	{OIDC_INVALID_TOKEN, 401, "Bearer error=\"invalid_token\"",
	 "The access token is unknown, expired or revoked."},
	{OIDC_TOKEN_MISSING, 401, "Bearer", "An access token is needed."},
	{OIDC_INSUFFICIENT_SCOPE, 403, "Bearer error=\"insufficient_scope\"",
	 "The access token does not allow this."},
	{OIDC_INVALID_REDIRECT_URI, 400, NULL, "A redirect URI is not acceptable."},
	{OIDC_INVALID_CLIENT_METADATA, 400, NULL, "The client metadata is not acceptable."},
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
		if (strcmp(errors[i].name, name) == 0)
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
