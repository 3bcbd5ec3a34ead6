/* One-time codes: which step a code belongs to, and what is none. */
#include "tests/test.h"

#include "idp/totp.h"

/* RFC 6238 appendix B (SHA-1), the last six of its eight digits. */
static const struct bytes secret = {(const unsigned char *)"12345678901234567890", 20};

#define T0   ((time_t)1111111109)
#define CODE "081804"

static int64_t
step_of(const char *code, time_t now)
{
	struct err err = {0};
	int64_t step = -1;

	ASSERT_OK(totp_match(secret, code, now, &step, &err), &err);
	return step;
}

static void
a_code_belongs_to_its_step(void **state UNUSED)
{
	assert_int_equal(step_of(CODE, T0), T0 / 30);
	assert_int_equal(step_of("287082", 59), 1);
	assert_int_equal(step_of("050471", 1111111111), 1111111111 / 30);
}

/* Wide windows were the field's mistake: one step each way, and the step told is the code's own. */
static void
a_code_holds_one_step_before_and_after(void **state UNUSED)
{
	const time_t begin = T0 / 30 * 30;

	assert_int_equal(step_of(CODE, begin - 30), T0 / 30);
	assert_int_equal(step_of(CODE, begin + 59), T0 / 30);
	assert_int_equal(step_of(CODE, begin - 31), 0);
	assert_int_equal(step_of(CODE, begin + 60), 0);
}

static void
the_last_step_is_the_last_that_is_taken(void **state UNUSED)
{
	const time_t begin = T0 / 30 * 30;

	assert_int_equal(step_of(CODE, begin - 1), totp_last_step(begin - 1));
	assert_int_equal(step_of(CODE, begin - 31), 0);
	assert_true(totp_last_step(begin - 31) < T0 / 30);
}

static void
what_is_no_code_is_none(void **state UNUSED)
{
	static const char *const codes[] = {"",       "08180",  "0818044", "07081804",
					    " 81804", "+81804", "08180x",  "08180 ",
					    "0x1804", "081805", "081 804", "-08180"};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		assert_int_equal(step_of(codes[i], T0), 0);
}

static void
a_seed_is_written_for_apps(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 16);
	struct err err = {0};
	const char *text;

	ASSERT_OK(totp_secret_text(a, secret, &text, &err), &err);
	assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
	assert_string_equal(
		totp_uri(a, "Konto & Co", text),
		"otpauth://totp/Konto%20%26%20Co?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&"
		"issuer=Konto%20%26%20Co&algorithm=SHA1&digits=6&period=30");
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_code_belongs_to_its_step),
		cmocka_unit_test(a_code_holds_one_step_before_and_after),
		cmocka_unit_test(the_last_step_is_the_last_that_is_taken),
		cmocka_unit_test(what_is_no_code_is_none),
		cmocka_unit_test(a_seed_is_written_for_apps),
	};

	return cmocka_run_group_tests_name("totp", tests, NULL, NULL);
}
