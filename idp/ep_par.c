/*
 * The pushed authorization request endpoint (RFC 9126 2): who the client is, then every
 * check of the request, so that what is wrong with it is told before a person is bothered.
 */
#include "idp/ep_oidc.h"

#include "idp/authorize.h"
#include "idp/client_proof.h"
#include "idp/pushed.h"
#include "oidc/error.h"

static bool
keep(struct request *rq, const char **request_uri, struct err *err)
{
	struct oidc_client_proof proof;
	const struct party *p;
	struct authorize r;
	const char *given;

	if (!client_proof_demand(rq, &p, &proof, err))
		return false;
	/* RFC 9126 2.1 */
	if (params_find(&rq->form, "request_uri", &given) > 0)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "a request_uri that is pushed");
	if (!authorize_read(rq, &rq->form, AUTHORIZE_PUSH, &r, err))
		return false;
	if (r.p != p) /* second line: both have read the same client_id */
		return FAIL(err, ERR_DENIED, OIDC_INVALID_REQUEST, "the request of another client");
	return pushed_keep(rq, p, &r.ps, request_uri, err);
}

bool
ep_par(struct request *rq, struct response *rs, struct err *err)
{
	json_t *o = json_new_object(rq->a);
	const char *request_uri;

	if (!keep(rq, &request_uri, err))
		return false;
	json_put_str(rq->a, o, "request_uri", request_uri);
	json_put_i64(rq->a, o, "expires_in", PUSHED_LIVES_S);
	response_json(rs, 201, json_text(rq->a, o, false));
	return true;
}
