/* Replay marks; see seen.h. */
#include "db/seen.h"

#include "db/dated.h"
#include "db/partition.h"
#include "db/statements.h"

enum { ONCE, LOOK };

const struct db_statement db_seen_statements[] = {
	[ONCE] = {"seen_once", DB_DURABLE, T_SEEN, 3, "itbi",
		  "INSERT INTO seen (day, kind, hash, expires) VALUES ($1, $2, $3, $4)"
		  " ON CONFLICT DO NOTHING RETURNING 1"},
	[LOOK] = {"seen_look", DB_READ, T_SEEN, 3, "itb",
		  "SELECT 1 FROM seen WHERE day = $1 AND kind = $2 AND hash = $3"},
	{0},
};

bool
db_mark_check(const struct db_mark *mark, time_t now, struct err *err)
{
	if (mark->expires <= now)
		return FAIL(err, ERR_INPUT, NULL, "a %s that has expired", mark->kind);
	if (mark->expires - now > DB_AHEAD_S)
		return FAIL(err, ERR_DENIED, NULL, "a %s that expires too far ahead", mark->kind);
	return true;
}

bool
db_seen_look(const struct db_call *c, const struct db_mark *mark, time_t now, bool *seen,
	     struct err *err)
{
	return db_mark_check(mark, now, err) &&
	       db_run_did(c, &db_seen_statements[LOOK],
			  DB_ARGS(db_int(mark->expires / DAY_S), db_text(mark->kind),
				  db_bytes(db_hash(c->a, mark->kind, mark->value))),
			  seen, err);
}

bool
db_seen_once(const struct db_call *c, const struct db_mark *mark, time_t now, bool *first,
	     struct err *err)
{
	return db_mark_check(mark, now, err) &&
	       db_run_did(c, &db_seen_statements[ONCE],
			  DB_ARGS(db_int(mark->expires / DAY_S), db_text(mark->kind),
				  db_bytes(db_hash(c->a, mark->kind, mark->value)),
				  db_int(mark->expires)),
			  first, err);
}

bool
db_seen_once_tx(struct db_tx *tx, struct arena *a, const struct db_mark *mark, time_t now,
		bool *first, struct err *err)
{
	struct db_rows *rows;

	if (!db_mark_check(mark, now, err) ||
	    !db_tx_run(tx, &db_seen_statements[ONCE],
		       DB_ARGS(db_int(mark->expires / DAY_S), db_text(mark->kind),
			       db_bytes(db_hash(a, mark->kind, mark->value)),
			       db_int(mark->expires)),
		       &rows, err))
		return false;
	*first = rows->n > 0;
	return true;
}
