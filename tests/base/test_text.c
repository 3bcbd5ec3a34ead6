/* From octets to text. */
#include "base/text.h"
#include "tests/arena.h"

static void
only_utf8_without_nul_becomes_text(void **state UNUSED)
{
	static const struct {
		const char *p;
		size_t n;
		bool ok;
	} cases[] = {
		{"", 0, true},
		{"Stra\xc3\x9f"
		 "e",
		 7, true},
		{"\xf0\x9f\x8f\x9b", 4, true},
		{"a\0b", 3, false},
		{"\xc0\xaf", 2, false},         /* overlong */
		{"\xe0\x80\xaf", 3, false},     /* overlong */
		{"\xf0\x80\x80\xaf", 4, false}, /* overlong */
		{"\xed\xa0\x80", 3, false},     /* surrogate */
		{"\xf4\x90\x80\x80", 4, false}, /* past U+10FFFF */
		{"\xc3", 1, false},
		{"\x80", 1, false},
		{"\xff", 1, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *out = NULL;
		struct bytes b = {(const unsigned char *)cases[i].p, cases[i].n};
		bool ok = text_from_bytes(a, b, 100, "value", &out, NULL);

		assert_int_equal(ok, cases[i].ok);
		assert_int_equal(out != NULL, cases[i].ok);
	}
}

static void
a_text_that_is_too_long_is_refused(void **state UNUSED)
{
	const char *out;
	struct err err = {0};

	ASSERT_OK(text_from_bytes(a, bytes_of("12345"), 5, "v", &out, &err), &err);
	ASSERT_REFUSED(text_from_bytes(a, bytes_of("123456"), 5, "v", &out, &err), &err, ERR_INPUT,
		       "v: 6 bytes");
}

static void
visible_ascii_has_no_blank_and_a_length(void **state UNUSED)
{
	assert_true(text_is_visible_ascii("abc~!", 5));
	assert_false(text_is_visible_ascii("abc~!", 4));
	assert_false(text_is_visible_ascii("", 5));
	assert_false(text_is_visible_ascii("a b", 5));
	assert_false(text_is_visible_ascii("\xc3\xa4", 5));
	assert_false(text_is_visible_ascii("a\x7f", 5));
}

static void
only_a_whole_string_is_in_a_list(void **state UNUSED)
{
	static const char *const words[] = {"openid", "email"};

	assert_true(text_in(words, 2, "email"));
	assert_false(text_in(words, 1, "email"));
	assert_false(text_in(words, 2, "e"));
	assert_false(text_in(NULL, 0, "email"));
}

static void
null_equals_only_null(void **state UNUSED)
{
	assert_true(text_eq(NULL, NULL));
	assert_false(text_eq(NULL, ""));
	assert_false(text_eq("", NULL));
	assert_true(text_eq("a", "a"));
	assert_false(text_eq("a", "A"));
	assert_true(text_starts("STORK-QAA", "STORK"));
	assert_false(text_starts("STO", "STORK"));
}

static void
trimming_takes_xml_space_only(void **state UNUSED)
{
	assert_string_equal(text_trim(a, " \t\r\n a b \n"), "a b");
	assert_string_equal(text_trim(a, "   "), "");
	assert_string_equal(text_trim(a, "\xc2\xa0x"), "\xc2\xa0x");
}

static void
words_are_split_at_spaces(void **state UNUSED)
{
	const char **w;
	size_t n;
	struct err err = {0};

	ASSERT_OK(text_words(a, "  openid  profile ", 4, &w, &n, &err), &err);
	assert_int_equal(n, 2);
	assert_string_equal(w[0], "openid");
	assert_string_equal(w[1], "profile");
	ASSERT_REFUSED(text_words(a, "a b c", 2, &w, &n, &err), &err, ERR_INPUT, "3 words");
}

static void
numbers_are_digits_within_the_maximum(void **state UNUSED)
{
	uint64_t v = 7;

	assert_true(text_to_u64("18446744073709551615", UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	static const char *const bad[] = {
		"", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(text_to_u64(bad[i], UINT64_MAX, &v));
	assert_false(text_to_u64("11", 10, &v));
}

static void
one_text_has_one_spelling(void **state UNUSED)
{
	static const char *const rows[][2] = {
		{"Mueller", "Mueller"},
		{"M\xc3\xbcller", "M\xc3\xbcller"},
		{"Mu\xcc\x88ller", "M\xc3\xbcller"},
		{"", ""},
		{"\xe1\xba\x9e", "\xe1\xba\x9e"},           /* capital sharp s stays */
		{"\xef\xac\x81", "\xef\xac\x81"},           /* so do ligatures: not NFKC */
		{"q\xcc\x87\xcc\xa3", "q\xcc\xa3\xcc\x87"}, /* marks in their order */
		{"\xe2\x84\xab", "\xc3\x85"},
	};
	const char *out;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ASSERT_OK(text_nfc(a, rows[i][0], &out, &err), &err);
		assert_string_equal(out, rows[i][1]);
	}
}

static void
one_line_has_no_controls(void **state UNUSED)
{
	static const char *const rows[][2] = {
		{"", ""},
		{"Stra\xc3\x9f"
		 "e 1",
		 "Stra\xc3\x9f"
		 "e 1"},
		{"a\nheld\r\t", "a\xef\xbf\xbdheld\xef\xbf\xbd\xef\xbf\xbd"},
		{"\x1b[2J\x7f", "\xef\xbf\xbd[2J\xef\xbf\xbd"},
		{"\xc2\x9b"
		 "2J\xc2\x85\xc2\xa0",
		 "\xef\xbf\xbd"
		 "2J\xef\xbf\xbd\xc2\xa0"},
		{"\xe2\x80\xae"
		 "x\xe2\x81\xa6\xe2\x80\xa8\xe2\x80\x8f\xd8\x9c",
		 "\xef\xbf\xbd"
		 "x\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xff\x80", "\xef\xbf\xbd\xef\xbf\xbd"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(text_one_line(a, rows[i][0]), rows[i][1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_text_has_one_spelling),
		cmocka_unit_test(one_line_has_no_controls),
		cmocka_unit_test(only_utf8_without_nul_becomes_text),
		cmocka_unit_test(a_text_that_is_too_long_is_refused),
		cmocka_unit_test(visible_ascii_has_no_blank_and_a_length),
		cmocka_unit_test(only_a_whole_string_is_in_a_list),
		cmocka_unit_test(null_equals_only_null),
		cmocka_unit_test(trimming_takes_xml_space_only),
		cmocka_unit_test(words_are_split_at_spaces),
		cmocka_unit_test(numbers_are_digits_within_the_maximum),
	};

	return cmocka_run_group_tests_name("text", tests, setup, teardown);
}
