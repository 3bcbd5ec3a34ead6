/*
 * Clients that are a page in a browser (https://fetch.spec.whatwg.org/#http-cors-protocol): pages
 * of the origins that public clients come back to may read what ROUTE_CORS rows answer.  Never with
 * credentials: no such answer depends on a cookie, and what a page could read any program can.
 */
#ifndef KONTOR_IDP_CORS_H
#define KONTOR_IDP_CORS_H

#include "idp/response.h"

/* Let the page of the request read this answer, if its origin is one of them. */
void cors_allow(const struct request *rq, struct response *rs);

/* The handler of preflight requests (OPTIONS). */
MUST_USE bool cors_preflight(struct request *rq, struct response *rs, struct err *err);

#endif
