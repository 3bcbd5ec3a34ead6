/* GET /flow/ID, GET /flow/restart/ID and GET FLOW_AGAIN. */
#ifndef KONTOR_IDP_EP_FLOW_H
#define KONTOR_IDP_EP_FLOW_H

#include "idp/response.h"

bool ep_flow_show(struct request *rq, struct response *rs, struct err *err);
bool ep_flow_again(struct request *rq, struct response *rs, struct err *err);
bool ep_flow_restart(struct request *rq, struct response *rs, struct err *err);

#endif
