/* What was refused to a party: counted in few rows, and gone with it. */
#include "db/refusal.h"

#include <pthread.h>

#include "base/clock.h"

#include "db/party.h"
#include "tests/db/pg.h"

static void
register_party(struct pg *pg, const char *id)
{
	const struct db_party party = {.id = id,
				       .kind = "oidc",
				       .display_name = "Portal",
				       .document = bytes_of("{}"),
				       .policy = "{}",
				       .enabled = true};
	int64_t version;

	ASSERT_OK(db_party_save(&pg->c, &party, NULL, NOW, &version, &pg->err), &pg->err);
}

static const struct db_refusal one = {.party = "p",
				      .proven = true,
				      .endpoint = "/oidc/token",
				      .error = "invalid_grant",
				      .reason = "the code is used",
				      .ref = "R1",
				      .times = 2,
				      .first = NOW,
				      .last = NOW + 1};

static void
keep(struct pg *pg, struct db_refusal r)
{
	ASSERT_OK(db_refusal_keep(&pg->c, &r, &pg->err), &pg->err);
}

static size_t
list(struct pg *pg, const char *party, const struct db_refusal **out)
{
	size_t n = 0;

	ASSERT_OK(db_refusal_list(&pg->c, party, out, &n, &pg->err), &pg->err);
	return n;
}

static const char *
count(struct pg *pg, const char *where)
{
	return pg_value(pg, arena_printf(pg->a, "SELECT count(*) FROM refusal WHERE %s", where));
}

static void
what_nodes_count_comes_together(void **state)
{
	struct pg *pg = *state;
	struct db *other = pg_connect(pg);
	struct db_call there = pg_call(pg, other);
	struct db_refusal later = one, before = one;
	const struct db_refusal *r;

	register_party(pg, "p");
	keep(pg, one);
	later.ref = "R2";
	later.times = 3;
	later.first = later.last = NOW + 9;
	ASSERT_OK(db_refusal_keep(&there, &later, &pg->err), &pg->err);
	before.ref = "R0";
	before.first = before.last = NOW - 5; /* written late */
	keep(pg, before);
	db_destroy(other);
	assert_int_equal(list(pg, "p", &r), 1);
	assert_string_equal(r->party, "p");
	assert_true(r->proven);
	assert_string_equal(r->endpoint, one.endpoint);
	assert_string_equal(r->error, one.error);
	assert_string_equal(r->reason, one.reason);
	assert_string_equal(r->ref, "R2");
	assert_int_equal(r->times, 7);
	assert_int_equal(r->first, NOW - 5);
	assert_int_equal(r->last, NOW + 9);
	/* Another reason is another row, the last one first. */
	later.reason = "the code is another's";
	later.last = NOW + 20;
	keep(pg, later);
	assert_int_equal(list(pg, "p", &r), 2);
	assert_string_equal(r->reason, later.reason);
	assert_int_equal(list(pg, "q", &r), 0);
}

static void
a_party_has_few_and_the_newest_of_what_was_proven(void **state)
{
	struct pg *pg = *state;
	struct db_refusal r = one;
	const struct db_refusal *all;

	for (int i = 0; i < 3 * DB_REFUSALS_MOST; i++) {
		r.reason = arena_printf(pg->a, "reason %d", i);
		r.last = NOW + 100 + i;
		keep(pg, r);
	}
	assert_int_equal(list(pg, "p", &all), DB_REFUSALS_MOST);
	assert_string_equal(all[0].reason, r.reason);
	assert_string_equal(all[DB_REFUSALS_MOST - 1].reason,
			    arena_printf(pg->a, "reason %d", 2 * DB_REFUSALS_MOST));
	/* One that is there pushes out none. */
	r.last++;
	keep(pg, r);
	assert_int_equal(list(pg, "p", &all), DB_REFUSALS_MOST);
}

static void
what_anybody_sends_pushes_nothing_out(void **state)
{
	struct pg *pg = *state;
	struct db_refusal r = one;

	r.proven = false;
	r.reason = "the first";
	keep(pg, r);
	for (int i = 0; i < 3 * DB_REFUSALS_MOST; i++) {
		r.reason = arena_printf(pg->a, "made up %d", i);
		r.last = NOW + 1000 + i;
		keep(pg, r);
	}
	assert_string_equal(count(pg, "NOT proven"), arena_printf(pg->a, "%d", DB_REFUSALS_MOST));
	assert_string_equal(count(pg, "proven"), arena_printf(pg->a, "%d", DB_REFUSALS_MOST));
	assert_string_equal(count(pg, "NOT proven AND reason = 'the first'"), "1");
	/* What is there counts on. */
	r.reason = "the first";
	keep(pg, r);
	assert_string_equal(
		pg_value(pg, "SELECT times FROM refusal WHERE NOT proven AND reason = 'the first'"),
		"4");
}

static void
what_is_old_goes_and_all_goes_with_the_party(void **state)
{
	struct pg *pg = *state;
	struct db_refusal r = one;
	int64_t n;

	register_party(pg, "old");
	r.party = "old";
	keep(pg, r);
	r.reason = "newer";
	r.last = NOW + 50;
	keep(pg, r);
	ASSERT_OK(db_refusal_sweep(&pg->c, NOW + 50, 100, clock_now(), &n, &pg->err), &pg->err);
	assert_true(n >= 1);
	assert_string_equal(count(pg, "party = 'old'"), "1");
	ASSERT_OK(db_party_remove(&pg->c, "old", NULL, NOW, &pg->err), &pg->err);
	assert_string_equal(count(pg, "party = 'old'"), "0");
	/* Written after that, nothing is left behind. */
	keep(pg, r);
	assert_string_equal(count(pg, "party = 'old'"), "0");
}

struct writer {
	struct pg *pg;
	struct db *db;
	int offset;
	size_t failed;
};

static void *
write_many(void *arg)
{
	struct writer *w = arg;
	struct db_call c = {w->db, arena_create(1 << 22), w->pg->c.deadline_us};

	for (int i = 0; i < 200; i++) {
		struct db_refusal r = one;

		r.party = "raced";
		r.reason = arena_printf(c.a, "reason %d", (i * 7 + w->offset) % 40);
		r.last = NOW + i;
		w->failed += !db_refusal_keep(&c, &r, &(struct err){0});
	}
	arena_destroy(c.a);
	return NULL;
}

/* Each pushes out what the other counts. */
static void
two_nodes_write_at_once(void **state)
{
	struct pg *pg = *state;
	struct writer w[2] = {{pg, pg_connect(pg), 0, 0}, {pg, pg_connect(pg), 13, 0}};
	pthread_t threads[2];

	register_party(pg, "raced");
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, &w[i]), 0);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		db_destroy(w[i].db);
		assert_int_equal(w[i].failed, 0);
	}
	struct db_refusal last = one;

	last.party = "raced";
	keep(pg, last); /* what both brought at once is too much for no longer than this */
	assert_string_equal(count(pg, "party = 'raced'"),
			    arena_printf(pg->a, "%d", DB_REFUSALS_MOST));
}

#define T(f) cmocka_unit_test_setup(f, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_nodes_count_comes_together),
		T(a_party_has_few_and_the_newest_of_what_was_proven),
		T(what_anybody_sends_pushes_nothing_out),
		T(what_is_old_goes_and_all_goes_with_the_party),
		T(two_nodes_write_at_once),
	};

	return cmocka_run_group_tests(tests, pg_setup, pg_teardown);
}
