/*
 * What OpenID Providers say of themselves: fetched by the threads of idp/refresh.h, again and
 * again, on one node at a time.  What reads counts at once, on all nodes; a failure leaves what
 * counts as it is.  And the bound on calls to them that a request waits for.
 */
#ifndef KONTOR_IDP_UPSTREAM_FETCH_H
#define KONTOR_IDP_UPSTREAM_FETCH_H

#include "idp/fetch.h"
#include "idp/request.h"
#include "idp/upstream.h"

/* Take one that is due and see to it; as refresh_one. */
MUST_USE bool upstream_fetch_one(struct app *app, struct arena *a, time_t now, bool *did,
				 struct err *err);

/*
 * A token of *from names a key that is new.  True: there are others by now; *from and rq->snap are
 * those that have them.  Waits a second or so, one request of this process at a time, and has them
 * fetched once a minute at most, whatever is brought.
 */
bool upstream_keys_renew(struct request *rq, const struct upstream **from);

/*
 * One call to a provider within a request.  At most half of the workers of LANE_UPSTREAM wait for
 * one provider at a time, so that one that hangs leaves the others theirs.  ERR_UNAVAILABLE also:
 * too many do, or no time is left.  bearer and body as in fetch_post.
 */
MUST_USE bool upstream_call(struct request *rq, const struct upstream *from, const char *url,
			    const char *bearer, struct bytes body, struct fetch_answer *out,
			    struct err *err);

#endif
