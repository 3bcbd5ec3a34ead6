/* The names of attributes in each vocabulary, both ways. */
#include "idp/vocabulary.h"

#include "base/enc.h"
#include "base/text.h"
#include "saml/names.h"
#include "tests/arena.h"

#define EIDAS "http://eidas.europa.eu/attributes/naturalperson/"

static const struct attribute *
at(const char *name)
{
	return attribute_by_name(name);
}

static void
every_attribute_has_a_name_of_its_own(void **state UNUSED)
{
	for (const struct attribute *x = attributes; x->name != NULL; x++) {
		for (size_t v = 0; v < VOCABULARY_COUNT; v++) {
			const char *name = vocabulary_name((enum vocabulary)v, x);

			assert_true(vocabulary_names(name, x));
			assert_int_equal(vocabulary_fact(name), FACT_COUNT);
		}
		assert_int_equal(vocabulary_of(vocabulary_name(VOCABULARY_BUNDID, x)),
				 VOCABULARY_BUNDID);
		assert_int_equal(vocabulary_of(vocabulary_name(VOCABULARY_BASIC, x)),
				 VOCABULARY_BASIC);
		for (const struct attribute *y = x + 1; y->name != NULL; y++) {
			assert_false(vocabulary_names(vocabulary_name(VOCABULARY_BUNDID, x), y));
			assert_false(vocabulary_names(vocabulary_name(VOCABULARY_BASIC, x), y));
		}
	}
}

static void
a_name_says_what_it_means_and_whose_it_is(void **state UNUSED)
{
	static const struct {
		const char *name, *attribute;
		enum login_fact fact;
		enum vocabulary v;
	} rows[] = {
		{"urn:oid:2.5.4.42", "given_names", FACT_COUNT, VOCABULARY_BUNDID},
		{"givenName", "given_names", FACT_COUNT, VOCABULARY_BASIC},
		{EIDAS "CurrentGivenName", "given_names", FACT_COUNT, VOCABULARY_EIDAS},
		{"Vorname", "given_names", FACT_COUNT, VOCABULARY_EKONA},
		{"Anschrift", "locality", FACT_COUNT, VOCABULARY_EKONA},
		{"Anschrift", "country", FACT_COUNT, VOCABULARY_EKONA},
		{EIDAS "CurrentAddress", "street_address", FACT_COUNT, VOCABULARY_EIDAS},
		{"urn:oid:1.3.6.1.4.1.25484.494450.3", NULL, FACT_PSEUDONYM, VOCABULARY_BUNDID},
		{"bPK2", NULL, FACT_PSEUDONYM, VOCABULARY_BASIC},
		{EIDAS "PersonIdentifier", NULL, FACT_PSEUDONYM, VOCABULARY_EIDAS},
		{"DatenuebermittlerPseudonymId", NULL, FACT_PSEUDONYM, VOCABULARY_EKONA},
		{"urn:oid:1.2.40.0.10.2.1.1.261.94", NULL, FACT_LEVEL, VOCABULARY_BUNDID},
		{NAME_PAIRWISE_ID, NULL, FACT_PAIRWISE_ID, VOCABULARY_COUNT},
		{NAME_SUBJECT_ID, NULL, FACT_SUBJECT_ID, VOCABULARY_COUNT},
		/* Names for people are none of eIDAS's, and nothing is near enough. */
		{"FamilyName", NULL, FACT_COUNT, VOCABULARY_COUNT},
		{"vorname", NULL, FACT_COUNT, VOCABULARY_COUNT},
		{"urn:oid:2.5.4", NULL, FACT_COUNT, VOCABULARY_COUNT},
		{"", NULL, FACT_COUNT, VOCABULARY_COUNT},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].attribute != NULL)
			assert_true(vocabulary_names(rows[i].name, at(rows[i].attribute)));
		else
			for (const struct attribute *x = attributes; x->name != NULL; x++)
				assert_false(vocabulary_names(rows[i].name, x));
		assert_int_equal(vocabulary_fact(rows[i].name), rows[i].fact);
		assert_int_equal(vocabulary_of(rows[i].name), rows[i].v);
	}
}

static struct release
released(void)
{
	static struct released r[] = {
		{NULL, "Erika", false, LEVEL_LOW, "self", true, 0, {NULL, 0}},
		{NULL, "", true, LEVEL_HIGH, "proofing", false, 0, {NULL, 0}},
		{NULL, "1964-08-12", false, LEVEL_HIGH, "proofing", false, 0, {NULL, 0}},
		{NULL, "Köln <\"&", false, LEVEL_HIGH, "proofing", false, 0, {NULL, 0}},
		{NULL, "Heidestraße 17", false, LEVEL_BASIC, "self", false, 0, {NULL, 0}},
		{NULL, "+49 30 1", false, LEVEL_BASIC, "self", false, 0, {NULL, 0}},
	};
	static const char *const names[] = {"given_names", "birth_name",     "birth_date",
					    "locality",    "street_address", "phone_number"};

	for (size_t i = 0; i < ARRAY_LEN(r); i++)
		r[i].at = at(names[i]);
	return (struct release){r, ARRAY_LEN(r), NULL};
}

static const struct saml_attribute *
told(enum vocabulary v, size_t *n)
{
	struct saml_attribute *list = ARENA_ARRAY(a, struct saml_attribute, 16);
	struct release r = released();

	*n = 0;
	vocabulary_tell(a, v, &r, list, n);
	return list;
}

static void
bundids_names_carry_levels(void **state UNUSED)
{
	size_t n;
	const struct saml_attribute *list = told(VOCABULARY_BUNDID, &n);

	assert_int_equal(n, 6);
	assert_string_equal(list[0].name, "urn:oid:2.5.4.42");
	assert_string_equal(list[0].name_format, SAML_ATTRNAME_URI);
	assert_string_equal(list[0].friendly_name, "givenName");
	assert_string_equal(list[0].trust_level, "NORMAL");
	assert_string_equal(list[0].values[0], "Erika");
	assert_null(list[0].type_ns);
	assert_string_equal(list[1].values[0], "");
	assert_string_equal(list[1].trust_level, "HOCH");
	list = told(VOCABULARY_BASIC, &n);
	assert_int_equal(n, 6);
	assert_string_equal(list[0].name, "givenName");
	assert_string_equal(list[0].name_format, SAML_ATTRNAME_BASIC);
	assert_string_equal(list[0].trust_level, "NORMAL");
}

static void
an_address_is_one_value_of_eidas(void **state UNUSED)
{
	size_t n;
	const struct saml_attribute *list = told(VOCABULARY_EIDAS, &n);
	struct bytes xml;
	struct err err = {0};

	assert_int_equal(n, 5); /* both parts of the address are one; a phone number has none */
	assert_string_equal(list[0].name, EIDAS "CurrentGivenName");
	assert_string_equal(list[0].friendly_name, "FirstName");
	assert_string_equal(list[0].type, "CurrentGivenNameType");
	assert_string_equal(list[0].type_ns->uri,
			    "http://eidas.europa.eu/attributes/naturalperson");
	assert_null(list[0].trust_level);
	assert_string_equal(list[2].values[0], "1964-08-12");
	assert_string_equal(list[3].name, EIDAS "CurrentAddress");
	assert_int_equal(list[3].n_values, 1);
	assert_int_equal(list[3].n_parts, 0);
	ASSERT_OK(dec_base64(a, bytes_of(list[3].values[0]), false, &xml, &err), &err);
	assert_string_equal(
		arena_strndup(a, (const char *)xml.p, xml.n),
		"<eidas:Thoroughfare xmlns:eidas=\"http://eidas.europa.eu/attributes/naturalperson"
		"\">Heidestraße 17</eidas:Thoroughfare><eidas:PostName xmlns:eidas=\""
		"http://eidas.europa.eu/attributes/naturalperson\">Köln &lt;\"&amp;"
		"</eidas:PostName>");
	assert_string_equal(list[4].name, "urn:oid:2.5.4.20");
	assert_null(list[4].type_ns);
	assert_string_equal(list[4].trust_level, "UNTERGEORDNET");
}

static void
ekona_has_german_dates_and_parts(void **state UNUSED)
{
	size_t n;
	const struct saml_attribute *list = told(VOCABULARY_EKONA, &n);

	assert_int_equal(n, 5);
	assert_string_equal(list[0].name, "Vorname");
	assert_string_equal(list[0].name_format, SAML_ATTRNAME_BASIC);
	assert_null(list[0].type_ns);
	assert_string_equal(list[2].values[0], "12.08.1964");
	assert_string_equal(list[3].name, "Anschrift");
	assert_string_equal(list[3].type, "AdresseType");
	assert_int_equal(list[3].n_values, 0);
	assert_int_equal(list[3].n_parts, 2);
	assert_string_equal(list[3].parts[0].name, "Strasse");
	assert_string_equal(list[3].parts[0].text, "Heidestraße 17");
	assert_string_equal(list[3].parts[1].name, "Ort");
}

/* A card may know the year alone. */
static void
partial_dates_stay_partial(void **state UNUSED)
{
	static const char *const dates[][2] = {
		{"1964", "1964"}, {"1964-08", "08.1964"}, {"", ""}, {"1964-08-12", "12.08.1964"}};

	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		struct released one = {
			at("birth_date"), dates[i][0], false, LEVEL_HIGH, "x", false, 0, {NULL, 0}};
		struct saml_attribute list[1];
		size_t n = 0;

		vocabulary_tell(a, VOCABULARY_EKONA, &(struct release){&one, 1, NULL}, list, &n);
		assert_string_equal(list[0].values[0], dates[i][1]);
	}
}

static void
facts_go_by_the_names_there_are(void **state UNUSED)
{
	static const char *const value[] = {"x"};
	struct saml_attribute list[2];
	size_t n = 0;

	vocabulary_tell_fact(VOCABULARY_EKONA, FACT_PSEUDONYM, value, 1, list, &n);
	assert_string_equal(list[0].name, "DatenuebermittlerPseudonymId");
	vocabulary_tell_fact(VOCABULARY_EKONA, FACT_MFA, value, 1, list, &n);
	assert_string_equal(list[1].name, "urn:oid:1.3.6.1.4.1.25484.494450.7");
	assert_string_equal(list[1].name_format, SAML_ATTRNAME_URI);
	n = 0;
	vocabulary_tell_fact(VOCABULARY_BASIC, FACT_PAIRWISE_ID, value, 1, list, &n);
	assert_string_equal(list[0].name, NAME_PAIRWISE_ID);
	assert_string_equal(list[0].name_format, SAML_ATTRNAME_URI);
	vocabulary_tell_fact(VOCABULARY_BUNDID, FACT_PERSON_KIND, value, 1, list, &n);
	vocabulary_tell_fact(VOCABULARY_EKONA, FACT_PERSON_KIND, value, 0, list, &n);
	assert_int_equal(n, 1); /* no name, or nothing to say */
	assert_true(vocabulary_always_tells(VOCABULARY_EKONA, FACT_PERSON_KIND));
	assert_true(vocabulary_always_tells(VOCABULARY_EIDAS, FACT_PSEUDONYM));
	assert_false(vocabulary_always_tells(VOCABULARY_BUNDID, FACT_PSEUDONYM));
	assert_false(vocabulary_always_tells(VOCABULARY_BUNDID, FACT_PERSON_KIND));
}

static void
the_list_has_each_name_once(void **state UNUSED)
{
	size_t n;
	const struct saml_attribute *list = vocabulary_list(a, &n);

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(list[i].n_values + list[i].n_parts, 0);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(list[i].name, list[k].name);
	}
	for (const struct attribute *x = attributes; x->name != NULL; x++)
		for (size_t v = 0; v < VOCABULARY_COUNT; v++) {
			bool found = false;

			for (size_t i = 0; i < n; i++)
				found |= strcmp(list[i].name,
						vocabulary_name((enum vocabulary)v, x)) == 0;
			assert_true(found);
		}
}

static void
what_is_known_of_a_name_is_told(void **state UNUSED)
{
	static const struct {
		const char *name, *friendly;
		bool ours;
		const char *vocabulary, *format, *guess;
	} cases[] = {
		{"urn:oid:2.5.4.42", NULL, true, "bundid", SAML_ATTRNAME_URI, NULL},
		{"givenName", NULL, true, "basic", SAML_ATTRNAME_BASIC, NULL},
		{"Vorname", NULL, true, "ekona", SAML_ATTRNAME_BASIC, NULL},
		{"http://eidas.europa.eu/attributes/naturalperson/BirthName", NULL, true, "eidas",
		 SAML_ATTRNAME_URI, NULL},
		{NAME_PAIRWISE_ID, NULL, true, NULL, SAML_ATTRNAME_URI, NULL},
		{"urn:oid:2.5.4.18", NULL, false, "bundid", NULL, NULL},
		{"urn:oid:akdb:ukHandle", NULL, false, "bayernid", NULL, NULL},
		{"Registerart", NULL, false, "ekona", NULL, NULL},
		/* Blanks, without urn:oid:, in other letters, by the friendly name, a slip. */
		{"urn:oid: 2.5.4.42", NULL, false, NULL, NULL, "urn:oid:2.5.4.42 (givenName)"},
		{" urn:oid:2.5.4.4\t", NULL, false, NULL, NULL, "urn:oid:2.5.4.4 (surname)"},
		{"2.5.4.20", NULL, false, NULL, NULL, "urn:oid:2.5.4.20 (telephoneNumber)"},
		{"GivenName", NULL, false, NULL, NULL, "urn:oid:2.5.4.42 (givenName)"},
		{"urn:x", "Surname", false, NULL, NULL, "urn:oid:2.5.4.4 (surname)"},
		{"urn:oid:1.2.40.0.10.2.1.1.225556", NULL, false, NULL, NULL,
		 "urn:oid:1.2.40.0.10.2.1.1.225566 (birthName)"},
		{"Geburtdatum", NULL, false, NULL, NULL, "Geburtsdatum"},
		{"urn:nothing:like:it", "shoeSize", false, NULL, NULL, NULL},
		{"", NULL, false, NULL, NULL, NULL},
	};
	struct saml_name_word w;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		vocabulary_explain(a, cases[i].name, cases[i].friendly, &w);
		if (w.ours != cases[i].ours || !text_eq(w.vocabulary, cases[i].vocabulary) ||
		    !text_eq(w.name_format, cases[i].format) || !text_eq(w.guess, cases[i].guess))
			fail_msg("%s: %d %s %s %s", cases[i].name, w.ours,
				 w.vocabulary == NULL ? "-" : w.vocabulary,
				 w.name_format == NULL ? "-" : w.name_format,
				 w.guess == NULL ? "-" : w.guess);
		assert_int_equal(w.friendly != NULL, w.ours || w.vocabulary != NULL);
	}
	char *much = arena_alloc(a, 10001);

	memset(much, 'x', 10000);
	vocabulary_explain(a, much, NULL, &w);
	assert_null(w.guess);
}

/* A name that stands for something here is none of those that only others have. */
static void
no_name_is_both_ours_and_not(void **state UNUSED)
{
	size_t n;
	const struct saml_attribute *list = vocabulary_list(a, &n);

	for (size_t i = 0; i < n; i++) {
		struct saml_name_word w;

		vocabulary_explain(a, list[i].name, NULL, &w);
		assert_true(w.ours);
		assert_string_equal(w.name_format, list[i].name_format);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_attribute_has_a_name_of_its_own),
		cmocka_unit_test(a_name_says_what_it_means_and_whose_it_is),
		cmocka_unit_test(bundids_names_carry_levels),
		cmocka_unit_test(an_address_is_one_value_of_eidas),
		cmocka_unit_test(ekona_has_german_dates_and_parts),
		cmocka_unit_test(partial_dates_stay_partial),
		cmocka_unit_test(facts_go_by_the_names_there_are),
		cmocka_unit_test(the_list_has_each_name_once),
		cmocka_unit_test(what_is_known_of_a_name_is_told),
		cmocka_unit_test(no_name_is_both_ours_and_not),
	};

	return cmocka_run_group_tests_name("vocabulary", tests, setup, teardown);
}
