/*
 * One request and its answer; see server_exchange.h.
 *
 * A connection lives on one event loop.  Its request is collected there, passes
 * the gate and the route table, and is answered there or handed to a lane: then
 * the connection is suspended, and only the worker touches its exchange until it
 * resumes it.
 */
#include "idp/server_exchange.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"

#define LOOP_ARENA_BYTES ((size_t)128 * 1024)
#define BUSY_LOG_US      1000000

/* ---- answers ---- */

/* A body on its way out, in an arena of its own: it may be an assertion, and is wiped when sent. */
struct kept_body {
	struct arena *a;
	struct bytes from, copy;
};

static void
keep_body(void *p)
{
	struct kept_body *b = p;

	b->copy = arena_bytes(b->a, b->from);
}

static void
release_arena(void *p)
{
	arena_destroy(p);
}

/* NULL: memory is out. */
static struct MHD_Response *
make_body(struct bytes body)
{
	struct kept_body b = {arena_create(body.n + SERVER_BODY_SLACK_BYTES), body, {NULL, 0}};
	struct MHD_Response *r = NULL;

	if (b.a != NULL && arena_run(b.a, keep_body, &b))
		r = MHD_create_response_from_buffer_with_free_callback_cls(
			body.n, (void *)(uintptr_t)b.copy.p, release_arena, b.a);
	if (r == NULL)
		arena_destroy(b.a);
	return r;
}

/* The answer in libmicrohttpd's form, with a copy of the body; NULL: memory is out. */
static struct MHD_Response *
make_answer(const struct server *s, const struct response *rs)
{
	struct MHD_Response *r = make_body(rs->body);

	if (r == NULL)
		return NULL;
	for (size_t i = 0; i < rs->n_headers; i++) {
		const struct header *h = &rs->headers[i];

		/* The library takes no empty value; none is as good. */
		if (h->value[0] == '\0' || MHD_add_response_header(r, h->name, h->value) == MHD_YES)
			continue;
		MHD_destroy_response(r);
		return NULL;
	}
	if (rs->close || (s != NULL && atomic_load(&s->closing)))
		(void)MHD_add_response_header(r, "Connection", "close");
	return r;
}

static enum MHD_Result
send_answer(struct conn *c, unsigned status, struct MHD_Response *r)
{
	patience_enter(&c->patience, PATIENCE_SEND);
	return r == NULL ? MHD_NO : MHD_queue_response(c->mhd, status, r);
}

/* A refusal, built on the event loop; r is the exchange's then. */
static void
refuse(struct conn *c, int status, const char *why)
{
	struct exchange *x = &c->x;
	struct arena *a = arena_create(LOOP_ARENA_BYTES);
	struct response rs = {0};
	const struct gate_head *head = x->head.path.n > 0 ? &x->head : NULL;

	if (a == NULL)
		return;
	app_refuse(c->server->app, a, &x->raw, head, x->target.route, status, why, &rs);
	x->answer = make_answer(c->server, &rs);
	x->status = (unsigned)rs.status;
	arena_destroy(a);
}

static enum MHD_Result
refuse_now(struct conn *c, int status, const char *why)
{
	refuse(c, status, why);
	return send_answer(c, c->x.status, c->x.answer);
}

/* ---- documents ---- */

static void
destroy_wire(void *p)
{
	MHD_destroy_response(p);
}

void
server_documents_ready(struct arena *a, struct documents *docs)
{
	for (size_t i = 0; i < docs->n; i++) {
		struct document *d = &docs->d[i];

		for (int form = 0; form < DOCUMENT_FORMS; form++) {
			struct response rs = {0};

			if (form == DOCUMENT_GZIP && d->gzip.n == 0)
				continue;
			document_answer(d, (enum document_form)form, &rs);
			response_finish(a, &rs);
			d->wire[form] = make_answer(NULL, &rs);
			if (d->wire[form] != NULL)
				arena_defer(a, destroy_wire, d->wire[form]);
		}
	}
}

static struct bytes
find_header(const struct exchange *x, const char *name)
{
	struct bytes v;

	return gate_header_find(&x->raw, name, &v) ? v : (struct bytes){NULL, 0};
}

/* The short way of a prebuilt document: no arena, no copy.  False: take the long one. */
static bool
answer_document(struct conn *c, enum MHD_Result *result)
{
	struct exchange *x = &c->x;
	struct app *app = c->server->app;

	if (atomic_load_explicit(&c->server->closing, memory_order_relaxed))
		return false;
	const struct snapshot *snap = snapshot_hold(&app->snapshots);
	const struct document *d = app_document(app, snap, x->head.path);
	enum document_form form = DOCUMENT_PLAIN;

	if (d != NULL)
		form = document_choose(d, find_header(x, "if-none-match"),
				       find_header(x, "accept-encoding"));
	bool there = d != NULL && d->wire[form] != NULL;

	if (there) {
		unsigned status = form == DOCUMENT_NOT_MODIFIED ? 304 : 200;

		*result = send_answer(c, status, d->wire[form]);
		metrics_request(app->metrics, x->target.route, (int)status,
				clock_mono_us() - x->arrived_us);
	}
	snapshot_release(snap);
	return there;
}

/* ---- refusals of a lane ---- */

static struct MHD_Response *
make_busy(struct server *s, const struct problem *p)
{
	struct arena *a = arena_create(LOOP_ARENA_BYTES);
	struct response rs;

	if (a == NULL)
		return NULL;
	problem_answer(s->app, a, p, &rs);
	response_finish(a, &rs);
	struct MHD_Response *r = make_answer(NULL, &rs);

	arena_destroy(a);
	return r;
}

bool
server_busy_ready(struct server *s, struct err *err)
{
	for (int machine = 0; machine < 2; machine++)
		for (int lang = 0; lang < LANG_COUNT; lang++)
			for (int i = 0; i < PROBLEM_RETRY_MOST_S; i++) {
				struct problem p = {.status = 503,
						    .ref = "",
						    .lang = (enum lang)lang,
						    .machine = machine == 1,
						    .retry_s = 1 + i};
				struct MHD_Response *r = make_busy(s, &p);

				if (r == NULL)
					return FAIL(err, ERR_UNAVAILABLE, NULL,
						    "no memory for refusals");
				arena_defer(s->a, destroy_wire, r);
				s->refusal[machine][lang][i] = r;
			}
	return true;
}

/* A line for each would cost more than refusing; all are counted, and a second has one line. */
static void
note_busy(struct conn *c, const char *why)
{
	struct server *s = c->server;
	const struct route *route = c->x.target.route;
	int64_t now_us = clock_mono_us();
	int_fast64_t last_us = atomic_load(&s->busy_logged_us[route->lane]);

	metrics_request(s->app->metrics, route, 503, now_us - c->x.arrived_us);
	if (now_us - last_us >= BUSY_LOG_US &&
	    atomic_compare_exchange_strong(&s->busy_logged_us[route->lane], &last_us, now_us))
		log_event(LOG_LVL_WARN, "overload", "lane", lane_name(route->lane), "why", why,
			  NULL);
}

/*
 * Ready-made, without a reference: where a lane is full, refusing must cost next to
 * nothing, or it would take the time of those who were let in.
 */
static enum MHD_Result
refuse_busy(struct conn *c, const char *why)
{
	struct exchange *x = &c->x;
	struct bytes wish = find_header(x, "accept-language");
	char text[128];
	unsigned char spread;

	note_busy(c, why);
	if (atomic_load_explicit(&c->server->closing, memory_order_relaxed))
		return refuse_now(c, 503, why); /* which ends the connection */
	snprintf(text, sizeof(text), "%.*s", (int)wish.n, wish.p == NULL ? "" : (char *)wish.p);
	rand_bytes(&spread, 1);
	return send_answer(
		c, 503,
		c->server->refusal[(x->target.route->flags & ROUTE_MACHINE) != 0]
				  [request_accept_language(text)][spread % PROBLEM_RETRY_MOST_S]);
}

/* ---- running a handler ---- */

static void
run_handler(struct conn *c, struct worker *w)
{
	struct exchange *x = &c->x;
	const struct config *config = c->server->config;
	struct arena *a = w == NULL ? arena_create(x->target.route->arena_bytes) : w->a;
	struct response rs = {0};

	if (a == NULL)
		return;
	arena_set_cap(a, x->target.route->arena_bytes);
	app_answer(c->server->app, a, &x->raw, &x->head, x->target.route, w, x->arrived_us,
		   x->arrived_us + config->request_deadline_ms * 1000, &rs);
	x->answer = make_answer(c->server, &rs);
	x->status = (unsigned)rs.status;
	if (w == NULL)
		arena_destroy(a);
	else
		arena_reset(a);
}

static struct conn *
conn_of_job(struct job *j)
{
	return (struct conn *)(void *)((char *)j - offsetof(struct conn, x.job));
}

void
server_wake(struct loop *l)
{
	(void)!eventfd_write(l->wake_fd, 1);
}

/* Afterwards the exchange is the event loop's again, and may be gone. */
static void
resume(struct conn *c)
{
	struct loop *l = c->loop;

	MHD_resume_connection(c->mhd);
	server_wake(l);
}

static void
job_run(struct job *j, struct worker *w)
{
	struct conn *c = conn_of_job(j);

	run_handler(c, w);
	resume(c);
}

static void
job_drop(struct job *j)
{
	struct conn *c = conn_of_job(j);

	c->x.turned_off = true;
	resume(c);
}

static enum MHD_Result
enter_lane(struct conn *c)
{
	struct exchange *x = &c->x;
	struct lanes *lanes = c->server->app->lanes;
	enum lane lane = x->target.route->lane;
	int64_t late_us = x->arrived_us + c->server->config->queue_deadline_ms * 1000;

	bool begins = x->target.route->flags & ROUTE_BEGINS;

	/* Half a login is worth nothing: who begins one is refused before who goes on. */
	if ((x->target.route->flags & ROUTE_REDEEMS && lane_is_full(lanes, LANE_TOKEN, late_us)) ||
	    !lane_reserve(lanes, lane, begins, late_us))
		return refuse_busy(c, "full");
	x->job = (struct job){
		.late_us = late_us, .begins = begins, .run = job_run, .drop = job_drop};
	patience_enter(&c->patience, PATIENCE_WORK);
	/* Suspended first: a worker may be done before lane_push returns. */
	MHD_suspend_connection(c->mhd);
	lane_push(lanes, lane, &x->job);
	return MHD_YES;
}

/* The request is complete. */
static enum MHD_Result
dispatch(struct conn *c)
{
	struct exchange *x = &c->x;
	enum MHD_Result result;

	x->arrived_us = clock_mono_us();
	x->raw.body = (struct bytes){x->body.p, x->body.n};
	if (x->body.over)
		return refuse_now(c, 413, "body");
	if (x->target.route == NULL)
		return refuse_now(c, x->target.status, "route");
	if (x->target.route->lane != LANE_LOOP)
		return enter_lane(c);
	if (x->target.route->handle == document_handle && answer_document(c, &result))
		return result;
	run_handler(c, NULL);
	return send_answer(c, x->status, x->answer);
}

/* ---- collecting a request ---- */

static struct bytes
trimmed(const char *p, size_t n)
{
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	return (struct bytes){(const unsigned char *)p, n};
}

/* Collecting headers, and following where they lie in the parser's buffer. */
struct collect {
	struct exchange *x;
	const char *next; /* where the next header's name must begin */
	bool torn;
};

/*
 * libmicrohttpd 0.9.75 takes a bare LF for a line's end, cuts a value at a NUL
 * and glues a folded line to the header's name.  It parses in place, so each of
 * these shows in where names and values lie: an honest line is
 * name ':' blanks value CR LF, with ':' CR LF overwritten by NULs.  A library that
 * lays them out otherwise makes every request look torn, which no test survives.
 */
static bool
lies_well(const struct collect *k, const char *name, size_t name_n, const char *value,
	  size_t value_n)
{
	const char *p = name + name_n;

	if (name != k->next || value <= p || (size_t)(value - p) > GATE_HEADERS_MAX_BYTES)
		return false;
	for (p++; p < value; p++)
		if (*p != ' ' && *p != '\t')
			return false;
	return value[value_n] == '\0' && value[value_n + 1] == '\0';
}

static enum MHD_Result
collect_header(void *p, enum MHD_ValueKind kind, const char *name, size_t name_n, const char *value,
	       size_t value_n)
{
	struct collect *k = p;
	struct raw_request *raw = &k->x->raw;

	(void)kind;
	if (value == NULL || !lies_well(k, name, name_n, value, value_n))
		k->torn = true;
	else
		k->next = value + value_n + 2;
	if (raw->n_headers > GATE_HEADERS_MAX)
		return MHD_NO; /* one more than allowed is enough for the gate */
	k->x->headers[raw->n_headers++] =
		(struct raw_header){{(const unsigned char *)name, name_n},
				    trimmed(value == NULL ? "" : value, value_n)};
	return MHD_YES;
}

static void
collect_head(struct conn *c, const char *method, const char *version)
{
	struct exchange *x = &c->x;
	/* "METHOD TARGET VERSION" CR LF, in the same buffer as the headers. */
	struct collect k = {x, version + strlen(version) + 2, false};

	x->raw = (struct raw_request){.method = bytes_of(method),
				      .version = bytes_of(version),
				      .target = c->target,
				      .headers = x->headers,
				      .peer = c->peer,
				      .internal = c->internal};
	(void)MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, collect_header, &k);
	/*
	 * The request line and the empty line after the headers end in NUL NUL too;
	 * one NUL each parts method, target and version.  Too many headers were not
	 * followed to their end.
	 */
	bool whole =
		x->raw.n_headers > GATE_HEADERS_MAX || (k.next[0] == '\0' && k.next[1] == '\0');

	x->raw.torn = k.torn || version[strlen(version) + 1] != '\0' ||
		      c->target_from != method + strlen(method) + 1 ||
		      c->target_to + 1 != version || !whole;
}

/* Growing by doubling leaves less than three times the limit behind. */
static bool
expect_body(struct exchange *x)
{
	size_t most = x->target.route->max_body_bytes;

	x->body_arena = arena_create(4 * most + SERVER_BODY_SLACK_BYTES);
	if (x->body_arena != NULL)
		buf_init(&x->body, x->body_arena, most);
	return x->body_arena != NULL;
}

/* First call for a request: the head alone is here. */
static enum MHD_Result
begin(struct conn *c, const char *method, const char *version)
{
	struct exchange *x = &c->x;

	x->begun = true;
	atomic_fetch_add(&c->server->busy, 1);
	server_greet(c);
	collect_head(c, method, version);
	enum gate_rule rule = gate_check(&x->raw, &x->head);

	if (rule != GATE_PASS) {
		metrics_gate(c->server->app->metrics, rule);
		return refuse_now(c, gate_rule_status(rule), gate_rule_name(rule));
	}
	x->target = app_route(c->server->app, &x->raw, &x->head);
	/* An answer before the body closes the connection; without a body it may stay. */
	if (x->target.route == NULL && x->head.has_body)
		return refuse_now(c, x->target.status, "route");
	patience_enter(&c->patience, x->head.has_body ? PATIENCE_BODY : PATIENCE_WORK);
	return !x->head.has_body || expect_body(x) ? MHD_YES : MHD_NO;
}

/* A piece of the body on its way into the exchange, through arena_run. */
struct piece {
	struct exchange *x;
	struct bytes data;
};

static void
add_piece(void *p)
{
	struct piece *piece = p;

	buf_add(&piece->x->body, piece->data);
}

/*
 * Chunked bodies may prove too large only now: a little more is read so that
 * the refusal can be sent, a lot more ends the connection.
 */
static enum MHD_Result
collect_body(struct conn *c, const char *data, size_t *n)
{
	struct exchange *x = &c->x;
	struct piece piece = {x, {(const unsigned char *)data, *n}};

	x->body_seen += *n;
	*n = 0;
	if (x->body_seen > 4 * x->body.max + SERVER_POOL_BYTES)
		return MHD_NO;
	return arena_run(x->body_arena, add_piece, &piece) ? MHD_YES : MHD_NO;
}

enum MHD_Result
server_on_access(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
		 const char *version, const char *data, size_t *data_n, void **request)
{
	struct conn *c = *request;

	(void)cls, (void)mhd, (void)url;
	if (c == NULL)
		return MHD_NO;
	if (c->x.answer != NULL)
		return send_answer(c, c->x.status, c->x.answer);
	if (c->x.turned_off)
		return refuse_busy(c, "late");
	if (!c->x.begun)
		return begin(c, method, version);
	if (*data_n > 0)
		return collect_body(c, data, data_n);
	/* Back from a lane without an answer: memory was out. */
	if (c->x.job.run != NULL)
		return MHD_NO;
	return dispatch(c);
}

static struct conn *
conn_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info == NULL ? NULL : info->socket_context;
}

static void
keep_target(void *p)
{
	struct conn *c = p;

	c->target = arena_bytes(c->target_a, c->target);
}

/* The request line is here, the parser has not yet cut it up: keep the target. */
void *
server_on_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
	struct conn *c = conn_of(mhd);

	(void)cls;
	if (c == NULL)
		return NULL;
	if (patience_phase_of(&c->patience) == PATIENCE_IDLE)
		patience_enter(&c->patience, PATIENCE_HEAD);
	c->target = bytes_of(target == NULL ? "" : target);
	c->target_from = target;
	c->target_to = target == NULL ? NULL : target + c->target.n;
	if (c->target.n > GATE_TARGET_MAX_BYTES + 1)
		c->target.n = GATE_TARGET_MAX_BYTES + 1; /* enough for the gate to say no */
	return arena_run(c->target_a, keep_target, c) ? c : NULL;
}

void
server_note_end(struct server *s, atomic_uint *count)
{
	if (atomic_fetch_sub(count, 1) != 1 || !atomic_load(&s->closing))
		return;
	pthread_mutex_lock(&s->lock);
	pthread_cond_broadcast(&s->quiet);
	pthread_mutex_unlock(&s->lock);
}

void
server_greet(struct conn *c)
{
	if (c->greeted)
		return;
	c->greeted = true;
	server_note_end(c->server, &c->server->new);
}

void
server_on_completed(void *cls, struct MHD_Connection *mhd, void **request,
		    enum MHD_RequestTerminationCode how)
{
	struct conn *c = *request;

	(void)cls, (void)mhd, (void)how;
	if (c == NULL)
		return;
	bool begun = c->x.begun;

	if (c->x.answer != NULL)
		MHD_destroy_response(c->x.answer);
	arena_destroy(c->x.body_arena);
	arena_reset(c->target_a);
	c->x = (struct exchange){0};
	patience_enter(&c->patience, PATIENCE_IDLE);
	*request = NULL;
	if (begun)
		server_note_end(c->server, &c->server->busy);
}
