/* Attribute queries of SAML parties, by SOAP. */
#ifndef KONTOR_IDP_EP_QUERY_H
#define KONTOR_IDP_EP_QUERY_H

#include "idp/response.h"

bool ep_saml_query(struct request *rq, struct response *rs, struct err *err);

#endif
