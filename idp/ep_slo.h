/* Single logout by SAML parties: by Redirect (GET) and POST through the browser, and by SOAP. */
#ifndef KONTOR_IDP_EP_SLO_H
#define KONTOR_IDP_EP_SLO_H

#include "idp/response.h"

bool ep_saml_slo(struct request *rq, struct response *rs, struct err *err);
bool ep_saml_slo_soap(struct request *rq, struct response *rs, struct err *err);

#endif
