/*
 * Redirect URIs.  Beside the rules one by one: a corpus of generated URLs in
 * the manner of known attacks, none of which may pass for the registered one
 * (RFC 9700 4.1; CVE-2023-6134, -6291, -6927, CVE-2024-8883, CVE-2026-28512).
 */
#include "tests/oidc/fixture.h"

#include "oidc/redirect.h"

#define GOOD "https://portal.example/oidc/callback"

static void
proper_uris_may_be_registered(void **state UNUSED)
{
	static const char *const uris[] = {
		GOOD,
		"https://portal.example",
		"https://portal.example/",
		"https://portal.example?x=1",
		"https://xn--mnchen-3ya.example/cb",
		"https://a-b.c1.example:8443/cb",
		"https://portal.example/cb?next=%2Fhome&x=a%20b",
		"https://portal.example/..cb/a.b/...",
		"https://portal.example/%41%42/%41",
		"https://portal.example/a2e/x2fy",
		"https://192.0.2.1/cb",
		"https://portal.example:65535/cb",
		"https://portal.example/~user;v=1/(x)!$&'+,=:@-._",
	};

	for (size_t i = 0; i < ARRAY_LEN(uris); i++)
		ASSERT_OK(oidc_uri_check(uris[i], false, &err), &err);
}

static void
improper_uris_may_not(void **state UNUSED)
{
	static const struct {
		const char *uri, *part;
	} cases[] = {
		{"", "empty"},
		{"https://portal.example/a b", "not visible ASCII"},
		{"https://portal.example/\r\nx", "not visible ASCII"},
		{"https://portal.example/\xc3\xbc", "not visible ASCII"},
		{"https://m\xc3\xbcnchen.example/", "not visible ASCII"},
		{"http://portal.example/cb", "not https"},
		{"HTTPS://portal.example/cb", "not https"},
		{"ftp://portal.example/cb", "not https"},
		{"javascript:alert(1)", "not https"},
		{"de.example.app:/cb", "not https"},
		{"//portal.example/cb", "not https"},
		{"/cb", "not https"},
		{"https:/portal.example/cb", "not https"},
		{"https://portal.example/cb#x", "fragment"},
		{"https://portal.example/cb#", "fragment"},
		{"https://*.example/cb", "wildcard"},
		{"https://portal.example/*", "wildcard"},
		{"https://portal.example\\@evil.example/", "no URI has"},
		{"https://portal.example/<x>", "no URI has"},
		{"https://user@portal.example/cb", "user info"},
		{"https://user:pw@portal.example/cb", "user info"},
		{"https://@portal.example/cb", "user info"},
		{"https:///cb", "bad host"},
		{"https://", "bad host"},
		{"https://?x", "bad host"},
		{"https://Portal.example/cb", "bad host"},
		{"https://portal..example/cb", "bad host"},
		{"https://.portal.example/cb", "bad host"},
		{"https://portal.example./cb", "bad host"},
		{"https://-portal.example/cb", "bad host"},
		{"https://portal-.example/cb", "bad host"},
		{"https://port_al.example/cb", "bad host"},
		{"https://port%61l.example/cb", "bad host"},
		{"https://[::1/cb", "bad host"},
		{"https://[2001:db8::1]/cb", "bad host"},
		{"https://[::1]x/cb", "something after"},
		{"https://portal.example:/cb", "bad port"},
		{"https://portal.example:0/cb", "bad port"},
		{"https://portal.example:0443/cb", "bad port"},
		{"https://portal.example:65536/cb", "bad port"},
		{"https://portal.example:123456/cb", "bad port"},
		{"https://portal.example:4294967739/cb", "bad port"}, /* 443 in 32 bits */
		{"https://portal.example:44a/cb", "bad port"},
		{"https://portal.example:000443/cb", "bad port"},
		{"https://portal.example/%0/a", "broken escape"},
		{"https://portal.example/%.0", "broken escape"},
		{"https://portal.example/%0@", "broken escape"},
		{"https://a.-b.example/", "bad host"},
		{"https://[::2]/", "bad host"},
		{"https://[::1", "bad host"},
		{"https://portal.example:4+3/cb", "bad port"},
		{"https://portal.example:443:443/cb", "bad port"},
		{"https://portal.example/a/../b", "dot segment"},
		{"https://portal.example/..", "dot segment"},
		{"https://portal.example/./b", "dot segment"},
		{"https://portal.example/a/%2e%2E/b", "dot segment"},
		{"https://portal.example/a/.%2e", "dot segment"},
		{"https://portal.example/a%2Fb", "escaped separator"},
		{"https://portal.example/a%5cb", "escaped separator"},
		{"https://portal.example/%", "broken escape"},
		{"https://portal.example/%g0", "broken escape"},
		{"https://portal.example/?x=%4", "broken escape"},
		{"https://portal.example/%0d%0aSet-Cookie", "control character"},
		{"https://portal.example/?x=%00", "control character"},
		{"https://portal.example/%7f", "control character"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ASSERT_REFUSED(oidc_uri_check(cases[i].uri, false, &err), &err, ERR_INPUT,
			       cases[i].part);
		assert_false(oidc_uri_check(cases[i].uri, false, &err));
		assert_string_equal(err.proto, "invalid_redirect_uri");
		err_clear(&err);
	}
	char *longer = arena_alloc(a, 3000);

	memset(longer, 'a', 2100);
	memcpy(longer, GOOD, strlen(GOOD));
	ASSERT_REFUSED(oidc_uri_check(longer, false, &err), &err, ERR_INPUT, "too long");
	memset(longer, 'a', 254); /* RFC 1035 3.1 */
	longer[254] = '\0';
	ASSERT_OK(oidc_uri_check(arena_printf(a, "https://%s", longer + 1), false, &err), &err);
	ASSERT_REFUSED(oidc_uri_check(arena_printf(a, "https://%s", longer), false, &err), &err,
		       ERR_INPUT, "bad host");
}

static void
http_is_for_loopback_and_development_only(void **state UNUSED)
{
	static const char *const ok[] = {"http://127.0.0.1:8080/cb", "http://[::1]/cb",
					 "http://localhost/cb", "http://amt24.localhost:8080/cb",
					 GOOD};
	static const char *const no[] = {"http://portal.example/cb",
					 "http://127.0.0.1.evil.example/",
					 "http://localhost.evil.example/",
					 "http://evillocalhost/",
					 "http://127.0.0.2/",
					 "http://local/",
					 "http://a/",
					 "http://127.0.0/"};

	for (size_t i = 0; i < ARRAY_LEN(ok); i++)
		ASSERT_OK(oidc_uri_check(ok[i], true, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		ASSERT_REFUSED(oidc_uri_check(no[i], true, &err), &err, ERR_INPUT,
			       "beyond loopback");
	ASSERT_REFUSED(oidc_uri_check(ok[0], false, &err), &err, ERR_INPUT, "not https");
	ASSERT_REFUSED(oidc_uri_check("ftp:///localhost/", true, &err), &err, ERR_INPUT,
		       "not https");
}

/* RFC 8252 7.1 */
static void
a_native_clients_own_scheme_is_a_domain_in_reverse(void **state UNUSED)
{
	static const char *const ok[] = {"com.example.app:/oauth2redirect/example-provider",
					 "de.x-y.a1:/",
					 "http://127.0.0.1/cb",
					 "http://[::1]:9/cb",
					 "http://localhost:1/",
					 GOOD};
	static const struct {
		const char *uri, *part;
	} no[] = {
		{"myapp:/cb", "scheme with a dot"},
		{"com.example.app", "scheme with a dot"},
		{"", "empty"},
		{":/cb", "scheme with a dot"},
		{".com:/cb", "scheme with a dot"},
		{"com.:/cb", "scheme with a dot"},
		{"com..x:/cb", "scheme with a dot"},
		{"com.-x:/cb", "scheme with a dot"},
		{"1com.example:/cb", "scheme with a dot"},
		{"Com.Example:/cb", "scheme with a dot"},
		{"com.ex+ample:/cb", "scheme with a dot"},
		{"javascript:alert(1)", "scheme with a dot"},
		{"com.example.app:", "one slash"},
		{"com.example.app:cb", "one slash"},
		{"com.example.app://cb", "one slash"},
		{"com.example.app:/a/../b", "dot segment"},
		{"com.example.app:/a%2fb", "escaped separator"},
		{"com.example.app:/cb#x", "fragment"},
		{"com.example.app:/*", "wildcard"},
		{"com.example.app:/%0a", "broken escape"},
		{"http://portal.example/cb", "beyond loopback"},
		{"http://user@127.0.0.1/cb", "user info"},
	};

	for (size_t i = 0; i < ARRAY_LEN(ok); i++)
		ASSERT_OK(oidc_uri_check_native(ok[i], &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		ASSERT_REFUSED(oidc_uri_check_native(no[i].uri, &err), &err, ERR_INPUT, no[i].part);
	assert_null(oidc_uri_host(a, ok[0]));
}

/* RFC 8252 7.3, 8.3 */
static void
only_the_port_of_a_loopback_address_may_differ(void **state UNUSED)
{
	static const char v4[] = "http://127.0.0.1/cb?a=b", v6[] = "http://[::1]:80/cb";
	static const struct {
		const char *registered, *uri;
	} no[] = {
		{v4, "http://127.0.0.1:51004/cb"},
		{v4, "http://127.0.0.1:51004/cb?a=c"},
		{v4, "http://127.0.0.1:51004/cb?a=b&c"},
		{v4, "http://127.0.0.1:/cb?a=b"},
		{v4, "http://127.0.0.1:0/cb?a=b"},
		{v4, "http://127.0.0.1:65536/cb?a=b"},
		{v4, "http://127.0.0.1:1a/cb?a=b"},
		{v4, "http://127.0.0.1@evil.example/cb?a=b"},
		{v4, "http://127.0.0.1.evil.example/cb?a=b"},
		{v4, "http://127.0.0.1:80@evil.example/cb?a=b"},
		{v4, "http://127.0.0.1:80#/cb?a=b"},
		{v4, "http://127.0.0.10/cb?a=b"},
		{v4, "http://[::1]/cb?a=b"},
		{v4, "https://127.0.0.1/cb?a=b"},
		{v4, ""},
		{v6, "http://127.0.0.1/cb"},
		{v6, "http://[::1]:80/cb/"},
		{"http://localhost/cb", "http://localhost:51004/cb"},
		{GOOD, "https://portal.example:51004/oidc/callback"},
		{"com.example.app:/cb", "com.example.app:80/cb"},
	};

	assert_true(oidc_uri_is_loopback_of(v4, "http://127.0.0.1:51004/cb?a=b"));
	assert_true(oidc_uri_is_loopback_of(v4, v4));
	assert_true(oidc_uri_is_loopback_of(v6, "http://[::1]:65535/cb"));
	assert_true(oidc_uri_is_loopback_of(v6, "http://[::1]/cb"));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		if (oidc_uri_is_loopback_of(no[i].registered, no[i].uri))
			fail_msg("%s passed for %s", no[i].uri, no[i].registered);
}

static const char good[] = GOOD;
static const char *const registered_uris[] = {"https://portal.example/other", GOOD};
static const struct oidc_strs registered = {registered_uris, 2};
static size_t tried;

static void
must_not_pass(const char *uri)
{
	tried++;
	if (oidc_uri_registered(registered, uri))
		fail_msg("passed for a registered URI: %s", uri == NULL ? "none" : uri);
}

static void
insertions(void)
{
	static const char *const pieces[] = {
		"@",
		"@evil.example",
		"\\",
		"/",
		"//",
		"/.",
		"/..",
		"/../",
		"%2e",
		"%0d%0a",
		"%00",
		"\r\n",
		"\t",
		" ",
		"#",
		"?",
		"&",
		";",
		".evil.example",
		":443",
		"%40",
		"%23",
		"*",
		"\xe3\x80\x82",
		"\xc3\xbc",
		"%EF%BC%8F",
		"\x7f",
	};
	static const size_t places[] = {0, 5, 8, 14, 15, 22, 23, 27, 28, 36};

	for (size_t p = 0; p < ARRAY_LEN(pieces); p++)
		for (size_t i = 0; i < ARRAY_LEN(places); i++)
			must_not_pass(arena_printf(a, "%.*s%s%s", (int)places[i], GOOD, pieces[p],
						   &good[places[i]]));
}

static void
only_the_exact_uri_is_registered(void **state UNUSED)
{
	static const char *const whole[] = {
		"",
		"https://evil.example/?" GOOD,
		"https://evil.example/#" GOOD,
		"https://evil.example/" GOOD,
		"https://portal.example@evil.example/oidc/callback",
		"https://portal.example:443/oidc/callback",
		"http://portal.example/oidc/callback",
		"//portal.example/oidc/callback",
		"https:portal.example/oidc/callback",
		"https://xn--portal-cua.example/oidc/callback",
		"data:text/html,x",
		"https://portal.example/other ",
		"https://portal.example/othe",
		GOOD "," GOOD,
		GOOD " " GOOD,
		GOOD "\n",
	};
	const size_t n = strlen(GOOD);

	assert_true(oidc_uri_registered(registered, GOOD));
	must_not_pass(NULL);
	insertions();
	for (size_t i = 0; i < ARRAY_LEN(whole); i++)
		must_not_pass(whole[i]);
	for (size_t i = 0; i < n; i++) { /* cut short, case changed, escaped, doubled, left out */
		char *s = arena_strdup(a, GOOD);

		must_not_pass(arena_strndup(a, GOOD, i));
		s[i] = (char)(s[i] ^ 0x20);
		must_not_pass(s);
		must_not_pass(arena_printf(a, "%.*s%%%02x%s", (int)i, GOOD, (unsigned)GOOD[i],
					   &good[i + 1]));
		must_not_pass(arena_printf(a, "%.*s%c%s", (int)i, GOOD, GOOD[i], &good[i]));
		must_not_pass(arena_printf(a, "%.*s%s", (int)i, GOOD, &good[i + 1]));
	}
	assert_true(tried >= 200);
}

static void
the_host_is_told_without_port(void **state UNUSED)
{
	assert_string_equal(oidc_uri_host(a, GOOD), "portal.example");
	assert_string_equal(oidc_uri_host(a, "https://portal.example:8443"), "portal.example");
	assert_string_equal(oidc_uri_host(a, "https://portal.example?x"), "portal.example");
	assert_string_equal(oidc_uri_host(a, "http://[::1]:80/cb"), "[::1]");
}

static void
parameters_are_added_to_the_query(void **state UNUSED)
{
	static const struct param add[] = {{"code", "a&b"}, {"state", NULL}, {"iss", "https://x/"}};
	const char *url;

	ASSERT_OK(oidc_uri_with(a, GOOD, false, add, 3, &url, &err), &err);
	assert_string_equal(url, GOOD "?code=a%26b&iss=https%3A%2F%2Fx%2F");
	ASSERT_OK(oidc_uri_with(a, GOOD "?x=1", false, add, 1, &url, &err), &err);
	assert_string_equal(url, GOOD "?x=1&code=a%26b");
	ASSERT_OK(oidc_uri_with(a, GOOD, false, add, 0, &url, &err), &err);
	assert_string_equal(url, GOOD);
	ASSERT_OK(oidc_uri_with(a, GOOD "?x=1", true, add, 3, &url, &err), &err);
	assert_string_equal(url, GOOD "?x=1#code=a%26b&iss=https%3A%2F%2Fx%2F");
	char *longer = arena_alloc(a, 20000);

	memset(longer, 'a', 19999);
	ASSERT_REFUSED(oidc_uri_with(a, GOOD, false, &(struct param){"x", longer}, 1, &url, &err),
		       &err, ERR_INTERNAL, "more than");
}

static void
an_origin_is_scheme_host_and_port(void **state UNUSED)
{
	static const struct {
		const char *other;
		bool same;
	} cases[] = {
		{"https://portal.example:8443/cb", true},
		{"https://portal.example:8443", true},
		{"https://portal.example:8443?x", true},
		{"https://portal.example:84430/", false},
		{"https://portal.example:844/", false},
		{"https://portal.example/cb", false},
		{"http://portal.example:8443/cb", false},
		{"https://other.example:8443/", false},
		{"app:/cb", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(
			oidc_uri_same_origin("https://portal.example:8443/out?x", cases[i].other),
			cases[i].same);
	assert_true(oidc_uri_same_origin("https://portal.example?x", "https://portal.example/"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proper_uris_may_be_registered),
		cmocka_unit_test(improper_uris_may_not),
		cmocka_unit_test(http_is_for_loopback_and_development_only),
		cmocka_unit_test(a_native_clients_own_scheme_is_a_domain_in_reverse),
		cmocka_unit_test(only_the_port_of_a_loopback_address_may_differ),
		cmocka_unit_test(only_the_exact_uri_is_registered),
		cmocka_unit_test(the_host_is_told_without_port),
		cmocka_unit_test(parameters_are_added_to_the_query),
		cmocka_unit_test(an_origin_is_scheme_host_and_port),
	};

	return cmocka_run_group_tests_name("redirect", tests, setup, teardown);
}
