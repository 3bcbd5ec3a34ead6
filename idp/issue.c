/* Issuing tokens; see issue.h. */
#include "idp/issue.h"

#include "base/text.h"
#include "db/dated.h"
#include "idp/account.h"
#include "idp/acr.h"
#include "idp/app.h"
#include "idp/binding.h"
#include "idp/config.h"
#include "idp/publish.h"
#include "oidc/details.h"
#include "oidc/error.h"
#include "oidc/id_token.h"

#define EXTRA_MAX_BYTES ((size_t)16 * 1024)

/* What the login left with the grant. */
struct facts {
	const char *acr, *sid;
	struct oidc_strs amr;
	int64_t auth_time;
	bool detailed;         /* what is sealed has authorization details */
	const json_t *details; /* of a client's own token */
};

static bool
facts_read(struct arena *a, struct bytes extra, struct facts *out, struct err *err)
{
	const char **amr = NULL;
	json_t *o;

	*out = (struct facts){0};
	if (!json_parse_object(a, extra, EXTRA_MAX_BYTES, &o, err) ||
	    !json_get_str(o, "acr", &out->acr, err) || !json_get_str(o, "sid", &out->sid, err) ||
	    !json_get_strs(a, o, "amr", 16, &amr, &out->amr.n, err) ||
	    !json_get_i64(o, "auth_time", &out->auth_time, err) ||
	    !json_get_bool(o, "detailed", &out->detailed, err) ||
	    !json_get_array(o, "details", &out->details, err))
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
	out->access_token = out->token.text;
	return oidc_details_parse(rq->a, &rq->form, &rq->snap->details, p->oidc, &out->asked,
				  err) &&
	       binding_demand(rq, p->oidc, &out->token.cnf, err);
}

bool
issue_check_cnf(const struct issue *i, const char *wanted, struct err *err)
{
	return wanted == NULL || text_eq(wanted, i->token.cnf) ||
	       FAIL(err, ERR_DENIED, OIDC_INVALID_GRANT, "a grant for another key");
}

bool
issue_check_level(struct request *rq, const struct issue *i, struct bytes extra, struct err *err)
{
	const struct policy *policy = &i->p->policy;
	struct facts facts;

	if (!facts_read(rq->a, extra, &facts, err))
		return false;
	level_set told = acr_levels(policy, (struct acr_words){&facts.acr, facts.acr != NULL});

	return level_set_best(told, policy->level_cap) != LEVEL_NONE ||
	       FAIL(err, ERR_DENIED, OIDC_INVALID_GRANT, "a login of more than its record allows");
}

bool
issue_with_id_token(struct request *rq, struct issue *i, struct err *err)
{
	const struct oidc_client *c = i->p->oidc;

	return jose_maker_for(rq, i->p, c->id_token_alg, &c->id_token_encryption, &i->maker, err);
}

/* A resource server says with its id_token_signed_response_alg what it verifies. */
static bool
token_maker(struct request *rq, struct issue *i, struct err *err)
{
	static const struct oidc_encryption none = {0};
	const struct oidc_client *c = i->resource->oidc;

	i->token.is_jti = c->access_token_format == OIDC_TOKEN_JWT;
	return !i->token.is_jti ||
	       jose_maker_find(rq->app, rq->snap, c, c->id_token_alg, &none, &i->token_maker, err);
}

bool
issue_for_resource(struct request *rq, const char *fallback, struct issue *i, struct err *err)
{
	const char *uri;

	if (!oidc_resource_parse(&rq->form, &uri, err))
		return false;
	if (uri == NULL)
		uri = fallback;
	if (uri == NULL)
		return true;
	/* What is unknown and what is not for this client look the same to it. */
	if (!oidc_strs_have(i->p->oidc->resources, uri))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_TARGET, "no resource for this client");
	return issue_for(rq, uri, i, err);
}

bool
issue_for(struct request *rq, const char *uri, struct issue *i, struct err *err)
{
	i->resource = party_of_resource(&rq->snap->parties, uri);
	if (i->resource == NULL)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_TARGET, "no such resource");
	i->token.audience = uri;
	return token_maker(rq, i, err);
}

const char *
issue_token_name(struct request *rq, const char *text, bool *is_jti)
{
	const char *issuer = rq->app->config->base_url;
	struct oidc_jwks ours;

	*is_jti = oidc_access_token_is_jwt(text);
	if (!*is_jti)
		return text;
	publish_jwks(rq->a, rq->snap->keyring, &ours);
	/* What is no token of ours is nobody's failure. */
	return oidc_access_token_jti(rq->a, text, &ours, issuer, &text, NULL) ? text : NULL;
}

bool
issue_find_token(struct request *rq, const char *text, const struct db_token **out, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct parties *parties = &rq->snap->parties;
	bool is_jti;

	*out = NULL;
	text = issue_token_name(rq, text, &is_jti);
	if (text == NULL)
		return true;
	if (!db_token_find(&c, text, is_jti, rq->now, out, err))
		return false;
	if (*out != NULL && (party_find(parties, (*out)->party) == NULL ||
			     party_find(parties, (*out)->origin) == NULL))
		*out = NULL;
	return true;
}

bool
issue_check_resource(struct request *rq, const struct issue *i, const char *granted,
		     struct err *err)
{
	const char **words;
	size_t n;

	if (granted == NULL || i->token.audience == NULL)
		return true;
	if (!text_words(rq->a, granted, OIDC_SCOPES_MAX, &words, &n, err))
		return false;
	return oidc_strs_have((struct oidc_strs){words, n}, i->token.audience) ||
	       FAIL(err, ERR_INPUT, OIDC_INVALID_TARGET, "a resource that was not granted");
}

const char *
issue_scope(struct request *rq, const struct issue *i, const char *scope)
{
	return i->resource == NULL
		       ? scope
		       : oidc_scope_text(rq->a, oidc_scope_of(rq->a, scope,
							      i->resource->oidc->resource_scopes));
}

static json_t *
for_token(struct request *rq, const char *resource, json_t *details)
{
	return resource == NULL ? details : oidc_details_for(rq->a, details, resource);
}

bool
issue_details(struct request *rq, struct issue *i, const json_t *granted, json_t **kept,
	      struct err *err)
{
	json_t *today = oidc_details_still(rq->a, granted, &rq->snap->details, i->p->oidc);

	if (!oidc_details_narrow(today, i->asked, err))
		return false;
	*kept = i->asked != NULL ? i->asked : today;
	i->details = for_token(rq, i->token.audience, *kept);
	return true;
}

bool
issue_details_told(struct request *rq, const struct db_token *t, json_t **out, struct err *err)
{
	struct oidc_released released;
	struct facts facts = {0};

	*out = NULL;
	if (t->extra.n > 0 && !facts_read(rq->a, t->extra, &facts, err))
		return false;
	if (facts.details != NULL)
		*out = for_token(rq, t->audience, (json_t *)(uintptr_t)facts.details);
	/* An exchanged token has none of what was released. */
	if (!facts.detailed || t->acting == NULL || t->sealed.n == 0)
		return true;
	const struct account_lock of = {*t->acting, t->account_key};

	if (!front_oidc_open(rq, &of, t->grant, t->sealed, &released, err))
		return false;
	*out = for_token(rq, t->audience, released.details);
	return true;
}

/* A resource server knows a person by the pseudonym of its own sector. */
static bool
sub_of(struct request *rq, const struct party *resource, const struct subject_id *acting,
       const char *client_id, const char **out, struct err *err)
{
	struct account_work w = account_work_of(rq);
	const struct db_subject *subject;

	*out = client_id; /* RFC 9068 2.2: of its own token */
	if (acting == NULL)
		return true;
	if (!db_account_load(&w.db, *acting, &subject, err))
		return false;
	/* second line: the token was given, or found, for an active account */
	if (subject == NULL)
		return FAIL(err, ERR_DENIED, OIDC_INVALID_GRANT, "no such account");
	return account_pseudonym(&w, subject, resource->sector, NULL, out, err);
}

bool
issue_describe(struct request *rq, const struct party *resource, const struct db_token *t,
	       struct oidc_access_token *out, struct err *err)
{
	const struct oidc_strs scopes = resource->oidc->resource_scopes;
	struct facts facts = {0};

	*out = (struct oidc_access_token){
		.issuer = rq->app->config->base_url,
		.audience = t->audience,
		.client_id = t->party,
		.scope = oidc_scope_text(rq->a, oidc_scope_of(rq->a, t->scope, scopes)),
		.cnf = t->cnf,
		.act = t->act,
		.issued = t->created,
		.expires = t->expires,
	};
	if ((t->extra.n > 0 && !facts_read(rq->a, t->extra, &facts, err)) ||
	    !sub_of(rq, resource, t->acting, t->origin, &out->sub, err))
		return false;
	out->acr = facts.acr;
	out->auth_time = (time_t)facts.auth_time;
	return true;
}

bool
issue_access_token(struct request *rq, struct issue *i, const struct issue_grant *g,
		   struct err *err)
{
	const struct jose_maker *m = &i->token_maker;
	const struct db_token stored = {
		.party = i->p->id,
		.origin = g->origin != NULL ? g->origin : i->p->id,
		.acting = g->acting,
		.scope = g->scope,
		.extra = g->extra,
		.audience = i->token.audience,
		.cnf = i->token.cnf,
		.act = g->act,
		.created = rq->now,
		.expires = i->token.expires,
	};
	struct oidc_access_token t;

	if (!i->token.is_jti)
		return true;
	if (!issue_describe(rq, i->resource, &stored, &t, err))
		return false;
	t.jti = i->token.text;
	t.details = i->details;
	return oidc_access_token_build(rq->a, &m->ops, m->kid, m->alg, &t, &i->access_token, err);
}

const char *
issue_refresh_cnf(const struct issue *i)
{
	return i->p->oidc->auth_method == OIDC_AUTH_PUBLIC ? i->token.cnf : NULL;
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
		.access_token = i->access_token,
		.claims = g->released->id_token,
	};

	return oidc_id_token_build(rq->a, &m->ops, m->kid, m->alg, &t, rq->now, &signed_token,
				   err) &&
	       jose_encrypt(rq->a, m, signed_token, out, err);
}
