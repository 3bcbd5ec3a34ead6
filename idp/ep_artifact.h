/* POST /saml/artifact: a party exchanges an artifact for its message, by SOAP. */
#ifndef KONTOR_IDP_EP_ARTIFACT_H
#define KONTOR_IDP_EP_ARTIFACT_H

#include "idp/response.h"

MUST_USE bool ep_saml_artifact(struct request *rq, struct response *rs, struct err *err);

#endif
