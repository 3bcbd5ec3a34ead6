/*
 * Taking a copy of a federation's signed metadata: it goes through the verifier and, compressed,
 * into the database as it comes, so that its size is nobody's memory.  At its end it is compared
 * with the copy that counts.  What changes nothing grave counts at once, on all nodes; all else
 * waits for an operator.  Whatever fails leaves what counts as it is.
 */
#ifndef KONTOR_IDP_FEDERATION_TAKE_H
#define KONTOR_IDP_FEDERATION_TAKE_H

#include "idp/app.h"
#include "idp/federation_read.h"

/* Rules of a whole copy, beside those of its members (saml/metadata_diff.h).  Words are stored. */
struct federation_whole_rule {
	const char *rule, *sentence;
	bool held;
};
extern const struct federation_whole_rule federation_whole_rules[]; /* ends with a NULL rule */

struct federation_taken {
	int64_t seq; /* 0: it is the copy that counts already */
	bool waits;
	const char *changes; /* JSON object as text */
	struct bytes digest;
	size_t members;
	time_t valid_until;
};

struct federation_taking; /* lives in its arena */

/*
 * Of a source that was taken (db_federation_take).  cap: SAML_LINT flags have no part in it.
 * Errors: the database's; ERR_INPUT: rules or signers that do not read.
 */
MUST_USE bool federation_take_begin(const struct db_call *c,
				    const struct db_federation_source *source, const char *ref,
				    time_t now, struct federation_taking **out, struct err *err);

/* Errors are federation_read_add's, and the database's. */
MUST_USE bool federation_take_add(struct federation_taking *t, struct bytes piece, struct err *err);

/*
 * It is whole.  ERR_DENIED, ERR_INPUT: it is refused; ERR_CONFLICT: another node was faster, or
 * texts that should be in the database are not: once more from the beginning, with all = true.
 */
MUST_USE bool federation_take_end(struct federation_taking *t, struct federation_taken *out,
				  struct err *err);

/* All texts are written anew, not only those that the copy which counts does not have. */
void federation_take_all(struct federation_taking *t);

/* Nothing comes of it.  After any failure. */
void federation_take_abandon(struct federation_taking *t);

/* Take one source that is due and fetch it, in the calling thread.  *did is false: none is due. */
MUST_USE bool federation_take_one(struct app *app, struct arena *a, time_t now, bool *did,
				  struct err *err);

/* How long until the next try of one that went well, before jitter: by its rules, else an hour;
 * never past half of what is left until valid_until.  Seconds. */
int64_t federation_pause_s(const struct federation_rules *rules, time_t valid_until, time_t now);

/*
 * A sentence for who operates this when what counts of the source has ended, or ends within five
 * days while the source is in trouble, nobody fetches it or its publisher does not renew it (it
 * counts for longer already than it will), or within a day.  NULL: nothing to
 * tell.
 */
const char *federation_end_warning(struct arena *a, const struct db_federation_source *source,
				   time_t now);

/* ---- the thread ---- */

struct federation_fetcher;
MUST_USE bool federation_fetcher_start(struct arena *a, struct app *app,
				       struct federation_fetcher **out, struct err *err);
void federation_fetcher_stop(struct federation_fetcher *f);

#endif
