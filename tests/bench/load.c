/*
 * Load on a running Kontor:  load PORT HOST SCENARIO SECONDS CONNECTIONS
 * Prints one line of JSON: answers per second, p50 and p99, errors.  Each
 * connection is a browser of its own that has logged in and agreed before the
 * clock starts; every answer is checked.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "tests/bench/client.h"
#include "tests/bench/portal.h"

#define SAMPLES_MAX 2000000

#define LOGIN       "login_name=bench&password=" BENCH_PASSWORD "&do=login"

struct runner {
	struct client c;
	const struct bench_portal *portal;
	const struct scenario *scenario;
	int64_t *us;
	size_t n, errors;
	pthread_t thread;
};

struct scenario {
	const char *name;
	bool (*prepare)(struct runner *r); /* before the clock starts */
	bool (*once)(struct runner *r);
};

static atomic_bool running;
static pthread_barrier_t start_line;

/* ---- scenarios ---- */

static bool
nothing(struct runner *r UNUSED)
{
	return true;
}

static bool
log_in(struct runner *r)
{
	return client_get(&r->c, "/login") && client_submit(&r->c, "/flow/password/", LOGIN);
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

static bool
password(struct runner *r)
{
	client_forget(&r->c);
	return log_in(r) && r->c.n_cookies > 0 && r->c.status == 200;
}

static const char authorize[] =
	"/oidc/authorize?response_type=code&client_id=bench&redirect_uri=" BENCH_BACK
	"&state=s&nonce=n&code_challenge_method=S256&code_challenge="
	"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&scope=openid%20profile";

static bool
oidc_prepare(struct runner *r)
{
	if (!log_in(r) || !client_get(&r->c, authorize))
		return false;
	return r->c.status == 303 ||
	       client_submit(&r->c, "/flow/consent/", "do=agree&attr_family_name=1");
}

static bool
oidc(struct runner *r)
{
	struct client *c = &r->c;

	if (!client_send(c, authorize, NULL, "") || c->status != 303)
		return false;
	const char *code = client_location_param(c, "code");

	if (code == NULL)
		return false;
	const char *form =
		arena_printf(c->a,
			     "grant_type=authorization_code&code=%s&redirect_uri=%s"
			     "&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
			     code, BENCH_BACK);

	if (!client_send(c, "/oidc/token", form, bench_authorization(r->portal)) ||
	    c->status != 200)
		return false;
	const char *at = strstr(c->body, "\"access_token\":\"");

	if (at == NULL || strstr(c->body, "\"id_token\":\"") == NULL)
		return false;
	at += strlen("\"access_token\":\"");
	return client_send(c, "/oidc/userinfo", NULL,
			   arena_printf(c->a, "Authorization: Bearer %.*s\r\n",
					(int)strcspn(at, "\""), at)) &&
	       c->status == 200 && strstr(c->body, "Mustermann") != NULL;
}

static bool
saml_prepare(struct runner *r)
{
	if (!log_in(r) || !client_get(&r->c, bench_saml_path(r->portal, r->c.a)))
		return false;
	return strstr(r->c.body, "SAMLResponse") != NULL ||
	       client_submit(&r->c, "/flow/consent/", "do=agree&attr_family_name=1");
}

static bool
saml(struct runner *r)
{
	struct client *c = &r->c;

	if (!client_send(c, bench_saml_path(r->portal, c->a), NULL, "") || c->status != 200)
		return false;
	const char *at = strstr(c->body, "name=\"SAMLResponse\" value=\"");

	if (at == NULL)
		return false;
	at += strlen("name=\"SAMLResponse\" value=\"");
	return bench_saml_accepted(r->portal, c->a,
				   (struct bytes){(const unsigned char *)at, strcspn(at, "\"")});
}

static const struct scenario scenarios[] = {
	{"handler", nothing, handler},     {"jwks", nothing, jwks},
	{"discovery", nothing, discovery}, {"metadata", nothing, metadata},
	{"password", nothing, password},   {"oidc", oidc_prepare, oidc},
	{"saml", saml_prepare, saml},
};

/* ---- running ---- */

/* One after another: attempts of one account at the same time are few, by design. */
static bool
prepare(struct runner *r)
{
	static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&turn);
	bool ok = r->scenario->prepare(r);

	pthread_mutex_unlock(&turn);
	return ok;
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
	pthread_barrier_wait(&start_line);
	while (atomic_load(&running) && r->n < SAMPLES_MAX) {
		int64_t from = clock_mono_us();

		arena_reset(r->c.a);
		if (r->scenario->once(r))
			r->us[r->n++] = clock_mono_us() - from;
		else
			r->errors++;
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

int
main(int argc, char **argv)
{
	const struct scenario *s = NULL;

	if (argc != 6) {
		fprintf(stderr, "usage: load PORT HOST SCENARIO SECONDS CONNECTIONS\n");
		return 2;
	}
	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++)
		if (strcmp(scenarios[i].name, argv[3]) == 0)
			s = &scenarios[i];
	if (s == NULL) {
		fprintf(stderr, "load: no scenario '%s'\n", argv[3]);
		return 2;
	}
	size_t n = strtoul(argv[5], NULL, 10);
	struct runner *runners = calloc(n, sizeof(*runners));
	struct arena *a = arena_create((size_t)64 * 1024 * 1024);
	struct client first;

	client_init(&first, (int)strtol(argv[1], NULL, 10), argv[2]);
	struct bench_portal *portal = s->once == handler ? NULL : bench_portal_open(a, &first);

	atomic_store(&running, true);
	pthread_barrier_init(&start_line, NULL, (unsigned)n + 1);
	for (size_t i = 0; i < n; i++) {
		client_init(&runners[i].c, (int)strtol(argv[1], NULL, 10), argv[2]);
		runners[i].portal = portal;
		runners[i].scenario = s;
		runners[i].us = calloc(SAMPLES_MAX, sizeof(int64_t));
		pthread_create(&runners[i].thread, NULL, run, &runners[i]);
	}
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
