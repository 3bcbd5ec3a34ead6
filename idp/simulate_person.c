/* Reading test persons; see simulate.h. */
#include "idp/simulate.h"

#include <string.h>

#include "base/embed.h"
#include "base/text.h"

#define PERSONS_MAX_BYTES ((size_t)1024 * 1024)

extern const struct embed_file simulate_files[]; /* the build's, of idp/simulate/ */

struct bytes
sim_persons_built_in(const struct sim_kind *k)
{
	return embed_find(simulate_files, k->of == SIM_BUNDID ? "bundid.json" : "organisation.json")
		->data;
}

/* One text, or one in each language. */
static bool
read_title(const json_t *o, struct sim_person *p, struct err *err)
{
	const json_t *title = json_object_get(o, "title");

	for (int l = 0; l < LANG_COUNT; l++)
		p->title[l] = json_is_string(title) ? json_string_value(title)
						    : json_string_value(json_object_get(
							      title, lang_code((enum lang)l)));
	return (p->title[LANG_DE] != NULL && p->title[LANG_EN] != NULL) ||
	       FAIL(err, ERR_INPUT, NULL, "title: a text, or one as de and one as en expected");
}

static bool
read_level(const json_t *o, enum level *out, struct err *err)
{
	const char *word = NULL;

	if (!json_get_str(o, "level", &word, err))
		return false;
	if (word != NULL)
		*out = level_from_word(word);
	return *out != LEVEL_NONE ||
	       FAIL(err, ERR_INPUT, NULL, "level: basic, low, substantial or high expected");
}

static bool
read_address(struct arena *a, const json_t *v, struct sim_value *out, struct err *err)
{
	struct saml_part *parts = ARENA_ARRAY(a, struct saml_part, json_object_size(v) + 1);
	const char *name;
	json_t *text;

	if (!json_is_object(v))
		return FAIL(err, ERR_INPUT, NULL, "%s: an object of its parts expected",
			    out->name->friendly);
	out->parts = parts;
	json_object_foreach((json_t *)(uintptr_t)v, name, text)
	{
		if (!json_is_string(text))
			return FAIL(err, ERR_INPUT, NULL, "%s: texts expected",
				    out->name->friendly);
		parts[out->n_parts++] = (struct saml_part){name, json_string_value(text)};
	}
	return true;
}

/* A text, which has the person's level, or an object of value and level. */
static bool
read_value(struct arena *a, const json_t *v, struct sim_value *out, struct err *err)
{
	if (out->name->is_address)
		return read_address(a, v, out, err);
	if (json_is_object(v) &&
	    (!json_get_str(v, "value", &out->text, err) || !read_level(v, &out->level, err)))
		return false;
	if (json_is_string(v))
		out->text = json_string_value(v);
	return out->text != NULL ||
	       FAIL(err, ERR_INPUT, NULL, "%s: a text, or an object of value and level expected",
		    out->name->friendly);
}

static bool
read_values(struct arena *a, const struct sim_kind *k, const json_t *o, struct sim_person *p,
	    struct err *err)
{
	const json_t *list = NULL;
	const char *name;
	json_t *v;

	if (!json_get_object(o, "attributes", &list, err))
		return false;
	struct sim_value *values = ARENA_ARRAY(a, struct sim_value, json_object_size(list) + 1);

	p->values = values;
	json_object_foreach((json_t *)(uintptr_t)list, name, v)
	{
		struct sim_value *out = &values[p->n_values++];

		*out = (struct sim_value){.name = sim_name_by_friendly(k, name), .level = p->level};
		if (out->name == NULL)
			return FAIL(err, ERR_INPUT, NULL, "attributes: no '%s' at the %s", name,
				    k->title);
		if (out->name->fact != SIM_HELD)
			return FAIL(err, ERR_INPUT, NULL, "attributes: '%s' follows from the login",
				    name);
		if (!read_value(a, v, out, err))
			return false;
	}
	return true;
}

static bool
read_person(struct arena *a, const struct sim_kind *k, const json_t *o, struct sim_person *p,
	    struct err *err)
{
	if (!json_get_str(o, "id", &p->id, err))
		return false;
	if (p->id == NULL || !text_is_visible_ascii(p->id, 64))
		return FAIL(err, ERR_INPUT, NULL, "id: 1 to 64 visible ASCII characters expected");
	if (!read_title(o, p, err) || !read_level(o, &p->level, err) ||
	    !json_get_str(o, "method", &p->method, err) ||
	    !json_get_str(o, "organisation", &p->organisation, err) ||
	    !json_get_bool(o, "temporary", &p->temporary, err))
		return false;
	if (k->of == SIM_BUNDID && saml_akdb_method_of(p->method) == 0)
		return FAIL(err, ERR_INPUT, NULL, "method: one of akdb:AuthnMethods expected");
	return read_values(a, k, o, p, err);
}

bool
sim_persons_read(struct arena *a, const struct sim_kind *k, struct bytes json,
		 struct sim_persons *out, struct err *err)
{
	const json_t *list = NULL;
	struct err why = {0};
	json_t *o;

	if (!json_parse_object(a, json, PERSONS_MAX_BYTES, &o, err) ||
	    !json_get_array(o, "persons", &list, err))
		return false;
	struct sim_person *p = ARENA_ARRAY(a, struct sim_person, json_array_size(list) + 1);

	*out = (struct sim_persons){p, 0};
	for (; out->n < json_array_size(list); out->n++) {
		if (!read_person(a, k, json_array_get(list, out->n), &p[out->n], &why))
			return FAIL(err, ERR_INPUT, NULL, "person %zu: %s", out->n + 1, why.text);
		if (sim_person_find(out, p[out->n].id) != NULL)
			return FAIL(err, ERR_INPUT, NULL, "person %zu: there is a '%s' already",
				    out->n + 1, p[out->n].id);
	}
	return out->n > 0 || FAIL(err, ERR_INPUT, NULL, "nobody in it: \"persons\" expected");
}

const struct sim_person *
sim_person_find(const struct sim_persons *list, const char *id)
{
	for (size_t i = 0; i < list->n; i++)
		if (text_eq(list->p[i].id, id))
			return &list->p[i];
	return NULL;
}

const struct sim_value *
sim_person_value(const struct sim_person *p, const struct sim_name *name)
{
	for (size_t i = 0; i < p->n_values; i++)
		if (p->values[i].name == name)
			return &p->values[i];
	return NULL;
}
