/* Client authentication at the back channel; see client_proof.h. */
#include "idp/client_proof.h"

#include "base/log.h"
#include "db/seen.h"
#include "db/source.h"
#include "idp/app.h"
#include "idp/config.h"
#include "idp/refusal.h"
#include "keys/sign.h"
#include "oidc/error.h"

#define MISS_PAUSE_S 60

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

void
client_key_missed(struct request *rq, const struct oidc_client *client, const struct oidc_jws *jws)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct err err = {0};
	bool did;

	if (client->jwks_uri == NULL || oidc_jwks_find(&client->jwks, jws->kid, jws->alg) != NULL)
		return;
	/* Who asks is refused anyway; what goes wrong here is told and changes nothing. */
	if (!db_source_miss(&c, client->client_id, MISS_PAUSE_S, rq->now, &did, &err))
		log_err(LOG_LVL_WARN, "client_keys_unasked", &err, "party", client->client_id,
			NULL);
}

/* The secret of a client never leaves the signer. */
static bool
check_mac(void *signer, struct arena *a, const char *client_id, struct bytes sealed_secret,
	  struct bytes text, struct bytes mac, struct err *err)
{
	return signer_mac_check(signer, a, party_secret_label(a, client_id), sealed_secret, text,
				mac, err);
}

bool
client_proof_demand(struct request *rq, const struct party **p, struct oidc_client_proof *proof,
		    struct err *err)
{
	const struct config *conf = rq->app->config;
	struct oidc_server server = {conf->base_url,
				     arena_printf(rq->a, "%s/oidc/token", conf->base_url),
				     {rq->app->signer, check_mac}};
	struct oidc_client_auth auth;

	if (!oidc_client_auth_parse(rq->a, request_header(rq, "authorization"), &rq->form, &auth,
				    err))
		return false;
	auth.certificate = rq->certificate;
	*p = party_find(&rq->snap->parties, auth.client_id);
	refusal_of(rq, *p, false);
	if (oidc_client_auth_check(rq->a, &auth, *p == NULL ? NULL : (*p)->oidc, &server, rq->now,
				   proof, err)) {
		if (!once(rq, proof, err))
			return false;
		refusal_of(rq, *p, (*p)->oidc->auth_method != OIDC_AUTH_PUBLIC);
		return true;
	}
	if (*p != NULL && (*p)->oidc != NULL && auth.method == OIDC_AUTH_PRIVATE_KEY)
		client_key_missed(rq, (*p)->oidc, &auth.assertion);
	return false;
}
