/* Logout asked for by the person (/logout) and by OIDC clients (RP-Initiated Logout 1.0). */
#ifndef KONTOR_IDP_EP_LOGOUT_H
#define KONTOR_IDP_EP_LOGOUT_H

#include "idp/response.h"

bool ep_logout(struct request *rq, struct response *rs, struct err *err);      /* GET, POST */
bool ep_oidc_logout(struct request *rq, struct response *rs, struct err *err); /* GET, POST */

#endif
