/* Sign-on by SAML: by Redirect (GET) and POST; without a request. */
#ifndef KONTOR_IDP_EP_SAML_H
#define KONTOR_IDP_EP_SAML_H

#include "idp/response.h"

bool ep_saml_sso(struct request *rq, struct response *rs, struct err *err);
bool ep_saml_unsolicited(struct request *rq, struct response *rs, struct err *err);

#endif
