/*
 * How statements run: batches, transactions, deadlines, lost connections, unknown
 * outcomes.  Advisory lock 1 is the brake: who sets it stops whatever the test's
 * triggers stop.
 */
#include "db/db.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "db/account.h"
#include "db/audit.h"
#include "db/key.h"
#include "db/partition.h"
#include "db/party.h"
#include "db/seen.h"
#include "db/session.h"
#include "db/setting.h"
#include "tests/db/pg.h"

#define BRAKE   "SELECT pg_advisory_lock(1)"
#define RELEASE "SELECT pg_advisory_unlock_all()"
#define BRAKED(role)                                                               \
	"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()" \
	" AND wait_event_type = 'Lock' AND application_name = 'kontor " role "'"
#define KILL(role)                                                      \
	"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity" \
	" WHERE datname = current_database() AND application_name LIKE 'kontor " role "'"

static int
setup(void **state)
{
	if (pg_setup(state) != 0)
		return -1;
	pg_sql(*state,
	       "CREATE FUNCTION brake() RETURNS trigger LANGUAGE plpgsql"
	       " SET lock_timeout = 0 AS $$ BEGIN"
	       " PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END $$;"
	       "CREATE TRIGGER brake BEFORE INSERT ON seen FOR EACH ROW"
	       " WHEN (NEW.kind = 'brake') EXECUTE FUNCTION brake();"
	       "CREATE CONSTRAINT TRIGGER brake AFTER INSERT ON setting DEFERRABLE"
	       " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION brake();"
	       "CREATE CONSTRAINT TRIGGER brake AFTER INSERT ON key DEFERRABLE"
	       " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION brake();"
	       /* A constraint that is judged at COMMIT. */
	       "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
	       " RAISE EXCEPTION USING MESSAGE = 'refused', CONSTRAINT = 'late'; END $$;"
	       "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON party DEFERRABLE INITIALLY DEFERRED"
	       " FOR EACH ROW WHEN (NEW.id = 'late') EXECUTE FUNCTION refuse();");
	return 0;
}

/* A call on a thread of its own. */
struct other {
	pthread_t thread;
	struct pg *pg;
	struct db_call c;
	bool (*fn)(struct other *o);
	const char *name;
	struct err err;
	bool held;
};

static void *
other_main(void *arg)
{
	struct other *o = arg;

	o->held = o->fn(o);
	return NULL;
}

static void
begin(struct pg *pg, struct other *o, bool (*fn)(struct other *o), const char *name)
{
	*o = (struct other){.pg = pg, .c = pg_call(pg, pg->db), .fn = fn, .name = name};
	o->c.a = arena_create(1024 * 1024);
	assert_int_equal(pthread_create(&o->thread, NULL, other_main, o), 0);
}

static void
end(struct other *o)
{
	pthread_join(o->thread, NULL);
	arena_destroy(o->c.a);
}

static bool
see(struct other *o)
{
	bool first = false;

	return db_seen_once(&o->c, &(struct db_mark){"brake", bytes_of(o->name), NOW + 60}, NOW,
			    &first, &o->err) &&
	       first;
}

static bool
save_party(struct other *o)
{
	const struct db_party party = {.id = o->name,
				       .kind = "oidc",
				       .display_name = "x",
				       .policy = strcmp(o->name, "bad") == 0 ? "[]" : "{}"};
	int64_t version;

	return db_party_save(&o->c, &party, NULL, NOW, &version, &o->err);
}

static bool
save_setting(struct other *o)
{
	return db_setting_save(&o->c, o->name, "v", 0, NULL, NOW, &o->err);
}

static bool
add_key(struct other *o)
{
	const struct db_key key = {.kid = o->name,
				   .purpose = 9,
				   .type = 9,
				   .place = DB_KEY_SEALED,
				   .state = DB_KEY_PLANNED,
				   .sealed = bytes_of("s")};
	int64_t generation;

	return db_key_add(&o->c, &key, NULL, NOW, &generation, &o->err);
}

static struct db_status
status(struct pg *pg)
{
	struct db_status s;

	db_status(pg->db, &s);
	return s;
}

/* Stop the durable writer in the middle of a batch. */
static void
stop_writer(struct pg *pg, struct other *o, const char *name)
{
	pg_sql(pg, BRAKE);
	begin(pg, o, see, name);
	pg_await(pg, BRAKED("durable"), "1");
}

static void
await_queued(struct pg *pg, uint64_t n)
{
	while (status(pg).queued < n)
		pg_sql(pg, "SELECT pg_sleep(0.005)");
}

/* Every lane is connected again. */
static void
await_ready(struct pg *pg)
{
	while (!db_ready(pg->db))
		pg_sql(pg, "SELECT pg_sleep(0.01)");
}

static int
fresh(void **state)
{
	struct pg *pg = *state;

	pg_fresh(state);
	pg_sql(pg, "TRUNCATE setting, key, party, seen CASCADE");
	await_ready(pg);
	return 0;
}

#define SIDE 6

static void
what_is_queued_together_is_committed_together(void **state)
{
	static const char *const names[SIDE] = {"f", "a", "c", "e", "b", "d"};
	struct pg *pg = *state;
	struct other first, others[SIDE];

	stop_writer(pg, &first, "together");
	struct db_status before = status(pg);

	for (size_t i = 0; i < SIDE; i++)
		begin(pg, &others[i], save_party, names[i]);
	await_queued(pg, SIDE);
	pg_sql(pg, RELEASE);
	end(&first);
	for (size_t i = 0; i < SIDE; i++) {
		end(&others[i]);
		ASSERT_OK(others[i].held, &others[i].err);
	}
	assert_true(first.held);
	struct db_status after = status(pg);

	assert_int_equal(after.statements - before.statements, 1 + SIDE);
	assert_int_equal(after.batches - before.batches, 2);
	assert_int_equal(after.reruns - before.reruns, 0);
	/* One transaction, and its rows in the order of their keys. */
	assert_string_equal(pg_value(pg, "SELECT count(DISTINCT xmin::text) || ' ' ||"
					 " string_agg(id, '' ORDER BY ctid) FROM party"),
			    "1 abcdef");
}

static void
one_refused_statement_does_not_harm_its_batch(void **state)
{
	static const char *const names[SIDE] = {"a", "b", "bad", "c", "late", "d"};
	struct pg *pg = *state;
	struct other first, others[SIDE];

	stop_writer(pg, &first, "refused");
	struct db_status before = status(pg);

	for (size_t i = 0; i < SIDE; i++)
		begin(pg, &others[i], save_party, names[i]);
	await_queued(pg, SIDE);
	pg_sql(pg, RELEASE);
	end(&first);
	for (size_t i = 0; i < SIDE; i++)
		end(&others[i]);
	for (size_t i = 0; i < SIDE; i++) {
		bool fine = strlen(names[i]) == 1;

		assert_int_equal(others[i].held, fine);
		assert_int_equal(others[i].err.kind, fine ? ERR_NONE : ERR_DENIED);
	}
	assert_non_null(strstr(others[2].err.text, "party_policy_check"));
	assert_non_null(strstr(others[4].err.text, "late")); /* refused by the COMMIT itself */
	assert_int_equal(status(pg).reruns - before.reruns, 1);
	assert_string_equal(pg_value(pg, "SELECT string_agg(id, '' ORDER BY id) FROM party"),
			    "abcd");
}

static void
a_refusal_at_commit_spoils_a_batch_only_once(void **state)
{
	static const char *const names[] = {"a", "late"};
	struct pg *pg = *state;
	struct other first, others[2];

	stop_writer(pg, &first, "late");
	struct db_status before = status(pg);

	for (size_t i = 0; i < 2; i++)
		begin(pg, &others[i], save_party, names[i]);
	await_queued(pg, 2);
	pg_sql(pg, RELEASE);
	end(&first);
	for (size_t i = 0; i < 2; i++)
		end(&others[i]);
	ASSERT_OK(others[0].held, &others[0].err);
	assert_false(others[1].held);
	assert_int_equal(others[1].err.kind, ERR_DENIED);
	assert_int_equal(status(pg).reruns - before.reruns, 1);
	assert_int_equal(status(pg).unknown - before.unknown, 0);
}

static void
a_call_gives_up_at_its_deadline(void **state)
{
	struct pg *pg = *state;
	struct other first;
	struct db_call late = pg->c;
	const struct db_audit audit = {.event = "never", .ref = "r"};

	stop_writer(pg, &first, "deadline");
	late.deadline_us = clock_mono_us();
	ASSERT_REFUSED(db_audit_add(&late, &audit, NOW, &pg->err), &pg->err, ERR_UNAVAILABLE,
		       "audit_add: not sent in time");
	pg_sql(pg, RELEASE);
	end(&first);
	assert_true(first.held);
	/* What was given up before it was sent is not done later. */
	assert_int_equal(pg_audits(pg, "never"), 0);
}

static void
a_call_that_gave_up_while_it_ran_knows_nothing(void **state)
{
	struct pg *pg = *state;
	struct db_call soon = pg->c;
	bool first;

	pg_sql(pg, BRAKE);
	soon.deadline_us = clock_mono_us() + 50000;
	ASSERT_REFUSED(db_seen_once(&soon, &(struct db_mark){"brake", bytes_of("soon"), NOW + 60},
				    NOW, &first, &pg->err),
		       &pg->err, ERR_UNAVAILABLE, "no answer in time, outcome unknown");
	pg_sql(pg, RELEASE);
	/* It happened, as "unknown" allows. */
	pg_await(pg, "SELECT count(*) FROM seen WHERE kind = 'brake'", "1");
}

static void
a_lock_is_not_waited_for_long(void **state)
{
	struct pg *pg = *state;
	const struct db_party *list;
	size_t n;

	pg_sql(pg, "BEGIN; LOCK TABLE party");
	ASSERT_REFUSED(db_party_list(&pg->c, &list, &n, &pg->err), &pg->err, ERR_UNAVAILABLE,
		       "party_list: SQLSTATE 55P03");
	pg_sql(pg, "ROLLBACK");
	ASSERT_OK(db_party_list(&pg->c, &list, &n, &pg->err), &pg->err);
}

static void
a_lost_connection_during_commit_is_an_unknown_outcome(void **state)
{
	struct pg *pg = *state;
	struct other o;
	uint64_t unknown = status(pg).unknown;

	pg_sql(pg, BRAKE);
	begin(pg, &o, save_setting, "at-commit");
	pg_await(pg, BRAKED("durable") " AND query = 'COMMIT'", "1");
	pg_sql(pg, KILL("durable"));
	end(&o);
	pg_sql(pg, RELEASE);
	assert_false(o.held);
	assert_int_equal(o.err.kind, ERR_UNAVAILABLE);
	assert_non_null(strstr(o.err.text, "outcome unknown"));
	assert_int_equal(status(pg).unknown, unknown + 1);
	await_ready(pg);
	begin(pg, &o, save_setting, "afterwards");
	end(&o);
	ASSERT_OK(o.held, &o.err);
}

static void
a_lost_connection_before_commit_is_no_success(void **state)
{
	struct pg *pg = *state;
	struct other o;

	stop_writer(pg, &o, "before-commit");
	pg_sql(pg, KILL("durable"));
	end(&o);
	pg_sql(pg, RELEASE);
	assert_false(o.held);
	assert_int_equal(o.err.kind, ERR_UNAVAILABLE);
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM seen"), "0");
}

static void
a_lost_connection_during_the_commit_of_a_transaction_is_unknown(void **state)
{
	struct pg *pg = *state;
	struct other o;
	uint64_t unknown = status(pg).unknown;

	pg_sql(pg, BRAKE);
	begin(pg, &o, add_key, "k");
	pg_await(pg, BRAKED("tx") " AND query = 'COMMIT'", "1");
	pg_sql(pg, KILL("tx"));
	end(&o);
	pg_sql(pg, RELEASE);
	assert_false(o.held);
	assert_int_equal(o.err.kind, ERR_UNAVAILABLE);
	assert_string_equal(o.err.text, "commit: outcome unknown");
	assert_int_equal(status(pg).unknown, unknown + 1);
}

static void
connections_that_died_are_made_again(void **state)
{
	struct pg *pg = *state;
	const struct db_party *list;
	struct db_tx *tx;
	size_t n;

	ASSERT_OK(db_tx_begin(&pg->c, &tx, &pg->err), &pg->err);
	db_tx_rollback(tx);
	uint64_t connects = status(pg).connects;

	assert_string_not_equal(pg_value(pg, KILL("%")), "0");
	/* The pool looks before it hands out. */
	ASSERT_OK(db_tx_begin(&pg->c, &tx, &pg->err), &pg->err);
	ASSERT_OK(db_tx_commit(tx, &pg->err), &pg->err);
	while (status(pg).connects < connects + 4)
		pg_sql(pg, "SELECT pg_sleep(0.01)");
	await_ready(pg);
	ASSERT_OK(db_party_list(&pg->c, &list, &n, &pg->err), &pg->err);
}

/* A migration of the next release, while this one runs; the first call pays for it. */
static void
what_was_prepared_for_other_columns_is_prepared_anew(void **state)
{
	static const char *const types[] = {"smallint", "bigint"};
	struct pg *pg = *state;
	const struct db_party *list;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		ASSERT_OK(db_party_list(&pg->c, &list, &n, &pg->err), &pg->err);
		pg_sql(pg,
		       arena_printf(pg->a, "ALTER TABLE party ALTER version TYPE %s", types[i]));
		ASSERT_REFUSED(db_party_list(&pg->c, &list, &n, &pg->err), &pg->err,
			       ERR_UNAVAILABLE, "party_list: SQLSTATE 0A000");
		await_ready(pg);
		ASSERT_OK(db_party_list(&pg->c, &list, &n, &pg->err), &pg->err);
	}
}

static void
without_a_database_every_call_says_so(void **state)
{
	struct pg *pg = *state;
	const struct db_options options = {.conninfo = "host=/nonexistent user=x password=secret",
					   .clock = clock_now};
	const struct db_party *list;
	struct db_status s;
	struct db_tx *tx;
	struct db *db;
	bool first;
	size_t n;

	ASSERT_OK(db_create(&options, &db, &pg->err), &pg->err);
	struct db_call c = pg_call(pg, db);

	ASSERT_REFUSED(db_party_list(&c, &list, &n, &pg->err), &pg->err, ERR_UNAVAILABLE,
		       "party_list");
	/* The second one is not kept waiting for an attempt. */
	ASSERT_REFUSED(db_party_list(&c, &list, &n, &pg->err), &pg->err, ERR_UNAVAILABLE,
		       "party_list: not connected");
	ASSERT_REFUSED(db_tx_begin(&c, &tx, &pg->err), &pg->err, ERR_UNAVAILABLE, "connect");
	ASSERT_REFUSED(db_seen_once(&c, &(struct db_mark){"k", bytes_of("v"), NOW + 1}, NOW, &first,
				    &pg->err),
		       &pg->err, ERR_UNAVAILABLE, "seen_once");
	ASSERT_REFUSED(db_tx_begin(&c, &tx, &pg->err), &pg->err, ERR_UNAVAILABLE,
		       "begin: not connected");
	assert_false(db_ready(db));
	assert_int_equal(db_clock_skew_s(db), INT64_MAX);
	db_status(db, &s);
	assert_non_null(strstr(s.trouble, "no connection"));
	assert_null(strstr(s.trouble, "secret"));
	db_destroy(db);
	ASSERT_REFUSED(
		db_create(&(struct db_options){.conninfo = "passwort=secret"}, &db, &pg->err),
		&pg->err, ERR_INPUT, "cannot be understood");
}

/* ---- transactions ---- */

static void
the_pool_is_bounded_and_waits_until_the_deadline(void **state)
{
	struct pg *pg = *state;
	struct db_call soon = pg->c;
	struct db_tx *tx;

	for (int i = 0; i < 4; i++)
		ASSERT_OK(db_tx_begin(&pg->c, &tx, &pg->err), &pg->err);
	soon.deadline_us = clock_mono_us() + 50000;
	ASSERT_REFUSED(db_tx_begin(&soon, &tx, &pg->err), &pg->err, ERR_UNAVAILABLE,
		       "all 4 connections are taken");
	arena_reset(pg->a); /* rolls back */
	ASSERT_OK(db_tx_begin(&pg->c, &tx, &pg->err), &pg->err);
	ASSERT_OK(db_tx_commit(tx, &pg->err), &pg->err);
}

static void
what_is_not_committed_is_undone_with_the_arena(void **state)
{
	struct pg *pg = *state;
	const struct db_audit audit = {.event = "undone", .ref = "r"};
	struct db_tx *tx;

	ASSERT_OK(db_tx_begin(&pg->c, &tx, &pg->err), &pg->err);
	ASSERT_OK(db_audit_add_tx(tx, &audit, NOW, &pg->err), &pg->err);
	arena_reset(pg->a);
	assert_int_equal(pg_audits(pg, "undone"), 0);
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM pg_stat_activity"
					 " WHERE datname = current_database()"
					 " AND state LIKE 'idle in transaction%'"),
			    "0");
}

static void
after_a_failure_a_transaction_is_over(void **state)
{
	struct pg *pg = *state;
	struct db_audit audit = {.event = "e", .ref = "r", .details = "[]"};
	struct db_tx *tx;

	ASSERT_OK(db_tx_begin(&pg->c, &tx, &pg->err), &pg->err);
	ASSERT_REFUSED(db_audit_add_tx(tx, &audit, NOW, &pg->err), &pg->err, ERR_DENIED,
		       "json_object_is_one");
	audit.details = NULL;
	ASSERT_REFUSED(db_audit_add_tx(tx, &audit, NOW, &pg->err), &pg->err, ERR_INTERNAL,
		       "the transaction is over");
	ASSERT_REFUSED(db_tx_commit(tx, &pg->err), &pg->err, ERR_INTERNAL,
		       "the transaction has failed before");
	db_tx_rollback(tx); /* harmless */
}

static void
a_transaction_whose_connection_is_lost_is_over(void **state)
{
	struct pg *pg = *state;
	const struct db_audit audit = {.event = "lost", .ref = "r"};
	struct db_tx *tx;

	ASSERT_OK(db_tx_begin(&pg->c, &tx, &pg->err), &pg->err);
	ASSERT_OK(db_audit_add_tx(tx, &audit, NOW, &pg->err), &pg->err);
	pg_sql(pg, KILL("tx"));
	ASSERT_REFUSED(db_audit_add_tx(tx, &audit, NOW, &pg->err), &pg->err, ERR_UNAVAILABLE,
		       "audit_add_tx: connection lost");
	ASSERT_REFUSED(db_tx_commit(tx, &pg->err), &pg->err, ERR_INTERNAL, "has failed before");
	assert_int_equal(pg_audits(pg, "lost"), 0);
}

/* ---- memory ---- */

static void
list_parties(void *arg)
{
	const struct db_party *list;
	size_t n;

	if (db_party_list(arg, &list, &n, NULL))
		fail_msg("there is room for %zu parties", n);
}

static void
a_result_that_does_not_fit_refuses_the_request(void **state)
{
	struct pg *pg = *state;
	struct db_call c = pg->c;
	const struct db_party *list;
	size_t n;

	pg_sql(pg, "INSERT INTO party SELECT i, 'oidc', 'x', convert_to(repeat('x', 5000), 'utf8'),"
		   " '{}', 1, true, 1 FROM generate_series(1, 50) i");
	c.a = arena_create(64 * 1024);
	assert_false(arena_run(c.a, list_parties, &c));
	arena_destroy(c.a);
	ASSERT_OK(db_party_list(&pg->c, &list, &n, &pg->err), &pg->err);
	assert_int_equal(n, 50);
}

/* ---- clocks and notices ---- */

static time_t
clock_ahead(void)
{
	return clock_now() + 10;
}

static void
a_node_with_another_time_is_not_ready(void **state)
{
	struct pg *pg = *state;
	const struct db_options options = {.conninfo = pg->conninfo, .clock = clock_ahead};
	struct db_status s;
	struct db *db;

	assert_true(db_ready(pg->db));
	assert_true(db_clock_skew_s(pg->db) <= 1);
	ASSERT_OK(db_create(&options, &db, &pg->err), &pg->err);
	do {
		db_status(db, &s);
		pg_sql(pg, "SELECT pg_sleep(0.01)");
	} while (!s.reader || !s.durable || !s.lazy || !s.listener || !s.clock_known);
	assert_in_range(db_clock_skew_s(db), 9, 11);
	assert_false(db_ready(db));
	/* Nor may it throw away what is old by its clock. */
	struct db_call c = pg_call(pg, db);
	struct db_partitions partitions;
	int64_t swept;

	ASSERT_REFUSED(db_partitions_maintain(&c, NOW, &partitions, &pg->err), &pg->err,
		       ERR_UNAVAILABLE, "this node's clock is");
	ASSERT_REFUSED(db_session_sweep(&c, 1, NOW, &swept, &pg->err), &pg->err, ERR_UNAVAILABLE,
		       "this node's clock is");
	db_destroy(db);
}

static atomic_int jump_s;

static time_t
clock_that_jumps(void)
{
	return clock_now() + atomic_load(&jump_s);
}

/* Seen at once, not at the next look at the database's clock. */
static void
a_clock_that_jumps_is_noticed_at_once(void **state)
{
	static const int jumps[] = {90, -90, 4, -4};
	struct pg *pg = *state;
	const struct db_options options = {.conninfo = pg->conninfo, .clock = clock_that_jumps};
	struct db *db;

	ASSERT_OK(db_create(&options, &db, &pg->err), &pg->err);
	while (!db_ready(db))
		pg_sql(pg, "SELECT pg_sleep(0.01)");
	for (size_t i = 0; i < ARRAY_LEN(jumps); i++) {
		ASSERT_OK(db_in_step(db, &pg->err), &pg->err);
		atomic_store(&jump_s, jumps[i]);
		assert_in_range(db_clock_skew_s(db), abs(jumps[i]) - 1, abs(jumps[i]) + 1);
		assert_false(db_ready(db));
		ASSERT_REFUSED(db_in_step(db, &pg->err), &pg->err, ERR_UNAVAILABLE,
			       "this node's clock is");
		atomic_store(&jump_s, 0);
		assert_true(db_ready(db));
	}
	db_destroy(db);
}

/* The first look begins ten seconds ago: so long the answer seems to take. */
static time_t
clock_of_a_slow_answer(void)
{
	static atomic_uint calls;

	return clock_now() - (atomic_fetch_add(&calls, 1) == 0 ? 10 : 0);
}

static void
a_slow_answer_is_no_difference_of_clocks(void **state)
{
	struct pg *pg = *state;
	const struct db_options options = {.conninfo = pg->conninfo,
					   .clock = clock_of_a_slow_answer};
	struct db *db;

	ASSERT_OK(db_create(&options, &db, &pg->err), &pg->err);
	while (db_clock_skew_s(db) == INT64_MAX)
		pg_sql(pg, "SELECT pg_sleep(0.01)");
	assert_true(db_clock_skew_s(db) <= 1);
	db_destroy(db);
}

struct heard {
	pthread_mutex_t lock;
	char text[1000]; /* one word for each notice */
};

static void
hear(void *ctx, const char *what)
{
	struct heard *h = ctx;
	size_t n;

	pthread_mutex_lock(&h->lock);
	n = strlen(h->text);
	snprintf(h->text + n, sizeof(h->text) - n, "%s ", what == NULL ? "EVERYTHING" : what);
	pthread_mutex_unlock(&h->lock);
}

static void
await_heard(struct pg *pg, struct heard *h, const char *wanted)
{
	int64_t give_up_us = clock_mono_us() + 60 * 1000000LL;

	for (;;) {
		pthread_mutex_lock(&h->lock);
		bool heard = strcmp(h->text, wanted) == 0;

		if (!heard && clock_mono_us() > give_up_us)
			fail_msg("heard: %s", h->text);
		if (heard)
			h->text[0] = '\0';
		pthread_mutex_unlock(&h->lock);
		if (heard)
			return;
		pg_sql(pg, "SELECT pg_sleep(0.005)");
	}
}

static void
changes_are_heard_and_everything_after_each_connect(void **state)
{
	struct pg *pg = *state;
	struct heard heard = {.lock = PTHREAD_MUTEX_INITIALIZER};
	const struct db_options options = {.conninfo = pg->conninfo,
					   .application_name = "ear",
					   .clock = clock_now,
					   .changed = hear,
					   .changed_ctx = &heard};
	struct subject_id person = pg_person(pg);
	struct other o;
	struct db *db;

	ASSERT_OK(db_create(&options, &db, &pg->err), &pg->err);
	await_heard(pg, &heard, "EVERYTHING ");
	begin(pg, &o, save_party, "p");
	end(&o);
	await_heard(pg, &heard, "party ");
	ASSERT_OK(db_party_set_enabled(&pg->c, "p", false, NULL, NOW, &pg->err), &pg->err);
	await_heard(pg, &heard, "party ");
	ASSERT_OK(db_party_remove(&pg->c, "p", NULL, NOW, &pg->err), &pg->err);
	await_heard(pg, &heard, "party ");
	begin(pg, &o, add_key, "k");
	end(&o);
	await_heard(pg, &heard, "key ");
	begin(pg, &o, save_setting, "s");
	end(&o);
	await_heard(pg, &heard, "setting ");
	ASSERT_OK(db_account_set_state(&pg->c, person, DB_DISABLED, NULL, NOW, &pg->err), &pg->err);
	await_heard(pg, &heard, "subject ");
	pg_sql(pg, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		   " WHERE application_name = 'ear listener'");
	await_heard(pg, &heard, "EVERYTHING ");
	ASSERT_OK(db_account_set_state(&pg->c, person, DB_ACTIVE, NULL, NOW, &pg->err), &pg->err);
	await_heard(pg, &heard, "subject ");
	db_destroy(db);
}

#define T(test) cmocka_unit_test_setup(test, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_queued_together_is_committed_together),
		T(one_refused_statement_does_not_harm_its_batch),
		T(a_refusal_at_commit_spoils_a_batch_only_once),
		T(a_call_gives_up_at_its_deadline),
		T(a_call_that_gave_up_while_it_ran_knows_nothing),
		T(a_lock_is_not_waited_for_long),
		T(a_lost_connection_during_commit_is_an_unknown_outcome),
		T(a_lost_connection_before_commit_is_no_success),
		T(a_lost_connection_during_the_commit_of_a_transaction_is_unknown),
		T(connections_that_died_are_made_again),
		T(what_was_prepared_for_other_columns_is_prepared_anew),
		T(without_a_database_every_call_says_so),
		T(the_pool_is_bounded_and_waits_until_the_deadline),
		T(what_is_not_committed_is_undone_with_the_arena),
		T(after_a_failure_a_transaction_is_over),
		T(a_transaction_whose_connection_is_lost_is_over),
		T(a_result_that_does_not_fit_refuses_the_request),
		T(a_node_with_another_time_is_not_ready),
		T(a_clock_that_jumps_is_noticed_at_once),
		T(a_slow_answer_is_no_difference_of_clocks),
		T(changes_are_heard_and_everything_after_each_connect),
	};

	return cmocka_run_group_tests_name("db", tests, setup, pg_teardown);
}
