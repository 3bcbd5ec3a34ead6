/* Issuing tokens; see issue.h. */
#include "idp/issue.h"

#include "db/dated.h"
#include "idp/app.h"
#include "idp/config.h"
#include "oidc/id_token.h"

/* What the login left with the grant. */
struct facts {
	const char *acr, *sid;
	struct oidc_strs amr;
	int64_t auth_time;
};

static bool
facts_read(struct arena *a, struct bytes extra, struct facts *out, struct err *err)
{
	const char **amr = NULL;
	json_t *o;

	*out = (struct facts){0};
	if (!json_parse_object(a, extra, 8192, &o, err) ||
	    !json_get_str(o, "acr", &out->acr, err) || !json_get_str(o, "sid", &out->sid, err) ||
	    !json_get_strs(a, o, "amr", 16, &amr, &out->amr.n, err) ||
	    !json_get_i64(o, "auth_time", &out->auth_time, err))
		return false;
	out->amr.s = amr;
	return true;
}

bool
issue_begin(struct request *rq, const struct party *p, const struct oidc_client_proof *proof,
	    struct issue *out, struct err *err)
{
	*out = (struct issue){
		.p = p,
		.proof = proof,
		.token = {.text = db_dated_create(rq->a, rq->now + TOKEN_LIVES_S),
			  .expires = rq->now + TOKEN_LIVES_S},
	};
	return jose_maker_find(rq, p->oidc, p->oidc->id_token_alg, &p->oidc->id_token_encryption,
			       &out->maker, err);
}

const char *
issue_refresh_cnf(const struct issue *i UNUSED)
{
	return NULL;
}

bool
issue_id_token(struct request *rq, const struct issue *i, const struct issue_grant *g,
	       const char **out, struct err *err)
{
	const struct jose_maker *m = &i->maker;
	const char *signed_token;
	struct facts facts;

	if (!facts_read(rq->a, g->extra, &facts, err))
		return false;
	struct oidc_id_token t = {
		.issuer = rq->app->config->base_url,
		.sub = g->released->sub,
		.client_id = i->p->oidc->client_id,
		.sid = facts.sid,
		.nonce = g->nonce,
		.acr = facts.acr,
		.amr = facts.amr,
		.auth_time = (time_t)facts.auth_time,
		.lifetime_s = TOKEN_LIVES_S,
		.access_token = i->token.text,
		.claims = g->released->id_token,
	};

	return oidc_id_token_build(rq->a, &m->ops, m->kid, m->alg, &t, rq->now, &signed_token,
				   err) &&
	       jose_encrypt(rq, m, signed_token, out, err);
}
