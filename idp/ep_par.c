/*
 * The pushed authorization request endpoint (RFC 9126 2): who the client is, then every
 * check of the request, so that what is wrong with it is told before a person is bothered.
 */
#include "idp/ep_oidc.h"

#include <string.h>

#include "base/text.h"
#include "idp/authorize.h"
#include "idp/binding.h"
#include "idp/client_proof.h"
#include "idp/pushed.h"
#include "oidc/error.h"

#define KEY "dpop_jkt"

/*
 * RFC 9449 10.1: the key of a proof is as good as one that dpop_jkt names, and has to be the same.
 * It is kept as that.
 */
static bool
add_key(struct request *rq, const char *cnf, struct params *ps, struct err *err)
{
	const char *named;
	struct param *p;
	size_t n = 0;

	if (cnf == NULL)
		return true;
	if (!oidc_param(ps, KEY, 128, &named, err)) /* second line: it has been read */
		return false;
	if (named != NULL)
		return text_eq(binding_of_jkt(rq->a, named), cnf) ||
		       FAIL(err, ERR_DENIED, OIDC_INVALID_DPOP_PROOF,
			    "a proof of another key than dpop_jkt names");
	p = ARENA_ARRAY(rq->a, struct param, ps->n + 1);
	for (size_t i = 0; i < ps->n; i++)
		if (strcmp(ps->p[i].name, KEY) != 0) /* empty */
			p[n++] = ps->p[i];
	p[n++] = (struct param){KEY, binding_jkt(rq->a, cnf)};
	*ps = (struct params){p, n};
	return true;
}

static bool
keep(struct request *rq, const char **request_uri, struct err *err)
{
	struct oidc_client_proof proof;
	const struct party *p;
	struct authorize r;
	const char *given, *cnf;

	if (!client_proof_check(rq, &p, &proof, err) || !binding_judge(rq, err) ||
	    !client_proof_use(rq, &proof, err) || !binding_prove(rq, false, &cnf, err))
		return false;
	/* RFC 9126 2.1 */
	if (params_find(&rq->form, "request_uri", &given) > 0)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "a request_uri that is pushed");
	if (!authorize_read(rq, &rq->form, AUTHORIZE_PUSH, p, &r, err))
		return false;
	if (!text_eq(r.p->id, p->id)) /* second line: both have read the same client_id */
		return FAIL(err, ERR_DENIED, OIDC_INVALID_REQUEST, "the request of another client");
	/* Kept first: what came to nothing has not used an object up. */
	return add_key(rq, cnf, &r.ps, err) && pushed_keep(rq, p, &r.ps, request_uri, err) &&
	       authorize_use(rq, &r, err);
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
