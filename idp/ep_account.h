/* The person's own pages: front page, login without a portal, account, language. */
#ifndef KONTOR_IDP_EP_ACCOUNT_H
#define KONTOR_IDP_EP_ACCOUNT_H

#include "idp/response.h"

bool ep_start(struct request *rq, struct response *rs, struct err *err);        /* GET / */
bool ep_login(struct request *rq, struct response *rs, struct err *err);        /* GET /login */
bool ep_language(struct request *rq, struct response *rs, struct err *err);     /* GET /language/ */
bool ep_account_show(struct request *rq, struct response *rs, struct err *err); /* GET /account */
bool ep_account_act(struct request *rq, struct response *rs, struct err *err);  /* POST /account */

#endif
