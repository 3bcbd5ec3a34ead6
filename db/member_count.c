/* How often members of federations asked; see member_count.h. */
#include "db/member_count.h"

#include "db/statements.h"

enum { ADD, LIST, SWEEP };

const struct db_statement db_member_count_statements[] = {
	/* The first parameter is the row's key as one text: by it batches are sorted, so that two
	 * of them lock rows in one order. */
	[ADD] = {"member_count_add", DB_LAZY, T_MEMBER_COUNT, 1, "titti",
		 "INSERT INTO member_count AS m (day, member, outcome, level, times)"
		 " SELECT $2, $3, $4, $5, 1 WHERE $1 <> ''"
		 " ON CONFLICT (day, member, outcome, level) DO UPDATE SET times = m.times + 1"},
	[LIST] = {"member_count_list", DB_READ, T_MEMBER_COUNT, 0, "i",
		  "SELECT day, member, outcome, level, times FROM member_count WHERE day >= $1"
		  " ORDER BY day, member, outcome, level"},
	[SWEEP] = {"member_count_sweep", DB_IN_TX, T_MEMBER_COUNT, 0, "ii",
		   "WITH gone AS (DELETE FROM member_count WHERE ctid IN (SELECT ctid FROM"
		   " member_count WHERE day < $1 LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1)"
		   " SELECT count(*) FROM gone"},
	{0},
};

bool
db_member_count_add(const struct db_call *c, const struct db_member_count *count, struct err *err)
{
	const char *key = arena_printf(c->a, "%lld %s %s %lld", (long long)count->day,
				       count->member, count->outcome, (long long)count->level);

	return db_run(c, &db_member_count_statements[ADD],
		      DB_ARGS(db_text(key), db_int(count->day), db_text(count->member),
			      db_text(count->outcome), db_int(count->level)),
		      NULL, err);
}

bool
db_member_count_list(const struct db_call *c, int64_t from, const struct db_member_count **out,
		     size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_member_count_statements[LIST], DB_ARGS(db_int(from)), &rows, err))
		return false;
	struct db_member_count *list = ARENA_ARRAY(c->a, struct db_member_count, rows->n + 1);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = (struct db_member_count){
			.day = db_get_int(rows, i, 0),
			.member = db_get_text(rows, i, 1),
			.outcome = db_get_text(rows, i, 2),
			.level = db_get_int(rows, i, 3),
			.times = db_get_int(rows, i, 4),
		};
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	*n = rows->n;
	return true;
}

bool
db_member_count_sweep(const struct db_call *c, int64_t before, int64_t limit, time_t now,
		      int64_t *n, struct err *err)
{
	return db_sweep(c, &db_member_count_statements[SWEEP], db_int(before), limit, now, n, err);
}
