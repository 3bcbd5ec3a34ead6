/*
 * Lanes: bounded queues with worker threads of their own, so that one kind of
 * work cannot starve another (security.md 4.5).  A handler is a plain blocking
 * function that one worker runs from start to end.
 */
#ifndef KONTOR_IDP_LANE_H
#define KONTOR_IDP_LANE_H

#include "idp/metrics.h"

struct kdf_memory;
struct arena;

struct worker {
	enum lane lane;
	unsigned n;      /* 0.. within the lane */
	struct arena *a; /* for one job after the other; each sets the cap, leaves it empty */
	struct kdf_memory *memory; /* LANE_PASSWORD only: one block, used by this worker alone */
};

/*
 * One piece of work, memory of its owner.  run is called once by a worker;
 * or drop, once, by whichever thread notices that it waited past late_us.
 */
struct job {
	struct job *next;
	int64_t late_us; /* clock_mono_us() after which it is not begun any more */
	bool begins;     /* a login: behind all that go on with one */
	void (*run)(struct job *j, struct worker *w);
	void (*drop)(struct job *j);
};

struct lane_size {
	unsigned workers, queue; /* queue: jobs that may wait */
};

struct lanes_options {
	struct lane_size size[LANE_COUNT]; /* LANE_LOOP's is ignored */
	/* For each worker of LANE_PASSWORD, before it starts and after it ended; NULL: none. */
	struct kdf_memory *(*memory_create)(void *ctx);
	void (*memory_destroy)(struct kdf_memory *memory);
	void *ctx;
	struct metrics *metrics;   /* may be NULL */
	int64_t (*clock_us)(void); /* clock_mono_us */
};

struct lanes;

/* Lives in `a`.  ERR_UNAVAILABLE: threads or hashing memory are out. */
MUST_USE bool lanes_start(struct arena *a, const struct lanes_options *o, struct lanes **out,
			  struct err *err);

/*
 * A place in the queue for a job that must be begun by late_us.  False: there is none, or, at the
 * pace of the last few jobs, its turn would come after three quarters of the time that is left:
 * so refusals are told at once, and who is let in is hardly ever late.  When the queue is full
 * but its front has waited too long, those in front are dropped instead: who came first has gone
 * by now.
 *
 * A job that begins something waits behind those that go on with what was begun.  Where a lane
 * is pressed (somebody has waited all the time, or was refused lately) it gets no place but a
 * near one: a queue that never empties makes all wait and lets no more of them through.
 */
MUST_USE bool lane_reserve(struct lanes *l, enum lane lane, bool begins, int64_t late_us);

/*
 * Is there no room for a job that will come to this lane later, from what is let in now?  Others
 * are on their way unseen, so it says yes from a quarter of the time that is left on.
 */
bool lane_is_full(struct lanes *l, enum lane lane, int64_t late_us);

/*
 * Let somebody in whose job that goes on here is still to come.  False: with those who were let
 * in before and are not here yet its turn would come after half of the time that is left.  Who
 * takes longer than that is not counted any more.
 */
MUST_USE bool lane_expect(struct lanes *l, enum lane lane, int64_t late_us);

/* Queue a job on the place reserved for it. */
void lane_push(struct lanes *l, enum lane lane, struct job *j);

/* Jobs waiting (places reserved among them) and running now. */
void lane_depth(struct lanes *l, enum lane lane, unsigned *waiting, unsigned *running);

/* Drop what waits, let what runs end, join the threads.  Nobody reserves or pushes any more.
 * l may be NULL. */
void lanes_stop(struct lanes *l);

#endif
