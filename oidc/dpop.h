/*
 * Proofs of possession (RFC 9449 4): a token that a client makes for one request with the private
 * half of the key that it brings.  Whether it was used before is the caller's business.
 */
#ifndef KONTOR_OIDC_DPOP_H
#define KONTOR_OIDC_DPOP_H

#include "oidc/jws.h"
#include "oidc/param.h"

#define OIDC_DPOP_PAST_S   60 /* how old a proof may be */
#define OIDC_DPOP_FUTURE_S 60 /* FAPI2SP 5.3.2.1: clocks differ */

/* What a proof has to be for. */
struct oidc_dpop_request {
	const char *method;       /* "POST" */
	const char *url;          /* of this endpoint, without query */
	const char *access_token; /* that comes with it; NULL: none does */
	struct oidc_strs nonces;  /* any of these */
	bool nonce_demanded;      /* else a proof without one will do */
};

struct oidc_dpop {
	const char *jkt; /* RFC 7638 thumbprint of its key, 43 characters */
	const char *jti; /* to be seen once for this key, until `expires` */
	time_t expires;
};

/*
 * ERR_INPUT or ERR_DENIED, invalid_dpop_proof: not a proof, a key or algorithm that we do not take,
 * a signature that does not fit, or made for another request or time; use_dpop_nonce: its nonce is
 * missing or over.
 */
MUST_USE bool oidc_dpop_check(struct arena *a, const char *proof,
			      const struct oidc_dpop_request *rq, time_t now, struct oidc_dpop *out,
			      struct err *err);

/* Are these two the same URL for a proof (RFC 9449 4.3 (9), RFC 3986 6.2.2, 6.2.3)? */
bool oidc_dpop_url_eq(struct arena *a, const char *htu, const char *url);

/* The algorithms that proofs may be signed with, for discovery. */
struct oidc_strs oidc_dpop_algs(void);

#endif
