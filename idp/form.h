/*
 * Forms that people fill in: a table of fields on one side, the part
 * web/templates/_form.html on the other.  This file reads what was sent, says
 * which fields are missing or misshapen, and writes the members the part shows.
 * What a value must fulfil beyond that is the caller's (form_problem).
 */
#ifndef KONTOR_IDP_FORM_H
#define KONTOR_IDP_FORM_H

#include "base/json.h"
#include "base/param.h"

enum form_kind {
	FORM_TEXT,
	FORM_EMAIL,    /* as FORM_TEXT, with the keyboard for it */
	FORM_PASSWORD, /* taken as it is, never shown again */
	FORM_CODE,     /* digits; blanks between them are dropped */
	FORM_DATE,     /* three fields NAME_day, NAME_month, NAME_year; the value is YYYY-MM-DD */
	FORM_CHECK,    /* the value is "1", or "" when not ticked */
};

enum form_flag {
	FORM_OPTIONAL = 1,
	FORM_HINT = 2,  /* there is a text "hint.NAME" */
	FORM_PLAIN = 4, /* no capitals and no spelling by the keyboard */
};

struct form_field {
	const char *name;  /* of the parameter; the label is the text "field.NAME" */
	const char *group; /* heading "group.GROUP" over neighbours of one group; NULL: none */
	const char *autocomplete; /* WCAG 2.2 1.3.5; NULL: "off"; not for FORM_DATE, FORM_CHECK */
	enum form_kind kind;
	unsigned flags;
	size_t max_bytes;
	size_t min_length; /* shown as {min_length} in hint and problem texts; the caller checks */
};

struct form;

/* An empty form.  fields must outlive it. */
struct form *form_create(struct arena *a, const struct form_field *fields, size_t n)
	__attribute__((returns_nonnull));

/*
 * What was sent, white space at both ends dropped.  Problems noted here:
 * "required" (of a check: "unticked"), "too_long", "date" (no such day), "code" (not digits).
 */
struct form *form_read(struct arena *a, const struct form_field *fields, size_t n,
		       const struct params *sent) __attribute__((returns_nonnull));

/* The value; "" when nothing was sent or a problem was noted by form_read, and for
 * a name that is no field's. */
const char *form_value(const struct form *f, const char *name);

/* What the field shows until it is sent.  Not for passwords, dates, checks. */
void form_set(struct form *f, const char *name, const char *value);

/* Note a problem (text "problem.PROBLEM"); the first of a field stays. */
void form_problem(struct form *f, const char *name, const char *problem);

/* No problem was noted. */
bool form_ok(const struct form *f);

/* Set the members that _form.html and _problems.html show: "groups", "problems" and, when there
 * are problems, "problem_fields". */
void form_vars(struct arena *a, const struct form *f, json_t *vars);

#endif
