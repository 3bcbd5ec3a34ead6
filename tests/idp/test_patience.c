/* Who is late is shut down, by what he is late with; who waits for us is not. */
#include "idp/patience.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/test.h"

static struct arena *a;
/* Limits of an hour and more, so that only the looks of the tests find anybody late. */
static const struct config config = {.head_timeout_ms = 3600000,
				     .body_timeout_ms = 7200000,
				     .idle_timeout_ms = 10800000,
				     .send_timeout_ms = 14400000};

static int
setup(void **state UNUSED)
{
	a = arena_create(1 << 16);
	return a == NULL;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(a);
	return 0;
}

/* The other end reads the end of the stream at once, or nothing yet. */
static bool
is_shut(int other_end)
{
	char c;
	ssize_t n = recv(other_end, &c, 1, MSG_DONTWAIT);

	assert_true(n == 0 || (n < 0 && errno == EAGAIN));
	return n == 0;
}

static void
each_phase_has_its_limit(void **state UNUSED)
{
	static const struct {
		enum patience_phase phase;
		int hours; /* 0: never */
	} cases[] = {
		{PATIENCE_HEAD, 1}, {PATIENCE_BODY, 2}, {PATIENCE_IDLE, 3},
		{PATIENCE_SEND, 4}, {PATIENCE_WORK, 0},
	};
	const int64_t hour_us = 3600000000, minute_us = 60000000;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct patience *p;
		struct patience_item item = {0};
		struct err err = {0};
		int fds[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		ASSERT_OK(patience_start(a, &config, &p, &err), &err);
		patience_add(p, &item, fds[0]);
		assert_int_equal(patience_phase_of(&item), PATIENCE_HEAD);
		patience_enter(&item, cases[i].phase);
		patience_look(p, clock_mono_us() + cases[i].hours * hour_us - minute_us);
		assert_false(is_shut(fds[1]));
		patience_look(p, clock_mono_us() + (cases[i].hours + 1) * hour_us);
		assert_int_equal(is_shut(fds[1]), cases[i].hours > 0);
		patience_remove(p, &item);
		patience_stop(p);
		close(fds[0]);
		close(fds[1]);
	}
	patience_stop(NULL);
}

static void
who_is_gone_is_not_looked_at(void **state UNUSED)
{
	struct patience_item items[3] = {{0}};
	struct patience *p;
	struct err err = {0};
	int fds[3][2];

	ASSERT_OK(patience_start(a, &config, &p, &err), &err);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]), 0);
		patience_add(p, &items[i], fds[i][0]);
	}
	patience_remove(p, &items[1]);
	patience_look(p, clock_mono_us() + 3601 * (int64_t)1000000);
	assert_true(is_shut(fds[0][1]) && is_shut(fds[2][1]));
	assert_false(is_shut(fds[1][1]));
	patience_remove(p, &items[0]);
	patience_remove(p, &items[2]);
	patience_stop(p);
	for (int i = 0; i < 3; i++) {
		close(fds[i][0]);
		close(fds[i][1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_phase_has_its_limit),
		cmocka_unit_test(who_is_gone_is_not_looked_at),
	};

	return cmocka_run_group_tests_name("patience", tests, setup, teardown);
}
