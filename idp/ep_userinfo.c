/* UserInfo (OpenID Connect Core 5.3): what was released for this token, opened for this answer. */
#include "idp/ep_oidc.h"

#include "idp/app.h"
#include "idp/front_oidc.h"
#include "oidc/error.h"
#include "oidc/userinfo.h"

static bool
find(struct request *rq, struct oidc_released *out, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct db_token *t;
	const char *token;

	if (!oidc_bearer_parse(request_header(rq, "authorization"), &rq->form, &rq->query, &token,
			       err) ||
	    !db_token_find(&c, token, rq->now, &t, err))
		return false;
	/* A portal that was switched off meanwhile gets nothing any more. */
	if (t == NULL || party_find(&rq->snap->parties, t->party) == NULL)
		return FAIL(err, ERR_DENIED, OIDC_INVALID_TOKEN, "no token that lives");
	return front_oidc_open(rq, t->grant, t->sealed, out, err);
}

bool
ep_userinfo(struct request *rq, struct response *rs, struct err *err)
{
	struct oidc_released released;

	if (!find(rq, &released, err))
		return false;
	response_json(rs, 200, oidc_userinfo_build(rq->a, released.sub, released.userinfo));
	return true;
}
