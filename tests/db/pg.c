/* Databases for tests; see pg.h. */
#include "tests/db/pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "base/clock.h"
#include "base/enc.h"
#include "db/account.h"
#include "db/migrate.h"
#include "db/partition.h"

#define HOUR_US (3600 * 1000000LL)

static void
clear_result(void *p)
{
	PQclear(p);
}

static PGresult *
run(struct pg *pg, const char *sql)
{
	if (PQstatus(pg->side) != CONNECTION_OK)
		PQreset(pg->side);
	PGresult *res = PQexec(pg->side, sql);

	arena_defer(pg->a, clear_result, res);
	return res;
}

static bool
went_well(const PGresult *res)
{
	return PQresultStatus(res) == PGRES_COMMAND_OK || PQresultStatus(res) == PGRES_TUPLES_OK;
}

const char *
pg_value(struct pg *pg, const char *sql)
{
	PGresult *res = run(pg, sql);

	if (!went_well(res))
		fail_msg("%s: %s", sql, PQresultErrorMessage(res));
	return PQntuples(res) == 0 ? "" : arena_strdup(pg->a, PQgetvalue(res, 0, 0));
}

void
pg_sql(struct pg *pg, const char *sql)
{
	(void)pg_value(pg, sql);
}

const char *
pg_refusal(struct pg *pg, const char *sql)
{
	PGresult *res = run(pg, sql);

	if (went_well(res))
		return "";
	const char *constraint = PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME);

	return arena_printf(pg->a, "%s %s", PQresultErrorField(res, PG_DIAG_SQLSTATE),
			    constraint == NULL ? "" : constraint);
}

void
pg_await(struct pg *pg, const char *sql, const char *wanted)
{
	int64_t give_up_us = clock_mono_us() + 60 * 1000000LL;

	while (strcmp(pg_value(pg, sql), wanted) != 0) {
		if (clock_mono_us() > give_up_us)
			fail_msg("%s did not become %s", sql, wanted);
		pg_sql(pg, "SELECT pg_sleep(0.01)");
	}
}

const char *
pg_hex(struct pg *pg, struct bytes b)
{
	return arena_printf(pg->a, "'\\x%s'", enc_hex(pg->a, b));
}

static PGconn *
connect_to(const char *conninfo)
{
	PGconn *conn = PQconnectdb(conninfo);

	if (PQstatus(conn) != CONNECTION_OK)
		fail_msg("no PostgreSQL: %s", PQerrorMessage(conn));
	return conn;
}

/* In the cluster's own database: BEFORE test_PID AFTER. */
static void
administer(const char *before, const char *after)
{
	const char *conninfo = getenv("KONTOR_TEST_DB");
	char text[200];

	if (conninfo == NULL)
		fail_msg("KONTOR_TEST_DB is not set: run this under tools/pg-temp run --");
	snprintf(text, sizeof(text), "%s test_%d %s", before, (int)getpid(), after);
	PGconn *conn = connect_to(conninfo);
	PGresult *res = PQexec(conn, text);

	if (!went_well(res))
		fail_msg("%s: %s", text, PQerrorMessage(conn));
	PQclear(res);
	PQfinish(conn);
}

int
pg_setup_bare(void **state)
{
	struct pg *pg = calloc(1, sizeof(*pg));

	/* Written as files, not through the log: an eighth of the time. */
	administer("CREATE DATABASE", "STRATEGY FILE_COPY");
	pg->a = arena_create(64 * 1024 * 1024);
	/* Outlives the arena, which each test begins anew. */
	char *conninfo = NULL;

	if (asprintf(&conninfo, "%s dbname=test_%d", getenv("KONTOR_TEST_DB"), (int)getpid()) < 0)
		fail();
	pg->conninfo = conninfo;
	pg->side = connect_to(pg->conninfo);
	pg_sql(pg, "SET client_min_messages = warning");
	*state = pg;
	return 0;
}

struct db *
pg_connect(struct pg *pg)
{
	struct db *db;

	ASSERT_OK(db_create(&(struct db_options){.conninfo = pg->conninfo, .clock = clock_now}, &db,
			    &pg->err),
		  &pg->err);
	return db;
}

struct db_call
pg_call(struct pg *pg, struct db *db)
{
	return (struct db_call){.db = db, .a = pg->a, .deadline_us = clock_mono_us() + HOUR_US};
}

int
pg_setup(void **state)
{
	struct db_migrated migrated;
	struct db_partitions partitions;

	if (pg_setup_bare(state) != 0)
		return -1;
	struct pg *pg = *state;

	ASSERT_OK(db_migrate(pg->a, pg->conninfo, db_migrations, NOW, &migrated, &pg->err),
		  &pg->err);
	pg->db = pg_connect(pg);
	pg->c = pg_call(pg, pg->db);
	ASSERT_OK(db_partitions_maintain(&pg->c, NOW, &partitions, &pg->err), &pg->err);
	return 0;
}

int
pg_teardown(void **state)
{
	struct pg *pg = *state;

	arena_destroy(pg->a);
	db_destroy(pg->db);
	PQfinish(pg->side);
	administer("DROP DATABASE", "WITH (FORCE)");
	free((void *)(uintptr_t)pg->conninfo);
	free(pg);
	return 0;
}

int
pg_fresh(void **state)
{
	struct pg *pg = *state;

	arena_reset(pg->a);
	err_clear(&pg->err);
	return 0;
}

int
pg_audits(struct pg *pg, const char *event)
{
	return atoi(pg_value(
		pg, arena_printf(pg->a, "SELECT count(*) FROM audit WHERE event = '%s'", event)));
}

struct subject_id
pg_person(struct pg *pg)
{
	struct db_account_new account = {.subject = {.id = subject_id_create(),
						     .kind = DB_PERSON,
						     .origin = DB_LOCAL,
						     .account_key = bytes_of("wrapped key")}};

	ASSERT_OK(db_account_create(&pg->c, &account, NULL, NOW, &pg->err), &pg->err);
	return account.subject.id;
}

const struct db_consent *
pg_consent(struct pg *pg, struct subject_id acting, const char *party)
{
	struct db_consent *consent = ARENA_NEW(pg->a, struct db_consent);

	*consent = (struct db_consent){.acting = acting,
				       .party = party,
				       .fingerprint = {1},
				       .attributes = "[\"family_name\"]",
				       .purpose = "",
				       .at = NOW};
	ASSERT_OK(db_consent_store(&pg->c, consent, NULL, &pg->err), &pg->err);
	return consent;
}

void
pg_take_part(struct pg *pg, struct subject_id acting, const char *sid,
	     const struct db_participant *participant, const struct db_artifact *artifact,
	     const struct db_audit *audit)
{
	const struct db_answer answer = {.sid = sid,
					 .participant = participant,
					 .consent = pg_consent(pg, acting, participant->party),
					 .artifact = artifact};
	enum db_answered how;

	ASSERT_OK(db_session_participate(&pg->c, &answer, audit, NOW, &how, &pg->err), &pg->err);
	assert_int_equal(how, DB_ANSWERED_NOW);
}
