/* Who asks at the back channel: client authentication, the same for every endpoint. */
#ifndef KONTOR_IDP_CLIENT_PROOF_H
#define KONTOR_IDP_CLIENT_PROOF_H

#include "idp/party.h"
#include "oidc/client_auth.h"

/*
 * Demand that the client of this POST proves itself; an assertion is used up.  *p is its
 * party, never NULL.  ERR_INPUT or ERR_DENIED, invalid_client (invalid_request when the
 * request contradicts itself).
 */
MUST_USE bool client_proof_demand(struct request *rq, const struct party **p,
				  struct oidc_client_proof *proof, struct err *err);

#endif
