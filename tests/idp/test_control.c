/* Messages to the HTTP process, their descriptors, and files in memory. */
#include "idp/control.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/test.h"

static struct arena *a;
static int fds[2];

static int
setup(void **state UNUSED)
{
	struct err err = {0};

	a = arena_create(1 << 20);
	ASSERT_OK(control_pair(fds, &err), &err);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(a);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

static void
messages_arrive_whole_with_their_descriptor(void **state UNUSED)
{
	struct control_message m;
	struct err err = {0};
	struct bytes text;
	int memory;

	ASSERT_OK(control_memory("test", bytes_of("a = b\n"), &memory, &err), &err);
	ASSERT_OK(control_send(fds[0], CONTROL_CONFIG, 7, memory, &err), &err);
	ASSERT_OK(control_send(fds[0], CONTROL_START, 0, -1, &err), &err);
	ASSERT_OK(control_receive(fds[1], &m, &err), &err);
	assert_int_equal(m.type, CONTROL_CONFIG);
	assert_int_equal(m.arg, 7);
	assert_true(m.fd >= 0);
	ASSERT_OK(control_memory_read(a, m.fd, 100, &text, &err), &err);
	assert_true(bytes_eq(text, bytes_of("a = b\n")));
	/* The other process cannot change what both read, and each reads from the start. */
	assert_int_equal(write(m.fd, "x", 1), -1);
	ASSERT_OK(control_memory_read(a, memory, 100, &text, &err), &err);
	assert_int_equal(text.n, 6);
	close(m.fd);
	close(memory);
	ASSERT_OK(control_receive(fds[1], &m, &err), &err);
	assert_int_equal(m.type, CONTROL_START);
	assert_int_equal(m.fd, -1);
}

static void
what_is_too_large_or_no_file_is_refused(void **state UNUSED)
{
	struct err err = {0};
	struct bytes text;
	int memory;

	ASSERT_OK(control_memory("test", bytes_of("0123456789"), &memory, &err), &err);
	ASSERT_REFUSED(control_memory_read(a, memory, 9, &text, &err), &err, ERR_INTERNAL, "size");
	close(memory);
	ASSERT_REFUSED(control_memory_read(a, memory, 9, &text, &err), &err, ERR_INTERNAL, "size");
}

static void
the_others_end_is_a_message(void **state UNUSED)
{
	struct control_message m;
	struct err err = {0};
	int pair[2];

	ASSERT_OK(control_pair(pair, &err), &err);
	ASSERT_OK(control_send(pair[1], CONTROL_PING, 0, -1, &err), &err);
	close(pair[0]);
	ASSERT_REFUSED(control_send(pair[1], CONTROL_PING, 0, -1, &err), &err, ERR_UNAVAILABLE,
		       "control socket");
	ASSERT_OK(control_receive(pair[1], &m, &err), &err);
	assert_int_equal(m.type, CONTROL_END);
	close(pair[1]);
}

static void
a_message_of_another_length_is_refused(void **state UNUSED)
{
	struct control_message m;
	struct err err = {0};

	assert_int_equal(send(fds[0], "abc", 3, 0), 3);
	ASSERT_REFUSED(control_receive(fds[1], &m, &err), &err, ERR_INTERNAL, "3 octets");
	ASSERT_REFUSED(control_receive(-1, &m, &err), &err, ERR_INTERNAL, "-1 octets");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_arrive_whole_with_their_descriptor),
		cmocka_unit_test(what_is_too_large_or_no_file_is_refused),
		cmocka_unit_test(the_others_end_is_a_message),
		cmocka_unit_test(a_message_of_another_length_is_refused),
	};

	return cmocka_run_group_tests_name("control", tests, setup, teardown);
}
