/* QR codes as SVG paths. */
#include "idp/qr.h"
#include "tests/arena.h"

/* Every code begins with the finder pattern: 7 dark, then the two sides of a frame. */
static void
a_code_begins_with_its_finder_pattern(void **state UNUSED)
{
	const char *path;
	size_t size;
	struct err err = {0};

	ASSERT_OK(qr_path(a, "otpauth://totp/x?secret=JBSWY3DP", &size, &path, &err), &err);
	assert_int_equal(size, 29 + 8); /* version 3 */
	assert_memory_equal(path, "M4 4.5h7M", 9);
	assert_non_null(strstr(path, "M26 4.5h7M4 5.5h1M10 5.5h1"));
}

static void
a_text_that_does_not_fit_is_refused(void **state UNUSED)
{
	char text[3000];
	const char *path;
	size_t size;
	struct err err = {0};

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ASSERT_REFUSED(qr_path(a, text, &size, &path, &err), &err, ERR_INPUT, "does not fit");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_code_begins_with_its_finder_pattern, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_text_that_does_not_fit_is_refused, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("qr", tests, NULL, NULL);
}
