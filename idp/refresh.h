/*
 * Metadata that parties publish at a URL, and keys that clients do (jwks_uri), fetched again and
 * again (db/source.h): a few threads of this process, each of which takes one source that is due,
 * on one node at a time. What is fetched is judged as an import is (idp/party_metadata.h).  What
 * changes nothing grave counts at once, on all nodes; all else waits for an operator.  Keys that
 * read count at once.  A failure leaves what counts as it is, and is tried again after a growing
 * pause.
 */
#ifndef KONTOR_IDP_REFRESH_H
#define KONTOR_IDP_REFRESH_H

#include "idp/app.h"
#include "idp/party_metadata.h"

struct refresh;

/* *out lives as long as `a`.  ERR_UNAVAILABLE: no threads. */
MUST_USE bool refresh_start(struct arena *a, struct app *app, struct refresh **out,
			    struct err *err);

/* Look for what is due now, not at the next turn. */
void refresh_wake(struct refresh *r);

/* Let what is being fetched end, then stop. */
void refresh_stop(struct refresh *r);

/*
 * Take one source that is due and see to it, in the calling thread and an arena of its own: `a`
 * holds what was taken.  *did is false: none is due.
 */
MUST_USE bool refresh_one(struct app *app, struct arena *a, time_t now, bool *did, struct err *err);

/*
 * How long until the next look after one that went well, before jitter: cacheDuration within
 * an hour and a day, else six hours; and half of what is left until validUntil, at least
 * five minutes.  Seconds.
 */
int64_t refresh_pause_s(const struct saml_party *p, time_t now);

/* The same for keys: Cache-Control's max-age (-1: unsaid, an hour) within five minutes and a day.
 */
int64_t refresh_keys_pause_s(int64_t fresh_s);

/* The same after try number `tries` (from 1) that went wrong. */
int64_t refresh_retry_s(int64_t tries);

#endif
