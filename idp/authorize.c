/* Authorization requests from parameters to an ask; see authorize.h. */
#include "idp/authorize.h"

#include "base/text.h"
#include "idp/config.h"
#include "idp/publish.h"
#include "oidc/id_token.h"

/* A hint names the one person who may answer (Core 3.1.2.1), as the claim sub does. */
static bool
take_hint(struct request *rq, const struct party *p, struct oidc_authorize *r, struct err *err)
{
	struct oidc_jwks ours;
	struct oidc_hint hint = {0};

	if (r->id_token_hint == NULL)
		return true;
	publish_jwks(rq->a, rq->snap->keyring, &ours);
	/* second line: what is not proven names no client, and so not this one */
	if (!oidc_hint_verify(rq->a, r->id_token_hint, &ours, rq->app->config->base_url, &hint,
			      err))
		return false;
	/* Another client knows this person under another name. */
	if (!text_eq(hint.client_id, p->id))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "a hint of another client");
	if (r->claims.sub != NULL && !text_eq(r->claims.sub, hint.sub))
		return FAIL(err, ERR_DENIED, OIDC_LOGIN_REQUIRED,
			    "hint and claims name two people");
	r->claims.sub = hint.sub;
	return true;
}

bool
authorize_read(struct request *rq, const struct params *ps, struct authorize *out, struct err *err)
{
	struct oidc_authorize authorize;
	struct oidc_start start;

	*out = (struct authorize){0};
	if (!oidc_authorize_start(ps, &start, err))
		return false;
	const struct party *p = out->p = party_find(&rq->snap->parties, start.client_id);

	/* No party: oidc_return_prove refuses with the answer that fits. */
	if (!oidc_return_prove(rq->a, p == NULL ? NULL : p->oidc, start.redirect_uri, start.state,
			       &out->to, err) ||
	    p == NULL) /* second line: nothing is proven of nobody */
		return false;
	return oidc_authorize_parse(rq->a, ps, p->oidc, &authorize, err) &&
	       take_hint(rq, p, &authorize, err) &&
	       front_oidc_ask(rq, p, &authorize, start.redirect_uri, start.state, &out->ask, err);
}
