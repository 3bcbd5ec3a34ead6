/* Claims asked for and claims given; see claims.h. */
#include "oidc/claims.h"

#include <string.h>

#include "base/text.h"
#include "oidc/error.h"
#include "oidc/verified.h"

#define PARAMETER_MAX_BYTES (8 * 1024)
#define CLAIMS_MAX          64
#define NAME_MAX_BYTES      128
#define VALUES_MAX          16

#define LEVELS              "claim_levels"

#define BAD(err, ...)       FAIL((err), ERR_INPUT, OIDC_INVALID_REQUEST, __VA_ARGS__)

/* Claims in the making. */
struct draft {
	struct oidc_claim *p;
	size_t n, max;
};

static struct oidc_claim *
draft_find(const struct draft *d, const char *name, size_t n)
{
	for (size_t i = 0; i < d->n; i++)
		if (strlen(d->p[i].name) == n && strncmp(d->p[i].name, name, n) == 0)
			return &d->p[i];
	return NULL;
}

/* The claim of that name, added if it is new; NULL when there is no room. */
static struct oidc_claim *
draft_add(struct arena *a, struct draft *d, const char *name, size_t n)
{
	struct oidc_claim *c = draft_find(d, name, n);

	if (c == NULL && d->n < d->max) {
		c = &d->p[d->n++];
		c->name = arena_strndup(a, name, n);
	}
	return c;
}

/* The texts a request accepts as value: "value", or "values" (Core 5.5.1). */
static bool
values_of(struct arena *a, const json_t *request, struct oidc_strs *out, struct err *err)
{
	const char *one = NULL, **many;
	size_t n;

	if (!json_get_str(request, "value", &one, err) ||
	    !json_get_strs(a, request, "values", VALUES_MAX, &many, &n, err))
		return false;
	if (one != NULL) {
		many = ARENA_NEW(a, const char *);
		many[0] = arena_strdup(a, one);
		n = 1;
	}
	*out = (struct oidc_strs){many, n};
	return true;
}

/* acr and sub in the ID token say who may answer, and how sure; true when it was one of them. */
static bool
parse_special(struct arena *a, const char *name, const json_t *request, bool essential,
	      struct oidc_claims *out, bool *special, struct err *err)
{
	bool acr = strcmp(name, "acr") == 0;
	struct oidc_strs values;

	*special = acr || strcmp(name, "sub") == 0;
	if (!*special || request == NULL)
		return true;
	if (!values_of(a, request, &values, err))
		return false;
	if (acr) {
		out->acr = values;
		out->acr_essential = essential && values.n > 0;
	} else if (values.n > 1) {
		return BAD(err, "claims: more than one sub");
	} else if (values.n == 1) { /* second line: NULL ends an empty list */
		out->sub = values.s[0];
	}
	return true;
}

/* The values that will do, whatever they are; NULL: any (Core 5.5.1). */
static const json_t *
values_wanted(struct arena *a, const json_t *request)
{
	json_t *one = json_object_get(request, "value"), *list = json_new_array(a);
	const json_t *many = json_object_get(request, "values");

	if (one != NULL && !json_is_null(one)) {
		json_push(a, list, one);
		return list;
	}
	return json_is_array(many) ? many : NULL;
}

/* One member of "id_token" or "userinfo": null, or an object. */
static bool
parse_one(struct arena *a, const json_t *place, const char *name, bool id_token, struct draft *d,
	  struct oidc_claims *out, struct err *err)
{
	const size_t base = strcspn(name, "#");
	const json_t *request = NULL;
	bool essential = false, special = false;

	if (base == 0 || base > NAME_MAX_BYTES)
		return BAD(err, "claims: a name is empty or too long");
	if (!json_get_object(place, name, &request, err) ||
	    (request != NULL && !json_get_bool(request, "essential", &essential, err)) ||
	    (id_token && !parse_special(a, name, request, essential, out, &special, err)))
		return false;
	if (special)
		return true;
	struct oidc_claim *c = draft_add(a, d, name, base);

	if (c == NULL)
		return BAD(err, "claims: more than %d", CLAIMS_MAX);
	c->essential = c->essential || essential;
	*(id_token ? &c->in_id_token : &c->in_userinfo) = true;
	*(id_token ? &c->id_token_values : &c->userinfo_values) = values_wanted(a, request);
	return true;
}

/* What is asked for as verified is wanted, and told in that way alone. */
static bool
parse_verified(struct arena *a, const json_t *request, struct draft *d, const json_t **out,
	       struct err *err)
{
	if (!oidc_verified_check(request, err))
		return false;
	struct oidc_strs names = oidc_verified_claims(a, request);

	for (size_t i = 0; i < names.n; i++)
		if (draft_add(a, d, names.s[i], strlen(names.s[i])) == NULL)
			return BAD(err, "claims: more than %d", CLAIMS_MAX);
	*out = request;
	return true;
}

static bool
parse_place(struct arena *a, const json_t *o, const char *where, struct draft *d,
	    struct oidc_claims *out, struct err *err)
{
	bool id_token = strcmp(where, "id_token") == 0;
	const json_t **verified = id_token ? &out->verified_id_token : &out->verified_userinfo;
	const json_t *place = NULL;
	const char *name;
	json_t *v;

	if (!json_get_object(o, where, &place, err))
		return false;
	json_object_foreach((json_t *)(uintptr_t)place, name, v)
	{
		if (strcmp(name, OIDC_VERIFIED_CLAIMS) == 0) {
			if (!parse_verified(a, v, d, verified, err))
				return false;
			continue;
		}
		if (!parse_one(a, place, name, id_token, d, out, err))
			return false;
	}
	return true;
}

bool
oidc_claims_parse(struct arena *a, const char *text, struct oidc_claims *out, struct err *err)
{
	struct draft d = {ARENA_ARRAY(a, struct oidc_claim, CLAIMS_MAX), 0, CLAIMS_MAX};
	struct oidc_claims claims = {0};
	json_t *o;

	if (!json_parse_object(a, bytes_of(text), PARAMETER_MAX_BYTES, &o, err) ||
	    !parse_place(a, o, "id_token", &d, &claims, err) ||
	    !parse_place(a, o, "userinfo", &d, &claims, err))
		return err_name(err, OIDC_INVALID_REQUEST);
	claims.p = d.p;
	claims.n = d.n;
	*out = claims;
	return true;
}

/* Append the claims of the table that are not there yet. */
static void
add_table(struct arena *a, const struct oidc_scope_claim *rows, size_t n, const char **s,
	  size_t *used)
{
	for (size_t i = 0; i < n; i++) {
		const char *name = arena_strndup(a, rows[i].claim, strcspn(rows[i].claim, "."));

		if (!oidc_strs_have((struct oidc_strs){s, *used}, name))
			s[(*used)++] = name;
	}
}

struct oidc_strs
oidc_claims_table(struct arena *a, const struct oidc_scope_claim *rows, size_t n)
{
	const char **s = ARENA_ARRAY(a, const char *, n + 1);
	size_t used = 0;

	add_table(a, rows, n, s, &used);
	return (struct oidc_strs){s, used};
}

struct oidc_strs
oidc_claims_of(struct arena *a, const struct oidc_scope_claim *rows, size_t n)
{
	static const char *const own[] = {
		"iss", "sub", "aud", "exp",     "iat",  "auth_time",         "nonce",
		"acr", "amr", "sid", "at_hash", LEVELS, OIDC_VERIFIED_CLAIMS};
	const char **s = ARENA_ARRAY(a, const char *, ARRAY_LEN(own) + n);
	size_t used = 0;

	while (used < ARRAY_LEN(own)) {
		s[used] = own[used];
		used++;
	}
	add_table(a, rows, n, s, &used);
	return (struct oidc_strs){s, used};
}

void
oidc_claims_add_scopes(struct arena *a, const struct oidc_scope_claim *rows, size_t n_rows,
		       struct oidc_strs scopes, struct oidc_claims *wanted)
{
	struct draft d = {ARENA_ARRAY(a, struct oidc_claim, wanted->n + n_rows), wanted->n,
			  wanted->n + n_rows};

	for (size_t i = 0; i < wanted->n; i++)
		d.p[i] = wanted->p[i];
	for (size_t i = 0; i < n_rows; i++)
		if (oidc_strs_have(scopes, rows[i].scope)) {
			struct oidc_claim *c =
				draft_add(a, &d, rows[i].claim, strcspn(rows[i].claim, "."));

			c->in_userinfo = true;
			c->userinfo_values = NULL; /* a scope asks for whatever it is */
		}
	wanted->p = d.p;
	wanted->n = d.n;
}

const struct oidc_claim *
oidc_claims_find(const struct oidc_claims *wanted, const char *claim)
{
	/* draft_find does not write through it. */
	const struct draft d = {(struct oidc_claim *)(uintptr_t)wanted->p, wanted->n, wanted->n};

	return draft_find(&d, claim, strcspn(claim, "."));
}

void
oidc_claims_put_value(struct arena *a, json_t *into, const struct oidc_claim_value *v)
{
	const char *dot = strchr(v->claim, '.');
	const char *name = v->claim;
	json_t *text = json_keep(a, v->form == OIDC_CLAIM_TRUTH
					    ? json_boolean(strcmp(v->text, "true") == 0)
					    : json_string(v->text));

	if (v->form == OIDC_CLAIM_LIST) {
		json_t *array = json_new_array(a);

		json_push(a, array, text);
		text = array;
	}
	if (dot != NULL) {
		const char *outer = arena_strndup(a, v->claim, (size_t)(dot - v->claim));
		json_t *o = json_object_get(into, outer);

		if (o == NULL) {
			o = json_new_object(a);
			json_put(a, into, outer, o);
		}
		into = o;
		name = dot + 1;
	}
	json_put(a, into, name, text);
}

/* NULL: it is no text, or no boolean where that is asked for. */
static const char *
text_of(const json_t *value, enum oidc_claim_form form)
{
	if (form != OIDC_CLAIM_TRUTH)
		return json_string_value(value);
	return json_is_boolean(value) ? (json_is_true(value) ? "true" : "false") : NULL;
}

/* Is it one of the values that will do?  Members of an object and lists are no text. */
static bool
will_do(const json_t *values, const struct oidc_claim_value *v)
{
	if (values == NULL)
		return true;
	for (size_t i = 0; i < json_array_size(values); i++)
		if (v->text != NULL && v->form != OIDC_CLAIM_LIST &&
		    strchr(v->claim, '.') == NULL &&
		    text_eq(text_of(json_array_get(values, i), v->form), v->text))
			return true;
	return false;
}

void
oidc_claims_put(struct arena *a, const struct oidc_claim_value *values, size_t n,
		const struct oidc_claims *wanted, enum oidc_place place, json_t *into)
{
	json_t *levels = json_new_object(a);

	for (size_t i = 0; i < n; i++) {
		const struct oidc_claim_value *v = &values[i];
		const struct oidc_claim *c = oidc_claims_find(wanted, v->claim);

		if (c == NULL || !(place == OIDC_IN_ID_TOKEN ? c->in_id_token : c->in_userinfo))
			continue;
		if (!will_do(place == OIDC_IN_ID_TOKEN ? c->id_token_values : c->userinfo_values,
			     v))
			continue;
		if (v->text != NULL)
			oidc_claims_put_value(a, into, v);
		json_put_str(a, levels, v->claim, v->level);
	}
	if (json_object_size(levels) > 0)
		json_put(a, into, LEVELS, levels);
}

/* The object that holds the last part of `claim`, if it is there; else NULL. */
static json_t *
holder_of(struct arena *a, json_t *o, const char *claim, const char **name)
{
	const char *dot = strchr(claim, '.');

	*name = dot == NULL ? claim : dot + 1;
	if (dot != NULL)
		o = json_object_get(o, arena_strndup(a, claim, (size_t)(dot - claim)));
	return json_object_get(o, *name) == NULL ? NULL : o;
}

/* A set of verified claims, or several. */
static bool
is_verified(struct arena *a, const json_t *verified, const char *claim)
{
	const json_t *set = json_is_array(verified) ? json_array_get(verified, 0) : verified;
	const char *name;

	for (size_t i = 1; set != NULL; set = json_array_get(verified, i++))
		if (holder_of(a, json_object_get(set, "claims"), claim, &name) != NULL)
			return true;
	return false;
}

static void
leave_out(struct arena *a, json_t *o, const char *claim)
{
	const char *name;
	json_t *holder = holder_of(a, o, claim, &name);

	if (holder != NULL)
		json_object_del(holder, name);
	if (holder != NULL && holder != o && json_object_size(holder) == 0)
		json_object_del(o, arena_strndup(a, claim, strcspn(claim, ".")));
	json_object_del(json_object_get(o, LEVELS), claim);
	/* One claim of a set less is a set that nobody asked for. */
	if (is_verified(a, json_object_get(o, OIDC_VERIFIED_CLAIMS), claim))
		json_object_del(o, OIDC_VERIFIED_CLAIMS);
}

json_t *
oidc_claims_leave_out(struct arena *a, const json_t *claims, struct oidc_strs names)
{
	json_t *o = json_keep(a, json_deep_copy(claims));

	for (size_t i = 0; i < names.n; i++)
		leave_out(a, o, names.s[i]);
	if (json_object_size(json_object_get(o, LEVELS)) == 0)
		json_object_del(o, LEVELS);
	return o;
}

json_t *
oidc_claims_without(struct arena *a, const json_t *claims, const struct oidc_scope_claim *rows,
		    size_t n_rows, struct oidc_strs scopes)
{
	const char **names = ARENA_ARRAY(a, const char *, n_rows + 1);
	size_t n = 0;

	for (size_t i = 0; i < n_rows; i++)
		if (oidc_strs_have(scopes, rows[i].scope))
			names[n++] = rows[i].claim;
	json_t *o = oidc_claims_leave_out(a, claims, (struct oidc_strs){names, n});

	/* One claim of a scope less is a set that nobody asked for. */
	if (scopes.n > 0)
		json_object_del(o, OIDC_VERIFIED_CLAIMS);
	return o;
}
