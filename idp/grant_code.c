/*
 * authorization_code: the code is taken by one durable statement that stores the
 * access token with it; only then it is looked at.  A code that does not fit is
 * used up; a second use takes back what the first gave (RFC 6749 4.1.2).
 */
#include "idp/grant.h"

#include "base/text.h"
#include "idp/app.h"
#include "idp/audit.h"
#include "idp/binding.h"
#include "idp/issue.h"
#include "oidc/error.h"

/* The refusal stands; the tokens made with the code must not. */
static bool
take_back(struct request *rq, const struct db_grant *g, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct db_audit audit = {
		.event = AUDIT_GRANT_REVOKED,
		.ref = rq->ref,
		.subject = g->foreign ? NULL : &g->acting,
		.party = g->party,
		.details = audit_details(rq->a, "why", "code did not fit", NULL),
	};

	struct err other = {0};

	if (!db_grant_revoke(&c, g->id, &audit, rq->now, &other)) {
		err_clear(err);
		return FAIL(err, other.kind, other.proto, "%s", other.text);
	}
	return false;
}

static bool
check(struct request *rq, const struct issue *i, const struct oidc_code_request *r,
      const struct db_grant *g, struct err *err)
{
	struct oidc_code code = {g->party, g->redirect_uri, g->challenge};

	return ((r == NULL || oidc_code_check(rq->a, r, &code, i->proof, err)) &&
		issue_check_cnf(i, g->cnf, err) &&
		issue_check_resource(rq, i, g->resources, err)) ||
	       take_back(rq, g, err);
}

/* By the record of today: what was agreed to for more than it allows is asked for anew. */
static bool
still_may(struct request *rq, const struct issue *i, const struct db_grant *g, struct err *err)
{
	const char **words;
	size_t n;

	if (!issue_check_level(rq, i, g->extra, err) ||
	    !text_words(rq->a, g->scope, OIDC_SCOPES_MAX, &words, &n, err))
		return false;
	for (size_t k = 0; k < n; k++)
		if (!oidc_strs_have(i->p->oidc->scopes, words[k]))
			return FAIL(err, ERR_DENIED, OIDC_INVALID_GRANT,
				    "a scope that its record does not have any more");
	return true;
}

/*
 * A token of less than the code was given for: of authorization details what is asked for, of
 * claims what is in the record today.
 */
static bool
narrow(struct request *rq, struct issue *i, const struct account_lock *whose,
       const struct db_grant *g, struct oidc_released *released, struct err *err)
{
	static const struct oidc_strs none = {NULL, 0};
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct oidc_released less = *released;
	struct bytes sealed = {NULL, 0};

	if (!still_may(rq, i, g, err) ||
	    !issue_details(rq, i, released->details, &less.details, err))
		return take_back(rq, g, err);
	bool same =
		json_equal(less.details, released->details) || less.details == released->details;

	if (!front_oidc_narrow(rq, i->p, whose, g->id, none, &less, &sealed, err) ||
	    (sealed.n == 0 && !same && !front_oidc_seal(rq, whose, g->id, &less, &sealed, err)) ||
	    (sealed.n > 0 && !db_token_reseal(&c, &i->token, i->p->id, sealed, err)))
		return false;
	*released = less;
	return true;
}

/* The refresh token that the code may give, if what was agreed to allows it. */
static const struct db_refresh_new *
refresh_of(struct request *rq, const struct issue *i)
{
	const struct oidc_client *client = i->p->oidc;
	struct db_refresh_new *r = ARENA_NEW(rq->a, struct db_refresh_new);

	if (!oidc_strs_have(client->grant_types, OIDC_GRANT_REFRESH))
		return NULL;
	*r = (struct db_refresh_new){
		.text = db_refresh_create(rq->a),
		.of_session = client->refresh == OIDC_REFRESH_SESSION,
		.cnf = issue_refresh_cnf(i),
		.expires = rq->now + REFRESH_IDLE_S,
		.ends = rq->now + REFRESH_ENDS_S,
	};
	return r;
}

static bool
take(struct request *rq, const struct issue *i, const char *code,
     const struct db_refresh_new **refresh, const struct db_grant **out, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct db_audit taken = {
		.event = AUDIT_CODE_REDEEMED,
		.ref = rq->ref,
		.party = i->p->id,
	};
	struct db_audit replayed = {
		.event = AUDIT_GRANT_REVOKED,
		.ref = rq->ref,
		.party = i->p->id,
		.details = audit_details(rq->a, "why", "code used twice", NULL),
	};
	struct db_take_audit audit = {&taken, &replayed};
	enum db_take take;
	bool refreshed;

	if (!db_grant_take(&c, code, i->p->id, &i->token, *refresh, &audit, rq->now, &take, out,
			   &refreshed, err))
		return false;
	if (!refreshed)
		*refresh = NULL;
	if (take != DB_TAKE_TAKEN)
		return FAIL(err, ERR_DENIED, OIDC_INVALID_GRANT, "%s",
			    take == DB_TAKE_REPLAYED ? "a code that was used before"
						     : "no such code for this client");
	return true;
}

bool
grant_code_exchange(struct request *rq, const struct party *p,
		    const struct oidc_client_proof *proof, const char *code,
		    const struct oidc_code_request *r, struct oidc_token_response *out,
		    struct err *err)
{
	const struct db_refresh_new *refresh;
	struct oidc_released released;
	const struct db_grant *g;
	const char *id_token = NULL;
	struct issue i;

	if (!issue_begin(rq, p, proof, &i, err) || !issue_with_id_token(rq, &i, err) ||
	    !issue_for_resource(rq, NULL, &i, err))
		return false;
	refresh = refresh_of(rq, &i);
	if (!take(rq, &i, code, &refresh, &g, err) || !check(rq, &i, r, g, err))
		return false;
	const struct account_lock account = {g->acting, g->account_key};
	const struct account_lock *whose = g->foreign ? NULL : &account;

	/* A resource server knows people by accounts here. */
	if (g->foreign && i.token.audience != NULL) {
		(void)!FAIL(err, ERR_INPUT, OIDC_INVALID_TARGET, "a resource for no account here");
		return take_back(rq, g, err);
	}
	if (!front_oidc_open(rq, whose, g->id, g->sealed, &released, err) ||
	    !narrow(rq, &i, whose, g, &released, err))
		return false;
	struct issue_grant of = {.acting = g->foreign ? NULL : &g->acting,
				 .scope = g->scope,
				 .extra = g->extra,
				 .released = &released,
				 .nonce = g->nonce};

	if (!issue_access_token(rq, &i, &of, err) ||
	    (oidc_scope_is_openid(rq->a, g->scope) && !issue_id_token(rq, &i, &of, &id_token, err)))
		return false;
	*out = (struct oidc_token_response){
		.access_token = i.access_token,
		.expires_in_s = TOKEN_LIVES_S,
		.scope = issue_scope(rq, &i, g->scope),
		.id_token = id_token,
		.refresh_token = refresh == NULL ? NULL : refresh->text,
		.details = i.details,
		.dpop = binding_is_dpop(i.token.cnf),
	};
	return true;
}

bool
grant_code_give(struct request *rq, const struct party *p, const struct oidc_client_proof *proof,
		struct oidc_token_response *out, struct err *err)
{
	struct oidc_code_request r;

	return oidc_code_request_parse(&rq->form, &r, err) &&
	       grant_code_exchange(rq, p, proof, r.code, &r, out, err);
}
