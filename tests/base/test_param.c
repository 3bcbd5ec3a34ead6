/* Looking up parameters. */
#include "tests/test.h"

#include "base/param.h"

static void
the_first_value_and_the_count_are_told(void **state UNUSED)
{
	const struct param list[] = {{"a", "1"}, {"b", ""}, {"a", "2"}, {"A", "3"}};
	const struct params ps = {list, ARRAY_LEN(list)};
	const char *v;

	assert_int_equal(params_find(&ps, "a", &v), 2);
	assert_string_equal(v, "1");
	assert_int_equal(params_find(&ps, "b", &v), 1);
	assert_string_equal(v, "");
	assert_int_equal(params_find(&ps, "c", &v), 0);
	assert_null(v);
	assert_int_equal(params_find(&(struct params){0}, "a", &v), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_value_and_the_count_are_told),
	};

	return cmocka_run_group_tests_name("param", tests, NULL, NULL);
}
