/* Redirects, and forms that are posted; see oidc_carry.h. */
#include "idp/oidc_carry.h"

#include "idp/app.h"
#include "idp/config.h"
#include "idp/jose.h"
#include "idp/show.h"

/* JARM 2.1, 2.2: all that is told, as one token that names its reader, and that it alone opens if
 * it wants that. */
static bool
sign(struct request *rq, const struct party *p, const struct oidc_return *to,
     struct oidc_answer *answer, struct err *err)
{
	const struct oidc_client *client = p->oidc;
	const char *signed_token;
	const json_t *claims =
		oidc_return_claims(rq->a, to, rq->app->config->base_url, answer, rq->now);
	struct jose_maker m;

	return jose_maker_for(rq, p, client->response_alg, &client->response_encryption, &m, err) &&
	       oidc_jws_build(rq->a, &m.ops, m.kid, m.alg, "JWT", claims, &signed_token, err) &&
	       jose_encrypt(rq->a, &m, signed_token, &answer->response, err);
}

bool
oidc_carry(struct request *rq, const struct party *p, const struct oidc_return *to,
	   const struct oidc_answer *answer, struct response *rs, struct err *err)
{
	struct oidc_answer told = *answer;
	struct oidc_carrier c;

	if ((oidc_return_wants_jwt(to) && !sign(rq, p, to, &told, err)) ||
	    !oidc_return_send(rq->a, to, rq->app->config->base_url, &told, &c, err))
		return false;
	if (c.location == NULL)
		return show_post(rq, rs, c.action, c.fields, c.n_fields, p->display_name, err);
	response_redirect(rs, c.location);
	return true;
}
