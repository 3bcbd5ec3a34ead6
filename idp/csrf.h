/*
 * Forms that change state: each carries a token derived from a secret that
 * lies in an HttpOnly cookie, and each POST shows that it comes from a page of
 * ours.  The edge checks every POST whose route is neither ROUTE_PROTOCOL nor
 * ROUTE_MACHINE; a page that holds a form only asks for its token.
 */
#ifndef KONTOR_IDP_CSRF_H
#define KONTOR_IDP_CSRF_H

#include "idp/response.h"

#define CSRF_FIELD  "csrf" /* name of the hidden field */
#define CSRF_COOKIE "form"

/*
 * The token for a form that posts to `path` (the route row's path, so "/flow/"
 * for every flow).  Sets the cookie when the browser has none yet.
 */
const char *csrf_token(struct request *rq, struct response *rs, const char *path);

/* ERR_DENIED: another site's page, or no token for this path and this browser. */
MUST_USE bool csrf_check(const struct request *rq, struct err *err);

#endif
