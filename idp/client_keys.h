/*
 * Keys of clients that lie at a jwks_uri, when something does not fit those that we have: they are
 * fetched anew by others (idp/refresh.h), at most once a minute for a client, whatever is asked.
 */
#ifndef KONTOR_IDP_CLIENT_KEYS_H
#define KONTOR_IDP_CLIENT_KEYS_H

#include "idp/party.h"
#include "idp/request.h"

/*
 * What was signed or is to be encrypted fits none of *p's keys.  True: there are others by now, so
 * that it is worth another try; *p and rq->snap are those that have them.  Waits a second or so for
 * them, one request of this process at a time; else they are there for a later one.
 */
bool client_keys_renew(struct request *rq, const struct party **p);

/* The same after a try that failed, whose error is forgotten where there is another. */
bool client_keys_again(struct request *rq, const struct party **p, struct err *err);

#endif
