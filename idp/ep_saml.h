/* SAML endpoints: single sign-on and single logout, each by Redirect (GET) and POST. */
#ifndef KONTOR_IDP_EP_SAML_H
#define KONTOR_IDP_EP_SAML_H

#include "idp/response.h"

bool ep_saml_sso(struct request *rq, struct response *rs, struct err *err);
bool ep_saml_slo(struct request *rq, struct response *rs, struct err *err);

#endif
