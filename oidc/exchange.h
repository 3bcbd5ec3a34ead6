/*
 * Token exchange (RFC 8693): what is asked for, and who acts for whom.  Taken are access tokens of
 * ours, opaque or signed, and given are such alone.
 */
#ifndef KONTOR_OIDC_EXCHANGE_H
#define KONTOR_OIDC_EXCHANGE_H

#include "base/json.h"
#include "oidc/param.h"

#define OIDC_GRANT_EXCHANGE "urn:ietf:params:oauth:grant-type:token-exchange"
#define OIDC_TYPE_ACCESS    "urn:ietf:params:oauth:token-type:access_token"
#define OIDC_TYPE_JWT       "urn:ietf:params:oauth:token-type:jwt"

#define OIDC_ACTORS_MAX     4 /* in one chain */

struct oidc_exchange {
	const char *subject_token; /* never NULL; an access token in form, if its type is jwt */
	const char *actor_token;   /* NULL: none */
	const char *wanted;        /* OIDC_TYPE_ACCESS or OIDC_TYPE_JWT */
	struct oidc_strs resources, audiences, scopes; /* n 0: unsaid */
};

/*
 * ERR_INPUT, invalid_request: subject_token or a type is missing, a type that is not taken or does
 * not go with its token, a parameter twice or malformed.
 */
MUST_USE bool oidc_exchange_parse(struct arena *a, const struct params *form,
				  struct oidc_exchange *out, struct err *err);

/*
 * The claim `act` (RFC 8693 4.1) once this actor acts, too: before is that of the token that was
 * shown (NULL: nobody acted).  ERR_DENIED, invalid_request: more than OIDC_ACTORS_MAX.
 */
MUST_USE bool oidc_exchange_act(struct arena *a, const char *actor, const char *before,
				const char **out, struct err *err);

#endif
