/* saml/value.c: what is of a type and what is not. */
#include "saml/value.h"

#include "tests/test.h"

static void
test_booleans_have_four_spellings(void **state)
{
	bool b = false;

	(void)state;
	assert_true(saml_read_bool("true", &b) && b);
	assert_true(saml_read_bool("0", &b) && !b);
	assert_true(saml_read_bool("1", &b) && b);
	assert_true(saml_read_bool("false", &b) && !b);
	assert_false(saml_read_bool("True", &b));
	assert_false(saml_read_bool("", &b));
	assert_false(saml_read_bool("true ", &b));
}

static void
test_shorts_are_digits_up_to_65535(void **state)
{
	int v = -1;

	(void)state;
	assert_true(saml_read_short("65535", &v));
	assert_int_equal(v, 65535);
	assert_true(saml_read_short("0", &v));
	assert_false(saml_read_short("65536", &v));
	assert_false(saml_read_short("-1", &v));
	assert_false(saml_read_short("000001", &v));
	assert_false(saml_read_short("", &v));
}

static void
test_durations_are_counted_in_seconds(void **state)
{
	static const struct {
		const char *text;
		int64_t s;
	} good[] = {{"P1D", 86400},        {"PT1H", 3600},
		    {"P1DT2H3M4S", 93784}, {"P1Y", 31536000},
		    {"P1M", 2592000},      {"PT1M", 60},
		    {"PT0S", 0},           {"P9999999D", 863999913600}};
	static const char *const bad[] = {
		"",     "P",          "PT",    "P1DT", "1D",   "PD",      "P1H",
		"PT1D", "P1D1D",      "P1M1Y", "P-1D", "-P1D", "P1.5D",   "PT0.5S",
		"P1D ", "P12345678D", "PTT1S", "P1W",  "P1",   "PT1HT1M", "PT1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		int64_t s = -1;

		assert_true(saml_read_duration(good[i].text, &s));
		assert_int_equal(s, good[i].s);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int64_t s = -1;

		if (saml_read_duration(bad[i], &s))
			fail_msg("\"%s\" passed as a duration", bad[i]);
	}
}

static void
test_uris_are_those_of_rfc_3986(void **state)
{
	static const char *const good[] = {"https://sp.example/acs?x=1&y=%2F#f",
					   "urn:oid:2.5.4.42",
					   "STORK-QAA-Level-3",
					   "",
					   "https://u@h.example:8443/",
					   "/relative",
					   "//host/path",
					   "http://h:/"};
	static const char *const bad[] = {"https://sp.example/a b",
					  "https://sp.example/\xc3\xa4",
					  "https://sp.example/%2",
					  "https://sp.example/%zz",
					  "https://sp.example/a#b#c",
					  "1http://x/",
					  "ht_tp://x/",
					  ":x",
					  "https://h:port/",
					  "https://[::1]/",
					  "a\\b",
					  "https://h/<x>",
					  "urn:oid: 2.5.4.42"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!saml_is_uri(good[i]))
			fail_msg("%s is refused", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (saml_is_uri(bad[i]))
			fail_msg("%s passed as a URI", bad[i]);
}

static void
test_each_type_has_its_shape_and_length(void **state)
{
	static const struct {
		enum saml_type type;
		size_t most; /* octets; 0: nothing to fill */
		const char *good, *bad;
	} rows[] = {
		{SAML_T_STRING, 4096, "a b", NULL},
		{SAML_T_ID, 4096, "_1", NULL},
		{SAML_T_URI, 2048, "urn:x", "urn: x"},
		{SAML_T_LOGO, 65536, "data:image/png;base64,AA", "data: x"},
		{SAML_T_URIS, 0, "urn:a urn:b", "urn:a <b>"},
		{SAML_T_INTEGER, 50, "7", ""},
		{SAML_T_INTEGER, 50, "7", "-1"},
		{SAML_T_COUNT, 0, "0", "2147483648"},
		{SAML_T_POSITIVE, 0, "1", "0"},
		{SAML_T_BASE64, 0, "AA==", "AA"},
		{SAML_T_KEY_USE, 0, "signing", "Signing"},
		{SAML_T_CONTACT, 0, "other", "boss"},
		{SAML_T_COMPARISON, 0, "exact", "equal"},
		{SAML_T_COUNT, 0, "1", "x"},
	};
	struct arena *a = arena_create(1 << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(saml_value_is(a, rows[i].good, rows[i].type));
		assert_true(rows[i].bad == NULL || !saml_value_is(a, rows[i].bad, rows[i].type));
		char *filled = arena_alloc(a, rows[i].most + 2);

		memset(filled, '7', rows[i].most + 1);
		assert_true(rows[i].most == 0 || !saml_value_is(a, filled, rows[i].type));
		filled[rows[i].most] = '\0';
		assert_true(rows[i].most == 0 || saml_value_is(a, filled, rows[i].type));
	}
	arena_destroy(a);
}

static void
test_typed_attributes_are_read_or_refused(void **state)
{
	struct arena *a = arena_create(1 << 20);
	struct xml_doc *doc;
	struct err err = {0};
	bool b = true;
	time_t t = 7;
	int v = -1;

	(void)state;
	ASSERT_OK(xml_parse(a,
			    bytes_of("<x b=\"0\" v=\"12\" t=\"1970-01-01T00:01:00Z\" d=\"PT1M\" "
				     "j=\"junk\"/>"),
			    &xml_limits_message, &doc, &err),
		  &err);
	const struct xml_node *n = xml_root(doc);

	assert_true(saml_attr_bool(n, "missing", &b, &err) && b);
	assert_true(saml_attr_bool(n, "b", &b, &err) && !b);
	ASSERT_REFUSED(saml_attr_bool(n, "j", &b, &err), &err, ERR_INPUT, "j of <x> is malformed");
	assert_true(saml_attr_short(n, "missing", &v, &err) && v == -1);
	assert_true(saml_attr_short(n, "v", &v, &err) && v == 12);
	ASSERT_REFUSED(saml_attr_short(n, "j", &v, &err), &err, ERR_INPUT, "malformed");
	assert_true(saml_attr_time(n, "missing", &t, &err) && t == 7);
	assert_true(saml_attr_time(n, "t", &t, &err) && t == 60);
	ASSERT_REFUSED(saml_attr_time(n, "j", &t, &err), &err, ERR_INPUT, "dateTime");
	int64_t d = 5;

	assert_true(saml_attr_duration(n, "missing", &d, &err) && d == 5);
	assert_true(saml_attr_duration(n, "d", &d, &err) && d == 60);
	ASSERT_REFUSED(saml_attr_duration(n, "j", &d, &err), &err, ERR_INPUT, "malformed");
	arena_destroy(a);
}

static void
test_languages_are_subtags_of_up_to_eight(void **state)
{
	static const char *const good[] = {"de", "de-DE", "x-abcdefgh", "abcdefgh", "de-1996"};
	static const char *const bad[] = {"",   "-",     "de-",       "-de",         "de--DE",
					  "d1", "de_DE", "abcdefghi", "de-123456789"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!saml_is_language(good[i]))
			fail_msg("%s is refused", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (saml_is_language(bad[i]))
			fail_msg("%s passed as a language", bad[i]);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_booleans_have_four_spellings),
		cmocka_unit_test(test_shorts_are_digits_up_to_65535),
		cmocka_unit_test(test_durations_are_counted_in_seconds),
		cmocka_unit_test(test_uris_are_those_of_rfc_3986),
		cmocka_unit_test(test_each_type_has_its_shape_and_length),
		cmocka_unit_test(test_languages_are_subtags_of_up_to_eight),
		cmocka_unit_test(test_typed_attributes_are_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
