/* Times as SAML writes them. */
#include "base/clock.h"
#include "tests/test.h"

static void
only_real_times_in_utc_are_taken(void **state UNUSED)
{
	static const struct {
		const char *s;
		time_t t; /* -1: refused */
	} cases[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2026-11-23T18:00:00Z", 1795456800},
		{"2026-11-23T18:00:00.999Z", 1795456800},
		{"2024-02-29T23:59:59Z", 1709251199},
		{"2023-02-29T00:00:00Z", -1},
		{"2026-13-01T00:00:00Z", -1},
		{"2026-00-01T00:00:00Z", -1},
		{"2026-01-00T00:00:00Z", -1},
		{"2026-01-01T24:00:00Z", -1},
		{"2026-01-01T23:60:00Z", -1},
		{"2026-01-01T23:59:60Z", -1},
		{"2026-01-01T00:00:00+01:00", -1},
		{"2026-01-01T00:00:00", -1},
		{"2026-01-01T00:00:00.Z", -1},
		{"2026-01-01 00:00:00Z", -1},
		{"2026-01-01T00:00:00Z ", -1},
		{"-026-01-01T00:00:00Z", -1},
		{"", -1},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		time_t t = -1;

		assert_int_equal(clock_parse(cases[i].s, &t, NULL), cases[i].t != -1);
		assert_int_equal(t, cases[i].t);
	}
}

static void
what_we_write_we_read(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 16);
	time_t t;

	assert_string_equal(clock_text(a, 1795456800), "2026-11-23T18:00:00Z");
	assert_true(clock_parse(clock_text(a, 4102444799), &t, NULL));
	assert_int_equal(t, 4102444799);
	arena_destroy(a);
}

static void
a_moment_on_the_monotonic_clock_keeps_its_microseconds(void **state UNUSED)
{
	struct timespec t = clock_mono_timespec(1234567890123);

	assert_int_equal(t.tv_sec, 1234567);
	assert_int_equal(t.tv_nsec, 890123000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_moment_on_the_monotonic_clock_keeps_its_microseconds),
		cmocka_unit_test(only_real_times_in_utc_are_taken),
		cmocka_unit_test(what_we_write_we_read),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
