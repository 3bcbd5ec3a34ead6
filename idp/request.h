/*
 * One HTTP request as a handler sees it: gated (idp/gate.h), collected within
 * its route row's limits, with one arena, one time and one snapshot.
 */
#ifndef KONTOR_IDP_REQUEST_H
#define KONTOR_IDP_REQUEST_H

#include "base/arena.h"
#include "base/err.h"
#include "base/param.h"

struct app;
struct route;
struct snapshot;
struct worker;

enum http_method { HTTP_GET, HTTP_POST, HTTP_HEAD, HTTP_OPTIONS };

enum lang { LANG_DE, LANG_EN };

struct request {
	struct arena *a;
	struct app *app;
	const struct route *route;
	const struct snapshot *snap; /* keys, parties, documents: held until the response is sent */
	struct worker *worker;       /* the lane worker that runs us; its hashing memory */
	time_t now;
	int64_t deadline_us; /* clock_mono_us() after which the answer is of no use */
	char ref[24];        /* reference id: in the log and on the error page */
	enum http_method method;
	enum lang lang;        /* cookie, else Accept-Language, else German */
	const char *path;      /* as matched, no query */
	const char *path_tail; /* after a prefix route's path; "" for exact routes */
	const char *query_raw; /* octets after '?', as received; "" if none */
	struct params query;   /* no name twice, unless the route row marks it repeatable */
	struct params form;    /* application/x-www-form-urlencoded body, likewise */
	struct bytes body;     /* as received */
	struct params headers; /* names in lower case */
	struct params cookies;
	const char *client_addr; /* text form; from configured proxies only by header */
};

/* The value or NULL; the first when the name is repeatable. Names are exact. */
const char *request_query(const struct request *rq, const char *name);
const char *request_form(const struct request *rq, const char *name);
const char *request_header(const struct request *rq, const char *lower_name);
const char *request_cookie(const struct request *rq, const char *name);

/* Query on GET, form on POST: what OIDC and SAML bindings call "the parameters". */
const char *request_param(const struct request *rq, const char *name);

#endif
