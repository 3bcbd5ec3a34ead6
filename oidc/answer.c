/* Answers by redirect; see answer.h. */
#include "oidc/answer.h"

#include "oidc/redirect.h"

struct oidc_return {
	const char *uri, *state;
};

bool
oidc_return_prove(struct arena *a, const struct oidc_client *client, const char *redirect_uri,
		  const char *state, const struct oidc_return **out, struct err *err)
{
	if (client == NULL)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "no such client");
	if (!oidc_client_redirects_to(client, redirect_uri))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "redirect_uri is not registered");
	struct oidc_return *r = ARENA_NEW(a, struct oidc_return);

	*r = (struct oidc_return){redirect_uri, state};
	*out = r;
	return true;
}

bool
oidc_return_code(struct arena *a, const struct oidc_return *r, const char *issuer, const char *code,
		 const char **url, struct err *err)
{
	const struct param add[] = {{"code", code}, {"state", r->state}, {"iss", issuer}};

	return oidc_uri_with(a, r->uri, add, ARRAY_LEN(add), url, err);
}

bool
oidc_return_error(struct arena *a, const struct oidc_return *r, const char *issuer,
		  const struct oidc_error *e, const char **url, struct err *err)
{
	const struct param add[] = {
		{"error", e->name},
		{"error_description", e->description},
		{"state", r->state},
		{"iss", issuer},
	};

	return oidc_uri_with(a, r->uri, add, ARRAY_LEN(add), url, err);
}
