/*
 * JSON Web Signatures in compact form (RFC 7515).  Two types keep trust apart:
 * struct oidc_jws is what somebody sent and proves nothing; struct oidc_signed
 * is made by oidc_jws_verify alone, and only it gives access to the claims.
 */
#ifndef KONTOR_OIDC_JWS_H
#define KONTOR_OIDC_JWS_H

#include "oidc/jwk.h"

#define OIDC_JWS_MAX_BYTES (16 * 1024)

struct oidc_jws {
	enum oidc_alg alg;     /* what the header claims; in our list */
	const char *kid, *typ; /* NULL if absent */
	struct bytes signing_input, payload, signature;
};

/* A token whose signature was verified with a key its reader chose. */
struct oidc_signed;

/*
 * Take a compact serialization apart.  ERR_INPUT: more than OIDC_JWS_MAX_BYTES,
 * not three parts, base64url that is not strict, a header over 4 KiB or with
 * duplicate members, an alg outside our list (none and HS256 among them), crit,
 * b64, zip or enc, and headers that bring their own key (jku, jwk, x5u, x5c).
 * typ is the caller's to judge, after verification.
 */
MUST_USE bool oidc_jws_parse(struct arena *a, struct bytes compact, struct oidc_jws *out,
			     struct err *err);

/* The same for a client's proof of itself, which alone may also be HS256. */
MUST_USE bool oidc_jws_parse_proof(struct arena *a, struct bytes compact, struct oidc_jws *out,
				   struct err *err);

/*
 * The same of a token that brings the key it is to be verified with: a proof of possession, which
 * says nothing of who has it.  *jwk is what it brings, unjudged.
 */
MUST_USE bool oidc_jws_parse_with_key(struct arena *a, struct bytes compact, struct oidc_jws *out,
				      const json_t **jwk, struct err *err);

/*
 * A text claim of a token nobody has vouched for: only for finding out whose
 * keys to try.  *out is NULL when the claim is missing.
 */
MUST_USE bool oidc_jws_claimed(struct arena *a, const struct oidc_jws *jws, const char *name,
			       const char **out, struct err *err);

/*
 * Verify with the key of `keys` that the header names.  The key's record says
 * the algorithm; a header that says another is refused.  ERR_DENIED: no such
 * key, wrong algorithm, wrong signature.  ERR_INPUT: the payload is not a JSON
 * object.
 */
MUST_USE bool oidc_jws_verify(struct arena *a, const struct oidc_jws *jws,
			      const struct oidc_jwks *keys, const struct oidc_signed **out,
			      struct err *err);

/* Who can tell whether an HMAC-SHA-256 over a text is by a client's secret, without showing it. */
struct oidc_mac {
	void *ctx;
	/* ERR_DENIED: it is not; ERR_UNAVAILABLE: nobody to ask. */
	bool (*check)(void *ctx, struct arena *a, const char *client_id, struct bytes sealed_secret,
		      struct bytes text, struct bytes mac, struct err *err);
};

/* oidc_jws_verify for HS256, by the secret of a client.  ERR_DENIED also: another alg. */
MUST_USE bool oidc_jws_verify_mac(struct arena *a, const struct oidc_jws *jws,
				  const struct oidc_mac *mac, const char *client_id,
				  struct bytes sealed_secret, const struct oidc_signed **out,
				  struct err *err);

/* The claims; an object, never NULL. */
const json_t *oidc_signed_claims(const struct oidc_signed *s);

/* Is the header's typ this media type?  "application/" may be left out, case is ignored
 * (RFC 7515 4.1.9).  With typ NULL: is there none? */
bool oidc_signed_typ_is(const struct oidc_signed *s, const char *typ);

/* Sign claims with our key `kid`.  ERR_INTERNAL when we never sign with alg. */
MUST_USE bool oidc_jws_build(struct arena *a, const struct key_ops *ops, const char *kid,
			     enum oidc_alg alg, const char *typ, const json_t *claims,
			     const char **compact, struct err *err);

#endif
