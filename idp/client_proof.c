/* Client authentication at the back channel; see client_proof.h. */
#include "idp/client_proof.h"

#include "db/seen.h"
#include "idp/app.h"
#include "idp/config.h"
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

bool
client_proof_demand(struct request *rq, const struct party **p, struct oidc_client_proof *proof,
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
