/*
 * Replay marks: request ids, assertion ids and jti that were accepted once.  The
 * mark lies in the partition of the message's own expiry, so that the same
 * message always meets the same mark, and it goes only after no check of time
 * would let the message in again.
 */
#ifndef KONTOR_DB_SEEN_H
#define KONTOR_DB_SEEN_H

#include "db/db.h"

/*
 * `kind` names the place ("saml-request", "client-assertion") and whoever the
 * value is unique for belongs into it or into `value`.  `expires` comes from the
 * signed message (NotOnOrAfter, exp) with the skew allowed for it.
 */
struct db_mark {
	const char *kind;
	struct bytes value;
	time_t expires;
};

/* ERR_INPUT: expired; ERR_DENIED: expires too far ahead (DB_AHEAD_S). */
MUST_USE bool db_mark_check(const struct db_mark *mark, time_t now, struct err *err);

/*
 * *first: nobody saw this value of this kind before (zero value: a replay).
 * Errors as db_mark_check.  Durable.
 */
MUST_USE bool db_seen_once(const struct db_call *c, const struct db_mark *mark, time_t now,
			   bool *first, struct err *err);

/* The same within a transaction: once that is committed. */
MUST_USE bool db_seen_once_tx(struct db_tx *tx, struct arena *a, const struct db_mark *mark,
			      time_t now, bool *first, struct err *err);

/*
 * Is the mark there?  Takes nothing: only for what may well be done twice, and is marked after
 * it is done, so that what failed half way is done when the message comes again.
 */
MUST_USE bool db_seen_look(const struct db_call *c, const struct db_mark *mark, time_t now,
			   bool *seen, struct err *err);

#endif
