/* Worker lanes; see lane.h. */
#include "idp/lane.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define PACE_JOBS     16                 /* that the pace is smoothed over */
#define PACE_FRESH_US ((int64_t)1000000) /* older, it says nothing of today */

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t some;
	struct job *front, *back;
	unsigned waiting, running, most;
	int64_t pace_us;  /* between the beginnings of two jobs while others wait */
	int64_t begun_us; /* the last one; 0: nobody waited behind it */
	int64_t paced_us; /* when the pace was last measured */
	bool stop;
};

struct thread {
	struct lanes *lanes;
	struct worker worker;
	pthread_t id;
	bool started;
};

struct lanes {
	struct lanes_options o;
	struct queue queue[LANE_COUNT];
	struct thread *threads;
	unsigned n_threads;
};

static void
count_late(struct lanes *l, enum lane lane)
{
	if (l->o.metrics != NULL)
		metrics_lane(l->o.metrics, lane, LANE_LATE);
}

/* The first job, or NULL; the lock is held. */
static struct job *
take_front(struct queue *q)
{
	struct job *j = q->front;

	if (j == NULL)
		return NULL;
	q->front = j->next;
	if (q->front == NULL)
		q->back = NULL;
	q->waiting--; /* was counted when its place was reserved */
	j->next = NULL;
	return j;
}

static void
append(struct queue *q, struct job *j)
{
	j->next = NULL;
	if (q->back == NULL)
		q->front = j;
	else
		q->back->next = j;
	q->back = j;
}

/* Takes the late ones off the front into a list of its own; the lock is held. */
static struct job *
take_late(struct queue *q, int64_t now_us)
{
	struct job *late = NULL;

	while (q->front != NULL && q->front->late_us < now_us) {
		struct job *j = take_front(q);

		j->next = late;
		late = j;
	}
	return late;
}

static void
drop_all(struct lanes *l, enum lane lane, struct job *list)
{
	while (list != NULL) {
		struct job *j = list;

		list = j->next;
		count_late(l, lane);
		j->drop(j);
	}
}

/*
 * The lock is held.  A pace is measured only while somebody waits: after a stall it would
 * refuse whoever comes and so never be measured again.  It counts only when it is fresh.
 */
static bool
has_place(const struct queue *q, int64_t now_us, int64_t late_us)
{
	bool fresh = now_us - q->paced_us <= PACE_FRESH_US;

	return !q->stop && q->waiting < q->most &&
	       (!fresh || q->waiting * q->pace_us <= (late_us - now_us) / 4 * 3);
}

/* A job begins; the lock is held. */
static void
note_pace(struct queue *q, int64_t now_us)
{
	int64_t since_us = now_us - q->begun_us;

	if (q->begun_us > 0) {
		bool fresh = q->paced_us > 0 && now_us - q->paced_us <= PACE_FRESH_US;

		q->pace_us = fresh ? q->pace_us + (since_us - q->pace_us) / PACE_JOBS : since_us;
		q->paced_us = now_us;
	}
	q->begun_us = q->front != NULL ? now_us : 0;
}

bool
lane_reserve(struct lanes *l, enum lane lane, int64_t late_us)
{
	struct queue *q = &l->queue[lane];
	int64_t now_us = l->o.clock_us();
	struct job *late = NULL;

	pthread_mutex_lock(&q->lock);
	if (q->waiting >= q->most)
		late = take_late(q, now_us);
	bool there = has_place(q, now_us, late_us);

	q->waiting += there;
	pthread_mutex_unlock(&q->lock);
	drop_all(l, lane, late);
	if (!there && l->o.metrics != NULL)
		metrics_lane(l->o.metrics, lane, LANE_FULL);
	return there;
}

bool
lane_is_full(struct lanes *l, enum lane lane, int64_t late_us)
{
	struct queue *q = &l->queue[lane];

	pthread_mutex_lock(&q->lock);
	bool full = !has_place(q, l->o.clock_us(), late_us);

	pthread_mutex_unlock(&q->lock);
	return full;
}

void
lane_push(struct lanes *l, enum lane lane, struct job *j)
{
	struct queue *q = &l->queue[lane];

	pthread_mutex_lock(&q->lock);
	append(q, j);
	pthread_mutex_unlock(&q->lock);
	pthread_cond_signal(&q->some); /* without the lock, which the worker takes first of all */
}

void
lane_depth(struct lanes *l, enum lane lane, unsigned *waiting, unsigned *running)
{
	struct queue *q = &l->queue[lane];

	pthread_mutex_lock(&q->lock);
	*waiting = q->waiting;
	*running = q->running;
	pthread_mutex_unlock(&q->lock);
}

/* Waits for a job; NULL: the lane stops. */
static struct job *
next_job(struct lanes *l, struct queue *q, bool *late)
{
	pthread_mutex_lock(&q->lock);
	while (q->front == NULL && !q->stop)
		pthread_cond_wait(&q->some, &q->lock);
	struct job *j = q->stop ? NULL : take_front(q);

	if (j != NULL) {
		int64_t now_us = l->o.clock_us();

		q->running++;
		*late = j->late_us < now_us;
		if (*late)
			q->begun_us = 0; /* the next begins after it, not after one that was done */
		else
			note_pace(q, now_us);
	}
	pthread_mutex_unlock(&q->lock);
	return j;
}

static void *
worker_main(void *p)
{
	struct thread *t = p;
	struct queue *q = &t->lanes->queue[t->worker.lane];
	struct job *j;
	bool late;

	while ((j = next_job(t->lanes, q, &late)) != NULL) {
		if (late) {
			count_late(t->lanes, t->worker.lane);
			j->drop(j);
		} else {
			j->run(j, &t->worker);
		}
		pthread_mutex_lock(&q->lock);
		q->running--;
		pthread_mutex_unlock(&q->lock);
	}
	return NULL;
}

/* Signals are the main thread's business. */
static bool
thread_start(struct thread *t)
{
	sigset_t all, before;
	char name[16];

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	t->started = pthread_create(&t->id, NULL, worker_main, t) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (t->started) {
		snprintf(name, sizeof(name), "%.8s-%u", lane_name(t->worker.lane), t->worker.n);
		pthread_setname_np(t->id, name);
	}
	return t->started;
}

static void
queues_init(struct lanes *l)
{
	for (size_t i = 0; i < LANE_COUNT; i++) {
		pthread_mutex_init(&l->queue[i].lock, NULL);
		pthread_cond_init(&l->queue[i].some, NULL);
		l->queue[i].most = l->o.size[i].queue;
	}
}

/* What is there of it is freed by lanes_stop, whatever fails. */
static bool
start_worker(struct lanes *l, enum lane lane, unsigned n)
{
	struct thread *t = &l->threads[l->n_threads++];

	t->lanes = l;
	t->worker = (struct worker){.lane = lane, .n = n, .a = arena_create(0)};
	if (t->worker.a == NULL)
		return false;
	if (lane == LANE_PASSWORD && l->o.memory_create != NULL) {
		t->worker.memory = l->o.memory_create(l->o.ctx);
		if (t->worker.memory == NULL)
			return false;
	}
	return thread_start(t);
}

static bool
start_workers(struct lanes *l)
{
	for (unsigned lane = LANE_LIGHT; lane < LANE_COUNT; lane++)
		for (unsigned n = 0; n < l->o.size[lane].workers; n++)
			if (!start_worker(l, (enum lane)lane, n))
				return false;
	return true;
}

bool
lanes_start(struct arena *a, const struct lanes_options *o, struct lanes **out, struct err *err)
{
	struct lanes *l = ARENA_NEW(a, struct lanes);
	size_t n = 0;

	l->o = *o;
	queues_init(l);
	for (unsigned lane = LANE_LIGHT; lane < LANE_COUNT; lane++)
		n += o->size[lane].workers;
	l->threads = ARENA_ARRAY(a, struct thread, n);
	if (!start_workers(l)) {
		lanes_stop(l);
		return FAIL(err, ERR_UNAVAILABLE, NULL, "cannot start %zu worker threads", n);
	}
	*out = l;
	return true;
}

static void
queue_stop(struct lanes *l, enum lane lane)
{
	struct queue *q = &l->queue[lane];
	struct job *j, *list = NULL;

	pthread_mutex_lock(&q->lock);
	q->stop = true;
	while ((j = take_front(q)) != NULL) {
		j->next = list;
		list = j;
	}
	pthread_cond_broadcast(&q->some);
	pthread_mutex_unlock(&q->lock);
	drop_all(l, lane, list);
}

void
lanes_stop(struct lanes *l)
{
	if (l == NULL)
		return;
	for (unsigned lane = 0; lane < LANE_COUNT; lane++)
		queue_stop(l, (enum lane)lane);
	for (unsigned i = 0; i < l->n_threads; i++) {
		struct thread *t = &l->threads[i];

		if (t->started)
			pthread_join(t->id, NULL);
		if (t->worker.memory != NULL)
			l->o.memory_destroy(t->worker.memory);
		arena_destroy(t->worker.a);
	}
	for (size_t i = 0; i < LANE_COUNT; i++) {
		pthread_cond_destroy(&l->queue[i].some);
		pthread_mutex_destroy(&l->queue[i].lock);
	}
}
