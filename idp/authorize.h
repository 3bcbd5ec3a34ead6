/*
 * From an authorization request's parameters to an ask: the same checks wherever the
 * request comes in, at the authorization endpoint or pushed.
 */
#ifndef KONTOR_IDP_AUTHORIZE_H
#define KONTOR_IDP_AUTHORIZE_H

#include "idp/front_oidc.h"

struct authorize {
	const struct party *p;        /* NULL: no such client */
	const struct oidc_return *to; /* where an answer may go; NULL: nothing is proven */
	struct ask ask;               /* set when all is well */
};

/* Errors carry their name; they may go back by out->to if that is set. */
MUST_USE bool authorize_read(struct request *rq, const struct params *ps, struct authorize *out,
			     struct err *err);

#endif
