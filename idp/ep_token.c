/* The token endpoint: who is the client, then which grant (RFC 6749 3.2). */
#include "idp/ep_oidc.h"

#include "db/seen.h"
#include "idp/app.h"
#include "idp/config.h"
#include "idp/grant.h"
#include "oidc/error.h"

static bool
once(struct request *rq, const struct oidc_client_proof *proof, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	bool first;

	if (proof->jti == NULL)
		return true;
	if (!db_seen_once(
		    &c,
		    &(struct db_mark){"client-assertion",
				      bytes_of(arena_printf(rq->a, "%s %s",
							    proof->client->client_id, proof->jti)),
				      proof->jti_expires},
		    rq->now, &first, err))
		return false;
	/* RFC 7523 3 (7): a replayed assertion is nobody's proof. */
	return first ||
	       FAIL(err, ERR_DENIED, OIDC_INVALID_CLIENT, "a client assertion used before");
}

static bool
authenticate(struct request *rq, const struct party **p, struct oidc_client_proof *proof,
	     struct err *err)
{
	const struct config *conf = rq->app->config;
	struct oidc_server server = {conf->base_url,
				     arena_printf(rq->a, "%s/oidc/token", conf->base_url)};
	struct oidc_client_auth auth;

	if (!oidc_client_auth_parse(rq->a, request_header(rq, "authorization"), &rq->form, &auth,
				    err))
		return false;
	*p = party_find(&rq->snap->parties, auth.client_id);
	return oidc_client_auth_check(rq->a, &auth, *p == NULL ? NULL : (*p)->oidc, &server,
				      rq->now, proof, err) &&
	       once(rq, proof, err);
}

static bool
give(struct request *rq, struct oidc_token_response *out, struct err *err)
{
	struct oidc_client_proof proof;
	const struct party *p;
	const char *type;

	if (!authenticate(rq, &p, &proof, err) || !oidc_token_grant_type(&rq->form, &type, err))
		return false;
	const struct grant *g = grant_find(type);

	if (g == NULL)
		return FAIL(err, ERR_INPUT, OIDC_UNSUPPORTED_GRANT_TYPE, "no such grant type here");
	return g->give(rq, p, &proof, out, err);
}

bool
ep_token(struct request *rq, struct response *rs, struct err *err)
{
	struct oidc_token_response out;

	if (!give(rq, &out, err))
		return false;
	response_json(rs, 200, oidc_token_response_build(rq->a, &out));
	return true;
}
