/* Reads and shows forms (form.h). */
#include "idp/form.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define FORM_DATE_PARTS 3

static const char *const date_parts[FORM_DATE_PARTS] = {"year", "month", "day"};

struct form_state {
	const char *value;                 /* what the caller gets */
	const char *shown;                 /* what the person sees again */
	const char *date[FORM_DATE_PARTS]; /* the same of a date */
	const char *problem;               /* NULL: none */
};

struct form {
	const struct form_field *fields;
	struct form_state *states;
	size_t n;
	bool stray; /* a problem was noted for a field that is not there */
};

struct form *
form_create(struct arena *a, const struct form_field *fields, size_t n)
{
	struct form *f = ARENA_NEW(a, struct form);

	*f = (struct form){
		.fields = fields, .states = ARENA_ARRAY(a, struct form_state, n), .n = n};
	for (size_t i = 0; i < n; i++)
		f->states[i] = (struct form_state){.value = "", .shown = "", .date = {"", "", ""}};
	return f;
}

static const char *
sent_value(struct arena *a, const struct params *sent, const char *name)
{
	const char *v = NULL;

	params_find(sent, name, &v);
	return v == NULL ? "" : text_trim(a, v);
}

static void
read_date(struct arena *a, const struct form_field *field, const struct params *sent,
	  struct form_state *s)
{
	static const uint64_t max[FORM_DATE_PARTS] = {9999, 12, 31};
	uint64_t part[FORM_DATE_PARTS];
	bool good = true, any = false;
	time_t t;

	for (size_t i = 0; i < FORM_DATE_PARTS; i++) {
		s->date[i] =
			sent_value(a, sent, arena_printf(a, "%s_%s", field->name, date_parts[i]));
		any = any || s->date[i][0] != '\0';
		good = good && text_to_u64(s->date[i], max[i], &part[i]);
	}
	if (!any)
		return;
	if (good) {
		char *day = arena_printf(a, "%04u-%02u-%02u", (unsigned)part[0], (unsigned)part[1],
					 (unsigned)part[2]);

		if (clock_parse(arena_printf(a, "%sT00:00:00Z", day), &t, NULL)) {
			s->value = day;
			return;
		}
	}
	s->problem = "date";
}

/* Digits only; how people group them is theirs. */
static void
read_code(struct arena *a, struct form_state *s)
{
	char *digits = arena_strdup(a, s->shown), *to = digits;

	for (const char *c = s->shown; *c != '\0'; c++)
		if (*c != ' ')
			*to++ = *c;
	*to = '\0';
	if (digits[strspn(digits, "0123456789")] != '\0')
		s->problem = "code";
	else
		s->value = digits;
}

static void
read_field(struct arena *a, const struct form_field *field, const struct params *sent,
	   struct form_state *s)
{
	switch (field->kind) {
	case FORM_DATE:
		read_date(a, field, sent, s);
		break;
	case FORM_PASSWORD:
		params_find(sent, field->name, &s->value);
		s->value = s->value == NULL ? "" : s->value;
		break;
	case FORM_CODE:
		s->shown = sent_value(a, sent, field->name);
		read_code(a, s);
		break;
	case FORM_CHECK:
		s->value = s->shown = sent_value(a, sent, field->name)[0] == '\0' ? "" : "1";
		break;
	case FORM_TEXT:
	case FORM_EMAIL:
		s->value = s->shown = sent_value(a, sent, field->name);
		break;
	}
	if (s->problem == NULL && s->value[0] == '\0' && (field->flags & FORM_OPTIONAL) == 0)
		s->problem = field->kind == FORM_CHECK ? "unticked" : "required";
	if (s->problem == NULL && strlen(s->value) > field->max_bytes)
		s->problem = "too_long";
	if (s->problem != NULL)
		s->value = "";
}

struct form *
form_read(struct arena *a, const struct form_field *fields, size_t n, const struct params *sent)
{
	struct form *f = form_create(a, fields, n);

	for (size_t i = 0; i < n; i++)
		read_field(a, &fields[i], sent, &f->states[i]);
	return f;
}

static struct form_state *
form_find(const struct form *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (text_eq(f->fields[i].name, name))
			return &f->states[i];
	return NULL;
}

const char *
form_value(const struct form *f, const char *name)
{
	const struct form_state *s = form_find(f, name);

	return s == NULL ? "" : s->value;
}

void
form_set(struct form *f, const char *name, const char *value)
{
	struct form_state *s = form_find(f, name);

	if (s != NULL)
		s->shown = value;
}

void
form_problem(struct form *f, const char *name, const char *problem)
{
	struct form_state *s = form_find(f, name);

	if (s == NULL)
		f->stray = true;
	else if (s->problem == NULL)
		s->problem = problem;
}

bool
form_ok(const struct form *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->states[i].problem != NULL)
			return false;
	return !f->stray;
}

/* The members a problem's text may show, beside its field's. */
static void
put_problem(struct arena *a, const struct form_field *field, const struct form_state *s, json_t *o)
{
	json_put_str(a, o, "field", field->name);
	json_put_str(a, o, "field_problem", s->problem);
	json_put_i64(a, o, "min_length", (int64_t)field->min_length);
}

static json_t *
field_vars(struct arena *a, const struct form_field *field, const struct form_state *s)
{
	static const char *const kinds[] = {
		[FORM_TEXT] = "input", [FORM_EMAIL] = "input", [FORM_PASSWORD] = "input",
		[FORM_CODE] = "code",  [FORM_DATE] = "date",   [FORM_CHECK] = "check",
	};
	static const char *const types[] = {
		[FORM_TEXT] = "text", [FORM_EMAIL] = "email", [FORM_PASSWORD] = "password",
		[FORM_CODE] = "text", [FORM_DATE] = "text",   [FORM_CHECK] = "checkbox",
	};
	json_t *o = json_new_object(a);

	put_problem(a, field, s, o);
	json_put_bool(a, o, kinds[field->kind], true);
	json_put_str(a, o, "type", types[field->kind]);
	json_put_str(a, o, "autocomplete",
		     field->autocomplete == NULL ? "off" : field->autocomplete);
	json_put_bool(a, o, "optional", (field->flags & FORM_OPTIONAL) != 0);
	json_put_bool(a, o, "hint", (field->flags & FORM_HINT) != 0);
	json_put_bool(a, o, "plain", (field->flags & FORM_PLAIN) != 0);
	json_put_bool(a, o, "described", (field->flags & FORM_HINT) != 0 || s->problem != NULL);
	json_put_i64(a, o, "max", (int64_t)field->max_bytes);
	json_put_str(a, o, "value", s->shown);
	for (size_t i = 0; field->kind == FORM_DATE && i < FORM_DATE_PARTS; i++)
		json_put_str(a, o, date_parts[i], s->date[i]);
	return o;
}

void
form_vars(struct arena *a, const struct form *f, json_t *vars)
{
	json_t *groups = json_new_array(a), *problems = json_new_array(a), *fields = NULL;

	for (size_t i = 0; i < f->n; i++) {
		const struct form_field *field = &f->fields[i];

		if (i == 0 || !text_eq(field->group, f->fields[i - 1].group)) {
			json_t *group = json_new_object(a);

			fields = json_new_array(a);
			json_put_str(a, group, "group", field->group);
			json_put(a, group, "fields", fields);
			json_push(a, groups, group);
		}
		json_push(a, fields, field_vars(a, field, &f->states[i]));
		if (f->states[i].problem != NULL) {
			json_t *problem = json_new_object(a);

			put_problem(a, field, &f->states[i], problem);
			json_push(a, problems, problem);
		}
	}
	json_put(a, vars, "groups", groups);
	json_put(a, vars, "problems", problems);
	json_put_bool(a, vars, "problem_fields", json_array_size(problems) > 0);
}
