/* Health and metrics; see health.h. */
#include "idp/health.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/db.h"
#include "idp/app.h"
#include "idp/federation.h"
#include "idp/party_metadata.h"
#include "keys/sign.h"

#ifndef KONTOR_VERSION
#error "KONTOR_VERSION comes from meson.build"
#endif

#define LOOK_EVERY_US   1000000LL
#define HSM_ARENA_BYTES ((size_t)256 * 1024)

struct health_watch {
	struct app *app;
	pthread_t id;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop;
};

/* Said once when it goes, once when it comes. */
static void
hsm_note(struct app_health *h, const struct signer_hsm *seen)
{
	bool away = !seen->ready && seen->trouble[0] != '\0'; /* else it has only just begun */

	atomic_store(&h->hsm_missing, seen->needed && !seen->ready);
	if (!away && !seen->ready)
		return;
	if (atomic_exchange(&h->hsm_away, away) == away)
		return;
	if (away)
		log_event(LOG_LVL_WARN, "hsm_away", "text", seen->trouble, NULL);
	else
		log_event(LOG_LVL_INFO, "hsm_back", NULL);
}

/* One look, through arena_run. */
struct hsm_asking {
	struct app *app;
	struct arena *a;
};

static void
hsm_ask(void *arg)
{
	const struct hsm_asking *asking = arg;
	struct signer_hsm seen;

	signer_hsm_look(asking->app->signer, asking->a, &seen);
	if (seen.there || seen.needed)
		hsm_note(&asking->app->health, &seen);
}

/* Without memory for it, what was seen before stands until the next look. */
static void
hsm_look(struct app *app)
{
	struct hsm_asking asking = {app, arena_create(HSM_ARENA_BYTES)};

	if (asking.a != NULL)
		(void)!arena_run(asking.a, hsm_ask, &asking);
	arena_destroy(asking.a);
}

void
health_look(struct app *app)
{
	/* What a program part does not have (tests of the HTTP side) cannot be missing. */
	atomic_store(&app->health.db_ready, app->db == NULL || db_ready(app->db));
	atomic_store(&app->health.signer_ready, app->signer == NULL || signer_alive(app->signer));
	if (app->signer != NULL)
		hsm_look(app); /* last: it may have to wait */
}

static void *
watch_main(void *p)
{
	struct health_watch *w = p;

	pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		pthread_mutex_unlock(&w->lock);
		health_look(w->app);
		struct timespec until = clock_mono_timespec(clock_mono_us() + LOOK_EVERY_US);

		pthread_mutex_lock(&w->lock);
		if (!w->stop)
			pthread_cond_timedwait(&w->changed, &w->lock, &until);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

bool
health_watch_start(struct arena *a, struct app *app, struct health_watch **out, struct err *err)
{
	struct health_watch *w = ARENA_NEW(a, struct health_watch);
	pthread_condattr_t attr;

	w->app = app;
	pthread_mutex_init(&w->lock, NULL);
	/* A wrong clock is what it looks for: it must not sleep by it. */
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&w->id, NULL, watch_main, w) != 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no thread for the health watch");
	*out = w;
	return true;
}

void
health_watch_stop(struct health_watch *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->id, NULL);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
}

bool
health_live(struct request *rq, struct response *rs, struct err *err)
{
	(void)rq, (void)err;
	response_text(rs, 200, "live\n");
	return true;
}

/*
 * A load balancer reads the status, a person the word.  A snapshot means that
 * keys and parties were read once; partitions were made before that (idp/jobs.c).
 */
bool
health_ready(struct request *rq, struct response *rs, struct err *err)
{
	struct app_health *h = &rq->app->health;
	const char *missing = NULL;

	(void)err;
	if (atomic_load(&h->draining))
		missing = "draining\n";
	else if (!atomic_load(&h->db_ready))
		missing = "database\n";
	else if (rq->snap == NULL && rq->app->db != NULL)
		missing = "keys\n";
	else if (!atomic_load(&h->signer_ready))
		missing = "signer\n";
	else if (atomic_load(&h->hsm_missing))
		missing = "hsm\n";
	response_text(rs, missing == NULL ? 200 : 503, missing == NULL ? "ready\n" : missing);
	return true;
}

static void
write_gauge(struct buf *b, const char *name, const char *help, long long v)
{
	metrics_family(b, name, "gauge", help);
	buf_printf(b, "%s %lld\n", name, v);
}

static void
write_counter(struct buf *b, const char *name, const char *help, unsigned long long v)
{
	metrics_family(b, name, "counter", help);
	buf_printf(b, "%s %llu\n", name, v);
}

static void
write_db(struct app *app, struct buf *b)
{
	struct db_status s;

	db_status(app->db, &s);
	write_counter(b, "kontor_db_statements_total", "Statements the database answered.",
		      s.statements);
	write_counter(b, "kontor_db_batches_total", "Round trips they took.", s.batches);
	write_counter(b, "kontor_db_reruns_total",
		      "Batches that failed and were run again one by one.", s.reruns);
	write_counter(b, "kontor_db_unknown_commits_total", "Commits whose outcome nobody knows.",
		      s.unknown);
	write_counter(b, "kontor_db_connects_total", "Connections made.", s.connects);
	if (s.clock_known)
		write_gauge(b, "kontor_db_clock_skew_seconds",
			    "Between this node's clock and the database's.", s.clock_skew_s);
}

/* To be compared with what was issued: a signature nobody ordered shows here. */
static void
write_signer(struct request *rq, struct buf *b)
{
	struct signer_status s;

	if (!signer_status(rq->app->signer, rq->a, &s, NULL))
		return;
	write_counter(b, "kontor_signer_requests_total", "Requests to the signer since it started.",
		      s.requests);
	write_counter(b, "kontor_signer_refused_total", "Those it refused.", s.refused);
	metrics_family(b, "kontor_signer_key_uses_total", "counter", "Uses of a key, by kid.");
	for (size_t i = 0; i < s.n_keys; i++)
		buf_printf(b, "kontor_signer_key_uses_total{kid=\"%s\"} %llu\n", s.keys[i].kid,
			   (unsigned long long)s.keys[i].uses);
}

static void
write_hsm(struct request *rq, struct buf *b)
{
	struct signer_hsm seen;

	signer_hsm_look(rq->app->signer, rq->a, &seen);
	if (!seen.there && !seen.needed)
		return;
	write_gauge(b, "kontor_hsm_ready", "1 when the HSM does what it is asked.", seen.ready);
	write_gauge(b, "kontor_hsm_requests", "Requests to the HSM, waiting or at work.",
		    seen.jobs);
	write_counter(b, "kontor_hsm_done_total", "What the HSM did since its process started.",
		      seen.done);
	write_counter(b, "kontor_hsm_failed_total", "What it did not, or not in time.",
		      seen.failed);
}

/* Of one party nothing is said here: kontor status does. */
static void
write_metadata(struct request *rq, struct buf *b)
{
	const struct app_health *h = &rq->app->health;
	long long over = 0;

	for (size_t i = 0; rq->snap != NULL && i < rq->snap->parties.n; i++)
		over += rq->snap->parties.p[i].enabled &&
			party_is_over(&rq->snap->parties.p[i], rq->now);
	write_gauge(b, "kontor_metadata_over", "Parties refused since their metadata has ended.",
		    over);
	write_gauge(b, "kontor_metadata_followed", "Parties whose metadata is fetched.",
		    atomic_load(&h->metadata_followed));
	write_gauge(b, "kontor_metadata_failing", "Those for which the last try failed.",
		    atomic_load(&h->metadata_failing));
	write_gauge(b, "kontor_metadata_waiting", "Changes that wait for an operator.",
		    atomic_load(&h->metadata_waiting));
	write_gauge(b, "kontor_federation_failing",
		    "Federations' sources for which the last try failed.",
		    atomic_load(&h->federation_failing));
	write_gauge(b, "kontor_federation_waiting",
		    "Copies of federations that wait for an operator.",
		    atomic_load(&h->federation_waiting));
	if (rq->app->federation != NULL)
		federation_metrics(rq->app->federation, b, rq->now);
}

static void
write_lanes(struct app *app, struct buf *b)
{
	metrics_family(b, "kontor_lane_jobs", "gauge", "Jobs in a lane, waiting or running.");
	for (unsigned lane = LANE_LIGHT; app->lanes != NULL && lane < LANE_COUNT; lane++) {
		const char *name = lane_name((enum lane)lane);
		unsigned waiting, running;

		lane_depth(app->lanes, (enum lane)lane, &waiting, &running);
		buf_printf(b, "kontor_lane_jobs{lane=\"%s\",state=\"waiting\"} %u\n", name,
			   waiting);
		buf_printf(b, "kontor_lane_jobs{lane=\"%s\",state=\"running\"} %u\n", name,
			   running);
	}
}

bool
health_metrics(struct request *rq, struct response *rs, struct err *err)
{
	struct app *app = rq->app;
	const char *text;
	struct buf b;

	buf_init(&b, rq->a, 256 * 1024);
	metrics_family(&b, "kontor_build_info", "gauge", "Always 1; the label is the version.");
	buf_printf(&b, "kontor_build_info{version=\"%s\"} 1\n", KONTOR_VERSION);
	write_gauge(&b, "kontor_db_ready", "1 when the database is there and clocks agree.",
		    atomic_load(&app->health.db_ready));
	write_gauge(&b, "kontor_signer_ready", "1 when the signer answers.",
		    atomic_load(&app->health.signer_ready));
	write_gauge(&b, "kontor_draining", "1 when this node is about to stop.",
		    atomic_load(&app->health.draining));
	write_gauge(&b, "kontor_snapshot_version", "Number of the snapshot in use.",
		    rq->snap == NULL ? 0 : (long long)rq->snap->version);
	write_gauge(&b, "kontor_requests_waiting",
		    "Requests of portals that wait for a person's answer.",
		    atomic_load(&app->health.requests_waiting));
	write_gauge(&b, "kontor_outbox_waiting", "Messages to parties that are still to be sent.",
		    atomic_load(&app->health.outbox_waiting));
	write_gauge(&b, "kontor_outbox_failing", "Those of them that were tried in vain.",
		    atomic_load(&app->health.outbox_failing));
	write_lanes(app, &b);
	if (app->db != NULL) {
		write_db(app, &b);
		write_metadata(rq, &b);
	}
	if (app->signer != NULL) {
		write_signer(rq, &b);
		write_hsm(rq, &b);
	}
	metrics_text(app->metrics, &b);
	if (!buf_finish_str(&b, &text, err))
		return false;
	response_text(rs, 200, text);
	return true;
}
