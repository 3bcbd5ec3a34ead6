/* From a gated request to an answer; see app.h. */
#include "idp/app.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "db/db.h"
#include "idp/config.h"
#include "idp/cors.h"
#include "idp/csrf.h"
#include "idp/fetch.h"
#include "idp/problem.h"
#include "idp/refusal.h"

static time_t
real_clock(struct app *app)
{
	(void)app;
	return clock_now();
}

void
app_init(struct app *app, struct arena *a, const struct config *config, const struct route *table)
{
	app->config = config;
	app->routes = table;
	app->clock = real_clock;
	app->post = fetch_post;
	app->mail = fetch_mail;
	app->get = fetch_get;
	app->stream = fetch_stream;
	app->metrics = metrics_create(a, table);
	app->refusals = refusals_create(a);
	snapshots_init(&app->snapshots);
}

void
app_finish(struct app *app)
{
	snapshots_finish(&app->snapshots);
}

const struct document *
app_document(const struct app *app, const struct snapshot *snap, struct bytes path)
{
	const struct document *doc = NULL;

	if (snap != NULL)
		doc = documents_find(&snap->documents, path);
	return doc != NULL ? doc : documents_find(&app->assets, path);
}

void
app_publish(struct app *app, struct snapshot *snap)
{
	if (app->documents_ready != NULL)
		app->documents_ready(snap->a, &snap->documents);
	snapshot_publish(&app->snapshots, snap);
}

void
app_make_ref(char ref[REQUEST_REF_BYTES])
{
	static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* Crockford */
	unsigned char r[12];
	char c[12];

	rand_bytes(r, sizeof(r));
	for (size_t i = 0; i < sizeof(c); i++)
		c[i] = letters[r[i] % 32];
	snprintf(ref, REQUEST_REF_BYTES, "%.4s-%.4s-%.4s", c, c + 4, c + 8);
}

/* RFC 9110 4.2.3: names compare without case, and an https port of 443 may be spelled out. */
bool
app_is_host(struct bytes host, const char *ours)
{
	if (strchr(ours, ':') == NULL && bytes_end(host, ":443"))
		host.n -= strlen(":443");
	return host.n == strlen(ours) && strncasecmp((const char *)host.p, ours, host.n) == 0;
}

/* The name we answer under is configuration; a request for another one is not ours. */
static bool
host_fits(const struct app *app, const struct raw_request *raw, const struct gate_head *head,
	  const struct route *route)
{
	if (raw->internal || (route != NULL && route->flags & ROUTE_HEALTH))
		return true;
	if (app_is_host(head->host, app->config->host))
		return true;
	return app->config->mtls_host != NULL && app_is_host(head->host, app->config->mtls_host) &&
	       (route == NULL || route_takes_certificates(route));
}

struct app_target
app_route(const struct app *app, const struct raw_request *raw, const struct gate_head *head)
{
	bool known;
	const struct route *r =
		route_find(app->routes, head->method, head->path, raw->internal, &known);
	struct app_target t = {NULL, 0};

	if (!host_fits(app, raw, head, r))
		t.status = 421;
	else if (r == NULL)
		t.status = known ? 405 : 404;
	else if (head->query.n > r->max_query_bytes)
		t.status = 414;
	else if (head->content_length > r->max_body_bytes || raw->body.n > r->max_body_bytes)
		t.status = 413;
	else
		t.route = r;
	return t;
}

/* How long, in the few classes that tell nothing about a single person's doings. */
static const char *
duration_class(int64_t us)
{
	if (us < 10000)
		return "<10ms";
	if (us < 100000)
		return "<100ms";
	if (us < 1000000)
		return "<1s";
	return us < 10000000 ? "<10s" : ">=10s";
}

/* Everything one request needs, so that it can be passed through arena_run. */
struct work {
	struct app *app;
	struct arena *a;
	const struct raw_request *raw;
	const struct gate_head *head;
	const struct route *route;
	const char *why;
	struct response *rs;
	struct request rq;
	struct err err;
	int status; /* of the refusal; 0: ask the handler */
};

static void
log_outcome(const struct work *w, int64_t duration_us)
{
	char status[8];
	const char *path = w->route == NULL ? "none" : w->route->path;

	snprintf(status, sizeof(status), "%d", w->rs->status);
	if (w->err.kind != ERR_NONE) {
		enum log_level level = w->rs->status >= 500 ? LOG_LVL_ERROR : LOG_LVL_INFO;

		log_err(level, "request", &w->err, "ref", w->rq.ref, "route", path, "status",
			status, "took", duration_class(duration_us), NULL);
		return;
	}
	/* Documents, health and metrics are counted; a line for each would drown the rest. */
	if (w->why == NULL && w->route != NULL &&
	    (w->route->lane == LANE_LOOP || w->route->flags & ROUTE_INTERNAL))
		return;
	log_event(LOG_LVL_INFO, "request", "ref", w->rq.ref, "route", path, "status", status,
		  "took", duration_class(duration_us), "why", w->why, NULL);
}

static void
release_snapshot(void *p)
{
	snapshot_release(p);
}

/* A POST whose form changes something comes from a page of ours, as a form. */
static bool
check_form(const struct request *rq, struct err *err)
{
	if (rq->method == HTTP_GET || rq->route->flags & (ROUTE_PROTOCOL | ROUTE_MACHINE))
		return true;
	return csrf_check(rq, err);
}

/*
 * What every answer rests on: keys and parties, and that time and they are those of the other
 * nodes.  The program's first snapshot comes with the database; what needs none answers before.
 */
static bool
check_ground(const struct request *rq, struct err *err)
{
	if (rq->app->db == NULL || rq->route->lane == LANE_LOOP ||
	    rq->route->flags & ROUTE_INTERNAL)
		return true;
	if (rq->snap == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "keys and parties are not loaded yet");
	return db_in_step(rq->app->db, err);
}

static bool
run_handler(struct work *w)
{
	struct request *rq = &w->rq;

	if (!request_parse(rq, w->raw, w->head, &w->err)) {
		w->rs->close = true;
		return false;
	}
	return check_ground(rq, &w->err) && check_form(rq, &w->err) &&
	       rq->route->handle(rq, w->rs, &w->err);
}

static void
answer_failure(struct work *w)
{
	bool soap = w->route != NULL && w->route->flags & ROUTE_SOAP;
	bool machine = !soap && w->route != NULL && w->route->flags & ROUTE_MACHINE;
	struct problem p = {.status = w->status, .machine = machine};
	bool close = w->rs->close;

	if (w->status == 0)
		p = problem_of(&w->err, machine);
	p.soap = soap;
	p.ref = w->rq.ref;
	p.lang = w->rq.lang;
	problem_answer(w->app, w->a, &p, w->rs);
	w->rs->close = close;
	if (p.status == 405 && w->head != NULL)
		response_header(
			w->rs, "Allow",
			route_methods(w->a, w->app->routes, w->head->path, w->raw->internal));
}

static void
do_answer(void *p)
{
	struct work *w = p;

	w->rq.snap = snapshot_hold(&w->app->snapshots);
	arena_defer(w->a, release_snapshot, (void *)(uintptr_t)w->rq.snap);
	if (!run_handler(w)) {
		refusal_note(&w->rq, &w->err);
		answer_failure(w);
	}
	cors_allow(&w->rq, w->rs);
	if (w->rq.dpop_nonce != NULL)
		response_header(w->rs, "DPoP-Nonce", w->rq.dpop_nonce);
	response_finish(w->a, w->rs);
	if (w->rs->fault != NULL) {
		(void)!FAIL(&w->err, ERR_INTERNAL, NULL, "%s", w->rs->fault);
		answer_failure(w);
		response_finish(w->a, w->rs);
	}
}

static void
do_refuse(void *p)
{
	struct work *w = p;
	struct bytes wish;
	const char *text;

	if (gate_header_find(w->raw, "accept-language", &wish) &&
	    text_from_bytes(w->a, wish, 256, "language", &text, NULL))
		w->rq.lang = request_accept_language(text);
	answer_failure(w);
	response_finish(w->a, w->rs);
}

/* The handler needed more than its row allows, or there is; nothing it made may be read. */
static void
answer_overflow(struct work *w)
{
	bool full = arena_was_full(w->a);

	w->rs->close = false;
	(void)arena_run_failed(w->a, &w->err);
	arena_reset(w->a);
	w->status = !full ? 503 : w->raw->body.n > 0 ? 413 : 500;
	if (!arena_run(w->a, do_refuse, w)) {
		arena_reset(w->a);
		problem_answer_static(w->status, w->rs);
	}
}

static int64_t
elapsed(int64_t since_us)
{
	int64_t now_us = clock_mono_us();

	return now_us > since_us ? now_us - since_us : 0;
}

void
app_answer(struct app *app, struct arena *a, const struct raw_request *raw,
	   const struct gate_head *head, const struct route *route, struct worker *worker,
	   int64_t arrived_us, int64_t deadline_us, struct response *rs)
{
	struct work w = {.app = app, .a = a, .raw = raw, .head = head, .route = route, .rs = rs};

	*rs = (struct response){0};
	w.rq.a = a;
	w.rq.app = app;
	w.rq.route = route;
	w.rq.worker = worker;
	w.rq.now = app->clock(app);
	w.rq.deadline_us = deadline_us;
	app_make_ref(w.rq.ref);
	if (!arena_run(a, do_answer, &w))
		answer_overflow(&w);
	int64_t took_us = elapsed(arrived_us);

	metrics_request(app->metrics, route, rs->status, took_us);
	log_outcome(&w, took_us);
}

void
app_refuse(struct app *app, struct arena *a, const struct raw_request *raw,
	   const struct gate_head *head, const struct route *route, int status, const char *why,
	   struct response *rs)
{
	struct work w = {.app = app,
			 .a = a,
			 .raw = raw,
			 .head = head,
			 .route = route,
			 .rs = rs,
			 .status = status,
			 .why = why};

	*rs = (struct response){.close = head == NULL};
	app_make_ref(w.rq.ref);
	if (!arena_run(a, do_refuse, &w)) {
		arena_reset(a);
		problem_answer_static(status, rs);
	}
	metrics_request(app->metrics, route, status, 0);
	log_outcome(&w, 0);
}

void
app_handle(struct app *app, struct arena *a, const struct raw_request *raw, struct worker *worker,
	   struct response *rs)
{
	int64_t now_us = clock_mono_us();
	struct gate_head head;
	enum gate_rule rule = gate_check(raw, &head);

	if (rule != GATE_PASS) {
		metrics_gate(app->metrics, rule);
		app_refuse(app, a, raw, NULL, NULL, gate_rule_status(rule), gate_rule_name(rule),
			   rs);
		return;
	}
	struct app_target t = app_route(app, raw, &head);

	if (t.route == NULL)
		app_refuse(app, a, raw, &head, NULL, t.status, "route", rs);
	else
		app_answer(app, a, raw, &head, t.route, worker, now_us,
			   now_us + app->config->request_deadline_ms * 1000, rs);
}
