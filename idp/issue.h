/*
 * What the grants of the token endpoint have in common: the keys that sign, the token that is
 * stored, and the ID token that goes with it.
 */
#ifndef KONTOR_IDP_ISSUE_H
#define KONTOR_IDP_ISSUE_H

#include "db/refresh.h"
#include "idp/front_oidc.h"
#include "idp/jose.h"
#include "oidc/access_token.h"
#include "oidc/client_auth.h"
#include "oidc/token.h"

#define REFRESH_IDLE_S (30 * 86400) /* a refresh token that is not used ends */
#define REFRESH_ENDS_S (90 * 86400) /* and every one does (RFC 9700 4.14.2) */

/* One issuance, from before anything is used up for it. */
struct issue {
	const struct party *p;
	const struct oidc_client_proof *proof;
	const struct party *resource;  /* whom the access token is for; NULL: ourselves */
	struct jose_maker maker;       /* of the ID token */
	struct jose_maker token_maker; /* of a signed access token */
	struct db_token_new token;
	json_t *asked;            /* authorization_details of the request; NULL: none */
	json_t *details;          /* those of the access token; NULL: none */
	const char *access_token; /* what the client gets; with a signed one once it is made */
};

/*
 * RFC 8707 2: what the request's `resource` names, or `fallback` (NULL: ourselves).  ERR_INPUT,
 * invalid_target: unknown, or not for this client.
 */
MUST_USE bool issue_for_resource(struct request *rq, const char *fallback, struct issue *i,
				 struct err *err);

/* The same of a URI that may be asked for here. */
MUST_USE bool issue_for(struct request *rq, const char *uri, struct issue *i, struct err *err);

/* RFC 8707 2.2: is it among those the grant was given for (separated by spaces; NULL: any)? */
MUST_USE bool issue_check_resource(struct request *rq, const struct issue *i, const char *granted,
				   struct err *err);

/* The name that an access token is stored by; *is_jti: a signed one's.  NULL: no token of ours. */
const char *issue_token_name(struct request *rq, const char *text, bool *is_jti);

/* What a token stands for; *out is NULL: it does not count, or who got it may not have any now. */
MUST_USE bool issue_find_token(struct request *rq, const char *text, const struct db_token **out,
			       struct err *err);

/* An access token for ourselves, bound to what the request proves. */
MUST_USE bool issue_begin(struct request *rq, const struct party *p,
			  const struct oidc_client_proof *proof, struct issue *out,
			  struct err *err);

/*
 * With an ID token.  What is to be known before a code or token is used up: with a key that is
 * known to be out of reach, it stays for another attempt.  ERR_UNAVAILABLE: there is no such key,
 * or it is away.
 */
MUST_USE bool issue_with_id_token(struct request *rq, struct issue *i, struct err *err);

/*
 * RFC 9396 6: of what was granted, what the request asks for (all, if it says nothing) and may
 * still be had is what the token has, as far as it is for its resource.  *kept is the same for all
 * resources.  ERR_INPUT, invalid_authorization_details: more than was granted.
 */
MUST_USE bool issue_details(struct request *rq, struct issue *i, const json_t *granted,
			    json_t **kept, struct err *err);

/* The authorization details of a stored token, for its resource; NULL: none. */
MUST_USE bool issue_details_told(struct request *rq, const struct db_token *t, json_t **out,
				 struct err *err);

/* The key that proves who may use a refresh token of this client; NULL: the client proves itself.
 */
const char *issue_refresh_cnf(const struct issue *i);

/* Is it the key that the grant is for (dpop_jkt, or that of a refresh token; NULL: any)? */
MUST_USE bool issue_check_cnf(const struct issue *i, const char *wanted, struct err *err);

/* Is the level of that login (of the grant's `extra`) one that the party may be told today? */
MUST_USE bool issue_check_level(struct request *rq, const struct issue *i, struct bytes extra,
				struct err *err);

/* What a grant stands for, whichever token it was found by. */
struct issue_grant {
	const struct subject_id *acting;      /* NULL: the client itself */
	const char *scope;                    /* of the access token */
	struct bytes extra;                   /* n 0: nobody logged in */
	const struct oidc_released *released; /* for an ID token */
	const char *nonce;                    /* NULL: none is told */
	const char *origin, *act;             /* of a token that was exchanged; else NULL */
};

/*
 * Make the access token, where it is a signed one, after its name was stored.  Of ours the text is
 * there already.
 */
MUST_USE bool issue_access_token(struct request *rq, struct issue *i, const struct issue_grant *g,
				 struct err *err);

/* What a resource server is told of a token, whose scope it knows by words of its own. */
MUST_USE bool issue_describe(struct request *rq, const struct party *resource,
			     const struct db_token *token, struct oidc_access_token *out,
			     struct err *err);

/* The scopes of an access token, as they are told. */
const char *issue_scope(struct request *rq, const struct issue *i, const char *scope);

/* The ID token that goes with the access token. */
MUST_USE bool issue_id_token(struct request *rq, const struct issue *i, const struct issue_grant *g,
			     const char **out, struct err *err);

#endif
