/* Making an account: GET /register, GET and POST /register/FLOW (also on the way to a portal). */
#ifndef KONTOR_IDP_EP_REGISTER_H
#define KONTOR_IDP_EP_REGISTER_H

#include "idp/response.h"

bool ep_register_start(struct request *rq, struct response *rs, struct err *err);
bool ep_register_show(struct request *rq, struct response *rs, struct err *err);
bool ep_register_make(struct request *rq, struct response *rs, struct err *err);

#endif
