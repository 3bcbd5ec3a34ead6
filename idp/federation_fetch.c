/* Fetching federations' metadata again and again; see federation_take.h. */
#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rand.h"
#include "idp/config.h"
#include "idp/federation_take.h"
#include "idp/fetch.h"
#include "idp/refresh.h"

#define ACCEPT        "application/samlmetadata+xml, application/xml;q=0.9, text/xml;q=0.8"
#define FETCH_MS      120000
#define LEASE_S       600 /* longer than any try lasts */
#define LOOK_US       ((int64_t)1000000)
#define TAKE_BYTES    ((size_t)16 * 1024 * 1024)
#define WORK_BYTES    ((size_t)128 * 1024 * 1024)
#define DB_LIMIT_US   ((int64_t)10 * 1000000)
#define PAUSE_S       3600
#define PAUSE_LEAST_S 60

int64_t
federation_pause_s(const struct federation_rules *rules, time_t valid_until, time_t now)
{
	int64_t pause = rules->every_s != 0 ? rules->every_s : PAUSE_S;

	if (valid_until != 0 && (valid_until - now) / 2 < pause)
		pause = (valid_until - now) / 2;
	return pause < PAUSE_LEAST_S ? PAUSE_LEAST_S : pause;
}

/* One try, in an arena of its own: of one that was not enough there is an end to write all the
 * same. */
struct attempt {
	struct app *app;
	struct arena *a;
	const struct db_federation_source *source;
	time_t now;
	struct federation_taking *taking; /* NULL: not begun */
	struct fetch_got got;
	struct federation_taken taken;
	bool all, well;
	struct err why;
};

static bool
take(void *ctx, struct bytes piece, struct err *err)
{
	struct attempt *t = ctx;

	return federation_take_add(t->taking, piece, err);
}

static bool
fetch(struct attempt *t, struct err *err)
{
	char *ref = arena_alloc(t->a, REQUEST_REF_BYTES);
	struct db_call c = {t->app->db, t->a, clock_mono_us() + DB_LIMIT_US};
	struct federation_rules rules;

	app_make_ref(ref);
	if (!federation_rules_parse(t->a, t->source->rules, &rules, err) ||
	    !federation_take_begin(&c, t->source, ref, t->now, &t->taking, err))
		return false;
	if (t->all)
		federation_take_all(t->taking);
	const struct fetch_stream what = {
		.get = {.url = t->source->url,
			.ca_file = t->app->config->outbound_ca,
			.accept = ACCEPT,
			.known = {t->source->etag, t->source->last_modified},
			.max_bytes = rules.bytes_most,
			.timeout_ms = FETCH_MS,
			.inside = &t->app->config->outbound_inside},
		.take = take,
		.ctx = t,
	};

	if (!t->app->stream(t->a, &what, &t->got, err))
		return false;
	if (!t->got.same)
		return federation_take_end(t->taking, &t->taken, err);
	federation_take_abandon(t->taking);
	if (t->source->counting.seq != 0 && t->source->counting.valid_until <= t->now)
		return FAIL(err, ERR_DENIED, NULL, "validUntil has passed, and there is no other");
	return true;
}

static void
fetch_guarded(void *arg)
{
	struct attempt *t = arg;

	t->well = fetch(t, &t->why);
	if (!t->well && t->taking != NULL)
		federation_take_abandon(t->taking);
}

static void
run_attempt(struct attempt *t)
{
	t->a = arena_create(WORK_BYTES);
	if (t->a == NULL || !arena_run(t->a, fetch_guarded, t))
		t->well = arena_run_failed(t->a, &t->why);
	memory_set_failed(false); /* told by `why`: what comes now is another piece of work */
}

static time_t
with_jitter(time_t now, int64_t pause)
{
	unsigned char jitter;

	rand_bytes(&jitter, 1);
	return now + pause - pause * jitter / 2048;
}

static struct db_federation_end
end_of(const struct attempt *t, const struct federation_rules *rules)
{
	const struct db_federation_source *s = t->source;
	struct db_federation_end end = {.due = 0};

	if (!t->well) {
		end.due = with_jitter(t->now, refresh_retry_s(s->tries));
		end.trouble = t->why.text;
		/* What came last is known as before; what was refused is asked for again. */
		if (t->why.kind == ERR_UNAVAILABLE) {
			end.etag = s->etag;
			end.last_modified = s->last_modified;
		}
		return end;
	}
	time_t until = t->taken.valid_until != 0 ? t->taken.valid_until : s->counting.valid_until;

	end.due = with_jitter(t->now, federation_pause_s(rules, until, t->now));
	end.etag = t->got.known.etag;
	end.last_modified = t->got.known.last_modified;
	return end;
}

bool
federation_take_one(struct app *app, struct arena *a, time_t now, bool *did, struct err *err)
{
	struct db_call c = {app->db, a, clock_mono_us() + DB_LIMIT_US};
	struct federation_rules rules = {.roles = 0};
	struct attempt t = {.app = app, .now = now};

	*did = false;
	if (!db_federation_take(&c, NULL, LEASE_S, now, &t.source, err))
		return false;
	if (t.source == NULL)
		return true;
	*did = true;
	run_attempt(&t);
	if (!t.well && t.why.kind == ERR_CONFLICT) {
		struct arena *first = t.a;

		t = (struct attempt){.app = app, .now = now, .source = t.source, .all = true};
		run_attempt(&t);
		arena_destroy(first);
	}
	if (!t.well)
		log_err(LOG_LVL_WARN, "federation_failed", &t.why, "source", t.source->name, NULL);
	(void)!federation_rules_parse(a, t.source->rules, &rules, NULL);
	const struct db_federation_end end = end_of(&t, &rules);

	c.deadline_us = clock_mono_us() + DB_LIMIT_US;
	bool settled = db_federation_settle(&c, t.source, &end, now, err);

	arena_destroy(t.a);
	return settled;
}

#define DAY_S   ((time_t)86400)
#define WARNS_S (5 * DAY_S)

const char *
federation_end_warning(struct arena *a, const struct db_federation_source *source, time_t now)
{
	time_t until = source->counting.valid_until;
	/* Older than what is left of it: the publisher does not renew, whatever he serves. */
	bool alone = source->kind == DB_FEDERATION_FILE || source->trouble != NULL ||
		     now - source->counting.at > until - now;

	if (source->counting.seq == 0)
		return NULL;
	if (until <= now)
		return arena_printf(a, "its metadata ended on %s (validUntil): nobody of it counts",
				    clock_text(a, until));
	if (until - now > (alone ? WARNS_S : DAY_S))
		return NULL;
	return arena_printf(a, "its metadata ends on %s (validUntil)", clock_text(a, until));
}

/* ---- the thread ---- */

struct federation_fetcher {
	struct app *app;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
};

struct looking {
	struct federation_fetcher *f;
	struct arena *a;
	struct err err;
	bool ok, did;
};

static void
look_guarded(void *arg)
{
	struct looking *l = arg;
	struct app *app = l->f->app;

	l->ok = federation_take_one(app, l->a, app->clock(app), &l->did, &l->err);
}

/* True: there was one due. */
static bool
look(struct federation_fetcher *f)
{
	struct looking l = {.f = f, .a = arena_create(TAKE_BYTES)};

	if (l.a == NULL || !arena_run(l.a, look_guarded, &l))
		l.ok = arena_run_failed(l.a, &l.err);
	if (!l.ok)
		log_err(LOG_LVL_WARN, "federation_unsettled", &l.err, NULL);
	arena_destroy(l.a);
	return l.ok && l.did;
}

static bool
wait_for_turn(struct federation_fetcher *f, bool at_once)
{
	struct timespec until = clock_mono_timespec(clock_mono_us() + LOOK_US);

	pthread_mutex_lock(&f->lock);
	if (!at_once && !f->stop)
		pthread_cond_timedwait(&f->wake, &f->lock, &until);
	bool go_on = !f->stop;

	pthread_mutex_unlock(&f->lock);
	return go_on;
}

static void *
work(void *arg)
{
	struct federation_fetcher *f = arg;
	bool did = false;

	while (wait_for_turn(f, did))
		did = look(f);
	return NULL;
}

static void
finish(void *p)
{
	struct federation_fetcher *f = p;

	pthread_cond_destroy(&f->wake);
	pthread_mutex_destroy(&f->lock);
}

bool
federation_fetcher_start(struct arena *a, struct app *app, struct federation_fetcher **out,
			 struct err *err)
{
	struct federation_fetcher *f = ARENA_NEW(a, struct federation_fetcher);
	pthread_condattr_t attr;

	f->app = app;
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&f->wake, &attr);
	pthread_condattr_destroy(&attr);
	arena_defer(a, finish, f);
	if (pthread_create(&f->thread, NULL, work, f) != 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no thread for federations");
	*out = f;
	return true;
}

void
federation_fetcher_stop(struct federation_fetcher *f)
{
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_broadcast(&f->wake);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
}
