/* The token endpoint: who is the client, then which grant (RFC 6749 3.2). */
#include "idp/ep_oidc.h"

#include "base/text.h"
#include "idp/binding.h"
#include "idp/client_proof.h"
#include "idp/grant.h"
#include "oidc/error.h"

static bool
give(struct request *rq, struct oidc_token_response *out, struct err *err)
{
	struct oidc_client_proof proof;
	const struct party *p;
	const char *type;

	if (!client_proof_check(rq, &p, &proof, err) || !binding_judge(rq, err) ||
	    !client_proof_use(rq, &proof, err) || !oidc_token_grant_type(&rq->form, &type, err))
		return false;
	const struct grant *g = grant_find(type);

	if (g == NULL)
		return FAIL(err, ERR_INPUT, OIDC_UNSUPPORTED_GRANT_TYPE, "no such grant type here");
	if (!oidc_strs_have(p->oidc->grant_types, type))
		return FAIL(err, ERR_DENIED, OIDC_UNAUTHORIZED_CLIENT,
			    "a grant type that the client is not registered for");
	return g->give(rq, p, &proof, out, err);
}

/* RFC 6749 5.2: 400, where elsewhere it is 403. */
static bool
at_token(struct err *err)
{
	if (text_eq(oidc_error_of(err)->name, OIDC_ACCESS_DENIED))
		err->proto = OIDC_TOKEN_DENIED;
	return false;
}

bool
ep_token(struct request *rq, struct response *rs, struct err *err)
{
	struct oidc_token_response out;

	if (!give(rq, &out, err))
		return at_token(err);
	response_json(rs, 200, oidc_token_response_build(rq->a, &out));
	response_header(rs, "Pragma", "no-cache"); /* RFC 6749 5.1, beside no-store */
	return true;
}
