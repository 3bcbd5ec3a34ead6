/* How often members of federations asked, by day and outcome: no row is about a person. */
#ifndef KONTOR_DB_MEMBER_COUNT_H
#define KONTOR_DB_MEMBER_COUNT_H

#include "db/db.h"

struct db_member_count {
	int64_t day;         /* since 1970, UTC */
	const char *member;  /* entityID */
	const char *outcome; /* idp/flow_state.h's name, or "request": refused at once */
	int64_t level;       /* that was told, 0..4 */
	int64_t times;
};

/* One more; `count`->times does not matter.  Lazy. */
MUST_USE bool db_member_count_add(const struct db_call *c, const struct db_member_count *count,
				  struct err *err);

/* From that day on, by day, member, outcome, level. */
MUST_USE bool db_member_count_list(const struct db_call *c, int64_t from,
				   const struct db_member_count **out, size_t *n, struct err *err);

/* Forget the days before, `limit` rows at a time; *n: how many went. */
MUST_USE bool db_member_count_sweep(const struct db_call *c, int64_t before, int64_t limit,
				    time_t now, int64_t *n, struct err *err);

#endif
