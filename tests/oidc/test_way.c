/* Response types and modes: what is ours, what a client may have, how an error travels. */
#include "tests/oidc/fixture.h"

#include "oidc/way.h"

#define BOTH ((unsigned)OIDC_TYPE_CODE | OIDC_TYPE_CODE_ID_TOKEN)

static void
types_are_sets_of_words(void **state UNUSED)
{
	static const struct {
		const char *text;
		enum oidc_type type;
	} cases[] = {
		{"code", OIDC_TYPE_CODE},
		{"code id_token", OIDC_TYPE_CODE_ID_TOKEN},
		{"id_token code", OIDC_TYPE_CODE_ID_TOKEN},
		{"", 0},
		{NULL, 0},
		{"code ", 0},
		{" code", 0},
		{"code code", 0},
		{"code  id_token", 0},
		{"code id_token ", 0},
		{"code id_token token", 0},
		{"code token", 0},
		{"id_token", 0},
		{"id_token token", 0},
		{"token", 0},
		{"none", 0},
		{"Code", 0},
		{"codeid_token", 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(oidc_type_of(cases[i].text), cases[i].type);
}

static void
each_type_has_a_mode_of_its_own_and_others_by_name(void **state UNUSED)
{
	static const struct {
		const char *type, *mode;
		enum oidc_mode way;
	} cases[] = {
		{"code", NULL, OIDC_MODE_QUERY},
		{"code", "query", OIDC_MODE_QUERY},
		{"code", "fragment", OIDC_MODE_FRAGMENT},
		{"code", "form_post", OIDC_MODE_FORM_POST},
		{"code id_token", NULL, OIDC_MODE_FRAGMENT},
		{"code id_token", "fragment", OIDC_MODE_FRAGMENT},
		{"code id_token", "form_post", OIDC_MODE_FORM_POST},
		/* errors about these two */
		{"code id_token", "query", OIDC_MODE_FRAGMENT},
		{"code id_token", "web_message", OIDC_MODE_FRAGMENT},
		{"code", "web_message", OIDC_MODE_QUERY},
		{"code", "jwt", OIDC_MODE_QUERY},
		{"code", "form_post.jwt", OIDC_MODE_FORM_POST},
		{"code id_token", "jwt", OIDC_MODE_FRAGMENT},
		{"code id_token", "query.jwt", OIDC_MODE_FRAGMENT},
		{"token", NULL, OIDC_MODE_FRAGMENT},
		{"token", "query", OIDC_MODE_FRAGMENT},
		{"id_token token", "form_post", OIDC_MODE_FORM_POST},
		{"none", NULL, OIDC_MODE_QUERY},
		{NULL, NULL, OIDC_MODE_QUERY},
		{NULL, "form_post", OIDC_MODE_FORM_POST},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(oidc_way_of(cases[i].type, cases[i].mode).mode, cases[i].way);
}

static void
what_a_client_may_not_have_is_refused_by_name(void **state UNUSED)
{
	static const struct {
		const char *type, *mode;
		unsigned types;
		const char *proto;
	} cases[] = {
		{NULL, NULL, BOTH, "invalid_request"},
		{"token", NULL, BOTH, "unsupported_response_type"},
		{"code id_token token", NULL, BOTH, "unsupported_response_type"},
		{"code id_token", NULL, OIDC_TYPE_CODE, "unauthorized_client"},
		{"code", NULL, OIDC_TYPE_CODE_ID_TOKEN, "unauthorized_client"},
		{"code", NULL, 0, "unauthorized_client"},
		{"code", "web_message", BOTH, "invalid_request"},
		{"code", "Query", BOTH, "invalid_request"},
		{"code id_token", "query", BOTH, "invalid_request"},
		{"code id_token", "query.jwt", BOTH, "invalid_request"},
		{"code", "JWT", BOTH, "invalid_request"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_false(oidc_way_check(cases[i].type, cases[i].mode, cases[i].types, &err));
		assert_string_equal(err.proto, cases[i].proto);
		err_clear(&err);
	}
	ASSERT_OK(oidc_way_check("code", NULL, OIDC_TYPE_CODE, &err), &err);
	ASSERT_OK(oidc_way_check("code", "form_post", OIDC_TYPE_CODE, &err), &err);
	ASSERT_OK(oidc_way_check("code", "query.jwt", OIDC_TYPE_CODE, &err), &err);
	ASSERT_OK(oidc_way_check("code id_token", "jwt", BOTH, &err), &err);
	assert_true(oidc_way_of("code", "jwt").jwt);
	assert_false(oidc_way_of("code", "query").jwt);
	ASSERT_OK(oidc_way_check("id_token code", "fragment", BOTH, &err), &err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_are_sets_of_words),
		cmocka_unit_test(each_type_has_a_mode_of_its_own_and_others_by_name),
		cmocka_unit_test(what_a_client_may_not_have_is_refused_by_name),
	};

	return cmocka_run_group_tests_name("way", tests, setup, teardown);
}
