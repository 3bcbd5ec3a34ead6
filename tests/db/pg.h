/*
 * A database of its own for a test program, in the cluster that KONTOR_TEST_DB
 * names (tools/pg-temp).  Without one the test fails: a test that was not run
 * proves nothing.
 */
#ifndef KONTOR_TESTS_DB_PG_H
#define KONTOR_TESTS_DB_PG_H

#include "db/db.h"
#include "db/session.h"
#include "tests/test.h"

/* A moment inside the partitions that pg_setup makes: 2027-01-15 08:00 UTC. */
#define NOW ((time_t)1800000000)

struct pg {
	struct arena *a;
	struct db *db;
	struct db_call c;     /* of db; a; its deadline is an hour away */
	const char *conninfo; /* of our database */
	struct err err;
	void *side; /* a connection beside the program's, for SQL of the test's own */
};

/* cmocka group fixtures: *state becomes a struct pg with an empty, migrated database. */
int pg_setup(void **state);
int pg_teardown(void **state);

/* The same without migrating and without a struct db. */
int pg_setup_bare(void **state);

/* cmocka test fixture: forget what the test before left in the arena and in err. */
int pg_fresh(void **state);

/* Another struct db on the same database; the test destroys it. */
struct db *pg_connect(struct pg *pg);
struct db_call pg_call(struct pg *pg, struct db *db);

/* Run SQL beside the program; fails the test when it fails. */
void pg_sql(struct pg *pg, const char *sql);
/* The same, its first value as text; "" when there is none. */
const char *pg_value(struct pg *pg, const char *sql);
/* The same where it may fail: "SQLSTATE constraint", "" for success. */
const char *pg_refusal(struct pg *pg, const char *sql);
/* Ask again and again, for at most a minute, until the value is as wanted. */
void pg_await(struct pg *pg, const char *sql, const char *wanted);

/* How many rows of that event the audit has. */
int pg_audits(struct pg *pg, const char *event);

/* A local person in the database. */
struct subject_id pg_person(struct pg *pg);

/* What it agreed to tell that party, stored; in pg->a. */
const struct db_consent *pg_consent(struct pg *pg, struct subject_id acting, const char *party);

/* The party takes part in a session of somebody who agrees to it (artifact, audit NULL: none). */
void pg_take_part(struct pg *pg, struct subject_id acting, const char *sid,
		  const struct db_participant *participant, const struct db_artifact *artifact,
		  const struct db_audit *audit);

/* A value of SQL's bytea: '\x…'. */
const char *pg_hex(struct pg *pg, struct bytes b);

#endif
