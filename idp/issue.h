/*
 * What the grants of the token endpoint have in common: the keys that sign, the token that is
 * stored, and the ID token that goes with it.
 */
#ifndef KONTOR_IDP_ISSUE_H
#define KONTOR_IDP_ISSUE_H

#include "db/refresh.h"
#include "idp/front_oidc.h"
#include "idp/jose.h"
#include "oidc/client_auth.h"
#include "oidc/token.h"

#define REFRESH_IDLE_S (30 * 86400) /* a refresh token that is not used ends */
#define REFRESH_ENDS_S (90 * 86400) /* and every one does (RFC 9700 4.14.2) */

/* One issuance, from before anything is used up for it. */
struct issue {
	const struct party *p;
	const struct oidc_client_proof *proof;
	struct jose_maker maker; /* of the ID token */
	struct db_token_new token;
};

/*
 * What is to be known before a code or token is used up: with a key that is known to be out of
 * reach, it stays for another attempt.  ERR_UNAVAILABLE: there is no such key, or it is away.
 */
MUST_USE bool issue_begin(struct request *rq, const struct party *p,
			  const struct oidc_client_proof *proof, struct issue *out,
			  struct err *err);

/* The key that proves who may use a refresh token of this client; NULL: the client proves itself.
 */
const char *issue_refresh_cnf(const struct issue *i);

/* What a grant stands for, whichever token it was found by. */
struct issue_grant {
	const unsigned char *id; /* 16 octets */
	struct bytes extra;
	const struct oidc_released *released;
	const char *nonce; /* NULL: none is told */
};

/* The ID token that goes with the access token. */
MUST_USE bool issue_id_token(struct request *rq, const struct issue *i, const struct issue_grant *g,
			     const char **out, struct err *err);

#endif
