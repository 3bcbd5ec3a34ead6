/* Answers go to a registered URI or nowhere. */
#include "tests/oidc/fixture.h"

#include "oidc/answer.h"

#define URI    "https://portal.example/cb?keep=1"
#define ISSUER "https://idp.example"

static const char *const uris[] = {"https://portal.example/other", URI};
static const struct oidc_client client = {.client_id = "c1", .redirect_uris = {uris, 2}};

static const struct oidc_way by_query = {OIDC_TYPE_CODE, OIDC_MODE_QUERY, false};

static void
an_unproven_uri_gets_no_answer(void **state UNUSED)
{
	static const char *const unproven[] = {NULL, "", "https://portal.example/cb",
					       "https://evil.example/cb",
					       "https://portal.example@evil.example/cb?keep=1"};
	const struct oidc_return *r = NULL;

	for (size_t i = 0; i < ARRAY_LEN(unproven); i++)
		ASSERT_REFUSED(oidc_return_prove(a, &client, unproven[i], "s", by_query, &r, &err),
			       &err, ERR_INPUT, "not registered");
	ASSERT_REFUSED(oidc_return_prove(a, NULL, URI, "s", by_query, &r, &err), &err, ERR_INPUT,
		       "no such client");
	assert_null(r);
}

static struct oidc_carrier
carry(const char *uri, const char *state, enum oidc_mode mode, struct oidc_answer answer)
{
	const struct oidc_way way = {OIDC_TYPE_CODE, mode, false};
	const struct oidc_return *r;
	struct oidc_carrier c;

	ASSERT_OK(oidc_return_prove(a, &client, uri, state, way, &r, &err), &err);
	ASSERT_OK(oidc_return_send(a, r, ISSUER, &answer, &c, &err), &err);
	return c;
}

static void
answers_carry_state_and_issuer(void **state UNUSED)
{
	const struct err denied = {.kind = ERR_DENIED, .proto = OIDC_ACCESS_DENIED};
	const struct oidc_answer code = {.code = "SplxlOBe"},
				 no = {.error = oidc_error_of(&denied)};

	assert_string_equal(carry(URI, "a&b=c#d\r\n", OIDC_MODE_QUERY, code).location,
			    URI "&code=SplxlOBe&state=a%26b%3Dc%23d%0D%0A"
				"&iss=https%3A%2F%2Fidp.example");
	assert_string_equal(carry(uris[0], NULL, OIDC_MODE_QUERY, no).location,
			    "https://portal.example/other?error=access_denied"
			    "&error_description=The%20request%20was%20denied."
			    "&iss=https%3A%2F%2Fidp.example");
}

static void
a_fragment_leaves_the_query_alone(void **state UNUSED)
{
	const struct oidc_answer both = {.code = "c", .id_token = "a.b.c"};

	assert_string_equal(carry(URI, "s", OIDC_MODE_FRAGMENT, both).location,
			    URI "#code=c&id_token=a.b.c&state=s&iss=https%3A%2F%2Fidp.example");
}

/* OAuth 2.0 Form Post Response Mode 2: the values as they are; escaping is the page's. */
static void
a_form_has_the_same_fields(void **state UNUSED)
{
	const struct err denied = {.kind = ERR_DENIED, .proto = OIDC_ACCESS_DENIED};
	const struct oidc_answer code = {.code = "c"}, no = {.error = oidc_error_of(&denied)};
	struct oidc_carrier c = carry(URI, "a&b<c", OIDC_MODE_FORM_POST, code);

	assert_null(c.location);
	assert_string_equal(c.action, URI);
	assert_int_equal(c.n_fields, 3);
	assert_string_equal(c.fields[0].name, "code");
	assert_string_equal(c.fields[1].name, "state");
	assert_string_equal(c.fields[1].value, "a&b<c");
	assert_string_equal(c.fields[2].value, ISSUER);
	c = carry(URI, NULL, OIDC_MODE_FORM_POST, no);
	assert_int_equal(c.n_fields, 3);
	assert_string_equal(c.fields[0].value, "access_denied");
}

/* JARM 2.1, 2.3 */
static void
a_token_is_all_that_is_told(void **state UNUSED)
{
	static const struct oidc_way way = {OIDC_TYPE_CODE, OIDC_MODE_QUERY, true};
	struct oidc_answer code = {.code = "c"};
	const struct oidc_return *r;
	struct oidc_carrier c;

	ASSERT_OK(oidc_return_prove(a, &client, uris[0], "s", way, &r, &err), &err);
	assert_true(oidc_return_wants_jwt(r));
	assert_string_equal(json_text(a, oidc_return_claims(a, r, ISSUER, &code, 1000), true),
			    "{\"aud\":\"c1\",\"code\":\"c\",\"exp\":1600,\"iss\":\"" ISSUER
			    "\",\"state\":\"s\"}");
	ASSERT_REFUSED(oidc_return_send(a, r, ISSUER, &code, &c, &err), &err, ERR_INTERNAL,
		       "not signed");
	code.response = "x.y.z";
	ASSERT_OK(oidc_return_send(a, r, ISSUER, &code, &c, &err), &err);
	assert_string_equal(c.location, "https://portal.example/other?response=x.y.z");
	ASSERT_OK(oidc_return_prove(a, &client, uris[0], "s", by_query, &r, &err), &err);
	ASSERT_REFUSED(oidc_return_send(a, r, ISSUER, &code, &c, &err), &err, ERR_INTERNAL,
		       "not signed");
}

static void
an_answer_longer_than_any_browser_takes_is_none(void **state UNUSED)
{
	const struct oidc_answer code = {.code = "c"};
	const struct oidc_return *r;
	char *longer = arena_alloc(a, 32768);
	struct oidc_carrier c;

	memset(longer, '&', 32767);
	longer[32767] = '\0';
	ASSERT_OK(oidc_return_prove(a, &client, URI, longer, by_query, &r, &err), &err);
	ASSERT_REFUSED(oidc_return_send(a, r, ISSUER, &code, &c, &err), &err, ERR_INTERNAL,
		       "bytes to write");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unproven_uri_gets_no_answer),
		cmocka_unit_test(answers_carry_state_and_issuer),
		cmocka_unit_test(a_fragment_leaves_the_query_alone),
		cmocka_unit_test(a_form_has_the_same_fields),
		cmocka_unit_test(a_token_is_all_that_is_told),
		cmocka_unit_test(an_answer_longer_than_any_browser_takes_is_none),
	};

	return cmocka_run_group_tests_name("answer", tests, setup, teardown);
}
