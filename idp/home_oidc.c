/*
 * Login at another OpenID Provider, as its relying party (OpenID Connect Core 3.1): code, PKCE,
 * our proof by a key, pushed requests where they are offered, and a callback of its own for each
 * provider (RFC 9700 4.4).  See idp/home.h and docs/decisions/0035.
 */
#include "idp/home_oidc.h"

#include <string.h>
#include <strings.h>

#include "base/enc.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "idp/ask.h"
#include "idp/config.h"
#include "idp/home_part.h"
#include "idp/jose.h"
#include "idp/login_home.h"
#include "idp/upstream_fetch.h"
#include "keys/sign.h"
#include "oidc/client_auth.h"
#include "oidc/redirect.h"
#include "oidc/verified.h"

#define PARAMS_MAX      20
#define BODY_MAX        ((size_t)32 * 1024)
#define STATE_MAX_BYTES 256
#define CODE_MAX_BYTES  4096
#define WORD_MAX_BYTES  64
#define SECRET_BYTES    32

/* ---- what stands behind a request ---- */

static const char *
label_of(struct arena *a, const char *flow_id)
{
	return arena_printf(a, "flow-away:%s", flow_id);
}

static const char *
hashed(struct arena *a, const char *what, const char *secret)
{
	const struct bytes parts[] = {bytes_of(what), bytes_of(secret)};
	unsigned char digest[SHA256_BYTES];

	hash_sha256_parts(parts, ARRAY_LEN(parts), digest);
	return enc_base64url(a, (struct bytes){digest, sizeof(digest)});
}

/* The secret itself is the PKCE verifier; who sees the nonce does not get it by that. */
static const char *
nonce_of(struct arena *a, const char *secret)
{
	return hashed(a, "nonce ", secret);
}

static const char *
challenge_of(struct arena *a, const char *secret)
{
	return hashed(a, "", secret);
}

static bool
secret_open(struct request *rq, const char *flow_id, const struct home_away *away, const char **out,
	    struct err *err)
{
	struct bytes sealed, plain;

	if (away->secret == NULL)
		return FAIL(err, ERR_DENIED, NULL, "it was not asked by OpenID Connect");
	if (!dec_base64url(rq->a, bytes_of(away->secret), &sealed, err) ||
	    !account_value_open(rq, NULL, label_of(rq->a, flow_id), sealed, &plain, err))
		return false;
	*out = arena_strndup(rq->a, (const char *)plain.p, plain.n);
	return true;
}

static const char *
callback_of(const struct request *rq, const struct upstream *from)
{
	return arena_printf(rq->a, "%s" OIDC_CALLBACK_PATH "%s", rq->app->config->base_url,
			    from->id);
}

/* ---- asking ---- */

struct draft {
	struct param p[PARAMS_MAX];
	size_t n;
};

static void
put(struct draft *d, const char *name, const char *value)
{
	if (value != NULL && *value != '\0' && d->n < PARAMS_MAX)
		d->p[d->n++] = (struct param){name, value};
}

static struct bytes
form_of(struct arena *a, const struct draft *d)
{
	struct bytes out = {0};
	struct buf b;

	buf_init(&b, a, BODY_MAX);
	for (size_t i = 0; i < d->n; i++) {
		buf_str(&b, i == 0 ? "" : "&");
		buf_str(&b, d->p[i].name);
		buf_str(&b, "=");
		enc_percent(&b, bytes_of(d->p[i].value));
	}
	return buf_finish(&b, &out, NULL) ? out : (struct bytes){0};
}

/* Words for the levels that will do, the least first. */
static struct oidc_strs
words_for(struct arena *a, const struct upstream *from, enum level wanted)
{
	const struct upstream_policy *p = &from->policy;
	const char **s = ARENA_ARRAY(a, const char *, p->n_level_words + LEVEL_HIGH + 1);
	size_t n = 0;

	for (int l = wanted > LEVEL_NONE ? (int)wanted : LEVEL_BASIC; l <= LEVEL_HIGH; l++) {
		const char *word = level_word((enum level)l, from->kind->vocabulary);

		for (size_t i = 0; i < p->n_level_words; i++)
			if (p->level_words[i].level == (enum level)l)
				s[n++] = p->level_words[i].word;
		if (p->n_level_words == 0 && word != NULL)
			s[n++] = word;
	}
	return (struct oidc_strs){s, n};
}

static const char *
joined(struct arena *a, struct oidc_strs words)
{
	const char *out = "";

	for (size_t i = 0; i < words.n; i++)
		out = arena_printf(a, "%s%s%s", out, i == 0 ? "" : " ", words.s[i]);
	return out;
}

/* By its scopes, where it cannot be asked for single claims. */
static const char *
scope_of(const struct flow *f, const struct upstream *from)
{
	const struct oidc_provider *p = from->oidc->provider;
	const char **s = ARENA_ARRAY(f->rq->a, const char *, ASK_NAMES_MAX + 1);
	size_t n = 0;

	s[n++] = "openid";
	for (const struct attribute *at = attributes; at->name != NULL && !p->takes_claims; at++)
		if (home_takes(f, from, at) && n < ASK_NAMES_MAX &&
		    !oidc_strs_have((struct oidc_strs){s, n}, at->scope) &&
		    (p->scopes.n == 0 || oidc_strs_have(p->scopes, at->scope)))
			s[n++] = at->scope;
	return joined(f->rq->a, (struct oidc_strs){s, n});
}

/* The wish for a claim under its first name: "address", of whatever member. */
static void
put_claim(struct arena *a, json_t *into, const char *claim)
{
	json_put(a, into, arena_strndup(a, claim, strcspn(claim, ".")), json_keep(a, json_null()));
}

static json_t *
verified_wish(struct arena *a, json_t *claims)
{
	json_t *o = json_new_object(a), *v = json_new_object(a), *framework = json_new_object(a);

	json_put_str(a, framework, "value", OIDC_TRUST_FRAMEWORK);
	json_put(a, v, "trust_framework", framework);
	json_put(a, v, "assurance_level", json_keep(a, json_null()));
	json_put(a, o, "verification", v);
	json_put(a, o, "claims", claims);
	return o;
}

/* Core 5.5: no more than the portal may have; NULL: it takes none. */
static const char *
claims_of(const struct flow *f, const struct upstream *from, struct oidc_strs words)
{
	const struct oidc_provider *p = from->oidc->provider;
	struct arena *a = f->rq->a;
	json_t *o = json_new_object(a), *told = json_new_object(a), *values = json_new_array(a);
	json_t *acr = json_new_object(a), *id_token = json_new_object(a);

	if (!p->takes_claims)
		return NULL;
	for (const struct attribute *at = attributes; at->name != NULL; at++)
		if (home_takes(f, from, at))
			put_claim(a, told, at->claim);
	if (p->verified && json_object_size(told) > 0) {
		json_t *claims = json_new_object(a);

		json_put_all(a, claims, told);
		json_put(a, told, OIDC_VERIFIED_CLAIMS, verified_wish(a, claims));
	}
	for (size_t i = 0; i < words.n; i++)
		json_push_str(a, values, words.s[i]);
	json_put_bool(a, acr, "essential", true);
	json_put(a, acr, "values", values);
	json_put(a, id_token, "acr", acr);
	if (p->userinfo_endpoint != NULL)
		json_put(a, o, "userinfo", told);
	else
		json_put_all(a, id_token, told);
	json_put(a, o, "id_token", id_token);
	return json_text(a, o, false);
}

static void
build_request(const struct flow *f, const struct upstream *from, const struct home_away *away,
	      const char *secret, struct draft *d)
{
	const struct request *rq = f->rq;
	struct oidc_strs words = words_for(rq->a, from, flow_wanted_level(&f->ask));

	put(d, "client_id", from->oidc->client_id);
	put(d, "response_type", "code");
	put(d, "redirect_uri", callback_of(rq, from));
	put(d, "scope", scope_of(f, from));
	put(d, "state", arena_printf(rq->a, "%s.%s", f->row->id, away->request_id));
	put(d, "nonce", nonce_of(rq->a, secret));
	put(d, "code_challenge", challenge_of(rq->a, secret));
	put(d, "code_challenge_method", "S256");
	/* As ForceAuthn: a session there is none of ours. */
	put(d, "prompt", "login");
	put(d, "max_age", "0");
	put(d, "acr_values", joined(rq->a, words));
	put(d, "claims", claims_of(f, from, words));
	put(d, "ui_locales", lang_code(rq->lang));
}

/* Who we are (RFC 7523 2.2). */
static bool
put_proof(struct request *rq, const struct upstream *from, struct draft *d, struct err *err)
{
	const struct oidc_provider *p = from->oidc->provider;
	struct key_ops ops = signer_key_ops(rq->app->signer);
	enum oidc_alg alg = oidc_provider_auth_alg(p, jose_signing_algs(rq->a, rq->snap->keyring));
	const char *proof;
	const struct key *k;

	if (!jose_signing_key(rq->app, rq->snap, alg, &k, err) ||
	    !oidc_provider_proof(rq->a, p, &ops, k->row.kid, alg, from->oidc->client_id, rq->now,
				 &proof, err))
		return false;
	put(d, "client_assertion_type", OIDC_ASSERTION_TYPE);
	put(d, "client_assertion", proof);
	return true;
}

/* An answer of an endpoint as an object; its own word for an error is for the log. */
static bool
answer_read(struct request *rq, const char *endpoint, const struct fetch_answer *answer,
	    long wanted, json_t **out, struct err *err)
{
	const char *error = NULL;

	if (answer->status >= 500)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "its %s endpoint answered %ld", endpoint,
			    answer->status);
	if (!json_parse_object(rq->a, answer->body, OIDC_PROVIDER_MAX_BYTES, out, err))
		return false;
	if (answer->status == wanted)
		return true;
	(void)!json_get_str(*out, "error", &error, NULL);
	return FAIL(err, ERR_DENIED, NULL, "its %s endpoint answered %ld %s", endpoint,
		    answer->status,
		    error != NULL && text_is_visible_ascii(error, WORD_MAX_BYTES) ? error : "");
}

/* RFC 9126 2: what is asked does not pass through the browser. */
static bool
push(struct request *rq, const struct upstream *from, struct draft *d, struct err *err)
{
	const char *uri = NULL;
	struct fetch_answer answer;
	json_t *o;

	if (!put_proof(rq, from, d, err) ||
	    !upstream_call(rq, from, from->oidc->provider->par_endpoint, NULL, form_of(rq->a, d),
			   &answer, err) ||
	    !answer_read(rq, "request", &answer, 201, &o, err) ||
	    !json_get_str(o, "request_uri", &uri, err))
		return false;
	if (uri == NULL || !text_is_visible_ascii(uri, OIDC_URI_MAX_BYTES))
		return FAIL(err, ERR_INPUT, NULL, "its request endpoint gave no request_uri");
	*d = (struct draft){0};
	put(d, "client_id", from->oidc->client_id);
	put(d, "request_uri", uri);
	return true;
}

static bool
lead_away(struct request *rq, const struct upstream *from, const struct draft *d,
	  struct response *rs, struct err *err)
{
	const char *url;

	if (!oidc_uri_with(rq->a, from->oidc->provider->authorization_endpoint, false, d->p, d->n,
			   &url, err))
		return false;
	response_redirect(rs, url);
	return true;
}

/* What has to be pushed first waits for the provider, and so does it in a lane of its own. */
bool
home_oidc_send(struct flow *f, const struct upstream *from, struct response *rs, struct err *err)
{
	struct request *rq = f->rq;
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct home_away away = {
		.upstream = from->id, .request_id = rand_token(rq->a, 16), .asked_at = rq->now};
	const char *secret = rand_token(rq->a, SECRET_BYTES);
	struct draft d = {.n = 0};
	struct bytes sealed;

	if (!account_value_seal(rq, NULL, label_of(rq->a, f->row->id), bytes_of(secret), &sealed,
				err))
		return false;
	away.secret = enc_base64url(rq->a, sealed);
	if (!db_flow_send(&c, f->row, home_away_write(rq->a, &away), rq->now, err))
		return false;
	if (from->oidc->provider->par_endpoint != NULL) {
		response_redirect(rs, flow_path(f, HOME_AWAY_PATH));
		return true;
	}
	build_request(f, from, &away, secret, &d);
	return lead_away(rq, from, &d, rs, err);
}

static bool
is_asked_by_us(const struct upstream *from)
{
	return from->oidc != NULL && from->oidc->provider != NULL;
}

bool
home_oidc_away(struct request *rq, struct response *rs, struct err *err)
{
	const struct upstream *from;
	struct home_away away;
	struct draft d = {.n = 0};
	struct err why = {0};
	const char *secret;
	struct flow *f;

	if (!flow_load(rq, rs, &f, err))
		return false;
	if (f == NULL || !flow_take_event(f, FLOW_EVENT_HOME, rs))
		return true;
	if (f->row->away.n == 0)
		return flow_lead_on(f, rs);
	if (!home_away_read(rq->a, f->row->away, &away, err) ||
	    !secret_open(rq, f->row->id, &away, &secret, err))
		return false;
	if (!home_upstream_find(rq, away.upstream, &from, &why))
		return home_is_refused(&why) ? login_home_show(f, "home_gone", rs, err)
					     : FAIL(err, why.kind, why.proto, "%s", why.text);
	if (!is_asked_by_us(from))
		return login_home_show(f, "home_gone", rs, err);
	build_request(f, from, &away, secret, &d);
	if (from->oidc->provider->par_endpoint != NULL && !push(rq, from, &d, &why)) {
		log_err(LOG_LVL_WARN, "home_unasked", &why, "upstream", from->id, "ref", rq->ref,
			NULL);
		return login_home_show(f, "home_failed", rs, err);
	}
	return lead_away(rq, from, &d, rs, err);
}

/* ---- coming back ---- */

/* What the browser brought. */
struct brought {
	const char *flow_id, *request_id; /* of state */
	const char *code, *iss, *error;   /* NULL: not told */
};

static bool
param(const struct request *rq, const char *name, size_t most, const char **out, struct err *err)
{
	*out = request_query(rq, name);
	return *out == NULL || text_is_visible_ascii(*out, most) ||
	       FAIL(err, ERR_INPUT, HOME_PROBLEM, "%s: malformed", name);
}

static bool
read_brought(const struct request *rq, struct brought *b, struct err *err)
{
	const char *state, *dot;

	if (!param(rq, "state", STATE_MAX_BYTES, &state, err) ||
	    !param(rq, "code", CODE_MAX_BYTES, &b->code, err) ||
	    !param(rq, "iss", OIDC_URI_MAX_BYTES, &b->iss, err) ||
	    !param(rq, "error", WORD_MAX_BYTES, &b->error, err))
		return false;
	dot = state == NULL ? NULL : strrchr(state, '.');
	if (dot == NULL)
		return FAIL(err, ERR_DENIED, HOME_PROBLEM, "an answer that nobody asked for");
	b->flow_id = arena_strndup(rq->a, state, (size_t)(dot - state));
	b->request_id = dot + 1;
	return true;
}

/* Is it the answer to what this flow asked last, from whom it asked? (RFC 9700 4.4, RFC 9207 2.4)
 */
static bool
check_brought(struct request *rq, const struct brought *b, const char *path_id,
	      struct home_arrival *t, struct err *err)
{
	if (!text_eq(t->away.upstream, path_id))
		return FAIL(err, ERR_DENIED, NULL, "the answer of another provider than was asked");
	if (!text_eq(t->away.request_id, b->request_id))
		return FAIL(err, ERR_DENIED, NULL, "the answer to another request");
	if (!home_upstream_find(rq, t->away.upstream, &t->from, err))
		return false;
	if (!is_asked_by_us(t->from))
		return FAIL(err, ERR_DENIED, NULL, "it is no OpenID Provider any more");
	if (b->iss == NULL ? t->from->oidc->provider->tells_iss
			   : !text_eq(b->iss, t->from->entity_id))
		return FAIL(err, ERR_DENIED, NULL, "iss is %s",
			    b->iss == NULL ? "missing" : "of another provider");
	if ((b->code == NULL) == (b->error == NULL))
		return FAIL(err, ERR_DENIED, NULL, "neither code nor error, or both");
	return true;
}

/* RFC 6749 4.1.2.1, Core 3.1.2.6, OpenID Connect Core Unmet Authentication Requirements 1.0. */
static enum saml_outcome
outcome_of(const char *error)
{
	static const struct {
		const char *error;
		enum saml_outcome outcome;
	} rows[] = {
		{"access_denied", SAML_OUTCOME_CANCELLED},
		{"consent_required", SAML_OUTCOME_REFUSED},
		{"unmet_authentication_requirements", SAML_OUTCOME_LEVEL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].error, error) == 0)
			return rows[i].outcome;
	return SAML_OUTCOME_FAILED;
}

/* Core 3.1.3.1. */
static bool
redeem(struct request *rq, const struct home_arrival *t, const char *code, const char *secret,
       const char **access_token, const char **id_token, struct err *err)
{
	const struct oidc_provider *p = t->from->oidc->provider;
	const char *type = NULL;
	struct draft d = {.n = 0};
	struct fetch_answer answer;
	json_t *o;

	put(&d, "grant_type", "authorization_code");
	put(&d, "code", code);
	put(&d, "redirect_uri", callback_of(rq, t->from));
	put(&d, "client_id", t->from->oidc->client_id);
	put(&d, "code_verifier", secret);
	*access_token = *id_token = NULL;
	if (!put_proof(rq, t->from, &d, err) ||
	    !upstream_call(rq, t->from, p->token_endpoint, NULL, form_of(rq->a, &d), &answer,
			   err) ||
	    !answer_read(rq, "token", &answer, 200, &o, err) ||
	    !json_get_str(o, "access_token", access_token, err) ||
	    !json_get_str(o, "token_type", &type, err) ||
	    !json_get_str(o, "id_token", id_token, err))
		return false;
	if (*id_token == NULL || *access_token == NULL || type == NULL ||
	    strcasecmp(type, "Bearer") != 0 ||
	    !text_is_visible_ascii(*access_token, OIDC_JWS_MAX_BYTES))
		return FAIL(err, ERR_INPUT, NULL, "its token endpoint gave no tokens");
	return true;
}

static bool
verify(struct request *rq, struct home_arrival *t, const char *secret, const char *access_token,
       const char *id_token, struct oidc_told *out, struct err *err)
{
	struct oidc_told_rules rules = {
		.keys = &t->from->oidc->keys,
		.alg = t->from->policy.signing_alg,
		.issuer = t->from->entity_id,
		.client_id = t->from->oidc->client_id,
		.nonce = nonce_of(rq->a, secret),
		.access_token = access_token,
		.asked_at = t->away.asked_at,
	};

	if (oidc_told_key_is_new(rq->a, id_token, rules.keys) &&
	    upstream_keys_renew(rq, &t->from)) {
		rules.keys = &t->from->oidc->keys;
		rules.alg = t->from->policy.signing_alg;
	}
	return oidc_told_verify(rq->a, id_token, &rules, rq->now, out, err);
}

/* Core 5.3; by POST, which takes the token and no form. */
static bool
ask_userinfo(struct request *rq, const struct home_arrival *t, const char *access_token,
	     const struct oidc_told *told, const json_t **claims, struct err *err)
{
	const char *url = t->from->oidc->provider->userinfo_endpoint;
	struct fetch_answer answer;

	*claims = NULL;
	if (url == NULL)
		return true;
	if (!upstream_call(rq, t->from, url, access_token, bytes_of(""), &answer, err))
		return false;
	if (answer.status != 200)
		return FAIL(err, answer.status >= 500 ? ERR_UNAVAILABLE : ERR_DENIED, NULL,
			    "its userinfo endpoint answered %ld", answer.status);
	return oidc_told_userinfo(rq->a, answer.body, told, claims, err);
}

static bool
exchange(struct request *rq, struct home_arrival *t, const char *code, const char *secret,
	 json_t **home, struct err *err)
{
	const char *access_token, *id_token;
	const json_t *userinfo;
	struct oidc_told told;

	return redeem(rq, t, code, secret, &access_token, &id_token, err) &&
	       verify(rq, t, secret, access_token, id_token, &told, err) &&
	       ask_userinfo(rq, t, access_token, &told, &userinfo, err) &&
	       home_oidc_read(rq, t->from, flow_wanted_level(&t->ask), &told, userinfo, home, err);
}

static json_t *
without_login(struct request *rq, const struct upstream *from, enum saml_outcome outcome)
{
	json_t *o = json_new_object(rq->a);

	json_put_str(rq->a, o, "upstream", from->id);
	json_put_i64(rq->a, o, "outcome", outcome);
	return o;
}

/* What it means; a provider that does not answer has failed, and the choice is open again. */
static bool
made_of(struct request *rq, struct home_arrival *t, const struct brought *b, const char *secret,
	json_t **home, struct err *err)
{
	struct err why = {0};

	if (b->error != NULL) {
		log_event(LOG_LVL_INFO, "home_failed", "ref", rq->ref, "upstream", t->from->id,
			  "error", b->error, NULL);
		*home = without_login(rq, t->from, outcome_of(b->error));
		return true;
	}
	if (exchange(rq, t, b->code, secret, home, &why))
		return true;
	if (why.kind != ERR_UNAVAILABLE)
		return FAIL(err, why.kind, why.proto, "%s", why.text);
	log_err(LOG_LVL_WARN, "home_failed", &why, "ref", rq->ref, "upstream", t->from->id, NULL);
	*home = without_login(rq, t->from, SAML_OUTCOME_FAILED);
	return true;
}

bool
home_oidc_callback(struct request *rq, struct response *rs, struct err *err)
{
	const char *path_id = rq->path_tail, *secret = NULL;
	struct home_arrival t = {0};
	struct brought b = {0};
	struct err why = {0};
	struct flow *f;
	json_t *home;

	if (!read_brought(rq, &b, err))
		return false;
	/* The flow's cookie comes along, other than at SAML's ACS: another browser has no part. */
	rq->path_tail = b.flow_id;
	if (!flow_load(rq, rs, &f, err))
		return false;
	if (f == NULL || !flow_take_event(f, FLOW_EVENT_HOME, rs))
		return true;
	if (f->row->away.n == 0) /* it was answered, and this is the page loaded again */
		return flow_lead_on(f, rs);
	if (!home_away_read(rq->a, f->row->away, &t.away, err))
		return false;
	t.row = f->row;
	t.ask = f->ask;
	if (!check_brought(rq, &b, path_id, &t, &why) ||
	    !secret_open(rq, t.row->id, &t.away, &secret, &why) ||
	    !made_of(rq, &t, &b, secret, &home, &why))
		return home_refuse(rq, &t, &why, err);
	const struct db_mark mark = {
		"upstream-nonce",
		bytes_of(arena_printf(rq->a, "%s %s", t.from->entity_id, nonce_of(rq->a, secret))),
		rq->now + FLOW_GOES_ON_S};

	return home_arrive(rq, &t, home, &mark, rs, err);
}
