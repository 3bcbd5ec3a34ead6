/*
 * What a portal may learn: the intersection of what it registered, what this
 * request asks, what the account holds and what the person consents to, each
 * value with the level it may be released at.  Pure; the same for both
 * dialects (DESIGN: one login core).
 */
#ifndef KONTOR_IDP_RELEASE_H
#define KONTOR_IDP_RELEASE_H

#include <time.h>

#include "idp/attribute.h"
#include "idp/level.h"

/* An attribute somebody wants. */
struct wanted {
	const struct attribute *at;
	bool required; /* without it the portal wants no answer at all */
	bool filled;   /* that there is none, though verified, will not do */
};

struct wanted_list {
	const struct wanted *p;
	size_t n;
};

/* An attribute an account holds, opened. */
struct held {
	const struct attribute *at;
	const char *value; /* "" when verified_empty */
	bool verified_empty;
	enum level level;
	const char *source;    /* "self", "proofing", ... */
	time_t verified_at;    /* 0: never verified */
	struct bytes proofing; /* id of the one that raised it; n = 0: none */
};

struct held_list {
	const struct held *p;
	size_t n;
};

/* An attribute that may go out. */
struct released {
	const struct attribute *at;
	const char *value;
	bool verified_empty;
	enum level level; /* min(attribute, authentication, cap), never LEVEL_NONE */
	const char *source;
	bool required;
	time_t verified_at;    /* 0: never verified */
	struct bytes proofing; /* as held */
};

struct release {
	const struct released *p;
	size_t n;
	const struct attribute
		*missing; /* the first required attribute we cannot give; else NULL */
};

/* Is it in the list? */
bool release_wants(struct wanted_list list, const struct attribute *at);

/*
 * Compute the offer of the consent page.  An attribute that is not registered
 * for the party never goes out, whatever is asked; a required one that the
 * account lacks, whose level comes out as none, or that is not registered, is `missing`.
 */
void release_compute(struct arena *a, struct wanted_list registered, struct wanted_list asked,
		     struct held_list held, enum level authentication, enum level cap,
		     struct release *out);

/*
 * Only what was consented to: required ones, and optional ones whose name is in
 * `names`.  Nothing that release_compute did not offer can come in.
 */
void release_consented(struct arena *a, const struct release *offer, const char *const *names,
		       size_t n_names, struct release *out);

/*
 * What a stored consent is valid for: 64 hex digits over names, sources and
 * required marks of the offer, the purpose and the represented subject.  Values
 * and levels may change without asking again; these may not.
 */
const char *release_fingerprint(struct arena *a, const struct release *offer, const char *purpose,
				struct bytes represented);

#endif
