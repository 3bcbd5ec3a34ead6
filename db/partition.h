/*
 * Upkeep of the tables that are partitioned by day of expiry.  There is no
 * default partition: a row that has none is refused (ERR_UNAVAILABLE, "no
 * partition") instead of hiding where no look-up and no clean-up would find it.
 */
#ifndef KONTOR_DB_PARTITION_H
#define KONTOR_DB_PARTITION_H

#include "db/db.h"

/*
 * Partitions are made so far ahead; nothing may expire later than this.  Few, because a
 * statement with a prepared plan locks every partition of its table before it knows which.
 */
#define DB_AHEAD_S (2 * 86400)

struct db_partitions {
	int64_t made, dropped;
	time_t until; /* rows that expire before this have a partition */
};

/*
 * Make what DB_AHEAD_S needs and drop what expired more than a day ago.  Run
 * hourly by any node; a second one at the same time does nothing.
 * ERR_UNAVAILABLE, and nothing done: this node's clock is not the database's, and
 * by the wrong day it would drop replay marks and codes that still count.
 */
MUST_USE bool db_partitions_maintain(const struct db_call *c, time_t now, struct db_partitions *out,
				     struct err *err);

#endif
