/* Token requests and answers; see token.h. */
#include "oidc/token.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "oidc/error.h"
#include "oidc/pkce.h"
#include "oidc/redirect.h"

#define GRANT_TYPE_MAX_BYTES 128
#define CODE_MAX_BYTES       512
#define VERIFIER_MAX_BYTES   256

bool
oidc_token_grant_type(const struct params *form, const char **out, struct err *err)
{
	const char *type;

	if (!oidc_param(form, "grant_type", GRANT_TYPE_MAX_BYTES, &type, err))
		return false;
	if (type == NULL)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "grant_type is missing");
	*out = type;
	return true;
}

bool
oidc_code_request_parse(const struct params *form, struct oidc_code_request *out, struct err *err)
{
	struct oidc_code_request rq;

	if (!oidc_param(form, "code", CODE_MAX_BYTES, &rq.code, err) ||
	    !oidc_param(form, "redirect_uri", OIDC_URI_MAX_BYTES, &rq.redirect_uri, err) ||
	    !oidc_param(form, "code_verifier", VERIFIER_MAX_BYTES, &rq.verifier, err))
		return false;
	if (rq.code == NULL || rq.redirect_uri == NULL)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST,
			    "code or redirect_uri is missing");
	*out = rq;
	return true;
}

bool
oidc_code_check(struct arena *a, const struct oidc_code_request *rq, const struct oidc_code *code,
		const struct oidc_client_proof *proof, struct err *err)
{
	if (strcmp(code->client_id, proof->client->client_id) != 0)
		return FAIL(err, ERR_DENIED, OIDC_INVALID_GRANT, "code of another client");
	if (strcmp(code->redirect_uri, rq->redirect_uri) != 0)
		return FAIL(err, ERR_DENIED, OIDC_INVALID_GRANT, "redirect_uri is another");
	return oidc_pkce_check_verifier(a, code->challenge, rq->verifier, err);
}

bool
oidc_refresh_request_parse(struct arena *a, const struct params *form,
			   struct oidc_refresh_request *out, struct err *err)
{
	struct oidc_refresh_request rq;

	if (!oidc_param(form, "refresh_token", CODE_MAX_BYTES, &rq.token, err) ||
	    !oidc_param_words(a, form, "scope", OIDC_SCOPES_MAX, &rq.scopes, err))
		return false;
	if (rq.token == NULL)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "refresh_token is missing");
	*out = rq;
	return true;
}

bool
oidc_scope_narrow(struct arena *a, struct oidc_strs asked, const char *granted,
		  struct oidc_strs *out, struct oidc_strs *dropped, struct err *err)
{
	const char **words, **kept, **left;
	size_t n, n_kept = 0, n_left = 0;

	if (!text_words(a, granted, OIDC_SCOPES_MAX, &words, &n, err))
		return false;
	for (size_t i = 0; i < asked.n; i++)
		if (!oidc_strs_have((struct oidc_strs){words, n}, asked.s[i]))
			return FAIL(err, ERR_INPUT, OIDC_INVALID_SCOPE,
				    "a scope that was not granted");
	kept = ARENA_ARRAY(a, const char *, n + 1);
	left = ARENA_ARRAY(a, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		if (asked.n == 0 || oidc_strs_have(asked, words[i]))
			kept[n_kept++] = words[i];
		else
			left[n_left++] = words[i];
	*out = (struct oidc_strs){kept, n_kept};
	*dropped = (struct oidc_strs){left, n_left};
	return true;
}

bool
oidc_client_scopes_parse(struct arena *a, const struct params *form, struct oidc_strs may,
			 struct oidc_strs *out, struct err *err)
{
	struct oidc_strs asked;

	if (!oidc_param_words(a, form, "scope", OIDC_SCOPES_MAX, &asked, err))
		return false;
	for (size_t i = 0; i < asked.n; i++)
		if (!oidc_strs_have(may, asked.s[i]))
			return FAIL(err, ERR_INPUT, OIDC_INVALID_SCOPE,
				    "a scope that the client may not have here");
	*out = asked.n == 0 ? may : asked;
	return true;
}

bool
oidc_resource_parse(const struct params *form, const char **out, struct err *err)
{
	const char *value;

	if (params_find(form, "resource", &value) > 1)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_TARGET, "one token for several resources");
	return oidc_param(form, "resource", OIDC_URI_MAX_BYTES, out, err);
}

struct oidc_strs
oidc_scope_of(struct arena *a, const char *scope, struct oidc_strs of)
{
	const char **words, **kept;
	size_t n, used = 0;

	if (!text_words(a, scope, OIDC_SCOPES_MAX, &words, &n, NULL))
		return (struct oidc_strs){NULL, 0};
	kept = ARENA_ARRAY(a, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		if (oidc_strs_have(of, words[i]))
			kept[used++] = words[i];
	return (struct oidc_strs){kept, used};
}

bool
oidc_scope_is_openid(struct arena *a, const char *scope)
{
	const char **words;
	size_t n;

	return text_words(a, scope, OIDC_SCOPES_MAX, &words, &n, NULL) &&
	       oidc_strs_have((struct oidc_strs){words, n}, "openid");
}

const char *
oidc_scope_text(struct arena *a, struct oidc_strs scopes)
{
	struct buf b;

	buf_init(&b, a, 8192);
	for (size_t i = 0; i < scopes.n; i++)
		buf_printf(&b, "%s%s", i == 0 ? "" : " ", scopes.s[i]);
	return b.n == 0 ? "" : (const char *)b.p;
}

const char *
oidc_token_response_build(struct arena *a, const struct oidc_token_response *r)
{
	json_t *o = json_new_object(a);

	json_put_str(a, o, "access_token", r->access_token);
	json_put_str(a, o, "issued_token_type", r->issued_type);
	json_put_str(a, o, "token_type", r->dpop ? "DPoP" : "Bearer");
	json_put_i64(a, o, "expires_in", r->expires_in_s);
	json_put_str(a, o, "scope", r->scope);
	json_put_str(a, o, "id_token", r->id_token);
	json_put_str(a, o, "refresh_token", r->refresh_token);
	if (r->details != NULL)
		json_put(a, o, "authorization_details", r->details);
	return json_text(a, o, false);
}
