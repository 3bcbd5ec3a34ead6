/* Authorization details and their types; see details.h. */
#include "oidc/details.h"

#include <string.h>

#include "base/text.h"
#include "oidc/error.h"

#define PARAMETER      "authorization_details"
#define NAME_MAX_BYTES 128
#define FIELDS_MAX     32
#define TEXT_MAX_BYTES 256 /* unless the type says otherwise */
#define OCTETS_MAX     1024
#define NUMBER_MAX     1000000000000000

#define BAD(err, ...)  FAIL((err), ERR_INPUT, NULL, __VA_ARGS__)
#define DENY(err, ...) \
	FAIL((err), ERR_INPUT, OIDC_INVALID_AUTHORIZATION_DETAILS, PARAMETER ": " __VA_ARGS__)

enum kind { KIND_NONE = 0, KIND_TEXT, KIND_TEXTS, KIND_NUMBER, KIND_BOOLEAN, KIND_OBJECT };

/* RFC 9396 2.2 */
static const struct {
	const char *name;
	enum kind kind;
} common[] = {
	{"locations", KIND_TEXTS},  {"actions", KIND_TEXTS},   {"datatypes", KIND_TEXTS},
	{"privileges", KIND_TEXTS}, {"identifier", KIND_TEXT},
};

static enum kind
kind_of_word(const char *word)
{
	static const char *const words[] = {
		[KIND_TEXT] = "text",       [KIND_TEXTS] = "texts",   [KIND_NUMBER] = "number",
		[KIND_BOOLEAN] = "boolean", [KIND_OBJECT] = "object",
	};

	for (size_t i = KIND_TEXT; i < ARRAY_LEN(words); i++)
		if (text_eq(words[i], word))
			return (enum kind)i;
	return KIND_NONE;
}

static enum kind
common_kind(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (strcmp(common[i].name, name) == 0)
			return common[i].kind;
	return KIND_NONE;
}

/* Of a rule that was checked. */
static enum kind
kind_of(const char *name, const json_t *rule)
{
	enum kind kind = common_kind(name);

	return kind != KIND_NONE ? kind
				 : kind_of_word(json_string_value(json_object_get(rule, "kind")));
}

/* ---- types ---- */

static bool
only_has(const json_t *o, const char *what, const char *const *names, size_t n, struct err *err)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)o, name, v)
	{
		if (!text_in(names, n, name))
			return BAD(err, "%s: what is %s?", what,
				   text_is_visible_ascii(name, 64) ? name : "that");
	}
	return true;
}

static bool
is_name(const char *s)
{
	return s != NULL && text_is_visible_ascii(s, NAME_MAX_BYTES);
}

static bool
is_line(struct arena *a, const char *s, size_t max_bytes)
{
	return s != NULL && *s != '\0' && strlen(s) <= max_bytes &&
	       strcmp(text_one_line(a, s), s) == 0;
}

/* In each language of our pages. */
static bool
check_label(struct arena *a, const char *what, const json_t *label, struct err *err)
{
	static const char *const langs[] = {"de", "en"};

	for (size_t i = 0; i < ARRAY_LEN(langs); i++)
		if (!is_line(a, json_string_value(json_object_get(label, langs[i])),
			     TEXT_MAX_BYTES))
			return BAD(err, "%s: label has no text in %s", what, langs[i]);
	return only_has(label, what, langs, ARRAY_LEN(langs), err);
}

static bool
check_values(struct arena *a, const char *name, enum kind kind, const json_t *rule, struct err *err)
{
	const json_t *labels = NULL;
	const char **values, *value;
	json_t *label;
	size_t n;

	if (!json_get_strs(a, rule, "values", FIELDS_MAX, &values, &n, err) ||
	    !json_get_object(rule, "value_labels", &labels, err))
		return false;
	if (n > 0 && kind != KIND_TEXT && kind != KIND_TEXTS)
		return BAD(err, "%s: values of what is no text", name);
	if (kind == KIND_BOOLEAN &&
	    (json_object_get(labels, "true") == NULL || json_object_get(labels, "false") == NULL))
		return BAD(err, "%s: value_labels for true and false are missing", name);
	json_object_foreach((json_t *)(uintptr_t)labels, value, label)
	{
		if (!check_label(a, name, label, err))
			return false;
	}
	return true;
}

static bool check_fields(struct arena *a, const json_t *fields, bool inner, struct err *err);

static bool
check_rule(struct arena *a, const char *name, const json_t *rule, bool inner, struct err *err)
{
	static const char *const members[] = {"kind", "required", "values",       "min",
					      "max",  "label",    "value_labels", "fields"};
	enum kind kind = inner ? KIND_NONE : common_kind(name);
	const char *word = NULL;
	int64_t min, max = 1;
	bool required;

	if (!json_is_object(rule))
		return BAD(err, "%s: not a rule", name);
	if (!json_get_str(rule, "kind", &word, err) ||
	    !json_get_bool(rule, "required", &required, err) ||
	    !json_get_i64(rule, "min", &min, err) || !json_get_i64(rule, "max", &max, err))
		return false;
	if (kind == KIND_NONE ? kind_of_word(word) == KIND_NONE
			      : word != NULL && kind_of_word(word) != kind)
		return BAD(err, "%s: kind is missing or another", name);
	kind = kind == KIND_NONE ? kind_of_word(word) : kind;
	if ((kind == KIND_TEXT || kind == KIND_TEXTS) && (max < 1 || max > OCTETS_MAX))
		return BAD(err, "%s: max is not from 1 to %d", name, OCTETS_MAX);
	if ((kind == KIND_OBJECT) != (json_object_get(rule, "fields") != NULL) ||
	    (kind == KIND_OBJECT && inner))
		return BAD(err, "%s: fields are of an object, and that is not in another", name);
	return only_has(rule, name, members, ARRAY_LEN(members), err) &&
	       check_label(a, name, json_object_get(rule, "label"), err) &&
	       check_values(a, name, kind, rule, err) &&
	       (kind != KIND_OBJECT || check_fields(a, json_object_get(rule, "fields"), true, err));
}

static bool
check_fields(struct arena *a, const json_t *fields, bool inner, struct err *err)
{
	const char *name;
	json_t *rule;

	if (!json_is_object(fields) || json_object_size(fields) > FIELDS_MAX)
		return BAD(err, "fields: not an object of up to %d", FIELDS_MAX);
	json_object_foreach((json_t *)(uintptr_t)fields, name, rule)
	{
		if (!is_name(name) || (!inner && strcmp(name, "type") == 0))
			return BAD(err, "fields: a name that cannot be one");
		if (!check_rule(a, name, rule, inner, err))
			return false;
	}
	return true;
}

bool
oidc_detail_type_parse(struct arena *a, struct bytes json, struct oidc_detail_type *out,
		       struct err *err)
{
	static const char *const members[] = {"type", "label", "each_time", "for_clients",
					      "fields"};
	struct oidc_detail_type t = {0};
	json_t *o;

	if (!json_parse_object(a, json, OIDC_DETAIL_TYPE_MAX_BYTES, &o, err) ||
	    !only_has(o, "type", members, ARRAY_LEN(members), err) ||
	    !json_get_str(o, "type", &t.name, err) ||
	    !json_get_bool(o, "each_time", &t.each_time, err) ||
	    !json_get_bool(o, "for_clients", &t.for_clients, err))
		return false;
	t.label = json_object_get(o, "label");
	t.fields = json_object_get(o, "fields");
	if (!is_name(t.name))
		return BAD(err, "type: missing, too long or not visible ASCII");
	if (!check_label(a, "type", t.label, err) || !check_fields(a, t.fields, false, err))
		return false;
	*out = t;
	return true;
}

const struct oidc_detail_type *
oidc_detail_type_find(const struct oidc_detail_types *types, const char *name)
{
	for (size_t i = 0; i < types->n; i++)
		if (text_eq(types->p[i].name, name))
			return &types->p[i];
	return NULL;
}

/* ---- details ---- */

static int64_t
limit_of(const json_t *rule, const char *name, int64_t unsaid)
{
	const json_t *v = json_object_get(rule, name);

	return json_is_integer(v) ? json_integer_value(v) : unsaid;
}

static bool
is_among(const json_t *values, const json_t *v)
{
	for (size_t i = 0; i < json_array_size(values); i++)
		if (json_equal(json_array_get(values, i), v))
			return true;
	return false;
}

static bool
check_text(struct arena *a, const char *name, const json_t *rule, const json_t *v, struct err *err)
{
	const json_t *values = json_object_get(rule, "values");
	size_t max = (size_t)limit_of(rule, "max", TEXT_MAX_BYTES);

	if (!is_line(a, json_string_value(v), max))
		return DENY(err, "%s is no text of one line, or too long", name);
	return values == NULL || is_among(values, v) || DENY(err, "%s may not be that", name);
}

static bool
check_texts(struct arena *a, const char *name, const json_t *rule, const json_t *v, struct err *err)
{
	size_t n = json_array_size(v);

	if (n == 0 || n > OIDC_DETAIL_ITEMS_MAX)
		return DENY(err, "%s is no list of 1 to %d", name, OIDC_DETAIL_ITEMS_MAX);
	for (size_t i = 0; i < n; i++)
		if (!check_text(a, name, rule, json_array_get(v, i), err))
			return false;
	return true;
}

static bool check_object(struct arena *a, const json_t *fields, const json_t *o, bool inner,
			 struct err *err);

static bool
check_value(struct arena *a, const char *name, enum kind kind, const json_t *rule, const json_t *v,
	    struct err *err)
{
	switch (kind) {
	case KIND_TEXT:
		return check_text(a, name, rule, v, err);
	case KIND_TEXTS:
		return check_texts(a, name, rule, v, err);
	case KIND_NUMBER:
		return (json_is_integer(v) && json_integer_value(v) >= limit_of(rule, "min", 0) &&
			json_integer_value(v) <= limit_of(rule, "max", NUMBER_MAX)) ||
		       DENY(err, "%s is no number, or out of range", name);
	case KIND_BOOLEAN:
		return json_is_boolean(v) || DENY(err, "%s is neither true nor false", name);
	case KIND_OBJECT:
		return json_is_object(v)
			       ? check_object(a, json_object_get(rule, "fields"), v, true, err)
			       : DENY(err, "%s is no object", name);
	case KIND_NONE:
		break;
	}
	return DENY(err, "%s is of no kind", name); /* second line: types are checked */
}

/* RFC 9396 5: nothing that is unknown, nothing missing, nothing of another kind. */
static bool
check_object(struct arena *a, const json_t *fields, const json_t *o, bool inner, struct err *err)
{
	const char *name;
	json_t *rule, *v;

	json_object_foreach((json_t *)(uintptr_t)o, name, v)
	{
		if (!inner && strcmp(name, "type") == 0)
			continue;
		if (json_object_get(fields, name) == NULL)
			return DENY(err, "a field that its type does not have");
	}
	json_object_foreach((json_t *)(uintptr_t)fields, name, rule)
	{
		enum kind kind =
			inner ? kind_of_word(json_string_value(json_object_get(rule, "kind")))
			      : kind_of(name, rule);

		v = json_object_get(o, name);
		if (v == NULL && json_is_true(json_object_get(rule, "required")))
			return DENY(err, "%s is missing", name);
		if (v != NULL && !check_value(a, name, kind, rule, v, err))
			return false;
	}
	return true;
}

/* Where they are used is where the client may go. */
static bool
check_locations(const json_t *detail, const struct oidc_client *client, struct err *err)
{
	const json_t *list = json_object_get(detail, "locations");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (!oidc_strs_have(client->resources, json_string_value(json_array_get(list, i))))
			return DENY(err, "a location that is not the client's");
	return true;
}

static bool
check_detail(struct arena *a, const json_t *detail, const struct oidc_detail_types *types,
	     const struct oidc_client *client, struct err *err)
{
	const char *name = json_string_value(json_object_get(detail, "type"));
	const struct oidc_detail_type *type = oidc_detail_type_find(types, name);

	if (name == NULL || type == NULL || !oidc_strs_have(client->details_types, name))
		return DENY(err, "a type that is unknown, or not the client's");
	return check_object(a, type->fields, detail, false, err) &&
	       check_locations(detail, client, err);
}

bool
oidc_details_parse(struct arena *a, const struct params *ps, const struct oidc_detail_types *types,
		   const struct oidc_client *client, json_t **out, struct err *err)
{
	const char *text;
	json_t *list;

	*out = NULL;
	if (!oidc_param_text(ps, PARAMETER, OIDC_DETAILS_MAX_BYTES, &text, err))
		return false;
	if (text == NULL)
		return true;
	if (!json_parse_array(a, bytes_of(text), OIDC_DETAILS_MAX_BYTES, &list, err))
		return err_name(err, OIDC_INVALID_AUTHORIZATION_DETAILS);
	size_t n = json_array_size(list);

	if (n == 0 || n > OIDC_DETAILS_MAX)
		return DENY(err, "%zu of them", n);
	for (size_t i = 0; i < n; i++)
		if (!check_detail(a, json_array_get(list, i), types, client, err))
			return false;
	*out = list;
	return true;
}

json_t *
oidc_details_still(struct arena *a, const json_t *details, const struct oidc_detail_types *types,
		   const struct oidc_client *client)
{
	json_t *list = json_new_array(a);

	for (size_t i = 0; i < json_array_size(details); i++)
		if (check_detail(a, json_array_get(details, i), types, client, NULL))
			json_push(a, list, json_array_get(details, i));
	return json_array_size(list) == 0 ? NULL : list;
}

static bool
is_part(const json_t *granted, const json_t *asked)
{
	if (!json_is_array(granted))
		return json_equal(granted, asked);
	for (size_t i = 0; i < json_array_size(asked); i++)
		if (!is_among(granted, json_array_get(asked, i)))
			return false;
	return json_array_size(asked) > 0;
}

static bool
covers(const json_t *granted, const json_t *asked)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)granted, name, v)
	{
		if (!is_part(v, json_object_get(asked, name)))
			return false;
	}
	return json_object_size(granted) == json_object_size(asked);
}

bool
oidc_details_narrow(const json_t *granted, const json_t *asked, struct err *err)
{
	for (size_t i = 0; i < json_array_size(asked); i++) {
		size_t k = 0;

		while (k < json_array_size(granted) &&
		       !covers(json_array_get(granted, k), json_array_get(asked, i)))
			k++;
		if (k == json_array_size(granted))
			return DENY(err, "more than was granted");
	}
	return true;
}

json_t *
oidc_details_for(struct arena *a, const json_t *details, const char *resource)
{
	json_t *uri = json_keep(a, json_string(resource)), *list = json_new_array(a);

	for (size_t i = 0; i < json_array_size(details); i++) {
		json_t *detail = json_array_get(details, i);
		const json_t *locations = json_object_get(detail, "locations");

		if (locations == NULL || is_among(locations, uri))
			json_push(a, list, detail);
	}
	return json_array_size(list) == 0 ? NULL : list;
}

/* ---- for people ---- */

const char *
oidc_detail_label(const json_t *label, const char *lang)
{
	return json_string_value(json_object_get(label, lang));
}

static void
add_value(struct arena *a, json_t *values, const json_t *rule, const json_t *v, const char *lang)
{
	const char *text = json_is_string(v) ? json_string_value(v) : json_text(a, v, false);
	const json_t *labels = json_object_get(rule, "value_labels");
	const char *label = oidc_detail_label(json_object_get(labels, text), lang);

	json_push_str(a, values, label == NULL ? text : label);
}

static void
add_fact(struct arena *a, json_t *list, const char *name, const char *key, const json_t *rule,
	 const json_t *v, const char *lang)
{
	json_t *row = json_new_object(a), *values = json_new_array(a);

	if (json_is_array(v))
		for (size_t i = 0; i < json_array_size(v); i++)
			add_value(a, values, rule, json_array_get(v, i), lang);
	else
		add_value(a, values, rule, v, lang);
	json_put_str(a, row, "field", name);
	json_put_str(a, row, "key", key);
	json_put(a, row, "values", values);
	json_push(a, list, row);
}

static void
add_facts(struct arena *a, json_t *list, const json_t *fields, const json_t *o, const char *lang)
{
	const char *name, *inner;
	json_t *rule, *inner_rule;

	json_object_foreach((json_t *)(uintptr_t)fields, name, rule)
	{
		const json_t *v = json_object_get(o, name);
		const char *key = oidc_detail_label(json_object_get(rule, "label"), lang);

		if (v == NULL)
			continue;
		if (!json_is_object(v)) {
			add_fact(a, list, name, key, rule, v, lang);
			continue;
		}
		json_object_foreach(json_object_get(rule, "fields"), inner, inner_rule)
		{
			const json_t *label = json_object_get(inner_rule, "label");

			if (json_object_get(v, inner) != NULL)
				add_fact(a, list, "",
					 arena_printf(a, "%s, %s", key,
						      oidc_detail_label(label, lang)),
					 inner_rule, json_object_get(v, inner), lang);
		}
	}
}

json_t *
oidc_detail_facts(struct arena *a, const struct oidc_detail_type *type, const json_t *detail,
		  const char *lang)
{
	json_t *list = json_new_array(a);

	add_facts(a, list, type->fields, detail, lang);
	return list;
}
