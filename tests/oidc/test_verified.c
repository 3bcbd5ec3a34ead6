/* Verified claims: what a request may say, and that nothing is told which it does not allow. */
#include "tests/oidc/fixture.h"
#include "tests/oidc/support.h"

#include "oidc/error.h"
#include "oidc/verified.h"

#define NOW 1800000000
#define DAY 86400

/* Two were verified at the same time, one earlier and better, one never. */
static const struct oidc_claim_value values[] = {
	{"given_name", "Erika", false, NULL, "low", NOW - 10 * DAY, NULL},
	{"nationalities", "D", true, NULL, "low", NOW - 10 * DAY, NULL},
	{"address.locality", "Dresden", false, NULL, "substantial", NOW - 100 * DAY, NULL},
	{"address.country", "DE", false, NULL, "substantial", NOW - 100 * DAY, NULL},
	{"email", "erika@example.invalid", false, NULL, "basic", 0, NULL},
	{"title", NULL, false, NULL, "low", NOW - 10 * DAY, NULL},
	{"phone_number", "1", false, NULL, NULL, NOW, NULL},
};

static const json_t *
request_of(const char *text)
{
	return json_object_get(json_of(a, arena_printf(a, "{\"r\":%s}", text)), "r");
}

static const char *
answer(const char *request)
{
	const json_t *r = request_of(request);
	json_t *o = json_new_object(a);

	ASSERT_OK(oidc_verified_check(r, &err), &err);
	oidc_verified_put(a, r, values, ARRAY_LEN(values), NOW, o);
	return json_text(a, o, true);
}

#define TF(claims) "{\"verification\":{\"trust_framework\":null},\"claims\":{" claims "}}"
#define GIVEN      "\"claims\":{\"given_name\":\"Erika\"}"
#define EIDAS      "\"verification\":{\"trust_framework\":\"eidas\"}"

static void
what_is_asked_is_told_with_how_it_was_verified(void **state UNUSED)
{
	static const struct {
		const char *request, *answer;
	} rows[] = {
		{TF("\"given_name\":null"), "{\"verified_claims\":{" GIVEN "," EIDAS "}}"},
		{"{\"verification\":{\"trust_framework\":{\"value\":\"eidas\"},"
		 "\"assurance_level\":null,\"time\":null,\"evidence\":null,\"txn\":{}},"
		 "\"claims\":{\"given_name\":{\"essential\":true}}}",
		 "{\"verified_claims\":{" GIVEN ",\"verification\":{\"assurance_level\":\"low\","
		 "\"time\":\"2027-01-05T08:00:00Z\",\"trust_framework\":\"eidas\"}}}"},
		{TF("\"nationalities\":null,\"given_name\":null"),
		 "{\"verified_claims\":{\"claims\":{\"given_name\":\"Erika\",\"nationalities\":"
		 "[\"D\"]}," EIDAS "}}"},
		/* verified in two ways: a set each */
		{TF("\"address\":null,\"given_name\":null"),
		 "{\"verified_claims\":[{" GIVEN "," EIDAS
		 "},{\"claims\":{\"address\":{\"country\":"
		 "\"DE\",\"locality\":\"Dresden\"}}," EIDAS "}]}"},
		/* each set of a request by itself (IDA 5.6) */
		{"[" TF("\"given_name\":null") ",{\"verification\":{\"trust_framework\":{\"value\":"
					       "\"de_aml\"}},\"claims\":{\"address\":null}}]",
		 "{\"verified_claims\":{" GIVEN "," EIDAS "}}"},
		{"[" TF("\"given_name\":null") "," TF("\"given_name\":null") "]",
		 "{\"verified_claims\":[{" GIVEN "," EIDAS "},{" GIVEN "," EIDAS "}]}"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(answer(rows[i].request), rows[i].answer);
}

static void
what_was_not_verified_or_is_not_held_is_left_out(void **state UNUSED)
{
	static const char *const requests[] = {
		TF("\"email\":null"),
		TF("\"title\":null"),
		TF("\"phone_number\":null"),
		TF("\"unknown\":null"),
		TF("\"address.locality\":null"),
	};

	for (size_t i = 0; i < ARRAY_LEN(requests); i++)
		assert_string_equal(answer(requests[i]), "{}");
}

#define SHOWN                                                                                   \
	"[{\"type\":\"document\",\"document_details\":{\"type\":\"idcard\"},\"check_details\":" \
	"[{\"check_method\":\"vpip\"}]}]"
#define ASKS(evidence)                                                            \
	"{\"verification\":{\"trust_framework\":null,\"evidence\":" evidence "}," \
	"\"claims\":{\"given_name\":null}}"
#define TELLS(evidence)                                                            \
	"{\"verified_claims\":{" GIVEN ",\"verification\":{\"evidence\":" evidence \
	",\"trust_framework\":\"eidas\"}}}"

/* IDA 5.5.2: filters by type; no more than is asked for, and nothing that does not fit. */
static void
evidence_is_told_as_far_as_it_is_asked_for(void **state UNUSED)
{
	static const char none[] = "{\"verified_claims\":{" GIVEN "," EIDAS "}}";
	static const struct {
		const char *request, *answer;
	} rows[] = {
		{ASKS("[{\"type\":{\"value\":\"document\"}}]"), TELLS("[{\"type\":\"document\"}]")},
		{ASKS("[{\"type\":{\"value\":\"document\"},\"document_details\":{\"type\":null},"
		      "\"check_details\":[{\"check_method\":null}]}]"),
		 TELLS("[{\"check_details\":[{\"check_method\":\"vpip\"}],\"document_details\":"
		       "{\"type\":\"idcard\"},\"type\":\"document\"}]")},
		{ASKS("[{\"type\":{\"value\":\"vouch\"}},{\"type\":{\"value\":\"document\"}}]"),
		 TELLS("[{\"type\":\"document\"}]")},
		{ASKS("[{\"type\":{\"value\":\"document\"},\"document_details\":{\"type\":"
		      "{\"values\":[\"passport\",\"idcard\"]},\"issuer\":null}}]"),
		 TELLS("[{\"document_details\":{\"type\":\"idcard\"},\"type\":\"document\"}]")},
		{ASKS("null"),
		 TELLS("[{\"check_details\":[{\"check_method\":\"vpip\"}],\"document_details\":"
		       "{\"type\":\"idcard\"},\"type\":\"document\"}]")},
		/* not met: nothing of the set */
		{ASKS("[{\"type\":{\"value\":\"vouch\"}}]"), "{}"},
		{ASKS("[{\"type\":{\"value\":\"document\"},\"document_details\":{\"type\":"
		      "{\"value\":\"passport\"}}}]"),
		 "{}"},
		{ASKS("[{\"type\":{\"value\":\"document\"},\"check_details\":[{\"check_method\":"
		      "{\"value\":\"vri\"}}]}]"),
		 "{}"},
		{ASKS("[{\"type\":{\"value\":\"document\"},\"txn\":{\"value\":\"1\"}}]"), "{}"},
		{ASKS("[{\"type\":{\"value\":\"document\",\"max_age\":1}}]"), "{}"},
		{ASKS("{\"type\":{\"value\":\"document\"}}"), "{}"},
		/* what is no filter tells nothing */
		{ASKS("[]"), none},
		{ASKS("{}"), none},
	};
	const json_t *shown = json_object_get(json_of(a, "{\"e\":" SHOWN "}"), "e");
	const struct oidc_claim_value v[] = {
		{"given_name", "Erika", false, NULL, "low", NOW - 10 * DAY, shown}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const json_t *r = request_of(rows[i].request);
		json_t *o = json_new_object(a);

		ASSERT_OK(oidc_verified_check(r, &err), &err);
		assert_true(oidc_verified_wants_evidence(r));
		oidc_verified_put(a, r, v, 1, NOW, o);
		assert_string_equal(json_text(a, o, true), rows[i].answer);
	}
	assert_false(oidc_verified_wants_evidence(NULL));
	assert_false(oidc_verified_wants_evidence(request_of(TF("\"given_name\":null"))));
	/* Of what rests on nothing that was shown there is none, and a demand is not met. */
	assert_string_equal(answer(ASKS("null")), none);
	assert_string_equal(answer(ASKS("[{\"type\":{\"value\":\"document\"}}]")), "{}");
}

#define V(more) "{\"verification\":{\"trust_framework\":" more "},\"claims\":{\"given_name\":null}}"

static void
a_constraint_that_is_not_met_leaves_out_all_of_it(void **state UNUSED)
{
	static const char *const met[] = {
		V("{\"values\":[\"x\",\"eidas\"]}"),
		V("null,\"assurance_level\":{\"values\":[\"low\",\"high\"]}"),
		V("null,\"time\":{\"max_age\":864000}"),
		V("null,\"evidence\":[]"),
	};
	static const char *const unmet[] = {
		V("{\"value\":\"de_aml\"}"),
		V("{\"values\":[\"de_aml\"]}"),
		V("{\"values\":[]}"),
		V("{\"values\":\"eidas\"}"),
		V("{\"value\":\"eidas\",\"values\":[\"x\"]}"),
		V("{\"value\":5}"),
		V("null,\"assurance_level\":{\"value\":\"high\"}"),
		V("null,\"time\":{\"max_age\":863999}"),
		V("null,\"time\":{\"max_age\":\"1\"}"),
		V("null,\"time\":{\"value\":\"2020-01-01T00:00:00Z\"}"),
		V("null,\"evidence\":[{\"type\":{\"value\":\"document\"}}]"),
		V("null,\"evidence\":[{\"document\":{\"date_of_issuance\":{\"max_age\":5}}}]"),
		V("null,\"assurance_process\":{\"policy\":{\"values\":[\"x\"]}}"),
	};

	for (size_t i = 0; i < ARRAY_LEN(met); i++)
		assert_non_null(strstr(answer(met[i]), "Erika"));
	for (size_t i = 0; i < ARRAY_LEN(unmet); i++)
		assert_string_equal(answer(unmet[i]), "{}");
}

static void
a_claim_of_another_value_is_left_out_alone(void **state UNUSED)
{
	assert_string_equal(answer(TF("\"given_name\":{\"value\":\"Erika\"},"
				      "\"nationalities\":{\"values\":[\"F\"]},"
				      "\"address\":{\"value\":\"Dresden\"}")),
			    "{\"verified_claims\":{" GIVEN "," EIDAS "}}");
}

static void
what_is_no_request_is_refused(void **state UNUSED)
{
	static const struct {
		const char *request, *part;
	} rows[] = {
		{"null", "verification or claims"},
		{"\"x\"", "verification or claims"},
		{"{}", "verification or claims"},
		{"[]", "none, or more"},
		{"[{},{},{},{},{},{},{},{},{}]", "none, or more"},
		{"[null]", "verification or claims"},
		{"{\"claims\":{\"a\":null}}", "verification or claims"},
		{"{\"verification\":{\"trust_framework\":null}}", "verification or claims"},
		{"{\"verification\":[],\"claims\":{\"a\":null}}", "verification or claims"},
		{"{\"verification\":{},\"claims\":{\"a\":null}}", "trust_framework is missing"},
		{"{\"verification\":{\"trust_framework\":\"eidas\"},\"claims\":{\"a\":null}}",
		 "trust_framework is missing"},
		{TF(""), "no claims"},
		{TF("\"a\":5"), "neither null nor an object"},
		{TF("\"\":null"), "neither null nor an object"},
		{"[" TF("\"a\":null") "," TF("") "]", "no claims"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ASSERT_REFUSED(oidc_verified_check(request_of(rows[i].request), &err), &err,
			       ERR_INPUT, rows[i].part);
		assert_false(oidc_verified_check(request_of(rows[i].request), &err));
		assert_string_equal(err.proto, OIDC_INVALID_REQUEST);
		err_clear(&err);
	}
}

static void
more_claims_than_any_account_has_are_refused(void **state UNUSED)
{
	const char *claims = "\"c\":null";

	for (int i = 1; i < 64; i++)
		claims = arena_printf(a, "%s,\"c%d\":null", claims, i);
	ASSERT_OK(oidc_verified_check(
			  request_of(arena_printf(a,
						  "{\"verification\":{\"trust_framework\":null},"
						  "\"claims\":{%s}}",
						  claims)),
			  &err),
		  &err);
	ASSERT_REFUSED(oidc_verified_check(request_of(arena_printf(
						   a,
						   "{\"verification\":{\"trust_framework\":null},"
						   "\"claims\":{%s,\"d\":null}}",
						   claims)),
					   &err),
		       &err, ERR_INPUT, "more than 64");
}

/* It comes in the claims parameter, at either place, and its claims are asked for nowhere else. */
static void
the_claims_parameter_carries_it(void **state UNUSED)
{
	struct oidc_claims c;

	ASSERT_OK(
		oidc_claims_parse(
			a,
			"{\"id_token\":{\"verified_claims\":" TF(
				"\"birthdate\":null") "},"
						      "\"userinfo\":{\"email\":null,\"verified_"
						      "claims\":[" TF("\"given_name\":null") "]}}",
			&c, &err),
		&err);
	assert_non_null(c.verified_id_token);
	assert_non_null(c.verified_userinfo);
	assert_int_equal(c.n, 3);
	assert_true(oidc_claims_find(&c, "email")->in_userinfo);
	for (size_t i = 0; i < 2; i++) {
		const struct oidc_claim *one =
			oidc_claims_find(&c, i == 0 ? "birthdate" : "given_name");

		assert_non_null(one);
		assert_false(one->in_id_token || one->in_userinfo);
	}
	ASSERT_REFUSED(oidc_claims_parse(a, "{\"userinfo\":{\"verified_claims\":null}}", &c, &err),
		       &err, ERR_INPUT, "verification or claims");
	/* With one scope less at a refresh, none of it is told. */
	static const struct oidc_scope_claim rows[] = {{"email", "email"}};
	static const char *const email[] = {"email"};
	json_t *o = json_of(a, "{\"verified_claims\":{},\"x\":1}");

	assert_string_equal(
		json_text(a, oidc_claims_without(a, o, rows, 1, (struct oidc_strs){email, 1}),
			  true),
		"{\"x\":1}");
	assert_string_equal(
		json_text(a, oidc_claims_without(a, o, rows, 1, (struct oidc_strs){0}), true),
		"{\"verified_claims\":{},\"x\":1}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_is_told_with_how_it_was_verified),
		cmocka_unit_test(what_was_not_verified_or_is_not_held_is_left_out),
		cmocka_unit_test(evidence_is_told_as_far_as_it_is_asked_for),
		cmocka_unit_test(a_constraint_that_is_not_met_leaves_out_all_of_it),
		cmocka_unit_test(a_claim_of_another_value_is_left_out_alone),
		cmocka_unit_test(what_is_no_request_is_refused),
		cmocka_unit_test(more_claims_than_any_account_has_are_refused),
		cmocka_unit_test(the_claims_parameter_carries_it),
	};

	return cmocka_run_group_tests_name("verified", tests, setup, teardown);
}
