/* The attribute table and the values it takes. */
#include "idp/attribute.h"
#include "tests/test.h"

static void
no_two_rows_share_a_name(void **state UNUSED)
{
	for (const struct attribute *x = attributes; x->name != NULL; x++) {
		for (const struct attribute *y = x + 1; y->name != NULL; y++) {
			assert_string_not_equal(x->name, y->name);
			assert_string_not_equal(x->claim, y->claim);
		}
		assert_ptr_equal(attribute_by_name(x->name), x);
		assert_ptr_equal(attribute_by_claim(x->claim), x);
		assert_true(x->max_bytes > 0);
	}
	assert_null(attribute_by_name("none"));
	assert_null(attribute_by_claim("address"));
}

static void
a_claim_contains_its_members(void **state UNUSED)
{
	const struct attribute *at = attribute_by_name("locality");

	assert_true(attribute_in_claim(at, "address"));
	assert_true(attribute_in_claim(at, "address.locality"));
	assert_false(attribute_in_claim(at, "addr"));
	assert_false(attribute_in_claim(at, "address.locality.x"));
}

static void
values_have_the_shape_of_their_attribute(void **state UNUSED)
{
	static const struct {
		const char *name, *value;
		bool ok;
	} cases[] = {
		{"family_name", "Mustermann", true},
		{"family_name",
		 "O'Neill-Stra\xc3\x9f"
		 "e",
		 true},
		{"family_name", "", false},
		{"family_name", "   ", false},
		{"family_name", "a\nb", false},
		{"birth_date", "1964-08-12", true},
		{"birth_date", "1964-08", true},
		{"birth_date", "1964", true},
		{"birth_date", "1964-02-30", false},
		{"birth_date", "12.08.1964", false},
		{"birth_date", "1964-8-12", false},
		{"country", "DE", true},
		{"country", "D", false},
		{"country", "de", false},
		{"nationality", "D", true},
		{"nationality", "DEUX", false},
		{"email", "erika@example.invalid", true},
		{"email", "erika", false},
		{"email", "@example.invalid", false},
		{"email", "a@b@c.invalid", false},
		{"email", "a b@c.invalid", false},
		{"email", "a@localhost", false},
		{"postal_code", "01067", true},
		{"postal_code", "01067;", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct attribute *at = attribute_by_name(cases[i].name);
		struct err err = {0};

		if (attribute_check_value(at, cases[i].value, &err) != cases[i].ok)
			fail_msg("%s = '%s'", cases[i].name, cases[i].value);
	}
}

static void
a_value_past_its_length_is_refused(void **state UNUSED)
{
	char longer[202];
	struct err err = {0};

	memset(longer, 'x', sizeof(longer));
	longer[200] = '\0';
	ASSERT_OK(attribute_check_value(attribute_by_name("family_name"), longer, &err), &err);
	longer[200] = 'x';
	longer[201] = '\0';
	ASSERT_REFUSED(attribute_check_value(attribute_by_name("family_name"), longer, &err), &err,
		       ERR_INPUT, "longer than 200");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_two_rows_share_a_name),
		cmocka_unit_test(a_claim_contains_its_members),
		cmocka_unit_test(values_have_the_shape_of_their_attribute),
		cmocka_unit_test(a_value_past_its_length_is_refused),
	};

	return cmocka_run_group_tests_name("attribute", tests, NULL, NULL);
}
