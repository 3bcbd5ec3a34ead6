/*
 * Load on a running Kontor:  load PORT HOST SCENARIO SECONDS CONNECTIONS [RATE]
 * SCENARIO is an action, and after a '-' the portal it goes to (portal.h): "oidc-es256".  Each
 * connection is a browser of its own that logs in and agrees first (beyond BROWSERS_MAX they
 * share); then "ready" is printed, and the clock starts with a line on standard input.  Every
 * answer is checked.  Prints one line of JSON: actions done per second, p50 and p99, errors.
 *
 * Without RATE each connection has a thread and begins again when it is done.  With it, RATE
 * actions a second begin whether others are done or not, as far as there are connections; a 503
 * with Retry-After is a refusal then, counted and timed apart.  All of it is one thread: so many
 * would wait for each other, not for the server.  As a proxy does, the connection that was used
 * last is taken first.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "tests/bench/client.h"
#include "tests/bench/fiber.h"
#include "tests/bench/portal.h"

#define SAMPLES_MAX    4000000 /* of all connections together */
#define BROWSERS_MAX   16
#define BEHIND_US      100000 /* who could not begin by then does not */
#define ACCOUNTS       8      /* test persons bench0 … bench7 */
#define LIGHT_PAUSE_NS 2000000
#define CHECKED_EACH   8 /* of the assertions at a rate: checking takes as long as answering */
#define HELD_BYTES     2048
#define PATH_BYTES     ((size_t)1024 * 1024)

/* Durations: how many there were, and the first of them. */
struct samples {
	int64_t *us;
	size_t n, kept, most;
};

struct runner {
	struct client c;
	const struct bench_portal *portal;
	const struct action *action;
	const struct runner *like; /* the browser that prepares for this one too; NULL: itself */
	size_t number;
	struct arena *path_a;
	const char *path;      /* of a request that is still to be answered, there; NULL: none */
	char held[HELD_BYTES]; /* the token that it goes on with; "": none */
	struct samples done, refused;
	size_t begun, errors;
	pthread_t thread;
	struct fiber *fiber; /* with a rate, instead */
	int polled_fd;       /* that epoll knows */
	struct runner *idle; /* the next one that has nothing to do */
};

struct action {
	const char *name;
	bool (*prepare)(struct runner *r); /* before the clock starts */
	bool (*once)(struct runner *r);
	long pause_ns; /* after each; then it is one request, timed as such */
};

static atomic_bool running;
static pthread_barrier_t ready_line, start_line;

/* When actions begin; rate 0: as soon as the one before is done. */
static struct {
	double rate;
	int64_t from_us;
	uint64_t next;
} schedule;

/* With a rate: the runners' one thread. */
static struct {
	int epoll_fd;
	size_t busy;
	struct runner *idle; /* last used first */
} stage;

/* ---- actions ---- */

static bool
nothing(struct runner *r UNUSED)
{
	return true;
}

static bool
get_ok(struct runner *r, const char *path)
{
	return client_send(&r->c, path, NULL, "") && r->c.status == 200;
}

/* The smallest server (handler.c), for comparison. */
static bool
handler(struct runner *r)
{
	return get_ok(r, "/");
}

static bool
jwks(struct runner *r)
{
	return get_ok(r, "/oidc/jwks");
}

static bool
discovery(struct runner *r)
{
	return get_ok(r, "/.well-known/openid-configuration");
}

/* What a lane worker answers without the database. */
static bool
start_page(struct runner *r)
{
	return get_ok(r, "/");
}

static bool
metadata(struct runner *r)
{
	return get_ok(r, "/saml/metadata");
}

/* The form of the login page that stands there. */
static bool
log_in(struct runner *r)
{
	const struct bench_provider *p = bench_provider(r->portal);
	const char *form = arena_printf(r->c.a, "%s%zu", p->login, r->number % ACCOUNTS);

	return client_submit(&r->c, p->login_action, form);
}

/* From the portal's request to where the portal gets its answer, with consent if asked. */
static bool
enter(struct runner *r, const char *path)
{
	if (!client_get(&r->c, path))
		return false;
	if (bench_provider(r->portal)->login == NULL)
		return true;
	return log_in(r) && (strstr(r->c.body, "action=\"/flow/consent/") == NULL ||
			     client_submit(&r->c, "/flow/consent/", "do=agree&attr_family_name=1"));
}

static bool
oidc_prepare(struct runner *r)
{
	return enter(r, bench_authorize_path(r->portal)) && r->c.status == 303;
}

/* Keep a text of the JSON that was answered for the next action. */
static bool
hold(struct runner *r, const char *member)
{
	const char *name = arena_printf(r->c.a, "\"%s\":\"", member);
	const char *at = r->c.status == 200 ? strstr(r->c.body, name) : NULL;

	if (at == NULL)
		return false;
	at += strlen(name);
	return snprintf(r->held, sizeof(r->held), "%.*s", (int)strcspn(at, "\""), at) <
	       (int)sizeof(r->held);
}

static bool
ask_token(struct runner *r, const char *form)
{
	return client_send(&r->c, bench_provider(r->portal)->token, form,
			   bench_authorization(r->portal));
}

/* What the client does with the code that the browser brought. */
static bool
take_code(struct runner *r)
{
	struct client *c = &r->c;
	const char *code = c->status == 303 ? client_location_param(c, "code") : NULL;

	return code != NULL &&
	       ask_token(r,
			 arena_printf(c->a,
				      "grant_type=authorization_code&code=%s&redirect_uri=%s"
				      "&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
				      code, BENCH_BACK)) &&
	       c->status == 200 && strstr(c->body, "\"id_token\":\"") != NULL;
}

static bool
userinfo(struct runner *r)
{
	struct client *c = &r->c;

	return client_send(c, bench_provider(r->portal)->userinfo, NULL,
			   arena_printf(c->a, "Authorization: Bearer %s\r\n", r->held)) &&
	       c->status == 200 && strstr(c->body, "Mustermann") != NULL;
}

static bool
redeem(struct runner *r)
{
	return take_code(r) && hold(r, "access_token") && userinfo(r);
}

static bool
oidc(struct runner *r)
{
	return client_send(&r->c, bench_authorize_path(r->portal), NULL, "") && redeem(r);
}

/* A new browser each time: the password, then the same. */
static bool
full(struct runner *r)
{
	client_forget(&r->c);
	return client_get(&r->c, bench_authorize_path(r->portal)) && log_in(r) && redeem(r);
}

/* ---- tokens after the login, and without one ---- */

static bool
userinfo_prepare(struct runner *r)
{
	return oidc_prepare(r) && redeem(r);
}

static bool
refresh_prepare(struct runner *r)
{
	return oidc_prepare(r) && take_code(r) && hold(r, "refresh_token");
}

/* Rotated each time, and a new ID token with it. */
static bool
refresh(struct runner *r)
{
	return ask_token(r, arena_printf(r->c.a, "grant_type=refresh_token&refresh_token=%s",
					 r->held)) &&
	       hold(r, "refresh_token");
}

static bool
credentials(struct runner *r)
{
	return ask_token(r, "grant_type=client_credentials&scope=read") && hold(r, "access_token");
}

/* The portal is its own resource server. */
static bool
introspection(struct runner *r)
{
	struct client *c = &r->c;

	return client_send(c, bench_provider(r->portal)->introspect,
			   arena_printf(c->a, "token=%s", r->held),
			   bench_authorization(r->portal)) &&
	       c->status == 200 && strstr(c->body, "\"active\":true") != NULL;
}

static const char *
saml_response(const struct client *c)
{
	static const char field[] = "name=\"SAMLResponse\" value=\"";
	const char *at = strstr(c->body, field);

	return at == NULL ? NULL : at + strlen(field);
}

static bool
saml_prepare(struct runner *r)
{
	return enter(r, bench_saml_path(r->portal, r->c.a)) && saml_response(&r->c) != NULL;
}

static bool
saml(struct runner *r)
{
	struct client *c = &r->c;

	if (r->path == NULL) {
		arena_reset(r->path_a);
		r->path = bench_saml_path(r->portal, r->path_a);
	}
	if (!client_send(c, r->path, NULL, "") || c->status != 200)
		return false;
	const char *at = saml_response(c);

	r->path = NULL; /* who was refused asks again with what he had */

	if (at == NULL || (schedule.rate > 0 && r->begun % CHECKED_EACH != 0))
		return at != NULL;
	return bench_saml_accepted(r->portal, c->a, r->number,
				   (struct bytes){(const unsigned char *)at, strcspn(at, "\"")});
}

static const struct action actions[] = {
	{"handler", nothing, handler, 0},
	{"jwks", nothing, jwks, 0},
	{"discovery", nothing, discovery, 0},
	{"metadata", nothing, metadata, 0},
	{"light", nothing, jwks, LIGHT_PAUSE_NS},
	{"oidc", oidc_prepare, oidc, 0},
	{"full", oidc_prepare, full, 0},
	{"saml", saml_prepare, saml, 0},
	{"userinfo", userinfo_prepare, userinfo, 0},
	{"refresh", refresh_prepare, refresh, 0},
	{"credentials", nothing, credentials, 0},
	{"introspection", credentials, introspection, 0},
	{"page", nothing, start_page, LIGHT_PAUSE_NS},
};

/* ---- running ---- */

/* One after another: attempts of one account at the same time are few, by design. */
static void
prepare(struct runner *r)
{
	static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

	if (r->like != NULL)
		return;
	pthread_mutex_lock(&turn);
	bool ok = r->action->prepare(r);

	pthread_mutex_unlock(&turn);
	if (ok)
		return;
	fprintf(stderr, "load: a browser could not prepare (status %d): %s\n", r->c.status,
		r->c.body == NULL ? "" : r->c.body);
	exit(1);
}

/* The first one is shown: what follows is often the same. */
static void
note_error(struct runner *r)
{
	static atomic_flag shown = ATOMIC_FLAG_INIT;

	r->errors++;
	if (!atomic_flag_test_and_set(&shown))
		fprintf(stderr, "load: after %s: status %d, %.300s\n", r->c.path, r->c.status,
			r->c.body == NULL ? "" : r->c.body);
}

static void
take_sample(struct samples *s, int64_t us)
{
	s->n++;
	if (s->kept < s->most)
		s->us[s->kept++] = us;
}

static void
act(struct runner *r)
{
	int64_t from_us = clock_mono_us();

	r->begun++;
	arena_reset(r->c.a);
	if (r->action->once(r))
		take_sample(&r->done,
			    r->action->pause_ns > 0 ? r->c.took_us : clock_mono_us() - from_us);
	else if (schedule.rate > 0 && r->c.status == 503 && r->c.retry_after)
		take_sample(&r->refused, r->c.took_us);
	else
		note_error(r);
}

/* What the other one has by now. */
static void
share(struct runner *r)
{
	client_share_cookies(&r->c, &r->like->c);
	memcpy(r->held, r->like->held, sizeof(r->held));
}

static void *
run(void *arg)
{
	struct runner *r = arg;

	prepare(r);
	pthread_barrier_wait(&ready_line);
	if (r->like != NULL)
		share(r);
	pthread_barrier_wait(&start_line);
	const struct timespec pause = {0, r->action->pause_ns};

	while (atomic_load(&running)) {
		act(r);
		if (pause.tv_nsec > 0)
			nanosleep(&pause, NULL);
	}
	return NULL;
}

/* Everybody is ready; the clock starts when the other end says so. */
static void
await_start(void)
{
	puts("ready");
	fflush(stdout);
	(void)!getchar();
	schedule.from_us = clock_mono_us();
}

static void
let_run(struct runner *runners, size_t n, int64_t us)
{
	pthread_barrier_wait(&ready_line);
	await_start();
	pthread_barrier_wait(&start_line);
	struct timespec until = clock_mono_timespec(schedule.from_us + us);

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	atomic_store(&running, false);
	for (size_t i = 0; i < n; i++)
		pthread_join(runners[i].thread, NULL);
}

/* ---- running at a rate ---- */

/* Where a client has to wait, its fiber does. */
static void
await_answer(void *arg)
{
	struct runner *r = arg;
	struct epoll_event e = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = r};
	int op = r->polled_fd == r->c.fd ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	r->polled_fd = r->c.fd;
	/* A number that was closed meanwhile may come again. */
	if (epoll_ctl(stage.epoll_fd, op, r->c.fd, &e) != 0 &&
	    (errno != ENOENT || epoll_ctl(stage.epoll_fd, EPOLL_CTL_ADD, r->c.fd, &e) != 0))
		abort();
	fiber_pause();
}

static void
rest(struct runner *r)
{
	r->idle = stage.idle;
	stage.idle = r;
	stage.busy--;
	fiber_pause();
}

static void
run_fiber(void *arg)
{
	struct runner *r = arg;

	prepare(r);
	for (;;) {
		rest(r);
		act(r);
	}
}

static int64_t
due_us(uint64_t i)
{
	return schedule.from_us + (int64_t)((double)i / schedule.rate * 1e6);
}

/* Those whose moment has come, as far as anybody is idle; the lost ones are passed over. */
static void
begin_due(void)
{
	int64_t now_us = clock_mono_us();

	while (due_us(schedule.next) < now_us - BEHIND_US)
		schedule.next++;
	while (stage.idle != NULL && due_us(schedule.next) <= now_us) {
		struct runner *r = stage.idle;

		schedule.next++;
		stage.idle = r->idle;
		stage.busy++;
		fiber_resume(r->fiber);
	}
}

/* Answers that are there, or the next beginning. */
static void
hear(bool begin)
{
	struct epoll_event e[64];
	int64_t wait_us = due_us(schedule.next) - clock_mono_us();
	struct timespec wait = {0, 100000000};

	if (begin && stage.idle != NULL)
		wait.tv_nsec = wait_us < 0 ? 0 : wait_us < 100000 ? wait_us * 1000 : 100000000;
	int n = epoll_pwait2(stage.epoll_fd, e, ARRAY_LEN(e), &wait, NULL);

	for (int i = 0; i < n; i++)
		fiber_resume(((struct runner *)e[i].data.ptr)->fiber);
}

static void
conduct(struct runner *runners, size_t n, int64_t us)
{
	stage.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < n; i++) {
		stage.busy++;
		fiber_resume(runners[i].fiber);
		while (stage.busy > 0)
			hear(false);
	}
	for (size_t i = 0; i < n; i++)
		if (runners[i].like != NULL)
			share(&runners[i]);
	await_start();
	while (clock_mono_us() < schedule.from_us + us) {
		begin_due();
		hear(true);
	}
	while (stage.busy > 0)
		hear(false);
}

/* ---- the result ---- */

static int
by_value(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return (a > b) - (a < b);
}

static struct samples
samples_create(size_t most)
{
	struct samples s = {calloc(most + 1, sizeof(int64_t)), 0, 0, most};

	if (s.us == NULL)
		exit(1);
	return s;
}

static void
add_samples(struct samples *to, const struct samples *from)
{
	memcpy(to->us + to->kept, from->us, from->kept * sizeof(int64_t));
	to->kept += from->kept;
	to->n += from->n;
}

/* The duration that this share of them does not exceed; 0 when there are none. */
static double
quantile_ms(const struct samples *sorted, double share)
{
	size_t i = (size_t)((double)sorted->kept * share);

	return (double)sorted->us[i < sorted->kept || i == 0 ? i : sorted->kept - 1] / 1000;
}

static void
report(struct runner *runners, size_t n, double seconds)
{
	struct samples done = samples_create(SAMPLES_MAX), refused = samples_create(SAMPLES_MAX);
	size_t begun = 0, requests = 0, errors = 0;

	for (size_t i = 0; i < n; i++) {
		add_samples(&done, &runners[i].done);
		add_samples(&refused, &runners[i].refused);
		begun += runners[i].begun;
		requests += runners[i].c.requests;
		errors += runners[i].errors;
	}
	qsort(done.us, done.kept, sizeof(int64_t), by_value);
	qsort(refused.us, refused.kept, sizeof(int64_t), by_value);
	printf("{\"per_s\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"begun_s\":%.1f,"
	       "\"refused\":%zu,\"refused_p99_ms\":%.2f,\"refused_most_ms\":%.2f,"
	       "\"requests\":%zu,\"errors\":%zu}\n",
	       (double)done.n / seconds, quantile_ms(&done, 0.5), quantile_ms(&done, 0.99),
	       (double)begun / seconds, refused.n, quantile_ms(&refused, 0.99),
	       quantile_ms(&refused, 1), requests, errors);
	free(done.us);
	free(refused.us);
}

static const struct action *
action_of(const char *scenario)
{
	size_t n = strcspn(scenario, "-");

	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (strlen(actions[i].name) == n && strncmp(actions[i].name, scenario, n) == 0)
			return &actions[i];
	fprintf(stderr, "load: no scenario '%s'\n", scenario);
	exit(2);
}

static struct runner *
start(const char *scenario, int port, const char *host, size_t n)
{
	struct runner *runners = calloc(n, sizeof(*runners));
	struct arena *a = arena_create((size_t)64 * 1024 * 1024);
	const char *name = strchr(scenario, '-');
	struct bench_portal *portal = NULL;
	struct client first;

	if (runners == NULL || a == NULL)
		exit(1);
	client_init(&first, port, host);
	if (name != NULL)
		portal = bench_portal_open(a, &first, name + 1, n);
	for (size_t i = 0; i < n; i++) {
		struct runner *r = &runners[i];

		client_init(&r->c, port, host);
		r->portal = portal;
		r->action = action_of(scenario);
		r->number = i;
		r->path_a = arena_create(PATH_BYTES);
		r->polled_fd = -1;
		r->like = i < BROWSERS_MAX ? NULL : &runners[i % BROWSERS_MAX];
		r->done = samples_create(SAMPLES_MAX / n);
		r->refused = samples_create(SAMPLES_MAX / n);
		if (r->path_a == NULL)
			exit(1);
		if (schedule.rate > 0) {
			r->fiber = fiber_create(run_fiber, r);
			r->c.await = await_answer;
			r->c.await_ctx = r;
		} else if (pthread_create(&r->thread, NULL, run, r) != 0) {
			exit(1);
		}
	}
	return runners;
}

int
main(int argc, char **argv)
{
	if (argc != 6 && argc != 7) {
		fprintf(stderr, "usage: load PORT HOST SCENARIO SECONDS CONNECTIONS [RATE]\n");
		return 2;
	}
	schedule.rate = argc == 7 ? strtod(argv[6], NULL) : 0;
	size_t n = strtoul(argv[5], NULL, 10);

	atomic_store(&running, true);
	pthread_barrier_init(&ready_line, NULL, (unsigned)n + 1);
	pthread_barrier_init(&start_line, NULL, (unsigned)n + 1);
	struct runner *runners = start(argv[3], (int)strtol(argv[1], NULL, 10), argv[2], n);
	int64_t us = strtol(argv[4], NULL, 10) * 1000000;

	if (schedule.rate > 0)
		conduct(runners, n, us);
	else
		let_run(runners, n, us);
	report(runners, n, (double)(clock_mono_us() - schedule.from_us) / 1e6);
	return 0;
}
