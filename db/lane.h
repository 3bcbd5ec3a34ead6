/*
 * A pipelined connection with its thread: statements that are queued together
 * go out as one batch in one round trip, and for writers in one transaction
 * (group commit); callers wake after the commit.  A failed batch is undone and
 * run again statement by statement, so that one refusal costs the others
 * nothing but time.
 */
#ifndef KONTOR_DB_LANE_H
#define KONTOR_DB_LANE_H

#include <libpq-fe.h>

#include "db/conn.h"

struct lane;

struct lane_options {
	const char *conninfo, *application_name; /* must outlive the lane */
	enum conn_role role;                     /* CONN_READER, CONN_DURABLE or CONN_LAZY */
};

struct lane_status {
	bool connected;
	uint64_t queued, statements, batches, reruns, unknown, connects;
	char trouble[240];
};

/* NULL: out of threads or memory. */
struct lane *lane_create(const struct lane_options *options);
void lane_destroy(struct lane *lane); /* finishes what is queued; NULL is fine */

/* One statement of a call, and where its result goes. */
struct lane_ask {
	const struct db_statement *st;
	const struct db_param *params; /* copied, so that the caller may give up at its deadline */
	size_t n;
	PGresult *res; /* after success the caller's to clear */
};
#define LANE_ASKS_MOST 8

/*
 * Run statements that do not need each other, in one hand-over; more than one only on the
 * reader, where none leaves anything behind.  False: err tells of the first that failed, and
 * every res is NULL.
 */
MUST_USE bool lane_run(struct lane *lane, struct lane_ask *asks, size_t n, int64_t deadline_us,
		       struct err *err);

/* Not connected, and the last attempt failed: calls would be refused at once. */
bool lane_refuses(struct lane *lane);

void lane_status(struct lane *lane, struct lane_status *out);

#endif
