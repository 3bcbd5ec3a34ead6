/* OpenID Connect endpoints; discovery and JWKS are documents (idp/publish.h). */
#ifndef KONTOR_IDP_EP_OIDC_H
#define KONTOR_IDP_EP_OIDC_H

#include "idp/response.h"

bool ep_authorize(struct request *rq, struct response *rs, struct err *err);
bool ep_backchannel(struct request *rq, struct response *rs, struct err *err);
bool ep_introspect(struct request *rq, struct response *rs, struct err *err);
bool ep_par(struct request *rq, struct response *rs, struct err *err);
bool ep_revoke(struct request *rq, struct response *rs, struct err *err);
bool ep_token(struct request *rq, struct response *rs, struct err *err);
bool ep_registration_add(struct request *rq, struct response *rs, struct err *err);
bool ep_registration_show(struct request *rq, struct response *rs, struct err *err);
bool ep_registration_change(struct request *rq, struct response *rs, struct err *err);
bool ep_registration_remove(struct request *rq, struct response *rs, struct err *err);
bool ep_userinfo(struct request *rq, struct response *rs, struct err *err);

#endif
