/* One call of the program in this process, as a shell sees it. */
#ifndef KONTOR_TESTS_FAIL_SAID_H
#define KONTOR_TESTS_FAIL_SAID_H

#include "idp/cli.h"
#include "tests/fail/fail.h"

struct said {
	enum cli_exit rc;
	const char *out, *err;
};

/*
 * Run "kontor WORDS", words separated by blanks, with this standard input and, while it runs,
 * this plan (NULL: none).  `out`: where standard output goes; NULL: into the result.
 */
struct said said_run(struct arena *a, const char *words, const char *in, const char *out,
		     const struct fail_plan *plan);

#endif
