/*
 * What a database from a backup must not keep: everything that is used once or
 * ends.  It was taken, ended or replaced after the cut, and is there again.
 */
#ifndef KONTOR_DB_RESTORED_H
#define KONTOR_DB_RESTORED_H

#include "db/audit.h"

struct db_restored {
	int64_t sessions, flows, codes, artifacts, refresh_tokens, tokens, tickets; /* ended */
	int64_t polled;         /* requests of devices and to persons (CIBA), ended */
	int64_t one_time_codes; /* authenticators whose codes up to now are used up */
};

/*
 * End all of them, in one transaction with `audit`.  `step`: the last step of
 * time whose one-time codes no longer count.
 */
MUST_USE bool db_restored_clear(const struct db_call *c, int64_t step, const struct db_audit *audit,
				time_t now, struct db_restored *out, struct err *err);

#endif
