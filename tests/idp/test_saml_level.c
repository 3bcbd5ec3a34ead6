/* The four comparisons over our levels (SAML2Core 3.3.2.2.1). */
#include "idp/saml_level.h"
#include "saml/status.h"
#include "tests/test.h"

#define Q "STORK-QAA-Level-"

static void
each_comparison_gives_its_range(void **state UNUSED)
{
	static const struct {
		enum saml_comparison comparison;
		const char *refs[2];
		size_t n;
		enum level least, most;
	} cases[] = {
		{SAML_EXACT, {0}, 0, LEVEL_NONE, LEVEL_HIGH},
		{SAML_EXACT, {Q "3"}, 1, LEVEL_SUBSTANTIAL, LEVEL_SUBSTANTIAL},
		{SAML_EXACT, {Q "4", Q "2"}, 2, LEVEL_LOW, LEVEL_LOW},
		{SAML_MINIMUM, {Q "3"}, 1, LEVEL_SUBSTANTIAL, LEVEL_HIGH},
		{SAML_MINIMUM, {"urn:unknown", Q "1"}, 2, LEVEL_BASIC, LEVEL_HIGH},
		{SAML_MAXIMUM, {Q "2", Q "3"}, 2, LEVEL_BASIC, LEVEL_SUBSTANTIAL},
		{SAML_BETTER, {Q "2"}, 1, LEVEL_SUBSTANTIAL, LEVEL_HIGH},
		{SAML_BETTER, {Q "1", Q "3"}, 2, LEVEL_HIGH, LEVEL_HIGH},
		{SAML_EXACT,
		 {"urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"},
		 1,
		 LEVEL_LOW,
		 LEVEL_LOW},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		enum level least = LEVEL_NONE, most = LEVEL_NONE;
		struct err err = {0};

		ASSERT_OK(saml_level_wanted(cases[i].comparison, cases[i].refs, cases[i].n, &least,
					    &most, &err),
			  &err);
		assert_int_equal(least, cases[i].least);
		assert_int_equal(most, cases[i].most);
	}
}

static void
what_nobody_can_reach_is_refused_by_name(void **state UNUSED)
{
	const char *unknown[] = {"urn:unknown"}, *top[] = {Q "4"};
	enum level least, most;
	struct err err = {0};

	assert_false(saml_level_wanted(SAML_MINIMUM, unknown, 1, &least, &most, &err));
	assert_string_equal(err.proto, SAML_NO_AUTHN_CONTEXT);
	ASSERT_REFUSED(saml_level_wanted(SAML_BETTER, top, 1, &least, &most, &err), &err,
		       ERR_DENIED, "better than high");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_comparison_gives_its_range),
		cmocka_unit_test(what_nobody_can_reach_is_refused_by_name),
	};

	return cmocka_run_group_tests_name("saml_level", tests, NULL, NULL);
}
