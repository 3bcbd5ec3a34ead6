/*
 * PostgreSQL, the only state that lasts.  A struct db holds one pipelined
 * reader, two pipelined writers (durable, lazy), a listener and a few pooled
 * connections for transactions; each has a thread of its own or is used by its
 * caller, so that every function here and in the aggregates simply blocks until
 * it has an answer or the caller's deadline has passed.
 *
 * What may be told to whom:
 *   true                the change is committed (durable unless the header says lazy)
 *   ERR_UNAVAILABLE     try later; a text with "outcome unknown" means that the change may or
 *                       may not stand: nothing may be issued on its ground
 *   ERR_CONFLICT        a constraint says it is there already
 *   ERR_NOT_FOUND       it names something that is not there
 *   ERR_DENIED          a constraint refuses it
 *   ERR_INTERNAL        a fault of ours
 * Error texts hold SQLSTATEs and names of constraints and statements, never values.
 */
#ifndef KONTOR_DB_DB_H
#define KONTOR_DB_DB_H

#include "base/arena.h"
#include "base/err.h"

struct db;
struct db_tx;

struct db_options {
	const char *conninfo;         /* libpq keywords or URI; several hosts are fine */
	const char *application_name; /* pg_stat_activity shows it and what each is for; NULL:
					 "kontor" */
	unsigned tx_connections;      /* most connections for transactions; 0: 4 */
	time_t (*clock)(void); /* this node's clock (clock_now), compared with the database's */

	/*
	 * Something other nodes may cache has changed: "party", "key", "setting",
	 * "subject", or NULL for everything (at each new connection, when
	 * notices may have been missed).  Called on the listener's thread; must
	 * not call back into db with a long deadline.  NULL: nobody listens.
	 */
	void (*changed)(void *ctx, const char *what);
	void *changed_ctx;
};

/* Can libpq understand it?  Nothing is connected to.  ERR_INPUT; never quotes it. */
MUST_USE bool db_conninfo_check(const char *conninfo, struct err *err);

/*
 * Start the threads; connecting goes on behind them, again and again with
 * back-off, so a database that is down is no error here.  ERR_INPUT: a
 * conninfo that cannot be understood.
 */
MUST_USE bool db_create(const struct db_options *options, struct db **out, struct err *err);

/* Finish what is in flight, stop the threads, close the connections.  No call may be waiting. */
void db_destroy(struct db *db);

/* Who asks: one per request or job, on the caller's stack. */
struct db_call {
	struct db *db;
	struct arena *a;     /* results live here */
	int64_t deadline_us; /* clock_mono_us() at which the caller stops waiting */
};

/*
 * Several changes that stand or fall together, on a pooled connection, READ
 * COMMITTED.  Functions that take a struct db_tx work inside it.  Not committed
 * when the arena goes: rolled back.
 */
MUST_USE bool db_tx_begin(const struct db_call *c, struct db_tx **out, struct err *err);

/* After true all of it is durable; after false the transaction is over too. */
MUST_USE bool db_tx_commit(struct db_tx *tx, struct err *err);

/* Give up: all undone.  Also after a failure inside the transaction.  tx is over. */
void db_tx_rollback(struct db_tx *tx);

struct db_status {
	bool reader, durable, lazy, listener; /* connected now */
	bool clock_known;
	int64_t clock_skew_s; /* |node - database|; the database's is looked at every 15 s */
	uint64_t queued;      /* statements that wait to be sent */
	uint64_t statements;  /* answered by the pipelined connections */
	uint64_t batches;     /* round trips they took */
	uint64_t reruns;      /* batches that failed and were run again one by one */
	uint64_t unknown;     /* commits whose outcome nobody knows */
	uint64_t connects;    /* connections made */
	char trouble[240];    /* the last failure to connect; "" when there was none */
};
void db_status(struct db *db, struct db_status *out);

/* Seconds between this node's clock and the database's; INT64_MAX while unknown. */
int64_t db_clock_skew_s(struct db *db);

/* Connected everywhere and clocks at most 2 s apart: may take requests. */
bool db_ready(struct db *db);

/*
 * May a request be answered on the ground of this node's clock and of what it has cached?
 * ERR_UNAVAILABLE: clocks are more than 2 s apart, or for a second nobody has heard what other
 * nodes change.  A look at memory, for each request.
 */
MUST_USE bool db_in_step(struct db *db, struct err *err);

/* The id of a subject: 128 random bits that never leave the system. */
struct subject_id {
	unsigned char octets[16];
};
struct subject_id subject_id_create(void);
bool subject_id_eq(struct subject_id a, struct subject_id b);

#endif
