/* Audit rows that stand by themselves; those beside a change are written by its statement. */
#include "db/audit.h"

#include "db/statements.h"

enum { ADD, ADD_TX, LIST };

#define INSERT_AUDIT                                                  \
	"INSERT INTO audit (at, event, ref, subject, party, details)" \
	" VALUES ($1, $2, $3, $4, $5, coalesce($6, '{}')::jsonb)"

const struct db_statement db_audit_statements[] = {
	[ADD] = {"audit_add", DB_DURABLE, T_AUDIT, 0, DB_AUDIT_PARAMS, INSERT_AUDIT},
	[ADD_TX] = {"audit_add_tx", DB_IN_TX, T_AUDIT, 0, DB_AUDIT_PARAMS, INSERT_AUDIT},
	[LIST] = {"audit_list", DB_READ, T_AUDIT, 0, "bttti",
		  "SELECT seq, at, event, ref, subject, party, details::text FROM audit"
		  " WHERE ($1 IS NULL OR subject = $1) AND ($2 IS NULL OR party = $2)"
		  " AND ($3 IS NULL OR event = $3) AND ($4 IS NULL OR ref = $4)"
		  " ORDER BY seq DESC LIMIT $5"},
	{0},
};

bool
db_audit_add(const struct db_call *c, const struct db_audit *audit, time_t now, struct err *err)
{
	return db_run(c, &db_audit_statements[ADD], DB_ARGS(DB_AUDIT_ARGS(audit, now)), NULL, err);
}

bool
db_audit_list(const struct db_call *c, const struct db_audit_query *query,
	      const struct db_audit_row **out, size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_audit_statements[LIST],
		    DB_ARGS(db_id(query->subject), db_text(query->party), db_text(query->event),
			    db_text(query->ref), db_int(query->limit)),
		    &rows, err))
		return false;
	struct db_audit_row *list = ARENA_ARRAY(c->a, struct db_audit_row, rows->n + 1);

	for (size_t i = 0; i < rows->n; i++)
		list[rows->n - 1 - i] = (struct db_audit_row){
			.seq = db_get_int(rows, i, 0),
			.at = db_get_int(rows, i, 1),
			.audit = {.event = db_get_text(rows, i, 2),
				  .ref = db_get_text(rows, i, 3),
				  .subject = db_get_id_opt(rows, i, 4),
				  .party = db_get_text_opt(rows, i, 5),
				  .details = db_get_text(rows, i, 6)},
		};
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	*n = rows->n;
	return true;
}

bool
db_audit_add_tx(struct db_tx *tx, const struct db_audit *audit, time_t now, struct err *err)
{
	if (audit == NULL)
		return true;
	return db_tx_run(tx, &db_audit_statements[ADD_TX], DB_ARGS(DB_AUDIT_ARGS(audit, now)), NULL,
			 err);
}

bool
db_tx_conclude(struct db_tx *tx, bool held, const struct db_audit *audit, time_t now,
	       struct err *err)
{
	if (held && db_audit_add_tx(tx, audit, now, err))
		return db_tx_commit(tx, err);
	db_tx_rollback(tx);
	return false;
}

bool
db_sweep(const struct db_call *c, const struct db_statement *sweep, struct db_param old,
	 int64_t limit, time_t now, int64_t *n, struct err *err)
{
	struct db_rows *rows = NULL;
	struct db_tx *tx;

	if (!db_tx_begin(c, &tx, err))
		return false;
	bool held = db_tx_check_clock(tx, err) &&
		    db_tx_run(tx, sweep, DB_ARGS(old, db_int(limit)), &rows, err);

	if (!db_tx_conclude(tx, held, NULL, now, err))
		return false;
	int64_t count = db_get_int(rows, 0, 0);

	if (!db_rows_check(rows, err))
		return false;
	*n = count;
	return true;
}
