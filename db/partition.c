/* Upkeep of the partitioned tables; the work is done by functions of 0003_short_lived.sql. */
#include "db/partition.h"

#include "db/dated.h"
#include "db/statements.h"

enum { MAINTAIN, UNTIL };

const struct db_statement db_partition_statements[] = {
	[MAINTAIN] = {"partition_maintain", DB_IN_TX, T_NONE, 0, "iii",
		      "SELECT made, dropped FROM partitions_maintain($1, $2, $3)"},
	[UNTIL] = {"partition_until", DB_READ, T_NONE, 0, "i", "SELECT partitions_until($1)"},
	{0},
};

static bool
maintain(struct db_tx *tx, time_t now, struct db_partitions *out, struct err *err)
{
	struct db_rows *rows;

	/* One day more than needed, so that what is made at noon lasts until the next noon. */
	if (!db_tx_check_clock(tx, err) ||
	    !db_tx_run(tx, &db_partition_statements[MAINTAIN],
		       DB_ARGS(db_int(now / DAY_S - 1), db_int(now / DAY_S),
			       db_int((now + DB_AHEAD_S) / DAY_S + 1)),
		       &rows, err))
		return false;
	out->made = db_get_int(rows, 0, 0);
	out->dropped = db_get_int(rows, 0, 1);
	return db_rows_check(rows, err);
}

bool
db_partitions_maintain(const struct db_call *c, time_t now, struct db_partitions *out,
		       struct err *err)
{
	struct db_tx *tx;
	struct db_rows *rows;
	struct db_partitions done;

	if (!db_tx_begin(c, &tx, err) ||
	    !db_tx_conclude(tx, maintain(tx, now, &done, err), NULL, now, err) ||
	    !db_run(c, &db_partition_statements[UNTIL], DB_ARGS(db_int(now / DAY_S)), &rows, err))
		return false;
	done.until = db_get_int(rows, 0, 0) * DAY_S;
	if (!db_rows_check(rows, err))
		return false;
	*out = done;
	return true;
}
