/* Recording failures. */
#include <errno.h>

#include "tests/test.h"

static void
the_first_failure_wins(void **state UNUSED)
{
	struct err err = {0};

	assert_false(FAIL(&err, ERR_DENIED, "access_denied", "first %d", 1));
	int line = __LINE__ - 1;

	assert_false(FAIL(&err, ERR_INTERNAL, NULL, "second"));
	assert_int_equal(err.kind, ERR_DENIED);
	assert_string_equal(err.proto, "access_denied");
	assert_string_equal(err.text, "first 1");
	assert_int_equal(err.line, line);
	err_clear(&err);
	assert_int_equal(err.kind, ERR_NONE);
}

static void
a_text_stays_printable_and_bounded(void **state UNUSED)
{
	struct err err = {0};
	char longer[1000];

	assert_false(FAIL(&err, ERR_INPUT, NULL, "got '%s'", "a\nb\x1b[31m\xc3\xa4"));
	assert_string_equal(err.text, "got 'a b?[31m?"
				      "?'");
	err_clear(&err);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_false(FAIL(&err, ERR_INPUT, NULL, "%s", longer));
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void
a_caller_may_pass_no_err(void **state UNUSED)
{
	assert_false(FAIL(NULL, ERR_INPUT, NULL, "nobody asks why"));
}

static void
a_failure_is_named_once(void **state UNUSED)
{
	struct err err = {0};

	assert_false(err_name(NULL, "invalid_request"));
	assert_false(err_name(&err, "invalid_request"));
	assert_null(err.proto); /* nothing has failed yet */
	assert_false(FAIL(&err, ERR_INPUT, NULL, "a text from below"));
	assert_false(err_name(&err, "invalid_request"));
	assert_string_equal(err.proto, "invalid_request");
	assert_false(err_name(&err, "server_error"));
	assert_string_equal(err.proto, "invalid_request");
}

static void
what_lacks_at_the_moment_is_not_what_is_not_there(void **state UNUSED)
{
	static const int lacking[] = {EIO, ENOMEM, EMFILE, ENFILE};

	for (size_t i = 0; i < ARRAY_LEN(lacking); i++)
		assert_int_equal(err_kind_of_errno(lacking[i]), ERR_UNAVAILABLE);
	assert_int_equal(err_kind_of_errno(ENOENT), ERR_NOT_FOUND);
	assert_int_equal(err_kind_of_errno(EACCES), ERR_NOT_FOUND);
}

static void
every_kind_has_a_name(void **state UNUSED)
{
	for (int k = ERR_NONE; k <= ERR_INTERNAL; k++)
		assert_string_not_equal(err_kind_name((enum err_kind)k), "unknown");
	assert_string_equal(err_kind_name((enum err_kind)99), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_failure_wins),
		cmocka_unit_test(a_text_stays_printable_and_bounded),
		cmocka_unit_test(a_caller_may_pass_no_err),
		cmocka_unit_test(a_failure_is_named_once),
		cmocka_unit_test(what_lacks_at_the_moment_is_not_what_is_not_there),
		cmocka_unit_test(every_kind_has_a_name),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
