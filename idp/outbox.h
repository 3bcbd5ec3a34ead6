/*
 * Sending what the outbox holds (db/outbox.h): a few threads of this process, each of which
 * takes one item, sends it and settles it.  How an item is sent is its kind's, a row of the
 * table in outbox.c.
 */
#ifndef KONTOR_IDP_OUTBOX_H
#define KONTOR_IDP_OUTBOX_H

#include "db/outbox.h"
#include "idp/app.h"

/* One try.  All of it lives as long as the call. */
struct outbox_try {
	struct app *app;
	struct arena *a;
	const struct snapshot *snap;
	const struct db_outbox_taken *taken;
	time_t now;
};

enum outbox_end {
	OUTBOX_AGAIN = 0, /* not heard: another try, while there is time */
	OUTBOX_DONE,
	OUTBOX_GIVE_UP, /* another try would end alike */
};

struct outbox_outcome {
	enum outbox_end end;
	const char *result; /* a static word; kept with the item */
};

struct outbox_kind {
	const char *name;
	/* err says why it is not DONE, for the log. */
	struct outbox_outcome (*send)(const struct outbox_try *t, struct err *err);
};

struct outbox;

/* *out lives as long as `a`.  ERR_UNAVAILABLE: no threads. */
MUST_USE bool outbox_start(struct arena *a, struct app *app, struct outbox **out, struct err *err);

/* Let what is being sent end, then stop. */
void outbox_stop(struct outbox *o);

/* Something was put in on this node: do not wait for the next look.  NULL: nobody sends. */
void outbox_wake(struct outbox *o);

/* Wait until this node has settled something, or until then (clock_mono_us). */
void outbox_wait(struct outbox *o, int64_t until_us);

/* Take one item and send it, in the calling thread; *sent is false: there is none due. */
MUST_USE bool outbox_send_one(struct app *app, struct arena *a, time_t now, bool *sent,
			      struct err *err);

/* How long after try number `tries` (from 1) the next one is made: seconds, before jitter. */
int64_t outbox_pause_s(int64_t tries);

#endif
