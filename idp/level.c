/* Levels of assurance; see level.h.  Words and limits as TR-03160-1, eIDAS, BSI and BundID have
 * them. */
#include "idp/level.h"

#include <string.h>

#include "base/text.h"

#define BSI   "http://bsi.bund.de/eID/LoA/"
#define EIDAS "http://eidas.europa.eu/LoA/"

/* What we answer, by vocabulary and level.  BSI calls a level without assurance "undefined". */
static const char *const words[LEVEL_VOCAB_COUNT][LEVEL_HIGH + 1] = {
	[LEVEL_VOCAB_STORK] = {NULL, "STORK-QAA-Level-1", "STORK-QAA-Level-2", "STORK-QAA-Level-3",
			       "STORK-QAA-Level-4"},
	[LEVEL_VOCAB_EIDAS] = {NULL, NULL, EIDAS "low", EIDAS "substantial", EIDAS "high"},
	[LEVEL_VOCAB_BSI] = {NULL, BSI "undefined", BSI "normal", BSI "substantiell", BSI "hoch"},
	[LEVEL_VOCAB_SHORT] = {NULL, "basic", "low", "substantial", "high"},
};

/* Spellings that peers use besides those we answer with. */
static const struct {
	const char *word;
	enum level level;
} aliases[] = {
	{"UNTERGEORDNET", LEVEL_BASIC},
	{"NORMAL", LEVEL_LOW},
	{"SUBSTANTIELL", LEVEL_SUBSTANTIAL},
	{"HOCH", LEVEL_HIGH},
	{"basisregistrierung", LEVEL_BASIC},
	{"niedrig", LEVEL_LOW},
	{"normal", LEVEL_LOW},
	{"substanziell", LEVEL_SUBSTANTIAL},
	{"substantiell", LEVEL_SUBSTANTIAL},
	{"hoch", LEVEL_HIGH},
	{BSI "substanziell", LEVEL_SUBSTANTIAL},
};

static const char *const vocabulary_names[LEVEL_VOCAB_COUNT] = {
	[LEVEL_VOCAB_STORK] = "stork",
	[LEVEL_VOCAB_EIDAS] = "eidas",
	[LEVEL_VOCAB_BSI] = "bsi",
	[LEVEL_VOCAB_SHORT] = "short",
};

/* TR-03160-1 table 2; Basisregistrierung shares the row of niedrig. */
static const struct level_limits limits[LEVEL_HIGH + 1] = {
	[LEVEL_BASIC] = {12 * 3600, 60 * 60},
	[LEVEL_LOW] = {12 * 3600, 60 * 60},
	[LEVEL_SUBSTANTIAL] = {2 * 3600, 30 * 60},
	[LEVEL_HIGH] = {30 * 60, 5 * 60},
};

static bool
is_level(enum level level)
{
	return level >= LEVEL_BASIC && level <= LEVEL_HIGH;
}

static level_set
bit(enum level level)
{
	return 1U << level;
}

level_set
level_set_range(enum level least, enum level most)
{
	level_set set = 0;

	for (enum level l = least; l <= most; l++)
		set |= bit(l);
	return set;
}

enum level
level_set_least(level_set set)
{
	for (int l = LEVEL_NONE; l < LEVEL_HIGH; l++)
		if (set & bit((enum level)l))
			return (enum level)l;
	return LEVEL_HIGH;
}

enum level
level_set_best(level_set set, enum level reached)
{
	enum level l = level_min(reached, LEVEL_HIGH);

	while (l > LEVEL_NONE && !(set & bit(l)))
		l--;
	return l;
}

enum level
level_from_word(const char *word)
{
	if (word == NULL)
		return LEVEL_NONE;
	for (int v = 0; v < LEVEL_VOCAB_COUNT; v++)
		for (int l = LEVEL_BASIC; l <= LEVEL_HIGH; l++)
			if (text_eq(words[v][l], word))
				return (enum level)l;
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (text_eq(aliases[i].word, word))
			return aliases[i].level;
	return LEVEL_NONE;
}

enum level_vocabulary
level_vocabulary_of(const char *word)
{
	for (int v = 0; v < LEVEL_VOCAB_COUNT; v++)
		for (int l = LEVEL_BASIC; l <= LEVEL_HIGH; l++)
			if (text_eq(words[v][l], word))
				return (enum level_vocabulary)v;
	return LEVEL_VOCAB_COUNT;
}

const char *
level_word(enum level level, enum level_vocabulary vocabulary)
{
	if (!is_level(level) || (unsigned)vocabulary >= LEVEL_VOCAB_COUNT)
		return NULL;
	return words[vocabulary][level];
}

const char *
level_trust_word(enum level level)
{
	static const char *const trust[] = {NULL, "UNTERGEORDNET", "NORMAL", "SUBSTANTIELL",
					    "HOCH"};

	return is_level(level) ? trust[level] : NULL;
}

bool
level_vocabulary_from_name(const char *name, enum level_vocabulary *out)
{
	for (int v = 0; v < LEVEL_VOCAB_COUNT; v++) {
		if (text_eq(vocabulary_names[v], name)) {
			*out = (enum level_vocabulary)v;
			return true;
		}
	}
	return false;
}

const char *
level_vocabulary_name(enum level_vocabulary vocabulary)
{
	return (unsigned)vocabulary < LEVEL_VOCAB_COUNT ? vocabulary_names[vocabulary] : "unknown";
}

enum level
level_min(enum level a, enum level b)
{
	return a < b ? a : b;
}

enum level
level_released(enum level attribute, enum level authentication, enum level cap)
{
	return level_min(attribute, level_min(authentication, cap));
}

struct level_limits
level_session_limits(enum level level)
{
	return is_level(level) ? limits[level] : (struct level_limits){0};
}

/*
 * The level one proof still gives: its own while within its limits, then each lower one in turn.
 * Where a clock was set back, a time in the future is within them, too.
 */
static enum level
level_of_proof(const struct level_proof *proof, time_t last_used, time_t now)
{
	for (enum level l = proof->level; is_level(l); l--) {
		if (now - proof->at <= limits[l].max_age_s &&
		    now - last_used <= limits[l].max_idle_s)
			return l;
	}
	return LEVEL_NONE;
}

enum level
level_of_session(const struct level_proof *proofs, size_t n, time_t last_used, time_t now)
{
	enum level best = LEVEL_NONE;

	for (size_t i = 0; i < n; i++) {
		enum level l = level_of_proof(&proofs[i], last_used, now);

		best = l > best ? l : best;
	}
	return best;
}

enum level
level_account_max(const enum level *means, size_t n)
{
	enum level best = n > 0 ? LEVEL_LOW : LEVEL_NONE;

	for (size_t i = 0; i < n; i++)
		best = means[i] > best && is_level(means[i]) ? means[i] : best;
	return best;
}

bool
level_may_register(enum level target, enum level session, enum level account_max)
{
	return is_level(target) && is_level(session) && session >= level_min(target, account_max);
}
