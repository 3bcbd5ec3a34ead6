/*
 * Authorization requests as signed tokens (RFC 9101, OpenID Connect Core 6.1), by value: what
 * the client's key has signed becomes the request's parameters, and nothing beside it counts.
 */
#ifndef KONTOR_OIDC_REQUEST_OBJECT_H
#define KONTOR_OIDC_REQUEST_OBJECT_H

#include "base/param.h"
#include "oidc/client.h"
#include "oidc/jwe.h"

struct oidc_request_object {
	struct params ps; /* client_id among them */
	const char *jti;  /* to be used once until jti_expires; NULL: there is none */
	time_t jti_expires;
	bool has_iat; /* it says when it was made */
	bool unfit;   /* set with a failure: it is by none of the client's keys */
};

/*
 * Read the object that `client` is to have signed, and may have encrypted to one of our keys.
 * ERR_UNAVAILABLE: it cannot be opened now.  ERR_INPUT or ERR_DENIED, invalid_request_object: not a
 * token, not signed by one of its keys with the algorithm it registered (none never), a token for
 * something else, not for `issuer`, not by this client, too old, not yet good or good for too
 * long, a request or request_uri in it.
 */
MUST_USE bool oidc_request_object_read(struct arena *a, const char *text,
				       const struct oidc_client *client, const char *issuer,
				       const struct oidc_jwe_keys *ours, time_t now,
				       struct oidc_request_object *out, struct err *err);

/* Is `aud` our issuer as one text, or alone in a list, so that nobody else may be meant, too? */
bool oidc_is_for_us_alone(const json_t *claims, const char *issuer);

/*
 * oidc_request_object_read for a request at the back channel (CIBA Core 1.0, 7.1.1), which has to
 * be signed by the algorithm registered for it, is never encrypted, and names exp, nbf, iat and
 * jti.  ERR_INPUT or ERR_DENIED, invalid_request.
 */
MUST_USE bool oidc_ciba_request_read(struct arena *a, const char *text,
				     const struct oidc_client *client, const char *issuer,
				     time_t now, struct oidc_request_object *out, struct err *err);

#endif
