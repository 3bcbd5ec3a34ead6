/*
 * Attempt budgets: so many tries per key and window, taken before any secret is
 * compared, so that parallel guesses cannot outrun the count.  A window is a
 * fixed piece of time; what is used up comes back when the next one begins,
 * never later, so nobody can lock an owner out for good.
 */
#ifndef KONTOR_DB_BUDGET_H
#define KONTOR_DB_BUDGET_H

#include "db/db.h"

struct db_budget {
	const char *purpose; /* "login-account", "login-source": keeps keys apart */
	struct bytes key;    /* keyed hash of an account, an address; hashed again here */
	int64_t limit;       /* tries per window, at least 1 */
	int64_t window_s;    /* at most a day */
};

struct db_attempt {
	bool allowed;    /* zero value: refused */
	int64_t left;    /* tries that remain in this window */
	int64_t window;  /* its start; db_budget_give_back wants it */
	time_t retry_at; /* when the next window begins */
};

/* One statement, lazy.  ERR_INPUT: limits that make no sense. */
MUST_USE bool db_budget_reserve(const struct db_call *c, const struct db_budget *budget, time_t now,
				struct db_attempt *out, struct err *err);

/* The attempt proved right: it does not count. */
MUST_USE bool db_budget_give_back(const struct db_call *c, const struct db_budget *budget,
				  const struct db_attempt *attempt, struct err *err);

#endif
