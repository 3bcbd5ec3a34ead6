/*
 * The metadata document (OpenID Connect Discovery 3, RFC 8414 2), derived from
 * the tables that the program itself goes by.
 */
#ifndef KONTOR_OIDC_DISCOVERY_H
#define KONTOR_OIDC_DISCOVERY_H

#include "oidc/claims.h"
#include "oidc/jws.h"

struct oidc_endpoint {
	const char *member; /* "token_endpoint" */
	const char *url;
};

struct oidc_discovery {
	const char *issuer;
	const struct oidc_endpoint *endpoints;
	size_t n_endpoints;
	const struct oidc_endpoint *mtls_aliases; /* of some of them (RFC 8705 5) */
	size_t n_mtls_aliases;                    /* 0: no certificates are asked for */
	const struct oidc_scope_claim *claims;    /* the caller's table */
	size_t n_claims;
	size_t n_verified_claims; /* the first of them: they may be asked for as verified */
	struct oidc_strs documents, check_methods; /* of evidence of verified claims */
	struct oidc_strs scopes, acr_values, grant_types, ui_locales;
	struct oidc_strs details_types; /* of authorization details; n 0: none */
	struct oidc_strs signing_algs;  /* that our keys make */
};

const char *oidc_discovery_build(struct arena *a, const struct oidc_discovery *d);

/*
 * The same with signed_metadata (RFC 8414 2.1): all of it once more in a JWT of ours, signed
 * with our key `kid`.  Errors are the signer's.
 */
MUST_USE bool oidc_discovery_sign(struct arena *a, const struct oidc_discovery *d,
				  const struct key_ops *ops, const char *kid, enum oidc_alg alg,
				  time_t now, const char **json, struct err *err);

#endif
