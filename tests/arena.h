/* For tests that need an arena and nothing else: `a`, made and freed by setup and teardown. */
#ifndef KONTOR_TESTS_ARENA_H
#define KONTOR_TESTS_ARENA_H

#include "tests/test.h"

#include "base/base.h"

static struct arena *a;

static int
setup(void **state UNUSED)
{
	a = arena_create(64 << 20);
	return a == NULL;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(a);
	return 0;
}

#endif
