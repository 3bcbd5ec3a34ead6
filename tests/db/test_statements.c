/* All statements: prepared, well named, well typed, without a clock. */
#include "db/statements.h"

#include <libpq-fe.h>

#include "base/buf.h"
#include "base/clock.h"
#include "db/conn.h"
#include "db/pgtype.h"
#include "tests/db/pg.h"

/* Prepares all there are; returns how many. */
static size_t
prepare_all(struct pg *pg, struct conn *conn)
{
	enum conn_wait wait;
	size_t n = 0;

	for (size_t t = 0; db_statement_tables[t] != NULL; t++)
		for (const struct db_statement *st = db_statement_tables[t]; st->name != NULL;
		     st++, n++)
			ASSERT_OK(
				conn_prepare(conn, st, clock_mono_us() + 10000000, &wait, &pg->err),
				&pg->err);
	return n;
}

static void
every_statement_can_be_prepared(void **state)
{
	struct pg *pg = *state;
	struct conn conn;

	ASSERT_OK(conn_open(&conn, pg->conninfo, "test", CONN_TX, &pg->err), &pg->err);
	size_t n = prepare_all(pg, &conn);

	assert_int_equal(prepare_all(pg, &conn), n); /* there they are: nothing is sent */
	PGresult *res = PQexec(conn.pg, "SELECT count(*) FROM pg_prepared_statements");

	assert_string_equal(PQgetvalue(res, 0, 0), arena_printf(pg->a, "%zu", n));
	assert_in_range(n, 50, CONN_PREPARED_MAX);
	PQclear(res);
	conn_close(&conn);
}

static void
what_cannot_be_prepared_is_told_apart(void **state)
{
	static const struct db_statement wrong = {"wrong", DB_IN_TX, T_NONE, 0, "", "SELECT none"};
	struct pg *pg = *state;
	struct conn conn;
	enum conn_wait wait;

	ASSERT_OK(conn_open(&conn, pg->conninfo, "test", CONN_TX, &pg->err), &pg->err);
	ASSERT_REFUSED(conn_prepare(&conn, &wrong, clock_mono_us() + 10000000, &wait, &pg->err),
		       &pg->err, ERR_INTERNAL, "wrong: SQLSTATE 42703");
	assert_int_equal(wait, CONN_READY);
	ASSERT_REFUSED(conn_prepare(&conn, &wrong, 0, &wait, &pg->err), &pg->err, ERR_UNAVAILABLE,
		       "wrong: no answer in time");
	assert_int_equal(wait, CONN_LATE);
	conn_close(&conn);
}

static const char *
show(struct pg *pg, enum conn_role role, const char *setting)
{
	struct conn conn;

	ASSERT_OK(conn_open(&conn, pg->conninfo, "test", role, &pg->err), &pg->err);
	PGresult *res = PQexec(conn.pg, arena_printf(pg->a, "SHOW %s", setting));
	const char *value = arena_strdup(pg->a, PQgetvalue(res, 0, 0));

	PQclear(res);
	conn_close(&conn);
	return value;
}

static void
durable_means_on_disk_whatever_the_server_thinks(void **state)
{
	static const struct {
		const char *server, *durable;
	} cases[] = {{"off", "on"}, {"local", "on"}, {"remote_apply", "remote_apply"}};
	struct pg *pg = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		pg_sql(pg,
		       arena_printf(pg->a, "ALTER DATABASE %s SET synchronous_commit = %s",
				    pg_value(pg, "SELECT current_database()"), cases[i].server));
		assert_string_equal(show(pg, CONN_DURABLE, "synchronous_commit"), cases[i].durable);
		assert_string_equal(show(pg, CONN_TX, "synchronous_commit"), cases[i].durable);
		assert_string_equal(show(pg, CONN_LAZY, "synchronous_commit"), "off");
	}
}

static void
a_session_is_set_up_for_what_it_does(void **state)
{
	struct pg *pg = *state;

	assert_string_equal(show(pg, CONN_READER, "default_transaction_read_only"), "on");
	assert_string_equal(show(pg, CONN_DURABLE, "lock_timeout"), "100ms");
	assert_string_equal(show(pg, CONN_LAZY, "lock_timeout"), "100ms");
	assert_string_equal(show(pg, CONN_ADMIN, "lock_timeout"), "2s");
	assert_string_equal(show(pg, CONN_LAZY, "application_name"), "test lazy");
}

static bool
is_known(unsigned type)
{
	return type == PGTYPE_BOOL || type == PGTYPE_BYTEA || type == PGTYPE_INT8 ||
	       type == PGTYPE_INT2 || type == PGTYPE_TEXT;
}

static void
every_column_has_a_type_that_is_read(void **state)
{
	struct pg *pg = *state;
	struct conn conn;

	ASSERT_OK(conn_open(&conn, pg->conninfo, "test", CONN_TX, &pg->err), &pg->err);
	(void)prepare_all(pg, &conn);
	for (size_t t = 0; db_statement_tables[t] != NULL; t++)
		for (const struct db_statement *st = db_statement_tables[t]; st->name != NULL;
		     st++) {
			PGresult *res = PQdescribePrepared(conn.pg, st->name);

			assert_int_equal(PQresultStatus(res), PGRES_COMMAND_OK);
			for (int i = 0; i < PQnfields(res); i++)
				if (!is_known(PQftype(res, i)) &&
				    strcmp(PQfname(res, i), "?column?") != 0)
					fail_msg("%s: column %d has type %u", st->name, i,
						 PQftype(res, i));
			PQclear(res);
		}
	conn_close(&conn);
}

/* Tables of a few rows that are read whole, and those that are emptied after a restore. */
static const char *const read_whole[] = {
	"party_list",         "detail_type_list",  "setting_list",        "key_list",
	"restored_steps",     "restored_sessions", "restored_flows",      "restored_codes",
	"restored_artifacts", "restored_tokens",   "restored_tickets",    "restored_refresh",
	"source_list",        "source_count",      "copy_list",           "invitation_list",
	"member_list",        "publication_list",  "publication_members", "publication_roll_back",
	"federation_list",    "federation_count",  "federation_copies",   "federation_suspensions",
	"federation_take",    "upstream_list",     "upstream_take",       "restored_polled"};

static bool
is_read_whole(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(read_whole); i++)
		if (strcmp(name, read_whole[i]) == 0)
			return true;
	return false;
}

static const char *
explain(struct pg *pg, const struct db_statement *st)
{
	struct buf sql;
	const char *text;

	buf_init(&sql, pg->a, 1000);
	buf_printf(&sql, "EXPLAIN EXECUTE %s", st->name);
	for (size_t i = 0; i < strlen(st->params); i++)
		buf_str(&sql, i == 0 ? "(NULL" : ", NULL");
	buf_str(&sql, st->params[0] == '\0' ? "" : ")");
	ASSERT_OK(buf_finish_str(&sql, &text, &pg->err), &pg->err);
	return text;
}

/* The connections, and with them the settings, that each class of statements runs on. */
static const enum conn_role role_of[] = {[DB_READ] = CONN_READER,
					 [DB_DURABLE] = CONN_DURABLE,
					 [DB_LAZY] = CONN_LAZY,
					 [DB_IN_TX] = CONN_TX};

static void
assert_follows_indexes(struct pg *pg, enum db_class class)
{
	struct conn conn;

	ASSERT_OK(conn_open(&conn, pg->conninfo, "test", role_of[class], &pg->err), &pg->err);
	if (role_of[class] == CONN_TX)
		(void)prepare_all(pg, &conn);
	for (size_t t = 0; db_statement_tables[t] != NULL; t++)
		for (const struct db_statement *st = db_statement_tables[t]; st->name != NULL;
		     st++) {
			if (st->class != class || is_read_whole(st->name))
				continue;
			PGresult *res = PQexec(conn.pg, explain(pg, st));

			if (PQresultStatus(res) != PGRES_TUPLES_OK)
				fail_msg("%s: %s", st->name, PQresultErrorMessage(res));
			for (int i = 0; i < PQntuples(res); i++)
				if (strstr(PQgetvalue(res, i, 0), "Seq Scan") != NULL ||
				    strstr(PQgetvalue(res, i, 0), "Join Filter") != NULL)
					fail_msg("%s: %s", st->name, PQgetvalue(res, i, 0));
			PQclear(res);
		}
	conn_close(&conn);
}

/*
 * The plans that stay: made on empty tables, kept while they grow.  A scan of a
 * whole table, or of a whole index for a join, must not be among them.
 */
static void
every_look_up_follows_an_index(void **state)
{
	for (enum db_class c = DB_READ; c <= DB_IN_TX; c++)
		assert_follows_indexes(*state, c);
}

/* decisions/0005: a crash loses what a login begins with, whole, and nothing else that was told. */
static void
only_what_a_login_begins_with_is_recorded_lazily(void **state UNUSED)
{
	static const char *const lazy[] = {"session_create", "grant_create",
					   "grant_create_foreign"};
	size_t found = 0;

	for (size_t t = 0; db_statement_tables[t] != NULL; t++)
		for (const struct db_statement *st = db_statement_tables[t]; st->name != NULL;
		     st++) {
			if (st->class != DB_LAZY || strstr(st->sql, "INSERT INTO audit") == NULL)
				continue;
			size_t i = 0;

			while (i < ARRAY_LEN(lazy) && strcmp(st->name, lazy[i]) != 0)
				i++;
			if (i == ARRAY_LEN(lazy))
				fail_msg("%s: what it records can be lost", st->name);
			found++;
		}
	assert_int_equal(found, ARRAY_LEN(lazy));
}

static void
no_statement_knows_the_time(void **state)
{
	static const char *const clocks[] = {
		"now(",      "current_timestamp", "clock_timestamp",
		"localtime", "current_date",      "statement_timestamp"};

	(void)state;
	for (size_t t = 0; db_statement_tables[t] != NULL; t++)
		for (const struct db_statement *st = db_statement_tables[t]; st->name != NULL; st++)
			for (size_t i = 0; i < ARRAY_LEN(clocks); i++)
				if (strcasestr(st->sql, clocks[i]) != NULL)
					fail_msg("%s holds %s", st->name, clocks[i]);
}

static void
every_row_is_complete(void **state)
{
	struct pg *pg = *state;
	const char **seen = ARENA_ARRAY(pg->a, const char *, 500);
	size_t n = 0;

	for (size_t t = 0; db_statement_tables[t] != NULL; t++)
		for (const struct db_statement *st = db_statement_tables[t]; st->name != NULL;
		     st++) {
			size_t n_params = strlen(st->params);

			for (size_t i = 0; i < n; i++)
				assert_string_not_equal(seen[i], st->name);
			seen[n++] = st->name;
			assert_int_equal(strspn(st->params, "btio"), n_params);
			assert_true(n_params <= DB_PARAMS_MAX);
			assert_true(st->class >= DB_READ && st->class <= DB_IN_TX);
			assert_true(st->key >= 0 && (size_t)st->key <= n_params);
			/* Batches are sorted by octets. */
			if (st->key != 0 && strchr("bt", st->params[st->key - 1]) == NULL)
				fail_msg("%s is sorted by a number", st->name);
			/* Every parameter is used, the last one at least. */
			if (n_params > 0 &&
			    strstr(st->sql, arena_printf(pg->a, "$%zu", n_params)) == NULL)
				fail_msg("%s does not use $%zu", st->name, n_params);
		}
}

static const struct db_statement *first_of(enum db_class class)
{
	for (size_t t = 0; db_statement_tables[t] != NULL; t++)
		for (const struct db_statement *st = db_statement_tables[t]; st->name != NULL; st++)
			if (st->class == class && strcmp(st->params, "b") == 0)
				return st;
	fail_msg("no such statement");
	return NULL;
}

static void
parameters_that_do_not_fit_are_refused(void **state)
{
	struct pg *pg = *state;
	const struct db_statement *st = first_of(DB_READ);
	struct db_param nul = {.type = 't', .octets = {(const unsigned char *)"a\0b", 3}};

	ASSERT_REFUSED(db_run(&pg->c, st, NULL, 0, NULL, &pg->err), &pg->err, ERR_INTERNAL,
		       "takes 1 parameters, not 0");
	ASSERT_REFUSED(db_run(&pg->c, st, DB_ARGS(db_int(1)), NULL, &pg->err), &pg->err,
		       ERR_INTERNAL, "parameter 1 has another type");
	for (st = db_party_statements; strcmp(st->name, "party_load") != 0; st++)
		;
	ASSERT_REFUSED(db_run(&pg->c, st, &nul, 1, NULL, &pg->err), &pg->err, ERR_INTERNAL,
		       "parameter 1 holds a NUL");
	ASSERT_REFUSED(db_run(&pg->c, first_of(DB_IN_TX), DB_ARGS(db_text("x")), NULL, &pg->err),
		       &pg->err, ERR_INTERNAL, "runs in a transaction only");
}

static void
a_column_that_is_not_as_asked_is_told(void **state)
{
	struct pg *pg = *state;
	const unsigned types[] = {PGTYPE_BYTEA, PGTYPE_TEXT, PGTYPE_INT8, PGTYPE_BOOL};
	const struct bytes cells[] = {
		{(const unsigned char *)"x", 1}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
	const struct db_rows good = {
		.n = 1, .a = pg->a, .statement = "s", .types = types, .cells = cells, .n_cols = 4};
	struct db_rows rows = good;
	unsigned char four[4];

	assert_int_equal(db_get_bytes(&rows, 0, 0).n, 1);
	assert_null(db_get_text_opt(&rows, 0, 1));
	assert_int_equal(db_get_int_opt(&rows, 0, 2), 0);
	ASSERT_OK(db_rows_check(&rows, &pg->err), &pg->err);

#define BAD(call, column)                                                              \
	do {                                                                           \
		rows = good;                                                           \
		(void)call;                                                            \
		ASSERT_REFUSED(db_rows_check(&rows, &pg->err), &pg->err, ERR_INTERNAL, \
			       "s: column " column " is not");                         \
	} while (0)
	BAD(db_get_text(&rows, 0, 0), "1");
	BAD(db_get_text(&rows, 0, 1), "2");
	BAD(db_get_int(&rows, 0, 2), "3");
	BAD(db_get_int(&rows, 0, 0), "1");
	BAD(db_get_bool(&rows, 0, 3), "4");
	BAD(db_get_bool(&rows, 0, 0), "1");
	BAD(db_get_bytes(&rows, 0, 1), "2");
	BAD(db_get_bytes(&rows, 1, 0), "1");
	BAD(db_get_bytes(&rows, 0, 4), "5");
	BAD(db_get_id_opt(&rows, 0, 0), "1");
	BAD((db_get_octets(&rows, 0, 0, four, sizeof(four)), 0), "1");
}

#define T(test) cmocka_unit_test_setup(test, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_statement_can_be_prepared),
		T(what_cannot_be_prepared_is_told_apart),
		T(durable_means_on_disk_whatever_the_server_thinks),
		T(a_session_is_set_up_for_what_it_does),
		T(every_column_has_a_type_that_is_read),
		T(every_look_up_follows_an_index),
		T(only_what_a_login_begins_with_is_recorded_lazily),
		T(no_statement_knows_the_time),
		T(every_row_is_complete),
		T(parameters_that_do_not_fit_are_refused),
		T(a_column_that_is_not_as_asked_is_told),
	};

	return cmocka_run_group_tests_name("statements", tests, pg_setup, pg_teardown);
}
