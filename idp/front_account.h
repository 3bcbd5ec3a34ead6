/* The person's own pages as a front: a login without a portal, answered by /account. */
#ifndef KONTOR_IDP_FRONT_ACCOUNT_H
#define KONTOR_IDP_FRONT_ACCOUNT_H

#include "idp/front.h"

extern const struct front front_account;

/* Begin one at this level; `first` is "register" to go to that page first, else NULL. */
MUST_USE bool front_account_start(struct request *rq, enum level level, const char *first,
				  struct response *rs, struct err *err);

#endif
