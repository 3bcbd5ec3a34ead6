/*
 * The authorization endpoint (OpenID Connect Core 3.1.2): errors are a page until
 * client and redirect URI are proven, from then on they go back to the client.
 */
#include "idp/ep_oidc.h"

#include "base/text.h"
#include "idp/authorize.h"
#include "idp/flow.h"
#include "idp/pushed.h"
#include "idp/refusal.h"
#include "oidc/error.h"

/* `pushed` is the request_uri whose request this is, until `expires`; NULL: it came in the URL. */
static bool
begin(struct request *rq, const struct params *ps, const char *pushed, time_t expires,
      struct response *rs, struct err *err)
{
	struct authorize r;
	struct err why = {0};

	if (authorize_read(rq, ps, pushed == NULL ? AUTHORIZE_BROWSER : AUTHORIZE_PUSHED, NULL, &r,
			   &why)) {
		if (pushed != NULL) {
			r.ask.replay = pushed;
			r.ask.replay_expires = expires;
		}
		return flow_start(rq, &r.ask, rq->method == HTTP_GET, rs, err);
	}
	if (r.to != NULL) {
		refusal_note(rq, &why);
		return front_oidc_refuse(rq, r.p, r.to, &why, rs, err);
	}
	*err = why;
	return false;
}

/* RFC 9126 4: a request_uri counts once, for the client that pushed it, and nothing besides it. */
static bool
begin_pushed(struct request *rq, const struct params *ps, const char *request_uri,
	     struct response *rs, struct err *err)
{
	const char *client_id = NULL;
	struct params kept;
	time_t expires;
	bool found;

	if (params_find(ps, "client_id", &client_id) != 1)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "client_id is missing or twice");
	const struct party *p = party_find(&rq->snap->parties, client_id);

	if (p == NULL || p->oidc == NULL)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "no such client");
	refusal_of(rq, p, false);
	if (!pushed_look(rq, p, request_uri, &kept, &expires, &found, err))
		return false;
	refusal_of(rq, p, found && p->oidc->auth_method != OIDC_AUTH_PUBLIC);
	return found ? begin(rq, &kept, request_uri, expires, rs, err)
		     : flow_come_again(rq, p, request_uri, rs, err);
}

bool
ep_authorize(struct request *rq, struct response *rs, struct err *err)
{
	const struct params *ps = rq->method == HTTP_GET ? &rq->query : &rq->form;
	const char *request_uri;

	if (params_find(ps, "request_uri", &request_uri) == 1 && pushed_is(request_uri))
		return begin_pushed(rq, ps, request_uri, rs, err);
	return begin(rq, ps, NULL, 0, rs, err);
}
