/* Who asks at the back channel: client authentication, the same for every endpoint. */
#ifndef KONTOR_IDP_CLIENT_PROOF_H
#define KONTOR_IDP_CLIENT_PROOF_H

#include "idp/party.h"
#include "oidc/client_auth.h"

/*
 * Demand that the client of this POST proves itself; an assertion is used up.  *p is its
 * party, never NULL.  A public client (oidc/client.h) passes by its name: what is only for
 * those that prove themselves has to ask its record.  ERR_INPUT or ERR_DENIED, invalid_client
 * (invalid_request when the request contradicts itself).
 */
MUST_USE bool client_proof_demand(struct request *rq, const struct party **p,
				  struct oidc_client_proof *proof, struct err *err);

/*
 * The two halves of it, for who judges something in between that its client may well send again
 * with the same assertion: who it is, then that the assertion counts once.  ERR_DENIED,
 * invalid_client: it was used before.
 */
MUST_USE bool client_proof_check(struct request *rq, const struct party **p,
				 struct oidc_client_proof *proof, struct err *err);
MUST_USE bool client_proof_use(struct request *rq, const struct oidc_client_proof *proof,
			       struct err *err);

#endif
