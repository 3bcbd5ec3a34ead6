/* Texts that carry the partition of their row. */
#include "db/dated.h"

#include "tests/test.h"

#define SECRET "0123456789abcdefghijklmnopqrstuvwxyzABCDE-_"

static void
a_text_leads_to_its_day_and_hash(void **state)
{
	struct arena *a = arena_create(64 * 1024);
	struct db_dated x, y;
	const char *text = db_dated_create(a, (time_t)20833 * DAY_S + 5);

	(void)state;
	assert_memory_equal(text, "20833.", 6);
	assert_true(db_dated_parse("code", text, &x));
	assert_int_equal(x.day, 20833);
	assert_true(db_dated_parse("code", text, &y));
	assert_memory_equal(x.hash, y.hash, sizeof(x.hash));
	assert_true(db_dated_parse("token", text, &y));
	assert_memory_not_equal(x.hash, y.hash, sizeof(x.hash));
	assert_true(db_dated_parse("code", db_dated_create(a, (time_t)20833 * DAY_S), &y));
	assert_memory_not_equal(x.hash, y.hash, sizeof(x.hash));
	arena_destroy(a);
}

static void
a_text_that_we_cannot_have_given_out_is_refused(void **state)
{
	static const struct {
		const char *text;
		bool fine;
	} cases[] = {
		{"20833." SECRET, true},
		{"9999999." SECRET, true},
		{"1." SECRET, true},
		{"", false},
		{".", false},
		{"20833", false},
		{"20833.", false},
		{"." SECRET, false},
		{"0." SECRET, false},
		{"020833." SECRET, false},
		{"10000000." SECRET, false},
		{"-1." SECRET, false},
		{"+1." SECRET, false},
		{" 1." SECRET, false},
		{"1 ." SECRET, false},
		{"20833." SECRET "x", false},
		{"20833.x" SECRET, false},
		{"20833." SECRET ".", false},
		{"20833." SECRET "=", false},
		{"20833,0123456789abcdefghijklmnopqrstuvwxyzABCDE-_", false},
		{"20833.0123456789abcdefghijklmnopqrstuvwxyzABCDE-", false},
		{"20833.0123456789abcdefghijklmnopqrstuvwxyzABCDE-+", false},
		{"20833.0123456789abcdefghijklmnopqrstuvwxyzABCDE-\n", false},
	};
	struct db_dated at;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (db_dated_parse("p", cases[i].text, &at) != cases[i].fine)
			fail_msg("%s", cases[i].text);
}

static void
a_value_has_a_hash_for_each_purpose(void **state)
{
	struct arena *a = arena_create(64 * 1024);

	(void)state;
	assert_true(bytes_eq(db_hash(a, "p", bytes_of("v")), db_hash(a, "p", bytes_of("v"))));
	assert_false(bytes_eq(db_hash(a, "p", bytes_of("v")), db_hash(a, "q", bytes_of("v"))));
	/* Where the purpose ends is part of it. */
	assert_false(bytes_eq(db_hash(a, "pv", bytes_of("")), db_hash(a, "p", bytes_of("v"))));
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_leads_to_its_day_and_hash),
		cmocka_unit_test(a_text_that_we_cannot_have_given_out_is_refused),
		cmocka_unit_test(a_value_has_a_hash_for_each_purpose),
	};

	return cmocka_run_group_tests_name("dated", tests, NULL, NULL);
}
