/* The syntax of templates and texts. */
#include "idp/template.h"
#include "tests/arena.h"

/* The nodes as text: literals in quotes, others by sign and name. */
static const char *
shape(const struct template *t)
{
	static const char *const signs[] = {
		[NODE_LITERAL] = "'",    [NODE_VALUE] = "=", [NODE_SECTION] = "#",
		[NODE_INVERTED] = "^",   [NODE_TEXT] = "t:", [NODE_PART] = ">",
		[NODE_ASSET] = "asset:",
	};
	const char *s = "";

	for (size_t i = 0; i < t->n; i++) {
		const struct node *n = &t->nodes[i];

		if (n->kind == NODE_LITERAL)
			s = arena_printf(a, "%s'%.*s'", s, (int)n->literal.n,
					 (const char *)n->literal.p);
		else
			s = arena_printf(a, "%s[%s%s%s%s", s, signs[n->kind], n->name,
					 n->member == NULL ? "" : "*",
					 n->member == NULL ? "" : n->member);
		if (n->kind == NODE_SECTION || n->kind == NODE_INVERTED)
			s = arena_printf(a, "%s %zu]", s, n->end);
		else if (n->kind != NODE_LITERAL)
			s = arena_printf(a, "%s]", s);
	}
	return s;
}

struct shape_case {
	const char *text, *want;
};

static void
expect_shapes(const struct shape_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct template t;
		struct err err = {0};

		ASSERT_OK(template_parse(a, "x", "x.html", bytes_of(cases[i].text), &t, &err),
			  &err);
		assert_string_equal(shape(&t), cases[i].want);
	}
}

static void
tags_become_nodes(void **state UNUSED)
{
	static const struct shape_case cases[] = {
		{"", ""},
		{"plain { } text", "'plain { } text'"},
		{"a{{b}}c", "'a'[=b]'c'"},
		{"{{ b }}", "[=b]"},
		{"{{.}}", "[=.]"},
		{"{{#a}}x{{/a}}y", "[#a 2]'x''y'"},
		{"{{^a}}{{#b}}{{/b}}{{/a}}", "[^a 2][#b 2]"},
		{"{{t:x.y}}", "[t:x.y]"},
		{"{{t:x.*y}}", "[t:x.*y]"},
		{"{{>_part}}", "[>_part]"},
		{"{{asset:a.css}}", "[asset:a.css]"},
		{"a{{! says }}b", "'a''b'"},
	};

	expect_shapes(cases, ARRAY_LEN(cases));
}

static void
a_line_with_one_tag_alone_leaves_nothing(void **state UNUSED)
{
	static const struct shape_case cases[] = {
		{"a\n{{#b}}\nc\n{{/b}}\nd", "'a\n'[#b 3]'c\n''d'"},
		{"a\n  {{#b}}  \nc{{/b}}\n", "'a\n'[#b 3]'c''\n'"},
		{"{{! top }}\na", "'a'"},
		{"{{>p}}\n{{>q}}", "[>p][>q]"},
		{"a {{>p}}\n", "'a '[>p]'\n'"},
		{"{{>p}} b\n", "[>p]' b\n'"},
		{"a\n{{v}}\nb", "'a\n'[=v]'\nb'"}, /* values keep their line */
	};

	expect_shapes(cases, ARRAY_LEN(cases));
}

static void
mistakes_are_refused_with_their_line(void **state UNUSED)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"a\n\n{{b", "x.html:3: a tag without its end"},
		{"\n{{}}", "x.html:2: odd name in a tag"},
		{"{{a b}}", "x.html:1: odd name in a tag: a b"},
		{"{{{a}}}", "x.html:1: odd name in a tag"},
		{"{{&a}}", "x.html:1: odd name in a tag"},
		{"{{#}}", "x.html:1: odd name in a tag"},
		{"{{>}}", "x.html:1: odd name in a tag"},
		{"{{t:}}", "x.html:1: odd text key"},
		{"{{t:a b}}", "x.html:1: odd text key"},
		{"{{t:*a}}", "x.html:1: odd text family"},
		{"{{t:a*b}}", "x.html:1: odd text family"},
		{"{{t:a.*}}", "x.html:1: odd text family"},
		{"{{t:a b.*c}}", "x.html:1: odd text family"},
		{"\n{{#a}}\n\n", "x.html:2: section is not closed: a"},
		{"{{/a}}", "x.html:1: nothing is open to be closed by a"},
		{"{{#a}}\n{{#b}}\n{{/a}}", "x.html:3: another section is open than a"},
		{"\xff", "x.html:1: not UTF-8 text"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct template t;
		struct err err = {0};

		ASSERT_REFUSED(template_parse(a, "x", "x.html", bytes_of(cases[i].text), &t, &err),
			       &err, ERR_INPUT, cases[i].want);
	}
}

static void
depth_and_names_have_a_limit(void **state UNUSED)
{
	struct template t;
	struct err err = {0};
	const char *deep = "", *name = "n";

	for (int i = 0; i < 17; i++)
		deep = arena_printf(a, "%s{{#a}}", deep);
	for (int i = 0; i < 64; i++)
		name = arena_printf(a, "%sn", name);
	ASSERT_REFUSED(template_parse(a, "x", "x.html", bytes_of(deep), &t, &err), &err, ERR_INPUT,
		       "sections nest too deep at a");
	ASSERT_REFUSED(template_parse(a, "x", "x.html", bytes_of(arena_printf(a, "{{%s}}", name)),
				      &t, &err),
		       &err, ERR_INPUT, "odd name in a tag");
}

static void
a_nul_is_refused(void **state UNUSED)
{
	static const unsigned char text[] = "a\0b";
	struct template t;
	struct err err = {0};

	ASSERT_REFUSED(template_parse(a, "x", "x.html", (struct bytes){text, 3}, &t, &err), &err,
		       ERR_INPUT, "not UTF-8 text");
}

static void
texts_are_escaped_and_take_names(void **state UNUSED)
{
	struct template t;
	struct err err = {0};

	ASSERT_OK(template_parse_message(a, "de.po", 7, "A & <B> {c}!", &t, &err), &err);
	assert_string_equal(shape(&t), "'A &amp; &lt;B&gt; '[=c]'!'");
}

static void
mistakes_in_texts_are_refused(void **state UNUSED)
{
	static const char *const texts[][2] = {
		{"a {b", "de.po:7: a brace without its pair"},
		{"a } b", "de.po:7: a brace without its pair"},
		{"a {} b", "de.po:7: odd name in a text:"},
		{"a {b c}", "de.po:7: odd name in a text: b c"},
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct template t;
		struct err err = {0};

		ASSERT_REFUSED(template_parse_message(a, "de.po", 7, texts[i][0], &t, &err), &err,
			       ERR_INPUT, texts[i][1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tags_become_nodes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_line_with_one_tag_alone_leaves_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(mistakes_are_refused_with_their_line, setup,
						teardown),
		cmocka_unit_test_setup_teardown(depth_and_names_have_a_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(a_nul_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(texts_are_escaped_and_take_names, setup, teardown),
		cmocka_unit_test_setup_teardown(mistakes_in_texts_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
