/* What was refused to parties; see refusal.h. */
#include "db/refusal.h"

#include "db/statements.h"

enum { KEEP, LIST, SWEEP };

#define THIS_ONE "party = $1 AND proven = $2 AND endpoint = $3 AND error = $4 AND reason = $5"

const struct db_statement db_refusal_statements[] = {
	/* The row that comes in is not yet seen by what counts and removes the others. */
	[KEEP] = {"refusal_keep", DB_LAZY, T_REFUSAL, 1, "tottttiiii",
		  "WITH kept AS (INSERT INTO refusal (party, proven, endpoint, error, reason, ref,"
		  " times, first_at, last_at) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 FROM party"
		  " WHERE id = $1 AND ($2 OR EXISTS (SELECT FROM refusal WHERE " THIS_ONE ")"
		  " OR (SELECT count(*) FROM refusal WHERE party = $1 AND NOT proven) < $10)"
		  " ON CONFLICT (party, proven, endpoint, error, reason) DO UPDATE SET"
		  " times = refusal.times + EXCLUDED.times,"
		  " first_at = least(refusal.first_at, EXCLUDED.first_at),"
		  " last_at = greatest(refusal.last_at, EXCLUDED.last_at),"
		  " ref = CASE WHEN EXCLUDED.last_at >= refusal.last_at THEN EXCLUDED.ref"
		  " ELSE refusal.ref END RETURNING 1)"
		  " DELETE FROM refusal WHERE ctid IN (SELECT ctid FROM refusal"
		  " WHERE party = $1 AND proven = $2 AND NOT (" THIS_ONE ")"
		  " AND EXISTS (SELECT FROM kept)"
		  " ORDER BY last_at DESC OFFSET $10 - 1 FOR UPDATE SKIP LOCKED)"},
	[LIST] = {"refusal_list", DB_READ, T_REFUSAL, 1, "t",
		  "SELECT proven, endpoint, error, reason, ref, times, first_at, last_at FROM"
		  " refusal WHERE party = $1 ORDER BY last_at DESC, endpoint, error, reason"},
	[SWEEP] = {"refusal_sweep", DB_IN_TX, T_REFUSAL, 0, "ii",
		   "WITH gone AS (DELETE FROM refusal WHERE ctid IN (SELECT ctid FROM refusal"
		   " WHERE last_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1)"
		   " SELECT count(*) FROM gone"},
	{0},
};

bool
db_refusal_keep(const struct db_call *c, const struct db_refusal *refusal, struct err *err)
{
	return db_run(c, &db_refusal_statements[KEEP],
		      DB_ARGS(db_text(refusal->party), db_bool(refusal->proven),
			      db_text(refusal->endpoint), db_text(refusal->error),
			      db_text(refusal->reason), db_text(refusal->ref),
			      db_int(refusal->times), db_int(refusal->first), db_int(refusal->last),
			      db_int(DB_REFUSALS_MOST)),
		      NULL, err);
}

bool
db_refusal_list(const struct db_call *c, const char *party, const struct db_refusal **out,
		size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_refusal_statements[LIST], DB_ARGS(db_text(party)), &rows, err))
		return false;
	struct db_refusal *list = ARENA_ARRAY(c->a, struct db_refusal, rows->n + 1);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = (struct db_refusal){
			.party = party,
			.proven = db_get_bool(rows, i, 0),
			.endpoint = db_get_text(rows, i, 1),
			.error = db_get_text(rows, i, 2),
			.reason = db_get_text(rows, i, 3),
			.ref = db_get_text(rows, i, 4),
			.times = db_get_int(rows, i, 5),
			.first = db_get_int(rows, i, 6),
			.last = db_get_int(rows, i, 7),
		};
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	*n = rows->n;
	return true;
}

bool
db_refusal_sweep(const struct db_call *c, time_t before, int64_t limit, time_t now, int64_t *n,
		 struct err *err)
{
	return db_sweep(c, &db_refusal_statements[SWEEP], db_int(before), limit, now, n, err);
}
