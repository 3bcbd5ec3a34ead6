/* Worker lanes; see lane.h. */
#include "idp/lane.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define PACE_JOBS     16                 /* that the pace is smoothed over */
#define PACE_FRESH_US ((int64_t)1000000) /* older, it says nothing of today */
#define STANDING_US   ((int64_t)500000)  /* a queue for so long is no burst that passes */
#define PRESSED_US    ((int64_t)1000000) /* from one refusal on */
#define NEAR_SHARE    16                 /* of the time that is left */
#define NEAR_JOBS     4                  /* so few in front are near, whatever their pace */
#define EXPECTED_MOST 256

struct line {
	struct job *front, *back;
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t some;
	struct line on, begin; /* who goes on is taken first */
	unsigned waiting, running, most;
	unsigned waiting_on; /* of `waiting` */
	int64_t standing_us; /* since when somebody waits; while waiting > 0 */
	int64_t refused_us;  /* the last time; 0: never */
	/* When those were let in who are still to come: a ring, the oldest first. */
	int64_t expected_us[EXPECTED_MOST];
	unsigned expected_first, expected;
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

static void
line_add(struct line *line, struct job *j)
{
	j->next = NULL;
	if (line->back == NULL)
		line->front = j;
	else
		line->back->next = j;
	line->back = j;
}

/* The lock is held; the line is not empty. */
static struct job *
line_take(struct queue *q, struct line *line)
{
	struct job *j = line->front;

	line->front = j->next;
	if (line->front == NULL)
		line->back = NULL;
	q->waiting--; /* was counted when its place was reserved */
	q->waiting_on -= line == &q->on;
	j->next = NULL;
	return j;
}

/* The job whose turn it is, or NULL; the lock is held. */
static struct job *
take_front(struct queue *q)
{
	struct line *line = q->on.front != NULL ? &q->on : &q->begin;

	return line->front == NULL ? NULL : line_take(q, line);
}

/* Takes the late ones off the fronts into a list of its own; the lock is held. */
static struct job *
take_late(struct queue *q, int64_t now_us)
{
	struct line *const lines[] = {&q->on, &q->begin};
	struct job *late = NULL;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		while (lines[i]->front != NULL && lines[i]->front->late_us < now_us) {
			struct job *j = line_take(q, lines[i]);

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
 * The lock is held.  Will the turn of who has so many in front of him come within this time?  A
 * pace is measured only while somebody waits: after a stall it would refuse whoever comes and so
 * never be measured again.  It counts only when it is fresh.
 */
static bool
has_turn(const struct queue *q, unsigned ahead, int64_t now_us, int64_t within_us)
{
	return now_us - q->paced_us > PACE_FRESH_US || ahead * q->pace_us <= within_us;
}

/* More comes than is done: not for a moment, as in a burst.  The lock is held. */
static bool
is_pressed(const struct queue *q, int64_t now_us)
{
	return (q->waiting > 0 && now_us - q->standing_us >= STANDING_US) ||
	       (q->refused_us > 0 && now_us - q->refused_us < PRESSED_US);
}

/* The lock is held.  `most_us`: the time that may pass where the lane is not pressed. */
static bool
has_room(const struct queue *q, int64_t now_us, int64_t late_us, int64_t most_us)
{
	if (is_pressed(q, now_us) && q->waiting >= NEAR_JOBS)
		most_us = (late_us - now_us) / NEAR_SHARE;
	return !q->stop && q->waiting < q->most &&
	       has_turn(q, q->waiting + q->expected, now_us, most_us);
}

/* The lock is held; somebody is expected. */
static void
expect_one_less(struct queue *q)
{
	q->expected_first = (q->expected_first + 1) % EXPECTED_MOST;
	q->expected--;
}

/* Who was let in before `since_us` is not waited for any more.  The lock is held. */
static void
forget_expected(struct queue *q, int64_t since_us)
{
	while (q->expected > 0 && q->expected_us[q->expected_first] < since_us)
		expect_one_less(q);
}

/* The lock is held. */
static bool
has_place(const struct queue *q, bool begins, int64_t now_us, int64_t late_us)
{
	int64_t most_us = (late_us - now_us) / 4 * 3;

	if (begins)
		return has_room(q, now_us, late_us, most_us);
	return !q->stop && q->waiting < q->most && has_turn(q, q->waiting_on, now_us, most_us);
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
	q->begun_us = q->waiting > 0 ? now_us : 0;
}

bool
lane_reserve(struct lanes *l, enum lane lane, bool begins, int64_t late_us)
{
	struct queue *q = &l->queue[lane];
	int64_t now_us = l->o.clock_us();
	struct job *late = NULL;

	pthread_mutex_lock(&q->lock);
	if (q->waiting >= q->most)
		late = take_late(q, now_us);
	bool there = has_place(q, begins, now_us, late_us);

	if (there && q->waiting == 0)
		q->standing_us = now_us;
	if (!there)
		q->refused_us = now_us;
	if (!begins && q->expected > 0)
		expect_one_less(q);
	q->waiting += there;
	q->waiting_on += there && !begins;
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
	int64_t now_us = l->o.clock_us();

	pthread_mutex_lock(&q->lock);
	bool full = !has_room(q, now_us, late_us, (late_us - now_us) / 4);

	if (full)
		q->refused_us = now_us;
	pthread_mutex_unlock(&q->lock);
	return full;
}

bool
lane_expect(struct lanes *l, enum lane lane, int64_t late_us)
{
	struct queue *q = &l->queue[lane];
	int64_t now_us = l->o.clock_us(), most_us = (late_us - now_us) / 2;

	pthread_mutex_lock(&q->lock);
	forget_expected(q, now_us - most_us);
	/* Not by whether it is pressed: slow jobs of a few people are a queue that stands, and all
	 * right. */
	bool there = !q->stop && q->waiting < q->most &&
		     has_turn(q, q->waiting + q->expected, now_us, most_us);

	if (!there)
		q->refused_us = now_us;
	if (there && q->expected == EXPECTED_MOST)
		expect_one_less(q);
	if (there)
		q->expected_us[(q->expected_first + q->expected++) % EXPECTED_MOST] = now_us;
	pthread_mutex_unlock(&q->lock);
	return there;
}

void
lane_push(struct lanes *l, enum lane lane, struct job *j)
{
	struct queue *q = &l->queue[lane];

	pthread_mutex_lock(&q->lock);
	line_add(j->begins ? &q->begin : &q->on, j);
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
	while (q->on.front == NULL && q->begin.front == NULL && !q->stop)
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
