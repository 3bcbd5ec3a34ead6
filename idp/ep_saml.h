/* SAML endpoints: sign-on and logout, each by Redirect (GET) and POST; sign-on without a request;
 * logout by SOAP. */
#ifndef KONTOR_IDP_EP_SAML_H
#define KONTOR_IDP_EP_SAML_H

#include "idp/response.h"

bool ep_saml_sso(struct request *rq, struct response *rs, struct err *err);
bool ep_saml_unsolicited(struct request *rq, struct response *rs, struct err *err);
bool ep_saml_slo(struct request *rq, struct response *rs, struct err *err);
bool ep_saml_slo_soap(struct request *rq, struct response *rs, struct err *err);

#endif
