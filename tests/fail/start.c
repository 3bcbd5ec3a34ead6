/*
 * The program with a failure to order: the file that KONTOR_FAIL names says "PROCESS WHAT NTH
 * ERRNO", process "serve" for the supervisor, else as it is called after --child; what as in
 * enum fail_what.  It befalls the thread that the first such process begins with, which
 * removes the file: the one in its place is not to fail again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fail/fail.h"

static void __attribute__((constructor)) begin(int argc, char **argv)
{
	const char *path = getenv("KONTOR_FAIL");
	FILE *f = path != NULL ? fopen(path, "re") : NULL;
	struct fail_plan plan = {.what = FAIL_MEMORY};
	char process[16];
	int what = 0;
	bool read = f != NULL &&
		    fscanf(f, "%15s %d %zu %d", process, &what, &plan.nth, &plan.error) == 4;

	if (f != NULL)
		fclose(f);
	if (!read)
		return;
	plan.what = (enum fail_what)what;
	bool child = argc > 3 && strcmp(argv[2], "--child") == 0;

	if (argc > 1 && strcmp(argv[1], "serve") == 0 &&
	    strcmp(child ? argv[3] : "serve", process) == 0 && unlink(path) == 0)
		fail_arm(&plan);
}
