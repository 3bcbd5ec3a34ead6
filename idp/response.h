/* What a handler answers with.  Filled by it, sent by idp/server.c. */
#ifndef KONTOR_IDP_RESPONSE_H
#define KONTOR_IDP_RESPONSE_H

#include "idp/request.h"

struct header {
	const char *name, *value;
};

#define RESPONSE_HEADERS_MAX 24

struct response {
	int status;
	struct bytes body; /* lives in the request's arena or in the snapshot */
	struct header headers[RESPONSE_HEADERS_MAX];
	size_t n_headers;
	const char *
		form_action; /* CSP form-action besides 'self': origins separated by spaces; NULL */
};

/* Each sets status, body and content type; Cache-Control is no-store unless changed. */
void response_html(struct response *rs, int status, struct bytes html);
void response_json(struct response *rs, int status, const char *json);
void response_text(struct response *rs, int status, const char *text);

/* 303 See Other (never 307: RFC 9700 4.12).  url must be absolute or start with '/'. */
void response_redirect(struct response *rs, const char *url);

/* Add a header; name and value must be free of CR and LF (checked, ERR_INTERNAL at the edge). */
void response_header(struct response *rs, const char *name, const char *value);

/*
 * Set-Cookie: __Host-NAME=VALUE; Path=/; Secure; HttpOnly; SameSite=Lax.
 * max_age_s < 0: a session cookie; 0: removes it.
 */
void response_cookie(struct request *rq, struct response *rs, const char *name, const char *value,
		     int64_t max_age_s);

#endif
