/* What portals ask of a person who is not at them (CIBA): the page where they are answered. */
#ifndef KONTOR_IDP_EP_REQUESTS_H
#define KONTOR_IDP_EP_REQUESTS_H

#include "idp/response.h"

#define REQUESTS_PATH "/requests"

bool ep_requests_show(struct request *rq, struct response *rs, struct err *err);
bool ep_requests_act(struct request *rq, struct response *rs, struct err *err);

/* rs leads there, where `notice` is said (a static word; NULL: nothing). */
void ep_requests_lead(struct request *rq, struct response *rs, const char *notice);

#endif
