/* Sign-on by clients without a browser: the endpoint by SOAP. */
#ifndef KONTOR_IDP_EP_ECP_H
#define KONTOR_IDP_EP_ECP_H

#include "idp/response.h"

bool ep_saml_ecp(struct request *rq, struct response *rs, struct err *err);

#endif
