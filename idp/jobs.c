/* Work without a request; see jobs.h. */
#include "idp/jobs.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/artifact.h"
#include "db/member_count.h"
#include "db/outbox.h"
#include "db/partition.h"
#include "db/polled.h"
#include "db/refresh.h"
#include "db/session.h"
#include "idp/epoch.h"
#include "idp/federation_take.h"
#include "idp/party_metadata.h"
#include "idp/party_suite.h"
#include "idp/publication.h"
#include "idp/refusal.h"
#include "idp/reload.h"

#define JOB_ARENA_BYTES         ((size_t)16 * 1024 * 1024)
#define JOB_LIMIT_US            ((int64_t)30 * 1000000)
#define SWEEP_ROWS              5000
#define SWEEP_US                10000000
#define STALE_RETRY_S           5
#define OUTBOX_KEPT_S           86400
#define ARTIFACT_KEPT_S         60
#define POLLED_KEPT_S           3600
#define REFUSALS_KEPT_S         ((int64_t)14 * 86400)
#define MEMBER_COUNTS_KEPT_DAYS 400

/* What runs by the clock; `run` gets a deadline of JOB_LIMIT_US. */
struct routine {
	const char *name;
	int64_t first_s, every_s, retry_s;
	bool (*run)(struct app *app, const struct db_call *c, time_t now, struct err *err);
};

static bool
make_partitions(struct app *app UNUSED, const struct db_call *c, time_t now, struct err *err)
{
	struct db_partitions done;

	return db_partitions_maintain(c, now, &done, err);
}

/* Batches are small, so that nobody waits for one; after a full one there is more. */
static bool
is_full(int64_t n, int64_t until_us)
{
	return n == SWEEP_ROWS && clock_mono_us() < until_us;
}

static bool
sweep_sessions(struct app *app UNUSED, const struct db_call *c, time_t now, struct err *err)
{
	int64_t n, until_us = clock_mono_us() + SWEEP_US;

	do {
		if (!db_session_sweep(c, SWEEP_ROWS, now, &n, err))
			return false;
	} while (is_full(n, until_us));
	return true;
}

/* For a minute longer it can be told that it was used before or too old. */
static bool
sweep_artifacts(struct app *app UNUSED, const struct db_call *c, time_t now, struct err *err)
{
	int64_t n, until_us = clock_mono_us() + SWEEP_US;

	do {
		if (!db_artifact_sweep(c, now - ARTIFACT_KEPT_S, SWEEP_ROWS, now, &n, err))
			return false;
	} while (is_full(n, until_us));
	return true;
}

/* For an hour longer it can be told that its time is over. */
static bool
sweep_polled(struct app *app UNUSED, const struct db_call *c, time_t now, struct err *err)
{
	int64_t n, until_us = clock_mono_us() + SWEEP_US;

	do {
		if (!db_polled_sweep(c, now - POLLED_KEPT_S, SWEEP_ROWS, now, &n, err))
			return false;
	} while (is_full(n, until_us));
	return true;
}

static bool
sweep_refresh_tokens(struct app *app UNUSED, const struct db_call *c, time_t now, struct err *err)
{
	int64_t n, until_us = clock_mono_us() + SWEEP_US;

	do {
		if (!db_refresh_sweep(c, now, SWEEP_ROWS, now, &n, err))
			return false;
	} while (is_full(n, until_us));
	return true;
}

static bool
sweep_member_counts(struct app *app UNUSED, const struct db_call *c, time_t now, struct err *err)
{
	int64_t n, until_us = clock_mono_us() + SWEEP_US;

	do {
		if (!db_member_count_sweep(c, now / 86400 - MEMBER_COUNTS_KEPT_DAYS, SWEEP_ROWS,
					   now, &n, err))
			return false;
	} while (is_full(n, until_us));
	return true;
}

/*
 * What requests were refused for since the last run: 128 at most, however many there were.  Where
 * the database does not take it the rest waits in memory, and what was under way is lost.
 */
static bool
keep_refusals(struct app *app, const struct db_call *c, time_t now UNUSED, struct err *err)
{
	struct db_refusal refusal;

	while (refusals_take(app->refusals, c->a, &refusal))
		if (!db_refusal_keep(c, &refusal, err))
			return false;
	return true;
}

static bool
sweep_refusals(struct app *app UNUSED, const struct db_call *c, time_t now, struct err *err)
{
	int64_t n, until_us = clock_mono_us() + SWEEP_US;

	do {
		if (!db_refusal_sweep(c, now - REFUSALS_KEPT_S, SWEEP_ROWS, now, &n, err))
			return false;
	} while (is_full(n, until_us));
	return true;
}

/* How an item ended is kept for a day after its time, for who looks why. */
static bool
sweep_outbox(struct app *app UNUSED, const struct db_call *c, time_t now, struct err *err)
{
	int64_t n, until_us = clock_mono_us() + SWEEP_US;

	do {
		if (!db_outbox_sweep(c, now - OUTBOX_KEPT_S, SWEEP_ROWS, now, &n, err))
			return false;
	} while (is_full(n, until_us));
	return true;
}

/* For /metrics: a party that does not take what it is told shows here first. */
static bool
count_outbox(struct app *app, const struct db_call *c, time_t now UNUSED, struct err *err)
{
	int64_t waiting, failing;

	if (!db_outbox_count(c, &waiting, &failing, err))
		return false;
	atomic_store(&app->health.outbox_waiting, waiting);
	atomic_store(&app->health.outbox_failing, failing);
	return true;
}

static bool
count_requests(struct app *app, const struct db_call *c, time_t now, struct err *err)
{
	int64_t waiting;

	if (!db_polled_count(c, now, &waiting, err))
		return false;
	atomic_store(&app->health.requests_waiting, waiting);
	return true;
}

/* The same of metadata that cannot be fetched, or waits for an operator. */
static bool
count_metadata(struct app *app, const struct db_call *c, time_t now UNUSED, struct err *err)
{
	struct db_source_counts n;

	if (!db_source_count(c, &n, err))
		return false;
	atomic_store(&app->health.metadata_followed, n.followed);
	atomic_store(&app->health.metadata_failing, n.failing);
	atomic_store(&app->health.metadata_waiting, n.pending);
	return true;
}

static bool
count_federations(struct app *app, const struct db_call *c, time_t now UNUSED, struct err *err)
{
	int64_t failing, waiting;

	if (!db_federation_count(c, &failing, &waiting, err))
		return false;
	atomic_store(&app->health.federation_failing, failing);
	atomic_store(&app->health.federation_waiting, waiting);
	return true;
}

/* Every hour, while there is time: with its end nobody of it is a member any more. */
static bool
warn_of_federations(struct app *app, const struct db_call *c, time_t now, struct err *err)
{
	const struct db_federation_source *list;
	size_t n;

	(void)app;
	if (!db_federation_list(c, NULL, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *text = federation_end_warning(c->a, &list[i], now);

		if (text != NULL)
			log_event(LOG_LVL_WARN, "federation_over", "source", list[i].name, "text",
				  text, NULL);
	}
	return true;
}

/* Also by the clock: published metadata must not grow old (its validUntil). */
static bool
reload(struct app *app, const struct db_call *c UNUSED, time_t now, struct err *err)
{
	return app_reload(app, now, err);
}

/*
 * Batch by batch, so that nothing else waits long.  Not at once after the start:
 * a new master key file reaches the nodes one after the other, and who has the old
 * one could not open what is wrapped under a new epoch.
 */
static bool
rewrap_accounts(struct app *app, const struct db_call *c, time_t now, struct err *err)
{
	int64_t n;

	return epoch_rewrap(app->signer, c, now, &n, err);
}

/* Once a day, while there is time: a party that is marked old does not work after its day. */
static bool
warn_of_old(struct app *app, const struct db_call *c, time_t now, struct err *err)
{
	const struct snapshot *snap = snapshot_hold(&app->snapshots);

	if (snap == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "nothing is loaded yet");
	for (size_t i = 0; i < snap->parties.n; i++) {
		const struct party *p = &snap->parties.p[i];
		const char *text = p->enabled ? party_old_warning(c->a, p, now) : NULL;

		if (text != NULL)
			log_event(LOG_LVL_WARN, "old_suite", "party", p->id, "text", text, NULL);
	}
	snapshot_release(snap);
	return true;
}

/* Every hour: whose metadata has ended is refused. */
static bool
warn_of_over(struct app *app, const struct db_call *c UNUSED, time_t now, struct err *err)
{
	const struct snapshot *snap = snapshot_hold(&app->snapshots);

	if (snap == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "nothing is loaded yet");
	for (size_t i = 0; i < snap->parties.n; i++)
		if (snap->parties.p[i].enabled && party_is_over(&snap->parties.p[i], now))
			log_event(LOG_LVL_WARN, "metadata_over", "party", snap->parties.p[i].id,
				  NULL);
	for (size_t i = 0; i < snap->upstreams.n; i++)
		if (snap->upstreams.p[i].enabled && upstream_is_over(&snap->upstreams.p[i], now))
			log_event(LOG_LVL_WARN, "metadata_over", "upstream",
				  snap->upstreams.p[i].id, NULL);
	snapshot_release(snap);
	return true;
}

/* In this order at the start: what can be served needs somewhere to be stored. */
enum {
	PARTITIONS,
	RELOAD,
	SWEEP,
	REFRESH,
	ARTIFACTS,
	POLLED,
	OUTBOX,
	REFUSALS,
	OLD_REFUSALS,
	WAITING,
	REQUESTS,
	METADATA,
	FEDERATIONS,
	EPOCHS,
	OLD,
	OVER,
	PUBLISH,
	FEDERATIONS_OVER,
	MEMBER_COUNTS,
	JOBS
};
static const struct routine table[JOBS] = {
	[PARTITIONS] = {"partitions", 0, 3600, 1, make_partitions},
	[RELOAD] = {"reload", 0, 3600, 1, reload},
	[SWEEP] = {"sweep_sessions", 0, 300, 60, sweep_sessions},
	[REFRESH] = {"sweep_refresh_tokens", 0, 300, 60, sweep_refresh_tokens},
	[ARTIFACTS] = {"sweep_artifacts", 0, 60, 60, sweep_artifacts},
	[POLLED] = {"sweep_polled", 0, 60, 60, sweep_polled},
	[OUTBOX] = {"sweep_outbox", 60, 300, 60, sweep_outbox},
	[REFUSALS] = {"keep_refusals", 5, 5, 30, keep_refusals},
	[OLD_REFUSALS] = {"sweep_refusals", 600, 3600, 600, sweep_refusals},
	[WAITING] = {"count_outbox", 0, 15, 15, count_outbox},
	[REQUESTS] = {"count_requests", 0, 15, 15, count_requests},
	[METADATA] = {"count_metadata", 0, 15, 15, count_metadata},
	[FEDERATIONS] = {"count_federations", 0, 15, 15, count_federations},
	[EPOCHS] = {"rewrap_accounts", 600, 5, 600, rewrap_accounts},
	[OLD] = {"warn_of_old", 0, 86400, 60, warn_of_old},
	[OVER] = {"warn_of_over", 0, 3600, 60, warn_of_over},
	[PUBLISH] = {"publish_members", 1, 5, 30, publication_keep},
	[FEDERATIONS_OVER] = {"warn_of_federations", 0, 3600, 60, warn_of_federations},
	[MEMBER_COUNTS] = {"sweep_member_counts", 900, 86400, 600, sweep_member_counts},
};

struct jobs {
	struct app *app;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop, changed;
	int64_t due_us[JOBS]; /* monotonic */
};

/* One run of a routine, through arena_run. */
struct running {
	const struct routine *routine;
	struct app *app;
	struct arena *a;
	struct err err;
	bool ok;
};

static void
run_routine(void *arg)
{
	struct running *r = arg;
	struct db_call c = {r->app->db, r->a, clock_mono_us() + JOB_LIMIT_US};

	r->ok = r->routine->run(r->app, &c, r->app->clock(r->app), &r->err);
}

/* Documents that could not be signed are tried again soon: the HSM may be back. */
static bool
is_stale(struct app *app)
{
	const struct snapshot *snap = snapshot_hold(&app->snapshots);
	bool stale = snap != NULL && snap->stale;

	snapshot_release(snap);
	return stale;
}

static void
run_job(struct jobs *j, size_t i)
{
	struct running r = {&table[i], j->app, arena_create(JOB_ARENA_BYTES), {0}, false};

	if (r.a == NULL || !arena_run(r.a, run_routine, &r))
		r.ok = arena_run_failed(r.a, &r.err);
	if (!r.ok)
		log_err(LOG_LVL_WARN, "job_failed", &r.err, "job", table[i].name, NULL);
	int64_t wait_s = r.ok ? table[i].every_s : table[i].retry_s;

	if (i == RELOAD && r.ok && is_stale(j->app))
		wait_s = STALE_RETRY_S;
	j->due_us[i] = clock_mono_us() + wait_s * 1000000;
	arena_destroy(r.a);
}

/* Sleep until woken, a second at most; what is due then runs without the lock. */
static void
wait_a_little(struct jobs *j)
{
	struct timespec until = clock_mono_timespec(clock_mono_us() + 1000000);

	pthread_cond_timedwait(&j->wake, &j->lock, &until);
}

/* Whatever changed before a reload begins is in it: one is enough. */
static bool
is_due(struct jobs *j, size_t i)
{
	bool due = clock_mono_us() >= j->due_us[i];

	if (i != RELOAD)
		return due;
	pthread_mutex_lock(&j->lock);
	due = due || j->changed;
	j->changed = false;
	pthread_mutex_unlock(&j->lock);
	return due;
}

static void *
work(void *arg)
{
	struct jobs *j = arg;

	pthread_mutex_lock(&j->lock);
	while (!j->stop) {
		pthread_mutex_unlock(&j->lock);
		for (size_t i = 0; i < JOBS; i++)
			if (is_due(j, i))
				run_job(j, i);
		pthread_mutex_lock(&j->lock);
		if (!j->stop && !j->changed)
			wait_a_little(j);
	}
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

static void
jobs_finish(void *p)
{
	struct jobs *j = p;

	pthread_cond_destroy(&j->wake);
	pthread_mutex_destroy(&j->lock);
}

bool
jobs_start(struct arena *a, struct app *app, struct jobs **out, struct err *err)
{
	struct jobs *j = ARENA_NEW(a, struct jobs);
	pthread_condattr_t attr;

	j->app = app;
	for (size_t i = 0; i < JOBS; i++)
		j->due_us[i] = clock_mono_us() + table[i].first_s * 1000000;
	pthread_mutex_init(&j->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&j->wake, &attr);
	pthread_condattr_destroy(&attr);
	arena_defer(a, jobs_finish, j);
	if (pthread_create(&j->thread, NULL, work, j) != 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no thread for jobs");
	*out = j;
	return true;
}

void
jobs_stop(struct jobs *j)
{
	pthread_mutex_lock(&j->lock);
	j->stop = true;
	pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&j->lock);
	pthread_join(j->thread, NULL);
}

void
jobs_changed(struct jobs *j)
{
	pthread_mutex_lock(&j->lock);
	j->changed = true;
	pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&j->lock);
}
