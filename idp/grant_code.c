/*
 * authorization_code: the code is taken by one durable statement that stores the
 * access token with it; only then it is looked at.  A code that does not fit is
 * used up; a second use takes back what the first gave (RFC 6749 4.1.2).
 */
#include "idp/grant.h"

#include "db/dated.h"
#include "db/grant.h"
#include "idp/app.h"
#include "idp/audit.h"
#include "idp/config.h"
#include "idp/front_oidc.h"
#include "idp/jose.h"
#include "oidc/error.h"
#include "oidc/id_token.h"

/* What the login left with the code. */
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

static bool
id_token_of(struct request *rq, const struct party *p, const struct jose_maker *m,
	    const struct db_grant *g, const char *access_token, const char **out, struct err *err)
{
	const char *signed_token;
	struct oidc_released released;
	struct facts facts;

	if (!facts_read(rq->a, g->extra, &facts, err) ||
	    !front_oidc_open(rq, g->id, g->sealed, &released, err))
		return false;
	struct oidc_id_token t = {
		.issuer = rq->app->config->base_url,
		.sub = released.sub,
		.client_id = p->oidc->client_id,
		.sid = facts.sid,
		.nonce = g->nonce,
		.acr = facts.acr,
		.amr = facts.amr,
		.auth_time = (time_t)facts.auth_time,
		.lifetime_s = TOKEN_LIVES_S,
		.access_token = access_token,
		.claims = released.id_token,
	};

	return oidc_id_token_build(rq->a, &m->ops, m->kid, m->alg, &t, rq->now, &signed_token,
				   err) &&
	       jose_encrypt(rq, m, signed_token, out, err);
}

static bool
check(struct request *rq, const struct oidc_code_request *r, const struct db_grant *g,
      const struct oidc_client_proof *proof, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct oidc_code code = {g->party, g->redirect_uri, g->challenge};
	struct db_audit audit = {
		.event = AUDIT_GRANT_REVOKED,
		.ref = rq->ref,
		.subject = &g->acting,
		.party = g->party,
		.details = audit_details(rq->a, "why", "code did not fit", NULL),
	};

	if (oidc_code_check(rq->a, r, &code, proof, err))
		return true;
	/* The refusal stands; the token made with the code must not. */
	struct err other = {0};

	if (!db_grant_revoke(&c, g->id, &audit, rq->now, &other)) {
		err_clear(err);
		return FAIL(err, other.kind, other.proto, "%s", other.text);
	}
	return false;
}

bool
grant_code_give(struct request *rq, const struct party *p, const struct oidc_client_proof *proof,
		struct oidc_token_response *out, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const char *token = db_dated_create(rq->a, rq->now + TOKEN_LIVES_S);
	struct db_audit taken = {
		.event = AUDIT_CODE_REDEEMED,
		.ref = rq->ref,
		.party = p->id,
	};
	struct db_audit replayed = {
		.event = AUDIT_GRANT_REVOKED,
		.ref = rq->ref,
		.party = p->id,
		.details = audit_details(rq->a, "why", "code used twice", NULL),
	};
	struct db_take_audit audit = {&taken, &replayed};
	struct oidc_code_request r;
	const struct db_grant *g;
	struct jose_maker m;
	const char *id_token;
	enum db_take take;

	if (!oidc_code_request_parse(&rq->form, &r, err) ||
	    !jose_maker_find(rq, p->oidc, p->oidc->id_token_alg, &p->oidc->id_token_encryption, &m,
			     err) ||
	    !db_grant_take(&c, r.code, p->id, token, rq->now + TOKEN_LIVES_S, &audit, rq->now,
			   &take, &g, err))
		return false;
	if (take != DB_TAKE_TAKEN)
		return FAIL(err, ERR_DENIED, OIDC_INVALID_GRANT, "%s",
			    take == DB_TAKE_REPLAYED ? "a code that was used before"
						     : "no such code for this client");
	if (!check(rq, &r, g, proof, err) || !id_token_of(rq, p, &m, g, token, &id_token, err))
		return false;
	*out = (struct oidc_token_response){token, TOKEN_LIVES_S, g->scope, id_token};
	return true;
}
