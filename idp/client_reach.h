/* Can a client's URLs be reached from here?  For kontor client check --reach. */
#ifndef KONTOR_IDP_CLIENT_REACH_H
#define KONTOR_IDP_CLIENT_REACH_H

#include "base/json.h"
#include "idp/config.h"
#include "oidc/client.h"

/*
 * Try each as the program would call it: the same guard, the same authorities.  jwks_uri is read;
 * the others get a POST of nothing, which they have to refuse.  [{"member", "url", "reached",
 * "what"}, ..].
 */
json_t *client_reach(struct arena *a, const struct config *config, const struct oidc_client *c);

#endif
