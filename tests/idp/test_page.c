/*
 * Loading and rendering of pages: every page in every language with sample
 * members, what sections do, that nothing gets out unescaped, and each mistake
 * of a theme by file and line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "idp/attribute.h"
#include "idp/page.h"
#include "tests/idp/samples.h"
#include "tests/test.h"

#define HTML_BYTES_MAX 20000

static struct arena *a;
static char theme[] = "/tmp/kontor-theme-XXXXXX";

static int
setup(void **state UNUSED)
{
	a = arena_create((size_t)1 << 26);
	return a == NULL;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(a);
	return 0;
}

static const char *const theme_files[] = {"templates/login.html", "templates/_footer.html",
					  "templates/_cancel.html", "i18n/de.po", "i18n/en.po"};

static void
theme_empty(void)
{
	for (size_t i = 0; i < ARRAY_LEN(theme_files); i++)
		unlink(arena_printf(a, "%s/%s", theme, theme_files[i]));
}

static int
theme_create(void **state UNUSED)
{
	char path[64];

	if (mkdtemp(theme) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/templates", theme);
	if (mkdir(path, 0700) != 0)
		return 1;
	snprintf(path, sizeof(path), "%s/i18n", theme);
	return mkdir(path, 0700);
}

static int
theme_remove(void **state UNUSED)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/templates", theme);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/i18n", theme);
	rmdir(path);
	return rmdir(theme);
}

static void
theme_write(const char *name, const char *text)
{
	FILE *f = fopen(arena_printf(a, "%s/%s", theme, name), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static const struct pages *
loaded(void)
{
	const struct pages *p;
	struct err err = {0};

	ASSERT_OK(pages_load(a, NULL, &p, &err), &err);
	return p;
}

/* `login` replaced by a template of one's own, rendered with members from JSON. */
static const char *
rendered(const char *text, const char *json)
{
	const struct pages *p;
	struct err err = {0};
	struct bytes html;
	json_t *vars;

	theme_empty();
	theme_write("templates/login.html", text);
	ASSERT_OK(pages_load(a, theme, &p, &err), &err);
	theme_empty();
	ASSERT_OK(json_parse_object(a, bytes_of(json), 4096, &vars, &err), &err);
	ASSERT_OK(page_render(a, p, "login", LANG_DE, vars, &html, &err), &err);
	return arena_strndup(a, (const char *)html.p, html.n);
}

static bool
sample_exists(const struct samples *samples, const char *page)
{
	for (size_t i = 0; i < samples->n; i++)
		if (text_eq(samples->p[i].page, page))
			return true;
	return false;
}

static void
every_page_renders_in_every_language(void **state UNUSED)
{
	const struct pages *p = loaded();
	struct samples samples;
	struct err err = {0};
	struct bytes html;

	ASSERT_OK(samples_load(a, SAMPLES_JSON, &samples, &err), &err);
	for (size_t i = 0; i < samples.n; i++)
		for (enum lang lang = LANG_DE; lang <= LANG_EN; lang++) {
			ASSERT_OK(page_render(a, p, samples.p[i].page, lang, samples.p[i].vars,
					      &html, &err),
				  &err);
			assert_in_range(html.n, 1000, HTML_BYTES_MAX);
			assert_memory_equal(html.p, "<!DOCTYPE html>\n", 16);
			assert_non_null(memmem(
				html.p, html.n,
				lang == LANG_DE ? "<html lang=\"de\">" : "<html lang=\"en\">", 16));
			assert_null(memmem(html.p, html.n, "{{", 2));
			assert_null(memmem(html.p, html.n, " style=", 7));
			assert_null(memmem(html.p, html.n, "<script>", 8));
			assert_null(memmem(html.p, html.n, "<style", 6));
		}
}

static void
every_page_has_a_sample(void **state UNUSED)
{
	struct samples samples;
	struct err err = {0};

	ASSERT_OK(samples_load(a, SAMPLES_JSON, &samples, &err), &err);
	for (const struct embed_file *f = web_files; f->name != NULL; f++) {
		const char *base = f->name + strlen("templates/");

		if (!text_starts(f->name, "templates/") || base[0] == '_')
			continue;
		const char *page = arena_strndup(a, base, strcspn(base, "."));

		if (!sample_exists(&samples, page))
			fail_msg("%s has no sample", page);
	}
}

static void
every_attribute_has_its_label(void **state UNUSED)
{
	const struct pages *p = loaded();

	for (const struct attribute *at = attributes; at->name != NULL; at++) {
		assert_string_equal(at->text_key, arena_printf(a, "attr.%s", at->name));
		for (enum lang lang = LANG_DE; lang <= LANG_EN; lang++)
			if (text_eq(page_text(p, lang, at->text_key), at->text_key))
				fail_msg("no text %s", at->text_key);
	}
}

static void
sections_follow_their_member(void **state UNUSED)
{
	static const struct {
		const char *text, *json, *want;
	} cases[] = {
		{"{{a}}", "{\"a\":\"x\"}", "x"},
		{"{{a}}", "{\"a\":-7}", "-7"},
		{"{{a}}", "{\"a\":\"<&>\\\"'\"}", "&lt;&amp;&gt;&quot;&#39;"},
		{"{{#a}}y{{/a}}{{^a}}n{{/a}}", "{}", "n"},
		{"{{#a}}y{{/a}}{{^a}}n{{/a}}", "{\"a\":null}", "n"},
		{"{{#a}}y{{/a}}{{^a}}n{{/a}}", "{\"a\":false}", "n"},
		{"{{#a}}y{{/a}}{{^a}}n{{/a}}", "{\"a\":\"\"}", "n"},
		{"{{#a}}y{{/a}}{{^a}}n{{/a}}", "{\"a\":[]}", "n"},
		{"{{#a}}y{{/a}}{{^a}}n{{/a}}", "{\"a\":true}", "y"},
		{"{{#a}}y{{/a}}{{^a}}n{{/a}}", "{\"a\":\"0\"}", "y"},
		{"{{#a}}y{{/a}}{{^a}}n{{/a}}", "{\"a\":0}", "y"},
		{"{{#a}}{{b}}{{/a}}", "{\"a\":{\"b\":\"x\"}}", "x"},
		{"{{#a}}{{.}},{{/a}}", "{\"a\":[\"x\",\"<\",3]}", "x,&lt;,3,"},
		{"{{#a}}{{b}}{{c}},{{/a}}", "{\"a\":[{\"b\":1},{\"b\":2,\"c\":3}],\"c\":9}",
		 "19,23,"},
		{"{{#a}}{{#a}}{{b}}{{/a}}{{/a}}",
		 "{\"a\":[{\"a\":[{\"b\":1}]},{\"a\":[{\"b\":2}]}]}", "12"},
		{"{{t:page.cancel}}", "{}", "Abbrechen"},
		{"{{t:level.*a}}", "{\"a\":\"high\"}", "hoch"},
		{"{{#a}}{{t:level.*.}},{{/a}}", "{\"a\":[\"low\",\"high\"]}", "niedrig,hoch,"},
		{"{{t:consent.represented}}", "{\"represented_name\":\"A & B\"}", "für A &amp; B"},
		{"{{>_csrf}}", "{\"csrf\":\"x\"}",
		 "<input type=\"hidden\" name=\"csrf\" value=\"x\">\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(rendered(cases[i].text, cases[i].json), cases[i].want);
}

static void
an_asset_is_named_by_its_content(void **state UNUSED)
{
	const char *url = rendered("{{asset:kontor.css}}", "{}");
	const char *name = url + strlen("/static/");

	assert_true(text_starts(url, "/static/kontor."));
	assert_non_null(embed_find(web_static, name));
	assert_non_null(embed_find(web_static, arena_printf(a, "%s.gz", name)));
	assert_memory_equal(embed_find(web_static, name)->sha256, name + strlen("kontor."), 8);
}

static void
what_a_page_lacks_is_told_with_its_line(void **state UNUSED)
{
	static const struct {
		const char *text, *json, *want;
	} cases[] = {
		{"\n{{a}}", "{}", "templates/login.html:2: no value for a"},
		{"{{a}}", "{\"a\":null}", "no value for a"},
		{"{{a}}", "{\"a\":true}", "no value for a"},
		{"{{a}}", "{\"a\":1.5}", "no value for a"},
		{"{{a}}", "{\"a\":{}}", "no value for a"},
		{"{{t:consent.represented}}", "{}", "de.po"},
		{"{{t:level.*a}}", "{}", "no text level. of a"},
		{"{{t:level.*a}}", "{\"a\":\"top\"}", "no text level.top of a"},
	};
	const struct pages *p;
	struct err err = {0};
	struct bytes html;
	json_t *vars;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		theme_write("templates/login.html", cases[i].text);
		ASSERT_OK(pages_load(a, theme, &p, &err), &err);
		ASSERT_OK(json_parse_object(a, bytes_of(cases[i].json), 4096, &vars, &err), &err);
		ASSERT_REFUSED(page_render(a, p, "login", LANG_DE, vars, &html, &err), &err,
			       ERR_INTERNAL, cases[i].want);
	}
	theme_empty();
	ASSERT_REFUSED(page_render(a, p, "nothing", LANG_DE, vars, &html, &err), &err, ERR_INTERNAL,
		       "no template nothing");
}

static const char *
nested(int depth, const char *inside)
{
	for (int i = 0; i < depth; i++)
		inside = arena_printf(a, "{{#a}}%s{{/a}}", inside);
	return inside;
}

static void
sections_have_a_limit_over_parts(void **state UNUSED)
{
	const struct pages *p;
	struct err err = {0};
	struct bytes html;
	json_t *vars = json_new_object(a);

	json_put_bool(a, vars, "a", true);
	theme_write("templates/_footer.html", nested(16, "{{>_cancel}}"));
	theme_write("templates/_cancel.html", nested(15, "x"));
	theme_write("templates/login.html", nested(16, "{{>_footer}}"));
	ASSERT_OK(pages_load(a, theme, &p, &err), &err);
	ASSERT_OK(page_render(a, p, "login", LANG_DE, vars, &html, &err), &err);
	theme_write("templates/_cancel.html", nested(16, "x"));
	ASSERT_OK(pages_load(a, theme, &p, &err), &err);
	theme_empty();
	ASSERT_REFUSED(page_render(a, p, "login", LANG_DE, vars, &html, &err), &err, ERR_INTERNAL,
		       "_cancel.html:1: sections nest too deep");
}

static void
pages_have_a_limit(void **state UNUSED)
{
	const struct pages *p;
	struct err err = {0};
	struct bytes html;
	json_t *vars = json_new_object(a), *list = json_new_array(a);

	for (int i = 0; i < 1000; i++)
		json_push(a, list, json_true());
	json_put(a, vars, "a", list);
	theme_write("templates/login.html", "{{#a}}{{#a}}01234567{{/a}}{{/a}}");
	ASSERT_OK(pages_load(a, theme, &p, &err), &err);
	theme_empty();
	ASSERT_REFUSED(page_render(a, p, "login", LANG_DE, vars, &html, &err), &err, ERR_INTERNAL,
		       "524288");
}

static void
a_theme_wins_file_by_file_and_text_by_text(void **state UNUSED)
{
	const struct pages *p;
	struct err err = {0};
	struct bytes html;

	theme_write("templates/login.html", "{{t:page.cancel}} {{t:login.title}} {{t:theme.own}}");
	theme_write("i18n/de.po", "msgid \"page.cancel\"\nmsgstr \"Nein\"\n\n"
				  "msgid \"theme.own\"\nmsgstr \"Neu\"\n");
	theme_write("i18n/en.po", "msgid \"theme.own\"\nmsgstr \"New\"\n");
	ASSERT_OK(pages_load(a, theme, &p, &err), &err);
	theme_empty();
	ASSERT_OK(page_render(a, p, "login", LANG_DE, json_new_object(a), &html, &err), &err);
	assert_int_equal(html.n, strlen("Nein Anmelden Neu"));
	assert_memory_equal(html.p, "Nein Anmelden Neu", html.n);
	assert_string_equal(page_text(p, LANG_EN, "page.cancel"), "Cancel");
}

static void
a_folder_without_files_is_a_theme(void **state UNUSED)
{
	const struct pages *p;
	struct err err = {0};

	ASSERT_OK(pages_load(a, theme, &p, &err), &err);
	assert_string_equal(page_text(p, LANG_DE, "page.cancel"), "Abbrechen");
}

static void
mistakes_of_a_theme_are_named(void **state UNUSED)
{
	static const struct {
		const char *file, *text, *want;
	} cases[] = {
		{"templates/login.html", "\n{{#a}}", "login.html:2: section is not closed: a"},
		{"templates/login.html", "\n{{>_nothing}}", "login.html:2: no part _nothing"},
		{"templates/login.html", "\n{{t:no.thing}}", "login.html:2: no text no.thing"},
		{"templates/login.html", "\n{{t:no.*thing}}", "login.html:2: no text no."},
		{"templates/login.html", "\n{{asset:no.css}}", "login.html:2: no asset no.css"},
		{"templates/login.html", "{{asset:plain}}", "no asset plain"},
		{"templates/login.html", "\n{{>login}}",
		 "login.html:2: parts nest too deep at login"},
		{"i18n/de.po", "\nmsgid \"x.y\"\nmsgstr \"z\"\n", "de.po:2: x.y has no text in en"},
		{"i18n/de.po", "msgid \"a.b\"\nmsgstr \"{\"\n",
		 "de.po:1: a brace without its pair"},
		{"i18n/en.po",
		 "msgid \"page.cancel\"\nmsgstr \"a\"\n\nmsgid \"page.cancel\"\nmsgstr \"b\"\n",
		 "page.cancel is there twice"},
		{"i18n/en.po", "msgid\n", "en.po:1: neither msgid"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct pages *p;
		struct err err = {0};

		theme_write(cases[i].file, cases[i].text);
		ASSERT_REFUSED(pages_load(a, theme, &p, &err), &err, ERR_INPUT, cases[i].want);
		theme_empty();
	}
}

static void
a_theme_file_that_cannot_be_read_is_an_error(void **state UNUSED)
{
	const struct pages *p;
	struct err err = {0};
	const char *path = arena_printf(a, "%s/templates/login.html", theme);

	assert_int_equal(mkdir(path, 0700), 0);
	bool ok = pages_load(a, theme, &p, &err);

	assert_int_equal(rmdir(path), 0);
	assert_false(ok);
}

static void
a_text_is_found_by_key_or_is_the_key(void **state UNUSED)
{
	const struct pages *p = loaded();

	assert_string_equal(page_text(p, LANG_DE, "page.cancel"), "Abbrechen");
	assert_string_equal(page_text(p, LANG_EN, "page.cancel"), "Cancel");
	assert_string_equal(page_text(p, LANG_EN, "no.such"), "no.such");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_page_renders_in_every_language, setup,
						teardown),
		cmocka_unit_test_setup_teardown(every_page_has_a_sample, setup, teardown),
		cmocka_unit_test_setup_teardown(every_attribute_has_its_label, setup, teardown),
		cmocka_unit_test_setup_teardown(sections_follow_their_member, setup, teardown),
		cmocka_unit_test_setup_teardown(an_asset_is_named_by_its_content, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_page_lacks_is_told_with_its_line, setup,
						teardown),
		cmocka_unit_test_setup_teardown(sections_have_a_limit_over_parts, setup, teardown),
		cmocka_unit_test_setup_teardown(pages_have_a_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(a_theme_wins_file_by_file_and_text_by_text, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_folder_without_files_is_a_theme, setup, teardown),
		cmocka_unit_test_setup_teardown(mistakes_of_a_theme_are_named, setup, teardown),
		cmocka_unit_test_setup_teardown(a_theme_file_that_cannot_be_read_is_an_error, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_text_is_found_by_key_or_is_the_key, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("page", tests, theme_create, theme_remove);
}
