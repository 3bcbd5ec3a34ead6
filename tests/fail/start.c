/*
 * The program with failures to order: KONTOR_FAIL is "WHAT NTH ERRNO", what as in enum
 * fail_what, for the thread that begins in each of its processes.  NTH 0 counts, and the
 * count is appended to the file that KONTOR_FAIL_COUNT names.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/fail/fail.h"

static void
tell_count(void)
{
	fail_pause();
	FILE *f = fopen(getenv("KONTOR_FAIL_COUNT"), "a");

	if (f == NULL)
		return;
	fprintf(f, "%zu\n", fail_passed());
	fclose(f);
}

static void __attribute__((constructor)) begin(void)
{
	const char *text = getenv("KONTOR_FAIL");
	struct fail_plan plan = {.what = FAIL_MEMORY};
	int what = 0;

	if (text == NULL || sscanf(text, "%d %zu %d", &what, &plan.nth, &plan.error) != 3)
		return;
	plan.what = (enum fail_what)what;
	if (plan.nth == 0)
		atexit(tell_count);
	fail_arm(&plan);
}
