/*
 * THE MAP: every path this program answers, in one table (route.c).  Limits,
 * lane, repeatable names and error style of a request come from its row.
 */
#ifndef KONTOR_IDP_ROUTE_H
#define KONTOR_IDP_ROUTE_H

#include "idp/response.h"

enum lane {
	LANE_LOOP,     /* answered on the event loop: prebuilt documents and assets */
	LANE_LIGHT,    /* pages and small reads */
	LANE_TOKEN,    /* OIDC back channel */
	LANE_SAML,     /* SAML endpoints */
	LANE_LOGIN,    /* flow steps that wait for commits */
	LANE_UPSTREAM, /* waits for other providers */
	LANE_PASSWORD, /* one worker per core, each with one block of hashing memory */
	LANE_COUNT,
};

enum route_flag {
	ROUTE_PREFIX = 1,   /* path ends in '/': matches everything below */
	ROUTE_PROTOCOL = 2, /* cross-site POST by design: no token, no Origin check, no session */
	ROUTE_MACHINE = 4,  /* called by programs: no cookies, no CSRF, errors as JSON */
	ROUTE_INTERNAL = 8, /* only on the metrics listener */
	ROUTE_HEALTH = 16,  /* on both listeners, under any Host */
	ROUTE_SOAP = 32,    /* with ROUTE_MACHINE: errors as SOAP faults */
	ROUTE_BEGINS = 64, /* the first request of a login: the one to refuse when there are many */
	ROUTE_CORS = 256,  /* pages of public clients may read it (idp/cors.h) */
	ROUTE_REDEEMS = 128, /* what it begins goes on in LANE_TOKEN */
};

/*
 * Handle one request.  False: err says why; the edge logs it once and answers
 * with the route's error style (page, or OAuth JSON for ROUTE_MACHINE), the
 * reference id included.  Whatever was put into rs is then thrown away.
 */
typedef bool (*route_fn)(struct request *rq, struct response *rs, struct err *err);

struct route {
	enum http_method method; /* HTTP_GET serves HEAD too */
	const char *path;
	route_fn handle;
	enum lane lane;
	unsigned flags;
	uint32_t max_query_bytes, max_body_bytes, arena_bytes;
	const char *repeatable; /* parameter names separated by spaces that may come twice; NULL */
};

extern const struct route routes[]; /* ends with a NULL path */

/*
 * The row for a path: the exact one, else the longest prefix.  NULL: none;
 * *path_known then tells 405 (another method has it) from 404.
 */
const struct route *route_find(const struct route *table, enum http_method method,
			       struct bytes path, bool internal, bool *path_known);

/* "GET, HEAD, POST": what a path answers to, for Allow. */
const char *route_methods(struct arena *a, const struct route *table, struct bytes path,
			  bool internal);

/* What clients ask at the back channel: also served where they show certificates (mtls_url). */
bool route_takes_certificates(const struct route *r);

/* Number of rows. */
size_t route_count(const struct route *table);

const char *lane_name(enum lane lane); /* static; metric label */

#endif
