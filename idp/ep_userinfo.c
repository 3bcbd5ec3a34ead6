/* UserInfo (OpenID Connect Core 5.3): what was released for this token, opened for this answer. */
#include "idp/ep_oidc.h"

#include "base/text.h"
#include "idp/app.h"
#include "idp/binding.h"
#include "idp/config.h"
#include "idp/front_oidc.h"
#include "idp/jose.h"
#include "idp/refusal.h"
#include "oidc/error.h"
#include "oidc/token.h"
#include "oidc/userinfo.h"

static bool
find(struct request *rq, const struct party **p, struct oidc_released *out, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct db_token *t;
	const char *token;
	bool dpop;

	if (!oidc_bearer_parse(request_header(rq, "authorization"), &rq->form, &rq->query, &token,
			       &dpop, err) ||
	    !db_token_find(&c, token, false, rq->now, &t, err))
		return false;
	/* A portal that was switched off meanwhile gets nothing any more. */
	*p = t == NULL ? NULL : party_find(&rq->snap->parties, t->party);
	if (*p == NULL)
		return FAIL(err, ERR_DENIED, OIDC_INVALID_TOKEN, "no token that lives");
	refusal_of(rq, *p, true);
	if (!binding_check(rq, token, dpop, t->cnf, err))
		return false;
	/* RFC 8707 2: one for a resource is for nobody else. */
	if (t->audience != NULL)
		return FAIL(err, ERR_DENIED, OIDC_INVALID_TOKEN, "a token for a resource");
	/* Core 5.3: the endpoint is for who asked by OpenID Connect. */
	if (t->sealed.n == 0 || !oidc_scope_is_openid(rq->a, t->scope))
		return FAIL(err, ERR_DENIED, OIDC_INSUFFICIENT_SCOPE, "a token without openid");
	struct account_lock of = {0};

	if (t->acting != NULL)
		of = (struct account_lock){*t->acting, t->account_key};
	return front_oidc_open(rq, t->acting == NULL ? NULL : &of, t->grant, t->sealed, out, err);
}

/* Core 5.3.2: signed, and encrypted if the client wants that too. */
static bool
answer_signed(struct request *rq, const struct party *p, const struct oidc_released *released,
	      struct response *rs, struct err *err)
{
	const struct oidc_client *c = p->oidc;
	const struct oidc_userinfo u = {rq->app->config->base_url, c->client_id, released->sub,
					released->userinfo};
	const char *signed_token, *out;
	struct jose_maker m;

	if (!jose_maker_for(rq, p, c->userinfo_alg, &c->userinfo_encryption, &m, err) ||
	    !oidc_userinfo_sign(rq->a, &m.ops, m.kid, m.alg, &u, &signed_token, err) ||
	    !jose_encrypt(rq->a, &m, signed_token, &out, err))
		return false;
	response_jwt(rs, 200, "application/jwt", out);
	return true;
}

bool
ep_userinfo(struct request *rq, struct response *rs, struct err *err)
{
	struct oidc_released released;
	const struct party *p;

	if (!find(rq, &p, &released, err))
		return false;
	if (p->oidc->userinfo_alg != OIDC_ALG_NONE)
		return answer_signed(rq, p, &released, rs, err);
	response_json(rs, 200, oidc_userinfo_build(rq->a, released.sub, released.userinfo));
	return true;
}
