/* What another OpenID Provider's tokens mean in our words; see home_oidc.h. */
#include "idp/home_oidc.h"

#include <string.h>

#include "base/text.h"
#include "idp/home_part.h"
#include "oidc/verified.h"

#define IDENTITY_MAX 1024

/* The person's name there: sub, or the claim that the operator named. */
static bool
identity_of(struct request *rq, const struct upstream *from, const struct oidc_told *told,
	    const char **out, struct err *err)
{
	const char *by = from->policy.identify;

	*out = by == NULL ? told->sub : oidc_told_text(rq->a, told->claims, by);
	if (*out == NULL || **out == '\0' || strlen(*out) > IDENTITY_MAX)
		return FAIL(err, ERR_DENIED, NULL, "nobody is named");
	return home_is_in_scope(from, *out) ||
	       FAIL(err, ERR_DENIED, NULL, "somebody whom the provider may not speak for");
}

/* A value as one set of verified claims has it (IDA Schema 5.4). */
static const char *
verified_text(struct arena *a, const json_t *set, const char *claim, enum level *level)
{
	const json_t *verification = json_object_get(set, "verification");
	const char *framework = json_string_value(json_object_get(verification, "trust_framework"));
	const char *word = json_string_value(json_object_get(verification, "assurance_level"));

	*level = text_eq(framework, OIDC_TRUST_FRAMEWORK) && word != NULL ? level_from_word(word)
									  : LEVEL_NONE;
	return *level == LEVEL_NONE ? NULL
				    : oidc_told_text(a, json_object_get(set, "claims"), claim);
}

/* The best that the claims have: verified, else as they are, at the level the policy gives. */
static const char *
find_text(struct arena *a, const struct upstream *from, const json_t *claims, const char *claim,
	  enum level *level)
{
	const json_t *sets = json_object_get(claims, OIDC_VERIFIED_CLAIMS);
	const char *best = NULL;
	enum level most = LEVEL_NONE;

	for (size_t i = 0; i < (json_is_array(sets) ? json_array_size(sets) : 1); i++) {
		enum level its;
		const char *text = verified_text(
			a, json_is_array(sets) ? json_array_get(sets, i) : sets, claim, &its);

		if (text != NULL && its > most) {
			best = text;
			most = its;
		}
	}
	if (best == NULL) {
		best = oidc_told_text(a, claims, claim);
		most = from->policy.attribute_level;
	}
	*level = most;
	return best;
}

static void
add_held(struct request *rq, const struct upstream *from, const struct attribute *at,
	 const json_t *const *claims, size_t n, enum level login, json_t *list)
{
	for (size_t i = 0; i < n; i++) {
		enum level level;
		const char *value = home_value_of(
			rq->a, at, find_text(rq->a, from, claims[i], at->claim, &level));

		level = level_min(level, login);
		if (value == NULL || level == LEVEL_NONE)
			continue;
		home_put_held(rq->a, list, at, value, level);
		return;
	}
}

bool
home_oidc_read(struct request *rq, const struct upstream *from, enum level wanted,
	       const struct oidc_told *told, const json_t *userinfo, json_t **out, struct err *err)
{
	const json_t *const claims[] = {userinfo, told->claims};
	json_t *o = json_new_object(rq->a), *held = json_new_array(rq->a),
	       *authorities = json_new_array(rq->a);
	enum level level = told->acr == NULL ? LEVEL_NONE : home_level_of_word(from, told->acr);
	const char *identity;

	if (!home_level_fits(from, level, wanted, err) ||
	    !identity_of(rq, from, told, &identity, err))
		return false;
	for (const struct attribute *at = attributes; at->name != NULL; at++)
		if (from->policy.attributes.n == 0 || release_wants(from->policy.attributes, at))
			add_held(rq, from, at, claims, ARRAY_LEN(claims), level, held);
	json_push_str(rq->a, authorities, from->entity_id);
	json_put_str(rq->a, o, "upstream", from->id);
	json_put_i64(rq->a, o, "outcome", SAML_OUTCOME_LOGIN);
	json_put_i64(rq->a, o, "level", level);
	json_put_i64(rq->a, o, "at", (int64_t)told->auth_time);
	json_put_str(rq->a, o, "identity", identity);
	json_put_str(rq->a, o, "proved_by", from->kind->proved_by);
	json_put(rq->a, o, "authorities", authorities);
	json_put(rq->a, o, "held", held);
	*out = o;
	return true;
}
