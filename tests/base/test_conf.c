/* The configuration file: every mistake is named with its line. */
#include "base/conf.h"
#include "tests/arena.h"

struct sample {
	const char *name, *none;
	bool on;
	int64_t count, wait_ms, size_bytes;
	const char *file;
	int level;
};

static const struct conf_row rows[] = {
	{"name", CONF_TEXT, offsetof(struct sample, name), NULL, NULL, 0, 0, CONF_RESTART, "Name."},
	{"none", CONF_TEXT, offsetof(struct sample, none), "", NULL, 0, 0, CONF_RELOAD, "None."},
	{"on", CONF_BOOL, offsetof(struct sample, on), "yes", NULL, 0, 0, CONF_RELOAD, "On."},
	{"count", CONF_COUNT, offsetof(struct sample, count), "3", NULL, 1, 10, CONF_RELOAD,
	 "Count."},
	{"wait", CONF_DURATION, offsetof(struct sample, wait_ms), "2min", NULL, 1, 0, CONF_RELOAD,
	 "Wait."},
	{"size", CONF_SIZE, offsetof(struct sample, size_bytes), "1KiB", NULL, 1, 0, CONF_RELOAD,
	 "Size."},
	{"file", CONF_FILE, offsetof(struct sample, file), "", NULL, 0, 0, CONF_RELOAD, "File."},
	{"level", CONF_CHOICE, offsetof(struct sample, level), "low", "low|high", 0, 0, CONF_RELOAD,
	 "Level."},
};

static bool
parse(const char *text, struct sample *s, struct err *err)
{
	memset(s, 0, sizeof(*s));
	return conf_parse(a, "t.conf", bytes_of(text), rows, ARRAY_LEN(rows), s, err);
}

static void
values_and_defaults_are_set(void **state UNUSED)
{
	struct sample s;
	struct err err = {0};

	ASSERT_OK(parse("# a comment\n\n name = Amt = 24 \r\nwait=90s\nlevel = high\n"
			"file = /dev/null\nsize = 2MiB\non = no",
			&s, &err),
		  &err);
	assert_string_equal(s.name, "Amt = 24");
	assert_null(s.none);
	assert_false(s.on);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.wait_ms, 90000);
	assert_int_equal(s.size_bytes, 2097152);
	assert_int_equal(s.level, 1);
	assert_string_equal(s.file, "/dev/null");
}

static void
each_mistake_is_named_with_its_line(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{"name = a\nnmae = b", "t.conf:2: unknown key 'nmae'"},
		{"name = a\nname = b", "t.conf:2: name: given twice"},
		{"on = yes", "t.conf: missing key 'name'"},
		{"name = a\non = true", "t.conf:2: on: yes or no"},
		{"name = a\ncount = x", "t.conf:2: count: not a number"},
		{"name = a\ncount = 5s", "t.conf:2: count: unknown or missing unit 's'"},
		{"name = a\ncount = 11", "t.conf:2: count: out of range"},
		{"name = a\nwait = 5", "t.conf:2: wait: unknown or missing unit ''"},
		{"name = a\nwait = 5 s", "t.conf:2: wait: unknown or missing unit ' s'"},
		{"name = a\nwait = 9223372036854775807d", "t.conf:2: wait: out of range"},
		{"name = a\nsize = 1MB", "t.conf:2: size: unknown or missing unit 'MB'"},
		{"name = a\nlevel = hig", "t.conf:2: level: one of low|high"},
		{"name = a\nfile = /none/such", "t.conf:2: file: cannot read the file"},
		{"name =", "t.conf:1: name: no value"},
		{"\n\nname", "t.conf:3: 'key = value' expected"},
		{"name = \xff", "t.conf:1: not UTF-8"},
	};
	struct sample s;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ASSERT_REFUSED(parse(cases[i][0], &s, &err), &err, ERR_INPUT, cases[i][1]);
}

static void
files_are_read_up_to_a_size(void **state UNUSED)
{
	struct bytes b;
	struct err err = {0};

	ASSERT_OK(conf_read_file(a, "/dev/null", 10, &b, &err), &err);
	assert_int_equal(b.n, 0);
	ASSERT_REFUSED(conf_read_file(a, "/dev/zero", 100, &b, &err), &err, ERR_INPUT,
		       "more than 100");
	ASSERT_REFUSED(conf_read_file(a, "/none/such", 10, &b, &err), &err, ERR_NOT_FOUND,
		       "/none/such");
}

static void
the_document_has_a_row_per_key(void **state UNUSED)
{
	const char *d = conf_document(a, rows, ARRAY_LEN(rows));

	assert_non_null(strstr(d, "| `name` | text | required | restart | Name. |\n"));
	assert_non_null(strstr(d, "| `level` | one of low,high | low | reload | Level. |\n"));
}

static void
the_line_of_a_key_is_found(void **state UNUSED)
{
	struct bytes text = bytes_of("# name = b\n\n  name= a\nname_more = 1\nlast =");

	assert_int_equal(conf_line(text, "name"), 3);
	assert_int_equal(conf_line(text, "name_more"), 4);
	assert_int_equal(conf_line(text, "last"), 5);
	assert_int_equal(conf_line(text, "las"), 0);
	assert_int_equal(conf_line(bytes_of("name"), "name"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_and_defaults_are_set),
		cmocka_unit_test(each_mistake_is_named_with_its_line),
		cmocka_unit_test(files_are_read_up_to_a_size),
		cmocka_unit_test(the_document_has_a_row_per_key),
		cmocka_unit_test(the_line_of_a_key_is_found),
	};

	return cmocka_run_group_tests_name("conf", tests, setup, teardown);
}
