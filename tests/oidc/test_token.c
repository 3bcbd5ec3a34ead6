/* The token endpoint: requests read, codes judged, answers written. */
#include "tests/oidc/fixture.h"

#include "oidc/error.h"
#include "oidc/token.h"

#define VERIFIER  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

static const struct param list[] = {
	{"grant_type", "authorization_code"},
	{"redirect_uri", "https://portal.example/cb"},
	{"code", "c0de"},
	{"code_verifier", VERIFIER},
	{"code", "again"},
	{"code_verifier", "again"},
	{"redirect_uri", "again"},
	{"grant_type", "again"},
};

static void
a_request_is_read(void **state UNUSED)
{
	struct oidc_code_request rq;
	const char *type;

	ASSERT_OK(oidc_token_grant_type(&(struct params){list, 4}, &type, &err), &err);
	assert_string_equal(type, OIDC_GRANT_CODE);
	ASSERT_OK(oidc_code_request_parse(&(struct params){list, 4}, &rq, &err), &err);
	assert_string_equal(rq.code, "c0de");
	assert_string_equal(rq.redirect_uri, "https://portal.example/cb");
	assert_string_equal(rq.verifier, VERIFIER);
	ASSERT_OK(oidc_code_request_parse(&(struct params){list, 3}, &rq, &err), &err);
	assert_null(rq.verifier);
}

static void
a_request_that_lacks_or_doubles_is_refused(void **state UNUSED)
{
	struct oidc_code_request rq;
	const char *type;

	ASSERT_REFUSED(oidc_token_grant_type(&(struct params){list + 1, 2}, &type, &err), &err,
		       ERR_INPUT, "grant_type is missing");
	ASSERT_REFUSED(oidc_token_grant_type(&(struct params){list, 8}, &type, &err), &err,
		       ERR_INPUT, "twice");
	ASSERT_REFUSED(oidc_code_request_parse(&(struct params){list, 2}, &rq, &err), &err,
		       ERR_INPUT, "is missing");
	ASSERT_REFUSED(oidc_code_request_parse(&(struct params){list + 2, 2}, &rq, &err), &err,
		       ERR_INPUT, "is missing");
	ASSERT_REFUSED(oidc_code_request_parse(&(struct params){list, 5}, &rq, &err), &err,
		       ERR_INPUT, "code occurs twice");
	ASSERT_REFUSED(oidc_code_request_parse(&(struct params){list + 3, 4}, &rq, &err), &err,
		       ERR_INPUT, "code_verifier occurs twice");
	const struct param twice[] = {list[1], list[2], {"redirect_uri", "https://evil.example/"}};

	ASSERT_REFUSED(oidc_code_request_parse(&(struct params){twice, 3}, &rq, &err), &err,
		       ERR_INPUT, "redirect_uri occurs twice");
	ASSERT_REFUSED(oidc_code_request_parse(&(struct params){list + 1, 6}, &rq, &err), &err,
		       ERR_INPUT, "occurs twice");
}

static void
a_code_is_for_its_client_uri_and_verifier(void **state UNUSED)
{
	const struct oidc_client c1 = {.client_id = "c1"}, c2 = {.client_id = "c2"};
	static const struct {
		struct oidc_code_request rq;
		struct oidc_code code;
		bool other_client;
		const char *part; /* NULL: passes */
	} cases[] = {
		{{"c", "https://x/", VERIFIER}, {"c1", "https://x/", CHALLENGE}, false, NULL},
		{{"c", "https://x/", VERIFIER},
		 {"c1", "https://x/", CHALLENGE},
		 true,
		 "another client"},
		{{"c", "https://x/?", VERIFIER},
		 {"c1", "https://x/", CHALLENGE},
		 false,
		 "redirect_uri is another"},
		{{"c", "https://x/", NULL}, {"c1", "https://x/", CHALLENGE}, false, "missing"},
		{{"c", "https://x/", VERIFIER}, {"c1", "https://x/", NULL}, false, "missing"},
		{{"c", "https://x/", CHALLENGE},
		 {"c1", "https://x/", CHALLENGE},
		 false,
		 "does not fit"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct oidc_client_proof proof = {.client =
								cases[i].other_client ? &c2 : &c1};

		if (cases[i].part == NULL) {
			ASSERT_OK(oidc_code_check(a, &cases[i].rq, &cases[i].code, &proof, &err),
				  &err);
			continue;
		}
		ASSERT_REFUSED(oidc_code_check(a, &cases[i].rq, &cases[i].code, &proof, &err), &err,
			       ERR_DENIED, cases[i].part);
		assert_false(oidc_code_check(a, &cases[i].rq, &cases[i].code, &proof, &err));
		assert_string_equal(err.proto, OIDC_INVALID_GRANT);
		err_clear(&err);
	}
}

static void
an_answer_is_written(void **state UNUSED)
{
	const struct oidc_token_response r = {.access_token = "at",
					      .expires_in_s = 600,
					      .scope = "openid profile",
					      .id_token = "a.b.c",
					      .refresh_token = "rt"};
	const struct oidc_token_response plain = {
		.access_token = "at", .expires_in_s = 600, .scope = "openid", .dpop = true};

	assert_string_equal(oidc_token_response_build(a, &r),
			    "{\"access_token\":\"at\",\"token_type\":\"Bearer\",\"expires_in\":600,"
			    "\"scope\":\"openid profile\",\"id_token\":\"a.b.c\","
			    "\"refresh_token\":\"rt\"}");
	assert_null(strstr(oidc_token_response_build(a, &plain), "id_token"));
	assert_null(strstr(oidc_token_response_build(a, &plain), "refresh_token"));
	assert_non_null(strstr(oidc_token_response_build(a, &plain), "\"token_type\":\"DPoP\""));
}

static void
a_refresh_is_read(void **state UNUSED)
{
	static const struct param whole[] = {{"refresh_token", "rt"}, {"scope", "a b"}};
	static const struct param twice[] = {{"refresh_token", "rt"}, {"refresh_token", "rt"}};
	static const struct param none[] = {{"refresh_token", ""}};
	static const struct param scopes[] = {{"refresh_token", "rt"}, {"scope", "a\n"}};
	static const struct {
		struct params form;
		const char *part;
	} cases[] = {
		{{twice, 2}, "twice"},
		{{none, 1}, "missing"},
		{{scopes, 2}, "scope"},
	};
	struct oidc_refresh_request r;

	ASSERT_OK(oidc_refresh_request_parse(a, &(struct params){whole, 2}, &r, &err), &err);
	assert_string_equal(r.token, "rt");
	assert_int_equal(r.scopes.n, 2);
	ASSERT_OK(oidc_refresh_request_parse(a, &(struct params){whole, 1}, &r, &err), &err);
	assert_int_equal(r.scopes.n, 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ASSERT_REFUSED(oidc_refresh_request_parse(a, &cases[i].form, &r, &err), &err,
			       ERR_INPUT, cases[i].part);
}

/* RFC 6749 4.4.2, RFC 8707 2 */
static void
a_client_asks_for_itself(void **state UNUSED)
{
	static const char *const may[] = {"read", "write"};
	static const struct param some[] = {{"scope", "write"}}, more[] = {{"scope", "write x"}},
				  two[] = {{"resource", "https://a/"}, {"resource", "https://b/"}},
				  none[] = {{"x", "y"}};
	const struct oidc_strs all = {may, 2};
	const char *resource;
	struct oidc_strs got;

	ASSERT_OK(oidc_client_scopes_parse(a, &(struct params){some, 1}, all, &got, &err), &err);
	assert_string_equal(oidc_scope_text(a, got), "write");
	ASSERT_OK(oidc_client_scopes_parse(a, &(struct params){none, 1}, all, &got, &err), &err);
	assert_string_equal(oidc_scope_text(a, got), "read write");
	assert_false(oidc_client_scopes_parse(a, &(struct params){more, 1}, all, &got, &err));
	assert_string_equal(err.proto, OIDC_INVALID_SCOPE);
	err_clear(&err);
	ASSERT_OK(oidc_resource_parse(&(struct params){two, 1}, &resource, &err), &err);
	assert_string_equal(resource, "https://a/");
	ASSERT_OK(oidc_resource_parse(&(struct params){none, 1}, &resource, &err), &err);
	assert_null(resource);
	assert_false(oidc_resource_parse(&(struct params){two, 2}, &resource, &err));
	assert_string_equal(err.proto, OIDC_INVALID_TARGET);
	err_clear(&err);
	assert_string_equal(oidc_scope_text(a, oidc_scope_of(a, "x write y read", all)),
			    "write read");
}

static void
scope_narrows_and_never_widens(void **state UNUSED)
{
	static const char *const some[] = {"c", "a"}, *const other[] = {"a", "d"};
	struct oidc_strs got, dropped;

	ASSERT_OK(oidc_scope_narrow(a, (struct oidc_strs){some, 2}, "a b c", &got, &dropped, &err),
		  &err);
	assert_string_equal(oidc_scope_text(a, got), "a c");
	assert_string_equal(oidc_scope_text(a, dropped), "b");
	ASSERT_OK(oidc_scope_narrow(a, (struct oidc_strs){NULL, 0}, "a b", &got, &dropped, &err),
		  &err);
	assert_string_equal(oidc_scope_text(a, got), "a b");
	assert_string_equal(oidc_scope_text(a, dropped), "");
	assert_false(
		oidc_scope_narrow(a, (struct oidc_strs){other, 2}, "a b", &got, &dropped, &err));
	assert_string_equal(err.proto, OIDC_INVALID_SCOPE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read),
		cmocka_unit_test(a_request_that_lacks_or_doubles_is_refused),
		cmocka_unit_test(a_code_is_for_its_client_uri_and_verifier),
		cmocka_unit_test(an_answer_is_written),
		cmocka_unit_test(a_refresh_is_read),
		cmocka_unit_test(a_client_asks_for_itself),
		cmocka_unit_test(scope_narrows_and_never_widens),
	};

	return cmocka_run_group_tests_name("token", tests, setup, teardown);
}
