/*
 * Authorization requests that a client has pushed (RFC 9126): kept sealed for a
 * minute under a request_uri, for this client, and used once.  What is kept is the
 * request as it counts; its client has proven itself when it was pushed.
 */
#ifndef KONTOR_IDP_PUSHED_H
#define KONTOR_IDP_PUSHED_H

#include "idp/party.h"

#define PUSHED_LIVES_S 60 /* RFC 9126 2.2: between 5 and 600 seconds */

/* Does this name a request that may have been pushed to us? */
bool pushed_is(const char *request_uri);

/* Keep `ps`, without what the client proved itself by.  *request_uri names it from now on. */
MUST_USE bool pushed_keep(struct request *rq, const struct party *p, const struct params *ps,
			  const char **request_uri, struct err *err);

/*
 * Read it; the flow that it begins uses it up.  *found false: never pushed by this client, or older
 * than a minute; else *expires is its end.
 */
MUST_USE bool pushed_look(struct request *rq, const struct party *p, const char *request_uri,
			  struct params *out, time_t *expires, bool *found, struct err *err);

#endif
