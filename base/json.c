/* JSON over jansson; see json.h. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"

#define MAX_DEPTH 32

/* Before main, since what jansson has allocated must be freed in the same way. */
static void __attribute__((constructor)) set_json_memory(void)
{
	json_set_alloc_funcs(memory_alloc, free);
}

static void
json_release(void *p)
{
	json_decref(p);
}

json_t *
json_keep(struct arena *a, json_t *j)
{
	if (j == NULL) /* jansson is out of memory */
		arena_leave(a);
	arena_defer(a, json_release, j);
	return j;
}

static size_t
depth_of(const json_t *j, size_t limit)
{
	size_t deepest = 0, i;
	json_t *v;
	const char *k;

	if (limit == 0 || (!json_is_object(j) && !json_is_array(j)))
		return 0;
	if (json_is_object(j)) {
		json_object_foreach((json_t *)(uintptr_t)j, k, v)
		{
			size_t d = depth_of(v, limit - 1);

			deepest = d > deepest ? d : deepest;
		}
	} else {
		json_array_foreach(j, i, v)
		{
			size_t d = depth_of(v, limit - 1);

			deepest = d > deepest ? d : deepest;
		}
	}
	return deepest + 1;
}

static bool
parse(struct arena *a, struct bytes text, size_t max_bytes, json_type type, json_t **out,
      struct err *err)
{
	json_error_t why;

	if (text.n > max_bytes)
		return FAIL(err, ERR_INPUT, NULL, "JSON: %zu bytes, at most %zu", text.n,
			    max_bytes);
	/* jansson refuses NUL in texts by default and stops at depth 2048 by itself. */
	json_t *j = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &why);

	if (j == NULL)
		return FAIL(err, ERR_INPUT, NULL, "JSON: line %d: not well-formed", why.line);
	json_keep(a, j);
	if (json_typeof(j) != type)
		return FAIL(err, ERR_INPUT, NULL, "JSON: not an %s",
			    type == JSON_OBJECT ? "object" : "array");
	if (depth_of(j, MAX_DEPTH + 1) > MAX_DEPTH)
		return FAIL(err, ERR_INPUT, NULL, "JSON: deeper than %d", MAX_DEPTH);
	*out = j;
	return true;
}

bool
json_parse_object(struct arena *a, struct bytes text, size_t max_bytes, json_t **out,
		  struct err *err)
{
	return parse(a, text, max_bytes, JSON_OBJECT, out, err);
}

bool
json_parse_array(struct arena *a, struct bytes text, size_t max_bytes, json_t **out,
		 struct err *err)
{
	return parse(a, text, max_bytes, JSON_ARRAY, out, err);
}

json_t *
json_new_object(struct arena *a)
{
	return json_keep(a, json_object());
}

json_t *
json_new_array(struct arena *a)
{
	return json_keep(a, json_array());
}

/* RFC 8259 7: what has to be escaped; the rest is UTF-8 as it is. */
static void
write_string(struct buf *b, const char *s, size_t n)
{
	static const char *const short_forms[] = {
		['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f",
		['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\"};
	size_t from = 0;

	buf_char(b, '"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(b, (struct bytes){(const unsigned char *)s + from, i - from});
		from = i + 1;
		if (short_forms[c] != NULL)
			buf_str(b, short_forms[c]);
		else
			buf_printf(b, "\\u%04X", c);
	}
	buf_add(b, (struct bytes){(const unsigned char *)s + from, n - from});
	buf_char(b, '"');
}

static int
by_name(const void *x, const void *y)
{
	const char *const *a = x, *const *b = y;

	return strcmp(*a, *b);
}

/* The names of the members, sorted; ends with NULL. */
static const char **
names_of(struct arena *a, json_t *o)
{
	const char **names = ARENA_ARRAY(a, const char *, json_object_size(o) + 1), *name;
	size_t n = 0;
	json_t *v;

	json_object_foreach(o, name, v)
	{
		names[n++] = name;
	}
	qsort(names, n, sizeof(*names), by_name);
	return names;
}

static void write_value(struct buf *b, json_t *j, bool sorted);

static void
write_member(struct buf *b, const char *name, json_t *v, bool sorted)
{
	if (b->p[b->n - 1] != '{')
		buf_char(b, ',');
	write_string(b, name, strlen(name));
	buf_char(b, ':');
	write_value(b, v, sorted);
}

static void
write_object(struct buf *b, json_t *o, bool sorted)
{
	const char **names = sorted ? names_of(b->a, o) : NULL, *name;
	json_t *v;

	buf_char(b, '{');
	if (sorted) {
		for (; *names != NULL; names++)
			write_member(b, *names, json_object_get(o, *names), sorted);
	} else {
		json_object_foreach(o, name, v)
		{
			write_member(b, name, v, sorted);
		}
	}
	buf_char(b, '}');
}

static void
write_array(struct buf *b, json_t *array, bool sorted)
{
	buf_char(b, '[');
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (i > 0)
			buf_char(b, ',');
		write_value(b, json_array_get(array, i), sorted);
	}
	buf_char(b, ']');
}

static void
write_value(struct buf *b, json_t *j, bool sorted)
{
	char number[32];

	switch (json_typeof(j)) {
	case JSON_OBJECT:
		write_object(b, j, sorted);
		break;
	case JSON_ARRAY:
		write_array(b, j, sorted);
		break;
	case JSON_STRING:
		write_string(b, json_string_value(j), json_string_length(j));
		break;
	case JSON_INTEGER:
		buf_printf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(j));
		break;
	case JSON_REAL:
		buf_add(b, (struct bytes){(unsigned char *)number,
					  json_dumpb(j, number, sizeof(number), JSON_ENCODE_ANY)});
		break;
	case JSON_TRUE:
		buf_str(b, "true");
		break;
	case JSON_FALSE:
		buf_str(b, "false");
		break;
	case JSON_NULL:
		buf_str(b, "null");
		break;
	}
}

/*
 * Not jansson's printer: it looks for cycles by the printed address of each object, which we
 * have none of, and takes every character apart; that was a third of a login's instructions.
 */
char *
json_text(struct arena *a, const json_t *j, bool sorted)
{
	struct buf b;

	buf_init(&b, a, SIZE_MAX / 4); /* the arena's cap counts */
	write_value(&b, (json_t *)(uintptr_t)j, sorted);
	return (char *)b.p;
}

/* The member, or NULL when it is missing or null. */
static json_t *
member(const json_t *o, const char *name)
{
	json_t *v = json_object_get(o, name);

	return json_is_null(v) ? NULL : v;
}

bool
json_get_str(const json_t *o, const char *name, const char **out, struct err *err)
{
	const json_t *v = member(o, name);

	if (v != NULL && !json_is_string(v))
		return FAIL(err, ERR_INPUT, NULL, "JSON: %s is not a string", name);
	if (v != NULL)
		*out = json_string_value(v);
	return true;
}

bool
json_get_bool(const json_t *o, const char *name, bool *out, struct err *err)
{
	const json_t *v = member(o, name);

	if (v != NULL && !json_is_boolean(v))
		return FAIL(err, ERR_INPUT, NULL, "JSON: %s is not true or false", name);
	if (v != NULL)
		*out = json_is_true(v);
	return true;
}

bool
json_get_i64(const json_t *o, const char *name, int64_t *out, struct err *err)
{
	const json_t *v = member(o, name);

	if (v != NULL && !json_is_integer(v))
		return FAIL(err, ERR_INPUT, NULL, "JSON: %s is not an integer", name);
	if (v != NULL)
		*out = json_integer_value(v);
	return true;
}

bool
json_get_array(const json_t *o, const char *name, const json_t **out, struct err *err)
{
	const json_t *v = member(o, name);

	if (v != NULL && !json_is_array(v))
		return FAIL(err, ERR_INPUT, NULL, "JSON: %s is not an array", name);
	if (v != NULL)
		*out = v;
	return true;
}

bool
json_get_object(const json_t *o, const char *name, const json_t **out, struct err *err)
{
	const json_t *v = member(o, name);

	if (v != NULL && !json_is_object(v))
		return FAIL(err, ERR_INPUT, NULL, "JSON: %s is not an object", name);
	if (v != NULL)
		*out = v;
	return true;
}

bool
json_get_strs(struct arena *a, const json_t *o, const char *name, size_t max, const char ***out,
	      size_t *n, struct err *err)
{
	const json_t *array = NULL;

	if (!json_get_array(o, name, &array, err))
		return false;
	size_t count = json_array_size(array);

	if (count > max)
		return FAIL(err, ERR_INPUT, NULL, "JSON: %s has %zu items, at most %zu", name,
			    count, max);
	const char **strs = ARENA_ARRAY(a, const char *, count + 1);

	for (size_t i = 0; i < count; i++) {
		const char *s = json_string_value(json_array_get(array, i));

		if (s == NULL)
			return FAIL(err, ERR_INPUT, NULL,
				    "JSON: %s holds something other than text", name);
		strs[i] = arena_strdup(a, s);
	}
	*out = strs;
	*n = count;
	return true;
}

/* jansson fails here only when out of memory. */
static void
must(struct arena *a, int rc)
{
	if (rc != 0)
		arena_leave(a);
}

/* jansson's own check of UTF-8 goes character by character; NULL when it is none. */
static json_t *
string_of(const char *s)
{
	return text_is_utf8(bytes_of(s)) ? json_string_nocheck(s) : NULL;
}

void
json_put_str(struct arena *a, json_t *o, const char *name, const char *s)
{
	if (s != NULL)
		must(a, json_object_set_new(o, name, string_of(s)));
}

void
json_put_i64(struct arena *a, json_t *o, const char *name, int64_t v)
{
	must(a, json_object_set_new(o, name, json_integer(v)));
}

void
json_put_bool(struct arena *a, json_t *o, const char *name, bool v)
{
	must(a, json_object_set_new(o, name, json_boolean(v)));
}

void
json_put(struct arena *a, json_t *o, const char *name, json_t *v)
{
	must(a, json_object_set(o, name, v));
}

void
json_put_all(struct arena *a, json_t *o, const json_t *from)
{
	if (from != NULL)
		must(a, json_object_update(o, (json_t *)(uintptr_t)from));
}

void
json_push_str(struct arena *a, json_t *array, const char *s)
{
	must(a, json_array_append_new(array, string_of(s)));
}

void
json_push(struct arena *a, json_t *array, json_t *v)
{
	must(a, json_array_append(array, v));
}
