/* A log that cannot be written: nothing waits for it, and no line is lost without a word. */
#include "base/log.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "tests/test.h"

#define MANY 3000 /* lines; more than a pipe or a socket holds */

static void
log_many(size_t n)
{
	for (size_t i = 0; i < n; i++)
		log_event(LOG_LVL_INFO, "many", "pad",
			  "................................................................", NULL);
}

/* All that is there, and nothing is waited for. */
static const char *
drain(struct arena *a, int fd)
{
	char *text = arena_alloc(a, 1 << 20);
	size_t n = 0;
	ssize_t got;

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while ((got = read(fd, text + n, (1 << 20) - 1 - n)) > 0)
		n += (size_t)got;
	return text;
}

/* Each line is whole; the member `name` of the only event of that kind, or -1. */
static long
number_told(struct arena *a, const char *text, const char *event, size_t *n_lines)
{
	long found = -1;

	*n_lines = 0;
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");
		json_t *o;
		struct err err = {0};
		const char *name, *lines;

		ASSERT_OK(json_parse_object(a, (struct bytes){(const unsigned char *)text, n}, 4096,
					    &o, &err) &&
				  json_get_str(o, "event", &name, &err) &&
				  json_get_str(o, "lines", &lines, &err),
			  &err);
		if (strcmp(name, event) == 0) {
			assert_int_equal(found, -1);
			found = strtol(lines, NULL, 10);
		} else {
			(*n_lines)++;
		}
		text += n + (text[n] == '\n');
	}
	return found;
}

static void
nobody_waits_for_a_reader_that_is_behind(int in, int out)
{
	struct arena *a = arena_create((size_t)16 << 20);
	uint64_t before = log_lost();
	size_t n, m;

	alarm(60); /* who waits is ended */
	log_open(out, LOG_LVL_INFO, "test");
	log_many(MANY);
	uint64_t lost = log_lost() - before;

	assert_true(lost > 0 && lost < MANY);
	assert_int_equal(number_told(a, drain(a, in), "log_lost", &n), -1);
	log_event(LOG_LVL_INFO, "after", NULL);
	assert_int_equal(number_told(a, drain(a, in), "log_lost", &m), (long)lost);
	assert_int_equal(m, 1);
	assert_int_equal(n, MANY - lost);
	log_event(LOG_LVL_INFO, "after", NULL); /* told once */
	assert_int_equal(number_told(a, drain(a, in), "log_lost", &m), -1);
	alarm(0);
	close(in);
	close(out);
	arena_destroy(a);
}

static void
a_full_pipe_loses_lines_and_says_how_many(void **state UNUSED)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	nobody_waits_for_a_reader_that_is_behind(fds[0], fds[1]);
}

static void
a_full_socket_loses_lines_and_says_how_many(void **state UNUSED)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	nobody_waits_for_a_reader_that_is_behind(fds[0], fds[1]);
}

static void
a_reader_that_has_gone_ends_nothing(void **state UNUSED)
{
	int fds[2];
	uint64_t before = log_lost();

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	close(fds[0]);
	log_open(fds[1], LOG_LVL_INFO, "test");
	log_event(LOG_LVL_INFO, "alone", NULL);
	assert_int_equal(log_lost(), before + 1);
	close(fds[1]);
}

static void
a_full_disk_loses_lines_and_says_how_many(void **state UNUSED)
{
	struct arena *a = arena_create((size_t)16 << 20);
	FILE *f = tmpfile();
	struct rlimit all, few = {.rlim_cur = 1000};
	uint64_t before = log_lost();
	size_t n;

	assert_non_null(f);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
	few.rlim_max = all.rlim_max;
	log_open(fileno(f), LOG_LVL_INFO, "test");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
	log_many(40);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	uint64_t lost = log_lost() - before;

	assert_true(lost > 30 && lost < 40);
	log_event(LOG_LVL_INFO, "after", NULL);
	rewind(f);
	const char *text = drain(a, fileno(f)), *torn = text + 1000, *told = strchr(torn, '\n') + 1;

	assert_true(torn[-1] != '\n'); /* the disk was full in the middle of a line */
	assert_int_equal(number_told(a, told, "log_lost", &n), (long)lost);
	assert_int_equal(n, 1);
	fclose(f);
	arena_destroy(a);
}

/* What other tests of this program say goes to standard error again. */
static int
restore(void **state UNUSED)
{
	log_open(STDERR_FILENO, LOG_LVL_INFO, "test");
	return 0;
}

#define T(f) cmocka_unit_test_teardown(f, restore)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_full_pipe_loses_lines_and_says_how_many),
		T(a_full_socket_loses_lines_and_says_how_many),
		T(a_reader_that_has_gone_ends_nothing),
		T(a_full_disk_loses_lines_and_says_how_many),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
