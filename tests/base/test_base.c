/* base/base.h: comparing and wiping octets. */
#include "tests/test.h"

static void
octets_are_compared_whole(void **state UNUSED)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} v[] = {
		{"", "", true},    {"a", "a", true},   {"a", "", false},
		{"a", "b", false}, {"ab", "a", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		assert_int_equal(bytes_eq(bytes_of(v[i].a), bytes_of(v[i].b)), v[i].equal);
		assert_int_equal(bytes_eq_secret(bytes_of(v[i].a), bytes_of(v[i].b)), v[i].equal);
	}
	assert_true(bytes_eq((struct bytes){NULL, 0}, bytes_of("")));
}

static void
beginning_and_end_are_recognised(void **state UNUSED)
{
	struct bytes none = {NULL, 0};

	assert_true(bytes_start(bytes_of("<a>"), "<") && bytes_end(bytes_of("<a>"), ">"));
	assert_true(bytes_start(bytes_of("<a>"), "<a>") && bytes_end(bytes_of("<a>"), "<a>"));
	assert_true(bytes_start(none, "") && bytes_end(none, ""));
	assert_false(bytes_start(bytes_of("<a>"), "a") || bytes_end(bytes_of("<a>"), "a"));
	assert_false(bytes_start(bytes_of("a"), "ab") || bytes_end(bytes_of("b"), "ab"));
	assert_false(bytes_start(none, "a") || bytes_end(none, "a"));
}

static void
wiping_leaves_zeros(void **state UNUSED)
{
	char secret[4] = "abc";

	wipe(secret, sizeof(secret));
	assert_memory_equal(secret, "\0\0\0\0", 4);
	wipe(NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(octets_are_compared_whole),
		cmocka_unit_test(beginning_and_end_are_recognised),
		cmocka_unit_test(wiping_leaves_zeros),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
