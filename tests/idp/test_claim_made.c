/* Claims made of attributes: nothing beside what is released. */
#include "base/json.h"
#include "idp/claim_made.h"
#include "tests/arena.h"

#define AT(name) attribute_by_name(name)

static struct err err;

/* What is made of these, as a client would be told; NULL ends it, "" is verified to be empty. */
static const char *
made_of(const char *const *pairs, enum level level, bool levels)
{
	const struct policy policy = {.level_attributes = levels, .vocabulary = LEVEL_VOCAB_SHORT};
	struct released r[8];
	struct oidc_claim_value values[CLAIM_MADE_MAX];
	struct release released = {r, 0, NULL};
	json_t *o = json_new_object(a);
	size_t n = 0;

	for (; *pairs != NULL; pairs += 2) {
		r[released.n++] = (struct released){.at = AT(pairs[0]),
						    .value = pairs[1],
						    .verified_empty = *pairs[1] == '\0',
						    .level = level};
		level = LEVEL_HIGH; /* the first alone is of the level named */
	}
	claim_make(a, &released, &policy, values, &n);
	for (size_t i = 0; i < n; i++) {
		oidc_claims_put_value(a, o, &values[i]);
		assert_int_equal(values[i].level != NULL, levels);
		if (levels)
			json_put_str(a, o, "level", values[i].level);
		assert_null(values[i].assurance);
	}
	return json_text(a, o, false);
}

static void
a_claim_is_made_of_what_is_released(void **state UNUSED)
{
	static const struct {
		const char *pairs[9], *told;
	} cases[] = {
		{{"family_name", "Muster", "given_names", "Max Otto"},
		 "{\"name\":\"Max Otto Muster\"}"},
		{{"family_name", "Muster", "given_names", ""}, "{\"name\":\"Muster\"}"},
		{{"family_name", "", "given_names", "Max"}, "{\"name\":\"Max\"}"},
		{{"family_name", "", "given_names", ""}, "{}"},
		{{"family_name", "Muster"}, "{}"},
		{{"given_names", "Max", "title", "Dr."}, "{}"},
		{{"country", "DE", "locality", "Dresden", "postal_code", "01067", "street_address",
		  "Weg 1"},
		 "{\"address\":{\"formatted\":\"Weg 1\\n01067 Dresden\\nDE\"}}"},
		{{"country", "DE", "locality", "Dresden", "postal_code", "01067", "street_address",
		  ""},
		 "{\"address\":{\"formatted\":\"01067 Dresden\\nDE\"}}"},
		{{"locality", "Dresden", "postal_code", "01067", "street_address", "Weg 1"}, "{}"},
		{{"email", "max@example.invalid"}, "{\"email_verified\":true}"},
		{{"email", ""}, "{}"},
		{{"phone_number", "+49 351 1"}, "{\"phone_number_verified\":true}"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(made_of(cases[i].pairs, LEVEL_LOW, false), cases[i].told);
}

/* The level is that of the least of its parts; what a person says is not verified. */
static void
it_is_as_sure_as_the_least_of_its_parts(void **state UNUSED)
{
	static const char *const name[] = {"given_names", "Max", "family_name", "Muster", NULL};
	static const char *const other[] = {"family_name", "Muster", "given_names", "Max", NULL};
	static const char *const mail[] = {"email", "max@example.invalid", NULL};

	assert_string_equal(made_of(name, LEVEL_LOW, true),
			    "{\"name\":\"Max Muster\",\"level\":\"low\"}");
	assert_string_equal(made_of(other, LEVEL_BASIC, true),
			    "{\"name\":\"Max Muster\",\"level\":\"basic\"}");
	assert_string_equal(made_of(mail, LEVEL_BASIC, false), "{\"email_verified\":false}");
	assert_string_equal(made_of(mail, LEVEL_LOW, false), "{\"email_verified\":true}");
}

static bool
wants(const char *text, const char *attribute)
{
	struct oidc_claims c;

	ASSERT_OK(oidc_claims_parse(a, text, &c, &err), &err);
	return claim_wants(&c, AT(attribute));
}

static void
who_asks_for_it_asks_for_its_parts(void **state UNUSED)
{
	static const char name[] = "{\"userinfo\":{\"name\":null}}";
	static const char address[] = "{\"id_token\":{\"address\":null}}";

	assert_true(wants(name, "given_names"));
	assert_true(wants(name, "family_name"));
	assert_false(wants(name, "title"));
	assert_false(wants(name, "email"));
	assert_true(wants(address, "country"));
	assert_true(wants("{\"id_token\":{\"email_verified\":null}}", "email"));
	/* None is told as a verified one. */
	assert_false(wants("{\"userinfo\":{\"verified_claims\":{\"verification\":{"
			   "\"trust_framework\":null},\"claims\":{\"name\":null}}}}",
			   "given_names"));
}

static bool
may_not(const char *const *names, size_t n, const char *claim)
{
	struct wanted w[8];

	for (size_t i = 0; i < n; i++)
		w[i] = (struct wanted){AT(names[i]), false, false};
	return oidc_strs_have(claim_unregistered(a, (struct wanted_list){w, n}), claim);
}

static void
without_one_of_its_parts_it_is_not_registered(void **state UNUSED)
{
	static const char *const names[] = {"given_names", "family_name", "email", "locality",
					    "postal_code"};

	assert_false(may_not(names, 5, "name"));
	assert_true(may_not(names, 1, "name"));
	assert_true(may_not(names + 1, 1, "name"));
	assert_false(may_not(names, 5, "email_verified"));
	assert_true(may_not(names, 2, "email_verified"));
	assert_true(may_not(names, 5, "address.formatted"));
	assert_false(may_not(names, 5, "address.locality"));
	assert_true(may_not(names, 5, "address.country"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_claim_is_made_of_what_is_released),
		cmocka_unit_test(it_is_as_sure_as_the_least_of_its_parts),
		cmocka_unit_test(who_asks_for_it_asks_for_its_parts),
		cmocka_unit_test(without_one_of_its_parts_it_is_not_registered),
	};

	return cmocka_run_group_tests_name("claim_made", tests, setup, teardown);
}
