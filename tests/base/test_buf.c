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

/* Around each size at which the buffer grows, and with something else behind it in the arena. */
static void
printing_grows_too(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 24);

	for (int n = 250; n < 260; n++) {
		for (int between = 0; between < 2; between++) {
			struct buf b;

			buf_init(&b, a, 10000);
			buf_printf(&b, "%0*d", n, 0);
			if (between)
				memset(arena_alloc(a, 16), 0xff, 16);
			buf_printf(&b, "%s%0*d", "x", n, 1);
			assert_int_equal(b.n, 2 * n + 1);
			assert_int_equal(strlen((const char *)b.p), 2 * n + 1);
			assert_int_equal(b.p[n], 'x');
			assert_int_equal(b.p[2 * n], '1');
		}
	}
	arena_destroy(a);
}

static void
what_was_printed_past_the_maximum_is_not_there(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 16);
	struct buf b;

	buf_init(&b, a, 5);
	buf_str(&b, "abc");
	buf_printf(&b, "%s", "def");
	assert_true(b.over);
	assert_string_equal((const char *)b.p, "abc");
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
		cmocka_unit_test(printing_grows_too),
		cmocka_unit_test(what_was_printed_past_the_maximum_is_not_there),
		cmocka_unit_test(an_empty_one_is_an_empty_text),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
