/*
 * Another OpenID Provider, as we ask it: what its discovery document says, our proof of ourselves,
 * and what its tokens tell.  Nothing of it counts before it is verified here.
 */
#ifndef KONTOR_OIDC_PROVIDER_H
#define KONTOR_OIDC_PROVIDER_H

#include <time.h>

#include "oidc/jws.h"
#include "oidc/param.h"

#define OIDC_PROVIDER_MAX_BYTES (64 * 1024) /* of the document, and of an answer */

struct oidc_provider {
	const char *issuer, *authorization_endpoint, *token_endpoint, *jwks_uri;
	const char *userinfo_endpoint, *par_endpoint; /* NULL: it has none */
	bool tells_iss;             /* its answers have to say who answers (RFC 9207 3) */
	bool takes_claims;          /* the claims parameter (Core 5.5) */
	bool verified;              /* and verified_claims in it */
	struct oidc_strs scopes;    /* n 0: it does not say */
	struct oidc_strs auth_algs; /* of our proof; n 0: it does not say */
};

/* Where the document lies (Discovery 4.1). */
const char *oidc_provider_document(struct arena *a, const char *issuer);

/*
 * ERR_INPUT: another issuer, an endpoint that is missing or not https, or it does not do what we
 * need: response type code, private_key_jwt, S256 where it says what it has, a signature of ours.
 */
MUST_USE bool oidc_provider_parse(struct arena *a, struct bytes json, const char *issuer,
				  struct oidc_provider *out, struct err *err);

/* The first of ours that it takes for our proof; OIDC_ALG_NONE: none. */
enum oidc_alg oidc_provider_auth_alg(const struct oidc_provider *p, struct oidc_strs ours);

/*
 * Our proof (RFC 7523 3), for the issuer alone: who gets it can show it to nobody else
 * (CVE-2025-27370).
 */
MUST_USE bool oidc_provider_proof(struct arena *a, const struct oidc_provider *p,
				  const struct key_ops *ops, const char *kid, enum oidc_alg alg,
				  const char *client_id, time_t now, const char **compact,
				  struct err *err);

/* What an ID token is held against; nothing is NULL. */
struct oidc_told_rules {
	const struct oidc_jwks *keys;
	enum oidc_alg alg; /* the only one; OIDC_ALG_NONE: as its keys say */
	const char *issuer, *client_id, *nonce, *access_token;
	time_t asked_at; /* a login before it does not count */
};

struct oidc_told {
	const char *sub;
	const char *acr; /* NULL: it says none */
	time_t auth_time;
	const json_t *claims;
};

/* Would another look at its keys help?  It names one that is not among these. */
bool oidc_told_key_is_new(struct arena *a, const char *id_token, const struct oidc_jwks *keys);

/*
 * Core 3.1.3.7.  ERR_INPUT, ERR_DENIED: it does not count, whatever else it says.
 */
MUST_USE bool oidc_told_verify(struct arena *a, const char *id_token,
			       const struct oidc_told_rules *rules, time_t now,
			       struct oidc_told *out, struct err *err);

/* Core 5.3.2, 5.3.4: an answer of the userinfo endpoint, of the same person or refused. */
MUST_USE bool oidc_told_userinfo(struct arena *a, struct bytes json, const struct oidc_told *told,
				 const json_t **claims, struct err *err);

/* The text of a claim ("address.locality": a member of one); NULL: none, or not one text. */
const char *oidc_told_text(struct arena *a, const json_t *claims, const char *claim);

#endif
