/* Words for levels; see acr.h. */
#include "idp/acr.h"

#include <string.h>

#define CLASSES     "urn:oasis:names:tc:SAML:2.0:ac:classes:"
#define UNSPECIFIED CLASSES "unspecified"

/* Classes that portals ask for when they know no levels. */
static const struct level_word standard[] = {
	{UNSPECIFIED, LEVEL_BASIC},
	{CLASSES "Password", LEVEL_LOW},
	{CLASSES "PasswordProtectedTransport", LEVEL_LOW},
	{CLASSES "TimeSyncToken", LEVEL_SUBSTANTIAL},
	{CLASSES "MobileTwoFactorContract", LEVEL_SUBSTANTIAL},
	{"https://refeds.org/profile/mfa", LEVEL_SUBSTANTIAL},
	{CLASSES "SmartcardPKI", LEVEL_HIGH},
};

static enum level
find(const struct level_word *list, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].word, word) == 0)
			return list[i].level;
	return LEVEL_NONE;
}

static enum level
level_of(const struct policy *policy, const char *word)
{
	enum level own = find(policy->level_words, policy->n_level_words, word);
	enum level known = own != LEVEL_NONE ? own : find(standard, ARRAY_LEN(standard), word);

	return known != LEVEL_NONE ? known : level_from_word(word);
}

level_set
acr_levels(const struct policy *policy, struct acr_words asked)
{
	level_set set = 0;

	for (size_t i = 0; i < asked.n; i++) {
		enum level l = level_of(policy, asked.p[i]);

		if (l != LEVEL_NONE)
			set |= level_set_range(l, l);
	}
	return set;
}

static const char *
own_word(const struct policy *policy, enum level level)
{
	for (size_t i = 0; i < policy->n_level_words; i++)
		if (policy->level_words[i].level == level)
			return policy->level_words[i].word;
	return level_word(level, policy->vocabulary);
}

const char *
acr_told(const struct policy *policy, struct acr_words asked, enum level told)
{
	const char *word = NULL;

	for (size_t i = 0; i < asked.n; i++)
		if (level_of(policy, asked.p[i]) == told && strcmp(asked.p[i], UNSPECIFIED) != 0)
			return asked.p[i];
	for (size_t i = 0; i < asked.n && word == NULL; i++)
		word = level_word(told, level_vocabulary_of(asked.p[i]));
	return word == NULL ? own_word(policy, told) : word;
}
