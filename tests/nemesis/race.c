/*
 * One-time things used twice or more at the same moment, at two nodes:
 *   race KIND HOST TRIES SECONDS THREADS SEED PORT PORT [outages]
 * Each thread is a person's browser, a client and four connections, two to each node.  A try: a new
 * thing; two to four uses of it on their way at once, at both nodes; then a look at what the one
 * that succeeded was given.  Ends after so many tries, or seconds.  Prints one line of JSON; every
 * try that was not exactly one success, with the others refused, is counted by what was wrong.
 * Before the first one "ready" is printed, and a line on standard input waited for.
 *
 * With outages (the database comes and goes) an answer may be missing.  Then the thing is used
 * again until there is an answer: a success is right when none was heard of before, and after one
 * nothing is.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "tests/nemesis/race.h"

#define ACCOUNTS  8 /* test persons bench0 … bench7 */
#define JITTER_US 300
#define AGAIN_US  50000
#define PATIENT_S 60 /* for a thing to be had, or an answer, at all */

/* What the tries came to. */
struct tally {
	size_t tries, uses;
	size_t none, twice; /* not exactly one success; alike: two were given different things */
	size_t wrong;       /* what was given is not as it should be afterwards */
	size_t other;       /* an answer that is neither success nor refusal */
	size_t unheard;     /* with outages: uses without an answer of either kind */
	size_t first_at[2]; /* which node gave it */
};

struct lane {
	struct racer r;
	unsigned seed;
	struct tally t;
	pthread_t thread;
};

enum verdict { UNHEARD, TAKEN, REFUSED, OTHER };

static atomic_long left;
static bool outages;
static int64_t until_us;

static void __attribute__((noreturn)) give_up(const struct racer *r, const char *what)
{
	fprintf(stderr, "race: %s: %s; browser %d %.200s, client %d %.200s\n", r->kind->name, what,
		r->browser.status, r->browser.location == NULL ? "" : r->browser.location,
		r->program.status, r->program.body == NULL ? "" : r->program.body);
	exit(1);
}

static void
pause_us(int64_t us)
{
	struct timespec until = clock_mono_timespec(clock_mono_us() + us);

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* ---- beginning ---- */

static bool
log_in(struct racer *r)
{
	const struct bench_provider *p = bench_provider(r->portal);
	struct client *c = &r->browser;

	client_forget(c);
	const char *path = r->kind->ask == NULL ? bench_authorize_path(r->portal) : r->kind->ask(r);

	return path != NULL && client_get(c, path) &&
	       client_submit(c, p->login_action,
			     arena_printf(c->a, "%s%zu", p->login, r->number % ACCOUNTS)) &&
	       (strstr(c->body, "action=\"/flow/consent/") == NULL ||
		client_submit(c, "/flow/consent/", "do=agree&attr_family_name=1")) &&
	       c->status == 303;
}

static bool
begin(struct racer *r)
{
	if (r->kind->logs_in && !log_in(r))
		return false;
	for (size_t i = 0; i < RACE_USES_MAX; i++) {
		client_forget(&r->uses[i]);
		if (r->kind->by_browser)
			client_share_cookies(&r->uses[i], &r->browser);
	}
	return r->kind->begin == NULL || r->kind->begin(r);
}

/* ---- a try ---- */

/* A thing that cannot be had in an outage can be had later. */
static void
prepare(struct racer *r, struct race_use uses[RACE_USES_MAX])
{
	int64_t from_us = clock_mono_us();

	while (!r->kind->prepare(r, uses)) {
		if (clock_mono_us() > from_us + PATIENT_S * INT64_C(1000000))
			give_up(r, "the thing cannot be had");
		pause_us(AGAIN_US);
	}
}

static void
wait_us(int64_t us)
{
	int64_t until = clock_mono_us() + us;

	while (clock_mono_us() < until) {
	}
}

/* Both nodes are among them; in any order, some a little later.  None is heard before all are
 * sent. */
static size_t
send_uses(struct lane *l, const struct race_use uses[RACE_USES_MAX], bool sent[RACE_USES_MAX])
{
	unsigned first = (unsigned)rand_r(&l->seed) % RACE_USES_MAX;
	size_t n = 2 + (size_t)rand_r(&l->seed) % (RACE_USES_MAX - 1);

	for (size_t i = 0; i < n; i++) {
		size_t at = (first + i) % RACE_USES_MAX;

		if (rand_r(&l->seed) % 2 == 0)
			wait_us(rand_r(&l->seed) % JITTER_US);
		sent[at] = client_ask(&l->r.uses[at], uses[at].path, uses[at].form, uses[at].extra);
		l->t.unheard += !sent[at];
	}
	return n;
}

static enum verdict
judge(const struct race_kind *k, struct client *c)
{
	bool json = k->given != NULL;

	if (json ? c->status == 200 && race_member(c->a, c->body, k->given) != NULL
		 : c->status == 303 && client_location_param(c, "code") != NULL)
		return TAKEN;
	if (k->refused != 0 && c->status == k->refused && strstr(c->body, k->why) != NULL)
		return REFUSED;
	/* An error of the server's own may be told to the portal, through the browser. */
	if (c->status >= 500 ||
	    (c->status == 303 && (strstr(c->location, "error=temporarily_unavailable") != NULL ||
				  strstr(c->location, "error=server_error") != NULL)))
		return UNHEARD;
	return OTHER;
}

/* What one answer counts for. */
static enum verdict
count(struct lane *l, struct client *c, const char **answer)
{
	const struct race_kind *k = l->r.kind;
	enum verdict v = judge(k, c);
	struct arena *a = l->r.program.a;

	if (v == TAKEN && *answer != NULL && k->alike)
		l->t.twice += strcmp(race_member(a, *answer, k->given),
				     race_member(a, c->body, k->given)) != 0;
	if (v == TAKEN)
		*answer = arena_strdup(a, c->body);
	l->t.unheard += v == UNHEARD;
	l->t.other += v == OTHER;
	return v;
}

/* How many succeeded; *answer: one that gave something. */
static size_t
hear_uses(struct lane *l, const bool sent[RACE_USES_MAX], const char **answer)
{
	size_t good = 0;

	for (size_t i = 0; i < RACE_USES_MAX; i++) {
		struct client *c = &l->r.uses[i];

		if (!sent[i])
			continue;
		if (!client_hear(c)) {
			l->t.unheard++;
			continue;
		}
		if (count(l, c, answer) == TAKEN) {
			l->t.first_at[i % 2]++;
			good++;
		}
	}
	return good;
}

/* Once more, until somebody says something; what may be used often is used with new proofs. */
static enum verdict
use_again(struct lane *l, struct race_use uses[RACE_USES_MAX], const char **answer)
{
	int64_t from_us = clock_mono_us();
	struct client *c = &l->r.uses[(size_t)rand_r(&l->seed) % RACE_USES_MAX];
	enum verdict v = UNHEARD;

	while (v == UNHEARD) {
		if (clock_mono_us() > from_us + PATIENT_S * INT64_C(1000000))
			give_up(&l->r, "no answer");
		if (l->r.kind->alike)
			prepare(&l->r, uses);
		if (client_send(c, uses[0].path, uses[0].form, uses[0].extra))
			v = count(l, c, answer);
		if (v == UNHEARD)
			pause_us(AGAIN_US);
	}
	return v;
}

/* What an outage left open: whatever was heard before, and only that, still counts. */
static size_t
settle(struct lane *l, struct race_use uses[RACE_USES_MAX], size_t good, const char **answer)
{
	if (l->r.kind->alike)
		return good > 0 ? good : use_again(l, uses, answer) == TAKEN;
	good += use_again(l, uses, answer) == TAKEN;
	if (good == 1)
		good += use_again(l, uses, answer) == TAKEN;
	return good;
}

static bool
is_as_it_should_be(struct racer *r, const char *answer)
{
	int64_t from_us = clock_mono_us();

	for (;;) {
		r->program.status = 200;
		if (r->kind->after(r, answer))
			return true;
		if (!outages || (r->program.status > 0 && r->program.status < 500))
			return false;
		if (clock_mono_us() > from_us + PATIENT_S * INT64_C(1000000))
			give_up(r, "no answer");
		pause_us(AGAIN_US);
	}
}

static void
try_once(struct lane *l)
{
	struct race_use uses[RACE_USES_MAX];
	bool sent[RACE_USES_MAX] = {false};
	const char *answer = NULL;
	struct racer *r = &l->r;

	prepare(r, uses);
	l->t.tries++;
	l->t.uses += send_uses(l, uses, sent);
	size_t good = hear_uses(l, sent, &answer);

	if (outages)
		good = settle(l, uses, good, &answer);
	l->t.none += good == 0;
	l->t.twice += !r->kind->alike && good > 1;
	if (answer != NULL && r->kind->after != NULL)
		l->t.wrong += !is_as_it_should_be(r, answer);
	if (good == 0 && r->kind->alike && !begin(r)) /* what was held is gone */
		give_up(r, "cannot begin again");
}

static void *
run(void *arg)
{
	struct lane *l = arg;

	while (atomic_fetch_sub(&left, 1) > 0 && clock_mono_us() < until_us) {
		arena_reset(l->r.browser.a);
		arena_reset(l->r.program.a);
		for (size_t i = 0; i < RACE_USES_MAX; i++)
			arena_reset(l->r.uses[i].a);
		try_once(l);
	}
	return NULL;
}

/* ---- all of it ---- */

static void
prepare_lane(struct lane *l, const int ports[2], const char *seed)
{
	struct racer *r = &l->r;

	l->seed = (unsigned)(strtoul(seed, NULL, 10) + r->number);
	client_init(&r->browser, ports[r->number % 2], r->host);
	client_init(&r->program, ports[(r->number + 1) % 2], r->host);
	for (size_t i = 0; i < RACE_USES_MAX; i++)
		client_init(&r->uses[i], ports[i % 2], r->host);
	/* One after another: attempts of one account at the same time are few, by design. */
	if (!begin(r))
		give_up(r, "cannot begin");
}

static void
finish(struct racer *r)
{
	client_finish(&r->browser);
	client_finish(&r->program);
	for (size_t i = 0; i < RACE_USES_MAX; i++)
		client_finish(&r->uses[i]);
}

static void
report(const struct lane *lanes, size_t n, double seconds)
{
	struct tally t = {0};

	for (size_t i = 0; i < n; i++) {
		const struct tally *x = &lanes[i].t;

		t.tries += x->tries;
		t.uses += x->uses;
		t.none += x->none;
		t.twice += x->twice;
		t.wrong += x->wrong;
		t.other += x->other;
		t.unheard += x->unheard;
		t.first_at[0] += x->first_at[0];
		t.first_at[1] += x->first_at[1];
	}
	printf("{\"tries\":%zu,\"uses\":%zu,\"none\":%zu,\"twice\":%zu,\"wrong\":%zu,\"other\":%zu,"
	       "\"unheard\":%zu,\"won\":[%zu,%zu],\"seconds\":%.1f}\n",
	       t.tries, t.uses, t.none, t.twice, t.wrong, t.other, t.unheard, t.first_at[0],
	       t.first_at[1], seconds);
}

static const char *
portal_name(struct arena *a, const struct race_kind *k)
{
	return k->given != NULL && strcmp(k->given, "refresh_token") == 0
		       ? arena_printf(a, "tokens%s", k->name)
		       : k->name;
}

static void
race(struct lane *lanes, size_t n, char **argv)
{
	int64_t from_us = clock_mono_us();

	atomic_store(&left, strtol(argv[3], NULL, 10));
	until_us = from_us + strtol(argv[4], NULL, 10) * INT64_C(1000000);
	for (size_t i = 0; i < n; i++)
		if (pthread_create(&lanes[i].thread, NULL, run, &lanes[i]) != 0)
			exit(1);
	for (size_t i = 0; i < n; i++)
		pthread_join(lanes[i].thread, NULL);
	report(lanes, n, (double)(clock_mono_us() - from_us) / 1e6);
}

int
main(int argc, char **argv)
{
	const struct race_kind *kind = argc < 9 ? NULL : race_kind_find(argv[1]);

	if (kind == NULL) {
		fprintf(stderr, "usage: race KIND HOST TRIES SECONDS THREADS SEED PORT PORT "
				"[outages]\n");
		return 2;
	}
	const int ports[] = {(int)strtol(argv[7], NULL, 10), (int)strtol(argv[8], NULL, 10)};
	size_t n = strtoul(argv[5], NULL, 10);
	struct lane *lanes = calloc(n, sizeof(*lanes));
	struct arena *a = arena_create((size_t)64 * 1024 * 1024);
	struct client first;

	if (lanes == NULL || a == NULL)
		return 1;
	client_init(&first, ports[0], argv[2]);
	struct bench_portal *portal = bench_portal_open(a, &first, portal_name(a, kind), n);
	struct race_key *key = race_key_open(a, n);

	for (size_t i = 0; i < n; i++) {
		lanes[i].r = (struct racer){
			.portal = portal,
			.kind = kind,
			.key = key,
			.host = argv[2],
			.client_id = arena_printf(a, "bench-%s", portal_name(a, kind)),
			.number = i};
		prepare_lane(&lanes[i], ports, argv[6]);
	}
	outages = argc > 9;
	puts("ready");
	fflush(stdout);
	(void)!getchar();
	race(lanes, n, argv);
	for (size_t i = 0; i < n; i++)
		finish(&lanes[i].r);
	client_finish(&first);
	arena_destroy(a);
	free(lanes);
	return 0;
}
