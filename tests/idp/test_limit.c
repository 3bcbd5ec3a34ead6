/* Connections per source. */
#include "idp/limit.h"

#include "tests/test.h"

static void
a_source_is_stopped_at_its_limit_and_others_are_not(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	struct limit *l = limit_create(a, 2);
	struct net_addr one, neighbour, other;

	assert_true(net_addr_parse("2001:db8::1", &one));
	assert_true(net_addr_parse("2001:db8::2", &neighbour));
	assert_true(net_addr_parse("192.0.2.1", &other));
	limit_count(l, &one, 1);
	assert_true(limit_allows(l, &one));
	limit_count(l, &neighbour, 1);
	assert_false(limit_allows(l, &one));
	assert_false(limit_allows(l, &neighbour));
	assert_true(limit_allows(l, &other));
	limit_count(l, &one, -1);
	assert_true(limit_allows(l, &neighbour));
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_is_stopped_at_its_limit_and_others_are_not),
	};

	return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
