/* Bearer tokens and userinfo answers; see userinfo.h. */
#include "oidc/userinfo.h"

#include <string.h>
#include <strings.h>

#include "oidc/error.h"

#define TOKEN_MAX_BYTES 2048

/* RFC 6750 2.1: b64token. */
static bool
is_token(const char *s)
{
	size_t n =
		strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");

	return n > 0 && s[n + strspn(s + n, "=")] == '\0' && strlen(s) <= TOKEN_MAX_BYTES;
}

bool
oidc_bearer_parse(const char *authorization, const struct params *form, const struct params *query,
		  const char **token, bool *dpop, struct err *err)
{
	static const char scheme[] = "Bearer ", bound[] = "DPoP ";
	const char *in_form, *in_query, *in_header = NULL;

	if (params_find(query, "access_token", &in_query) > 0)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "access_token in the query");
	if (!oidc_param(form, "access_token", TOKEN_MAX_BYTES, &in_form, err))
		return false;
	if (authorization != NULL && strncasecmp(authorization, scheme, sizeof(scheme) - 1) == 0)
		in_header = authorization + sizeof(scheme) - 1;
	*dpop = authorization != NULL && strncasecmp(authorization, bound, sizeof(bound) - 1) == 0;
	if (*dpop)
		in_header = authorization + sizeof(bound) - 1;
	if (in_form != NULL && authorization != NULL)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "access_token in two places");
	const char *found = in_header != NULL ? in_header : in_form;

	if (found == NULL)
		return FAIL(err, ERR_DENIED, OIDC_TOKEN_MISSING, "no access token");
	if (!is_token(found))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "access token is malformed");
	*token = found;
	return true;
}

const char *
oidc_userinfo_build(struct arena *a, const char *sub, const json_t *claims)
{
	json_t *o = json_new_object(a);

	json_put_all(a, o, claims);
	json_put_str(a, o, "sub", sub);
	return json_text(a, o, false);
}

bool
oidc_userinfo_sign(struct arena *a, const struct key_ops *ops, const char *kid, enum oidc_alg alg,
		   const struct oidc_userinfo *u, const char **compact, struct err *err)
{
	json_t *o = json_new_object(a);

	json_put_all(a, o, u->claims);
	json_put_str(a, o, "iss", u->issuer);
	json_put_str(a, o, "aud", u->client_id);
	json_put_str(a, o, "sub", u->sub);
	return oidc_jws_build(a, ops, kid, alg, NULL, o, compact, err);
}
