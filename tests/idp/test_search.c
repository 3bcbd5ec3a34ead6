/* Finding names by what people type. */
#include "idp/search.h"

#include "tests/arena.h"

static bool
finds(const char *query, const char *text)
{
	const char *texts[] = {"Servicekonto", text};
	const struct search *s = search_create(a, query);

	assert_non_null(s);
	return search_finds(s, texts, 2);
}

static void
marks_and_case_are_beside_the_point(void **state UNUSED)
{
	static const struct {
		const char *query, *text;
		bool found;
	} rows[] = {
		{"wurttemberg", "Baden-Württemberg", true},
		{"WUERTTEMBERG", "Baden-Württemberg", true},
		{"württemberg", "BADEN-WÜRTTEMBERG", true},
		{"württemberg", "Baden-Wuerttemberg", true},
		{"wu\xcc\x88rttemberg", "Baden-Württemberg", true}, /* u and a mark */
		{"strasse", "Straße", true},
		{"straße", "Strasse", true},
		{"chośebuz", "Chóśebuz", true},
		{"lodz", "Łódź", true},
		{"baden konto", "Baden-Württemberg", true},
		{"baden hessen", "Baden-Württemberg", false},
		{"wirttemberg", "Baden-Württemberg", false},
		{"αθη", "αθηνα", true},
		{"kontobaden", "Baden", false}, /* texts do not run into each other */
		{"\xc3", "\xc3", true},
		{"€", "10 €", true},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (finds(rows[i].query, rows[i].text) != rows[i].found)
			fail_msg("%s in %s", rows[i].query, rows[i].text);
}

static void
nothing_asked_is_no_search(void **state UNUSED)
{
	assert_null(search_create(a, ""));
	assert_null(search_create(a, " \t\r\n "));
}

static void
what_is_too_long_is_cut(void **state UNUSED)
{
	char *text = arena_alloc(a, 5001), *words = arena_alloc(a, 2001);

	memset(text, 'x', 5000);
	memcpy(text + 4990, "baden", 5);
	text[5000] = '\0';
	assert_false(finds("baden", text));
	memcpy(text + 10, "baden", 5);
	assert_true(finds("baden", text));
	/* Words beyond the eighth do not count. */
	memset(words, 'x', 2000);
	for (int i = 1; i < 2000; i += 2)
		words[i] = ' ';
	words[2000] = '\0';
	memcpy(words + 1990, "hessen", 6);
	assert_true(finds(words, "x"));
	memcpy(words, "hessen", 6);
	assert_false(finds(words, "x"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(marks_and_case_are_beside_the_point, setup,
						teardown),
		cmocka_unit_test_setup_teardown(nothing_asked_is_no_search, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_too_long_is_cut, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
