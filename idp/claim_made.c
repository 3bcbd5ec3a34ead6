/* Claims made of attributes; see claim_made.h. */
#include "idp/claim_made.h"

#include <string.h>

/* A claim of several attributes is their texts with those marks before all but the first. */
static const struct made {
	const char *claim, *scope;
	struct {
		const char *attribute, *before;
	} parts[4];
	bool verified; /* whether the value was, not the value */
} made[CLAIM_MADE_MAX] = {
	{"name", "profile", {{"given_names", ""}, {"family_name", " "}}, false},
	/* 5.1.1: lines end with a newline; the country as its code, as it is held */
	{"address.formatted",
	 "address",
	 {{"street_address", ""}, {"postal_code", "\n"}, {"locality", " "}, {"country", "\n"}},
	 false},
	{"email_verified", "email", {{"email", ""}}, true},
	{"phone_number_verified", "phone", {{"phone_number", ""}}, true},
};

static bool
is_made_of(const struct made *m, const struct attribute *at)
{
	for (size_t i = 0; i < ARRAY_LEN(m->parts) && m->parts[i].attribute != NULL; i++)
		if (strcmp(m->parts[i].attribute, at->name) == 0)
			return true;
	return false;
}

const struct oidc_scope_claim *
claim_rows(struct arena *a, size_t *held, size_t *n)
{
	size_t used = 0;

	while (attributes[used].name != NULL)
		used++;
	struct oidc_scope_claim *rows =
		ARENA_ARRAY(a, struct oidc_scope_claim, used + ARRAY_LEN(made));

	for (size_t i = 0; i < used; i++)
		rows[i] = (struct oidc_scope_claim){attributes[i].scope, attributes[i].claim};
	*held = used;
	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		rows[used++] = (struct oidc_scope_claim){made[i].scope, made[i].claim};
	*n = used;
	return rows;
}

bool
claim_wants(const struct oidc_claims *claims, const struct attribute *at)
{
	if (oidc_claims_find(claims, at->claim) != NULL)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		const struct oidc_claim *c = oidc_claims_find(claims, made[i].claim);

		/* None is told as a verified one. */
		if (c != NULL && (c->in_id_token || c->in_userinfo) && is_made_of(&made[i], at))
			return true;
	}
	return false;
}

struct oidc_strs
claim_unregistered(struct arena *a, struct wanted_list registered)
{
	size_t held, rows, n = 0;

	claim_rows(a, &held, &rows);
	const char **names = ARENA_ARRAY(a, const char *, rows + 1);

	for (size_t i = 0; i < held; i++)
		if (!release_wants(registered, &attributes[i]))
			names[n++] = attributes[i].claim;
	for (size_t k = 0; k < ARRAY_LEN(made); k++) {
		bool all = true;

		for (size_t i = 0; i < held; i++)
			all = all && (!is_made_of(&made[k], &attributes[i]) ||
				      release_wants(registered, &attributes[i]));
		if (!all)
			names[n++] = made[k].claim;
	}
	return (struct oidc_strs){names, n};
}

static const struct released *
find(const struct release *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->p[i].at->name, name) == 0)
			return &r->p[i];
	return NULL;
}

/* The texts of its parts, one after another; NULL: one is not released, or all are empty. */
static const char *
join(struct arena *a, const struct made *m, const struct release *r, enum level *least)
{
	const char *text = NULL;

	*least = LEVEL_HIGH;
	for (size_t i = 0; i < ARRAY_LEN(m->parts) && m->parts[i].attribute != NULL; i++) {
		const struct released *part = find(r, m->parts[i].attribute);

		if (part == NULL)
			return NULL;
		*least = level_min(*least, part->level);
		if (!part->verified_empty)
			text = text == NULL ? part->value
					    : arena_printf(a, "%s%s%s", text, m->parts[i].before,
							   part->value);
	}
	return text;
}

void
claim_make(struct arena *a, const struct release *released, const struct policy *policy,
	   struct oidc_claim_value *out, size_t *n)
{
	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		const struct made *m = &made[i];
		enum level least;
		const char *text = join(a, m, released, &least);

		if (text == NULL)
			continue;
		bool verified = least > LEVEL_BASIC; /* else it is what the person said */

		out[(*n)++] = (struct oidc_claim_value){
			.claim = m->claim,
			.text = m->verified ? (verified ? "true" : "false") : text,
			.form = m->verified ? OIDC_CLAIM_TRUTH : OIDC_CLAIM_TEXT,
			.level = policy->level_attributes ? level_word(least, policy->vocabulary)
							  : NULL,
		};
	}
}
