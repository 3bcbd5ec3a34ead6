/*
 * Lanes; see lane.h.  The thread owns the connection; a job is owned by its
 * caller until it is taken from the queue, and by the thread from then until it
 * is done, unless the caller has left: then the thread frees it.
 */
#include "db/lane.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

#define BATCH_MOST   128
#define QUEUE_MOST   4096
#define ANSWER_US    (10 * 1000000LL) /* a server that is silent for so long counts as gone */
#define BACKOFF_MS   100
#define BACKOFF_MOST 1000 /* so much later than the database we are back at most */

enum outcome {
	NOT_DONE = 0,
	ANSWERED, /* res holds rows */
	FAILED,   /* res holds the server's error; nothing of it stands */
	LOST,     /* never sent, or undone for certain */
	UNKNOWN,  /* a commit was asked for and not confirmed */
};

struct job {
	struct job *next;
	const struct db_statement *st;
	enum outcome outcome;
	PGresult *res;
	bool running;  /* taken from the queue: the thread's */
	bool finished; /* given back: outcome and res are the caller's to read */
	bool left;     /* its caller has gone: the thread frees it */
	pthread_cond_t done;
	size_t n;
	struct db_param params[]; /* then the octets they point to */
};

struct lane {
	struct lane_options options;
	struct conn conn;
	pthread_t thread;
	int wake_fd;

	pthread_mutex_t lock; /* for all below */
	struct job *first, **last;
	size_t n_queued;
	bool idle, stop, refusing; /* refusing: not connected, and trying again later */
	struct lane_status status;
};

/* ---- jobs ---- */

static struct job *
job_create(const struct db_statement *st, const struct db_param *params, size_t n)
{
	size_t octets = 0;

	for (size_t i = 0; i < n; i++)
		octets += params[i].octets.n;
	struct job *job = calloc(1, sizeof(*job) + n * sizeof(job->params[0]) + octets);
	pthread_condattr_t attr;

	if (job == NULL)
		return NULL;
	job->st = st;
	job->n = n;
	unsigned char *to = (unsigned char *)&job->params[n];

	for (size_t i = 0; i < n; i++) {
		job->params[i] = params[i];
		if (params[i].octets.n > 0)
			memcpy(to, params[i].octets.p, params[i].octets.n);
		job->params[i].octets.p = to;
		to += params[i].octets.n;
	}
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&job->done, &attr);
	pthread_condattr_destroy(&attr);
	return job;
}

static void
job_free(struct job *job)
{
	for (size_t i = 0; i < job->n; i++)
		wipe((void *)(uintptr_t)job->params[i].octets.p, job->params[i].octets.n);
	PQclear(job->res);
	pthread_cond_destroy(&job->done);
	free(job);
}

static struct bytes
job_key(const struct job *job)
{
	return job->st->key == 0 ? (struct bytes){NULL, 0} : job->params[job->st->key - 1].octets;
}

/* Table order, then key: see enum db_table.  Equal ones stay as they were queued. */
static int
job_order(const struct job *a, const struct job *b)
{
	if (a->st->table != b->st->table)
		return a->st->table < b->st->table ? -1 : 1;
	struct bytes x = job_key(a), y = job_key(b);
	size_t n = x.n < y.n ? x.n : y.n;
	int order = n == 0 ? 0 : memcmp(x.p, y.p, n);

	if (order != 0)
		return order;
	return x.n == y.n ? 0 : x.n < y.n ? -1 : 1;
}

/* Insertion sort: batches are small and keep their order among equals. */
static void
sort_batch(struct job **jobs, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct job *job = jobs[i];
		size_t k = i;

		for (; k > 0 && job_order(jobs[k - 1], job) > 0; k--)
			jobs[k] = jobs[k - 1];
		jobs[k] = job;
	}
}

/* ---- one batch on the connection ---- */

static bool
writes(const struct lane *lane)
{
	return lane->options.role != CONN_READER;
}

/* The connection is of no more use.  What was asked of it ends as `outcome`. */
static void
lose(struct lane *lane, struct job **jobs, size_t n, enum outcome outcome)
{
	for (size_t i = 0; i < n; i++) {
		PQclear(jobs[i]->res);
		jobs[i]->res = NULL;
		jobs[i]->outcome = outcome;
	}
	conn_close(&lane->conn);
}

static bool
send_control(struct lane *lane, const char *sql)
{
	return PQsendQueryParams(lane->conn.pg, sql, 0, NULL, NULL, NULL, NULL, 1) == 1;
}

/* Queue the batch; false: nothing of it can have been committed, the connection is lost. */
static bool
send_batch(struct lane *lane, struct job **jobs, size_t n)
{
	bool sent = !writes(lane) || send_control(lane, "BEGIN");

	for (size_t i = 0; sent && i < n; i++)
		sent = conn_send(&lane->conn, jobs[i]->st, jobs[i]->params, jobs[i]->n);
	return sent;
}

/* False: lost, and a COMMIT may be on its way: the server does not wait for the sync to obey it. */
static bool
send_end(struct lane *lane)
{
	return (!writes(lane) || send_control(lane, "COMMIT")) &&
	       PQpipelineSync(lane->conn.pg) == 1;
}

/* Undo what a failed statement left open.  False: the connection is lost. */
static bool
roll_back(struct lane *lane, int64_t deadline_us)
{
	bool done = send_control(lane, "ROLLBACK") && PQpipelineSync(lane->conn.pg) == 1;

	for (int i = 0; done && i < 2; i++) {
		PGresult *res = conn_pipeline_next(&lane->conn, deadline_us);

		done = res != NULL &&
		       (i == 1 ? PQresultStatus(res) == PGRES_PIPELINE_SYNC : conn_result_ok(res));
		PQclear(res);
	}
	return done;
}

struct answers {
	size_t n_failed;
	PGresult *commit; /* NULL on the reader */
};

/* Take everything up to the sync.  False: the connection was lost on the way. */
static bool
take_answers(struct lane *lane, struct job **jobs, size_t n, int64_t deadline_us,
	     struct answers *out)
{
	PGresult *res = writes(lane) ? conn_pipeline_next(&lane->conn, deadline_us) : NULL;

	if (writes(lane) && res == NULL)
		return false;
	PQclear(res); /* BEGIN */
	for (size_t i = 0; i < n; i++) {
		jobs[i]->res = conn_pipeline_next(&lane->conn, deadline_us);
		if (jobs[i]->res == NULL)
			return false;
		if (conn_result_ok(jobs[i]->res)) {
			jobs[i]->outcome = ANSWERED;
			continue;
		}
		/* Those behind a failure were skipped: not their fault, so not FAILED. */
		if (PQresultStatus(jobs[i]->res) != PGRES_PIPELINE_ABORTED)
			jobs[i]->outcome = FAILED;
		out->n_failed++;
	}
	if (writes(lane)) {
		out->commit = conn_pipeline_next(&lane->conn, deadline_us);
		if (out->commit == NULL)
			return false;
	}
	res = conn_pipeline_next(&lane->conn, deadline_us);
	bool synced = PQresultStatus(res) == PGRES_PIPELINE_SYNC;

	PQclear(res);
	return synced;
}

/* All were answered.  Does it stand?  Any WARNING means that nobody knows (db.h). */
static enum outcome
judge_commit(struct lane *lane, const PGresult *res)
{
	if (!writes(lane))
		return ANSWERED;
	if (!conn_result_ok(res))
		return FAILED;
	return lane->conn.warned || strcmp(PQcmdStatus((PGresult *)(uintptr_t)res), "COMMIT") != 0
		       ? UNKNOWN
		       : ANSWERED;
}

/* A failed batch of several is undone whole: each is to be run again by itself. */
static void
reset_failed(struct lane *lane, struct job **jobs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!writes(lane) && jobs[i]->outcome != NOT_DONE)
			continue;
		PQclear(jobs[i]->res);
		jobs[i]->res = NULL;
		jobs[i]->outcome = NOT_DONE;
	}
}

static bool
any_stale(struct job *const *jobs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (conn_result_stale(jobs[i]->res))
			return true;
	return false;
}

/*
 * Run jobs as one batch.  True: each has its outcome.  False: some are NOT_DONE
 * and nothing of them stands; happens only with more than one.
 */
static bool
run_once(struct lane *lane, struct job **jobs, size_t n)
{
	int64_t deadline_us = clock_mono_us() + ANSWER_US;
	struct answers answers = {0};

	lane->conn.warned = false;
	if (!send_batch(lane, jobs, n)) {
		lose(lane, jobs, n, LOST);
		return true;
	}
	if (!send_end(lane) || !take_answers(lane, jobs, n, deadline_us, &answers)) {
		PQclear(answers.commit);
		lose(lane, jobs, n, writes(lane) ? UNKNOWN : LOST);
		return true;
	}
	if (answers.n_failed > 0) {
		PQclear(answers.commit);
		if (writes(lane) && !roll_back(lane, deadline_us)) {
			lose(lane, jobs, n, LOST);
			return true;
		}
		bool stale = any_stale(jobs, n);

		if (n > 1)
			reset_failed(lane, jobs, n);
		if (stale)
			conn_close(&lane->conn);
		return n == 1;
	}
	enum outcome outcome = judge_commit(lane, answers.commit);

	if (outcome == FAILED && n == 1) {
		PQclear(jobs[0]->res);
		jobs[0]->res = answers.commit;
		answers.commit = NULL;
	}
	PQclear(answers.commit);
	if (outcome == FAILED && n > 1) {
		reset_failed(lane, jobs, n);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		jobs[i]->outcome = outcome;
	return true;
}

/* Returns how often a batch had to be run again one by one: 0 or 1. */
static unsigned
run_batch(struct lane *lane, struct job **jobs, size_t n)
{
	if (writes(lane))
		sort_batch(jobs, n);
	if (run_once(lane, jobs, n))
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (jobs[i]->outcome != NOT_DONE)
			continue;
		if (lane->conn.pg == NULL)
			jobs[i]->outcome = LOST;
		else
			(void)run_once(lane, &jobs[i], 1);
	}
	return 1;
}

/* ---- the thread ---- */

/* Give back what is done.  Held: lane->lock. */
static void
hand_back(struct lane *lane, struct job **jobs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		lane->status.unknown += jobs[i]->outcome == UNKNOWN;
		jobs[i]->finished = true;
		if (jobs[i]->left)
			job_free(jobs[i]);
		else
			pthread_cond_signal(&jobs[i]->done);
	}
}

/* Take up to `most` jobs from the queue.  Held: lane->lock. */
static size_t
take_jobs(struct lane *lane, struct job **jobs, size_t most)
{
	size_t n = 0;

	while (n < most && lane->first != NULL) {
		struct job *job = lane->first;

		lane->first = job->next;
		if (lane->first == NULL)
			lane->last = &lane->first;
		job->running = true;
		jobs[n++] = job;
	}
	lane->n_queued -= n;
	return n;
}

/* Nobody can be served now.  Held: lane->lock. */
static void
refuse_queued(struct lane *lane)
{
	struct job *jobs[BATCH_MOST];
	size_t n;

	while ((n = take_jobs(lane, jobs, ARRAY_LEN(jobs))) > 0) {
		for (size_t i = 0; i < n; i++)
			jobs[i]->outcome = LOST;
		hand_back(lane, jobs, n);
	}
}

/* Sleep until woken, until the socket has something, or for `ms` (-1: no limit). */
static void
await(struct lane *lane, int ms)
{
	struct pollfd fds[2] = {
		{.fd = lane->wake_fd, .events = POLLIN},
		{.fd = lane->conn.pg == NULL ? -1 : PQsocket(lane->conn.pg), .events = POLLIN}};
	uint64_t count;

	if (poll(fds, 2, ms) > 0 && fds[0].revents != 0 &&
	    read(lane->wake_fd, &count, sizeof(count)) < 0)
		return; /* taken already */
	if (fds[1].revents != 0 && !conn_alive(&lane->conn))
		conn_close(&lane->conn);
}

/* Connect, or refuse what is queued and wait a while.  *backoff_ms: for the next time. */
static void
reconnect(struct lane *lane, int *backoff_ms)
{
	struct err err = {0};
	const struct lane_options *o = &lane->options;
	bool held = conn_open(&lane->conn, o->conninfo, o->application_name, o->role, &err);

	if (held && PQenterPipelineMode(lane->conn.pg) != 1) {
		conn_close(&lane->conn);
		held = false;
	}
	pthread_mutex_lock(&lane->lock);
	lane->refusing = !held;
	lane->status.connected = held;
	lane->status.connects += held;
	if (!held) {
		snprintf(lane->status.trouble, sizeof(lane->status.trouble), "%s", err.text);
		refuse_queued(lane);
	}
	bool stop = lane->stop;

	pthread_mutex_unlock(&lane->lock);
	if (held)
		*backoff_ms = BACKOFF_MS;
	else if (!stop) {
		await(lane, *backoff_ms);
		*backoff_ms = *backoff_ms * 2 > BACKOFF_MOST ? BACKOFF_MOST : *backoff_ms * 2;
	}
}

/* Wait for jobs and run one batch of them.  False: stopped, and the queue is empty. */
static bool
serve(struct lane *lane)
{
	struct job *jobs[BATCH_MOST];

	pthread_mutex_lock(&lane->lock);
	while (lane->first == NULL && !lane->stop && lane->conn.pg != NULL) {
		lane->idle = true;
		pthread_mutex_unlock(&lane->lock);
		await(lane, -1);
		pthread_mutex_lock(&lane->lock);
		lane->idle = false;
	}
	size_t n = lane->conn.pg == NULL ? 0 : take_jobs(lane, jobs, ARRAY_LEN(jobs));
	bool go_on = n > 0 || !lane->stop;

	pthread_mutex_unlock(&lane->lock);
	unsigned rerun = n > 0 ? run_batch(lane, jobs, n) : 0;

	pthread_mutex_lock(&lane->lock);
	lane->status.statements += n;
	lane->status.batches += n > 0;
	lane->status.reruns += rerun;
	lane->status.connected = lane->conn.pg != NULL;
	hand_back(lane, jobs, n);
	pthread_mutex_unlock(&lane->lock);
	return go_on;
}

static void *
lane_main(void *arg)
{
	struct lane *lane = arg;
	int backoff_ms = BACKOFF_MS;

	for (;;) {
		if (lane->conn.pg == NULL)
			reconnect(lane, &backoff_ms);
		if (lane->conn.pg != NULL) {
			if (!serve(lane))
				break;
			continue;
		}
		pthread_mutex_lock(&lane->lock);
		bool stop = lane->stop;

		pthread_mutex_unlock(&lane->lock);
		if (stop)
			break;
	}
	pthread_mutex_lock(&lane->lock);
	refuse_queued(lane);
	pthread_mutex_unlock(&lane->lock);
	conn_close(&lane->conn);
	return NULL;
}

/* ---- for callers ---- */

struct lane *
lane_create(const struct lane_options *options)
{
	struct lane *lane = calloc(1, sizeof(*lane));

	if (lane == NULL)
		return NULL;
	lane->options = *options;
	lane->last = &lane->first;
	lane->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&lane->lock, NULL);
	if (lane->wake_fd >= 0 && pthread_create(&lane->thread, NULL, lane_main, lane) == 0)
		return lane;
	if (lane->wake_fd >= 0)
		close(lane->wake_fd);
	pthread_mutex_destroy(&lane->lock);
	free(lane);
	return NULL;
}

static void
wake(const struct lane *lane)
{
	uint64_t one = 1;

	if (write(lane->wake_fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is awake */
}

void
lane_destroy(struct lane *lane)
{
	if (lane == NULL)
		return;
	pthread_mutex_lock(&lane->lock);
	lane->stop = true;
	pthread_mutex_unlock(&lane->lock);
	wake(lane);
	pthread_join(lane->thread, NULL);
	close(lane->wake_fd);
	pthread_mutex_destroy(&lane->lock);
	free(lane);
}

/* Held: lane->lock. */
static void
take_back(struct lane *lane, const struct job *job)
{
	struct job **at = &lane->first;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	if (*at == NULL)
		lane->last = at;
	lane->n_queued--;
}

/* True: the thread sleeps, and the caller is to wake it.  Held: lane->lock. */
static bool
enqueue(struct lane *lane, struct job *const *jobs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		*lane->last = jobs[i];
		lane->last = &jobs[i]->next;
	}
	lane->n_queued += n;
	bool idle = lane->idle;

	lane->idle = false;
	return idle;
}

/* Who cannot be waited for any longer.  Held: lane->lock.  What stays the caller's is kept. */
static void
leave(struct lane *lane, struct job **jobs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (jobs[i]->finished)
			continue;
		if (jobs[i]->running) {
			jobs[i]->left = true;
			jobs[i] = NULL;
		} else {
			take_back(lane, jobs[i]);
		}
	}
}

static bool
say_late(const struct lane *lane, const char *name, bool running, struct err *err)
{
	return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: %s", name,
		    !running       ? "not sent in time"
		    : writes(lane) ? "no answer in time, outcome unknown"
				   : "no answer in time");
}

/* Queue the jobs and wait.  False: err is set, and those that are still ours are not NULL. */
static bool
await_outcome(struct lane *lane, struct job **jobs, size_t n, int64_t deadline_us, struct err *err)
{
	const struct timespec until = {.tv_sec = deadline_us / 1000000,
				       .tv_nsec = deadline_us % 1000000 * 1000};
	size_t at = 0;
	int rc = 0;

	pthread_mutex_lock(&lane->lock);
	if (lane->refusing || lane->stop || lane->n_queued + n > QUEUE_MOST) {
		bool full = !lane->refusing && !lane->stop;

		pthread_mutex_unlock(&lane->lock);
		return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: %s", jobs[0]->st->name,
			    full ? "too many statements are waiting" : "not connected");
	}
	if (enqueue(lane, jobs, n)) {
		pthread_mutex_unlock(&lane->lock); /* the thread takes it first of all */
		wake(lane);
		pthread_mutex_lock(&lane->lock);
	}
	while (at < n && rc == 0) {
		if (jobs[at]->finished)
			at++;
		else
			rc = pthread_cond_timedwait(&jobs[at]->done, &lane->lock, &until);
	}
	/* Its time may have come together with its end. */
	while (at < n && jobs[at]->finished)
		at++;
	const char *name = at < n ? jobs[at]->st->name : NULL;
	bool running = at < n && jobs[at]->running;

	if (at < n)
		leave(lane, jobs, n);
	pthread_mutex_unlock(&lane->lock);
	return at == n || say_late(lane, name, running, err);
}

/* The result of a finished job.  False: err tells why there is none. */
static bool
take_result(struct job *job, PGresult **out, struct err *err)
{
	switch (job->outcome) {
	case ANSWERED:
		*out = job->res;
		job->res = NULL;
		return true;
	case FAILED:
		return conn_fail(err, job->st->name, job->res);
	case NOT_DONE:
	case LOST:
	case UNKNOWN:
		break;
	}
	return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: %s", job->st->name,
		    job->outcome == UNKNOWN ? "outcome unknown" : "connection lost");
}

static bool
make_jobs(const struct lane_ask *asks, size_t n, struct job **jobs, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		jobs[i] = job_create(asks[i].st, asks[i].params, asks[i].n);
		if (jobs[i] == NULL)
			return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: out of memory",
				    asks[i].st->name);
	}
	return true;
}

bool
lane_run(struct lane *lane, struct lane_ask *asks, size_t n, int64_t deadline_us, struct err *err)
{
	struct job *jobs[LANE_ASKS_MOST] = {NULL};

	if (n == 0 || n > LANE_ASKS_MOST || (n > 1 && writes(lane)))
		return FAIL(err, ERR_INTERNAL, NULL, "not a call for a lane");
	bool held = make_jobs(asks, n, jobs, err) && await_outcome(lane, jobs, n, deadline_us, err);

	for (size_t i = 0; held && i < n; i++)
		held = take_result(jobs[i], &asks[i].res, err);
	for (size_t i = 0; i < n; i++) {
		if (jobs[i] != NULL)
			job_free(jobs[i]);
		if (!held) {
			PQclear(asks[i].res);
			asks[i].res = NULL;
		}
	}
	return held;
}

bool
lane_refuses(struct lane *lane)
{
	pthread_mutex_lock(&lane->lock);
	bool refuses = lane->refusing;

	pthread_mutex_unlock(&lane->lock);
	return refuses;
}

void
lane_status(struct lane *lane, struct lane_status *out)
{
	pthread_mutex_lock(&lane->lock);
	*out = lane->status;
	out->queued = lane->n_queued;
	pthread_mutex_unlock(&lane->lock);
}
