/*
 * JSON from outside and to outside, thin over jansson: duplicates refused,
 * depth and size capped, values tied to the arena, getters that say what is
 * missing.  Nobody else touches jansson's parser.
 */
#ifndef KONTOR_BASE_JSON_H
#define KONTOR_BASE_JSON_H

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * Parse one JSON object (RFC 8259) of at most max_bytes octets; lives as long
 * as the arena.  Refused (ERR_INPUT): duplicate names, anything after the
 * object, NUL in text, deeper than 32, not an object.
 */
MUST_USE bool json_parse_object(struct arena *a, struct bytes text, size_t max_bytes, json_t **out,
				struct err *err);

/* The same for one JSON array. */
MUST_USE bool json_parse_array(struct arena *a, struct bytes text, size_t max_bytes, json_t **out,
			       struct err *err);

/* Tie a reference that jansson gave us to the arena; returns j.  NULL (out of memory) leaves
 * by the arena's exit. */
json_t *json_keep(struct arena *a, json_t *j) __attribute__((returns_nonnull));

/* An empty object or array that lives in the arena. */
json_t *json_new_object(struct arena *a) __attribute__((returns_nonnull));
json_t *json_new_array(struct arena *a) __attribute__((returns_nonnull));

/* Compact text, names sorted when `sorted`, else in order of insertion. */
char *json_text(struct arena *a, const json_t *j, bool sorted) __attribute__((returns_nonnull));

/*
 * Members.  A missing or null member leaves *out as it is and returns true; a
 * member of another type is ERR_INPUT with its name in the text.
 */
MUST_USE bool json_get_str(const json_t *o, const char *name, const char **out, struct err *err);
MUST_USE bool json_get_bool(const json_t *o, const char *name, bool *out, struct err *err);
MUST_USE bool json_get_i64(const json_t *o, const char *name, int64_t *out, struct err *err);
MUST_USE bool json_get_array(const json_t *o, const char *name, const json_t **out,
			     struct err *err);
MUST_USE bool json_get_object(const json_t *o, const char *name, const json_t **out,
			      struct err *err);

/* An array of strings, copied out; at most max items.  Missing: *n = 0. */
MUST_USE bool json_get_strs(struct arena *a, const json_t *o, const char *name, size_t max,
			    const char ***out, size_t *n, struct err *err);

/* Set members; `s` NULL sets nothing.  Out of memory leaves by the arena's exit. */
void json_put_str(struct arena *a, json_t *o, const char *name, const char *s);
void json_put_i64(struct arena *a, json_t *o, const char *name, int64_t v);
void json_put_bool(struct arena *a, json_t *o, const char *name, bool v);
void json_put(struct arena *a, json_t *o, const char *name,
	      json_t *v);                                          /* takes its own reference */
void json_put_all(struct arena *a, json_t *o, const json_t *from); /* NULL: nothing */
void json_push_str(struct arena *a, json_t *array, const char *s);
void json_push(struct arena *a, json_t *array, json_t *v); /* takes its own reference */

#endif
