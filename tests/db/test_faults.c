/*
 * Faults of the server itself, on a cluster of the test's own (pg-temp --own): a
 * restart, a synchronous standby that is not there, processes of it that are
 * killed or stopped, connections refused.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include <stdio.h>

#include <libpq-fe.h>

#include "base/clock.h"
#include "db/account.h"
#include "db/audit.h"
#include "db/flow.h"
#include "db/dated.h"
#include "db/key.h"
#include "db/party.h"
#include "db/seen.h"
#include "db/setting.h"
#include "tests/db/pg.h"

struct waiting {
	pthread_t thread;
	struct db_call c;
	bool (*fn)(struct waiting *w);
	struct err err;
	bool held;
};

static void *
waiting_main(void *arg)
{
	struct waiting *w = arg;

	w->held = w->fn(w);
	return NULL;
}

static bool
save_setting(struct waiting *w)
{
	return db_setting_save(&w->c, "s", "v", 0, NULL, NOW, &w->err);
}

static bool
add_key(struct waiting *w)
{
	const struct db_key key = {.kid = "k",
				   .purpose = 1,
				   .type = 1,
				   .place = DB_KEY_SEALED,
				   .state = DB_KEY_PLANNED,
				   .sealed = bytes_of("s")};
	int64_t generation;

	return db_key_add(&w->c, &key, NULL, NOW, &generation, &w->err);
}

#define STUCK " FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'SyncRep'"

/*
 * The standby is missing, so COMMIT waits; somebody cancels the wait: the server
 * warns and says COMMIT all the same, and the row is there, but a failover may
 * take it away.
 */
static void
commit_without_standby(struct pg *pg, bool (*fn)(struct waiting *w), const char *how)
{
	struct waiting w = {.c = pg->c, .fn = fn};

	w.c.a = arena_create(1024 * 1024);
	assert_int_equal(pthread_create(&w.thread, NULL, waiting_main, &w), 0);
	pg_await(pg, "SELECT count(*)" STUCK, "1");
	pg_sql(pg, arena_printf(pg->a, "SELECT %s(pid)" STUCK, how));
	pthread_join(w.thread, NULL);
	arena_destroy(w.c.a);
	assert_false(w.held);
	assert_int_equal(w.err.kind, ERR_UNAVAILABLE);
	assert_non_null(strstr(w.err.text, "outcome unknown"));
}

static void
set_standby(struct pg *pg, const char *name)
{
	/* What the test itself changes must not wait. */
	pg_sql(pg, "SET synchronous_commit = local");
	pg_sql(pg, arena_printf(pg->a, "ALTER SYSTEM SET synchronous_standby_names = '%s'", name));
	pg_sql(pg, "SELECT pg_reload_conf()");
	pg_await(pg, "SHOW synchronous_standby_names", name);
}

static void
a_warning_at_commit_is_an_unknown_outcome(void **state)
{
	struct pg *pg = *state;
	struct db_status s;
	uint64_t unknown;

	db_status(pg->db, &s);
	unknown = s.unknown;
	set_standby(pg, "nobody");
	commit_without_standby(pg, save_setting, "pg_cancel_backend");
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM setting"), "1");
	commit_without_standby(pg, add_key, "pg_cancel_backend");
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM key"), "1");
	pg_sql(pg, "DELETE FROM setting; DELETE FROM key");
	commit_without_standby(pg, save_setting, "pg_terminate_backend");
	commit_without_standby(pg, add_key, "pg_terminate_backend");
	db_status(pg->db, &s);
	assert_int_equal(s.unknown - unknown, 4);
	set_standby(pg, "");
}

static void
what_may_be_lost_does_not_wait_for_the_standby(void **state)
{
	struct pg *pg = *state;
	const struct db_flow flow = {.id = db_dated_create(pg->a, NOW + 60),
				     .party = "p",
				     .front = "oidc",
				     .state = "s",
				     .expires = NOW + 60};

	set_standby(pg, "nobody");
	ASSERT_OK(db_flow_create(&pg->c, &flow, "b", NOW, &pg->err), &pg->err);
	set_standby(pg, "");
}

static const char *
start_time(const char *conninfo)
{
	static char text[64];
	PGconn *conn = PQconnectdb(conninfo);
	PGresult *res = PQexec(conn, "SELECT pg_postmaster_start_time()");

	text[0] = '\0';
	if (PQresultStatus(res) == PGRES_TUPLES_OK)
		strncpy(text, PQgetvalue(res, 0, 0), sizeof(text) - 1);
	PQclear(res);
	PQfinish(conn);
	return text;
}

static void
a_restart_of_the_server_is_survived(void **state)
{
	struct pg *pg = *state;
	const char *before = arena_strdup(pg->a, start_time(pg->conninfo));
	const struct db_party *list;
	int64_t give_up_us = clock_mono_us() + 120 * 1000000LL;
	bool answered = false;
	size_t n;
	struct db_tx *tx;

	assert_int_equal(kill(atoi(getenv("KONTOR_TEST_PG_TEMP")), SIGHUP), 0);
	for (const char *now = before; now[0] == '\0' || strcmp(now, before) == 0;
	     now = start_time(pg->conninfo)) {
		assert_true(clock_mono_us() < give_up_us);
		(void)poll(NULL, 0, 5);
	}
	while (!answered && clock_mono_us() < give_up_us) {
		answered = db_party_list(&pg->c, &list, &n, &pg->err) && db_ready(pg->db);
		if (pg->err.kind != ERR_NONE)
			assert_int_equal(pg->err.kind, ERR_UNAVAILABLE);
		err_clear(&pg->err);
		(void)poll(NULL, 0, 5);
	}
	assert_true(answered);
	ASSERT_OK(db_tx_begin(&pg->c, &tx, &pg->err), &pg->err);
	ASSERT_OK(db_tx_commit(tx, &pg->err), &pg->err);
	(void)pg_person(pg);
}

/* ---- one backend: killed, stopped, out of time ---- */

/* Advisory lock 1 is the brake: who sets it stops rows of "seen" on their way in, and settings and
 * keys at COMMIT. */
#define BRAKE   "SELECT pg_advisory_lock(1)"
#define RELEASE "SELECT pg_advisory_unlock_all()"
#define BRAKED  " AND wait_event_type = 'Lock' AND query "

/* No call here may last longer, whatever happens to the server. */
#define BOUND_US (30 * 1000000LL)

static bool
see(struct waiting *w)
{
	bool first = false;

	return db_seen_once(&w->c, &(struct db_mark){"brake", bytes_of("v"), NOW + 60}, NOW, &first,
			    &w->err) &&
	       first;
}

static void
start(struct pg *pg, struct waiting *w, bool (*fn)(struct waiting *w), int64_t patience_us)
{
	*w = (struct waiting){.c = pg->c, .fn = fn};
	w->c.a = arena_create(1024 * 1024);
	w->c.deadline_us = clock_mono_us() + patience_us;
	assert_int_equal(pthread_create(&w->thread, NULL, waiting_main, w), 0);
}

static void
finish(struct waiting *w)
{
	pthread_join(w->thread, NULL);
	arena_destroy(w->c.a);
}

/* The process of the server that does this for us and has come to `where`. */
static pid_t
backend(struct pg *pg, const char *role, const char *where)
{
	const char *of = arena_printf(pg->a,
				      " FROM pg_stat_activity WHERE datname = current_database()"
				      " AND application_name = 'kontor %s'%s",
				      role, where);

	pg_await(pg, arena_printf(pg->a, "SELECT count(*)%s", of), "1");
	return (pid_t)atoi(pg_value(pg, arena_printf(pg->a, "SELECT pid%s", of)));
}

/* The server answers again, to us and to the program. */
static void
await_recovery(struct pg *pg)
{
	int64_t give_up_us = clock_mono_us() + 120 * 1000000LL;

	for (bool there = false; !there || !db_ready(pg->db); (void)poll(NULL, 0, 20)) {
		PGresult *res = PQexec(pg->side, "SELECT 1");

		there = PQresultStatus(res) == PGRES_TUPLES_OK;
		PQclear(res);
		if (!there)
			PQreset(pg->side);
		assert_true(clock_mono_us() < give_up_us);
	}
}

static void
set_brakes(struct pg *pg)
{
	pg_sql(pg, "TRUNCATE seen, setting, key;"
		   "CREATE OR REPLACE FUNCTION brake() RETURNS trigger LANGUAGE plpgsql"
		   " SET lock_timeout = 0 AS $$ BEGIN"
		   " PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END $$;"
		   "CREATE TRIGGER brake BEFORE INSERT ON seen FOR EACH ROW"
		   " EXECUTE FUNCTION brake();"
		   "CREATE CONSTRAINT TRIGGER brake AFTER INSERT ON setting DEFERRABLE"
		   " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION brake();"
		   "CREATE CONSTRAINT TRIGGER brake AFTER INSERT ON key DEFERRABLE"
		   " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION brake();");
}

static void
release_brakes(struct pg *pg)
{
	pg_sql(pg, "DROP TRIGGER brake ON seen; DROP TRIGGER brake ON setting;"
		   "DROP TRIGGER brake ON key; TRUNCATE seen, setting, key");
}

/*
 * kill -9: the server takes all its processes down and recovers from the log.  What
 * was answered before is there; what was under way is told as it is.
 */
static void
a_killed_backend_loses_nothing_that_was_answered(void **state)
{
	static const struct {
		bool (*fn)(struct waiting *w);
		const char *role, *where, *text, *table, *rows;
		bool standby; /* stop it behind the commit record instead */
	} cases[] = {
		{see, "durable", BRAKED "LIKE '%seen%'", "", "seen", "0", false},
		{save_setting, "durable", BRAKED "= 'COMMIT'", "unknown", "setting", "0", false},
		{save_setting, "durable", " AND wait_event = 'SyncRep'", "unknown", "setting", "1",
		 true},
		{add_key, "tx", BRAKED "= 'COMMIT'", "unknown", "key", "0", false},
		{add_key, "tx", " AND wait_event = 'SyncRep'", "unknown", "key", "1", true},
	};
	struct pg *pg = *state;
	const struct db_audit audit = {.event = "answered", .ref = "r"};

	set_brakes(pg);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct waiting w;
		int64_t began_us = clock_mono_us();

		ASSERT_OK(db_audit_add(&pg->c, &audit, NOW, &pg->err), &pg->err);
		if (cases[i].standby)
			set_standby(pg, "nobody");
		else
			pg_sql(pg, BRAKE);
		start(pg, &w, cases[i].fn, BOUND_US);
		pid_t pid = backend(pg, cases[i].role, cases[i].where);

		assert_int_equal(kill(pid, SIGKILL), 0);
		finish(&w);
		assert_true(clock_mono_us() - began_us < BOUND_US * 2);
		await_recovery(pg);
		assert_false(w.held);
		assert_int_equal(w.err.kind, ERR_UNAVAILABLE);
		assert_non_null(strstr(w.err.text, cases[i].text));
		pg_sql(pg, "SET client_min_messages = warning");
		if (cases[i].standby)
			set_standby(pg, "");
		assert_string_equal(pg_value(pg, arena_printf(pg->a, "SELECT count(*) FROM %s",
							      cases[i].table)),
				    cases[i].rows);
		pg_sql(pg, arena_printf(pg->a, "TRUNCATE %s", cases[i].table));
		assert_string_equal(
			pg_value(pg, "SELECT count(*) FROM audit WHERE event = 'answered'"),
			arena_printf(pg->a, "%zu", i + 1));
	}
	release_brakes(pg);
}

/* SIGSTOP: silent, but there.  Callers leave at their deadline and know nothing. */
static void
a_stopped_backend_holds_nobody_beyond_the_deadline(void **state)
{
	static const struct {
		bool (*fn)(struct waiting *w);
		const char *role;
	} cases[] = {{save_setting, "durable"}, {add_key, "tx"}};
	struct pg *pg = *state;

	set_brakes(pg);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct waiting w;
		int64_t began_us = clock_mono_us();

		pg_sql(pg, BRAKE);
		start(pg, &w, cases[i].fn, 2 * 1000000LL);
		pid_t pid = backend(pg, cases[i].role, BRAKED "= 'COMMIT'");

		assert_int_equal(kill(pid, SIGSTOP), 0);
		finish(&w);
		assert_true(clock_mono_us() - began_us < BOUND_US);
		assert_false(w.held);
		assert_int_equal(w.err.kind, ERR_UNAVAILABLE);
		assert_non_null(strstr(w.err.text, "outcome unknown"));
		pg_sql(pg, RELEASE);
		assert_int_equal(kill(pid, SIGCONT), 0);
		/* Going on, it did what was asked: either way was told. */
		await_recovery(pg);
		pg_await(pg,
			 arena_printf(pg->a, "SELECT count(*) FROM %s", i == 0 ? "setting" : "key"),
			 "1");
	}
	release_brakes(pg);
	ASSERT_OK(db_setting_save(&pg->c, "after", "v", 0, NULL, NOW, &pg->err), &pg->err);
}

/* The server gives up a statement: nothing of it stands, and that is known. */
static void
a_statement_that_takes_too_long_is_undone_for_certain(void **state)
{
	static const struct {
		bool (*fn)(struct waiting *w);
		const char *role, *where, *table;
	} cases[] = {
		{see, "durable", BRAKED "LIKE '%seen%'", "seen"},
		{save_setting, "durable", BRAKED "= 'COMMIT'", "setting"},
		{add_key, "tx", BRAKED "= 'COMMIT'", "key"},
	};
	struct pg *pg = *state;
	struct db_status before, after;

	set_brakes(pg);
	db_status(pg->db, &before);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct waiting w;

		pg_sql(pg, BRAKE);
		start(pg, &w, cases[i].fn, BOUND_US);
		/* As statement_timeout does after 5 or 10 s: the same SQLSTATE. */
		pid_t pid = backend(pg, cases[i].role, cases[i].where);

		pg_sql(pg, arena_printf(pg->a, "SELECT pg_cancel_backend(%d)", (int)pid));
		finish(&w);
		pg_sql(pg, RELEASE);
		assert_false(w.held);
		assert_int_equal(w.err.kind, ERR_UNAVAILABLE);
		assert_non_null(strstr(w.err.text, "SQLSTATE 57014"));
		assert_string_equal(pg_value(pg, arena_printf(pg->a, "SELECT count(*) FROM %s",
							      cases[i].table)),
				    "0");
	}
	db_status(pg->db, &after);
	assert_int_equal(after.unknown, before.unknown);
	assert_int_equal(after.connects, before.connects);
	release_brakes(pg);
}

/* The server's door is gone for a while: refused at once meanwhile, back by itself. */
static void
a_server_that_refuses_connections_is_found_again(void **state)
{
	struct pg *pg = *state;
	const char *name = pg_value(pg, "SELECT current_database()");
	const struct db_party *list;
	struct db_status s;
	struct db_tx *tx;
	size_t n;

	PGconn *outside = PQconnectdb(getenv("KONTOR_TEST_DB"));

	PQclear(PQexec(outside,
		       arena_printf(pg->a, "ALTER DATABASE %s ALLOW_CONNECTIONS false", name)));
	PQclear(PQexec(outside,
		       arena_printf(pg->a,
				    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
				    " WHERE datname = '%s' AND application_name LIKE"
				    " 'kontor %%'",
				    name)));
	do
		db_status(pg->db, &s);
	while ((s.reader || s.durable || s.lazy || s.listener) && poll(NULL, 0, 10) == 0);
	/* Each connection has noticed when it has tried to come back, and was refused. */
	while (db_party_list(&pg->c, &list, &n, &pg->err) ||
	       strstr(pg->err.text, "not connected") == NULL) {
		err_clear(&pg->err);
		(void)poll(NULL, 0, 10);
	}
	err_clear(&pg->err);
	while (db_setting_save(&pg->c, "gone", "v", 0, NULL, NOW, &pg->err) ||
	       strstr(pg->err.text, "not connected") == NULL) {
		err_clear(&pg->err);
		(void)poll(NULL, 0, 10);
	}
	err_clear(&pg->err);
	assert_false(db_ready(pg->db));
	int64_t began_us = clock_mono_us();

	ASSERT_REFUSED(db_party_list(&pg->c, &list, &n, &pg->err), &pg->err, ERR_UNAVAILABLE,
		       "party_list: not connected");
	ASSERT_REFUSED(db_setting_save(&pg->c, "gone", "v", 0, NULL, NOW, &pg->err), &pg->err,
		       ERR_UNAVAILABLE, "setting_save: not connected");
	ASSERT_REFUSED(db_tx_begin(&pg->c, &tx, &pg->err), &pg->err, ERR_UNAVAILABLE, "begin: ");
	assert_true(clock_mono_us() - began_us < BOUND_US);
	PQclear(PQexec(outside,
		       arena_printf(pg->a, "ALTER DATABASE %s ALLOW_CONNECTIONS true", name)));
	PQfinish(outside);
	await_recovery(pg);
	ASSERT_OK(db_party_list(&pg->c, &list, &n, &pg->err), &pg->err);
	ASSERT_OK(db_tx_begin(&pg->c, &tx, &pg->err), &pg->err);
	ASSERT_OK(db_tx_commit(tx, &pg->err), &pg->err);
}

/* Who cannot hear what others change must not go on by what it knew, though it could still write.
 */
static void
a_node_that_hears_nothing_is_out_of_step(void **state)
{
	struct pg *pg = *state;
	const char *name = pg_value(pg, "SELECT current_database()");
	PGconn *outside = PQconnectdb(getenv("KONTOR_TEST_DB"));
	const struct db_party *list;
	size_t n;

	await_recovery(pg);
	ASSERT_OK(db_in_step(pg->db, &pg->err), &pg->err);
	PQclear(PQexec(outside,
		       arena_printf(pg->a, "ALTER DATABASE %s ALLOW_CONNECTIONS false", name)));
	pg_sql(pg, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		   " WHERE application_name = 'kontor listener'"
		   " AND datname = current_database()");
	int64_t give_up_us = clock_mono_us() + 60 * 1000000LL;

	while (db_in_step(pg->db, &pg->err) && clock_mono_us() < give_up_us)
		(void)poll(NULL, 0, 10);
	assert_int_equal(pg->err.kind, ERR_UNAVAILABLE);
	assert_non_null(strstr(pg->err.text, "what other nodes change is not heard"));
	err_clear(&pg->err);
	ASSERT_OK(db_party_list(&pg->c, &list, &n, &pg->err), &pg->err);
	PQclear(PQexec(outside,
		       arena_printf(pg->a, "ALTER DATABASE %s ALLOW_CONNECTIONS true", name)));
	PQfinish(outside);
	await_recovery(pg);
	ASSERT_OK(db_in_step(pg->db, &pg->err), &pg->err);
}

#define T(test) cmocka_unit_test_setup(test, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_warning_at_commit_is_an_unknown_outcome),
		T(what_may_be_lost_does_not_wait_for_the_standby),
		T(a_statement_that_takes_too_long_is_undone_for_certain),
		T(a_stopped_backend_holds_nobody_beyond_the_deadline),
		T(a_server_that_refuses_connections_is_found_again),
		T(a_node_that_hears_nothing_is_out_of_step),
		T(a_killed_backend_loses_nothing_that_was_answered),
		T(a_restart_of_the_server_is_survived),
	};

	return cmocka_run_group_tests_name("faults", tests, pg_setup, pg_teardown);
}
