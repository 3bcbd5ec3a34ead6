/* The documents peers read about us: SAML metadata, JWKS, OpenID discovery; all follow the tables.
 */
#ifndef KONTOR_IDP_PUBLISH_H
#define KONTOR_IDP_PUBLISH_H

#include "idp/app.h"
#include "keys/keyring.h"
#include "oidc/jwk.h"

#define JWKS_PATH      "/oidc/jwks"
#define DISCOVERY_PATH "/.well-known/openid-configuration"
#define SERVER_PATH    "/.well-known/oauth-authorization-server" /* RFC 8414 3 */

/* Our published keys, to verify with and to encrypt to, as the JWKS shows them. */
void publish_jwks(struct arena *a, const struct keyring *kr, struct oidc_jwks *out);

/*
 * Add them to the snapshot, whose keyring and parties are loaded.  Without keys yet, only what
 * needs none.  When a key that signs metadata is out of reach, SAML's of before stay, RFC 8414's
 * goes without its signature, and the snapshot is stale.
 */
MUST_USE bool publish_documents(struct app *app, struct snapshot *snap, time_t now,
				struct err *err);

#endif
