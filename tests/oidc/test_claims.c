/* The claims parameter, scopes as claims, and released values on their way out. */
#include "tests/oidc/fixture.h"
#include "tests/oidc/support.h"

#include "oidc/claims.h"

static void
the_claims_parameter_is_read(void **state UNUSED)
{
	struct oidc_claims c;
	const struct oidc_claim *one;

	/* After the example of Core 5.5. */
	ASSERT_OK(oidc_claims_parse(
			  a,
			  "{\"userinfo\":{\"given_name\":{\"essential\":true},\"nickname\":null,"
			  "\"email\":{\"essential\":true},\"picture\":null,"
			  "\"http://example.info/claims/groups\":null},"
			  "\"id_token\":{\"auth_time\":{\"essential\":true},"
			  "\"given_name#de\":{\"value\":5},"
			  "\"sub\":{\"value\":\"248289761001\"},"
			  "\"acr\":{\"essential\":true,\"values\":[\"high\",\"substantial\"]}},"
			  "\"verified_claims\":{}}",
			  &c, &err),
		  &err);
	assert_int_equal(c.n, 6);
	one = oidc_claims_find(&c, "given_name");
	assert_true(one->essential && one->in_id_token && one->in_userinfo);
	one = oidc_claims_find(&c, "nickname");
	assert_true(!one->essential && !one->in_id_token && one->in_userinfo);
	one = oidc_claims_find(&c, "auth_time");
	assert_true(one->essential && one->in_id_token && !one->in_userinfo);
	assert_null(oidc_claims_find(&c, "acr"));
	assert_null(oidc_claims_find(&c, "given"));
	assert_string_equal(c.sub, "248289761001");
	assert_int_equal(c.acr.n, 2);
	assert_string_equal(c.acr.s[0], "high");
	assert_true(c.acr_essential);
	/* Asked for in both places, it is essential when either says so. */
	ASSERT_OK(oidc_claims_parse(a,
				    "{\"id_token\":{\"email\":{\"essential\":true},\"name\":null,"
				    "\"sub\":{\"essential\":true}},"
				    "\"userinfo\":{\"name\":{\"essential\":true},\"email\":null}}",
				    &c, &err),
		  &err);
	assert_true(oidc_claims_find(&c, "email")->essential);
	assert_true(oidc_claims_find(&c, "name")->essential);
	assert_null(c.sub); /* wished for, and no one named */
	ASSERT_OK(oidc_claims_parse(a,
				    "{\"userinfo\":{\"email\":null},\"id_token\":{\"email\":null}}",
				    &c, &err),
		  &err);
	one = oidc_claims_find(&c, "email");
	assert_true(!one->essential && one->in_id_token && one->in_userinfo);
}

static void
acr_is_essential_only_with_values(void **state UNUSED)
{
	static const struct {
		const char *text;
		size_t n;
		bool essential;
	} cases[] = {
		{"{\"id_token\":{\"acr\":null}}", 0, false},
		{"{\"id_token\":{\"acr\":{\"essential\":true}}}", 0, false},
		{"{\"id_token\":{\"acr\":{\"value\":\"high\"}}}", 1, false},
		{"{\"id_token\":{\"acr\":{\"essential\":true,\"value\":\"high\"}}}", 1, true},
		{"{\"userinfo\":{\"acr\":{\"essential\":true,\"value\":\"high\"}}}", 0, false},
		{"{}", 0, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct oidc_claims c;

		ASSERT_OK(oidc_claims_parse(a, cases[i].text, &c, &err), &err);
		assert_int_equal(c.acr.n, cases[i].n);
		assert_int_equal(c.acr_essential, cases[i].essential);
	}
}

static void
a_malformed_claims_parameter_is_refused(void **state UNUSED)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{"", "not well-formed"},
		{"[]", "not an object"},
		{"{\"id_token\":[]}", "id_token is not an object"},
		{"{\"userinfo\":1}", "userinfo is not an object"},
		{"{\"userinfo\":{\"email\":true}}", "email is not an object"},
		{"{\"userinfo\":{\"email\":{\"essential\":1}}}", "essential is not true"},
		{"{\"userinfo\":{\"\":null}}", "empty or too long"},
		{"{\"userinfo\":{\"#de\":null}}", "empty or too long"},
		{"{\"id_token\":{\"acr\":{\"value\":1}}}", "value is not a string"},
		{"{\"id_token\":{\"acr\":{\"values\":[1]}}}", "something other than text"},
		{"{\"id_token\":{\"sub\":{\"values\":[\"a\",\"b\"]}}}", "more than one sub"},
		{"{\"id_token\":{},\"id_token\":{}}", "not well-formed"},
		{"{\"userinfo\":{\"email\":null,\"email\":null}}", "not well-formed"},
	};
	struct oidc_claims c;
	const char *many = "\"c\":null";

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ASSERT_REFUSED(oidc_claims_parse(a, cases[i].text, &c, &err), &err, ERR_INPUT,
			       cases[i].part);
		assert_false(oidc_claims_parse(a, cases[i].text, &c, &err));
		assert_string_equal(err.proto, "invalid_request");
		err_clear(&err);
	}
	for (int i = 0; i < 64; i++)
		many = arena_printf(a, "%s,\"c%d\":null", many, i);
	ASSERT_REFUSED(oidc_claims_parse(a, arena_printf(a, "{\"userinfo\":{%s}}", many), &c, &err),
		       &err, ERR_INPUT, "more than 64");
	char *name = arena_alloc(a, 200);

	memset(name, 'n', 129);
	ASSERT_REFUSED(oidc_claims_parse(a, arena_printf(a, "{\"userinfo\":{\"%s\":null}}", name),
					 &c, &err),
		       &err, ERR_INPUT, "too long");
}

static const struct oidc_scope_claim rows[] = {
	{"profile", "given_name"},          {"profile", "family_name"},
	{"profile", "nationalities"},       {"address", "address.locality"},
	{"address", "address.postal_code"}, {"email", "email"},
};

static void
scopes_ask_for_claims_at_userinfo(void **state UNUSED)
{
	static const char *const scopes[] = {"openid", "profile", "address"};
	const struct oidc_strs asked = {scopes, ARRAY_LEN(scopes)};
	const struct oidc_claim *one;
	struct oidc_claims c = {0};

	oidc_claims_add_scopes(a, rows, ARRAY_LEN(rows), asked, &c);
	assert_int_equal(c.n, 4); /* address once */
	one = oidc_claims_find(&c, "address.locality");
	assert_string_equal(one->name, "address");
	assert_true(one->in_userinfo && !one->in_id_token && !one->essential);
	assert_null(oidc_claims_find(&c, "email"));

	ASSERT_OK(oidc_claims_parse(a,
				    "{\"id_token\":{\"given_name\":{\"essential\":true},"
				    "\"email\":null}}",
				    &c, &err),
		  &err);
	oidc_claims_add_scopes(a, rows, ARRAY_LEN(rows), asked, &c);
	assert_int_equal(c.n, 5);
	one = oidc_claims_find(&c, "given_name");
	assert_true(one->in_userinfo && one->in_id_token && one->essential);
	one = oidc_claims_find(&c, "email");
	assert_true(!one->in_userinfo && one->in_id_token);
}

/* Core 5.5.1 */
static void
another_value_than_one_that_was_asked_for_is_not_told(void **state UNUSED)
{
	static const struct oidc_claim_value values[] = {
		{"given_name", "Erika", false, "high", NULL, 0, NULL},
		{"birth_family_name", NULL, false, "high", NULL, 0, NULL},
		{"nationalities", "D", true, NULL, NULL, 0, NULL},
		{"address.locality", "Bonn", false, NULL, NULL, 0, NULL},
	};
	static const struct {
		const char *asked, *told;
	} cases[] = {
		{"\"given_name\":{\"value\":\"Erika\"}",
		 "{\"given_name\":\"Erika\",\"claim_levels\":{\"given_name\":\"high\"}}"},
		{"\"given_name\":{\"values\":[1,\"Max\",\"Erika\"]}",
		 "{\"given_name\":\"Erika\",\"claim_levels\":{\"given_name\":\"high\"}}"},
		{"\"given_name\":{\"value\":null,\"values\":1}",
		 "{\"given_name\":\"Erika\",\"claim_levels\":{\"given_name\":\"high\"}}"},
		{"\"given_name\":{\"value\":\"Max\"}", "{}"},
		{"\"given_name\":{\"value\":{}}", "{}"},
		{"\"given_name\":{\"values\":[]}", "{}"},
		{"\"birth_family_name\":{\"value\":\"x\"}", "{}"},
		{"\"nationalities\":{\"value\":\"D\"}", "{}"},
		{"\"address\":{\"value\":\"Bonn\"}", "{}"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *o = json_new_object(a);
		struct oidc_claims c;

		ASSERT_OK(oidc_claims_parse(a,
					    arena_printf(a, "{\"id_token\":{%s}}", cases[i].asked),
					    &c, &err),
			  &err);
		oidc_claims_put(a, values, ARRAY_LEN(values), &c, OIDC_IN_ID_TOKEN, o);
		assert_string_equal(json_text(a, o, false), cases[i].told);
	}
}

static void
values_go_where_they_were_asked_for(void **state UNUSED)
{
	static const struct oidc_claim_value values[] = {
		{"given_name", "Erika", false, "substantial", NULL, 0, NULL},
		{"family_name", "Mustermann \"geb. Gabler\"", false, "high", NULL, 0, NULL},
		{"birth_family_name", NULL, false, "high", NULL, 0, NULL},
		{"nationalities", "D", true, "high", NULL, 0, NULL},
		{"address.locality", "K\xc3\xb6ln", false, "low", NULL, 0, NULL},
		{"address.postal_code", "51147", false, NULL, NULL, 0, NULL},
		{"email", "erika@mustermann.invalid", false, "basic", NULL, 0, NULL},
	};
	struct oidc_claims c;
	json_t *o = json_new_object(a);

	ASSERT_OK(oidc_claims_parse(a,
				    "{\"id_token\":{\"given_name\":null,\"email\":null},"
				    "\"userinfo\":{\"family_name\":null,\"given_name\":null,"
				    "\"nationalities\":null,\"address\":null,"
				    "\"birth_family_name\":null}}",
				    &c, &err),
		  &err);
	oidc_claims_put(a, values, ARRAY_LEN(values), &c, OIDC_IN_ID_TOKEN, o);
	assert_string_equal(
		json_text(a, o, false),
		"{\"given_name\":\"Erika\",\"email\":\"erika@mustermann.invalid\","
		"\"claim_levels\":{\"given_name\":\"substantial\",\"email\":\"basic\"}}");
	o = json_new_object(a);
	oidc_claims_put(a, values, ARRAY_LEN(values), &c, OIDC_IN_USERINFO, o);
	assert_string_equal(
		json_text(a, o, false),
		"{\"given_name\":\"Erika\",\"family_name\":\"Mustermann \\\"geb. Gabler\\\"\","
		"\"nationalities\":[\"D\"],"
		"\"address\":{\"locality\":\"K\xc3\xb6ln\",\"postal_code\":\"51147\"},"
		"\"claim_levels\":{\"given_name\":\"substantial\",\"family_name\":\"high\","
		"\"birth_family_name\":\"high\",\"nationalities\":\"high\","
		"\"address.locality\":\"low\"}}");
	o = json_new_object(a);
	oidc_claims_put(a, values, ARRAY_LEN(values), &(struct oidc_claims){0}, OIDC_IN_USERINFO,
			o);
	assert_string_equal(json_text(a, o, false), "{}");
}

/* Core 5.1: email_verified is a boolean, and no text is one. */
static void
a_truth_is_a_boolean(void **state UNUSED)
{
	static const struct {
		const char *asked, *text, *told;
	} cases[] = {
		{"null", "true", "{\"x_verified\":true}"},
		{"null", "false", "{\"x_verified\":false}"},
		{"{\"value\":true}", "true", "{\"x_verified\":true}"},
		{"{\"value\":true}", "false", "{}"},
		{"{\"values\":[1,false]}", "false", "{\"x_verified\":false}"},
		{"{\"value\":\"true\"}", "true", "{}"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct oidc_claim_value v = {
			.claim = "x_verified", .text = cases[i].text, .form = OIDC_CLAIM_TRUTH};
		struct oidc_claims c;
		json_t *o = json_new_object(a);

		ASSERT_OK(oidc_claims_parse(a,
					    arena_printf(a, "{\"userinfo\":{\"x_verified\":%s}}",
							 cases[i].asked),
					    &c, &err),
			  &err);
		oidc_claims_put(a, &v, 1, &c, OIDC_IN_USERINFO, o);
		assert_string_equal(json_text(a, o, false), cases[i].told);
	}
}

static void
claims_of_a_scope_are_left_out(void **state UNUSED)
{
	static const struct oidc_scope_claim table[] = {
		{"profile", "given_name"}, {"address", "address.locality"}, {"email", "email"}};
	static const char *const scopes[] = {"address", "email", "phone"};
	static const char text[] =
		"{\"given_name\":\"E\",\"address\":{\"locality\":\"K\"},\"email\":\"e\",\"x\":1,"
		"\"claim_levels\":{\"given_name\":\"low\",\"address.locality\":\"low\"}}";
	struct err why = {0};
	json_t *o;

	ASSERT_OK(json_parse_object(a, bytes_of(text), sizeof(text), &o, &why), &why);
	assert_string_equal(
		json_text(a, oidc_claims_without(a, o, table, 3, (struct oidc_strs){scopes, 3}),
			  false),
		"{\"given_name\":\"E\",\"x\":1,\"claim_levels\":{\"given_name\":\"low\"}}");
	assert_int_equal(json_object_size(o), 5); /* as it was */
	assert_int_equal(json_object_size(json_object_get(o, "claim_levels")), 2);
	json_object_del(o, "given_name");
	json_object_del(json_object_get(o, "claim_levels"), "given_name");
	assert_string_equal(
		json_text(a, oidc_claims_without(a, o, table, 3, (struct oidc_strs){scopes, 3}),
			  false),
		"{\"x\":1}");
}

static void
claims_are_left_out_by_name(void **state UNUSED)
{
	static const char *const names[] = {"address.locality", "email", "x.y"};
	static const struct oidc_strs list = {names, ARRAY_LEN(names)};
	static const struct {
		const char *text, *left;
	} cases[] = {
		{"{\"a\":1,\"email\":\"e\"}", "{\"a\":1}"},
		{"{\"address\":{\"locality\":\"K\",\"country\":\"DE\"}}",
		 "{\"address\":{\"country\":\"DE\"}}"},
		{"{\"address\":{\"locality\":\"K\"}}", "{}"},
		{"{\"claim_levels\":{\"email\":\"low\",\"a\":\"low\"}}",
		 "{\"claim_levels\":{\"a\":\"low\"}}"},
		{"{\"claim_levels\":{\"email\":\"low\"}}", "{}"},
		{"{\"verified_claims\":{\"claims\":{\"email\":\"e\"}}}", "{}"},
		{"{\"verified_claims\":[{\"claims\":{\"a\":1}},{\"claims\":{\"address\":"
		 "{\"locality\":\"K\"}}}]}",
		 "{}"},
		{"{\"verified_claims\":[{\"claims\":{\"address\":{\"country\":\"DE\"}}}]}",
		 "{\"verified_claims\":[{\"claims\":{\"address\":{\"country\":\"DE\"}}}]}"},
	};
	struct err why = {0};
	json_t *o;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ASSERT_OK(json_parse_object(a, bytes_of(cases[i].text), 1024, &o, &why), &why);
		assert_string_equal(json_text(a, oidc_claims_leave_out(a, o, list), false),
				    cases[i].left);
		assert_string_equal(json_text(a, o, false), cases[i].text); /* as it was */
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_claims_parameter_is_read),
		cmocka_unit_test(acr_is_essential_only_with_values),
		cmocka_unit_test(a_malformed_claims_parameter_is_refused),
		cmocka_unit_test(scopes_ask_for_claims_at_userinfo),
		cmocka_unit_test(values_go_where_they_were_asked_for),
		cmocka_unit_test(another_value_than_one_that_was_asked_for_is_not_told),
		cmocka_unit_test(a_truth_is_a_boolean),
		cmocka_unit_test(claims_of_a_scope_are_left_out),
		cmocka_unit_test(claims_are_left_out_by_name),
	};

	return cmocka_run_group_tests_name("claims", tests, setup, teardown);
}
