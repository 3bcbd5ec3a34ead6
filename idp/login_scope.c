/* Scopes about the login; see login_scope.h. */
#include "idp/login_scope.h"

#include <string.h>

#include "idp/login.h"

enum kind {
	KIND_NONE,
	KIND_PERSON,
	KIND_OTHER, /* no account here is one */
};

static const struct {
	const char *word;
	enum level least;
	enum kind kind;
} rows[LOGIN_SCOPES_MAX] = {
	{"level1", LEVEL_BASIC, KIND_NONE},       {"level2", LEVEL_LOW, KIND_NONE},
	{"level3", LEVEL_SUBSTANTIAL, KIND_NONE}, {"level4", LEVEL_HIGH, KIND_NONE},
	{"person", LEVEL_NONE, KIND_PERSON},      {"legalEntity", LEVEL_NONE, KIND_OTHER},
	{"any", LEVEL_NONE, KIND_PERSON},
};

void
login_scope_words(bool can_be_met, const char **words, size_t *n)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!can_be_met ||
		    (rows[i].least <= login_reachable() && rows[i].kind != KIND_OTHER))
			words[(*n)++] = rows[i].word;
}

enum level
login_scope_least(struct oidc_strs scopes)
{
	enum level least = LEVEL_NONE;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].least > least && oidc_strs_have(scopes, rows[i].word))
			least = rows[i].least;
	return least;
}

bool
login_scope_is_for_persons(struct oidc_strs scopes)
{
	bool other = false;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].kind == KIND_NONE || !oidc_strs_have(scopes, rows[i].word))
			continue;
		if (rows[i].kind == KIND_PERSON)
			return true;
		other = true;
	}
	return !other;
}

bool
login_scope_is_of_others(const char *scope)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].word, scope) == 0)
			return rows[i].kind == KIND_OTHER;
	return false;
}
