/* After a restore; see restored.h. */
#include "db/restored.h"

#include "db/statements.h"

enum { STEPS, ARTIFACTS, REFRESH, SESSIONS, FLOWS, CODES, TOKENS, TICKETS, POLLED };

#define CLEAR(name, table, rows)                                  \
	{                                                         \
		name, DB_IN_TX, table, 0, "",                     \
			"WITH gone AS (DELETE FROM " rows         \
			" RETURNING 1) SELECT count(*) FROM gone" \
	}

const struct db_statement db_restored_statements[] = {
	[STEPS] = {"restored_steps", DB_IN_TX, T_CREDENTIAL, 0, "i",
		   "WITH moved AS (UPDATE credential SET last_step = $1"
		   " WHERE kind = 'totp' AND last_step < $1 RETURNING 1)"
		   " SELECT count(*) FROM moved"},
	/* Before the sessions, with which most would go uncounted. */
	[ARTIFACTS] = CLEAR("restored_artifacts", T_ARTIFACT, "artifact"),
	[REFRESH] = CLEAR("restored_refresh", T_REFRESH, "refresh_token"),
	[SESSIONS] = CLEAR("restored_sessions", T_SESSION, "session"),
	[FLOWS] = CLEAR("restored_flows", T_FLOW, "flow"),
	[CODES] = CLEAR("restored_codes", T_GRANT, "grant_code"),
	[TOKENS] = CLEAR("restored_tokens", T_TOKEN, "access_token"),
	[TICKETS] = CLEAR("restored_tickets", T_TICKET, "ticket"),
	[POLLED] = CLEAR("restored_polled", T_POLLED, "polled"),
	{0},
};

static bool
clear(struct db_tx *tx, int what, const struct db_param *params, size_t n_params, int64_t *n,
      struct err *err)
{
	struct db_rows *rows;

	if (!db_tx_run(tx, &db_restored_statements[what], params, n_params, &rows, err))
		return false;
	*n = db_get_int(rows, 0, 0);
	return db_rows_check(rows, err);
}

static bool
clear_all(struct db_tx *tx, int64_t step, struct db_restored *out, struct err *err)
{
	return clear(tx, STEPS, DB_ARGS(db_int(step)), &out->one_time_codes, err) &&
	       clear(tx, ARTIFACTS, NULL, 0, &out->artifacts, err) &&
	       clear(tx, REFRESH, NULL, 0, &out->refresh_tokens, err) &&
	       clear(tx, SESSIONS, NULL, 0, &out->sessions, err) &&
	       clear(tx, FLOWS, NULL, 0, &out->flows, err) &&
	       clear(tx, CODES, NULL, 0, &out->codes, err) &&
	       clear(tx, TOKENS, NULL, 0, &out->tokens, err) &&
	       clear(tx, TICKETS, NULL, 0, &out->tickets, err) &&
	       clear(tx, POLLED, NULL, 0, &out->polled, err);
}

bool
db_restored_clear(const struct db_call *c, int64_t step, const struct db_audit *audit, time_t now,
		  struct db_restored *out, struct err *err)
{
	struct db_tx *tx;

	if (!db_tx_begin(c, &tx, err))
		return false;
	return db_tx_conclude(tx, clear_all(tx, step, out, err), audit, now, err);
}
