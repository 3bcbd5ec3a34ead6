/* Attempt budgets. */
#include "db/budget.h"

#include "tests/db/pg.h"

static struct db_attempt
try_at(struct pg *pg, const struct db_budget *budget, time_t now)
{
	struct db_attempt attempt;

	ASSERT_OK(db_budget_reserve(&pg->c, budget, now, &attempt, &pg->err), &pg->err);
	return attempt;
}

static void
a_budget_ends_and_comes_back_with_the_next_window(void **state)
{
	struct pg *pg = *state;
	const struct db_budget budget = {
		.purpose = "login", .key = bytes_of("a"), .limit = 3, .window_s = 600};
	time_t start = NOW - NOW % 600;

	for (int64_t left = 2; left >= 0; left--) {
		struct db_attempt attempt = try_at(pg, &budget, start + 599);

		assert_true(attempt.allowed);
		assert_int_equal(attempt.left, left);
	}
	struct db_attempt refused = try_at(pg, &budget, start + 599);

	assert_false(refused.allowed);
	assert_int_equal(refused.left, 0);
	assert_int_equal(refused.retry_at, start + 600);
	assert_true(try_at(pg, &budget, start + 600).allowed);
}

static void
keys_and_purposes_are_apart(void **state)
{
	struct pg *pg = *state;
	struct db_budget budget = {
		.purpose = "p1", .key = bytes_of("b"), .limit = 1, .window_s = 600};

	assert_true(try_at(pg, &budget, NOW).allowed);
	assert_false(try_at(pg, &budget, NOW).allowed);
	budget.purpose = "p2";
	assert_true(try_at(pg, &budget, NOW).allowed);
	budget.key = bytes_of("c");
	assert_true(try_at(pg, &budget, NOW).allowed);
}

static void
what_proved_right_does_not_count(void **state)
{
	struct pg *pg = *state;
	const struct db_budget budget = {
		.purpose = "login", .key = bytes_of("d"), .limit = 1, .window_s = 600};
	struct db_attempt attempt = try_at(pg, &budget, NOW);

	for (int i = 0; i < 2; i++) /* giving back twice gives no more */
		ASSERT_OK(db_budget_give_back(&pg->c, &budget, &attempt, &pg->err), &pg->err);
	assert_true(try_at(pg, &budget, NOW).allowed);
	assert_false(try_at(pg, &budget, NOW).allowed);
}

static void
a_window_may_reach_over_midnight(void **state)
{
	struct pg *pg = *state;
	const struct db_budget budget = {
		.purpose = "login", .key = bytes_of("e"), .limit = 1, .window_s = 86400};
	time_t midnight = NOW - NOW % 86400 + 86400;

	assert_true(try_at(pg, &budget, midnight - 1).allowed);
	assert_false(try_at(pg, &budget, midnight - 1).allowed);
	assert_true(try_at(pg, &budget, midnight).allowed);
}

static void
limits_that_make_no_sense_are_refused(void **state)
{
	struct pg *pg = *state;
	static const struct db_budget cases[] = {
		{.purpose = "x", .limit = 0, .window_s = 60},
		{.purpose = "x", .limit = 1, .window_s = 0},
		{.purpose = "x", .limit = 1, .window_s = 86401},
	};
	struct db_attempt attempt;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ASSERT_REFUSED(db_budget_reserve(&pg->c, &cases[i], NOW, &attempt, &pg->err),
			       &pg->err, ERR_INPUT, "a budget of");
}

#define T(test) cmocka_unit_test_setup(test, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_budget_ends_and_comes_back_with_the_next_window),
		T(keys_and_purposes_are_apart),
		T(what_proved_right_does_not_count),
		T(a_window_may_reach_over_midnight),
		T(limits_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests_name("budget", tests, pg_setup, pg_teardown);
}
