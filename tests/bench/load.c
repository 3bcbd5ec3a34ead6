/*
 * Load on a running Kontor:  load PORT HOST SCENARIO SECONDS CONNECTIONS
 * SCENARIO is an action, and after a '-' the portal it goes to (portal.h): "oidc-es256".  Each
 * connection is a browser of its own that logs in and agrees first; then "ready" is printed,
 * and the clock starts with a line on standard input.  Prints one line of JSON: answers per
 * second, p50 and p99, errors.  Every answer is checked.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "tests/bench/client.h"
#include "tests/bench/portal.h"

#define SAMPLES_MAX    2000000
#define ACCOUNTS       8 /* test persons bench0 … bench7 */
#define LIGHT_PAUSE_NS 2000000

struct runner {
	struct client c;
	const struct bench_portal *portal;
	const struct action *action;
	size_t number;
	int64_t *us;
	size_t n, errors;
	pthread_t thread;
};

struct action {
	const char *name;
	bool (*prepare)(struct runner *r); /* before the clock starts */
	bool (*once)(struct runner *r);
	long pause_ns; /* after each */
};

static atomic_bool running;
static pthread_barrier_t ready_line, start_line;

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

/* What the client does with the code that the browser brought. */
static bool
redeem(struct runner *r)
{
	struct client *c = &r->c;
	const char *code = c->status == 303 ? client_location_param(c, "code") : NULL;

	if (code == NULL)
		return false;
	const char *form =
		arena_printf(c->a,
			     "grant_type=authorization_code&code=%s&redirect_uri=%s"
			     "&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
			     code, BENCH_BACK);

	if (!client_send(c, bench_provider(r->portal)->token, form,
			 bench_authorization(r->portal)) ||
	    c->status != 200)
		return false;
	const char *at = strstr(c->body, "\"access_token\":\"");

	if (at == NULL || strstr(c->body, "\"id_token\":\"") == NULL)
		return false;
	at += strlen("\"access_token\":\"");
	return client_send(c, bench_provider(r->portal)->userinfo, NULL,
			   arena_printf(c->a, "Authorization: Bearer %.*s\r\n",
					(int)strcspn(at, "\""), at)) &&
	       c->status == 200 && strstr(c->body, "Mustermann") != NULL;
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

	if (!client_send(c, bench_saml_path(r->portal, c->a), NULL, "") || c->status != 200)
		return false;
	const char *at = saml_response(c);

	return at != NULL &&
	       bench_saml_accepted(r->portal, c->a, r->number,
				   (struct bytes){(const unsigned char *)at, strcspn(at, "\"")});
}

static const struct action actions[] = {
	{"handler", nothing, handler, 0},         {"jwks", nothing, jwks, 0},
	{"discovery", nothing, discovery, 0},     {"metadata", nothing, metadata, 0},
	{"light", nothing, jwks, LIGHT_PAUSE_NS}, {"oidc", oidc_prepare, oidc, 0},
	{"full", oidc_prepare, full, 0},          {"saml", saml_prepare, saml, 0},
};

/* ---- running ---- */

/* One after another: attempts of one account at the same time are few, by design. */
static bool
prepare(struct runner *r)
{
	static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&turn);
	bool ok = r->action->prepare(r);

	pthread_mutex_unlock(&turn);
	return ok;
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

static void *
run(void *arg)
{
	struct runner *r = arg;

	if (!prepare(r)) {
		fprintf(stderr, "load: a browser could not prepare (status %d): %s\n", r->c.status,
			r->c.body);
		exit(1);
	}
	pthread_barrier_wait(&ready_line);
	pthread_barrier_wait(&start_line);
	const struct timespec pause = {0, r->action->pause_ns};

	while (atomic_load(&running) && r->n < SAMPLES_MAX) {
		int64_t from = clock_mono_us();

		arena_reset(r->c.a);
		if (r->action->once(r))
			r->us[r->n++] = clock_mono_us() - from;
		else
			note_error(r);
		if (pause.tv_nsec > 0)
			nanosleep(&pause, NULL);
	}
	return NULL;
}

static int
by_value(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return (a > b) - (a < b);
}

static void
report(struct runner *runners, size_t n, double seconds)
{
	size_t total = 0, errors = 0, at = 0;

	for (size_t i = 0; i < n; i++) {
		total += runners[i].n;
		errors += runners[i].errors;
	}
	int64_t *all = calloc(total + 1, sizeof(*all));

	if (all == NULL)
		exit(1);
	for (size_t i = 0; i < n; at += runners[i++].n)
		memcpy(all + at, runners[i].us, runners[i].n * sizeof(*all));
	qsort(all, total, sizeof(*all), by_value);
	size_t median = total / 2, slow = total - total / 100 - (total > 0);

	printf("{\"per_s\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"errors\":%zu}\n",
	       (double)total / seconds, (double)all[median] / 1000, (double)all[slow] / 1000,
	       errors);
	free(all);
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
		r->us = calloc(SAMPLES_MAX, sizeof(int64_t));
		if (r->us == NULL || pthread_create(&r->thread, NULL, run, r) != 0)
			exit(1);
	}
	return runners;
}

int
main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "usage: load PORT HOST SCENARIO SECONDS CONNECTIONS\n");
		return 2;
	}
	size_t n = strtoul(argv[5], NULL, 10);

	atomic_store(&running, true);
	pthread_barrier_init(&ready_line, NULL, (unsigned)n + 1);
	pthread_barrier_init(&start_line, NULL, (unsigned)n + 1);
	struct runner *runners = start(argv[3], (int)strtol(argv[1], NULL, 10), argv[2], n);

	pthread_barrier_wait(&ready_line);
	puts("ready");
	fflush(stdout);
	(void)!getchar();
	pthread_barrier_wait(&start_line);
	int64_t from = clock_mono_us();
	struct timespec pause = {strtol(argv[4], NULL, 10), 0};

	nanosleep(&pause, NULL);
	atomic_store(&running, false);
	for (size_t i = 0; i < n; i++)
		pthread_join(runners[i].thread, NULL);
	report(runners, n, (double)(clock_mono_us() - from) / 1e6);
	return 0;
}
