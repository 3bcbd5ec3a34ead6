/* Migrations: history, checksums, order, who may run with what. */
#include "db/migrate.h"

#include <pthread.h>

#include "tests/db/pg.h"

#define ONE   "-- programs from 0001\nCREATE TABLE one (x bigint);\n"
#define TWO   "-- programs from 0001\nCREATE TABLE two (x bigint);\n"
#define THREE "-- programs from 0003\nDROP TABLE one;\n"

#define FILE_OF(name, text, sum)                                             \
	{                                                                    \
		name, {(const unsigned char *)(text), sizeof(text) - 1}, sum \
	}

static const struct embed_file one[] = {FILE_OF("0001_one.sql", ONE, "a1"), {0}};
static const struct embed_file two[] = {
	FILE_OF("0001_one.sql", ONE, "a1"), FILE_OF("0002_two.sql", TWO, "b2"), {0}};
static const struct embed_file three[] = {FILE_OF("0001_one.sql", ONE, "a1"),
					  FILE_OF("0002_two.sql", TWO, "b2"),
					  FILE_OF("0003_three.sql", THREE, "c3"),
					  {0}};
static const struct embed_file changed[] = {
	FILE_OF("0001_one.sql", ONE, "a1"), FILE_OF("0002_two.sql", TWO, "xx"), {0}};
static const struct embed_file gap[] = {
	FILE_OF("0001_one.sql", ONE, "a1"), FILE_OF("0003_three.sql", THREE, "c3"), {0}};
static const struct embed_file unnamed[] = {FILE_OF("one.sql", ONE, "a1"), {0}};
static const struct embed_file mute[] = {FILE_OF("0001_one.sql", "SELECT 1;\n", "a1"), {0}};
static const struct embed_file future[] = {
	FILE_OF("0001_one.sql", "-- programs from 0002\nSELECT 1;\n", "a1"), {0}};
static const struct embed_file broken[] = {
	FILE_OF("0001_one.sql", ONE, "a1"),
	FILE_OF("0002_bad.sql", "-- programs from 0001\nCREATE TABLE half (x bigint); SELECT 1/0;",
		"b2"),
	{0}};

static int
empty(void **state)
{
	struct pg *pg = *state;

	pg_fresh(state);
	pg_sql(pg, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
	return 0;
}

static bool
migrate(struct pg *pg, const struct embed_file *files)
{
	struct db_migrated done;

	return db_migrate(pg->a, pg->conninfo, files, NOW, &done, &pg->err);
}

static bool
check(struct pg *pg, const struct embed_file *files)
{
	return db_schema_check(pg->a, pg->conninfo, files, &pg->err);
}

static void
an_empty_database_is_brought_up_to_date_once(void **state)
{
	struct pg *pg = *state;
	struct db_migrated done;

	ASSERT_OK(db_migrate(pg->a, pg->conninfo, db_migrations, NOW, &done, &pg->err), &pg->err);
	assert_int_equal(done.from, 0);
	assert_true(done.to >= 5);
	ASSERT_OK(check(pg, db_migrations), &pg->err);
	assert_string_equal(pg_value(pg, "SELECT bool_and(applied = 1800000000)"
					 " FROM schema_migration"),
			    "t");
	int64_t to = done.to;

	ASSERT_OK(db_migrate(pg->a, pg->conninfo, db_migrations, NOW, &done, &pg->err), &pg->err);
	assert_int_equal(done.from, to);
	assert_int_equal(done.to, to);
}

static void
a_database_goes_on_where_it_was(void **state)
{
	struct pg *pg = *state;

	ASSERT_OK(migrate(pg, one), &pg->err);
	ASSERT_OK(migrate(pg, three), &pg->err);
	assert_string_equal(pg_value(pg, "SELECT string_agg(name, ' ' ORDER BY version)"
					 " FROM schema_migration"),
			    "0001_one.sql 0002_two.sql 0003_three.sql");
	assert_string_equal(pg_value(pg, "SELECT to_regclass('one') IS NULL"
					 " AND to_regclass('two') IS NOT NULL"),
			    "t");
}

static void
a_changed_file_is_refused(void **state)
{
	struct pg *pg = *state;

	ASSERT_OK(migrate(pg, two), &pg->err);
	ASSERT_REFUSED(migrate(pg, changed), &pg->err, ERR_DENIED, "0002_two.sql was changed");
	ASSERT_REFUSED(check(pg, changed), &pg->err, ERR_DENIED, "0002_two.sql was changed");
}

static void
files_that_are_not_in_order_are_refused(void **state)
{
	struct pg *pg = *state;

	ASSERT_REFUSED(migrate(pg, gap), &pg->err, ERR_DENIED, "is not migration 2");
	ASSERT_REFUSED(migrate(pg, unnamed), &pg->err, ERR_DENIED, "is not migration 1");
	ASSERT_REFUSED(migrate(pg, mute), &pg->err, ERR_DENIED, "does not begin with");
	ASSERT_REFUSED(migrate(pg, future), &pg->err, ERR_DENIED, "does not begin with");
	ASSERT_REFUSED(check(pg, gap), &pg->err, ERR_DENIED, "is not migration 2");
}

static void
a_gap_in_the_history_is_refused(void **state)
{
	struct pg *pg = *state;

	ASSERT_OK(migrate(pg, three), &pg->err);
	pg_sql(pg, "DELETE FROM schema_migration WHERE version = 2");
	ASSERT_REFUSED(migrate(pg, three), &pg->err, ERR_DENIED, "migration 2 is missing");
	ASSERT_REFUSED(check(pg, three), &pg->err, ERR_DENIED, "migration 2 is missing");
	pg_sql(pg, "INSERT INTO schema_migration VALUES (2, 'x', 'b2', -1, 0)");
	ASSERT_REFUSED(migrate(pg, three), &pg->err, ERR_DENIED, "migration 2 is damaged");
}

static void
an_older_program_does_not_migrate_a_newer_schema(void **state)
{
	struct pg *pg = *state;

	ASSERT_OK(migrate(pg, two), &pg->err);
	ASSERT_REFUSED(migrate(pg, one), &pg->err, ERR_DENIED, "newer than this program (1)");
}

static void
an_older_program_runs_as_long_as_the_schema_lets_it(void **state)
{
	struct pg *pg = *state;

	ASSERT_OK(migrate(pg, two), &pg->err);
	ASSERT_OK(check(pg, one), &pg->err);
	ASSERT_OK(migrate(pg, three), &pg->err);
	ASSERT_REFUSED(check(pg, one), &pg->err, ERR_DENIED, "0003_three.sql needs a newer");
	ASSERT_REFUSED(check(pg, two), &pg->err, ERR_DENIED, "0003_three.sql needs a newer");
}

static void
a_program_does_not_run_on_an_older_schema(void **state)
{
	struct pg *pg = *state;

	ASSERT_REFUSED(check(pg, one), &pg->err, ERR_DENIED, "(0) is older than this program (1)");
	ASSERT_OK(migrate(pg, one), &pg->err);
	ASSERT_REFUSED(check(pg, two), &pg->err, ERR_DENIED, "(1) is older than this program (2)");
}

static void
a_migration_that_fails_leaves_nothing(void **state)
{
	struct pg *pg = *state;

	ASSERT_REFUSED(migrate(pg, broken), &pg->err, ERR_INTERNAL, "0002_bad.sql: SQLSTATE 22012");
	assert_string_equal(pg_value(pg, "SELECT to_regclass('half') IS NULL"), "t");
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM schema_migration"), "1");
}

static void
two_do_not_migrate_at_once(void **state)
{
	struct pg *pg = *state;

	pg_sql(pg, "SELECT pg_advisory_lock(hashtext('kontor migrate'))");
	ASSERT_REFUSED(migrate(pg, one), &pg->err, ERR_UNAVAILABLE, "lock: SQLSTATE 55P03");
	pg_sql(pg, "SELECT pg_advisory_unlock_all()");
	ASSERT_OK(migrate(pg, one), &pg->err);
}

struct node {
	pthread_t thread;
	struct pg *pg;
	struct db_migrated done;
	struct err err;
	bool held;
};

static void *
migrate_on_a_node(void *arg)
{
	struct node *n = arg;
	struct arena *a = arena_create((size_t)4 * 1024 * 1024);

	n->held = db_migrate(a, n->pg->conninfo, db_migrations, NOW, &n->done, &n->err);
	arena_destroy(a);
	return NULL;
}

/* All nodes of a new release start at once. */
static void
many_may_try_at_once(void **state)
{
	struct pg *pg = *state;
	struct node nodes[4] = {0};
	int64_t applied = 0;

	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		nodes[i].pg = pg;
		assert_int_equal(
			pthread_create(&nodes[i].thread, NULL, migrate_on_a_node, &nodes[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
		pthread_join(nodes[i].thread, NULL);
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		if (nodes[i].held)
			applied += nodes[i].done.to - nodes[i].done.from;
		else if (strstr(nodes[i].err.text, "lock: SQLSTATE 55P03") == NULL)
			fail_msg("not for want of the lock in time: %s", nodes[i].err.text);
	}
	ASSERT_OK(check(pg, db_migrations), &pg->err);
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM schema_migration"),
			    arena_printf(pg->a, "%lld", (long long)applied));
}

static void
no_connection_is_no_answer(void **state)
{
	struct pg *pg = *state;
	struct db_migrated done;

	ASSERT_REFUSED(db_migrate(pg->a, "host=/nonexistent", one, NOW, &done, &pg->err), &pg->err,
		       ERR_UNAVAILABLE, "no connection");
}

static void
time_is_never_taken_from_the_database(void **state)
{
	static const char *const clocks[] = {
		"now(",      "current_timestamp", "clock_timestamp",
		"localtime", "current_date",      "statement_timestamp"};

	(void)state;
	for (const struct embed_file *f = db_migrations; f->name != NULL; f++)
		for (size_t i = 0; i < ARRAY_LEN(clocks); i++)
			if (strcasestr((const char *)f->data.p, clocks[i]) != NULL)
				fail_msg("%s holds %s", f->name, clocks[i]);
}

#define T(test) cmocka_unit_test_setup(test, empty)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_empty_database_is_brought_up_to_date_once),
		T(a_database_goes_on_where_it_was),
		T(a_changed_file_is_refused),
		T(files_that_are_not_in_order_are_refused),
		T(a_gap_in_the_history_is_refused),
		T(an_older_program_does_not_migrate_a_newer_schema),
		T(an_older_program_runs_as_long_as_the_schema_lets_it),
		T(a_program_does_not_run_on_an_older_schema),
		T(a_migration_that_fails_leaves_nothing),
		T(two_do_not_migrate_at_once),
		T(many_may_try_at_once),
		T(no_connection_is_no_answer),
		T(time_is_never_taken_from_the_database),
	};

	return cmocka_run_group_tests_name("migrate", tests, pg_setup_bare, pg_teardown);
}
