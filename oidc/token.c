/* Token requests and answers; see token.h. */
#include "oidc/token.h"

#include <string.h>

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

const char *
oidc_token_response_build(struct arena *a, const struct oidc_token_response *r)
{
	json_t *o = json_new_object(a);

	json_put_str(a, o, "access_token", r->access_token);
	json_put_str(a, o, "token_type", "Bearer");
	json_put_i64(a, o, "expires_in", r->expires_in_s);
	json_put_str(a, o, "scope", r->scope);
	json_put_str(a, o, "id_token", r->id_token);
	return json_text(a, o, false);
}
