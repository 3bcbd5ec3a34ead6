/* Cookies: ours are read strictly, others are passed over. */
#include "idp/cookie.h"

#include <stdio.h>

#include "tests/arena.h"

static void
ours_are_found_among_others(void **state UNUSED)
{
	struct params ps;
	struct err err = {0};
	const char *v;

	ASSERT_OK(cookies_parse(a,
				bytes_of("x=1; __Host-session=abc==; ;flag; __Host-e=;"
					 "__Secure-session=no;\t__Host-flow\t= f\t; __Host-n = g "),
				&ps, &err),
		  &err);
	assert_int_equal(ps.n, 4);
	assert_int_equal(params_find(&ps, "session", &v), 1);
	assert_string_equal(v, "abc==");
	assert_int_equal(params_find(&ps, "e", &v), 1);
	assert_string_equal(v, "");
	assert_int_equal(params_find(&ps, "flow", &v), 1);
	assert_string_equal(v, "f");
	assert_int_equal(params_find(&ps, "n", &v), 1);
	assert_string_equal(v, "g");
	assert_int_equal(params_find(&ps, "x", &v), 0);
}

static void
a_nameless_cookie_cannot_pose_as_ours(void **state UNUSED)
{
	struct params ps;
	struct err err = {0};

	ASSERT_OK(cookies_parse(a, bytes_of("=__Host-s=1; __Host-; __Host-=2"), &ps, &err), &err);
	assert_int_equal(ps.n, 0);
}

static void
oddities_are_refused(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{"__Host-s=1; __Host-s=1", "cookie given twice"},
		{"__Host-s=a b", "never wrote"},
		{"__Host-s=\"a\"", "never wrote"},
		{"__Host-s=a\\b", "never wrote"},
		{"__Host-s=a,b", "never wrote"},
		{"__Host-s=\xc3\xa4", "never wrote"},
		{"__Host-\xff=a", "not UTF-8"},
	};
	struct params ps;
	struct err err = {0};
	char many[65 * 16], *p = many;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ASSERT_REFUSED(cookies_parse(a, bytes_of(cases[i][0]), &ps, &err), &err, ERR_INPUT,
			       cases[i][1]);
	for (int i = 0; i < 65; i++)
		p += snprintf(p, 16, "__Host-%d=1;", i);
	ASSERT_REFUSED(cookies_parse(a, bytes_of(many), &ps, &err), &err, ERR_INPUT, "more than");
}

static void
a_value_has_a_length_and_an_alphabet(void **state UNUSED)
{
	static char text[sizeof("__Host-s=") + COOKIE_VALUE_MAX_BYTES + 1] = "__Host-s=";
	struct params ps;
	struct err err = {0};
	size_t n = strlen(text);

	memset(text + n, 'a', COOKIE_VALUE_MAX_BYTES);
	ASSERT_OK(cookies_parse(a, bytes_of(text), &ps, &err), &err);
	text[n + COOKIE_VALUE_MAX_BYTES] = 'a';
	ASSERT_REFUSED(cookies_parse(a, bytes_of(text), &ps, &err), &err, ERR_INPUT, "never wrote");
	/* Ours are written by the same rule: none says where an attribute begins. */
	assert_true(cookie_value_ok(bytes_of("")));
	assert_false(cookie_value_ok(bytes_of("a;Domain=x")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ours_are_found_among_others),
		cmocka_unit_test(a_nameless_cookie_cannot_pose_as_ours),
		cmocka_unit_test(oddities_are_refused),
		cmocka_unit_test(a_value_has_a_length_and_an_alphabet),
	};

	return cmocka_run_group_tests_name("cookie", tests, setup, teardown);
}
