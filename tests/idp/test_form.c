/* Forms: what is taken from what was sent, what is noted as a problem, what pages get. */
#include "idp/form.h"
#include "tests/arena.h"

static const struct form_field fields[] = {
	{"name", "who", "name", FORM_TEXT, FORM_HINT, 10, 0},
	{"mail", "who", NULL, FORM_EMAIL, FORM_OPTIONAL | FORM_PLAIN, 20, 0},
	{"born", "who", NULL, FORM_DATE, 0, 10, 0},
	{"secret", NULL, "new-password", FORM_PASSWORD, 0, 20, 12},
	{"code", NULL, "one-time-code", FORM_CODE, 0, 8, 0},
	{"agree", NULL, NULL, FORM_CHECK, 0, 1, 0},
};

static struct form *
sent(const struct param *p, size_t n)
{
	return form_read(a, fields, ARRAY_LEN(fields), &(struct params){p, n});
}

static const json_t *
field_of(const json_t *vars, size_t group, size_t field)
{
	const json_t *g = json_array_get(json_object_get(vars, "groups"), group);

	return json_array_get(json_object_get(g, "fields"), field);
}

static const char *
text_of(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static const char *
problem_of(const struct form *f, const char *name)
{
	json_t *vars = json_new_object(a), *p;
	size_t i;

	form_vars(a, f, vars);
	json_array_foreach(json_object_get(vars, "problems"), i, p)
	{
		if (strcmp(text_of(p, "field"), name) == 0)
			return text_of(p, "field_problem");
	}
	return "";
}

static const struct param good[] = {
	{"name", " Erika \t"},   {"mail", "e@x.example"}, {"born_day", "12"},  {"born_month", "8"},
	{"born_year", " 1964 "}, {"secret", " p w "},     {"code", "123 456"}, {"agree", "1"},
};

static void
values_are_taken_trimmed(void **state UNUSED)
{
	struct form *f = sent(good, ARRAY_LEN(good));

	assert_true(form_ok(f));
	assert_string_equal(form_value(f, "name"), "Erika");
	assert_string_equal(form_value(f, "mail"), "e@x.example");
	assert_string_equal(form_value(f, "born"), "1964-08-12");
	assert_string_equal(form_value(f, "secret"), " p w ");
	assert_string_equal(form_value(f, "code"), "123456");
	assert_string_equal(form_value(f, "agree"), "1");
}

static void
what_is_missing_is_noted(void **state UNUSED)
{
	struct form *f = sent(NULL, 0);

	assert_false(form_ok(f));
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const char *want = (fields[i].flags & FORM_OPTIONAL) != 0 ? ""
				   : fields[i].kind == FORM_CHECK         ? "unticked"
									  : "required";

		assert_string_equal(problem_of(f, fields[i].name), want);
		assert_string_equal(form_value(f, fields[i].name), "");
	}
}

static void
what_is_misshapen_is_noted_and_has_no_value(void **state UNUSED)
{
	static const struct {
		struct param p[3];
		const char *name, *want;
	} cases[] = {
		{{{"name", "12345678901"}}, "name", "too_long"},
		{{{"secret", "123456789012345678901"}}, "secret", "too_long"},
		{{{"code", "12345a"}}, "code", "code"},
		{{{"code", "123456789"}}, "code", "too_long"},
		{{{"born_day", "31"}, {"born_month", "2"}, {"born_year", "1964"}}, "born", "date"},
		{{{"born_day", "1"}, {"born_month", "13"}, {"born_year", "1964"}}, "born", "date"},
		{{{"born_day", "0"}, {"born_month", "1"}, {"born_year", "1964"}}, "born", "date"},
		{{{"born_day", "x"}, {"born_month", "1"}, {"born_year", "1964"}}, "born", "date"},
		{{{"born_day", "1"}, {"born_month", "1"}, {"born_year", "10000"}}, "born", "date"},
		{{{"born_day", "1"}, {"born_month", ""}, {"born_year", "1964"}}, "born", "date"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t n = cases[i].p[1].name == NULL ? 1 : 3;
		struct form *f = sent(cases[i].p, n);

		assert_string_equal(problem_of(f, cases[i].name), cases[i].want);
		assert_string_equal(form_value(f, cases[i].name), "");
	}
}

static void
the_first_problem_of_a_field_stays(void **state UNUSED)
{
	struct form *f = sent(good, ARRAY_LEN(good));

	form_problem(f, "mail", "email");
	form_problem(f, "mail", "taken");
	assert_false(form_ok(f));
	assert_string_equal(problem_of(f, "mail"), "email");
}

static void
pages_get_groups_of_fields(void **state UNUSED)
{
	struct form *f = sent(good, ARRAY_LEN(good));
	json_t *vars = json_new_object(a);
	const json_t *groups, *field;

	form_vars(a, f, vars);
	groups = json_object_get(vars, "groups");
	assert_int_equal(json_array_size(groups), 2);
	assert_string_equal(text_of(json_array_get(groups, 0), "group"), "who");
	assert_null(json_object_get(json_array_get(groups, 1), "group"));
	assert_false(json_is_true(json_object_get(vars, "problem_fields")));

	field = field_of(vars, 0, 0);
	assert_string_equal(text_of(field, "field"), "name");
	assert_string_equal(text_of(field, "value"), "Erika");
	assert_string_equal(text_of(field, "type"), "text");
	assert_string_equal(text_of(field, "autocomplete"), "name");
	assert_true(json_is_true(json_object_get(field, "input")));
	assert_true(json_is_true(json_object_get(field, "hint")));
	assert_true(json_is_true(json_object_get(field, "described")));
	assert_true(json_is_false(json_object_get(field, "optional")));
	assert_true(json_is_false(json_object_get(field, "plain")));
	assert_int_equal(json_integer_value(json_object_get(field, "max")), 10);

	field = field_of(vars, 0, 1);
	assert_string_equal(text_of(field, "type"), "email");
	assert_string_equal(text_of(field, "autocomplete"), "off");
	assert_true(json_is_true(json_object_get(field, "optional")));
	assert_true(json_is_true(json_object_get(field, "plain")));
	assert_true(json_is_false(json_object_get(field, "described")));

	field = field_of(vars, 0, 2);
	assert_true(json_is_true(json_object_get(field, "date")));
	assert_string_equal(text_of(field, "day"), "12");
	assert_string_equal(text_of(field, "month"), "8");
	assert_string_equal(text_of(field, "year"), "1964");

	assert_true(json_is_true(json_object_get(field_of(vars, 1, 1), "code")));
	assert_true(json_is_true(json_object_get(field_of(vars, 1, 2), "check")));
	assert_string_equal(text_of(field_of(vars, 1, 2), "value"), "1");
}

static void
a_password_is_never_shown_again(void **state UNUSED)
{
	json_t *vars = json_new_object(a);

	form_vars(a, sent(good, ARRAY_LEN(good)), vars);
	assert_string_equal(text_of(field_of(vars, 1, 0), "type"), "password");
	assert_string_equal(text_of(field_of(vars, 1, 0), "value"), "");
	assert_int_equal(json_integer_value(json_object_get(field_of(vars, 1, 0), "min_length")),
			 12);
}

static void
pages_get_problems_too(void **state UNUSED)
{
	json_t *vars = json_new_object(a);
	struct form *f = sent(good, ARRAY_LEN(good));

	form_problem(f, "secret", "password_short");
	form_vars(a, f, vars);
	assert_true(json_is_true(json_object_get(vars, "problem_fields")));
	const json_t *p = json_array_get(json_object_get(vars, "problems"), 0);

	assert_string_equal(text_of(p, "field"), "secret");
	assert_string_equal(text_of(p, "field_problem"), "password_short");
	assert_int_equal(json_integer_value(json_object_get(p, "min_length")), 12);
	assert_string_equal(text_of(field_of(vars, 1, 0), "field_problem"), "password_short");
	assert_true(json_is_true(json_object_get(field_of(vars, 1, 0), "described")));
	assert_null(json_object_get(field_of(vars, 1, 1), "field_problem"));
}

static void
a_name_that_is_no_fields_has_no_value_and_fails_the_form(void **state UNUSED)
{
	struct form *f = sent(good, ARRAY_LEN(good));

	assert_string_equal(form_value(f, "nothing"), "");
	form_set(f, "nothing", "x");
	assert_true(form_ok(f));
	form_problem(f, "nothing", "required");
	assert_false(form_ok(f));
}

static void
an_empty_form_shows_what_was_set(void **state UNUSED)
{
	json_t *vars = json_new_object(a);
	struct form *f = form_create(a, fields, ARRAY_LEN(fields));

	form_set(f, "name", "Max");
	form_vars(a, f, vars);
	assert_true(form_ok(f));
	assert_string_equal(text_of(field_of(vars, 0, 0), "value"), "Max");
	assert_string_equal(text_of(field_of(vars, 0, 1), "value"), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(values_are_taken_trimmed, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_missing_is_noted, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_misshapen_is_noted_and_has_no_value, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_first_problem_of_a_field_stays, setup,
						teardown),
		cmocka_unit_test_setup_teardown(pages_get_groups_of_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(a_password_is_never_shown_again, setup, teardown),
		cmocka_unit_test_setup_teardown(pages_get_problems_too, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_name_that_is_no_fields_has_no_value_and_fails_the_form, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_form_shows_what_was_set, setup, teardown),
	};

	return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
