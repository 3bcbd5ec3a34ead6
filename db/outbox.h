/*
 * What others have to be told, kept until they have heard it (docs/decisions/0016): written
 * in the transaction of what causes it, sent by one node at a time, tried again with
 * growing pauses until its time is over.  Told twice is possible, after a crash; what was
 * settled is never sent again.
 */
#ifndef KONTOR_DB_OUTBOX_H
#define KONTOR_DB_OUTBOX_H

#include "db/db.h"

struct db_outbox_item {
	const char *id;      /* rand_token(a, 16) */
	const char *kind;    /* how it is sent: a row of idp/outbox.c */
	const char *target;  /* who is to hear it: a party's id */
	const char *content; /* what the kind needs; not empty */
	time_t expires;      /* no try after */
};

MUST_USE bool db_outbox_add_tx(struct db_tx *tx, struct arena *a,
			       const struct db_outbox_item *items, size_t n, time_t now,
			       struct err *err);

/* One that this node is to send now. */
struct db_outbox_taken {
	struct db_outbox_item item;
	int64_t tries; /* this one counted */
};

/*
 * Take the one that is due longest and that no node is at, unless others of its target are
 * being sent already (`at_once` of them): so a target that hangs holds up no other.  It is
 * this node's until now + lease_s; who died over it leaves it to the others then.  What is of none
 * of `kinds` is for a node of a later program, until its time is over.  *out is
 * NULL when there is none.  Lazy.
 */
MUST_USE bool db_outbox_take(const struct db_call *c, const char *const *kinds, size_t n_kinds,
			     int64_t lease_s, int64_t at_once, time_t now,
			     const struct db_outbox_taken **out, struct err *err);

/* It is over: heard, or given up.  Its content goes, `result` stays.  Durable. */
MUST_USE bool db_outbox_settle(const struct db_call *c, const char *id, bool done,
			       const char *result, struct err *err);

/* This try failed: the next one not before `due`.  Nothing changes if another node took it since.
 */
MUST_USE bool db_outbox_again(const struct db_call *c, const struct db_outbox_taken *taken,
			      time_t due, const char *result, struct err *err);

/* How many wait, and how many of these were tried in vain. */
MUST_USE bool db_outbox_count(const struct db_call *c, int64_t *waiting, int64_t *failing,
			      struct err *err);

/* Remove at most `limit` that are over and whose time was over before `before`. */
MUST_USE bool db_outbox_sweep(const struct db_call *c, time_t before, int64_t limit, time_t now,
			      int64_t *n, struct err *err);

#endif
