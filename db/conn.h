/*
 * One connection to PostgreSQL: opening it with our session settings, preparing
 * statements, waiting with a deadline, naming failures.  Who uses it
 * when is lane.c's, tx.c's and listen.c's business; a connection belongs to one
 * thread at a time.
 */
#ifndef KONTOR_DB_CONN_H
#define KONTOR_DB_CONN_H

#include <libpq-fe.h>

#include "db/sql.h"

/*
 * What a connection is for decides its session settings and what is prepared on it: a
 * pipelined one has all of its class from the beginning, one for transactions what
 * conn_prepare was called for.
 */
enum conn_role { CONN_READER, CONN_DURABLE, CONN_LAZY, CONN_TX, CONN_LISTENER, CONN_ADMIN };

#define CONN_PREPARED_MAX 256 /* more than there are statements (tests/db/test_statements.c) */

struct conn {
	PGconn *pg;  /* NULL: not connected */
	bool warned; /* a WARNING came since this was last set to false */
	const struct db_statement *prepared[CONN_PREPARED_MAX]; /* by conn_prepare */
	size_t n_prepared;
};

/* ERR_UNAVAILABLE says why not.  c must stay where it is until conn_close. */
MUST_USE bool conn_open(struct conn *c, const char *conninfo, const char *application_name,
			enum conn_role role, struct err *err);
void conn_close(struct conn *c);

/* What is asked and answered in the background: false when the server has gone. */
bool conn_alive(struct conn *c);

enum conn_wait { CONN_READY, CONN_LOST, CONN_LATE };

/* Send what is still to be sent and wait until PQgetResult would not block. */
enum conn_wait conn_wait(struct conn *c, int64_t deadline_us);

/*
 * Outside pipeline mode: prepare a statement unless that was done.  ERR_UNAVAILABLE with
 * CONN_LOST or CONN_LATE in *wait; with CONN_READY the server refused it, see conn_fail.
 */
MUST_USE bool conn_prepare(struct conn *c, const struct db_statement *st, int64_t deadline_us,
			   enum conn_wait *wait, struct err *err);

/* Queue one prepared statement; false when the connection is lost. */
bool conn_send(struct conn *c, const struct db_statement *st, const struct db_param *params,
	       size_t n);

/*
 * Outside pipeline mode: wait for the answer to what was sent.  *out is the last
 * result, the caller's to clear, only after CONN_READY.
 */
enum conn_wait conn_answer(struct conn *c, int64_t deadline_us, PGresult **out);

/*
 * In pipeline mode: the next result, the caller's to clear, with the NULL that
 * ends each statement's results taken too.  NULL: lost or late.
 */
PGresult *conn_pipeline_next(struct conn *c, int64_t deadline_us);

/* An SQL text without parameters and without rows (BEGIN, COMMIT, migrations). */
enum conn_wait conn_command(struct conn *c, const char *sql, int64_t deadline_us, PGresult **out);

bool conn_result_ok(const PGresult *res);

/*
 * Nothing more will come of this connection: the server may not write any more (it
 * became a standby), or what was prepared no longer fits the tables: connect anew.
 */
bool conn_result_stale(const PGresult *res);

/*
 * How far the node's clock (`clock`) is ahead of the database's, negative when it is behind.  The
 * time that the answer took is no difference.  *now: what `clock` said last.  False: no answer; the
 * connection is of no more use.
 */
bool conn_clock_look(struct conn *c, time_t (*clock)(void), int64_t deadline_us, int64_t *ahead_s,
		     time_t *now);

/* Records what a failed result means (db.h) and returns false.  `what`: for the text. */
bool conn_fail(struct err *err, const char *what, const PGresult *res);

/* The parameters fit the statement's row; ERR_INTERNAL otherwise. */
MUST_USE bool conn_params_check(const struct db_statement *st, const struct db_param *params,
				size_t n, struct err *err);

/* Copy a result into the arena. */
struct db_rows *conn_rows(struct arena *a, const char *statement, const PGresult *res);

#endif
