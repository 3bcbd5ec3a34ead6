/*
 * From an authorization request's parameters to an ask: the same checks wherever the
 * request comes in, at the authorization endpoint or pushed.
 */
#ifndef KONTOR_IDP_AUTHORIZE_H
#define KONTOR_IDP_AUTHORIZE_H

#include "idp/front_oidc.h"

/* Where the parameters come from. */
enum authorize_from {
	AUTHORIZE_BROWSER,
	AUTHORIZE_PUSH,   /* its client is pushing it */
	AUTHORIZE_PUSHED, /* it was pushed, and checked then; the record may have changed since */
};

struct authorize {
	const struct party *p;        /* NULL: no such client */
	const struct oidc_return *to; /* where an answer may go; NULL: nothing is proven */
	struct params ps; /* the request as it counts: those of a request object alone */
	struct ask ask;   /* set when all is well */
};

/*
 * `proven` is who pushes it, NULL: nobody has proven anything.  Errors carry their name; they may
 * go back by out->to if that is set.
 */
MUST_USE bool authorize_read(struct request *rq, const struct params *ps, enum authorize_from from,
			     const struct party *proven, struct authorize *out, struct err *err);

/* Use it up where no flow begins with it, durably.  ERR_DENIED: it was used before. */
MUST_USE bool authorize_use(struct request *rq, const struct authorize *r, struct err *err);

#endif
