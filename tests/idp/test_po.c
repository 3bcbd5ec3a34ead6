/* Texts in PO files: what is read, and that each mistake is named with its line. */
#include "base/buf.h"
#include "idp/po.h"
#include "tests/arena.h"

static void
keys_and_texts_are_read(void **state UNUSED)
{
	struct po po;
	struct err err = {0};
	const char *text = "# comment\n"
			   "msgid \"\"\nmsgstr \"\"\n\"Language: de\\n\"\n\n"
			   "#, no-wrap\n"
			   "msgid \"a.b\"\nmsgstr \"one \"\n\"\\\"two\\\"\\n\\t\\\\\"\n\n"
			   "msgid \"a.\"\n\"c\"\nmsgstr \"\"\n";

	ASSERT_OK(po_parse(a, "x.po", bytes_of(text), &po, &err), &err);
	assert_int_equal(po.n, 2);
	assert_string_equal(po.entries[0].key, "a.b");
	assert_string_equal(po.entries[0].text, "one \"two\"\n\t\\");
	assert_int_equal(po.entries[0].line, 7);
	assert_string_equal(po.entries[1].key, "a.c");
	assert_string_equal(po.entries[1].text, "");
}

static void
an_empty_file_has_no_texts(void **state UNUSED)
{
	struct po po;
	struct err err = {0};

	ASSERT_OK(po_parse(a, "x.po", (struct bytes){0}, &po, &err), &err);
	assert_int_equal(po.n, 0);
}

static void
mistakes_are_refused_with_their_line(void **state UNUSED)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"msgid \"a\"\n\n", "x.po:1: msgid without msgstr"},
		{"\nmsgid \"a\"\nmsgid \"b\"\n", "x.po:2: msgid without msgstr"},
		{"msgid \"a\"", "x.po:1: msgid without msgstr"},
		{"msgid a\n", "x.po:1: no string in quotes"},
		{"msgid \"a\nmsgstr \"\"\n", "x.po:1: string without its end"},
		{"msgid \"a\" b\n", "x.po:1: string without its end, or more after it"},
		{"msgid \"a\\x\"\n", "x.po:1: unknown escape"},
		{"msgid \"a\\", "x.po:1: unknown escape"},
		{"msgstr \"a\"\n", "x.po:1: neither msgid"},
		{"\"a\"\n", "x.po:1: neither msgid"},
		{"msgctxt \"a\"\n", "x.po:1: neither msgid"},
		{"#, fuzzy\nmsgid \"a\"\nmsgstr \"b\"\n", "x.po:1: fuzzy entry"},
		{"msgid \"\xc3\"\n", "x.po:1: not UTF-8 text"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct po po;
		struct err err = {0};

		ASSERT_REFUSED(po_parse(a, "x.po", bytes_of(cases[i].text), &po, &err), &err,
			       ERR_INPUT, cases[i].want);
	}
}

static void
a_nul_is_refused(void **state UNUSED)
{
	static const unsigned char text[] = "# a\0b\n";
	struct po po;
	struct err err = {0};

	ASSERT_REFUSED(po_parse(a, "x.po", (struct bytes){text, sizeof(text) - 1}, &po, &err), &err,
		       ERR_INPUT, "x.po:1: not UTF-8 text");
}

/* `head`, then n times `piece`, then `tail`. */
static struct bytes
repeated(const char *head, const char *piece, int n, const char *tail)
{
	struct buf b;
	struct bytes out;

	buf_init(&b, a, 1 << 19);
	buf_str(&b, head);
	for (int i = 0; i < n; i++)
		buf_str(&b, piece);
	buf_str(&b, tail);
	assert_true(buf_finish(&b, &out, NULL));
	return out;
}

static void
sizes_have_a_limit(void **state UNUSED)
{
	struct po po;
	struct err err = {0};
	struct bytes long_text = repeated("msgid \"a\"\nmsgstr \"", "0123456789", 500, "\"\n");
	struct bytes many = repeated("", "msgid \"a\"\nmsgstr \"b\"\n", 4097, "");

	ASSERT_REFUSED(po_parse(a, "x.po", long_text, &po, &err), &err, ERR_INPUT,
		       "x.po:1: key or text too long");
	ASSERT_REFUSED(po_parse(a, "x.po", many, &po, &err), &err, ERR_INPUT, "more than 4096");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys_and_texts_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_file_has_no_texts, setup, teardown),
		cmocka_unit_test_setup_teardown(mistakes_are_refused_with_their_line, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_nul_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(sizes_have_a_limit, setup, teardown),
	};

	return cmocka_run_group_tests_name("po", tests, NULL, NULL);
}
