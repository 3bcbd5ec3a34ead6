/*
 * Levels of assurance and their arithmetic (TR-03160-1 2.3, 2.5, 4.1, 4.3, 5,
 * 6): pure functions.  One scale inside; each party reads its own words for it.
 */
#ifndef KONTOR_IDP_LEVEL_H
#define KONTOR_IDP_LEVEL_H

#include "base/base.h"

/* Stored in rows: never renumber.  Zero is "no level", below every demand. */
enum level {
	LEVEL_NONE = 0,
	LEVEL_BASIC = 1,       /* Basisregistrierung */
	LEVEL_LOW = 2,         /* niedrig */
	LEVEL_SUBSTANTIAL = 3, /* substanziell */
	LEVEL_HIGH = 4,        /* hoch */
};

/*
 * Some of the levels, one bit each, for demands that name more than one (SAML
 * exact, essential acr values).  The bit of LEVEL_NONE: no level is demanded.
 */
typedef unsigned level_set;
#define LEVEL_SET_ANY ((level_set)0x1f)

level_set level_set_range(enum level least, enum level most);

/* The lowest of the set: what a login must reach.  LEVEL_NONE: anything does. */
enum level level_set_least(level_set set);

/* The highest of the set that `reached` covers: what may be told.  LEVEL_NONE: none. */
enum level level_set_best(level_set set, enum level reached);

/* The words a party uses and gets back. */
enum level_vocabulary {
	LEVEL_VOCAB_STORK, /* STORK-QAA-Level-1..4, bare strings (BundID) */
	LEVEL_VOCAB_EIDAS, /* http://eidas.europa.eu/LoA/... */
	LEVEL_VOCAB_BSI,   /* http://bsi.bund.de/eID/LoA/... */
	LEVEL_VOCAB_SHORT, /* basic low substantial high */
	LEVEL_VOCAB_COUNT,
};

/* The level a word of any vocabulary names (all spellings of the table), LEVEL_NONE if unknown. */
enum level level_from_word(const char *word);

/* The vocabulary that `word` is an answer of; LEVEL_VOCAB_COUNT: of none. */
enum level_vocabulary level_vocabulary_of(const char *word);

/* The word for a level; NULL when the vocabulary has none (eIDAS knows no basic). */
const char *level_word(enum level level, enum level_vocabulary vocabulary);

/* akdb:TrustLevel of an attribute: UNTERGEORDNET NORMAL SUBSTANTIELL HOCH; NULL for LEVEL_NONE. */
const char *level_trust_word(enum level level);

MUST_USE bool level_vocabulary_from_name(const char *name, enum level_vocabulary *out);
const char *level_vocabulary_name(enum level_vocabulary vocabulary);

enum level level_min(enum level a, enum level b);

/* Released level of an attribute: min(its own, that of this authentication, the party's cap). */
enum level level_released(enum level attribute, enum level authentication, enum level cap);

/* TR-03160-1 table 2. */
struct level_limits {
	int64_t max_age_s, max_idle_s;
};
struct level_limits level_session_limits(enum level level);

/* One proof inside a session: what it reached, when it was given. */
struct level_proof {
	enum level level;
	time_t at;
};

/*
 * The level a session still has at `now`: each proof counts until its level's
 * limits, after that for the next lower one (TR-03160-1 4.3, stepping down);
 * LEVEL_NONE when nothing holds any more.
 */
enum level level_of_session(const struct level_proof *proofs, size_t n, time_t last_used,
			    time_t now);

/* Highest of the registered means, at least LEVEL_LOW once any means exists (TR-03160-1 2.3). */
enum level level_account_max(const enum level *means, size_t n);

/* May a means of `target` be registered in a session of level `session`? (TR-03160-1 4.1) */
bool level_may_register(enum level target, enum level session, enum level account_max);

#endif
