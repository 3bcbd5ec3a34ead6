/* The program's main, called here; see said.h. */
#include "tests/fail/said.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/test.h"

#define WORDS_MOST 40
#define TEXT_MOST  ((size_t)1 << 20)

/* idp/main.c is compiled with this name for its main. */
int kontor_main(int argc, char **argv);

/* Put a file in the place of a standard one; returns what was there. */
static int
divert(int place, int fd)
{
	int before = fcntl(place, F_DUPFD_CLOEXEC, 10);

	assert_true(before >= 0 && dup2(fd, place) == place);
	return before;
}

static void
put_back(int place, int before)
{
	assert_int_equal(dup2(before, place), place);
	close(before);
}

static int
memory_file(const char *text)
{
	int fd = memfd_create("said", MFD_CLOEXEC);
	size_t n = strlen(text);

	assert_true(fd >= 0 && write(fd, text, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static const char *
text_of_file(struct arena *a, int fd)
{
	char *text = arena_alloc(a, TEXT_MOST);
	ssize_t n = pread(fd, text, TEXT_MOST - 1, 0);

	assert_true(n >= 0);
	return arena_strndup(a, text, (size_t)n);
}

/* What stdio holds of the files that come and go under it. */
static void
forget(void)
{
	__fpurge(stdin);
	__fpurge(stdout);
	clearerr(stdin);
	clearerr(stdout);
	clearerr(stderr);
}

struct said
said_run(struct arena *a, const char *words, const char *in, const char *out,
	 const struct fail_plan *plan)
{
	char *argv[WORDS_MOST + 1];
	const char **list;
	struct said s = {CLI_OK, NULL, NULL};
	struct err err = {0};
	size_t n;

	ASSERT_OK(text_words(a, arena_printf(a, "kontor %s", words), WORDS_MOST, &list, &n, &err),
		  &err);
	for (size_t i = 0; i < n; i++)
		argv[i] = arena_strdup(a, list[i]);
	argv[n] = NULL;
	fflush(stdout);
	int fds[] = {memory_file(in), out == NULL ? memory_file("") : open(out, O_WRONLY),
		     memory_file("")};
	int before[3];

	for (int i = 0; i < 3; i++)
		before[i] = divert(i, fds[i]);
	fail_speak(before[1], before[2]);
	if (plan != NULL)
		fail_arm(plan);
	s.rc = (enum cli_exit)kontor_main((int)n, argv);
	fail_pause();
	forget();
	for (int i = 0; i < 3; i++)
		put_back(i, before[i]);
	fail_speak(STDOUT_FILENO, STDERR_FILENO);
	s.out = out == NULL ? text_of_file(a, fds[1]) : "";
	s.err = text_of_file(a, fds[2]);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	return s;
}
