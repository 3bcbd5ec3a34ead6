/* Audit rows that stand by themselves; those beside a change are written by its statement. */
#include "db/audit.h"

#include "db/statements.h"

enum { ADD, ADD_TX };

#define INSERT_AUDIT                                                  \
	"INSERT INTO audit (at, event, ref, subject, party, details)" \
	" VALUES ($1, $2, $3, $4, $5, coalesce($6, '{}')::jsonb)"

const struct db_statement db_audit_statements[] = {
	[ADD] = {"audit_add", DB_DURABLE, T_AUDIT, 0, DB_AUDIT_PARAMS, INSERT_AUDIT},
	[ADD_TX] = {"audit_add_tx", DB_IN_TX, T_AUDIT, 0, DB_AUDIT_PARAMS, INSERT_AUDIT},
	{0},
};

bool
db_audit_add(const struct db_call *c, const struct db_audit *audit, time_t now, struct err *err)
{
	return db_run(c, &db_audit_statements[ADD], DB_ARGS(DB_AUDIT_ARGS(audit, now)), NULL, err);
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
