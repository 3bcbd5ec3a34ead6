/* Growing octets up to a maximum. */
#include "base/buf.h"
#include "tests/test.h"

static void
appending_grows(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 22);
	struct buf b;
	struct bytes out;
	struct err err = {0};

	buf_init(&b, a, 100000);
	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "%c%s", 'a', "bc");
	ASSERT_OK(buf_finish(&b, &out, &err), &err);
	assert_int_equal(out.n, 30000);
	assert_int_equal(out.p[29999], 'c');
	assert_int_equal(out.p[30000], 0);
	arena_destroy(a);
}

static void
a_passed_maximum_stays_marked(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 16);
	struct buf b;
	const char *out;
	struct err err = {0};

	buf_init(&b, a, 4);
	buf_str(&b, "abcd");
	ASSERT_OK(buf_finish_str(&b, &out, &err), &err);
	assert_string_equal(out, "abcd");
	buf_char(&b, 'e');
	assert_int_equal(b.n, 4);
	ASSERT_REFUSED(buf_finish_str(&b, &out, &err), &err, ERR_INTERNAL, "more than 4");
	arena_destroy(a);
}

static void
an_empty_one_is_an_empty_text(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 16);
	struct buf b;
	const char *out = NULL;
	struct err err = {0};

	buf_init(&b, a, 10);
	ASSERT_OK(buf_finish_str(&b, &out, &err), &err);
	assert_string_equal(out, "");
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appending_grows),
		cmocka_unit_test(a_passed_maximum_stays_marked),
		cmocka_unit_test(an_empty_one_is_an_empty_text),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
