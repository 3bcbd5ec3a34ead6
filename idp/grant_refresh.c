/*
 * refresh_token (RFC 6749 6, RFC 9700 4.14): judged first, then used by one durable statement.
 * Where the client's profile wants it, the token stays; else each use makes a successor, and who
 * comes with a token whose successor was used has it from somebody else: all of the grant ends.
 */
#include "idp/grant.h"

#include "idp/app.h"
#include "idp/audit.h"
#include "idp/binding.h"
#include "idp/issue.h"
#include "keys/sign.h"
#include "oidc/error.h"

/* One request to use a token. */
struct work {
	struct request *rq;
	struct issue i;
	struct oidc_refresh_request r;
	const struct db_refresh *grant;
	struct oidc_released released; /* of the grant, in what is asked for now */
	struct oidc_strs scopes;
	struct bytes sealed; /* the same, when it is less than the grant's; n 0 */
};

static bool
refuse(struct work *w, const char *why, struct err *err)
{
	struct request *rq = w->rq;
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct db_audit audit = {
		.event = AUDIT_GRANT_REVOKED,
		.ref = rq->ref,
		.party = w->i.p->id,
		.details = audit_details(rq->a, "why", "refresh token used twice", NULL),
	};
	bool ended;

	if (!db_refresh_replayed(&c, w->r.token, w->i.p->id, &audit, rq->now, &ended, err))
		return false;
	return FAIL(err, ERR_DENIED, OIDC_INVALID_GRANT, "%s",
		    ended ? "a refresh token that was used before" : why);
}

static bool
find(struct work *w, struct err *err)
{
	struct db_call c = {w->rq->app->db, w->rq->a, w->rq->deadline_us};
	enum db_refresh_fit fit;

	if (!db_refresh_find(&c, w->r.token, w->i.p->id, w->rq->now, &fit, &w->grant, err))
		return false;
	return fit == DB_REFRESH_FITS || refuse(w, "no such refresh token for this client", err);
}

/* Scopes that the client was given and may not have any more. */
static void
drop_scopes(struct work *w, struct oidc_strs *dropped)
{
	struct oidc_strs may = w->i.p->oidc->scopes, granted = w->scopes;
	const char **kept = ARENA_ARRAY(w->rq->a, const char *, granted.n + 1);
	const char **gone = ARENA_ARRAY(w->rq->a, const char *, granted.n + dropped->n + 1);
	size_t n_kept = 0, n_gone = 0;

	for (; n_gone < dropped->n; n_gone++)
		gone[n_gone] = dropped->s[n_gone];
	for (size_t i = 0; i < granted.n; i++)
		if (oidc_strs_have(may, granted.s[i]))
			kept[n_kept++] = granted.s[i];
		else
			gone[n_gone++] = granted.s[i];
	w->scopes = (struct oidc_strs){kept, n_kept};
	*dropped = (struct oidc_strs){gone, n_gone};
}

/* What was released with the grant, as far as the scopes go and the client's record of today. */
static bool
narrow(struct work *w, struct err *err)
{
	struct request *rq = w->rq;
	const struct db_refresh *g = w->grant;
	const struct account_lock of = {g->acting, g->account_key};
	struct oidc_strs dropped;

	if (!issue_check_level(rq, &w->i, g->extra, err) ||
	    !oidc_scope_narrow(rq->a, w->r.scopes, g->scope, &w->scopes, &dropped, err))
		return false;
	drop_scopes(w, &dropped);
	if (!front_oidc_open(rq, &of, g->grant, g->sealed, &w->released, err))
		return false;
	json_t *granted = w->released.details;

	if (!issue_details(rq, &w->i, granted, &w->released.details, err) ||
	    !front_oidc_narrow(rq, w->i.p, &of, g->grant, dropped, &w->released, &w->sealed, err))
		return false;
	return w->sealed.n > 0 || granted == NULL || json_equal(granted, w->released.details) ||
	       front_oidc_seal(rq, &of, g->grant, &w->released, &w->sealed, err);
}

/* The same for the same token, so that who lost an answer is given no second one that counts. */
static bool
successor(struct work *w, const char **out, struct err *err)
{
	struct request *rq = w->rq;
	const struct key *k = keyring_active(rq->snap->keyring, KEY_COOKIE, KEY_SECRET);
	unsigned char secret[32];

	*out = w->r.token;
	if (w->i.p->oidc->profile->checks & OIDC_CHECK_STABLE_REFRESH)
		return true;
	if (k == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no active cookie key");
	if (!signer_mac(rq->app->signer, rq->a, KEY_COOKIE, k->row.kid, "refresh token",
			bytes_of(w->r.token), secret, err))
		return false;
	*out = db_refresh_next(rq->a, w->r.token, (struct bytes){secret, sizeof(secret)});
	return true;
}

static bool
use(struct work *w, const char **next, struct err *err)
{
	struct request *rq = w->rq;
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct db_refresh_use use = {
		.token = &w->i.token,
		.scope = oidc_scope_text(rq->a, w->scopes),
		.sealed = w->sealed,
		.expires = rq->now + REFRESH_IDLE_S,
	};
	struct db_audit audit = {
		.event = AUDIT_TOKENS_REFRESHED,
		.ref = rq->ref,
		.party = w->i.p->id,
	};
	enum db_refresh_used used;

	if (!successor(w, next, err))
		return false;
	use.next = *next;
	if (!db_refresh_use(&c, w->r.token, w->i.p->id, &use, &audit, rq->now, &used, err))
		return false;
	return used != DB_REFRESH_ENDED ||
	       refuse(w, "a refresh token whose account, session or consent ended", err);
}

bool
grant_refresh_give(struct request *rq, const struct party *p, const struct oidc_client_proof *proof,
		   struct oidc_token_response *out, struct err *err)
{
	struct work w = {.rq = rq};
	const char *next, *id_token = NULL;

	if (!oidc_refresh_request_parse(rq->a, &rq->form, &w.r, err) ||
	    !issue_begin(rq, p, proof, &w.i, err) || !issue_with_id_token(rq, &w.i, err) ||
	    !issue_for_resource(rq, NULL, &w.i, err) || !find(&w, err) ||
	    !issue_check_cnf(&w.i, w.grant->cnf, err) ||
	    !issue_check_resource(rq, &w.i, w.grant->resources, err) || !narrow(&w, err) ||
	    !use(&w, &next, err))
		return false;
	/* Core 12.2: with the times and the level of the login, and without its nonce. */
	const char *scope = oidc_scope_text(rq->a, w.scopes);
	struct issue_grant of = {.acting = &w.grant->acting,
				 .scope = scope,
				 .extra = w.grant->extra,
				 .released = &w.released};

	if (!issue_access_token(rq, &w.i, &of, err))
		return false;
	if (oidc_strs_have(w.scopes, "openid") && !issue_id_token(rq, &w.i, &of, &id_token, err))
		return false;
	*out = (struct oidc_token_response){
		.access_token = w.i.access_token,
		.expires_in_s = TOKEN_LIVES_S,
		.scope = issue_scope(rq, &w.i, scope),
		.id_token = id_token,
		.refresh_token = next,
		.details = w.i.details,
		.dpop = binding_is_dpop(w.i.token.cnf),
	};
	return true;
}
