/* Single logout; see logout.h. */
#include "idp/logout.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "db/dated.h"
#include "idp/config.h"
#include "idp/logout_send.h"
#include "idp/party_metadata.h"
#include "idp/saml_peer.h"
#include "idp/show.h"

#define HANDLE_LIVES_S    3600
#define WAIT_US           ((int64_t)2500000)
#define LOOK_US           ((int64_t)200000)
#define ORIGINS_MAX_BYTES 4096 /* of frames, in a header that proxies have to take */

static struct db_call
call_of(const struct request *rq)
{
	return (struct db_call){rq->app->db, rq->a, rq->deadline_us};
}

/* ---- ending sessions ---- */

void
logout_init(struct logout *l, struct request *rq, const struct logout_asker *asker)
{
	*l = (struct logout){
		.rq = rq,
		.asker = *asker,
		.handle = db_dated_create(rq->a, rq->now + HANDLE_LIVES_S),
	};
}

static const char *
back_text(struct arena *a, const struct logout_asker *asker)
{
	json_t *o = json_new_object(a);

	if (asker->party != NULL)
		json_put_str(a, o, "party", asker->party->id);
	if (asker->request != NULL) {
		json_put_str(a, o, "request", asker->request);
		json_put_i64(a, o, "binding", asker->binding);
	}
	if (asker->relay_state != NULL)
		json_put_str(a, o, "relay_state", asker->relay_state);
	if (asker->url != NULL)
		json_put_str(a, o, "url", asker->url);
	if (asker->left)
		json_put_bool(a, o, "left", true);
	return json_text(a, o, false);
}

static bool
end_session(struct logout *l, const char *sid, bool by_browser, const struct db_audit *audit,
	    bool *ended, struct err *err)
{
	struct request *rq = l->rq;
	struct db_call c = call_of(rq);
	struct logout_plan plan = {
		.parties = &rq->snap->parties,
		.asker = l->asker.party == NULL || l->asker.unproven ? NULL : l->asker.party->id,
		.named = l->asker.named,
		.by_browser = by_browser,
	};
	struct db_telling telling = {
		.plan = logout_plan,
		.ctx = &plan,
		.until = rq->now + LOGOUT_TRIED_S,
		.handle = l->handle,
		.back = back_text(rq->a, &l->asker),
		.handle_expires = rq->now + HANDLE_LIVES_S,
	};
	const struct db_participant *list;
	size_t n;

	if (!db_session_end(&c, sid, audit, &telling, rq->now, ended, &list, &n, err))
		return false;
	l->n_told += plan.n;
	if (plan.n > 0)
		outbox_wake(rq->app->outbox);
	return true;
}

bool
logout_end(struct logout *l, const char *sid, const struct db_audit *audit, bool *ended,
	   struct err *err)
{
	/* Who asked by SOAP has a handle to look with, but no browser. */
	return end_session(l, sid, l->asker.binding != SAML_BINDING_SOAP, audit, ended, err);
}

bool
logout_quietly(struct request *rq, const char *sid, const struct db_audit *audit, struct err *err)
{
	struct logout l = {.rq = rq};
	bool ended;

	return end_session(&l, sid, false, audit, &ended, err);
}

/* ---- whom to answer ---- */

static bool
back_read(struct request *rq, const char *back, struct logout_asker *out, struct err *err)
{
	const char *party = NULL;
	int64_t binding = 0;
	json_t *o;

	*out = (struct logout_asker){0};
	if (!json_parse_object(rq->a, bytes_of(back), strlen(back), &o, err) ||
	    !json_get_str(o, "party", &party, err) ||
	    !json_get_str(o, "request", &out->request, err) ||
	    !json_get_i64(o, "binding", &binding, err) ||
	    !json_get_str(o, "relay_state", &out->relay_state, err) ||
	    !json_get_str(o, "url", &out->url, err) || !json_get_bool(o, "left", &out->left, err))
		return false;
	out->binding = (enum saml_binding)binding;
	if (party != NULL)
		out->party = party_find(&rq->snap->parties, party);
	return true;
}

bool
logout_refuse(struct request *rq, const struct logout_asker *asker, const char *status_name,
	      struct response *rs, struct err *err)
{
	const struct saml_endpoint *to = saml_party_slo(asker->party->saml, asker->binding);
	struct saml_status status = saml_status_of(status_name);
	struct saml_carrier carrier;
	struct saml_peer peer;

	to = to == NULL ? saml_party_slo(asker->party->saml, SAML_BINDING_NONE) : to;
	if (to == NULL)
		return FAIL(err, ERR_INPUT, NULL, "the party has no SingleLogoutService");
	if (!saml_peer_of(rq, asker->party, &peer, err))
		return false;
	struct saml_logout_send how = {
		.binding = to->binding,
		.url = to->response_url,
		.relay_state = asker->relay_state,
		.id = rand_xml_id(rq->a),
		.issuer = rq->app->config->entity_id,
		.issued_at = rq->now,
		.signer = peer.signer,
	};

	return saml_logout_response_build(rq->a, &how, asker->request, &status, &carrier, err) &&
	       saml_send(rq, &carrier, asker->party, rs, err);
}

bool
logout_show_done(struct request *rq, struct response *rs, struct err *err)
{
	json_t *vars = json_new_object(rq->a);

	json_put_str(rq->a, vars, "return_url", "/");
	return show_page(rq, rs, 200, "logout_done", vars, "/logout", err);
}

/*
 * Told truthfully: PartialLogout unless all is ended and all have confirmed (SAML2Core 3.7.3.2).
 */
static bool
answer(struct request *rq, const struct logout_asker *asker, bool all, struct response *rs,
       struct err *err)
{
	if (asker->request != NULL && asker->party != NULL && asker->party->saml != NULL)
		return logout_refuse(rq, asker,
				     all && !asker->left ? SAML_SUCCESS : SAML_PARTIAL_LOGOUT, rs,
				     err);
	if (asker->url != NULL) {
		response_redirect(rs, asker->url);
		return true;
	}
	return logout_show_done(rq, rs, err);
}

/* ---- where it stands ---- */

static bool
load(struct request *rq, const struct db_logout **out, struct err *err)
{
	const char *handle = request_cookie(rq, LOGOUT_COOKIE);
	struct db_call c = call_of(rq);

	*out = NULL;
	return handle == NULL || db_logout_load(&c, handle, rq->now, out, err);
}

static size_t
count(const struct db_logout *l, enum db_channel channel, enum db_told_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->rows[i].channel == channel && l->rows[i].state == state;
	return n;
}

static bool
all_confirmed(const struct db_logout *l)
{
	return count(l, DB_CHANNEL_OUTBOX, DB_TOLD_CONFIRMED) +
		       count(l, DB_CHANNEL_FRONT, DB_TOLD_CONFIRMED) ==
	       l->n;
}

/* Most parties answer at once; who does not is told so on the page, and goes on being tried. */
static bool
load_settled(struct request *rq, const char *handle, const struct db_logout **out, struct err *err)
{
	int64_t until = clock_mono_us() + WAIT_US;
	struct db_call c = call_of(rq);

	for (;;) {
		if (!db_logout_load(&c, handle, rq->now, out, err))
			return false;
		if (*out == NULL) /* second line: it was there a moment ago */
			return true;
		if (rq->app->outbox == NULL ||
		    count(*out, DB_CHANNEL_OUTBOX, DB_TOLD_WAITING) == 0 ||
		    clock_mono_us() >= until)
			return true;
		/* Another node may be at it, too. */
		outbox_wait(rq->app->outbox, clock_mono_us() + LOOK_US);
	}
}

bool
logout_is_open(struct request *rq, bool *open, struct err *err)
{
	const struct db_logout *l;

	if (!load(rq, &l, err))
		return false;
	*open = l != NULL && !all_confirmed(l);
	return true;
}

bool
logout_wait(struct logout *l, bool *all, struct err *err)
{
	const struct db_logout *now;

	*all = l->n_told == 0 && !l->again && !l->asker.left;
	if (l->n_told == 0)
		return true;
	if (!load_settled(l->rq, l->handle, &now, err))
		return false;
	*all = now != NULL && all_confirmed(now) && !l->asker.left;
	return true;
}

bool
logout_go_on(struct logout *l, struct response *rs, struct err *err)
{
	if (l->n_told == 0)
		return answer(l->rq, &l->asker, !l->again, rs, err);
	response_cookie(l->rq, rs, LOGOUT_COOKIE, l->handle, HANDLE_LIVES_S);
	response_redirect(rs, LOGOUT_PORTALS "?go=1");
	return true;
}

/* ---- the page ---- */

/* A portal's own front door, for who has to log out there by hand. */
static const char *
link_to(struct arena *a, const struct party *p)
{
	if (p == NULL)
		return NULL;
	if (p->oidc != NULL) {
		const struct oidc_strs *uris = &p->oidc->redirect_uris;

		/* An application on somebody's own device has none. */
		return uris->n > 0 && text_starts(uris->s[0], "https://")
			       ? arena_printf(a, "%s/", url_origin(a, uris->s[0]))
			       : NULL;
	}
	if (p->saml->acs.n > 0)
		return arena_printf(a, "%s/", url_origin(a, p->saml->acs.p[0].url));
	return NULL;
}

/* The frames of a page; loading them again does no harm. */
struct frames {
	const char **urls;    /* of each row of the logout; NULL: it has none */
	const char **origins; /* each once */
	size_t n_origins;
	char *list; /* of these, as the header has them */
	size_t n_list;
};

/* The page may frame this origin; false: as many as fit into the header are allowed before. */
static bool
frames_allow(struct frames *f, const char *origin)
{
	size_t n = strlen(origin) + 1;

	for (size_t i = 0; i < f->n_origins; i++)
		if (text_eq(f->origins[i], origin))
			return true;
	if (f->n_list + n > ORIGINS_MAX_BYTES)
		return false;
	if (f->n_list > 0)
		f->list[f->n_list - 1] = ' ';
	memcpy(f->list + f->n_list, origin, n);
	f->n_list += n;
	f->origins[f->n_origins++] = origin;
	return true;
}

static bool
frames_of(struct request *rq, const struct db_logout *l, struct frames *f, struct err *err)
{
	*f = (struct frames){
		.urls = ARENA_ARRAY(rq->a, const char *, l->n + 1),
		.origins = ARENA_ARRAY(rq->a, const char *, l->n + 1),
		.list = ARENA_ARRAY(rq->a, char, ORIGINS_MAX_BYTES),
	};
	for (size_t i = 0; i < l->n; i++) {
		const struct party *p = party_find(&rq->snap->parties, l->rows[i].party);
		const char *url;

		if (l->rows[i].channel != DB_CHANNEL_FRAME)
			continue;
		if (!logout_frame_url(rq->a, p, l->rows[i].content, rq->app->config->base_url, &url,
				      err))
			return false;
		if (url != NULL && frames_allow(f, url_origin(rq->a, url)))
			f->urls[i] = url;
	}
	return true;
}

static void
put_frames(struct request *rq, const struct db_logout *l, const struct frames *f, json_t *vars,
	   struct response *rs)
{
	json_t *frames = json_new_array(rq->a);

	for (size_t i = 0; i < l->n; i++) {
		json_t *frame = json_new_object(rq->a);

		if (f->urls[i] == NULL)
			continue;
		json_put_str(rq->a, frame, "src", f->urls[i]);
		json_put_str(rq->a, frame, "name",
			     party_find(&rq->snap->parties, l->rows[i].party)->display_name);
		json_push(rq->a, frames, frame);
	}
	json_put(rq->a, vars, "frames", frames);
	rs->frame_src = f->list;
}

/* Of one party's rows the worst counts. */
static enum db_told_state
worse_of(enum db_told_state x, enum db_told_state y)
{
	static const int badness[] = {
		[DB_TOLD_CONFIRMED] = 0, [DB_TOLD_CLAIMED] = 1,  [DB_TOLD_WAITING] = 2,
		[DB_TOLD_SENT] = 3,      [DB_TOLD_RETRYING] = 4, [DB_TOLD_FAILED] = 5,
	};

	return badness[x] >= badness[y] ? x : y;
}

static const char *
state_word(const struct db_told_row *row, bool framed, enum db_told_state state)
{
	static const char *const words[] = {
		[DB_TOLD_WAITING] = "waiting",     [DB_TOLD_SENT] = "no_answer",
		[DB_TOLD_CONFIRMED] = "confirmed", [DB_TOLD_CLAIMED] = "claimed",
		[DB_TOLD_RETRYING] = "retrying",   [DB_TOLD_FAILED] = "failed",
	};

	/* Of a client that has no URI for it any more, or that is one too many, there is none. */
	if (row->channel == DB_CHANNEL_FRAME)
		return framed ? "framed" : "failed";
	return row->channel == DB_CHANNEL_NONE ? "unsupported" : words[state];
}

static json_t *
portal_rows(struct request *rq, const struct db_logout *l, const struct frames *f)
{
	json_t *rows = json_new_array(rq->a), *o = json_new_object(rq->a);

	/* In the order of parties, so those of one stand together. */
	for (size_t i = 0; i < l->n;) {
		const struct party *p = party_find(&rq->snap->parties, l->rows[i].party);
		enum db_told_state state = l->rows[i].state;
		bool framed = f->urls[i] != NULL;
		size_t j = i + 1;

		for (; j < l->n && text_eq(l->rows[j].party, l->rows[i].party); j++)
			state = worse_of(state, l->rows[j].state);
		json_t *row = json_new_object(rq->a);

		json_put_str(rq->a, row, "name", p == NULL ? l->rows[i].party : p->display_name);
		json_put_str(rq->a, row, "state", state_word(&l->rows[i], framed, state));
		if (state != DB_TOLD_CONFIRMED && state != DB_TOLD_WAITING)
			json_put_str(rq->a, row, "url", link_to(rq->a, p));
		json_push(rq->a, rows, row);
		i = j;
	}
	json_put(rq->a, o, "portals", rows);
	return o;
}

/* What is still to come (go), what was broken off (stuck), or what came of it. */
static bool
show_portals(struct request *rq, const struct db_logout *l, struct response *rs, struct err *err)
{
	bool more = count(l, DB_CHANNEL_FRONT, DB_TOLD_WAITING) > 0;
	bool go = more && request_query(rq, "go") != NULL;
	json_t *vars = json_new_object(rq->a);
	struct logout_asker asker;
	struct frames frames;

	if (!back_read(rq, l->back, &asker, err) || !frames_of(rq, l, &frames, err))
		return false;
	if (!go)
		put_frames(rq, l, &frames, vars, rs);
	json_put(rq->a, vars, "results", portal_rows(rq, l, &frames));
	if (more)
		json_put_str(rq->a, vars, "next_url", LOGOUT_NEXT);
	else
		json_put_str(rq->a, vars, "back_url",
			     asker.request != NULL || asker.url != NULL ? LOGOUT_BACK : "/");
	if (!go)
		json_put_bool(rq->a, vars, "incomplete", true);
	if (asker.party != NULL)
		json_put_str(rq->a, vars, "portal_name", asker.party->display_name);
	if (go)
		/* At once, so that nothing is lost to who reads slowly (WCAG 2.2.1, G110). */
		response_header(rs, "Refresh", "0; url=" LOGOUT_NEXT);
	return show_page(rq, rs, 200, "logout_portals", vars, LOGOUT_PORTALS, err);
}

bool
logout_portals_handle(struct request *rq, struct response *rs, struct err *err)
{
	const struct db_logout *l;
	struct logout_asker asker;

	if (!load(rq, &l, err))
		return false;
	if (l == NULL) {
		response_redirect(rs, "/logout");
		return true;
	}
	if (count(l, DB_CHANNEL_FRONT, DB_TOLD_WAITING) == 0 &&
	    !load_settled(rq, request_cookie(rq, LOGOUT_COOKIE), &l, err))
		return false;
	if (l == NULL || !all_confirmed(l))
		return l != NULL ? show_portals(rq, l, rs, err) : logout_show_done(rq, rs, err);
	if (!back_read(rq, l->back, &asker, err))
		return false;
	response_cookie(rq, rs, LOGOUT_COOKIE, "", 0);
	return answer(rq, &asker, true, rs, err);
}

/* ---- the browser's way from party to party ---- */

static bool
send_to(struct request *rq, const struct db_logout_step *step, const struct party *p,
	const struct saml_endpoint *to, struct response *rs, struct err *err)
{
	const char *us = rq->app->config->entity_id;
	struct saml_logout_ask ask;
	struct saml_carrier carrier;
	struct saml_peer peer;

	if (!logout_ask_read(rq->a, step->content, us, p->id, rq->now, &ask, err) ||
	    !saml_peer_of(rq, p, &peer, err))
		return false;
	struct saml_logout_send how = {
		.binding = to->binding,
		.url = to->url,
		.id = step->request,
		.issuer = us,
		.issued_at = rq->now,
		.signer = peer.signer,
	};

	return saml_logout_request_build(rq->a, &how, &ask, &carrier, err) &&
	       saml_send(rq, &carrier, p, rs, err);
}

/* It cannot be told; one broken party stops none of the others. */
static bool
pass_over(struct request *rq, const struct db_logout_step *step, const struct err *why,
	  struct err *err)
{
	struct db_call c = call_of(rq);
	bool taken;

	log_err(LOG_LVL_WARN, "logout_not_sent", why, "ref", rq->ref, "party", step->party, NULL);
	return db_logout_answer(&c, step->party, step->request, DB_TOLD_FAILED, &taken, err);
}

bool
logout_next_handle(struct request *rq, struct response *rs, struct err *err)
{
	const char *handle = request_cookie(rq, LOGOUT_COOKIE);
	const struct db_logout_step *step = NULL;
	struct db_call c = call_of(rq);

	do {
		if (handle != NULL && !db_logout_next(&c, handle, rq->now, &step, err))
			return false;
		if (step == NULL) {
			response_redirect(rs, LOGOUT_PORTALS);
			return true;
		}
		const struct party *p = party_find(&rq->snap->parties, step->party);
		const struct saml_endpoint *to =
			p == NULL || p->saml == NULL || party_is_over(p, rq->now)
				? NULL
				: saml_party_slo(p->saml, SAML_BINDING_NONE);

		struct err why = {0};

		/* Of one that is gone or over since, it is said that it gave no answer. */
		if (to == NULL)
			continue;
		if (send_to(rq, step, p, to, rs, &why))
			return true;
		*rs = (struct response){0};
		if (!pass_over(rq, step, &why, err))
			return false;
	} while (true);
}

bool
logout_back_handle(struct request *rq, struct response *rs, struct err *err)
{
	struct logout_asker asker;
	const struct db_logout *l;

	if (!load(rq, &l, err))
		return false;
	if (l == NULL) {
		response_redirect(rs, "/logout");
		return true;
	}
	if (!back_read(rq, l->back, &asker, err))
		return false;
	response_cookie(rq, rs, LOGOUT_COOKIE, "", 0);
	return answer(rq, &asker, all_confirmed(l), rs, err);
}
