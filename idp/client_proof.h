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
 * This client signed with a key that is not among those of its jwks_uri: they are fetched anew
 * soon, by others (idp/refresh.h), and at most once a minute for whatever is asked.  Nothing
 * if it is no such client, or the key is there.
 */
void client_key_missed(struct request *rq, const struct oidc_client *client,
		       const struct oidc_jws *jws);

#endif
