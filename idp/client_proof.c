/* Client authentication at the back channel; see client_proof.h. */
#include "idp/client_proof.h"

#include "db/seen.h"
#include "idp/app.h"
#include "idp/client_keys.h"
#include "idp/config.h"
#include "idp/refusal.h"
#include "keys/sign.h"
#include "oidc/error.h"

bool
client_proof_use(struct request *rq, const struct oidc_client_proof *proof, struct err *err)
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
	if (!first)
		return FAIL(err, ERR_DENIED, OIDC_INVALID_CLIENT, "a client assertion used before");
	refusal_of(rq, rq->of, true);
	return true;
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
	return client_proof_check(rq, p, proof, err) && client_proof_use(rq, proof, err);
}

static bool
judge(struct request *rq, const struct oidc_client_auth *auth, const struct party *p,
      struct oidc_client_proof *proof, struct err *err)
{
	const struct config *conf = rq->app->config;
	struct oidc_server server = {
		.issuer = conf->base_url,
		.token_endpoint = arena_printf(rq->a, "%s/oidc/token", conf->base_url),
		.mtls_token_endpoint = conf->mtls_url == NULL ? NULL
							      : arena_printf(rq->a, "%s/oidc/token",
									     conf->mtls_url),
		.mac = {rq->app->signer, check_mac}};

	return oidc_client_auth_check(rq->a, auth, p == NULL ? NULL : p->oidc, &server, rq->now,
				      proof, err);
}

/* Is it by a key that is none of the client's, as far as we know? */
static bool
unfit(struct request *rq, const struct oidc_client_auth *auth, const struct party *p)
{
	const struct oidc_signed *s;

	if (p == NULL || p->oidc == NULL)
		return false;
	if (auth->method == OIDC_AUTH_PRIVATE_KEY)
		return p->oidc->auth_method == OIDC_AUTH_PRIVATE_KEY &&
		       !oidc_jws_verify(rq->a, &auth->assertion, &p->oidc->jwks, &s, NULL);
	return auth->method == OIDC_AUTH_PUBLIC && auth->certificate != NULL &&
	       p->oidc->auth_method == OIDC_AUTH_SELF_SIGNED_TLS &&
	       !oidc_certificate_check(auth->certificate, p->oidc, rq->now, NULL);
}

bool
client_proof_check(struct request *rq, const struct party **p, struct oidc_client_proof *proof,
		   struct err *err)
{
	struct oidc_client_auth auth;

	if (!oidc_client_auth_parse(rq->a, request_header(rq, "authorization"), &rq->form, &auth,
				    err))
		return false;
	auth.certificate = rq->certificate;
	*p = party_find(&rq->snap->parties, auth.client_id);
	refusal_of(rq, *p, false);
	if (!judge(rq, &auth, *p, proof, err) &&
	    !(unfit(rq, &auth, *p) && client_keys_again(rq, p, err) &&
	      judge(rq, &auth, *p, proof, err)))
		return false;
	if (*p == NULL) /* second line: nobody is what was judged above */
		return FAIL(err, ERR_DENIED, OIDC_INVALID_CLIENT, "no such client");
	if (proof->jti == NULL)
		refusal_of(rq, *p, (*p)->oidc->auth_method != OIDC_AUTH_PUBLIC);
	return true;
}
