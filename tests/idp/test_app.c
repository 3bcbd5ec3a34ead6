/* From a raw request to an answer in one thread: routing, errors, forms, limits. */
#include "idp/app.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "idp/config.h"
#include "idp/csrf.h"
#include "idp/page.h"
#include "tests/idp/raw.h"
#include "tests/test.h"

static struct arena *a, *life;
static struct app app;
static struct config config;

static bool
handle_form(struct request *rq, struct response *rs, struct err *err UNUSED)
{
	const char *t = csrf_token(rq, rs, "/change");

	assert_string_equal(csrf_token(rq, rs, "/change"), t);
	response_text(rs, 200, t);
	return true;
}

static bool
handle_change(struct request *rq, struct response *rs, struct err *err UNUSED)
{
	response_text(rs, 200, request_form(rq, "name"));
	return true;
}

static bool
handle_fail(struct request *rq, struct response *rs, struct err *err)
{
	static const struct {
		const char *word;
		enum err_kind kind;
		const char *proto;
	} kinds[] = {
		{"input", ERR_INPUT, "invalid_scope"},    {"denied", ERR_DENIED, NULL},
		{"missing", ERR_NOT_FOUND, NULL},         {"conflict", ERR_CONFLICT, NULL},
		{"later", ERR_UNAVAILABLE, NULL},         {"fault", ERR_INTERNAL, "secret_name"},
		{"client", ERR_DENIED, "invalid_client"}, {"token", ERR_DENIED, "invalid_token"},
	};

	/* Whatever a handler set before it failed must not get out. */
	response_cookie(rq, rs, "session", "stolen", -1);
	response_text(rs, 200, "half done");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (text_eq(request_query(rq, "as"), kinds[i].word))
			return FAIL(err, kinds[i].kind, kinds[i].proto, "text for the log");
	return FAIL(err, ERR_INTERNAL, NULL, "unknown word");
}

static bool
handle_greedy(struct request *rq, struct response *rs, struct err *err UNUSED)
{
	(void)arena_alloc(rq->a, 1 << 20);
	response_text(rs, 200, "never");
	return true;
}

static bool
handle_split(struct request *rq UNUSED, struct response *rs, struct err *err UNUSED)
{
	response_text(rs, 200, "x");
	response_header(rs, "X", "a\r\nb");
	return true;
}

static bool
handle_now(struct request *rq, struct response *rs, struct err *err UNUSED)
{
	response_text(rs, 200, clock_text(rq->a, rq->now));
	return true;
}

#define ROW(m, p, h, f)                                                           \
	{                                                                         \
		m, p, h, LANE_LIGHT, f, 64, m == HTTP_POST ? 64 : 0, 262144, NULL \
	}

static const struct route table[] = {
	ROW(HTTP_GET, "/form", handle_form, 0),
	ROW(HTTP_POST, "/change", handle_change, 0),
	ROW(HTTP_POST, "/protocol", handle_change, ROUTE_PROTOCOL),
	ROW(HTTP_POST, "/machine", handle_change, ROUTE_MACHINE),
	ROW(HTTP_GET, "/fail", handle_fail, 0),
	ROW(HTTP_GET, "/fail-machine", handle_fail, ROUTE_MACHINE),
	ROW(HTTP_GET, "/greedy", handle_greedy, 0),
	ROW(HTTP_POST, "/greedy", handle_greedy, ROUTE_PROTOCOL),
	ROW(HTTP_GET, "/split", handle_split, 0),
	ROW(HTTP_GET, "/now", handle_now, 0),
	{HTTP_GET, "/doc/", document_handle, LANE_LOOP, ROUTE_PREFIX, 64, 0, 262144, NULL},
	ROW(HTTP_GET, "/health", handle_now, ROUTE_HEALTH),
	ROW(HTTP_GET, "/inside", handle_now, ROUTE_INTERNAL),
	{.path = NULL},
};

static int
setup(void **state UNUSED)
{
	struct err err = {0};

	log_open(-1, LOG_LVL_ERROR, "test");
	life = arena_create(16 << 20);
	a = arena_create(1 << 18);
	ASSERT_OK(config_parse(life, "t.conf",
			       bytes_of("instance = t\nbase_url = https://konto.example\n"
					"listen = 127.0.0.1:0\ndatabase = x\n"
					"master_key_file = /dev/null\n"),
			       true, &config, &err),
		  &err);
	app_init(&app, life, &config, table);
	ASSERT_OK(pages_load(life, NULL, &app.pages, &err), &err);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	app_finish(&app);
	arena_destroy(a);
	arena_destroy(life);
	return 0;
}

static struct response rs;

/* One request; the answer is in rs until the next one. */
static int
ask(const char *line, const char *headers, const char *body)
{
	struct raw_text t;

	arena_reset(a);
	raw_text_init(&t, line, headers);
	t.raw.body = bytes_of(body);
	app_handle(&app, a, &t.raw, NULL, &rs);
	return rs.status;
}

static bool
body_has(const char *part)
{
	return memmem(rs.body.p, rs.body.n, part, strlen(part)) != NULL;
}

#define HOST "Host: konto.example"
#define FORM HOST "\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 7\n"

static void
routing_has_its_statuses(void **state UNUSED)
{
	char long_line[128] = "GET /now?";

	assert_int_equal(ask("GET /now HTTP/1.1", HOST, ""), 200);
	assert_int_equal(ask("HEAD /now HTTP/1.1", HOST, ""), 200);
	assert_int_equal(ask("GET /none HTTP/1.1", HOST, ""), 404);
	assert_int_equal(ask("POST /now HTTP/1.1", FORM, "a=1"), 405);
	assert_string_equal(response_find(&rs, "Allow"), "GET, HEAD");
	memset(long_line + 9, 'x', 65);
	strcpy(long_line + 9 + 65, " HTTP/1.1");
	assert_int_equal(ask(long_line, HOST, ""), 414);
	assert_int_equal(ask("POST /machine HTTP/1.1", HOST "\nContent-Length: 65", ""), 413);
	assert_int_equal(ask("GET /a%00 HTTP/1.1", HOST, ""), 400);
	assert_true(rs.close);
	assert_int_equal(ask("PATCH /now HTTP/1.1", HOST, ""), 405);
	assert_true(rs.close);
}

static void
another_host_is_not_answered(void **state UNUSED)
{
	assert_int_equal(ask("GET /now HTTP/1.1", "Host: evil.example", ""), 421);
	assert_int_equal(ask("GET /now HTTP/1.1", "Host: konto.example:444", ""), 421);
	assert_int_equal(ask("GET /now HTTP/1.1", "Host: konto.example.evil", ""), 421);
	assert_int_equal(ask("GET /now HTTP/1.1", "Host: konto.exampl", ""), 421);
	assert_int_equal(ask("GET /now HTTP/1.1", "Host: kont0.example", ""), 421);
	assert_int_equal(ask("GET /now HTTP/1.1", "Host: Konto.Example", ""), 200);
	assert_int_equal(ask("GET /now HTTP/1.1", "Host: konto.example:443", ""), 200);
	assert_int_equal(ask("GET /health HTTP/1.1", "Host: 10.0.0.1", ""), 200);
}

static void
internal_rows_stay_inside(void **state UNUSED)
{
	struct raw_text t;

	assert_int_equal(ask("GET /inside HTTP/1.1", HOST, ""), 404);
	raw_text_init(&t, "GET /inside HTTP/1.1", "Host: any");
	t.raw.internal = true;
	app_handle(&app, a, &t.raw, NULL, &rs);
	assert_int_equal(rs.status, 200);
	raw_text_init(&t, "GET /now HTTP/1.1", HOST);
	t.raw.internal = true;
	app_handle(&app, a, &t.raw, NULL, &rs);
	assert_int_equal(rs.status, 404);
}

static void
failures_become_pages_without_the_log_text(void **state UNUSED)
{
	static const struct {
		const char *line;
		int page, machine;
		const char *proto;
	} cases[] = {
		{"input", 400, 400, "invalid_scope"},
		{"denied", 403, 403, "access_denied"},
		{"missing", 404, 404, "not_found"},
		{"conflict", 409, 400, "invalid_request"},
		{"later", 503, 503, "temporarily_unavailable"},
		{"fault", 500, 500, "server_error"},
		{"client", 403, 401, "invalid_client"},
		{"token", 403, 401, "invalid_token"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char line[64];

		snprintf(line, sizeof(line), "GET /fail?as=%s HTTP/1.1", cases[i].line);
		assert_int_equal(ask(line, HOST, ""), cases[i].page);
		assert_null(response_find(&rs, "Set-Cookie"));
		assert_false(body_has("half") || body_has("log") || body_has("secret"));
		assert_non_null(response_find(&rs, "Content-Security-Policy"));
		assert_int_equal(response_find(&rs, "Retry-After") != NULL, cases[i].page == 503);

		snprintf(line, sizeof(line), "GET /fail-machine?as=%s HTTP/1.1", cases[i].line);
		assert_int_equal(ask(line, HOST, ""), cases[i].machine);
		assert_true(body_has(cases[i].proto));
		assert_string_equal(response_find(&rs, "Content-Type"), "application/json");
		assert_int_equal(response_find(&rs, "WWW-Authenticate") != NULL,
				 cases[i].machine == 401);
	}
}

static void
error_pages_speak_the_readers_language(void **state UNUSED)
{
	ask("GET /none HTTP/1.1", HOST "\nAccept-Language: en", "");
	assert_true(body_has("lang=\"en\""));
	ask("GET /none HTTP/1.1", HOST, "");
	assert_true(body_has("lang=\"de\""));
	ask("GET /fail HTTP/1.1", HOST "\nCookie: __Host-lang=en", "");
	assert_true(body_has("lang=\"en\""));
}

static void
a_full_arena_refuses_the_request(void **state UNUSED)
{
	assert_int_equal(ask("GET /greedy HTTP/1.1", HOST, ""), 500);
	assert_true(body_has("lang=\"de\""));
	assert_int_equal(ask("POST /greedy HTTP/1.1", FORM, "a=1"), 413);

	/* When not even the error page fits. */
	struct arena *small = arena_create(96);
	struct raw_text t;

	raw_text_init(&t, "GET /greedy HTTP/1.1", HOST);
	app_handle(&app, small, &t.raw, NULL, &rs);
	assert_int_equal(rs.status, 500);
	assert_true(rs.close);
	raw_text_init(&t, "GET /none HTTP/1.1", HOST);
	app_handle(&app, small, &t.raw, NULL, &rs);
	assert_int_equal(rs.status, 404);
	arena_destroy(small);
}

static void
an_unsendable_header_is_our_fault(void **state UNUSED)
{
	assert_int_equal(ask("GET /split HTTP/1.1", HOST, ""), 500);
	assert_null(response_find(&rs, "X"));
	assert_null(rs.fault);
}

static time_t
fake_clock(struct app *x)
{
	return *(time_t *)x->clock_ctx;
}

static void
time_comes_from_the_apps_clock(void **state UNUSED)
{
	time_t t = 1795455600;
	struct app before = app;

	app.clock = fake_clock;
	app.clock_ctx = &t;
	ask("GET /now HTTP/1.1", HOST, "");
	assert_true(body_has("2026-11-23T17:40:00Z"));
	app.clock = before.clock;
}

/* Cookie and token as a browser would keep them. */
static void
get_form(char *cookie, char *token, size_t n)
{
	assert_int_equal(ask("GET /form HTTP/1.1", HOST, ""), 200);
	const char *set = response_find(&rs, "Set-Cookie");

	snprintf(cookie, n, "%.*s", (int)strcspn(set, ";"), set);
	snprintf(token, n, "%.*s", (int)rs.body.n, (const char *)rs.body.p);
}

static int
post(const char *path, const char *cookie, const char *origin, const char *site, const char *token)
{
	char line[64], headers[512], body[128];

	snprintf(line, sizeof(line), "POST %s HTTP/1.1", path);
	snprintf(headers, sizeof(headers), FORM "%s%s\n%s%s\n%s%s", cookie ? "Cookie: " : "X: 1",
		 cookie ? cookie : "", origin ? "Origin: " : "X: 1", origin ? origin : "",
		 site ? "Sec-Fetch-Site: " : "X: 1", site ? site : "");
	snprintf(body, sizeof(body), "name=ja%s%s", token ? "&" CSRF_FIELD "=" : "",
		 token ? token : "");
	return ask(line, headers, body);
}

static void
a_form_needs_its_token_and_its_origin(void **state UNUSED)
{
	const char *us = "https://konto.example", *so = "same-origin";
	char cookie[128], token[128], other[128], other_token[128];

	get_form(cookie, token, sizeof(cookie));
	get_form(other, other_token, sizeof(other));
	assert_string_not_equal(cookie, other);

	assert_int_equal(post("/change", cookie, us, so, token), 200);
	assert_true(body_has("ja"));
	assert_int_equal(post("/change", cookie, us, NULL, token), 200);
	assert_int_equal(post("/change", cookie, NULL, so, token), 200);

	assert_int_equal(post("/change", cookie, NULL, NULL, token), 403);
	assert_int_equal(post("/change", cookie, "null", NULL, token), 403);
	assert_int_equal(post("/change", cookie, "https://evil.example", so, token), 403);
	assert_int_equal(post("/change", cookie, us, "cross-site", token), 403);
	assert_int_equal(post("/change", cookie, us, "same-site", token), 403);
	assert_int_equal(post("/change", cookie, us, so, NULL), 403);
	assert_int_equal(post("/change", NULL, us, so, token), 403);
	assert_int_equal(post("/change", cookie, us, so, other_token), 403);
	/* A secret that is not ours: a sibling host may have planted it, with the token that fits.
	 */
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of("short form /change"), digest);
	assert_int_equal(post("/change", "__Host-form=short", us, so,
			      enc_base64url(a, (struct bytes){digest, sizeof(digest)})),
			 403);
}

static void
the_token_stays_while_the_cookie_does(void **state UNUSED)
{
	char cookie[128], token[128], headers[256], again[128];

	get_form(cookie, token, sizeof(cookie));
	snprintf(headers, sizeof(headers), HOST "\nCookie: %s", cookie);
	ask("GET /form HTTP/1.1", headers, "");
	assert_null(response_find(&rs, "Set-Cookie"));
	snprintf(again, sizeof(again), "%.*s", (int)rs.body.n, (const char *)rs.body.p);
	assert_string_equal(again, token);
}

static void
protocol_and_machine_rows_take_posts_from_anywhere(void **state UNUSED)
{
	assert_int_equal(post("/protocol", NULL, "https://portal.example", "cross-site", NULL),
			 200);
	assert_int_equal(post("/machine", NULL, NULL, NULL, NULL), 200);
}

static void
a_parameter_given_twice_ends_the_connection(void **state UNUSED)
{
	assert_int_equal(ask("GET /now?a=1&a=2 HTTP/1.1", HOST, ""), 400);
	assert_true(rs.close);
}

static int n_ready;

static void
count_ready(struct arena *x UNUSED, struct documents *docs)
{
	n_ready += (int)docs->n;
}

static void
documents_come_from_the_snapshot_and_the_assets(void **state UNUSED)
{
	struct snapshot *snap = snapshot_create(1 << 20);
	struct document fresh = {.path = "/doc/jwks",
				 .type = "application/json",
				 .cache = "max-age=60",
				 .body = bytes_of("{}")},
			asset = {.path = "/doc/app.css",
				 .type = "text/css",
				 .cache = "max-age=9",
				 .body = bytes_of("a{}")};
	struct err err = {0};
	char headers[256];

	ASSERT_OK(documents_add(life, &app.assets, &asset, &err), &err);
	ASSERT_OK(documents_add(snap->a, &snap->documents, &fresh, &err), &err);
	app.documents_ready = count_ready;
	app_publish(&app, snap);
	assert_int_equal(n_ready, 1);
	assert_int_equal(ask("GET /doc/jwks HTTP/1.1", HOST, ""), 200);
	assert_true(body_has("{}"));
	assert_int_equal(ask("GET /doc/app.css HTTP/1.1", HOST, ""), 200);
	snprintf(headers, sizeof(headers), HOST "\nIf-None-Match: %s", response_find(&rs, "ETag"));
	assert_int_equal(ask("GET /doc/app.css HTTP/1.1", headers, ""), 304);
	assert_int_equal(ask("GET /doc/none HTTP/1.1", HOST, ""), 404);
}

/* Runs first: nothing is published yet. */
static void
without_keys_only_what_needs_none_answers(void **state UNUSED)
{
	app.db = (struct db *)&config; /* one there is; nobody asks it here */
	assert_int_equal(ask("GET /now HTTP/1.1", HOST, ""), 503);
	assert_int_equal(ask("GET /doc/jwks HTTP/1.1", HOST, ""), 503);
	app.db = NULL;
	assert_int_equal(ask("GET /now HTTP/1.1", HOST, ""), 200);
	assert_int_equal(ask("GET /doc/jwks HTTP/1.1", HOST, ""), 404);
}

static void
refs_can_be_read_out(void **state UNUSED)
{
	char ref[REQUEST_REF_BYTES], other[REQUEST_REF_BYTES];

	app_make_ref(ref);
	app_make_ref(other);
	assert_int_equal(strlen(ref), 14);
	assert_int_equal(strspn(ref, "0123456789ABCDEFGHJKMNPQRSTVWXYZ-"), 14);
	assert_string_not_equal(ref, other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_keys_only_what_needs_none_answers),
		cmocka_unit_test(documents_come_from_the_snapshot_and_the_assets),
		cmocka_unit_test(routing_has_its_statuses),
		cmocka_unit_test(another_host_is_not_answered),
		cmocka_unit_test(internal_rows_stay_inside),
		cmocka_unit_test(failures_become_pages_without_the_log_text),
		cmocka_unit_test(error_pages_speak_the_readers_language),
		cmocka_unit_test(a_full_arena_refuses_the_request),
		cmocka_unit_test(an_unsendable_header_is_our_fault),
		cmocka_unit_test(time_comes_from_the_apps_clock),
		cmocka_unit_test(a_form_needs_its_token_and_its_origin),
		cmocka_unit_test(the_token_stays_while_the_cookie_does),
		cmocka_unit_test(protocol_and_machine_rows_take_posts_from_anywhere),
		cmocka_unit_test(a_parameter_given_twice_ends_the_connection),
		cmocka_unit_test(refs_can_be_read_out),
	};

	return cmocka_run_group_tests_name("app", tests, setup, teardown);
}
