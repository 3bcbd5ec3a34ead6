/* Requests for verified claims and their answers; see verified.h. */
#include "oidc/verified.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "oidc/error.h"

#define CLAIMS_MAX    64
#define BAD(err, ...) FAIL((err), ERR_INPUT, OIDC_INVALID_REQUEST, __VA_ARGS__)

/* ---- requests ---- */

/* An element of verification, or a claim: null, or an object that constrains it. */
static bool
is_wish(const json_t *v)
{
	return json_is_null(v) || json_is_object(v);
}

static bool
check_set(const json_t *set, struct err *err)
{
	const json_t *verification = json_object_get(set, "verification");
	const json_t *claims = json_object_get(set, "claims");
	const char *name;
	json_t *v;

	if (!json_is_object(verification) || !json_is_object(claims))
		return BAD(err, "verified_claims: verification or claims is missing");
	if (!is_wish(json_object_get(verification, "trust_framework")))
		return BAD(err, "verified_claims: trust_framework is missing");
	if (json_object_size(claims) == 0 || json_object_size(claims) > CLAIMS_MAX)
		return BAD(err, "verified_claims: no claims, or more than %d", CLAIMS_MAX);
	json_object_foreach((json_t *)(uintptr_t)claims, name, v)
	{
		if (*name == '\0' || !is_wish(v))
			return BAD(err, "verified_claims: a claim is neither null nor an object");
	}
	return true;
}

/* The sets of a request: itself, or the members of the array that it is. */
static size_t
sets_of(const json_t *request)
{
	return json_is_array(request) ? json_array_size(request) : 1;
}

static const json_t *
set_at(const json_t *request, size_t i)
{
	return json_is_array(request) ? json_array_get(request, i) : request;
}

bool
oidc_verified_check(const json_t *request, struct err *err)
{
	size_t n = sets_of(request);

	if (n == 0 || n > OIDC_VERIFIED_SETS)
		return BAD(err, "verified_claims: none, or more than %d", OIDC_VERIFIED_SETS);
	for (size_t i = 0; i < n; i++)
		if (!check_set(set_at(request, i), err))
			return false;
	return true;
}

bool
oidc_verified_wants_evidence(const json_t *request)
{
	for (size_t i = 0; request != NULL && i < sets_of(request); i++)
		if (json_object_get(json_object_get(set_at(request, i), "verification"),
				    "evidence") != NULL)
			return true;
	return false;
}

struct oidc_strs
oidc_verified_claims(struct arena *a, const json_t *request)
{
	const char **names = ARENA_ARRAY(a, const char *, OIDC_VERIFIED_SETS *(size_t)CLAIMS_MAX);
	const char *name;
	size_t n = 0;
	json_t *v;

	for (size_t i = 0; i < sets_of(request); i++)
		json_object_foreach(json_object_get(set_at(request, i), "claims"), name, v)
		{
			names[n++] = arena_strdup(a, name);
		}
	return (struct oidc_strs){names, n};
}

/* ---- constraints (IDA 5.6) ---- */

/* Does a text meet value and values?  What is no list of texts is met by none. */
static bool
text_meets(const json_t *wish, const char *text)
{
	const json_t *value = json_object_get(wish, "value");
	const json_t *values = json_object_get(wish, "values");
	bool met = values == NULL;

	for (size_t i = 0; i < json_array_size(values); i++)
		met = met || text_eq(json_string_value(json_array_get(values, i)), text);
	return met && (value == NULL || text_eq(json_string_value(value), text));
}

/* max_age: seconds since, at most. */
static bool
time_meets(const json_t *wish, time_t t, time_t now)
{
	const json_t *max_age = json_object_get(wish, "max_age");

	return max_age == NULL ||
	       (json_is_integer(max_age) && json_integer_value(max_age) >= now - t);
}

/* Is anything in it constrained?  Of elements that we never tell, that is met by nothing. */
static bool
is_constrained(const json_t *wish)
{
	const char *name;
	json_t *v;
	size_t i;

	json_array_foreach(wish, i, v)
	{
		if (is_constrained(v))
			return true;
	}
	json_object_foreach((json_t *)(uintptr_t)wish, name, v)
	{
		if (strcmp(name, "value") == 0 || strcmp(name, "values") == 0 ||
		    strcmp(name, "max_age") == 0 || is_constrained(v))
			return true;
	}
	return false;
}

static bool tell(struct arena *a, const json_t *wish, const json_t *have, json_t **out);

static bool
tell_object(struct arena *a, const json_t *wish, const json_t *have, json_t **out)
{
	json_t *o = json_new_object(a), *part;
	const char *name;
	json_t *w;

	json_object_foreach((json_t *)(uintptr_t)wish, name, w)
	{
		const json_t *h = json_object_get(have, name);

		if (h == NULL ? is_constrained(w) : !tell(a, w, h, &part))
			return false;
		if (h != NULL && part != NULL)
			json_put(a, o, name, part);
	}
	*out = o;
	return true;
}

/* Each wish of the list is a filter, and one that is met is enough (IDA 5.5.2). */
static bool
tell_array(struct arena *a, const json_t *wishes, const json_t *have, json_t **out)
{
	json_t *list = json_new_array(a), *part = NULL;
	const json_t *h, *w;
	size_t i, k;

	json_array_foreach(have, i, h)
	{
		bool met = false;

		json_array_foreach(wishes, k, w)
		{
			met = met || tell(a, w, h, &part);
		}
		if (met && part != NULL)
			json_push(a, list, part);
	}
	*out = json_array_size(list) == 0 ? NULL : list;
	return *out != NULL || !is_constrained(wishes);
}

/*
 * What of this is told to that wish: all to null, else the members that are named.  False: a
 * constraint is not met.
 */
static bool
tell(struct arena *a, const json_t *wish, const json_t *have, json_t **out)
{
	*out = NULL;
	if (json_is_null(wish)) {
		*out = (json_t *)(uintptr_t)have;
		return true;
	}
	if (json_is_array(have) && json_is_array(wish))
		return tell_array(a, wish, have, out);
	if (json_is_object(have) && json_is_object(wish))
		return tell_object(a, wish, have, out);
	if (!json_is_string(have) || !json_is_object(wish))
		return !is_constrained(wish);
	*out = (json_t *)(uintptr_t)have;
	return json_object_get(wish, "max_age") == NULL &&
	       text_meets(wish, json_string_value(have));
}

/*
 * What is told of how this value was verified, as far as the request asks; NULL: it does not
 * meet the request (IDA 5.7.4: then nothing of the set is told of it).
 */
static json_t *
verification_of(struct arena *a, const json_t *wish, const struct oidc_claim_value *v, time_t now)
{
	json_t *o = json_new_object(a);
	const char *name;
	json_t *w;

	json_object_foreach((json_t *)(uintptr_t)wish, name, w)
	{
		if (strcmp(name, "trust_framework") == 0) {
			if (!text_meets(w, OIDC_TRUST_FRAMEWORK))
				return NULL;
			json_put_str(a, o, name, OIDC_TRUST_FRAMEWORK);
		} else if (strcmp(name, "assurance_level") == 0) {
			if (!text_meets(w, v->assurance))
				return NULL;
			json_put_str(a, o, name, v->assurance);
		} else if (strcmp(name, "time") == 0) {
			const char *text = clock_text(a, v->verified_at);

			if (!text_meets(w, text) || !time_meets(w, v->verified_at, now))
				return NULL;
			json_put_str(a, o, name, text);
		} else if (strcmp(name, "evidence") == 0 && v->evidence != NULL) {
			json_t *part;

			if (!tell(a, w, v->evidence, &part))
				return NULL;
			if (part != NULL)
				json_put(a, o, name, part);
		} else if (is_constrained(w)) {
			return NULL;
		}
	}
	return o;
}

/* ---- answers ---- */

/* Is this value asked for, and as the request wants it?  Objects are not compared. */
static bool
claim_meets(struct arena *a, const json_t *claims, const struct oidc_claim_value *v)
{
	size_t base = strcspn(v->claim, ".");
	const json_t *wish = json_object_get(claims, arena_strndup(a, v->claim, base));

	if (wish == NULL || v->text == NULL || v->assurance == NULL || v->verified_at == 0)
		return false;
	return v->claim[base] == '\0' ? text_meets(wish, v->text) : !is_constrained(wish);
}

/* An answer in the making: values that were verified alike, and how. */
struct answer {
	json_t *verification, *claims;
	const struct oidc_claim_value *like; /* the first of them */
};

static bool
is_alike(const struct oidc_claim_value *x, const struct oidc_claim_value *y)
{
	return strcmp(x->assurance, y->assurance) == 0 && x->verified_at == y->verified_at &&
	       (x->evidence == y->evidence ||
		(x->evidence != NULL && y->evidence != NULL &&
		 json_equal((json_t *)(uintptr_t)x->evidence, (json_t *)(uintptr_t)y->evidence)));
}

static struct answer *
answer_for(struct answer *answers, size_t *n, const struct oidc_claim_value *v)
{
	for (size_t i = 0; i < *n; i++)
		if (is_alike(answers[i].like, v))
			return &answers[i];
	answers[*n] = (struct answer){.like = v};
	return &answers[(*n)++];
}

static void
answer_set(struct arena *a, const json_t *set, const struct oidc_claim_value *values, size_t n,
	   time_t now, json_t *list)
{
	struct answer *answers = ARENA_ARRAY(a, struct answer, n + 1);
	const json_t *wish = json_object_get(set, "verification");
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		const struct oidc_claim_value *v = &values[i];

		if (!claim_meets(a, json_object_get(set, "claims"), v))
			continue;
		json_t *verification = verification_of(a, wish, v, now);

		if (verification == NULL)
			continue;
		struct answer *to = answer_for(answers, &used, v);

		if (to->claims == NULL) {
			to->verification = verification;
			to->claims = json_new_object(a);
		}
		oidc_claims_put_value(a, to->claims, v);
	}
	for (size_t i = 0; i < used; i++) {
		json_t *o = json_new_object(a);

		json_put(a, o, "verification", answers[i].verification);
		json_put(a, o, "claims", answers[i].claims);
		json_push(a, list, o);
	}
}

void
oidc_verified_put(struct arena *a, const json_t *request, const struct oidc_claim_value *values,
		  size_t n, time_t now, json_t *into)
{
	json_t *list = json_new_array(a);

	if (request == NULL)
		return;
	for (size_t i = 0; i < sets_of(request); i++)
		answer_set(a, set_at(request, i), values, n, now, list);
	if (json_array_size(list) == 1)
		json_put(a, into, OIDC_VERIFIED_CLAIMS, json_array_get(list, 0));
	else if (json_array_size(list) > 1)
		json_put(a, into, OIDC_VERIFIED_CLAIMS, list);
}
