/* One login; see flow.h. */
#include "idp/flow.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "db/consent.h"
#include "db/dated.h"
#include "db/seen.h"
#include "idp/access.h"
#include "idp/ask.h"
#include "idp/audit.h"
#include "idp/config.h"
#include "idp/consent.h"
#include "idp/flow_judge.h"
#include "idp/flow_member.h"
#include "idp/home.h"
#include "idp/login.h"
#include "idp/login_home.h"
#include "idp/show.h"

#define FLOW_PATH         "/flow/"
#define FLOW_COOKIE       "f-" /* one per open flow, so that tabs do not disturb each other */
#define FORGET_AT_ONCE    4    /* what fits into one answer */
#define FLOW_COOKIES_MOST 16   /* open flows of one browser; older ones are forgotten */

static struct db_call
call_of(const struct request *rq)
{
	return (struct db_call){rq->app->db, rq->a, rq->deadline_us};
}

enum level
flow_wanted_level(const struct ask *ask)
{
	enum level floor = ask->party == NULL ? LEVEL_NONE : ask->party->policy.level;
	enum level least = level_set_least(ask->levels);

	return least > floor ? least : floor;
}

enum level
flow_told_level(const struct flow *f)
{
	return level_set_best(f->ask.levels, level_min(f->level, f->ask.party->policy.level_cap));
}

const char *
flow_path(const struct flow *f, const char *route)
{
	return arena_printf(f->rq->a, "%s%s", route, f->row->id);
}

bool
flow_lead_on(const struct flow *f, struct response *rs)
{
	response_redirect(rs, flow_path(f, FLOW_PATH));
	return true;
}

/* ---- the browser's side: a cookie "f-DIGEST" = "FLOW.SECRET" ---- */

static const char *
cookie_name(struct arena *a, const char *flow_id)
{
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of(flow_id), digest);
	return arena_printf(a, FLOW_COOKIE "%s", enc_hex(a, (struct bytes){digest, 8}));
}

/* Takes a cookie value apart; false when it is not one of a flow. */
static bool
cookie_split(struct arena *a, const char *value, const char **id, const char **secret)
{
	const char *dot = strrchr(value, '.');

	if (dot == NULL)
		return false;
	*id = arena_strndup(a, value, (size_t)(dot - value));
	*secret = dot + 1;
	return true;
}

/*
 * A browser sends older cookies first (RFC 6265 5.4).  Too many of them would
 * fill its request until the gate refuses it, so those at the front go.
 */
static void
forget_oldest(struct request *rq, const char *keep, size_t most, struct response *rs)
{
	const struct params *cookies = &rq->cookies;
	size_t n = 0;

	for (size_t i = 0; i < cookies->n; i++)
		n += text_starts(cookies->p[i].name, FLOW_COOKIE);
	size_t gone = n > most ? n - most : 0;

	gone = gone > FORGET_AT_ONCE ? FORGET_AT_ONCE : gone;
	for (size_t i = 0; i < cookies->n && gone > 0; i++) {
		if (!text_starts(cookies->p[i].name, FLOW_COOKIE) ||
		    text_eq(cookies->p[i].name, keep))
			continue;
		response_cookie(rq, rs, cookies->p[i].name, "", 0);
		gone--;
	}
}

/* The row of a flow that this browser began; *out NULL: none any more. */
static bool
row_load(struct request *rq, const char *value, const char *wanted_id, struct flow **out,
	 struct err *err)
{
	struct db_call c = call_of(rq);
	const struct db_flow *row = NULL;
	const char *id, *secret;

	*out = NULL;
	if (value == NULL || !cookie_split(rq->a, value, &id, &secret) ||
	    (wanted_id != NULL && !text_eq(id, wanted_id)))
		return true;
	if (!db_flow_load(&c, id, secret, rq->now, &row, err))
		return false;
	if (row == NULL)
		return true;
	struct flow *f = ARENA_NEW(rq->a, struct flow);

	f->rq = rq;
	f->browser = secret;
	f->row = ARENA_NEW(rq->a, struct db_flow);
	*f->row = *row;
	if (!ask_load(rq, row->ask, &f->ask, err))
		return false;
	*out = f;
	return true;
}

/* ---- answering ---- */

/* A page that says that nothing goes on here.  `id` names the flow that is done; NULL: unknown. */
static bool
show_gone(struct request *rq, const char *page, const struct party *party, const char *id,
	  struct response *rs, struct err *err)
{
	json_t *vars = json_new_object(rq->a);

	if (party != NULL) {
		json_put_str(rq->a, vars, "portal_name", party->display_name);
		json_put_str(rq->a, vars, "portal_url", party->policy.home_url);
	}
	json_put_str(rq->a, vars, "account_url", "/account");
	return show_page(rq, rs, 410, page, vars,
			 id == NULL ? NULL : arena_printf(rq->a, FLOW_PATH "%s", id), err);
}

static bool
show_done(struct request *rq, const struct party *party, const char *id, struct response *rs,
	  struct err *err)
{
	return show_gone(rq, "already_done", party, id, rs, err);
}

/* Who takes the consent back while the answer is made has said no. */
static bool
record(struct flow *f, struct response *rs, struct err *err)
{
	if (!f->ask.front->record(f, err))
		return false;
	if (!f->withdrawn)
		return true;
	f->state = FLOW_REFUSED;
	*rs = (struct response){0};
	return f->ask.front->refuse(f, f->state, rs, err);
}

/*
 * The last step of every flow.  What is sent is built first; then the stored
 * flow is taken, durably and once; then what it means is recorded, durably;
 * only then does rs count.
 */
static bool
answer(struct flow *f, struct response *rs, struct err *err)
{
	struct db_call c = call_of(f->rq);
	const struct db_flow *taken;

	if (f->state == FLOW_ANSWER) {
		if (!f->ask.front->build(f, rs, err))
			return false;
	} else if (!f->ask.front->refuse(f, f->state, rs, err)) {
		return false;
	}
	if (f->row != NULL) {
		if (!db_flow_take(&c, f->row->id, f->browser, f->rq->now, &taken, err))
			return false;
		if (taken == NULL) {
			*rs = (struct response){0};
			return show_done(f->rq, f->ask.party, f->row->id, rs, err);
		}
	}
	if (f->state == FLOW_ANSWER && !record(f, rs, err))
		return false;
	if (party_is_member(f->ask.party))
		flow_member_count(f->rq, f->ask.party, flow_state_name(f->state),
				  f->state == FLOW_ANSWER ? flow_told_level(f) : LEVEL_NONE);
	if (f->row != NULL) {
		response_cookie(f->rq, rs, cookie_name(f->rq->a, f->row->id), "", 0);
		home_forget(f, rs);
		flow_member_forget(f, rs);
	}
	return true;
}

/* ---- beginning ---- */

const struct db_mark *
flow_mark(struct arena *a, const struct party *p, const char *replay, time_t expires)
{
	struct db_mark *m = ARENA_NEW(a, struct db_mark);

	*m = (struct db_mark){"request", bytes_of(arena_printf(a, "%s %s", p->id, replay)),
			      expires};
	return m;
}

/* NULL: it may come again. */
static const struct db_mark *
mark_of(struct flow *f)
{
	return f->ask.replay == NULL
		       ? NULL
		       : flow_mark(f->rq->a, f->ask.party, f->ask.replay, f->ask.replay_expires);
}

/* Mark the request as used.  *first false: it was used before. */
static bool
mark_now(struct flow *f, bool *first, struct err *err)
{
	const struct db_mark *mark = mark_of(f);
	struct db_call c = call_of(f->rq);

	*first = true;
	return mark == NULL || db_seen_once(&c, mark, f->rq->now, first, err);
}

/* The flow of this browser that the request began; NULL: none that is open. */
static struct flow *
first_of(struct request *rq, const struct party *p, const char *replay)
{
	const struct params *cookies = &rq->cookies;
	size_t tried = 0;

	/* The newest comes last. */
	for (size_t i = cookies->n; i > 0 && tried < FLOW_COOKIES_MOST; i--) {
		const struct param *cookie = &cookies->p[i - 1];
		struct flow *open;

		if (!text_starts(cookie->name, FLOW_COOKIE))
			continue;
		tried++;
		/* second line: what cannot be loaded is NULL all the same */
		if (!row_load(rq, cookie->value, NULL, &open, NULL) || open == NULL)
			continue;
		if (p != NULL && open->ask.party != NULL && text_eq(open->ask.party->id, p->id) &&
		    text_eq(open->ask.replay, replay))
			return open;
	}
	return NULL;
}

/* A request that was sent twice (browser back) goes on where the first one is. */
static bool
lead_to_first(struct flow *f, struct response *rs, struct err *err)
{
	return flow_come_again(f->rq, f->ask.party, f->ask.replay, rs, err);
}

static const char *
again_path(struct arena *a, const struct party *p, const char *replay)
{
	const char *path = NULL;
	struct buf b;

	buf_init(&b, a, (size_t)16 * 1024);
	buf_str(&b, FLOW_AGAIN "?party=");
	enc_percent(&b, bytes_of(p->id));
	buf_str(&b, "&request=");
	enc_percent(&b, bytes_of(replay));
	return buf_finish_str(&b, &path, NULL) ? path : FLOW_AGAIN;
}

bool
flow_come_again(struct request *rq, const struct party *p, const char *replay, struct response *rs,
		struct err *err)
{
	struct flow *open = first_of(rq, p, replay);

	if (open != NULL)
		return flow_lead_on(open, rs);
	/* A cross-site POST brings no Lax cookie, a GET of ours after it does. */
	if (rq->method != HTTP_GET && p != NULL) {
		response_redirect(rs, again_path(rq->a, p, replay));
		return true;
	}
	/* Only pushed requests expire. */
	return show_gone(rq, p == NULL || p->saml != NULL ? "request_used" : "request_gone", p,
			 NULL, rs, err);
}

static bool
store(struct flow *f, const char *route, struct response *rs, struct err *err)
{
	struct request *rq = f->rq;
	struct db_call c = call_of(rq);
	time_t expires = rq->now + FLOW_KEPT_S;

	f->ask.consent_anew = f->ask.consent_anew || f->ask.front->by_form;
	f->browser = rand_token(rq->a, 32);
	f->row = ARENA_NEW(rq->a, struct db_flow);
	*f->row = (struct db_flow){
		.id = db_dated_create(rq->a, expires),
		.party = f->ask.party == NULL ? "" : f->ask.party->id,
		.front = f->ask.front->name,
		.ask = ask_write(rq->a, &f->ask),
		.state = flow_state_name(f->state),
		.created = rq->now,
		.expires = expires,
	};
	if (!db_flow_create(&c, f->row, f->browser, rq->now, err))
		return false;
	forget_oldest(rq, NULL, FLOW_COOKIES_MOST - 1, rs);
	response_cookie(rq, rs, cookie_name(rq->a, f->row->id),
			arena_printf(rq->a, "%s.%s", f->row->id, f->browser), FLOW_KEPT_S);
	response_redirect(rs, flow_path(f, route));
	return true;
}

/* States that the person has to see a page for. */
static bool
needs_page(const struct flow *f)
{
	return f->state == FLOW_LOGIN || f->state == FLOW_STEP_UP || f->state == FLOW_CONSENT ||
	       (f->state == FLOW_MISSING && !f->ask.passive);
}

/* An answer at once: the statement that records it leaves the mark. */
static bool
answer_marking(struct flow *f, struct response *rs, struct err *err)
{
	f->mark = mark_of(f);
	if (!answer(f, rs, err))
		return false;
	if (!f->replayed)
		return true;
	*rs = (struct response){0};
	return lead_to_first(f, rs, err);
}

/* Could a password be checked that comes when the form was filled in?  Keeps a place for it. */
static bool
password_has_place(const struct request *rq)
{
	int64_t late_us = clock_mono_us() + rq->app->config->queue_deadline_ms * 1000;

	return rq->app->lanes == NULL || lane_expect(rq->app->lanes, LANE_PASSWORD, late_us);
}

/* Who is logged in at this browser, for this flow. */
static bool
find_session(struct flow *f, struct err *err)
{
	if (!party_is_member(f->ask.party))
		return session_find(f->rq, &f->session, err);
	if (f->row != NULL)
		flow_member_load(f);
	return true;
}

static bool
start(struct request *rq, const struct ask *ask, bool browser_sends_cookies, const char *route,
      struct response *rs, struct err *err)
{
	struct flow *f = ARENA_NEW(rq->a, struct flow);
	bool first;

	f->rq = rq;
	f->ask = *ask;
	f->state = FLOW_LOGIN;
	request_wish_lang(rq, ask->lang);
	if (browser_sends_cookies && (!find_session(f, err) || !flow_judge(f, err)))
		return false;
	if (f->state == FLOW_ANSWER)
		return answer_marking(f, rs, err);
	/* Better than after the password was typed; and what cannot end takes no time from what
	 * can. */
	if (browser_sends_cookies && f->state == FLOW_LOGIN && !password_has_place(rq))
		return FAIL(err, ERR_UNAVAILABLE, NULL, "too many logins at once");
	/* Stored or built first: what leads to nothing has not used the request up. */
	bool made = !browser_sends_cookies || needs_page(f) ? store(f, route, rs, err)
							    : answer(f, rs, err);

	if (!made || !mark_now(f, &first, err))
		return false;
	if (first)
		return true;
	*rs = (struct response){0};
	return lead_to_first(f, rs, err);
}

bool
flow_start(struct request *rq, const struct ask *ask, bool browser_sends_cookies,
	   struct response *rs, struct err *err)
{
	return start(rq, ask, browser_sends_cookies, ask->create ? "/register/" : "/flow/", rs,
		     err);
}

bool
flow_start_at(struct request *rq, const struct ask *ask, const char *route, struct response *rs,
	      struct err *err)
{
	return start(rq, ask, true, route, rs, err);
}

/* ---- clients without a browser ---- */

bool
flow_of_client(struct request *rq, const struct ask *ask, const struct login_method *by,
	       struct flow **out, struct err *err)
{
	struct flow *f = ARENA_NEW(rq->a, struct flow);

	f->rq = rq;
	f->ask = *ask;
	f->only = by;
	*out = f;
	return flow_judge(f, err);
}

bool
flow_client_answer(struct flow *f, struct response *rs, struct err *err)
{
	bool first;

	if (f->state == FLOW_ANSWER) {
		f->mark = mark_of(f);
		if (!answer(f, rs, err))
			return false;
		first = !f->replayed;
	} else if (!mark_now(f, &first, err) || (first && !answer(f, rs, err))) {
		return false;
	}
	return first || FAIL(err, ERR_CONFLICT, NULL, "the request was answered before");
}

/* Was the request answered before?  Looked at only, so that a replay makes no session. */
static bool
seen_before(struct flow *f, bool *seen, struct err *err)
{
	const struct db_mark *mark = mark_of(f);
	struct db_call c = call_of(f->rq);

	*seen = false;
	return mark == NULL || db_seen_look(&c, mark, f->rq->now, seen, err);
}

/* In a session that is kept for the party only if the party is told of it. */
static bool
answer_in_session(struct flow *f, struct response *rs, struct err *err)
{
	if (!session_keep_client(f->rq, f->session, err))
		return false;
	bool held = flow_client_answer(f, rs, err);
	struct err why = {0};

	if (held && f->state == FLOW_ANSWER)
		return true;
	/* Where that fails, too, it ends by its time. */
	if (!session_drop_client(f->rq, f->session, &why))
		log_err(LOG_LVL_WARN, "session_left", &why, "ref", f->rq->ref, NULL);
	return held;
}

bool
flow_client_proved(struct flow *f, struct subject_id subject, enum level level, struct response *rs,
		   struct err *err)
{
	struct request *rq = f->rq;
	struct db_proof *proof = ARENA_NEW(rq->a, struct db_proof);
	bool seen;

	*proof = (struct db_proof){(int)level, f->only->name, rq->now};
	f->session = session_of_client(rq, subject, proof, f->ask.party->policy.sso_group);
	if (!flow_judge(f, err) || !seen_before(f, &seen, err))
		return false;
	if (f->state == FLOW_ANSWER && !seen)
		return answer_in_session(f, rs, err);
	if (!session_note_proof(rq, f->session, err))
		return false;
	return seen ? FAIL(err, ERR_CONFLICT, NULL, "the request was answered before")
		    : flow_client_answer(f, rs, err);
}

/* ---- going on ---- */

bool
flow_load(struct request *rq, struct response *rs, struct flow **out, struct err *err)
{
	const char *name = cookie_name(rq->a, rq->path_tail), *value = request_cookie(rq, name);
	struct flow *f;

	*out = NULL;
	forget_oldest(rq, name, FLOW_COOKIES_MOST, rs);
	if (!row_load(rq, value, rq->path_tail, &f, err))
		return false;
	if (f == NULL)
		return show_done(rq, NULL, rq->path_tail, rs, err);
	request_wish_lang(rq, f->ask.lang);
	/* Whose session it is in this browser is beside the point when somebody came back. */
	if (!home_load(f, err) || (f->home == NULL && !find_session(f, err)) || !flow_judge(f, err))
		return false;
	*out = f;
	return true;
}

/* Where no means of ours reaches the level, another provider's account has to; or it is named. */
static bool
needs_home(const struct flow *f)
{
	return f->only == NULL && home_reach(f->rq, &f->ask) != LEVEL_NONE &&
	       flow_wanted_level(&f->ask) > login_reachable();
}

static bool
show_login(struct flow *f, struct response *rs, struct err *err)
{
	const char *problem = f->home_failed ? "home_failed" : NULL;
	const struct upstream *named = NULL;
	struct err why = {0};

	/* Once: who comes back without a login has the choice. */
	if (f->ask.home != NULL && f->row->away.n == 0 && problem == NULL &&
	    !home_upstream_find(f->rq, f->ask.home, &named, &why) && !home_is_refused(&why))
		return FAIL(err, why.kind, why.proto, "%s", why.text);
	if (named != NULL && home_fits(f->rq, &f->ask, named))
		return home_send(f, named, rs, err);
	if (needs_home(f))
		return login_home_show(f, problem, rs, err);
	return f->state == FLOW_LOGIN ? login_show_first(f, NULL, problem, rs, err)
				      : login_show_step_up(f, rs, err);
}

static bool
show_expired(struct flow *f, struct response *rs, struct err *err)
{
	json_t *vars = json_new_object(f->rq->a);

	if (f->ask.party != NULL)
		json_put_str(f->rq->a, vars, "portal_name", f->ask.party->display_name);
	json_put_str(f->rq->a, vars, "restart_url", flow_path(f, "/flow/restart/"));
	return show_page(f->rq, rs, 200, "flow_expired", vars, flow_path(f, FLOW_PATH), err);
}

bool
flow_show(struct flow *f, struct response *rs, struct err *err)
{
	switch (f->state) {
	case FLOW_LOGIN:
	case FLOW_STEP_UP:
		return show_login(f, rs, err);
	case FLOW_CONSENT:
		return consent_show(f, rs, err);
	case FLOW_EXPIRED:
		return show_expired(f, rs, err);
	case FLOW_PARTY_GONE:
		return FAIL(err, ERR_NOT_FOUND, "portal_unknown", "the party was switched off");
	case FLOW_MISSING:
		if (!f->ask.passive)
			return consent_show_missing(f, rs, err);
		break;
	case FLOW_CANCELLED:
	case FLOW_REFUSED:
	case FLOW_UNREACHABLE:
	case FLOW_PASSIVE_LOGIN:
	case FLOW_OTHER_PERSON:
	case FLOW_PASSIVE_CONSENT:
	case FLOW_ANSWER:
	case FLOW_STATE_COUNT:
		break;
	}
	return answer(f, rs, err);
}

bool
flow_take_event(struct flow *f, enum flow_event e, struct response *rs)
{
	if (flow_event_allowed(f->state, e))
		return true;
	flow_lead_on(f, rs);
	return false;
}

bool
flow_keep(struct flow *f, const json_t *progress, struct err *err)
{
	struct db_call c = call_of(f->rq);
	struct err why = {0};

	f->row->progress = bytes_of(json_text(f->rq->a, progress, false));
	f->row->state = flow_state_name(f->state);
	if (db_flow_save(&c, f->row, f->rq->now, &why))
		return true;
	if (why.kind == ERR_CONFLICT)
		return true;
	return FAIL(err, why.kind, why.proto, "%s", why.text);
}

static void
progress_add_proof(struct flow *f, json_t *progress, const struct db_proof *proof)
{
	json_t *proofs = json_object_get(progress, "proofs"), *pair = json_new_array(f->rq->a);

	if (proofs == NULL)
		json_put(f->rq->a, progress, "proofs", proofs = json_new_array(f->rq->a));
	json_push(f->rq->a, pair, json_keep(f->rq->a, json_integer(proof->level)));
	json_push(f->rq->a, pair, json_keep(f->rq->a, json_integer((json_int_t)proof->at)));
	json_push(f->rq->a, proofs, pair);
}

bool
flow_proved(struct flow *f, struct subject_id subject, enum level level, const char *method,
	    struct response *rs, struct err *err)
{
	const struct party *p = f->ask.party;
	const char *group = p == NULL ? NULL : p->policy.sso_group;
	struct db_proof proof = {(int)level, method, f->rq->now};
	json_t *progress = flow_progress(f);

	if (party_is_member(p))
		return flow_member_proved(f, subject, &proof, rs, err) && flow_lead_on(f, rs);
	/* Proofs of another person, or of a session that ended, say nothing about this one. */
	if (f->session == NULL || !text_eq(f->row->sid, f->session->sid) ||
	    /* second line: a proof in this very session makes its owner pass by the login */
	    !subject_id_eq(f->session->acting, subject))
		json_object_del(progress, "proofs");
	if (!session_prove(f->rq, f->session, subject, &proof, group, rs, &f->session, err))
		return false;
	progress_add_proof(f, progress, &proof);
	f->row->sid = f->session->sid;
	f->row->acting = &f->session->acting;
	return flow_keep(f, progress, err) && flow_lead_on(f, rs);
}

bool
flow_consented(struct flow *f, const char *const *names, size_t n, struct response *rs,
	       struct err *err)
{
	struct request *rq = f->rq;
	struct db_call c = call_of(rq);
	json_t *allowed = json_new_array(rq->a), *left_out = json_new_array(rq->a);
	struct bytes digest;

	release_consented(rq->a, &f->offer, names, n, &f->granted);
	/* release_consented keeps the order. */
	for (size_t i = 0, k = 0; i < f->offer.n; i++) {
		bool kept = k < f->granted.n && f->granted.p[k].at == f->offer.p[i].at;

		json_push_str(rq->a, kept ? allowed : left_out, f->offer.p[i].at->name);
		k += kept;
	}
	if (f->ask.offline)
		json_push_str(rq->a, allowed, CONSENT_OFFLINE);
	access_put_names(rq->a, f->ask.access, allowed);
	if (!dec_hex(rq->a, bytes_of(f->fingerprint), &digest, err)) /* second line: it is ours */
		return false;
	const char *purpose = party_purpose(f->ask.party, LANG_DE);
	struct db_consent *consent = ARENA_NEW(rq->a, struct db_consent);

	*consent = (struct db_consent){
		.acting = f->session->acting,
		.represented = f->session->represented,
		.party = f->ask.party->id,
		.attributes = json_text(rq->a, allowed, false),
		.left_out = json_text(rq->a, left_out, false),
		.purpose = purpose == NULL ? "" : purpose,
		.at = rq->now,
	};
	struct db_audit audit = {
		.event = AUDIT_CONSENT_GIVEN,
		.ref = rq->ref,
		.subject = flow_audited(f),
		.party = f->ask.party->id,
		.details = audit_details(rq->a, "attributes", consent->attributes, NULL),
	};

	memcpy(consent->fingerprint, digest.p, sizeof(consent->fingerprint));
	/* Of who has no account here, or for a member, nothing but that somebody agreed. */
	bool passing = flow_is_passing(f);

	if (passing ? !db_audit_add(&c, &audit, rq->now, err)
		    : !db_consent_store(&c, consent, &audit, err))
		return false;
	f->consent = passing ? NULL : consent;
	f->state = FLOW_ANSWER;
	return answer(f, rs, err);
}

bool
flow_cancelled(struct flow *f, struct response *rs, struct err *err)
{
	if (f->state != FLOW_MISSING) /* there is nothing to say no to */
		f->state = f->state == FLOW_CONSENT || f->state == FLOW_ANSWER ? FLOW_REFUSED
									       : FLOW_CANCELLED;
	return answer(f, rs, err);
}

bool
flow_restart(struct flow *f, struct response *rs, struct err *err)
{
	struct flow *again = ARENA_NEW(f->rq->a, struct flow);
	struct db_call c = call_of(f->rq);
	const struct db_flow *taken;

	if (!db_flow_take(&c, f->row->id, f->browser, f->rq->now, &taken, err))
		return false;
	if (taken == NULL)
		return show_done(f->rq, f->ask.party, f->row->id, rs, err);
	response_cookie(f->rq, rs, cookie_name(f->rq->a, f->row->id), "", 0);
	again->rq = f->rq;
	again->ask = f->ask;
	again->state = FLOW_LOGIN;
	return store(again, "/flow/", rs, err);
}

json_t *
flow_vars(struct flow *f, const char *form_route, struct response *rs)
{
	json_t *vars = json_new_object(f->rq->a);
	enum level wanted = flow_wanted_level(&f->ask);

	if (f->ask.party != NULL)
		json_put_str(f->rq->a, vars, "portal_name", f->ask.party->display_name);
	json_put_str(f->rq->a, vars, "level", level_word(wanted, LEVEL_VOCAB_SHORT));
	json_put_bool(f->rq->a, vars, "can_cancel", true);
	show_form_vars(f->rq, rs, vars, form_route, f->row->id);
	/* Each of these forms may end at the portal, by a button or by the step after it. */
	rs->form_action = f->ask.front->origins(f->rq->a, &f->ask);
	return vars;
}
