/*
 * Introspection (RFC 7662): a resource server asks what a token is worth.  It learns of tokens for
 * its own resources alone; all others do not count, whatever they are.
 */
#include "idp/ep_oidc.h"

#include <string.h>

#include "idp/client_proof.h"
#include "idp/config.h"
#include "idp/issue.h"
#include "oidc/error.h"

#define TOKEN_MAX_BYTES (16 * 1024)

/* RFC 7662 2.1, 4: who may ask, and of what. */
static bool
look(struct request *rq, const struct party **p, const struct db_token **out, struct err *err)
{
	struct oidc_client_proof proof;
	const char *token;

	if (!client_proof_demand(rq, p, &proof, err) ||
	    !oidc_param(&rq->form, "token", TOKEN_MAX_BYTES, &token, err))
		return false;
	if ((*p)->oidc->resource_uris.n == 0)
		return FAIL(err, ERR_DENIED, OIDC_ACCESS_DENIED, "no resource server");
	if (token == NULL)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "token is missing");
	if (!issue_find_token(rq, token, out, err))
		return false;
	if (*out != NULL && ((*out)->audience == NULL ||
			     !oidc_strs_have((*p)->oidc->resource_uris, (*out)->audience)))
		*out = NULL;
	return true;
}

/* RFC 9701 4: by the media type that it accepts. */
static bool
wants_signed(const struct request *rq)
{
	const char *accept = request_header(rq, "accept");

	return accept != NULL && strcasestr(accept, OIDC_INTROSPECTION_TYPE) != NULL;
}

static bool
answer_signed(struct request *rq, const struct oidc_client *c, const json_t *answer,
	      struct response *rs, struct err *err)
{
	static const struct oidc_encryption none = {0};
	const char *issuer = rq->app->config->base_url, *out;
	struct jose_maker m;

	/* RFC 9701 6 */
	enum oidc_alg alg =
		c->introspection_alg != OIDC_ALG_NONE ? c->introspection_alg : c->id_token_alg;

	if (!jose_maker_find(rq->app, rq->snap, c, alg, &none, &m, err) ||
	    !oidc_introspection_sign(rq->a, &m.ops, m.kid, m.alg, issuer, c->client_id, answer,
				     rq->now, &out, err))
		return false;
	response_jwt(rs, 200, OIDC_INTROSPECTION_TYPE, out);
	return true;
}

bool
ep_introspect(struct request *rq, struct response *rs, struct err *err)
{
	const struct db_token *token;
	struct oidc_access_token told;
	const struct party *p;

	if (!look(rq, &p, &token, err) ||
	    (token != NULL && (!issue_describe(rq, p, token, &told, err) ||
			       !issue_details_told(rq, token, &told.details, err))))
		return false;
	const json_t *answer = oidc_introspection_build(rq->a, token == NULL ? NULL : &told);

	if (wants_signed(rq))
		return answer_signed(rq, p->oidc, answer, rs, err);
	response_json(rs, 200, json_text(rq->a, answer, false));
	return true;
}
