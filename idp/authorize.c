/* Authorization requests from parameters to an ask; see authorize.h. */
#include "idp/authorize.h"

#include "base/text.h"
#include "db/seen.h"
#include "idp/client_keys.h"
#include "idp/config.h"
#include "idp/flow.h"
#include "idp/jose.h"
#include "idp/publish.h"
#include "idp/refusal.h"
#include "oidc/id_token.h"
#include "oidc/request_object.h"

/* A hint names the one person who may answer (Core 3.1.2.1), as the claim sub does. */
static bool
take_hint(struct request *rq, const struct party *p, struct oidc_authorize *r, struct err *err)
{
	struct oidc_jwks ours;
	struct oidc_hint hint = {0};

	if (r->id_token_hint == NULL)
		return true;
	publish_jwks(rq->a, rq->snap->keyring, &ours);
	/* second line: what is not proven names no client, and so not this one */
	if (!jose_hint(rq, r->id_token_hint, &r->id_token_hint, err) ||
	    !oidc_hint_verify(rq->a, r->id_token_hint, &ours, rq->app->config->base_url, &hint,
			      err))
		return false;
	/* Another client knows this person under another name. */
	if (!text_eq(hint.client_id, p->id))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "a hint of another client");
	if (r->claims.sub != NULL && !text_eq(r->claims.sub, hint.sub))
		return FAIL(err, ERR_DENIED, OIDC_LOGIN_REQUIRED,
			    "hint and claims name two people");
	r->claims.sub = hint.sub;
	return true;
}

/* What the client's record demands of the way a request comes in. */
static bool
check_way(const struct oidc_client *c, enum authorize_from from, bool is_signed, struct err *err)
{
	if (from == AUTHORIZE_BROWSER &&
	    (c->require_pushed || (c->profile->checks & OIDC_CHECK_PUSHED) != 0)) /* RFC 9126 5 */
		return FAIL(err, ERR_DENIED, OIDC_INVALID_REQUEST,
			    "a request that should have been pushed");
	if (from != AUTHORIZE_PUSHED && c->require_signed_request && !is_signed) /* RFC 9101 10.5 */
		return FAIL(err, ERR_DENIED, OIDC_INVALID_REQUEST,
			    "a request that should have been signed");
	return true;
}

/* No party: oidc_return_prove refuses with the answer that fits. */
static bool
prove(struct request *rq, const struct params *ps, struct oidc_start *start, struct authorize *out,
      struct err *err)
{
	if (!oidc_authorize_start(ps, start, err))
		return false;
	out->p = party_find(&rq->snap->parties, start->client_id);
	return oidc_return_prove(rq->a, out->p == NULL ? NULL : out->p->oidc, start->redirect_uri,
				 start->state, start->way, &out->to, err) &&
	       out->p != NULL; /* second line: nothing is proven of nobody */
}

/* Whose object it is: RFC 9101 5; who pushes it has said so by its proof (RFC 9126 3). */
static bool
find_sender(struct request *rq, const struct params *ps, const struct party **p, struct err *err)
{
	const char *client_id = NULL;

	if (*p != NULL)
		return true;
	if (params_find(ps, "client_id", &client_id) != 1)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "client_id is missing or twice");
	*p = party_find(&rq->snap->parties, client_id);
	return (*p != NULL && (*p)->oidc != NULL) ||
	       FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "no such client");
}

static bool
read_object(struct request *rq, const struct party *p, const char *text,
	    struct oidc_request_object *object, struct err *err)
{
	struct oidc_jwe_keys ours;

	jose_decryption_keys(rq, &ours);
	return oidc_request_object_read(rq->a, text, p->oidc, rq->app->config->base_url, &ours,
					rq->now, object, err);
}

/*
 * RFC 9101 6: the object's parameters alone count.  Where it is no good, what stands beside it may
 * still say where its client listens.
 */
static bool
unwrap(struct request *rq, const struct params *ps, const struct party *p, const char *text,
       struct oidc_request_object *object, struct authorize *out, struct err *err)
{
	struct oidc_start beside;

	if (!find_sender(rq, ps, &p, err))
		return false;
	if (read_object(rq, p, text, object, err) ||
	    (object->unfit && client_keys_again(rq, &p, err) &&
	     read_object(rq, p, text, object, err))) {
		refusal_of(rq, p, true);
		return true;
	}
	if (!prove(rq, ps, &beside, out, NULL))
		out->to = NULL;
	return false;
}

bool
authorize_use(struct request *rq, const struct authorize *r, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	bool first;

	if (r->ask.replay == NULL)
		return true;
	return db_seen_once(&c, flow_mark(rq->a, r->p, r->ask.replay, r->ask.replay_expires),
			    rq->now, &first, err) &&
	       (first ||
		FAIL(err, ERR_DENIED, OIDC_INVALID_REQUEST_OBJECT, "a request object used before"));
}

bool
authorize_read(struct request *rq, const struct params *ps, enum authorize_from from,
	       const struct party *proven, struct authorize *out, struct err *err)
{
	struct oidc_request_object object = {.ps = *ps};
	struct oidc_authorize authorize;
	struct oidc_start start;
	const char *text, *says;

	*out = (struct authorize){0};
	if (params_find(ps, "client_id", &says) == 1)
		refusal_of(rq, party_find(&rq->snap->parties, says), false);
	if (!oidc_param(ps, "request", OIDC_JWE_MAX_BYTES, &text, err) ||
	    (text != NULL && !unwrap(rq, ps, proven, text, &object, out, err)) ||
	    !prove(rq, &object.ps, &start, out, err))
		return false;
	out->ps = object.ps;
	if (!check_way(out->p->oidc, from, text != NULL, err) ||
	    !oidc_authorize_parse(rq->a, &object.ps, out->p->oidc, &authorize, err) ||
	    !oidc_details_parse(rq->a, &object.ps, &rq->snap->details, out->p->oidc,
				&authorize.details, err) ||
	    !take_hint(rq, out->p, &authorize, err) ||
	    !front_oidc_ask(rq, out->p, &start, &authorize, &out->ask, err))
		return false;
	/* With a jti it counts once. */
	out->ask.replay = object.jti;
	out->ask.replay_expires = object.jti_expires;
	return true;
}
