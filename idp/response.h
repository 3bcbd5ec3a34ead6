/* What a handler answers with.  Filled by it, sent by idp/server_exchange.c. */
#ifndef KONTOR_IDP_RESPONSE_H
#define KONTOR_IDP_RESPONSE_H

#include "idp/request.h"

struct header {
	const char *name, *value;
};

#define RESPONSE_HEADERS_MAX 40 /* the security headers of response_finish included */

struct response {
	int status;
	struct bytes body; /* lives in the request's arena or in the snapshot */
	struct header headers[RESPONSE_HEADERS_MAX];
	size_t n_headers;
	const char *
		form_action; /* CSP form-action besides 'self': origins separated by spaces; NULL */
	const char *frame_src; /* CSP frame-src: origins separated by spaces; NULL: none */
	const char *fault;     /* static: a header that must not be sent was set; answered as 500 */
	bool close;            /* end the connection after this answer */
};

/* Each sets status, body and content type; Cache-Control is no-store unless changed. */
void response_html(struct response *rs, int status, struct bytes html);
void response_json(struct response *rs, int status, const char *json);
void response_jwt(struct response *rs, int status, const char *type, const char *compact);
void response_text(struct response *rs, int status, const char *text);
void response_soap(struct response *rs, int status, struct bytes envelope);

/* 303 See Other (never 307: RFC 9700 4.12).  url must be absolute or start with '/'. */
void response_redirect(struct response *rs, const char *url);

/*
 * Add a header; both must outlive the response.  Name and value must be free
 * of CR and LF (else rs->fault, ERR_INTERNAL at the edge).
 */
void response_header(struct response *rs, const char *name, const char *value);

/* The first value of a header, NULL: not set. Names in any case. */
const char *response_find(const struct response *rs, const char *name);

/*
 * Set-Cookie: __Host-NAME=VALUE; Path=/; Secure; HttpOnly; SameSite=Lax.
 * max_age_s < 0: a session cookie; 0: removes it.
 */
void response_cookie(struct request *rq, struct response *rs, const char *name, const char *value,
		     int64_t max_age_s);

/*
 * The headers every answer carries: no-store unless the handler chose, HSTS,
 * nosniff, CSP and its companions.  `a` holds what is
 * built.  Called once, at the edge.
 */
void response_finish(struct arena *a, struct response *rs);

#endif
