/* OpenID Connect as a front: authorization request to ask, outcome to code. */
#ifndef KONTOR_IDP_FRONT_OIDC_H
#define KONTOR_IDP_FRONT_OIDC_H

#include "db/grant.h"
#include "idp/account.h"
#include "idp/front.h"
#include "oidc/answer.h"
#include "oidc/authorize.h"

#define CODE_LIVES_S  60  /* OWASP ASVS 10.4.3 */
#define TOKEN_LIVES_S 600 /* access token and ID token */

extern const struct front front_oidc;

/* The code of the first language of a ui_locales list that is ours; NULL: none. */
const char *front_oidc_lang(struct oidc_strs locales);

/* What a checked request asks.  ERR_DENIED with the error to redirect with (err.proto). */
MUST_USE bool front_oidc_ask(struct request *rq, const struct party *p,
			     const struct oidc_start *start, const struct oidc_authorize *authorize,
			     struct ask *out, struct err *err);

/* What an outcome is kept as: what was agreed to, and that the party was told of the session. */
struct front_oidc_made {
	struct db_grant grant;
	struct db_participant participant;
};
MUST_USE bool front_oidc_make(struct flow *f, time_t expires, struct front_oidc_made *out,
			      struct err *err);
struct db_audit front_oidc_audit(const struct flow *f);

/* Tell the client an error of the request itself, without any login. */
MUST_USE bool front_oidc_refuse(struct request *rq, const struct party *p,
				const struct oidc_return *to, const struct err *why,
				struct response *rs, struct err *err);

/* What a code or token stands for, opened: sub, and claims for either place. */
struct oidc_released {
	const char *sub;
	const json_t *id_token, *userinfo; /* objects */
	json_t *details;                   /* authorization_details; NULL: none */
};
MUST_USE bool front_oidc_open(struct request *rq, const struct account_lock *of,
			      const unsigned char grant[16], struct bytes sealed,
			      struct oidc_released *out, struct err *err);

/* Seal it for the grant, of this account. */
MUST_USE bool front_oidc_seal(struct request *rq, const struct account_lock *of,
			      const unsigned char grant[16], const struct oidc_released *released,
			      struct bytes *sealed, struct err *err);

/*
 * Leave out what these scopes stand for, and what is not in the party's record today, in *released
 * and in what is sealed of it (n 0: it was all there).
 */
MUST_USE bool front_oidc_narrow(struct request *rq, const struct party *p,
				const struct account_lock *of, const unsigned char grant[16],
				struct oidc_strs scopes, struct oidc_released *released,
				struct bytes *sealed, struct err *err);

#endif
