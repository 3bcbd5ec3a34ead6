/* OAuth parameters: once, bounded, empty is absent. */
#include "tests/oidc/fixture.h"

#include "oidc/param.h"

static const struct param list[] = {
	{"state", "a b~"},
	{"twice", "1"},
	{"twice", "1"},
	{"empty", ""},
	{"umlaut", "gr\xc3\xbc\xc3\x9f"},
	{"tab", "a\tb"},
	{"del", "a\x7f"},
	{"scope", "openid  profile"},
};
static const struct params ps = {list, ARRAY_LEN(list)};

static void
a_parameter_comes_once_or_not_at_all(void **state UNUSED)
{
	const char *v = "unset";

	ASSERT_OK(oidc_param(&ps, "state", 4, &v, &err), &err);
	assert_string_equal(v, "a b~");
	ASSERT_OK(oidc_param(&ps, "empty", 4, &v, &err), &err);
	assert_null(v);
	ASSERT_OK(oidc_param(&ps, "missing", 4, &v, &err), &err);
	assert_null(v);
	ASSERT_REFUSED(oidc_param(&ps, "twice", 4, &v, &err), &err, ERR_INPUT, "occurs twice");
	ASSERT_REFUSED(oidc_param_text(&ps, "twice", 4, &v, &err), &err, ERR_INPUT, "occurs twice");
	ASSERT_REFUSED(oidc_param(&ps, "state", 3, &v, &err), &err, ERR_INPUT, "more than 3");
	assert_false(oidc_param(&ps, "twice", 4, &v, &err));
	assert_string_equal(err.proto, "invalid_request");
	err_clear(&err);
}

static void
only_text_may_leave_ascii(void **state UNUSED)
{
	const char *v;

	ASSERT_OK(oidc_param_text(&ps, "umlaut", 20, &v, &err), &err);
	assert_string_equal(v, "gr\xc3\xbc\xc3\x9f");
	ASSERT_REFUSED(oidc_param(&ps, "umlaut", 20, &v, &err), &err, ERR_INPUT, "plain ASCII");
	ASSERT_REFUSED(oidc_param(&ps, "tab", 20, &v, &err), &err, ERR_INPUT, "plain ASCII");
	ASSERT_REFUSED(oidc_param(&ps, "del", 20, &v, &err), &err, ERR_INPUT, "plain ASCII");
}

static void
words_are_split_and_counted(void **state UNUSED)
{
	struct oidc_strs w;

	ASSERT_OK(oidc_param_words(a, &ps, "scope", 2, &w, &err), &err);
	assert_int_equal(w.n, 2);
	assert_true(oidc_strs_have(w, "openid") && oidc_strs_have(w, "profile"));
	assert_false(oidc_strs_have(w, "open"));
	ASSERT_OK(oidc_param_words(a, &ps, "missing", 2, &w, &err), &err);
	assert_int_equal(w.n, 0);
	ASSERT_REFUSED(oidc_param_words(a, &ps, "scope", 1, &w, &err), &err, ERR_INPUT, "");
	ASSERT_REFUSED(oidc_param_words(a, &ps, "twice", 1, &w, &err), &err, ERR_INPUT, "twice");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_parameter_comes_once_or_not_at_all),
		cmocka_unit_test(only_text_may_leave_ascii),
		cmocka_unit_test(words_are_split_and_counted),
	};

	return cmocka_run_group_tests_name("param", tests, setup, teardown);
}
