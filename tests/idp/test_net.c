/* Addresses and networks. */
#include "idp/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "tests/arena.h"

static void
networks_hold_their_addresses(void **state UNUSED)
{
	static const struct {
		const char *list, *addr;
		bool has;
	} cases[] = {
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"10.0.0.0/8", "10.255.0.1", true},
		{"10.0.0.0/8", "11.0.0.1", false},
		{"10.128.0.0/9", "10.127.0.1", false},
		{"10.128.0.0/9", "10.200.0.1", true},
		{"10.0.0.0/8", "::ffff:10.0.0.1", true},
		{"2001:db8::/32", "2001:db8:1::1", true},
		{"2001:db8::/32", "2001:db9::1", false},
		{"::/0", "192.0.2.1", true},
		{"0.0.0.0/0", "192.0.2.1", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"192.0.2.1 unix", "unix", true},
		{"192.0.2.1", "unix", false},
		{"", "192.0.2.1", false},
		{"0.0.0.0/0 unix", "nonsense", false},
	};
	struct net_list list;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ASSERT_OK(net_list_parse(a, cases[i].list, &list, &err), &err);
		if (net_list_has_text(&list, cases[i].addr) != cases[i].has)
			fail_msg("%s in '%s'", cases[i].addr, cases[i].list);
	}
}

static void
what_is_no_network_is_refused(void **state UNUSED)
{
	struct net_list list;
	struct err err = {0};

	ASSERT_REFUSED(net_list_parse(a, "proxy.example", &list, &err), &err, ERR_INPUT,
		       "'proxy.example' is not an address");
	ASSERT_REFUSED(net_list_parse(a, "10.0.0.0/33", &list, &err), &err, ERR_INPUT,
		       "prefix of 0 to 32");
	ASSERT_REFUSED(net_list_parse(a, "::1/129", &list, &err), &err, ERR_INPUT,
		       "prefix of 0 to 128");
	ASSERT_REFUSED(net_list_parse(a, "10.0.0.0/", &list, &err), &err, ERR_INPUT, "prefix");
}

static void
a_source_is_an_address_or_a_subscribers_network(void **state UNUSED)
{
	struct net_addr x = {{0}}, y = {{0}};

	assert_true(net_addr_parse("2001:db8::1", &x) && net_addr_parse("2001:db8::ffff:2", &y));
	x = net_addr_source(x);
	y = net_addr_source(y);
	assert_memory_equal(&x, &y, sizeof(x));
	assert_true(net_addr_parse("192.0.2.1", &x) && net_addr_parse("192.0.2.2", &y));
	x = net_addr_source(x);
	y = net_addr_source(y);
	assert_memory_not_equal(&x, &y, sizeof(x));
}

static void
socket_addresses_become_text(void **state UNUSED)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr un = {.sa_family = AF_UNIX};
	char text[NET_TEXT_BYTES];

	inet_pton(AF_INET, "192.0.2.1", &in.sin_addr);
	inet_pton(AF_INET6, "2001:db8::1", &in6.sin6_addr);
	net_addr_text((struct sockaddr *)&in, text);
	assert_string_equal(text, "192.0.2.1");
	net_addr_text((struct sockaddr *)&in6, text);
	assert_string_equal(text, "2001:db8::1");
	inet_pton(AF_INET6, "::ffff:192.0.2.1", &in6.sin6_addr);
	net_addr_text((struct sockaddr *)&in6, text);
	assert_string_equal(text, "192.0.2.1");
	net_addr_text(&un, text);
	assert_string_equal(text, "unix");
	net_addr_text(NULL, text);
	assert_string_equal(text, "unix");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_hold_their_addresses),
		cmocka_unit_test(what_is_no_network_is_refused),
		cmocka_unit_test(a_source_is_an_address_or_a_subscribers_network),
		cmocka_unit_test(socket_addresses_become_text),
	};

	return cmocka_run_group_tests_name("net", tests, setup, teardown);
}
