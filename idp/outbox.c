/* Sending what the outbox holds; see outbox.h. */
#include "idp/outbox.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "idp/asking.h"
#include "idp/logout_send.h"
#include "idp/mail.h"

#define THREADS         8
#define AT_ONCE         2  /* items of one target, over all nodes */
#define LEASE_S         60 /* longer than any try lasts */
#define LOOK_US         ((int64_t)1000000)
#define TRY_ARENA_BYTES ((size_t)4 * 1024 * 1024)
#define DB_LIMIT_US     ((int64_t)10 * 1000000)

#define PAUSE_FIRST_S   5
#define PAUSE_MOST_S    3600

/* Names are in rows of the database: never rename. */
static const struct outbox_kind kinds[] = {
	{LOGOUT_SAML_KIND, logout_send_saml},
	{LOGOUT_OIDC_KIND, logout_send_oidc},
	{DB_POLLED_PING, asking_ping},
	{MAIL_KIND, mail_send},
};

/* ---- one item ---- */

int64_t
outbox_pause_s(int64_t tries)
{
	int64_t pause = PAUSE_FIRST_S;

	for (; tries > 1 && pause < PAUSE_MOST_S; tries--)
		pause *= 4;
	return pause < PAUSE_MOST_S ? pause : PAUSE_MOST_S;
}

/* Up to a quarter more, so that those who failed together do not come back together. */
static time_t
next_try(const struct db_outbox_taken *t, time_t now)
{
	int64_t pause = outbox_pause_s(t->tries);
	unsigned char jitter;

	rand_bytes(&jitter, 1);
	return now + pause + pause * jitter / 1024;
}

static const struct outbox_kind *
kind_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (text_eq(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

static bool
take(const struct db_call *c, struct outbox_try *t, struct err *err)
{
	const char *names[ARRAY_LEN(kinds)];

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		names[i] = kinds[i].name;
	return db_outbox_take(c, names, ARRAY_LEN(names), LEASE_S, AT_ONCE, t->now, &t->taken, err);
}

static struct outbox_outcome
make_try(const struct outbox_try *t, struct err *err)
{
	const struct db_outbox_item *item = &t->taken->item;
	const struct outbox_kind *kind = kind_of(item->kind);

	/* Of another kind it is only then taken at all. */
	if (t->now >= item->expires || kind == NULL) {
		(void)!FAIL(err, ERR_UNAVAILABLE, NULL, "its time is over");
		return (struct outbox_outcome){OUTBOX_GIVE_UP, "time_over"};
	}
	return kind->send(t, err);
}

static bool
note(const struct db_call *c, const struct outbox_try *t, struct outbox_outcome o, struct err *err)
{
	const struct db_outbox_taken *taken = t->taken;
	time_t due = next_try(taken, t->now);

	if (o.end == OUTBOX_AGAIN && due < taken->item.expires)
		return db_outbox_again(c, taken, due, o.result, err);
	return db_outbox_settle(c, taken->item.id, o.end == OUTBOX_DONE, o.result, err);
}

static void
release_snapshot(void *p)
{
	snapshot_release(p);
}

bool
outbox_send_one(struct app *app, struct arena *a, time_t now, bool *sent, struct err *err)
{
	struct db_call c = {app->db, a, clock_mono_us() + DB_LIMIT_US};
	struct outbox_try t = {
		.app = app, .a = a, .snap = snapshot_hold(&app->snapshots), .now = now};
	struct err why = {0};

	*sent = false;
	if (t.snap == NULL) /* nothing can be said of any party yet */
		return true;
	arena_defer(a, release_snapshot, (void *)(uintptr_t)t.snap);
	if (!take(&c, &t, err))
		return false;
	if (t.taken == NULL)
		return true;
	*sent = true;
	outbox_wake(app->outbox); /* there may be more, for another thread */
	struct outbox_outcome o = make_try(&t, &why);

	if (o.end != OUTBOX_DONE)
		log_err(LOG_LVL_WARN, "outbox_failed", &why, "kind", t.taken->item.kind, "target",
			t.taken->item.target, "result", o.result, NULL);
	c.deadline_us = clock_mono_us() + DB_LIMIT_US;
	return note(&c, &t, o, err);
}

/* ---- the threads ---- */

struct outbox {
	struct app *app;
	pthread_t threads[THREADS];
	size_t n_threads;
	pthread_mutex_t lock;
	pthread_cond_t wake, settled;
	bool stop;
	bool woken; /* one of them is to look at once */
	uint64_t n_settled;
	int64_t look_us; /* when one of them looks without being woken */
};

struct sending {
	struct outbox *o;
	struct arena *a;
	struct err err;
	bool ok, sent;
};

static void
send_guarded(void *arg)
{
	struct sending *s = arg;
	struct app *app = s->o->app;

	s->ok = outbox_send_one(app, s->a, app->clock(app), &s->sent, &s->err);
}

/* One look; true: there was an item. */
static bool
look(struct outbox *o)
{
	struct sending s = {.o = o, .a = arena_create(TRY_ARENA_BYTES)};

	if (s.a == NULL || !arena_run(s.a, send_guarded, &s))
		s.ok = arena_run_failed(s.a, &s.err);
	if (!s.ok)
		log_err(LOG_LVL_WARN, "outbox_unsettled", &s.err, NULL);
	arena_destroy(s.a);
	return s.ok && s.sent;
}

/* Wait for a wake or for the next look by the clock; false: it is over. */
static bool
wait_for_turn(struct outbox *o)
{
	pthread_mutex_lock(&o->lock);
	while (!o->stop && !o->woken && clock_mono_us() < o->look_us) {
		struct timespec until = clock_mono_timespec(o->look_us);

		pthread_cond_timedwait(&o->wake, &o->lock, &until);
	}
	o->woken = false;
	o->look_us = clock_mono_us() + LOOK_US;
	bool go_on = !o->stop;

	pthread_mutex_unlock(&o->lock);
	return go_on;
}

static void
tell_settled(struct outbox *o)
{
	pthread_mutex_lock(&o->lock);
	o->n_settled++;
	pthread_cond_broadcast(&o->settled);
	pthread_mutex_unlock(&o->lock);
}

static void *
work(void *arg)
{
	struct outbox *o = arg;

	while (wait_for_turn(o))
		if (look(o)) {
			tell_settled(o);
			outbox_wake(o); /* and perhaps more of this target */
		}
	return NULL;
}

void
outbox_wait(struct outbox *o, int64_t until_us)
{
	struct timespec until = clock_mono_timespec(until_us);

	pthread_mutex_lock(&o->lock);
	for (uint64_t seen = o->n_settled; seen == o->n_settled && clock_mono_us() < until_us;)
		pthread_cond_timedwait(&o->settled, &o->lock, &until);
	pthread_mutex_unlock(&o->lock);
}

void
outbox_wake(struct outbox *o)
{
	if (o == NULL)
		return;
	pthread_mutex_lock(&o->lock);
	o->woken = true;
	pthread_cond_signal(&o->wake);
	pthread_mutex_unlock(&o->lock);
}

static void
outbox_finish(void *p)
{
	struct outbox *o = p;

	pthread_cond_destroy(&o->settled);
	pthread_cond_destroy(&o->wake);
	pthread_mutex_destroy(&o->lock);
}

bool
outbox_start(struct arena *a, struct app *app, struct outbox **out, struct err *err)
{
	struct outbox *o = ARENA_NEW(a, struct outbox);
	pthread_condattr_t attr;

	o->app = app;
	pthread_mutex_init(&o->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&o->wake, &attr);
	pthread_cond_init(&o->settled, &attr);
	pthread_condattr_destroy(&attr);
	arena_defer(a, outbox_finish, o);
	*out = o; /* before the threads, which wake each other */
	for (; o->n_threads < THREADS; o->n_threads++)
		if (pthread_create(&o->threads[o->n_threads], NULL, work, o) != 0)
			break;
	if (o->n_threads == THREADS)
		return true;
	outbox_stop(o);
	return FAIL(err, ERR_UNAVAILABLE, NULL, "no threads for the outbox");
}

void
outbox_stop(struct outbox *o)
{
	pthread_mutex_lock(&o->lock);
	o->stop = true;
	pthread_cond_broadcast(&o->wake);
	pthread_mutex_unlock(&o->lock);
	for (size_t i = 0; i < o->n_threads; i++)
		pthread_join(o->threads[i], NULL);
}
