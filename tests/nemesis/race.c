/*
 * Codes redeemed twice or more at the same moment, at two nodes:
 *   race HOST TRIES THREADS SEED PORT PORT
 * Each thread is a browser that is logged in and four connections of one client, two to each node.
 * A try: a code; two to four redemptions of it on their way at once, at both nodes; then userinfo
 * with the token that one of them brought.  Prints one line of JSON; every try that was not exactly
 * one success, with the others refused and its token dead, is counted by what was wrong.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "tests/bench/client.h"
#include "tests/bench/portal.h"

#define USES_MAX  4
#define ACCOUNTS  8 /* test persons bench0 … bench7 */
#define JITTER_US 300

/* What the tries came to. */
struct tally {
	size_t tries, uses;
	size_t none, twice; /* not exactly one success */
	size_t alive;       /* the token outlived the second use */
	size_t other;       /* an answer that is neither success nor invalid_grant */
	size_t first_at[2]; /* which node gave it */
};

struct racer {
	struct client browser,
		uses[USES_MAX]; /* even ones at the first node, odd ones at the second */
	const struct bench_portal *portal;
	unsigned seed;
	size_t number;
	struct tally t;
	pthread_t thread;
};

static atomic_long left;

static bool
log_in(struct racer *r)
{
	const struct bench_provider *p = bench_provider(r->portal);
	struct client *c = &r->browser;

	return client_get(c, bench_authorize_path(r->portal)) &&
	       client_submit(c, p->login_action,
			     arena_printf(c->a, "%s%zu", p->login, r->number % ACCOUNTS)) &&
	       (strstr(c->body, "action=\"/flow/consent/") == NULL ||
		client_submit(c, "/flow/consent/", "do=agree&attr_family_name=1"));
}

static const char *
get_code(struct racer *r)
{
	struct client *c = &r->browser;

	if (!client_send(c, bench_authorize_path(r->portal), NULL, "") || c->status != 303)
		return NULL;
	return client_location_param(c, "code");
}

static void
wait_us(int64_t us)
{
	int64_t until = clock_mono_us() + us;

	while (clock_mono_us() < until) {
	}
}

/* Both nodes are among them; in any order, some a little later. */
static size_t
send_uses(struct racer *r, const char *code, bool sent[USES_MAX])
{
	const char *form =
		arena_printf(r->browser.a,
			     "grant_type=authorization_code&code=%s&redirect_uri=%s"
			     "&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
			     code, BENCH_BACK);
	unsigned first = (unsigned)rand_r(&r->seed) % USES_MAX;
	size_t n = 2 + (size_t)rand_r(&r->seed) % (USES_MAX - 1);

	for (size_t i = 0; i < n; i++) {
		size_t at = (first + i) % USES_MAX;

		if (rand_r(&r->seed) % 2 == 0)
			wait_us(rand_r(&r->seed) % JITTER_US);
		sent[at] = client_ask(&r->uses[at], bench_provider(r->portal)->token, form,
				      bench_authorization(r->portal));
		r->t.other += !sent[at];
	}
	return n;
}

static const char *
token_of(const struct client *c)
{
	static const char name[] = "\"access_token\":\"";
	const char *at = c->status == 200 ? strstr(c->body, name) : NULL;

	return at == NULL
		       ? NULL
		       : arena_strndup(c->a, at + strlen(name), strcspn(at + strlen(name), "\""));
}

/* How many succeeded; *token: one that was given. */
static size_t
hear_uses(struct racer *r, const bool sent[USES_MAX], const char **token)
{
	size_t good = 0;

	for (size_t i = 0; i < USES_MAX; i++) {
		struct client *c = &r->uses[i];

		if (!sent[i])
			continue;
		if (!client_hear(c)) {
			r->t.other++;
			continue;
		}
		const char *given = token_of(c);

		if (given != NULL) {
			*token = given;
			r->t.first_at[i % 2]++;
			good++;
		} else if (c->status != 400 || strstr(c->body, "invalid_grant") == NULL) {
			r->t.other++;
		}
	}
	return good;
}

static bool
is_dead(struct racer *r, const char *token)
{
	struct client *c = &r->uses[(size_t)rand_r(&r->seed) % USES_MAX];
	const char *bearer = arena_printf(r->browser.a, "Authorization: Bearer %s\r\n", token);

	return client_send(c, bench_provider(r->portal)->userinfo, NULL, bearer) &&
	       c->status == 401;
}

static void
try_once(struct racer *r)
{
	const char *code = get_code(r), *token = NULL;
	bool sent[USES_MAX] = {false};

	if (code == NULL) {
		fprintf(stderr, "race: no code, status %d\n", r->browser.status);
		exit(1);
	}
	r->t.tries++;
	r->t.uses += send_uses(r, code, sent);
	size_t good = hear_uses(r, sent, &token);

	r->t.none += good == 0;
	r->t.twice += good > 1;
	if (token != NULL)
		r->t.alive += !is_dead(r, token);
}

static void *
run(void *arg)
{
	struct racer *r = arg;

	while (atomic_fetch_sub(&left, 1) > 0) {
		arena_reset(r->browser.a);
		for (size_t i = 0; i < USES_MAX; i++)
			arena_reset(r->uses[i].a);
		try_once(r);
	}
	return NULL;
}

static void
begin(struct racer *r, char **argv, const struct bench_portal *portal, size_t number)
{
	const int ports[] = {(int)strtol(argv[5], NULL, 10), (int)strtol(argv[6], NULL, 10)};

	*r = (struct racer){.portal = portal, .number = number};
	r->seed = (unsigned)(strtoul(argv[4], NULL, 10) + number);
	client_init(&r->browser, ports[number % 2], argv[1]);
	for (size_t i = 0; i < USES_MAX; i++)
		client_init(&r->uses[i], ports[i % 2], argv[1]);
	/* One after another: attempts of one account at the same time are few, by design. */
	if (!log_in(r)) {
		fprintf(stderr, "race: cannot log in, status %d\n", r->browser.status);
		exit(1);
	}
}

static void
finish(struct racer *r)
{
	client_finish(&r->browser);
	for (size_t i = 0; i < USES_MAX; i++)
		client_finish(&r->uses[i]);
}

static void
report(const struct racer *racers, size_t n, double seconds)
{
	struct tally t = {0};

	for (size_t i = 0; i < n; i++) {
		const struct tally *x = &racers[i].t;

		t.tries += x->tries;
		t.uses += x->uses;
		t.none += x->none;
		t.twice += x->twice;
		t.alive += x->alive;
		t.other += x->other;
		t.first_at[0] += x->first_at[0];
		t.first_at[1] += x->first_at[1];
	}
	printf("{\"tries\":%zu,\"uses\":%zu,\"none\":%zu,\"twice\":%zu,\"alive\":%zu,\"other\":%zu,"
	       "\"won\":[%zu,%zu],\"seconds\":%.1f}\n",
	       t.tries, t.uses, t.none, t.twice, t.alive, t.other, t.first_at[0], t.first_at[1],
	       seconds);
}

int
main(int argc, char **argv)
{
	if (argc != 7) {
		fprintf(stderr, "usage: race HOST TRIES THREADS SEED PORT PORT\n");
		return 2;
	}
	size_t n = strtoul(argv[3], NULL, 10);
	struct racer *racers = calloc(n, sizeof(*racers));
	struct arena *a = arena_create((size_t)64 * 1024 * 1024);
	struct client first;

	if (racers == NULL || a == NULL)
		return 1;
	client_init(&first, (int)strtol(argv[5], NULL, 10), argv[1]);
	struct bench_portal *portal = bench_portal_open(a, &first, "es256", n);

	for (size_t i = 0; i < n; i++)
		begin(&racers[i], argv, portal, i);
	atomic_store(&left, strtol(argv[2], NULL, 10));
	int64_t from = clock_mono_us();

	for (size_t i = 0; i < n; i++)
		if (pthread_create(&racers[i].thread, NULL, run, &racers[i]) != 0)
			return 1;
	for (size_t i = 0; i < n; i++)
		pthread_join(racers[i].thread, NULL);
	report(racers, n, (double)(clock_mono_us() - from) / 1e6);
	for (size_t i = 0; i < n; i++)
		finish(&racers[i]);
	client_finish(&first);
	arena_destroy(a);
	free(racers);
	return 0;
}
