/* One arena and one err for all tests of a program; setup and teardown for cmocka. */
#ifndef KONTOR_TESTS_OIDC_FIXTURE_H
#define KONTOR_TESTS_OIDC_FIXTURE_H

#include "tests/test.h"

static struct arena *a;
static struct err err UNUSED;

static int
setup(void **state UNUSED)
{
	a = arena_create(16 << 20);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(a);
	return 0;
}

#endif
