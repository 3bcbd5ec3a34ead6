/*
 * What the aggregates are written with: rows of a statement table, parameters,
 * result rows.  Every statement is prepared by name, once a connection; its row says how
 * it may run.  Nothing outside db/ includes this.
 */
#ifndef KONTOR_DB_SQL_H
#define KONTOR_DB_SQL_H

#include "db/db.h"

/* How a statement runs. */
enum db_class {
	DB_READ = 1, /* on the reader; cannot write */
	DB_DURABLE, /* on the durable writer: true means on disk, and on the standby if there is one
		     */
	DB_LAZY,    /* on the lazy writer: true means visible; a crash may lose it */
	DB_IN_TX,   /* only within a transaction */
};

/*
 * The table whose rows a statement locks first.  Batches are sorted by this
 * order and then by a key parameter, so that two nodes never wait crosswise.
 */
enum db_table {
	T_NONE = 0,
	T_SUBJECT,
	T_CREDENTIAL,
	T_BUDGET,
	T_ATTRIBUTE,
	T_PROOFING,
	T_PSEUDONYM,
	T_SESSION,
	T_FLOW,
	T_POLLED,
	T_GRANT,
	T_REFRESH,
	T_TOKEN,
	T_SEEN,
	T_TICKET,
	T_ARTIFACT,
	T_OUTBOX,
	T_LOGOUT,
	T_CONSENT,
	T_PARTY,
	T_REFUSAL,
	T_SOURCE,
	T_REGISTRATION,
	T_DETAIL_TYPE,
	T_MEMBER,
	T_MEMBER_COUNT,
	T_PUBLICATION,
	T_FEDERATION,
	T_UPSTREAM,
	T_KEY,
	T_SETTING,
	T_AUDIT,
};

struct db_statement {
	const char *name; /* prepared under this name; unique */
	enum db_class class;
	enum db_table table;
	int key;            /* the parameter batches are sorted by, from 1; 0: none */
	const char *params; /* a letter for each: b bytea, t text, i bigint, o boolean */
	const char *sql;    /* no now(): time is a parameter */
};

/* Every table of statements; ends with NULL.  Each ends with a row without name. */
extern const struct db_statement *const db_statement_tables[];

#define DB_PARAMS_MAX 32

struct db_param {
	char type;
	bool null;
	struct bytes octets;
	int64_t number;
};

/* What they point to must live until the call returns. */
struct db_param db_bytes(struct bytes b);
struct db_param db_bytes_or_null(struct bytes b); /* n = 0 is NULL */
struct db_param db_octets(const unsigned char *p, size_t n);
struct db_param db_text(const char *s);             /* NULL is NULL */
struct db_param db_id(const struct subject_id *id); /* NULL is NULL */
struct db_param db_int(int64_t i);
struct db_param db_int_or_null(int64_t i); /* 0 is NULL */
struct db_param db_bool(bool o);

/* The two arguments `params, n` of a call. */
#define DB_ARGS(...)                            \
	(const struct db_param[]){__VA_ARGS__}, \
		sizeof((const struct db_param[]){__VA_ARGS__}) / sizeof(struct db_param)

/*
 * The tail of a statement that changes something: one audit row if `src` (a CTE
 * of it) has any.  Its parameters are the statement's first six, DB_AUDIT_ARGS;
 * without an audit they are NULL and nothing is written.
 */
#define DB_AUDIT_PARAMS "ittbtt"
#define DB_AUDIT_FROM(src)                                             \
	" INSERT INTO audit (at, event, ref, subject, party, details)" \
	" SELECT $1, $2, $3, $4, $5, coalesce($6, '{}')::jsonb"        \
	" WHERE $2 IS NOT NULL AND EXISTS (SELECT FROM " src ") "
#define DB_AUDIT_ARGS(audit, now)                                      \
	db_int(now), db_text((audit) == NULL ? NULL : (audit)->event), \
		db_text((audit) == NULL ? NULL : (audit)->ref),        \
		db_id((audit) == NULL ? NULL : (audit)->subject),      \
		db_text((audit) == NULL ? NULL : (audit)->party),      \
		db_text((audit) == NULL ? NULL : (audit)->details)

/* Result rows, copied into the caller's arena. */
struct db_rows {
	size_t n;
	struct arena *a;
	const char *statement;
	const unsigned *types; /* PostgreSQL type numbers of the columns */
	const struct bytes *cells;
	size_t n_cols;
	int bad; /* the first column that was not what was asked for, from 1; 0: none */
};

/* Run one statement as its class says.  rows may be NULL: the result does not matter. */
MUST_USE bool db_run(const struct db_call *c, const struct db_statement *statement,
		     const struct db_param *params, size_t n, struct db_rows **rows,
		     struct err *err);

/* A statement of several that are run together, and its rows afterwards. */
struct db_ask {
	const struct db_statement *statement;
	const struct db_param *params;
	size_t n;
	struct db_rows *rows;
};

/* Its parameters copied into the arena; what they point to must live until the run. */
struct db_ask db_ask_of(struct arena *a, const struct db_statement *statement,
			const struct db_param *params, size_t n);

/*
 * Run statements of class DB_READ that do not need each other, in one hand-over: what costs
 * is not the look-up but waking the connection's thread and being woken.  n at most 8.
 */
MUST_USE bool db_run_all(const struct db_call *c, struct db_ask *asks, size_t n, struct err *err);

/* Run it and say whether it returned a row. */
MUST_USE bool db_run_did(const struct db_call *c, const struct db_statement *statement,
			 const struct db_param *params, size_t n, bool *did, struct err *err);

/* Run it; ERR_NOT_FOUND when it returns no row: what it was to change is not there. */
MUST_USE bool db_run_found(const struct db_call *c, const struct db_statement *statement,
			   const struct db_param *params, size_t n, struct err *err);

/* The same as db_run inside a transaction.  After a failure only a rollback is left. */
MUST_USE bool db_tx_run(struct db_tx *tx, const struct db_statement *statement,
			const struct db_param *params, size_t n, struct db_rows **rows,
			struct err *err);

/*
 * Before something is removed because it is old: ERR_UNAVAILABLE when this node's
 * clock and the database's differ now by more than db_ready allows.
 */
MUST_USE bool db_tx_check_clock(struct db_tx *tx, struct err *err);

/*
 * The end of a transaction whose statements went as `held` says: commit it with
 * its audit row (NULL: none), or roll it back.  Returns whether it stands.
 */
struct db_audit;
MUST_USE bool db_tx_conclude(struct db_tx *tx, bool held, const struct db_audit *audit, time_t now,
			     struct err *err);

/*
 * Remove what is older than the statement's first argument says, `limit` (its second) at a time, in
 * a transaction of its own that looks at the clocks first.  *n: the number it returns.
 */
MUST_USE bool db_sweep(const struct db_call *c, const struct db_statement *sweep,
		       struct db_param old, int64_t limit, time_t now, int64_t *n, struct err *err);

/*
 * Column `col` (from 0) of row `i`.  A NULL where none is expected or a column
 * of another type marks the rows as bad and gives an empty value; ask once at
 * the end with db_rows_check.  Octets and text end in a NUL that n does not count.
 */
struct bytes db_get_bytes(struct db_rows *rows, size_t i, size_t col);
struct bytes db_get_bytes_opt(struct db_rows *rows, size_t i, size_t col); /* NULL: n = 0 */
void db_get_octets(struct db_rows *rows, size_t i, size_t col, unsigned char *out, size_t n);
const char *db_get_text(struct db_rows *rows, size_t i, size_t col);
const char *db_get_text_opt(struct db_rows *rows, size_t i, size_t col); /* NULL: NULL */
int64_t db_get_int(struct db_rows *rows, size_t i, size_t col);
int64_t db_get_int_opt(struct db_rows *rows, size_t i, size_t col); /* NULL: 0 */
bool db_get_bool(struct db_rows *rows, size_t i, size_t col);
struct subject_id db_get_id(struct db_rows *rows, size_t i, size_t col);
const struct subject_id *db_get_id_opt(struct db_rows *rows, size_t i, size_t col);

/* ERR_INTERNAL when a getter met what it was not made for. */
MUST_USE bool db_rows_check(const struct db_rows *rows, struct err *err);

#endif
