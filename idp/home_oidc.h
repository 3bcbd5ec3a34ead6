/* Login at another OpenID Provider: between idp/home.c, idp/route.c and idp/home_oidc*.c. */
#ifndef KONTOR_IDP_HOME_OIDC_H
#define KONTOR_IDP_HOME_OIDC_H

#include "idp/home.h"
#include "oidc/provider.h"

#define OIDC_CALLBACK_PATH "/oidc/callback/" /* and the provider's id */
#define HOME_AWAY_PATH     "/flow/away/"

/* As home_send, of a provider whose discovery document is there. */
MUST_USE bool home_oidc_send(struct flow *f, const struct upstream *from, struct response *rs,
			     struct err *err);

/* What its verified ID token and its userinfo (NULL: it has none) mean; as home_read. */
MUST_USE bool home_oidc_read(struct request *rq, const struct upstream *from, enum level wanted,
			     const struct oidc_told *told, const json_t *userinfo, json_t **out,
			     struct err *err);

/* Handlers (idp/route.c): push a request that is on its way, and where the answer comes to. */
bool home_oidc_away(struct request *rq, struct response *rs, struct err *err);
bool home_oidc_callback(struct request *rq, struct response *rs, struct err *err);

#endif
