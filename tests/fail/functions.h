/*
 * A pure function with every allocation failing in turn: what is good comes out equal or as
 * a failure of ours, what is bad is never taken.
 */
#ifndef KONTOR_TESTS_FAIL_FUNCTIONS_H
#define KONTOR_TESTS_FAIL_FUNCTIONS_H

#include "tests/keys/test_keys.h"
#include "tests/test.h"

/* One function on one input: text is what it made of it, "" for nothing to tell. */
struct row {
	const char *name;
	bool (*run)(struct arena *a, const char *in, const char **text, struct err *err);
	const char *in;
	bool good;
};

/* Inputs live here, and the keys of all. */
extern struct arena *kept;
extern struct test_keys *keys;

void functions_sweep(const struct row *rows, size_t n);

/* cmocka fixtures. */
int functions_setup(void **state);
int functions_teardown(void **state);
int functions_explain(void **state);

#define FUNCTIONS_TEST(f) cmocka_unit_test_setup_teardown(f, NULL, functions_explain)

#endif
