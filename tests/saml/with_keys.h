/* For tests that need an arena, the test keys and an error: made and freed by setup and teardown.
 */
#ifndef KONTOR_TESTS_SAML_WITH_KEYS_H
#define KONTOR_TESTS_SAML_WITH_KEYS_H

#include "tests/test.h"

#include "tests/saml/support.h"

static struct arena *a;
static struct err err;
static struct test_keys *keys;

static int
setup(void **state UNUSED)
{
	a = arena_create(64 << 20);
	err_clear(&err);
	keys = test_keys_create(a);
	return a == NULL;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(a);
	return 0;
}

#endif
