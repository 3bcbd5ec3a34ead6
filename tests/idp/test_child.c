/* The HTTP process before its start: what the supervisor hands over, and nothing else. */
#include "idp/child.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "idp/control.h"
#include "tests/test.h"

struct said {
	enum control_type type;
	const char *text; /* in a memory file; NULL: no descriptor */
};

/* The exit status of a child that was told all this and then nothing more. */
static int
run(const struct said *said, size_t n)
{
	struct err err = {0};
	int fds[2], status;

	ASSERT_OK(control_pair(fds, &err), &err);
	for (size_t i = 0; i < n; i++) {
		int memory = -1;

		if (said[i].text != NULL)
			ASSERT_OK(control_memory("test", bytes_of(said[i].text), &memory, &err),
				  &err);
		ASSERT_OK(control_send(fds[0], said[i].type, 0, memory, &err), &err);
		if (memory >= 0)
			close(memory);
	}
	pid_t pid = fork();

	if (pid == 0) {
		close(fds[0]);
		log_open(-1, LOG_LVL_ERROR, "test");
		_exit((int)child_run(fds[1]));
	}
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void
a_supervisor_that_dies_or_talks_nonsense_ends_it(void **state UNUSED)
{
	static const struct said unknown[] = {{CONTROL_PONG, NULL}};
	static const struct said bad_config[] = {{CONTROL_CONFIG, "colour = red"}};
	static const struct said no_file[] = {{CONTROL_CONFIG, NULL}};
	static const struct said crowd[] = {
		{CONTROL_LISTEN, ""}, {CONTROL_LISTEN, ""}, {CONTROL_LISTEN, ""},
		{CONTROL_LISTEN, ""}, {CONTROL_LISTEN, ""}, {CONTROL_START, NULL},
	};

	assert_int_equal(run(NULL, 0), CLI_FAILED);
	assert_int_equal(run(unknown, ARRAY_LEN(unknown)), CLI_FAILED);
	assert_int_equal(run(bad_config, ARRAY_LEN(bad_config)), CLI_FAILED);
	assert_int_equal(run(no_file, ARRAY_LEN(no_file)), CLI_FAILED);
	assert_int_equal(run(crowd, ARRAY_LEN(crowd)), CLI_FAILED);
}

static void
a_database_that_cannot_be_understood_is_the_configurations_fault(void **state UNUSED)
{
	static const struct said said[] = {
		{CONTROL_CONFIG, "instance = a\nbase_url = https://k\nlisten = 127.0.0.1:0\n"
				 "database = nonsense\nmaster_key_file = /none\n"},
		{CONTROL_START, NULL},
	};

	assert_int_equal(run(said, ARRAY_LEN(said)), CLI_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_supervisor_that_dies_or_talks_nonsense_ends_it),
		cmocka_unit_test(a_database_that_cannot_be_understood_is_the_configurations_fault),
	};

	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
