/* Answers go to a registered URI or nowhere. */
#include "tests/oidc/fixture.h"

#include "oidc/answer.h"

#define URI    "https://portal.example/cb?keep=1"
#define ISSUER "https://idp.example"

static const char *const uris[] = {"https://portal.example/other", URI};
static const struct oidc_client client = {.client_id = "c1", .redirect_uris = {uris, 2}};

static void
an_unproven_uri_gets_no_answer(void **state UNUSED)
{
	static const char *const unproven[] = {NULL, "", "https://portal.example/cb",
					       "https://evil.example/cb",
					       "https://portal.example@evil.example/cb?keep=1"};
	const struct oidc_return *r = NULL;

	for (size_t i = 0; i < ARRAY_LEN(unproven); i++)
		ASSERT_REFUSED(oidc_return_prove(a, &client, unproven[i], "s", &r, &err), &err,
			       ERR_INPUT, "not registered");
	ASSERT_REFUSED(oidc_return_prove(a, NULL, URI, "s", &r, &err), &err, ERR_INPUT,
		       "no such client");
	assert_null(r);
}

static void
answers_carry_state_and_issuer(void **state UNUSED)
{
	const struct err denied = {.kind = ERR_DENIED, .proto = OIDC_ACCESS_DENIED};
	const struct oidc_return *r;
	const char *url;

	ASSERT_OK(oidc_return_prove(a, &client, URI, "a&b=c#d\r\n", &r, &err), &err);
	ASSERT_OK(oidc_return_code(a, r, ISSUER, "SplxlOBe", &url, &err), &err);
	assert_string_equal(url, URI "&code=SplxlOBe&state=a%26b%3Dc%23d%0D%0A"
				     "&iss=https%3A%2F%2Fidp.example");
	ASSERT_OK(oidc_return_prove(a, &client, uris[0], NULL, &r, &err), &err);
	ASSERT_OK(oidc_return_error(a, r, ISSUER, oidc_error_of(&denied), &url, &err), &err);
	assert_string_equal(url, "https://portal.example/other?error=access_denied"
				 "&error_description=The%20request%20was%20denied."
				 "&iss=https%3A%2F%2Fidp.example");
}

static void
an_answer_longer_than_any_browser_takes_is_none(void **state UNUSED)
{
	const struct err denied = {.kind = ERR_DENIED, .proto = OIDC_ACCESS_DENIED};
	const struct oidc_return *r;
	char *longer = arena_alloc(a, 32768);
	const char *url;

	memset(longer, '&', 32767);
	longer[32767] = '\0';
	ASSERT_OK(oidc_return_prove(a, &client, URI, longer, &r, &err), &err);
	ASSERT_REFUSED(oidc_return_code(a, r, ISSUER, "c", &url, &err), &err, ERR_INTERNAL,
		       "bytes to write");
	ASSERT_REFUSED(oidc_return_error(a, r, ISSUER, oidc_error_of(&denied), &url, &err), &err,
		       ERR_INTERNAL, "bytes to write");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unproven_uri_gets_no_answer),
		cmocka_unit_test(answers_carry_state_and_issuer),
		cmocka_unit_test(an_answer_longer_than_any_browser_takes_is_none),
	};

	return cmocka_run_group_tests_name("answer", tests, setup, teardown);
}
