/*
 * What tools/check_refusals.py links into every program of its own build: the switch at each
 * check, and single cases of a cmocka program.  Steered by the environment, which children inherit:
 *
 *   KONTOR_MUTANT=N         check N gives the answer that takes it out
 *   KONTOR_MUTANT_MAP=FILE  one octet per check, set when the check refused (it gave the other
 *                           answer), and so at once by whichever process and thread
 *   KONTOR_MUTANT_CASES=A,B only these cases of the group; "?" lists their names and runs none
 *   KONTOR_MUTANT_SPAN=N    the map has N octets for what lies around the cases, then as many for
 *                           each case in turn
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct test_case { /* cmocka's struct CMUnitTest */
	const char *name;
	void (*test)(void **state);
	int (*setup)(void **state), (*teardown)(void **state);
	void *initial_state;
};

bool kontor_mutant(unsigned number, bool answer, bool forced);
void *kontor_mutant_err(unsigned number, void *err);
int __real__cmocka_run_group_tests(const char *name, const struct test_case *cases, size_t n,
				   int (*setup)(void **), int (*teardown)(void **))
	__attribute__((weak));
int __wrap__cmocka_run_group_tests(const char *name, const struct test_case *cases, size_t n,
				   int (*setup)(void **), int (*teardown)(void **));

static unsigned taken_out; /* 0: none */
static unsigned char *map;
static size_t map_bytes, span;
static _Atomic size_t part; /* of the map: what runs now writes there */
static const struct test_case *watched;
static size_t n_begun;

__attribute__((constructor)) static void
begin(void)
{
	const char *number = getenv("KONTOR_MUTANT"), *path = getenv("KONTOR_MUTANT_MAP"),
		   *each = getenv("KONTOR_MUTANT_SPAN");
	struct stat st;
	int fd;

	if (number != NULL)
		taken_out = (unsigned)strtoul(number, NULL, 10);
	if (each != NULL)
		span = (size_t)strtoul(each, NULL, 10);
	if (path == NULL || (fd = open(path, O_RDWR | O_CLOEXEC)) < 0)
		return;
	if (fstat(fd, &st) == 0) {
		map_bytes = (size_t)st.st_size;
		map = mmap(NULL, map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			map = NULL;
	}
	close(fd);
}

__attribute__((visibility("default"))) bool
kontor_mutant(unsigned number, bool answer, bool forced)
{
	if (map != NULL && answer != forced && part + number < map_bytes)
		map[part + number] = 1;
	return number == taken_out ? forced : answer;
}

/* Where a check that is taken out says why it refused: nowhere. */
__attribute__((visibility("default"))) void *
kontor_mutant_err(unsigned number, void *err)
{
	return number == taken_out ? NULL : err;
}

/* Whether `name` is one of the comma-separated `names`. */
static bool
is_wanted(const char *names, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = names; (p = strstr(p, name)) != NULL; p++)
		if ((p == names || p[-1] == ',') && (p[n] == ',' || p[n] == '\0'))
			return true;
	return false;
}

/* In place of each case: they run in their order. */
static void
watch(void **state)
{
	size_t i = n_begun++;

	part = span * (i + 1);
	watched[i].test(state);
	part = 0;
}

static int
run_watched(const char *name, const struct test_case *cases, size_t n, int (*setup)(void **),
	    int (*teardown)(void **))
{
	struct test_case *all = calloc(n + 1, sizeof(*all));

	if (all == NULL)
		abort();
	for (size_t i = 0; i < n; i++) {
		all[i] = cases[i];
		all[i].test = watch;
	}
	watched = cases;
	int failed = __real__cmocka_run_group_tests(name, all, n, setup, teardown);

	free(all);
	return failed;
}

int
__wrap__cmocka_run_group_tests(const char *name, const struct test_case *cases, size_t n,
			       int (*setup)(void **), int (*teardown)(void **))
{
	const char *names = getenv("KONTOR_MUTANT_CASES");

	if (names == NULL && span > 0)
		return run_watched(name, cases, n, setup, teardown);
	if (names == NULL)
		return __real__cmocka_run_group_tests(name, cases, n, setup, teardown);
	if (strcmp(names, "?") == 0) {
		for (size_t i = 0; i < n; i++)
			printf("case %s\n", cases[i].name);
		return 0;
	}
	struct test_case *chosen = calloc(n + 1, sizeof(*chosen));
	size_t kept = 0;

	if (chosen == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		if (is_wanted(names, cases[i].name))
			chosen[kept++] = cases[i];
	int failed =
		kept == 0 ? 0 : __real__cmocka_run_group_tests(name, chosen, kept, setup, teardown);

	free(chosen);
	return failed;
}
