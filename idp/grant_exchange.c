/*
 * Token exchange (RFC 8693): a service that was given a token for itself gets one for a further
 * service, for the same person and never for more: not another scope, level, time or consent.  Who
 * may is said by two records: the exchanger's (its grant_types and resources) and that of the
 * client whose token it is (may_act).  A client narrows its own tokens without further ado.
 */
#include "idp/grant.h"

#include "base/text.h"
#include "db/exchange.h"
#include "idp/app.h"
#include "idp/audit.h"
#include "idp/binding.h"
#include "idp/issue.h"
#include "oidc/error.h"
#include "oidc/exchange.h"

/* One request. */
struct work {
	struct request *rq;
	struct issue i;
	struct oidc_exchange x;
	const struct db_token *shown;
	bool own;       /* it was given to who exchanges it */
	bool addressed; /* it is for who exchanges it */
	const char *act;
	struct oidc_strs scopes;
};

/* 2.2.2: whatever is wrong with a token is an invalid_request. */
#define REFUSE(err, why) FAIL((err), ERR_DENIED, OIDC_INVALID_REQUEST, (why))

/* Nobody uses a token of another's (RFC 8693 5): it is for the exchanger, or the exchanger's. */
static bool
find_shown(struct work *w, struct err *err)
{
	const struct party *p = w->i.p, *holder;
	const struct db_token *t;

	if (!issue_find_token(w->rq, w->x.subject_token, &w->shown, err))
		return false;
	t = w->shown;
	if (t == NULL || t->audience == NULL)
		return REFUSE(err, "no subject token for a resource");
	w->own = text_eq(t->party, p->id);
	w->addressed = oidc_strs_have(p->oidc->resource_uris, t->audience);
	if (!w->own && !w->addressed)
		return REFUSE(err, "a subject token for somebody else");
	holder = party_find(&w->rq->snap->parties, t->party);
	return w->own || oidc_strs_have(holder->oidc->may_act, p->id) ||
	       REFUSE(err, "a client for which this one may not act");
}

/* What is bound stays so, and who it was given to proves the key; the audience cannot. */
static bool
check_bound(const struct work *w, struct err *err)
{
	const char *cnf = w->shown->cnf, *proven = w->i.token.cnf;

	if (cnf != NULL && (proven == NULL || (w->own && !text_eq(cnf, proven))))
		return REFUSE(err, "a bound token without the proof of its key");
	return true;
}

/* 1.1: the actor is who asks, by a token of its own; nobody brings another one's. */
static bool
check_actor(struct work *w, struct err *err)
{
	const struct db_token *t;

	if (w->x.actor_token == NULL)
		return true;
	if (!issue_find_token(w->rq, w->x.actor_token, &t, err))
		return false;
	/* What was released to it is of somebody. */
	if (t == NULL || t->acting != NULL || t->sealed.n > 0 || !text_eq(t->origin, w->i.p->id))
		return REFUSE(err, "an actor token that is not the client's own");
	return t->cnf == NULL || text_eq(t->cnf, w->i.token.cnf) ||
	       REFUSE(err, "a bound actor token without the proof of its key");
}

static bool
find_act(struct work *w, struct err *err)
{
	bool told = w->i.p->oidc->exchanger == OIDC_EXCHANGER_ACTS && !w->own;

	w->act = w->shown->act;
	return (!told && w->x.actor_token == NULL) ||
	       oidc_exchange_act(w->rq->a, w->i.p->id, w->shown->act, &w->act, err);
}

/*
 * 2.1: by URI or by name, several times if need be; a token is for one, since each knows the person
 * by another name.
 */
static bool
find_target(struct work *w, const char **out, struct err *err)
{
	const struct oidc_strs may = w->i.p->oidc->resources;
	/* What the client was given itself stays where it is, even if it is for the client. */
	bool onward = w->addressed && !w->own;
	const char *uri = w->x.resources.n > 0 ? w->x.resources.s[0] : NULL;
	bool one = true;

	for (size_t k = 0; k < w->x.resources.n; k++)
		one = one && text_eq(w->x.resources.s[k], uri);
	for (size_t k = 0; k < w->x.audiences.n; k++) {
		const struct party *p = party_find(&w->rq->snap->parties, w->x.audiences.s[k]);
		struct oidc_strs uris = {0};

		if (p != NULL && p->oidc != NULL)
			uris = p->oidc->resource_uris;
		if (uri == NULL && uris.n == 1)
			uri = uris.s[0];
		one = one && uri != NULL && oidc_strs_have(uris, uri);
	}
	if (uri == NULL && one)
		uri = !onward ? w->shown->audience : may.n == 1 ? may.s[0] : NULL;
	if (!one || uri == NULL ||
	    !(onward ? oidc_strs_have(may, uri) : text_eq(uri, w->shown->audience)))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_TARGET,
			    "not one resource that this token may be exchanged for");
	*out = uri;
	return true;
}

/* Never longer than what was shown. */
static void
shorten(struct work *w)
{
	struct issue *i = &w->i;

	if (w->shown->expires >= i->token.expires)
		return;
	i->token.expires = w->shown->expires;
	i->token.text = db_dated_create(w->rq->a, i->token.expires);
	i->access_token = i->token.text;
}

/* The scope that the shown token has where it is for: a grant's other words are not its own. */
static const char *
scope_shown(struct work *w)
{
	const struct party *at = party_of_resource(&w->rq->snap->parties, w->shown->audience);

	return at == NULL ? ""
			  : oidc_scope_text(w->rq->a, oidc_scope_of(w->rq->a, w->shown->scope,
								    at->oidc->resource_scopes));
}

static bool
judge(struct work *w, struct err *err)
{
	struct request *rq = w->rq;
	struct oidc_strs dropped;
	const char *uri;

	if (!find_shown(w, err) || !check_bound(w, err) || !check_actor(w, err) ||
	    !find_act(w, err) || !find_target(w, &uri, err) || !issue_for(rq, uri, &w->i, err) ||
	    !oidc_scope_narrow(rq->a, w->x.scopes, scope_shown(w), &w->scopes, &dropped, err) ||
	    (w->shown->acting != NULL && w->shown->extra.n > 0 &&
	     !issue_check_level(rq, &w->i, w->shown->extra, err)))
		return false;
	if (text_eq(w->x.wanted, OIDC_TYPE_JWT) && !w->i.token.is_jti)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST,
			    "requested_token_type: the resource takes no signed tokens");
	shorten(w);
	return true;
}

static bool
store(struct work *w, const char *scope, struct err *err)
{
	struct request *rq = w->rq;
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct db_audit audit = {
		.event = AUDIT_TOKEN_EXCHANGED,
		.ref = rq->ref,
		.subject = w->shown->acting,
		.party = w->i.p->id,
		.details = audit_details(rq->a, "from", w->shown->party, "resource",
					 w->i.token.audience, "as",
					 text_eq(w->act, w->shown->act) ? "itself" : "actor", NULL),
	};
	struct db_exchange x = {
		.token = &w->i.token, .party = w->i.p->id, .scope = scope, .act = w->act};
	bool stored;

	x.shown = issue_token_name(rq, w->x.subject_token, &x.shown_is_jti);
	return db_token_exchange(&c, &x, &audit, rq->now, &stored, err) &&
	       (stored || REFUSE(err, "a subject token that ended meanwhile"));
}

bool
grant_exchange_give(struct request *rq, const struct party *p,
		    const struct oidc_client_proof *proof, struct oidc_token_response *out,
		    struct err *err)
{
	struct work w = {.rq = rq};

	if (!oidc_exchange_parse(rq->a, &rq->form, &w.x, err) ||
	    !issue_begin(rq, p, proof, &w.i, err) || !judge(&w, err))
		return false;
	const char *scope = oidc_scope_text(rq->a, w.scopes);
	struct issue_grant of = {.acting = w.shown->acting,
				 .scope = scope,
				 .extra = w.shown->extra,
				 .origin = w.shown->origin,
				 .act = w.act};

	if (!store(&w, scope, err) || !issue_access_token(rq, &w.i, &of, err))
		return false;
	*out = (struct oidc_token_response){
		.access_token = w.i.access_token,
		.issued_type = w.x.wanted,
		.expires_in_s = w.i.token.expires - rq->now,
		.scope = issue_scope(rq, &w.i, scope),
		.dpop = binding_is_dpop(w.i.token.cnf),
	};
	return true;
}
