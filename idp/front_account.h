/* The person's own pages as a front: a login without a portal, answered by a page of ours. */
#ifndef KONTOR_IDP_FRONT_ACCOUNT_H
#define KONTOR_IDP_FRONT_ACCOUNT_H

#include "idp/front.h"

extern const struct front front_account;

/* Begin one at this level; `first` is "register" to go to that page first, else NULL. */
MUST_USE bool front_account_start(struct request *rq, enum level level, const char *first,
				  struct response *rs, struct err *err);

/* One that leads to this page of ours in the end, and not to the account. */
MUST_USE bool front_account_start_for(struct request *rq, const char *path, struct response *rs,
				      struct err *err);

#endif
