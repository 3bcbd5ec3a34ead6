/*
 * Faults of the server itself, on a cluster of the test's own (pg-temp --own): a
 * restart, and a synchronous standby that is not there.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include <libpq-fe.h>

#include "base/clock.h"
#include "db/account.h"
#include "db/flow.h"
#include "db/dated.h"
#include "db/key.h"
#include "db/party.h"
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
	pthread_create(&w.thread, NULL, waiting_main, &w);
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

#define T(test) cmocka_unit_test_setup(test, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_warning_at_commit_is_an_unknown_outcome),
		T(what_may_be_lost_does_not_wait_for_the_standby),
		T(a_restart_of_the_server_is_survived),
	};

	return cmocka_run_group_tests_name("faults", tests, pg_setup, pg_teardown);
}
