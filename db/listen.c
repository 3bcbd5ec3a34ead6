/*
 * The listener; see listen.h.  After each connect the caller hears "everything":
 * what was notified while nobody listened is lost.
 */
#include "db/listen.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/conn.h"

/* Also how long notices may be missing before a silent loss of the connection shows. */
#define CLOCK_EVERY_US (15 * 1000000LL)
#define ANSWER_US      (5 * 1000000LL)
#define BACKOFF_MS     100
#define BACKOFF_MOST   1000 /* as a lane has it */

struct listener {
	const struct db_options *options;
	struct conn conn;
	pthread_t thread;
	int wake_fd;
	int64_t clock_next_us;

	pthread_mutex_t lock; /* for all below */
	bool stop;
	struct listener_status status; /* ahead_s: at the last look */
	time_t looked;                 /* the node's clock then */
	int64_t looked_us;             /* and clock_mono_us() */
};

/* False: the connection is lost. */
static bool
look_at_clock(struct listener *l)
{
	int64_t ahead_s = 0;
	time_t now = 0;
	bool held = conn_clock_look(&l->conn, l->options->clock, clock_mono_us() + ANSWER_US,
				    &ahead_s, &now);

	if (held) {
		pthread_mutex_lock(&l->lock);
		l->status.ahead_s = ahead_s;
		l->status.clock_known = true;
		l->looked = now;
		l->looked_us = clock_mono_us();
		pthread_mutex_unlock(&l->lock);
	}
	l->clock_next_us = clock_mono_us() + CLOCK_EVERY_US;
	return held;
}

static void
tell(const struct listener *l, const char *what)
{
	if (l->options->changed != NULL)
		l->options->changed(l->options->changed_ctx, what);
}

/* What has arrived by now.  Several notices of one kind in a row are one. */
static void
tell_notices(struct listener *l)
{
	char last[64] = "";
	PGnotify *notice;

	while ((notice = PQnotifies(l->conn.pg)) != NULL) {
		if (strcmp(last, notice->extra) != 0) {
			snprintf(last, sizeof(last), "%s", notice->extra);
			tell(l, last);
		}
		PQfreemem(notice);
	}
}

static void
await(struct listener *l, int64_t us)
{
	struct pollfd fds[2] = {
		{.fd = l->wake_fd, .events = POLLIN},
		{.fd = l->conn.pg == NULL ? -1 : PQsocket(l->conn.pg), .events = POLLIN}};

	if (us > 0)
		(void)poll(fds, 2, (int)(us / 1000 + 1));
}

static bool
stopping(struct listener *l)
{
	pthread_mutex_lock(&l->lock);
	bool stop = l->stop;

	pthread_mutex_unlock(&l->lock);
	return stop;
}

static bool
connect_again(struct listener *l)
{
	struct err err = {0};
	const struct db_options *o = l->options;
	bool held = conn_open(&l->conn, o->conninfo, o->application_name, CONN_LISTENER, &err) &&
		    look_at_clock(l);

	if (!held)
		conn_close(&l->conn);
	pthread_mutex_lock(&l->lock);
	l->status.connected = held;
	if (held)
		l->status.deaf_since_us = 0;
	l->status.connects += held;
	if (!held)
		snprintf(l->status.trouble, sizeof(l->status.trouble), "%s", err.text);
	pthread_mutex_unlock(&l->lock);
	if (held)
		tell(l, NULL);
	return held;
}

/* Until the connection is lost or we are told to stop. */
static void
serve(struct listener *l)
{
	while (!stopping(l)) {
		if (!conn_alive(&l->conn))
			break;
		tell_notices(l);
		if (clock_mono_us() >= l->clock_next_us && !look_at_clock(l))
			break;
		tell_notices(l);
		await(l, l->clock_next_us - clock_mono_us());
	}
	conn_close(&l->conn);
	pthread_mutex_lock(&l->lock);
	l->status.connected = false;
	l->status.deaf_since_us = clock_mono_us();
	l->status.clock_known = false;
	pthread_mutex_unlock(&l->lock);
}

static void *
listener_main(void *arg)
{
	struct listener *l = arg;
	int backoff_ms = BACKOFF_MS;

	while (!stopping(l)) {
		if (connect_again(l)) {
			backoff_ms = BACKOFF_MS;
			serve(l);
			continue;
		}
		await(l, backoff_ms * 1000LL);
		backoff_ms = backoff_ms * 2 > BACKOFF_MOST ? BACKOFF_MOST : backoff_ms * 2;
	}
	return NULL;
}

struct listener *
listener_create(const struct db_options *options)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->options = options;
	l->status.deaf_since_us = clock_mono_us();
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&l->lock, NULL);
	if (l->wake_fd >= 0 && pthread_create(&l->thread, NULL, listener_main, l) == 0)
		return l;
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	pthread_mutex_destroy(&l->lock);
	free(l);
	return NULL;
}

void
listener_destroy(struct listener *l)
{
	uint64_t one = 1;

	if (l == NULL)
		return;
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_mutex_unlock(&l->lock);
	if (write(l->wake_fd, &one, sizeof(one)) == sizeof(one))
		pthread_join(l->thread, NULL);
	close(l->wake_fd);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* By how much the node's clock went on more than time did; whole seconds, towards 0.  Held: lock.
 */
static int64_t
jumped_s(const struct listener *l)
{
	int64_t clock_us = (int64_t)(l->options->clock() - l->looked) * 1000000;

	return (clock_us - (clock_mono_us() - l->looked_us)) / 1000000;
}

void
listener_status(struct listener *l, struct listener_status *out)
{
	pthread_mutex_lock(&l->lock);
	*out = l->status;
	if (out->clock_known)
		out->ahead_s += jumped_s(l);
	pthread_mutex_unlock(&l->lock);
}
