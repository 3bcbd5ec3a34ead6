/* Answers that pages of others may read; see cors.h. */
#include "idp/cors.h"

#include <stdlib.h>
#include <string.h>

#include "idp/route.h"
#include "idp/snapshot.h"

static int
by_text(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* As we have it, NULL: none of theirs. */
static const char *
find_origin(const struct request *rq)
{
	const char *origin = request_header(rq, "origin"), *const * found;

	if (origin == NULL || rq->snap == NULL || rq->snap->parties.origins.n == 0)
		return NULL;
	found = bsearch(&origin, rq->snap->parties.origins.s, rq->snap->parties.origins.n,
			sizeof(origin), by_text);
	return found == NULL ? NULL : *found;
}

void
cors_allow(const struct request *rq, struct response *rs)
{
	const char *origin;

	if ((rq->route->flags & ROUTE_CORS) == 0)
		return;
	response_header(rs, "Vary", "Origin");
	origin = find_origin(rq);
	if (origin == NULL)
		return;
	response_header(rs, "Access-Control-Allow-Origin", origin);
	response_header(rs, "Access-Control-Expose-Headers", "DPoP-Nonce, WWW-Authenticate");
}

bool
cors_preflight(struct request *rq, struct response *rs, struct err *err UNUSED)
{
	rs->status = 204;
	if (find_origin(rq) == NULL)
		return true;
	response_header(rs, "Access-Control-Allow-Methods", "GET, POST");
	response_header(rs, "Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP");
	response_header(rs, "Access-Control-Max-Age", "600");
	return true;
}
