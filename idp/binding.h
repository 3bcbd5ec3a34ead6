/*
 * The key that a request proves to have (RFC 9449, RFC 8705): what access tokens are bound to when
 * they are given, and what has to be proven when one is used.
 */
#ifndef KONTOR_IDP_BINDING_H
#define KONTOR_IDP_BINDING_H

#include "idp/request.h"
#include "oidc/client.h"

/*
 * At the back channel, before anything is used up: is the request's DPoP proof, if it has one, for
 * this request and with a nonce of ours?  The answer tells a nonce.  ERR_INPUT or ERR_DENIED,
 * invalid_dpop_proof, use_dpop_nonce.
 */
MUST_USE bool binding_judge(struct request *rq, struct err *err);

/*
 * At the back channel: *cnf becomes the JSON object {"jkt": ..} (RFC 7800 3.1) of the key that the
 * request's DPoP proof is made with, which is used up; with `certificate` and without a proof that
 * of the client's certificate; NULL: none is proven.  The answer tells a nonce.  ERR_INPUT or
 * ERR_DENIED, invalid_dpop_proof, use_dpop_nonce.
 */
MUST_USE bool binding_prove(struct request *rq, bool certificate, const char **cnf,
			    struct err *err);

/* The same, for a client whose record or profile demands that its tokens are bound. */
MUST_USE bool binding_demand(struct request *rq, const struct oidc_client *c, const char **cnf,
			     struct err *err);

/*
 * At a resource of ours: does the request prove the key that the token is bound to (cnf; NULL:
 * none), and does it come by the scheme that says so?
 */
MUST_USE bool binding_check(struct request *rq, const char *access_token, bool dpop,
			    const char *cnf, struct err *err);

/* The object that binds to a key of that thumbprint. */
const char *binding_of_jkt(struct arena *a, const char *jkt);

/* The reverse; NULL: it binds to something else. */
const char *binding_jkt(struct arena *a, const char *cnf);

/* By DPoP: the token is then of that type. */
bool binding_is_dpop(const char *cnf);

#endif
