/*
 * The authorization endpoint (OpenID Connect Core 3.1.2): errors are a page until
 * client and redirect URI are proven, from then on they go back to the client.
 */
#include "idp/ep_oidc.h"

#include "idp/flow.h"
#include "idp/front_oidc.h"

bool
ep_authorize(struct request *rq, struct response *rs, struct err *err)
{
	const struct params *ps = rq->method == HTTP_GET ? &rq->query : &rq->form;
	const struct oidc_return *to;
	struct oidc_authorize authorize;
	struct oidc_start start;
	struct err why = {0};
	struct ask ask;

	if (!oidc_authorize_start(ps, &start, err))
		return false;
	const struct party *p = party_find(&rq->snap->parties, start.client_id);

	if (!oidc_return_prove(rq->a, p == NULL ? NULL : p->oidc, start.redirect_uri, start.state,
			       &to, err))
		return false;
	if (!oidc_authorize_parse(rq->a, ps, p->oidc, &authorize, &why) ||
	    !front_oidc_ask(rq, p, &authorize, start.redirect_uri, start.state, &ask, &why))
		return front_oidc_refuse(rq, to, &why, rs, err);
	return flow_start(rq, &ask, rq->method == HTTP_GET, rs, err);
}
