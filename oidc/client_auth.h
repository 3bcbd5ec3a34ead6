/*
 * Client authentication at the back channel (RFC 6749 2.3, RFC 7523 3, OpenID
 * Connect Core 9): a table of methods.  What a request claims and who was proven
 * are two types; only oidc_client_auth_check makes the second.
 */
#ifndef KONTOR_OIDC_CLIENT_AUTH_H
#define KONTOR_OIDC_CLIENT_AUTH_H

#include "oidc/certificate.h"
#include "oidc/client.h"
#include "oidc/jws.h"

#define OIDC_ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/* A claim to be some client.  Points into the request. */
struct oidc_client_auth {
	enum oidc_auth_method method; /* the one the request uses */
	const char *client_id;        /* never NULL; whose record to look up */
	const char *secret;           /* NULL but for client_secret_basic and _post */
	struct oidc_jws assertion;    /* for private_key_jwt and client_secret_jwt */
	const struct oidc_certificate
		*certificate; /* of the connection: set by the caller; NULL: none */
};

/*
 * Find the one method a request uses.  authorization is the header or NULL.
 * ERR_INPUT: more than one method, or a client_id parameter that contradicts
 * it (invalid_request); no client_id either, another scheme, malformed credentials
 * (invalid_client).  A client_id alone is the claim of a public client, or of one that is
 * proven by its certificate.
 */
MUST_USE bool oidc_client_auth_parse(struct arena *a, const char *authorization,
				     const struct params *form, struct oidc_client_auth *out,
				     struct err *err);

/* Who we are, as audience of an assertion, and who checks an HMAC. */
struct oidc_server {
	const char *issuer, *token_endpoint;
	const char *mtls_token_endpoint; /* its alias (RFC 8705 5); NULL: none */
	struct oidc_mac mac;
};

/*
 * A client that proved itself, or, if its record says OIDC_AUTH_PUBLIC, one that there is
 * nothing to prove of: that it asks is all that is known.  With an assertion, jti must not have
 * been used before: the caller stores it until jti_expires, which follows from the signed exp, and
 * refuses the request if it was there.
 */
struct oidc_client_proof {
	const struct oidc_client *client;
	const char *jti; /* NULL: nothing to remember */
	time_t jti_expires;
};

/*
 * client is the record of auth->client_id, NULL if there is none.  ERR_DENIED,
 * invalid_client: unknown, another method than the registered one, a wrong
 * secret, an assertion that is not for us, not by it, not now, or without jti.
 */
MUST_USE bool oidc_client_auth_check(struct arena *a, const struct oidc_client_auth *auth,
				     const struct oidc_client *client,
				     const struct oidc_server *server, time_t now,
				     struct oidc_client_proof *out, struct err *err);

#endif
