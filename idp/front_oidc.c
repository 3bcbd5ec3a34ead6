/* Authorization requests as asks, outcomes as codes; see front_oidc.h. */
#include "idp/front_oidc.h"

#include <string.h>

#include "base/enc.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/text.h"
#include "db/dated.h"
#include "idp/access.h"
#include "idp/acr.h"
#include "idp/audit.h"
#include "idp/binding.h"
#include "idp/claim_made.h"
#include "idp/config.h"
#include "idp/evidence.h"
#include "idp/flow.h"
#include "idp/home.h"
#include "idp/jose.h"
#include "idp/login.h"
#include "idp/login_scope.h"
#include "idp/oidc_carry.h"
#include "idp/saml_peer.h"
#include "oidc/details.h"
#include "oidc/id_token.h"
#include "oidc/token.h"
#include "oidc/verified.h"

/* ---- asking ---- */

static struct acr_words
words_of(struct oidc_strs acr)
{
	return (struct acr_words){acr.s, acr.n};
}

static bool
levels_wanted(const struct party *p, const struct oidc_authorize *r, level_set *out,
	      struct err *err)
{
	level_set set = acr_levels(&p->policy, words_of(r->acr));
	enum level most = level_min(login_reachable(), p->policy.level_cap);

	if (r->acr_essential && set == 0)
		return FAIL(err, ERR_DENIED, OIDC_UNMET_REQUIREMENTS, "no acr value we know");
	/* An essential one is answered by one of its values (Core 5.5.1.1); a wish that is not
	 * never stops a login (Core 3.1.2.1). */
	enum level least = set == 0 ? LEVEL_NONE : level_min(level_set_least(set), most);

	*out = (r->acr_essential ? set : level_set_range(least, LEVEL_HIGH)) &
	       level_set_range(login_scope_least(r->scopes), LEVEL_HIGH);
	/* second line: no login reaches the highest level, which a set of none would lead to */
	if (*out == 0 || !login_scope_is_for_persons(r->scopes))
		return FAIL(err, ERR_DENIED, OIDC_UNMET_REQUIREMENTS,
			    "scopes of the login that none meets");
	return true;
}

const char *
front_oidc_lang(struct oidc_strs locales)
{
	const char *code = NULL;

	for (size_t i = 0; i < locales.n && code == NULL; i++)
		code = lang_code_of_tag(locales.s[i]);
	return code;
}

static struct wanted_list
wanted_of(struct arena *a, const struct oidc_claims *claims)
{
	size_t held, n, used = 0;

	claim_rows(a, &held, &n);
	struct wanted *w = ARENA_ARRAY(a, struct wanted, held + 1);

	/* An essential claim that is not given is no error (Core 5.5.1): only the party's record
	 * makes one required. */
	for (size_t i = 0; i < held; i++)
		if (claim_wants(claims, &attributes[i]))
			w[used++] = (struct wanted){&attributes[i], false, false};
	return (struct wanted_list){w, used};
}

static void
put_values(struct arena *a, json_t *row, const char *name, const json_t *values)
{
	if (values != NULL)
		json_put(a, row, name, (json_t *)(uintptr_t)values);
}

/* Where each claim was asked for, kept for the tokens. */
static json_t *
claims_write(struct arena *a, const struct oidc_claims *claims)
{
	json_t *list = json_new_array(a);

	for (size_t i = 0; i < claims->n; i++) {
		json_t *row = json_new_object(a);

		json_put_str(a, row, "name", claims->p[i].name);
		json_put_bool(a, row, "id_token", claims->p[i].in_id_token);
		json_put_bool(a, row, "userinfo", claims->p[i].in_userinfo);
		put_values(a, row, "id_token_values", claims->p[i].id_token_values);
		put_values(a, row, "userinfo_values", claims->p[i].userinfo_values);
		json_push(a, list, row);
	}
	return list;
}

static json_t *
strs_write(struct arena *a, struct oidc_strs strs)
{
	json_t *list = json_new_array(a);

	for (size_t i = 0; i < strs.n; i++)
		json_push_str(a, list, strs.s[i]);
	return list;
}

/* Those that are asked for, and those that details are for (RFC 9396 3.2). */
static struct oidc_strs
resources_of(struct arena *a, struct oidc_strs resources, const json_t *details)
{
	const char **s = ARENA_ARRAY(
		a, const char *, resources.n + (size_t)OIDC_DETAILS_MAX * OIDC_DETAIL_ITEMS_MAX);
	size_t n = 0;

	for (; n < resources.n; n++)
		s[n] = resources.s[n];
	for (size_t i = 0; i < json_array_size(details); i++) {
		const json_t *list = json_object_get(json_array_get(details, i), "locations");

		for (size_t k = 0; k < json_array_size(list); k++) {
			const char *uri = json_string_value(json_array_get(list, k));

			if (!oidc_strs_have((struct oidc_strs){s, n}, uri))
				s[n++] = uri;
		}
	}
	return (struct oidc_strs){s, n};
}

/*
 * Core 11: offline access is for who can use it and may (the consent says so); else the word is
 * passed over.  Likewise a kind of account that the person's is not.
 */
static struct oidc_strs
scopes_of(struct arena *a, const struct party *p, const struct oidc_authorize *r, bool *offline)
{
	const char **s = ARENA_ARRAY(a, const char *, r->scopes.n + 1);
	bool may = oidc_strs_have(p->oidc->grant_types, OIDC_GRANT_REFRESH);
	size_t n = 0;

	*offline = may && oidc_strs_have(r->scopes, OIDC_OFFLINE_ACCESS);
	for (size_t i = 0; i < r->scopes.n; i++)
		if ((may || strcmp(r->scopes.s[i], OIDC_OFFLINE_ACCESS) != 0) &&
		    !login_scope_is_of_others(r->scopes.s[i]))
			s[n++] = r->scopes.s[i];
	return (struct oidc_strs){s, n};
}

/* A hint: whom it does not help chooses. */
static void
choose_home(const struct request *rq, const char *hint, struct ask *ask)
{
	const struct upstream *u;
	struct err why = {0};

	if (hint != NULL && home_upstream_find(rq, hint, &u, &why) && home_fits(rq, ask, u))
		ask->home = u->id;
}

bool
front_oidc_ask(struct request *rq, const struct party *p, const struct oidc_start *start,
	       const struct oidc_authorize *r, struct ask *out, struct err *err)
{
	static const struct oidc_claims none = {0};
	size_t held, n;
	const struct oidc_scope_claim *rows = claim_rows(rq->a, &held, &n);
	struct ask ask = {
		.front = &front_oidc,
		.party = p,
		.names_attributes = true,
		/* max_age=0 is prompt=login (Core 3.1.2.1). */
		.force = (r->prompt & (OIDC_PROMPT_LOGIN | OIDC_PROMPT_SELECT_ACCOUNT |
				       OIDC_PROMPT_CREATE)) != 0 ||
			 r->max_age_s == 0,
		.create = (r->prompt & OIDC_PROMPT_CREATE) != 0,
		.passive = (r->prompt & OIDC_PROMPT_NONE) != 0,
		.consent_anew = (r->prompt & OIDC_PROMPT_CONSENT) != 0,
		.max_age_s = r->max_age_s,
		.lang = front_oidc_lang(r->ui_locales),
		.state = json_new_object(rq->a),
	};

	struct oidc_strs scopes = scopes_of(rq->a, p, r, &ask.offline);
	/* A token for a service alone tells its client nothing of the person. */
	bool openid = oidc_strs_have(scopes, "openid");
	struct oidc_claims claims = openid ? r->claims : none;
	struct oidc_strs resources = r->resources;

	/* Without any named, all of the client's are looked at. */
	if (resources.n > 0)
		resources = resources_of(rq->a, resources, r->details);

	if (!levels_wanted(p, r, &ask.levels, err) ||
	    !access_ask(rq, p, resources, scopes, &ask.access, err) ||
	    !login_hint_seal(rq, r->login_hint, &ask.login_hint, err))
		return false;
	access_add_details(rq, r->details, &ask.access, &ask.consent_anew);
	if (openid)
		oidc_claims_add_scopes(rq->a, rows, n, scopes, &claims);
	ask.wanted = wanted_of(rq->a, &claims);
	ask.person = r->claims.sub; /* Core 5.5.1 */
	json_put_str(rq->a, ask.state, "redirect_uri", start->redirect_uri);
	json_put_str(rq->a, ask.state, "state", start->state);
	json_put_str(rq->a, ask.state, "type", start->type);
	json_put_str(rq->a, ask.state, "mode", start->mode);
	json_put_str(rq->a, ask.state, "nonce", r->nonce);
	json_put_str(rq->a, ask.state, "challenge", r->challenge);
	json_put_str(rq->a, ask.state, "scope", oidc_scope_text(rq->a, scopes));
	if (resources.n > 0)
		json_put_str(rq->a, ask.state, "resources", oidc_scope_text(rq->a, resources));
	if (r->dpop_jkt != NULL)
		json_put_str(rq->a, ask.state, "cnf", binding_of_jkt(rq->a, r->dpop_jkt));
	json_put(rq->a, ask.state, "acr", strs_write(rq->a, r->acr));
	json_put(rq->a, ask.state, "claims", claims_write(rq->a, &claims));
	if (claims.verified_id_token != NULL)
		json_put(rq->a, ask.state, "verified_id_token",
			 (json_t *)(uintptr_t)claims.verified_id_token);
	if (claims.verified_userinfo != NULL)
		json_put(rq->a, ask.state, "verified_userinfo",
			 (json_t *)(uintptr_t)claims.verified_userinfo);
	choose_home(rq, r->idp_hint, &ask);
	*out = ask;
	return true;
}

/* ---- answering ---- */

struct state {
	const char *redirect_uri, *state, *type, *mode, *nonce, *challenge, *scope;
	const char *resources, *cnf;
	struct oidc_claims claims;
};

static bool
claims_read(struct arena *a, const json_t *s, struct oidc_claims *out, struct err *err)
{
	const json_t *list = NULL;

	if (!json_get_array(s, "claims", &list, err))
		return false;
	size_t n = json_array_size(list);
	struct oidc_claim *c = ARENA_ARRAY(a, struct oidc_claim, n + 1);

	for (size_t i = 0; i < n; i++) {
		const json_t *row = json_array_get(list, i);

		c[i].name = "";
		if (!json_get_str(row, "name", &c[i].name, err) ||
		    !json_get_bool(row, "id_token", &c[i].in_id_token, err) ||
		    !json_get_bool(row, "userinfo", &c[i].in_userinfo, err) ||
		    !json_get_array(row, "id_token_values", &c[i].id_token_values, err) ||
		    !json_get_array(row, "userinfo_values", &c[i].userinfo_values, err))
			return false;
	}
	*out = (struct oidc_claims){.p = c, .n = n};
	return true;
}

static bool
state_read(struct arena *a, const struct ask *ask, struct state *out, struct err *err)
{
	const json_t *s = ask->state;

	*out = (struct state){0};
	if (!json_get_str(s, "redirect_uri", &out->redirect_uri, err) ||
	    !json_get_str(s, "state", &out->state, err) ||
	    !json_get_str(s, "type", &out->type, err) ||
	    !json_get_str(s, "mode", &out->mode, err) ||
	    !json_get_str(s, "nonce", &out->nonce, err) ||
	    !json_get_str(s, "challenge", &out->challenge, err) ||
	    !json_get_str(s, "scope", &out->scope, err) ||
	    !json_get_str(s, "resources", &out->resources, err) ||
	    !json_get_str(s, "cnf", &out->cnf, err) || !claims_read(a, s, &out->claims, err))
		return false;
	/* Without a redirect URI there is no way back (way_back). */
	if (out->scope == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "a stored OIDC ask without scope");
	return true;
}

/* The way back, proven again: the client may have changed its URIs since. */
static bool
way_back(struct flow *f, const struct state *s, const struct oidc_return **out, struct err *err)
{
	return oidc_return_prove(f->rq->a, f->ask.party->oidc, s->redirect_uri, s->state,
				 oidc_way_of(s->type, s->mode), out, err);
}

/* What was shown to an office, and how: looked up for who asks for it alone. */
struct proofings {
	const struct db_proofing *p;
	size_t n;
};

static const json_t *
verified_request(const struct flow *f, enum oidc_place place)
{
	return json_object_get(f->ask.state, place == OIDC_IN_ID_TOKEN ? "verified_id_token"
								       : "verified_userinfo");
}

static bool
load_proofings(struct flow *f, struct proofings *out, struct err *err)
{
	struct db_call c = {f->rq->app->db, f->rq->a, f->rq->deadline_us};

	*out = (struct proofings){0};
	if (!oidc_verified_wants_evidence(verified_request(f, OIDC_IN_ID_TOKEN)) &&
	    !oidc_verified_wants_evidence(verified_request(f, OIDC_IN_USERINFO)))
		return true;
	return db_proofing_list(&c, f->subject->id, &out->p, &out->n, err);
}

static json_t *
released_claims(struct flow *f, const struct state *s, const struct proofings *proofings,
		enum oidc_place place)
{
	struct arena *a = f->rq->a;
	const struct policy *policy = &f->ask.party->policy;
	size_t n = f->granted.n;
	struct oidc_claim_value *values =
		ARENA_ARRAY(a, struct oidc_claim_value, n + CLAIM_MADE_MAX);
	json_t *into = json_new_object(a);

	for (size_t i = 0; i < f->granted.n; i++) {
		const struct released *r = &f->granted.p[i];

		values[i] = (struct oidc_claim_value){
			.claim = r->at->claim,
			.text = r->verified_empty ? NULL : r->value,
			.form = r->at->shape == ATTRIBUTE_NATION ? OIDC_CLAIM_LIST
								 : OIDC_CLAIM_TEXT,
			.level = policy->level_attributes ? level_word(r->level, policy->vocabulary)
							  : NULL,
			.assurance = level_word(r->level, LEVEL_VOCAB_SHORT),
			.verified_at = r->level > LEVEL_BASIC ? r->verified_at : 0,
			.evidence = evidence_of(a, proofings->p, proofings->n, r->proofing),
		};
	}
	claim_make(a, &f->granted, policy, values, &n);
	oidc_claims_put(a, values, n, &s->claims, place, into);
	oidc_verified_put(a, verified_request(f, place), values, f->granted.n, f->rq->now, into);
	return into;
}

/* Claims are kept sealed: neither row nor backup shows them, and none of a deleted account's. */
static const char *
seal_label(struct arena *a, const unsigned char grant[16])
{
	return arena_printf(a, "grant:%s", enc_hex(a, (struct bytes){grant, 16}));
}

bool
front_oidc_seal(struct request *rq, const struct account_lock *of, const unsigned char grant[16],
		const struct oidc_released *r, struct bytes *sealed, struct err *err)
{
	struct arena *a = rq->a;
	json_t *o = json_new_object(a);

	json_put_str(a, o, "sub", r->sub);
	json_put(a, o, "id_token", (json_t *)(uintptr_t)r->id_token);
	json_put(a, o, "userinfo", (json_t *)(uintptr_t)r->userinfo);
	if (r->details != NULL)
		json_put(a, o, "details", r->details);
	return account_value_seal(rq, of, seal_label(a, grant), bytes_of(json_text(a, o, false)),
				  sealed, err);
}

bool
front_oidc_narrow(struct request *rq, const struct party *p, const struct account_lock *of,
		  const unsigned char grant[16], struct oidc_strs scopes,
		  struct oidc_released *released, struct bytes *sealed, struct err *err)
{
	struct arena *a = rq->a;
	struct oidc_strs gone = claim_unregistered(a, p->policy.attributes);
	const json_t **const places[] = {&released->id_token, &released->userinfo};
	bool less = scopes.n > 0;
	size_t held, n;
	const struct oidc_scope_claim *rows = claim_rows(a, &held, &n);

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const json_t *was = *places[i];

		*places[i] = oidc_claims_leave_out(a, oidc_claims_without(a, was, rows, n, scopes),
						   gone);
		less = less || !json_equal(was, *places[i]);
	}
	return !less || front_oidc_seal(rq, of, grant, released, sealed, err);
}

bool
front_oidc_open(struct request *rq, const struct account_lock *of, const unsigned char grant[16],
		struct bytes sealed, struct oidc_released *out, struct err *err)
{
	const json_t *details = NULL;
	struct bytes plain;
	json_t *o;

	*out = (struct oidc_released){0};
	if (!account_value_open(rq, of, seal_label(rq->a, grant), sealed, &plain, err) ||
	    !json_parse_object(rq->a, plain, 65536, &o, err) ||
	    !json_get_str(o, "sub", &out->sub, err) ||
	    !json_get_object(o, "id_token", &out->id_token, err) ||
	    !json_get_object(o, "userinfo", &out->userinfo, err) ||
	    !json_get_array(o, "details", &details, err))
		return false;
	out->details = json_object_get(o, "details");
	if (out->sub == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "a stored grant without sub");
	return true;
}

static const char *
word_for(struct arena *a, const struct ask *ask, enum level told)
{
	const char **words;
	size_t n;

	if (!json_get_strs(a, ask->state, "acr", OIDC_ACR_MAX, &words, &n, NULL))
		return NULL;
	return acr_told(&ask->party->policy, (struct acr_words){words, n}, told);
}

/* What ID tokens say of the login. */
static struct oidc_id_token
id_token_of(struct flow *f, const char *sub, const char *sid)
{
	struct arena *a = f->rq->a;
	size_t n;
	const char **amr = login_amr(f, &n);

	return (struct oidc_id_token){
		.issuer = f->rq->app->config->base_url,
		.sub = sub,
		.client_id = f->ask.party->oidc->client_id,
		.sid = sid,
		.acr = word_for(a, &f->ask, flow_told_level(f)),
		.amr = {amr, n},
		.auth_time = session_proved_at(f->session, flow_told_level(f)),
		.lifetime_s = TOKEN_LIVES_S,
	};
}

/* Kept with the code. */
static struct bytes
login_facts(struct arena *a, const struct oidc_id_token *t, bool details)
{
	json_t *o = json_new_object(a);

	json_put_str(a, o, "acr", t->acr);
	json_put(a, o, "amr", strs_write(a, t->amr));
	json_put_i64(a, o, "auth_time", (int64_t)t->auth_time);
	json_put_str(a, o, "sid", t->sid);
	if (details) /* there are some among what is sealed */
		json_put_bool(a, o, "detailed", true);
	return bytes_of(json_text(a, o, false));
}

/*
 * The one that goes by the browser with the code (Core 3.3.2.11): it proves that code and state
 * belong to this login, and tells nothing of the person but its name at this client.
 */
static bool
sign_front(struct flow *f, const struct oidc_id_token *login, const struct state *s,
	   const char *code, const char **out, struct err *err)
{
	struct request *rq = f->rq;
	const struct oidc_client *client = f->ask.party->oidc;
	struct oidc_id_token t = *login;
	const char *signed_token;
	struct jose_maker m;

	*out = NULL;
	if (oidc_type_of(s->type) != OIDC_TYPE_CODE_ID_TOKEN)
		return true;
	t.nonce = s->nonce;
	t.code = code;
	t.state = s->state;
	return jose_maker_for(rq, f->ask.party, client->id_token_alg, &client->id_token_encryption,
			      &m, err) &&
	       oidc_id_token_build(rq->a, &m.ops, m.kid, m.alg, &t, rq->now, &signed_token, err) &&
	       jose_encrypt(rq->a, &m, signed_token, out, err);
}

/*
 * One name for a session at a client as long as it lives, and one that no two clients share: the
 * sid of ID and logout tokens (Back-Channel Logout 1.0, 2.1).
 */
static const char *
sid_for(struct arena *a, const char *session, const char *party)
{
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of(arena_printf(a, "oidc sid %s %s", session, party)), digest);
	return enc_base64url(a, (struct bytes){digest, sizeof(digest) / 2});
}

bool
front_oidc_make(struct flow *f, time_t expires, struct front_oidc_made *out, struct err *err)
{
	struct request *rq = f->rq;
	/* No session is opened across accounts, so that none has a name. */
	const char *sub,
		*sid = f->home != NULL ? NULL : sid_for(rq->a, f->session->sid, f->ask.party->id);
	struct oidc_id_token login;
	struct state s;

	if (!state_read(rq->a, &f->ask, &s, err) ||
	    !home_pseudonym(f, f->ask.party->sector, f->holding.pseudonym, &sub, err))
		return false;
	login = id_token_of(f, sub, sid);
	out->grant = (struct db_grant){
		.party = f->ask.party->id,
		.foreign = f->home != NULL,
		.acting = f->session->acting,
		.represented = f->session->represented,
		.sid = f->session->sid,
		.scope = s.scope,
		.redirect_uri = s.redirect_uri,
		.challenge = s.challenge,
		.nonce = s.nonce,
		.extra = login_facts(rq->a, &login, access_details(rq->a, f->ask.access) != NULL),
		.resources = s.resources,
		.cnf = s.cnf,
		.offline = f->ask.offline,
		.consent = f->consent,
		.created = rq->now,
		.expires = expires,
	};
	rand_bytes(out->grant.id, sizeof(out->grant.id));
	out->participant = (struct db_participant){
		.party = f->ask.party->id,
		.dialect = "oidc",
		.name_id = sub,
		.session_index = sid,
		.at = rq->now,
	};
	struct proofings proofings;

	if (!load_proofings(f, &proofings, err))
		return false;
	struct oidc_released released = {sub, released_claims(f, &s, &proofings, OIDC_IN_ID_TOKEN),
					 released_claims(f, &s, &proofings, OIDC_IN_USERINFO),
					 access_details(rq->a, f->ask.access)};

	const struct account_lock of = {f->subject->id, f->subject->account_key};

	return front_oidc_seal(rq, f->home != NULL ? NULL : &of, out->grant.id, &released,
			       &out->grant.sealed, err);
}

struct db_audit
front_oidc_audit(const struct flow *f)
{
	return (struct db_audit){
		.event = AUDIT_ASSERTION,
		.ref = f->rq->ref,
		.subject = home_subject(f),
		.party = f->ask.party->id,
		.details =
			audit_details(f->rq->a, "dialect", "oidc", "level",
				      level_word(flow_told_level(f), LEVEL_VOCAB_SHORT), "upstream",
				      f->home == NULL ? NULL : f->home->from->id, NULL),
	};
}

/* What build made and record stores. */
struct built {
	const char *code;
	struct front_oidc_made made;
};

static bool
build(struct flow *f, struct response *rs, struct err *err)
{
	struct request *rq = f->rq;
	struct built *b = ARENA_NEW(rq->a, struct built);
	const struct oidc_return *to;
	struct oidc_answer told = {0};
	struct oidc_id_token login;
	struct state s;

	if (!state_read(rq->a, &f->ask, &s, err) || !way_back(f, &s, &to, err))
		return false;
	told.code = b->code = db_dated_create(rq->a, rq->now + CODE_LIVES_S);
	if (!front_oidc_make(f, rq->now + CODE_LIVES_S, &b->made, err))
		return false;
	login = id_token_of(f, b->made.participant.name_id, b->made.participant.session_index);
	f->built = b;
	return sign_front(f, &login, &s, b->code, &told.id_token, err) &&
	       oidc_carry(rq, f->ask.party, to, &told, rs, err);
}

static bool
record(struct flow *f, struct err *err)
{
	struct request *rq = f->rq;
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct built *b = f->built;
	const struct front_oidc_made *made = &b->made;
	struct db_audit audit = front_oidc_audit(f);
	bool stands, first = true;

	if (f->home != NULL)
		return db_grant_create_foreign(&c, b->code, &made->grant, &audit, rq->now, err);
	if (!(f->mark == NULL
		      ? db_grant_create(&c, b->code, &made->grant, &made->participant, &audit,
					rq->now, &stands, err)
		      : db_grant_create_once(&c, b->code, &made->grant, &made->participant, f->mark,
					     &audit, rq->now, &first, &stands, err)))
		return false;
	f->replayed = !first;
	f->withdrawn = first && !stands;
	return true;
}

bool
front_oidc_refuse(struct request *rq, const struct party *p, const struct oidc_return *to,
		  const struct err *why, struct response *rs, struct err *err)
{
	const struct oidc_answer told = {.error = oidc_error_of(why)};

	return oidc_carry(rq, p, to, &told, rs, err);
}

static const char *
error_of_state(enum flow_state why)
{
	switch (why) {
	case FLOW_UNREACHABLE:
		return OIDC_UNMET_REQUIREMENTS;
	case FLOW_PASSIVE_LOGIN:
	case FLOW_OTHER_PERSON:
		return OIDC_LOGIN_REQUIRED;
	case FLOW_PASSIVE_CONSENT:
		return OIDC_CONSENT_REQUIRED;
	default: /* said no, or lacks what the portal must have */
		return OIDC_ACCESS_DENIED;
	}
}

static bool
refuse(struct flow *f, enum flow_state why, struct response *rs, struct err *err)
{
	struct err error = {.kind = ERR_DENIED, .proto = error_of_state(why)};
	const struct oidc_return *to;
	struct state s;

	return state_read(f->rq->a, &f->ask, &s, err) && way_back(f, &s, &to, err) &&
	       front_oidc_refuse(f->rq, f->ask.party, to, &error, rs, err);
}

static const char *
origins(struct arena *a, const struct ask *ask)
{
	const char *uri = NULL;

	/* second line: what is no text leaves it NULL */
	if (!json_get_str(ask->state, "redirect_uri", &uri, NULL) || uri == NULL)
		return NULL;
	return url_origin(a, uri);
}

const struct front front_oidc = {"oidc", false, build, record, refuse, word_for, origins};
