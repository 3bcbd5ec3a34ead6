/* The gate: what it lets through has one reading, and each oddity has its rule. */
#include "idp/gate.h"

#include <stdlib.h>

#include "tests/idp/raw.h"
#include "tests/test.h"

static void
an_honest_request_passes(void **state UNUSED)
{
	struct raw_text t;
	struct gate_head head;

	raw_text_init(&t, "GET /oidc/authorize?client_id=a%20b&x= HTTP/1.1",
		      "Host: konto.example\nAccept: */*\nAccept: text/html\nX-Any: \xc3\xa4");
	assert_int_equal(gate_check(&t.raw, &head), GATE_PASS);
	assert_int_equal(head.method, HTTP_GET);
	assert_true(bytes_eq(head.path, bytes_of("/oidc/authorize")));
	assert_true(bytes_eq(head.query, bytes_of("client_id=a%20b&x=")));
	assert_true(bytes_eq(head.host, bytes_of("konto.example")));
	assert_false(head.has_body);

	/* Names that end sooner, or read alike in part, are others. */
	raw_text_init(&t, "GET / HTTP/1.1", "Hos: a\nXost: b\nHosts: c\nHost: k");
	assert_int_equal(gate_check(&t.raw, &head), GATE_PASS);
	assert_true(bytes_eq(head.host, bytes_of("k")));

	raw_text_init(&t, "POST /saml/sso HTTP/1.1", "Host: k\nContent-Length: 12");
	assert_int_equal(gate_check(&t.raw, &head), GATE_PASS);
	assert_true(head.has_body);
	assert_int_equal(head.content_length, 12);

	raw_text_init(&t, "POST /saml/sso HTTP/1.1", "Host: k\nTransfer-Encoding: chunked");
	assert_int_equal(gate_check(&t.raw, &head), GATE_PASS);
	assert_true(head.has_body && head.chunked);
}

static const struct {
	const char *line, *headers;
	enum gate_rule rule;
} oddities[] = {
	{"GET / HTTP/2.0", "Host: k", GATE_VERSION},
	{"GET / HTTP/0.9", "Host: k", GATE_VERSION},
	{"PATCH / HTTP/1.1", "Host: k", GATE_METHOD},
	{"PUT / HTTP/1.1", "Host: k", GATE_FRAMING},
	{"get / HTTP/1.1", "Host: k", GATE_METHOD},
	{"CONNECT k:443 HTTP/1.1", "Host: k", GATE_METHOD},
	{"GET * HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET http://k/ HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /a/%7Bsha1%7D0a HTTP/1.1", "Host: k", GATE_PASS},
	{"GET /a/%7bSHA1%7d0a HTTP/1.1", "Host: k", GATE_PASS},
	{"GET /a/%7Bsha1%7D HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /a/x%7Bsha1%7D0a HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /a/%7Bsha1%7D%2e HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /a/%7Bsha1%7D%7Bsha1%7D0a HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /a/%7Bsha2%7D0a HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /a%2fb HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /%2e%2e/ HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /../x HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /a/.. HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /a/./b HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET //a HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /a;b HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /\xc3\xa4 HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /?a=%00 HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /?a=%0 HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /?a=%zz HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /?a=%4z HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /?a=%z4 HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /?a=%4/ HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /?a=%/4 HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /?a=\xc3\xa4 HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /?a=\x01 HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET /?a#b HTTP/1.1", "Host: k", GATE_TARGET},
	{"GET / HTTP/1.1", "Host : k", GATE_HEADER_NAME},
	{"GET / HTTP/1.1", "Host: k\nX Y: 1", GATE_HEADER_NAME},
	{"GET / HTTP/1.1", "Host: k\n: 1", GATE_HEADER_NAME},
	{"GET / HTTP/1.1", "Host: k\nX\x01: 1", GATE_HEADER_NAME},
	{"GET / HTTP/1.1", "Host: k\nX: a\rb", GATE_HEADER_VALUE},
	{"GET / HTTP/1.1", "Host: k\nX: a\x7f", GATE_HEADER_VALUE},
	{"GET / HTTP/1.1", "Host: k\nOrigin: \xc3\xa4", GATE_HEADER_VALUE},
	{"GET / HTTP/1.1", "Host: k\nHost: k", GATE_HEADER_REPEATED},
	{"GET / HTTP/1.1", "Host: k\nhOST: evil", GATE_HEADER_REPEATED},
	{"POST / HTTP/1.1", "Host: k\nContent-Length: 1\nContent-Length: 1", GATE_HEADER_REPEATED},
	{"GET / HTTP/1.1", "Host: k\nAuthorization: a\nAuthorization: b", GATE_HEADER_REPEATED},
	{"GET / HTTP/1.1", "Host: k\nCookie: a=1\nCookie: b=1", GATE_HEADER_REPEATED},
	{"GET / HTTP/1.1", "X: k", GATE_HOST},
	{"GET / HTTP/1.1", "Host:", GATE_HOST},
	{"GET / HTTP/1.1", "Host: k/evil", GATE_HOST},
	{"GET / HTTP/1.1", "Host: a@k", GATE_HOST},
	{"POST / HTTP/1.1", "Host: k\nContent-Length: 1\nTransfer-Encoding: chunked", GATE_FRAMING},
	{"POST / HTTP/1.1", "Host: k\nTransfer-Encoding: gzip, chunked", GATE_FRAMING},
	{"POST / HTTP/1.1", "Host: k\nTransfer-Encoding: xchunked", GATE_FRAMING},
	{"POST / HTTP/1.0", "Host: k\nTransfer-Encoding: chunked", GATE_FRAMING},
	{"POST / HTTP/1.1", "Host: k\nContent-Length: +1", GATE_FRAMING},
	{"POST / HTTP/1.1", "Host: k\nContent-Length: 1, 1", GATE_FRAMING},
	{"POST / HTTP/1.1", "Host: k\nContent-Length: 1a", GATE_FRAMING},
	{"POST / HTTP/1.1", "Host: k\nContent-Length: 0x1", GATE_FRAMING},
	{"POST / HTTP/1.1", "Host: k\nContent-Length:", GATE_FRAMING},
	{"POST / HTTP/1.1", "Host: k\nContent-Length: 9999999999999999", GATE_FRAMING},
	{"POST / HTTP/1.1", "Host: k", GATE_FRAMING},
	{"GET / HTTP/1.1", "Host: k\nContent-Length: 1", GATE_BODY_UNEXPECTED},
	{"HEAD / HTTP/1.1", "Host: k\nTransfer-Encoding: chunked", GATE_BODY_UNEXPECTED},
	{"POST / HTTP/1.1", "Host: k\nContent-Length: 1\nContent-Encoding: gzip",
	 GATE_CONTENT_CODING},
	{"POST / HTTP/1.1", "Host: k\nContent-Length: 1\nExpect: wonders", GATE_EXPECT},
	{"GET / HTTP/1.1", "Host: k\nCookie: __Host-s=1; __Host-s=2", GATE_COOKIE},
	{"GET / HTTP/1.1", "Host: k\nCookie: __Host-s=a\"b", GATE_COOKIE},
};

static void
every_oddity_is_refused_by_its_rule(void **state UNUSED)
{
	struct raw_text t;
	struct gate_head head;

	for (size_t i = 0; i < ARRAY_LEN(oddities); i++) {
		raw_text_init(&t, oddities[i].line, oddities[i].headers);
		enum gate_rule rule = gate_check(&t.raw, &head);

		if (rule != oddities[i].rule)
			fail_msg("%s | %s: %s", oddities[i].line, oddities[i].headers,
				 gate_rule_name(rule));
	}
	raw_text_init(&t, "GET / HTTP/1.1", "Host: k");
	t.raw.torn = true;
	assert_int_equal(gate_check(&t.raw, &head), GATE_TORN);
}

static void
what_text_cannot_show_is_refused_too(void **state UNUSED)
{
	struct raw_text t;
	struct gate_head head;
	char host[300], many[1024] = "Host: k\nCookie: a=1";

	raw_text_init(&t, "GET / HTTP/1.1", "Host: k");
	t.raw.target = (struct bytes){(const unsigned char *)"/a\0b", 4};
	assert_int_equal(gate_check(&t.raw, &head), GATE_TARGET);
	t.raw.target = (struct bytes){NULL, 0};
	assert_int_equal(gate_check(&t.raw, &head), GATE_TARGET);
	/* An escape ends with the target, whatever lies behind it. */
	for (size_t n = 4; n <= 6; n++) {
		t.raw.target = (struct bytes){(const unsigned char *)"/?a%41", n};
		assert_int_equal(gate_check(&t.raw, &head), n == 6 ? GATE_PASS : GATE_TARGET);
	}

	memset(host, 'k', sizeof(host));
	memcpy(host, "Host: ", 6);
	host[6 + 255] = '\0';
	raw_text_init(&t, "GET / HTTP/1.1", host);
	assert_int_equal(gate_check(&t.raw, &head), GATE_PASS);
	host[6 + 255] = 'k';
	host[6 + 256] = '\0';
	raw_text_init(&t, "GET / HTTP/1.1", host);
	assert_int_equal(gate_check(&t.raw, &head), GATE_HOST);

	for (int i = 1; i < GATE_COOKIES_MAX; i++)
		strcat(many, ";a=1");
	raw_text_init(&t, "GET / HTTP/1.1", many);
	assert_int_equal(gate_check(&t.raw, &head), GATE_PASS);
	raw_text_init(&t, "GET / HTTP/1.1", strcat(many, ";a=1"));
	assert_int_equal(gate_check(&t.raw, &head), GATE_COOKIE);
}

static void
a_refusal_says_nothing_of_the_request(void **state UNUSED)
{
	struct gate_head head = {.content_length = 47};
	struct raw_text t;

	raw_text_init(&t, "POST /saml/sso HTTP/1.1", "Host: k\nContent-Length: 1\nExpect: wonders");
	assert_int_equal(gate_check(&t.raw, &head), GATE_EXPECT);
	assert_int_equal(head.content_length, 47);
	assert_int_equal(head.host.n, 0);
}

static void
foreign_cookies_do_not_lock_anybody_out(void **state UNUSED)
{
	struct raw_text t;
	struct gate_head head;

	raw_text_init(&t, "GET / HTTP/1.1",
		      "Host: k\nCookie: a=1; a=2; \xc3\xa4=\"x\"; flag; __Host-s=1; =; ;x=,");
	assert_int_equal(gate_check(&t.raw, &head), GATE_PASS);
}

static void
sizes_have_their_own_status(void **state UNUSED)
{
	static char line[GATE_TARGET_MAX_BYTES + 64], headers[GATE_HEADERS_MAX_BYTES + 64];
	struct raw_text t;
	struct gate_head head;

	memset(line, 'a', sizeof(line));
	memcpy(line, "GET /", 5);
	strcpy(line + 5 + GATE_TARGET_MAX_BYTES, " HTTP/1.1");
	raw_text_init(&t, line, "Host: k");
	assert_int_equal(gate_check(&t.raw, &head), GATE_TARGET_LONG);
	strcpy(line + 4 + GATE_TARGET_MAX_BYTES, " HTTP/1.1");
	raw_text_init(&t, line, "Host: k");
	assert_int_equal(gate_check(&t.raw, &head), GATE_PASS);

	memset(headers, 'a', sizeof(headers));
	memcpy(headers, "Host: k\nX: ", 11);
	headers[sizeof(headers) - 1] = '\0';
	raw_text_init(&t, "GET / HTTP/1.1", headers);
	assert_int_equal(gate_check(&t.raw, &head), GATE_HEADERS_LARGE);

	strcpy(headers, "Host: k");
	for (int i = 0; i < GATE_HEADERS_MAX; i++)
		strcat(headers, "\nX: 1");
	raw_text_init(&t, "GET / HTTP/1.1", headers);
	assert_int_equal(gate_check(&t.raw, &head), GATE_HEADERS_LARGE);
	assert_int_equal(gate_rule_status(GATE_HEADERS_LARGE), 431);
	assert_int_equal(gate_rule_status(GATE_TARGET_LONG), 414);
	assert_int_equal(gate_rule_status((enum gate_rule)99), 400);
}

/* Whatever passes: one octet changed anywhere either is refused or reads the same way twice. */
static void
no_single_octet_smuggles_framing(void **state UNUSED)
{
	static const char line[] = "POST /saml/sso?a=b%41 HTTP/1.1";
	static const char headers[] = "Host: konto.example\nContent-Length: 12\n"
				      "Cookie: __Host-s=abc\nOrigin: https://konto.example";
	char l[sizeof(line)], h[sizeof(headers)];
	struct raw_text t;
	struct gate_head head;

	for (size_t i = 0; i < sizeof(line) - 1 + sizeof(headers) - 1; i++) {
		for (int c = 1; c < 256; c++) {
			memcpy(l, line, sizeof(line));
			memcpy(h, headers, sizeof(headers));
			if (i < sizeof(line) - 1)
				l[i] = (char)c;
			else
				h[i - (sizeof(line) - 1)] = (char)c;
			raw_text_init(&t, l, h);
			if (gate_check(&t.raw, &head) != GATE_PASS)
				continue;
			assert_int_equal(head.path.p[0], '/');
			assert_null(memchr(head.path.p, '%', head.path.n));
			assert_true(head.method == HTTP_POST);
			assert_false(head.chunked);
			for (size_t k = 0; k < head.query.n; k++)
				assert_in_range(head.query.p[k], 0x21, 0x7e);
		}
	}
}

static void
every_rule_has_a_name_of_its_own(void **state UNUSED)
{
	for (int i = 0; i < GATE_RULE_COUNT; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(gate_rule_name((enum gate_rule)i),
						gate_rule_name((enum gate_rule)j));
	assert_string_equal(gate_rule_name((enum gate_rule)99), "unchecked");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_request_passes),
		cmocka_unit_test(every_oddity_is_refused_by_its_rule),
		cmocka_unit_test(what_text_cannot_show_is_refused_too),
		cmocka_unit_test(a_refusal_says_nothing_of_the_request),
		cmocka_unit_test(foreign_cookies_do_not_lock_anybody_out),
		cmocka_unit_test(sizes_have_their_own_status),
		cmocka_unit_test(no_single_octet_smuggles_framing),
		cmocka_unit_test(every_rule_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
