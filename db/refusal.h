/*
 * What was refused to parties lately, and why: for who has to find out what a portal does wrong.
 * Not a log: a row for each endpoint, error and reason, a few of a party.
 */
#ifndef KONTOR_DB_REFUSAL_H
#define KONTOR_DB_REFUSAL_H

#include "db/db.h"

/* Of a party, proven and not, each for itself: who only claims to be it pushes nothing out. */
#define DB_REFUSALS_MOST 32

struct db_refusal {
	const char *party;
	bool proven;          /* it came with a secret, key or token of the party */
	const char *endpoint; /* path */
	const char *error;    /* as the sender was told */
	const char *reason;   /* as in the log; holds nothing of the request */
	const char *ref;      /* of the last one */
	int64_t times;        /* at least 1 */
	time_t first, last;
};

/*
 * Add to what is kept; lazy.  Where a party has DB_REFUSALS_MOST, one more that is proven takes
 * the place of the one longest past, another is not kept.  Nothing if the party is gone.
 */
MUST_USE bool db_refusal_keep(const struct db_call *c, const struct db_refusal *refusal,
			      struct err *err);

/* Of one party, the last first. */
MUST_USE bool db_refusal_list(const struct db_call *c, const char *party,
			      const struct db_refusal **out, size_t *n, struct err *err);

/* Forget those whose last one was before then, `limit` at a time; *n: how many went. */
MUST_USE bool db_refusal_sweep(const struct db_call *c, time_t before, int64_t limit, time_t now,
			       int64_t *n, struct err *err);

#endif
