/* The four comparisons over our levels (SAML2Core 3.3.2.2.1). */
#include "idp/saml_level.h"
#include "saml/status.h"
#include "tests/test.h"

static const char *const words[] = {"", "STORK-QAA-Level-1", "STORK-QAA-Level-2",
				    "STORK-QAA-Level-3", "STORK-QAA-Level-4"};

/* What the text says of a level told in answer to one of those asked for. */
static bool
stands(enum saml_comparison comparison, int told, int asked)
{
	switch (comparison) {
	case SAML_EXACT:
		return told == asked;
	case SAML_MINIMUM:
		return told >= asked;
	case SAML_MAXIMUM:
		return told <= asked;
	case SAML_BETTER:
		return told > asked;
	}
	return false;
}

/* "better" has to hold for each of them, the others for one. */
static bool
may_be_told(enum saml_comparison comparison, int told, unsigned subset)
{
	bool one = false, all = true;

	for (int l = LEVEL_BASIC; l <= LEVEL_HIGH; l++) {
		if (!(subset & 1U << l))
			continue;
		one = one || stands(comparison, told, l);
		all = all && stands(comparison, told, l);
	}
	return comparison == SAML_BETTER ? all : one;
}

static size_t
refs_of(unsigned subset, const char **refs)
{
	size_t n = 0;

	refs[n++] = "urn:unknown";
	for (int l = LEVEL_HIGH; l >= LEVEL_BASIC; l--)
		if (subset & 1U << l)
			refs[n++] = words[l];
	return n;
}

static void
each_comparison_of_each_set_is_as_the_text_has_it(void **state UNUSED)
{
	static const struct policy policy;

	for (int c = SAML_EXACT; c <= SAML_BETTER; c++) {
		for (unsigned subset = 2; subset < 1U << (LEVEL_HIGH + 1); subset += 2) {
			const char *refs[LEVEL_HIGH + 1];
			struct acr_words asked = {refs, refs_of(subset, refs)};
			level_set set = 0, want = 0;
			struct err err = {0};

			for (int l = LEVEL_BASIC; l <= LEVEL_HIGH; l++)
				if (may_be_told((enum saml_comparison)c, l, subset))
					want |= 1U << l;
			bool ok = saml_level_wanted(&policy, (enum saml_comparison)c, asked, &set,
						    &err);

			assert_int_equal(ok, want != 0);
			assert_int_equal(ok ? set : 0, want);
			if (!ok)
				assert_string_equal(err.proto, SAML_NO_AUTHN_CONTEXT);
		}
	}
}

static void
nothing_asked_is_answered_by_anything(void **state UNUSED)
{
	static const struct policy policy;
	struct err err = {0};
	level_set set = 0;

	ASSERT_OK(saml_level_wanted(&policy, SAML_EXACT, (struct acr_words){0}, &set, &err), &err);
	assert_int_equal(set, LEVEL_SET_ANY);
	assert_int_equal(level_set_least(set), LEVEL_NONE);
}

static void
what_nobody_can_reach_is_refused_by_name(void **state UNUSED)
{
	static const struct policy policy;
	const char *unknown[] = {"urn:unknown"}, *top[] = {words[4]};
	level_set set;
	struct err err = {0};

	assert_false(saml_level_wanted(&policy, SAML_MINIMUM, (struct acr_words){unknown, 1}, &set,
				       &err));
	assert_string_equal(err.proto, SAML_NO_AUTHN_CONTEXT);
	ASSERT_REFUSED(
		saml_level_wanted(&policy, SAML_BETTER, (struct acr_words){top, 1}, &set, &err),
		&err, ERR_DENIED, "better than high");
}

static void
a_level_without_a_word_is_not_told(void **state UNUSED)
{
	static const struct policy policy = {.vocabulary = LEVEL_VOCAB_EIDAS};
	const char *asked[] = {"urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified",
			       "http://eidas.europa.eu/LoA/substantial"};
	struct err err = {0};
	level_set set;

	ASSERT_OK(saml_level_wanted(&policy, SAML_EXACT, (struct acr_words){asked, 2}, &set, &err),
		  &err);
	assert_int_equal(set, level_set_range(LEVEL_SUBSTANTIAL, LEVEL_SUBSTANTIAL));
	ASSERT_OK(
		saml_level_wanted(&policy, SAML_MINIMUM, (struct acr_words){asked, 1}, &set, &err),
		&err);
	assert_int_equal(set, level_set_range(LEVEL_LOW, LEVEL_HIGH));
	assert_false(
		saml_level_wanted(&policy, SAML_EXACT, (struct acr_words){asked, 1}, &set, &err));
	assert_string_equal(err.proto, SAML_NO_AUTHN_CONTEXT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_comparison_of_each_set_is_as_the_text_has_it),
		cmocka_unit_test(nothing_asked_is_answered_by_anything),
		cmocka_unit_test(what_nobody_can_reach_is_refused_by_name),
		cmocka_unit_test(a_level_without_a_word_is_not_told),
	};

	return cmocka_run_group_tests_name("saml_level", tests, NULL, NULL);
}
