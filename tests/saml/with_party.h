/* For tests about a portal: an arena, the test keys and the portal's metadata as a party, made and
 * freed by setup and teardown. */
#ifndef KONTOR_TESTS_SAML_WITH_PARTY_H
#define KONTOR_TESTS_SAML_WITH_PARTY_H

#include "tests/test.h"

#include "tests/saml/portal.h"

static struct arena *a;
static struct test_keys *keys;
static const struct saml_party *party;

static int
setup(void **state UNUSED)
{
	a = arena_create(256 << 20);
	keys = test_keys_create(a);
	party = portal_party(a, keys);
	return a == NULL;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(a);
	return 0;
}

#endif
