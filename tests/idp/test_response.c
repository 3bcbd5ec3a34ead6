/* Answers: what may be sent, and what every one carries. */
#include "idp/response.h"

#include "tests/arena.h"

static void
a_page_carries_every_protection(void **state UNUSED)
{
	struct response rs = {0};

	response_html(&rs, 200, bytes_of("<p>"));
	response_finish(a, &rs);
	assert_null(rs.fault);
	assert_string_equal(response_find(&rs, "content-type"), "text/html; charset=utf-8");
	assert_string_equal(response_find(&rs, "Cache-Control"), "no-store");
	assert_string_equal(response_find(&rs, "X-Content-Type-Options"), "nosniff");
	assert_string_equal(response_find(&rs, "X-Frame-Options"), "DENY");
	assert_string_equal(response_find(&rs, "Referrer-Policy"), "same-origin");
	assert_string_equal(response_find(&rs, "Cross-Origin-Opener-Policy"), "same-origin");
	assert_non_null(response_find(&rs, "Strict-Transport-Security"));
	assert_non_null(response_find(&rs, "Permissions-Policy"));
	assert_string_equal(response_find(&rs, "Content-Security-Policy"),
			    "default-src 'none'; style-src 'self'; img-src 'self'; "
			    "font-src 'self'; script-src 'self'; base-uri 'none'; "
			    "frame-ancestors 'none'; form-action 'self'");
}

static void
forms_may_post_to_named_origins_only(void **state UNUSED)
{
	struct response rs = {.form_action = "https://amt24.example"};

	response_html(&rs, 200, bytes_of(""));
	response_finish(a, &rs);
	assert_non_null(strstr(response_find(&rs, "Content-Security-Policy"),
			       "form-action 'self' https://amt24.example"));

	rs = (struct response){.form_action = "https://a.example; script-src *"};
	response_html(&rs, 200, bytes_of(""));
	response_finish(a, &rs);
	assert_non_null(rs.fault);
}

static void
frames_may_come_from_named_origins_only(void **state UNUSED)
{
	struct response rs = {.frame_src = "https://a.example https://b.example:8443",
			      .form_action = "https://c.example"};

	response_html(&rs, 200, bytes_of(""));
	response_finish(a, &rs);
	assert_non_null(strstr(response_find(&rs, "Content-Security-Policy"),
			       "form-action 'self' https://c.example; frame-src https://a.example"
			       " https://b.example:8443"));
	assert_null(rs.fault);

	rs = (struct response){.frame_src = "https://a.example; script-src *"};
	response_html(&rs, 200, bytes_of(""));
	response_finish(a, &rs);
	assert_non_null(rs.fault);
}

static void
the_handlers_choice_of_caching_stands(void **state UNUSED)
{
	struct response rs = {0};

	response_json(&rs, 200, "{}");
	response_header(&rs, "Cache-Control", "public, max-age=60");
	response_finish(a, &rs);
	assert_string_equal(response_find(&rs, "Cache-Control"), "public, max-age=60");
	assert_string_equal(response_find(&rs, "Content-Security-Policy"),
			    "default-src 'none'; frame-ancestors 'none'");
}

static void
no_header_can_be_split(void **state UNUSED)
{
	static const struct header bad[] = {
		{"X", "a\r\nSet-Cookie: b"},
		{"X", "a\nb"},
		{"X Y", "a"},
		{"X\r", "a"},
		{"", "a"},
		{"X", "\x7f"},
		{"X", "\xc3\xa4"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct response rs = {0};

		response_header(&rs, bad[i].name, bad[i].value);
		assert_non_null(rs.fault);
		assert_int_equal(rs.n_headers, 0);
	}
}

static void
too_many_headers_are_a_fault(void **state UNUSED)
{
	struct response rs = {0};

	for (int i = 0; i < RESPONSE_HEADERS_MAX; i++)
		response_header(&rs, "X", "1");
	assert_null(rs.fault);
	response_header(&rs, "X", "1");
	assert_non_null(rs.fault);
}

static void
redirects_go_to_paths_and_absolute_urls(void **state UNUSED)
{
	static const char *const good[] = {"/", "/flow/abc", "https://amt24.example/cb?x=1",
					   "de.example.app:/cb"};
	static const char *const bad[] = {"",   "flow", "//evil.example", "/\\evil.example",
					  "?x", ":x"};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct response rs = {0};

		response_redirect(&rs, good[i]);
		assert_null(rs.fault);
		assert_int_equal(rs.status, 303);
		assert_string_equal(response_find(&rs, "Location"), good[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct response rs = {0};

		response_redirect(&rs, bad[i]);
		assert_non_null(rs.fault);
	}
}

static void
cookies_are_host_bound(void **state UNUSED)
{
	struct request rq = {.a = a};
	struct response rs = {0};

	response_cookie(&rq, &rs, "session", "abc", -1);
	assert_string_equal(response_find(&rs, "Set-Cookie"),
			    "__Host-session=abc; Path=/; Secure; HttpOnly; SameSite=Lax");
	rs = (struct response){0};
	response_cookie(&rq, &rs, "session", "", 0);
	assert_string_equal(response_find(&rs, "Set-Cookie"),
			    "__Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
	assert_null(rs.fault);
	response_cookie(&rq, &rs, "session", "a; Domain=evil", -1);
	assert_non_null(rs.fault);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_carries_every_protection),
		cmocka_unit_test(forms_may_post_to_named_origins_only),
		cmocka_unit_test(frames_may_come_from_named_origins_only),
		cmocka_unit_test(the_handlers_choice_of_caching_stands),
		cmocka_unit_test(no_header_can_be_split),
		cmocka_unit_test(too_many_headers_are_a_fault),
		cmocka_unit_test(redirects_go_to_paths_and_absolute_urls),
		cmocka_unit_test(cookies_are_host_bound),
	};

	return cmocka_run_group_tests_name("response", tests, setup, teardown);
}
