/* Keys that requests prove; see binding.h. */
#include "idp/binding.h"

#include "base/enc.h"
#include "base/text.h"
#include "db/seen.h"
#include "idp/app.h"
#include "idp/config.h"
#include "idp/route.h"
#include "keys/sign.h"
#include "oidc/certificate.h"
#include "oidc/dpop.h"
#include "oidc/error.h"

#define NONCE_LIVES_S 300 /* and as long again, so that one that was just told counts */
#define NONCE_BYTES   16

/* RFC 8705 3: SHA-256 of the certificate of the connection; NULL: there is none. */
static const char *
certificate_of(const struct request *rq)
{
	return rq->certificate == NULL ? NULL : rq->certificate->thumbprint;
}

/* The same at all nodes, and nothing is kept: time, by a key that only the signer has. */
static bool
nonce_at(struct request *rq, time_t t, const char **out, struct err *err)
{
	const struct key *k = keyring_active(rq->snap->keyring, KEY_COOKIE, KEY_SECRET);
	const char *window = arena_printf(rq->a, "%lld", (long long)(t / NONCE_LIVES_S));
	unsigned char mac[32];

	if (k == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no active cookie key");
	if (!signer_mac(rq->app->signer, rq->a, KEY_COOKIE, k->row.kid, "DPoP nonce",
			bytes_of(window), mac, err))
		return false;
	*out = enc_base64url(rq->a, (struct bytes){mac, NONCE_BYTES});
	return true;
}

/* RFC 9449 11.1: a proof counts once. */
static bool
once(struct request *rq, const struct oidc_dpop *d, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct db_mark mark = {"dpop", bytes_of(arena_printf(rq->a, "%s %s", d->jkt, d->jti)),
			       d->expires};
	bool first;

	return db_seen_once(&c, &mark, rq->now, &first, err) &&
	       (first ||
		FAIL(err, ERR_DENIED, OIDC_INVALID_DPOP_PROOF, "a proof that was used before"));
}

const char *
binding_of_jkt(struct arena *a, const char *jkt)
{
	json_t *o = json_new_object(a);

	json_put_str(a, o, "jkt", jkt);
	return json_text(a, o, false);
}

const char *
binding_jkt(struct arena *a, const char *cnf)
{
	const char *jkt = NULL;
	json_t *o;

	if (!json_parse_object(a, bytes_of(cnf), 1024, &o, NULL) ||
	    !json_get_str(o, "jkt", &jkt, NULL))
		return NULL;
	return jkt;
}

/* The nonce of before is asked for by who has it: mostly that of now will do. */
static bool
check(struct request *rq, const char *proof, struct oidc_dpop_request *want, struct oidc_dpop *out,
      struct err *err)
{
	const char **nonces = ARENA_ARRAY(rq->a, const char *, 2);
	struct err why = {0};

	if (!nonce_at(rq, rq->now, &nonces[0], err))
		return false;
	rq->dpop_nonce = nonces[0];
	want->nonces = (struct oidc_strs){nonces, 1};
	if (oidc_dpop_check(rq->a, proof, want, rq->now, out, &why))
		return true;
	if (!text_eq(why.proto, OIDC_USE_DPOP_NONCE))
		return FAIL(err, why.kind, why.proto, "%s", why.text);
	if (!nonce_at(rq, rq->now - NONCE_LIVES_S, &nonces[1], err))
		return false;
	want->nonces.n = 2;
	return oidc_dpop_check(rq->a, proof, want, rq->now, out, err);
}

static bool
judge(struct request *rq, const char *access_token, bool nonce_demanded, struct err *err)
{
	const char *proof = request_header(rq, "dpop");
	struct oidc_dpop_request want = {
		.method = rq->method == HTTP_POST ? "POST" : "GET",
		.url = arena_printf(rq->a, "%s%s", rq->base_url, rq->route->path),
		.access_token = access_token,
		.nonce_demanded = nonce_demanded,
	};
	struct oidc_dpop *d = ARENA_NEW(rq->a, struct oidc_dpop);

	if (proof == NULL || rq->dpop != NULL)
		return true;
	if (!check(rq, proof, &want, d, err))
		return false;
	rq->dpop = d;
	return true;
}

/* *cnf stays as it is when there is no proof. */
static bool
prove(struct request *rq, const char *access_token, bool nonce_demanded, const char **cnf,
      struct err *err)
{
	if (!judge(rq, access_token, nonce_demanded, err))
		return false;
	if (rq->dpop == NULL)
		return true;
	if (!once(rq, rq->dpop, err))
		return false;
	*cnf = binding_of_jkt(rq->a, rq->dpop->jkt);
	return true;
}

bool
binding_judge(struct request *rq, struct err *err)
{
	return judge(rq, NULL, true, err);
}

static const char *
cnf_of_certificate(struct request *rq)
{
	const char *digest = certificate_of(rq);
	json_t *o = json_new_object(rq->a);

	json_put_str(rq->a, o, "x5t#S256", digest);
	return digest == NULL ? NULL : json_text(rq->a, o, false);
}

bool
binding_prove(struct request *rq, bool certificate, const char **cnf, struct err *err)
{
	*cnf = certificate ? cnf_of_certificate(rq) : NULL;
	return prove(rq, NULL, true, cnf, err);
}

bool
binding_demand(struct request *rq, const struct oidc_client *c, const char **cnf, struct err *err)
{
	bool bound = c->tls_bound || (c->profile->checks & OIDC_CHECK_BOUND_TOKENS) != 0;

	if (!binding_prove(rq, bound, cnf, err))
		return false;
	/* RFC 8705 3.4 */
	if (c->tls_bound && (*cnf == NULL || binding_is_dpop(*cnf)))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST,
			    "a token that has to be bound to the client's certificate");
	if ((*cnf == NULL && bound) || (!binding_is_dpop(*cnf) && c->dpop_bound))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_DPOP_PROOF,
			    "a token that has to be bound");
	return true;
}

bool
binding_is_dpop(const char *cnf)
{
	return cnf != NULL && text_starts(cnf, "{\"jkt\":");
}

/* The errors of the back channel, as a resource tells them. */
static bool
at_resource(struct err *err)
{
	if (text_eq(err->proto, OIDC_INVALID_DPOP_PROOF))
		err->proto = OIDC_DPOP_RESOURCE_PROOF;
	if (text_eq(err->proto, OIDC_USE_DPOP_NONCE))
		err->proto = OIDC_DPOP_RESOURCE_NONCE;
	return false;
}

bool
binding_check(struct request *rq, const char *access_token, bool dpop, const char *cnf,
	      struct err *err)
{
	const char *proven = cnf_of_certificate(rq);

	/* RFC 9449 7.2: never one kind as the other. */
	if (dpop != binding_is_dpop(cnf))
		return FAIL(err, ERR_DENIED, dpop ? OIDC_DPOP_RESOURCE_TOKEN : OIDC_INVALID_TOKEN,
			    "a token by another scheme than it is for");
	if (dpop && request_header(rq, "dpop") == NULL)
		return FAIL(err, ERR_DENIED, OIDC_DPOP_RESOURCE_PROOF, "a bound token, no proof");
	if (dpop && !prove(rq, access_token, false, &proven, err))
		return at_resource(err);
	return cnf == NULL || text_eq(proven, cnf) ||
	       FAIL(err, ERR_DENIED, dpop ? OIDC_DPOP_RESOURCE_TOKEN : OIDC_INVALID_TOKEN,
		    "a token that is bound to another key");
}
