/*
 * The authorization request (RFC 6749 4.1.1, OpenID Connect Core 3.1.2.1), in
 * two phases.  oidc_authorize_start says who claims to ask and where the answer
 * is wanted; until oidc_return_prove (answer.h) has found that place registered,
 * errors are for a page.  oidc_authorize_parse reads the rest; its errors go
 * back by redirect.  Both structs point into the parameters and the client.
 */
#ifndef KONTOR_OIDC_AUTHORIZE_H
#define KONTOR_OIDC_AUTHORIZE_H

#include "oidc/claims.h"
#include "oidc/client.h"
#include "oidc/way.h"

struct oidc_start {
	const char *client_id, *redirect_uri; /* never NULL; not yet compared with anything */
	const char *state;                    /* NULL if absent */
	const char *type, *mode;              /* as they are; NULL if absent */
	struct oidc_way way;                  /* by which answers travel, errors of the rest, too */
};

/* ERR_INPUT, invalid_request: client_id or redirect_uri missing, one of the five malformed. */
MUST_USE bool oidc_authorize_start(const struct params *ps, struct oidc_start *out,
				   struct err *err);

#define OIDC_OFFLINE_ACCESS "offline_access" /* Core 11 */

#define OIDC_ACR_MAX        32 /* acr values of one request */

enum oidc_prompt {
	OIDC_PROMPT_NONE = 1, /* never with another */
	OIDC_PROMPT_LOGIN = 2,
	OIDC_PROMPT_CONSENT = 4,
	OIDC_PROMPT_SELECT_ACCOUNT = 8,
	OIDC_PROMPT_CREATE = 16, /* likewise alone */
};

struct oidc_authorize {
	struct oidc_strs scopes; /* asked for and registered; openid among them */
	const char *challenge;   /* PKCE S256; NULL: left out by a client that may */
	const char *nonce;       /* NULL if absent */
	unsigned prompt;         /* of enum oidc_prompt; 0: none given */
	int64_t max_age_s;       /* the request's, else the client's default; -1: none */
	/* Wanted, best first: claims, else acr_values, else the client's default. */
	struct oidc_strs acr;
	bool acr_essential;        /* without one of them the answer is an error */
	struct oidc_claims claims; /* of the claims parameter alone; see oidc_claims_add_scopes */
	const char *login_hint;    /* UTF-8; NULL if absent */
	const char *id_token_hint; /* unverified; NULL if absent */
	const char *idp_hint;      /* where the person has an account (AARC-G061); NULL if absent */
	struct oidc_strs ui_locales;
	struct oidc_strs resources; /* RFC 8707 2.1; each once, of the client's */
	json_t *details;            /* RFC 9396; read by oidc_details_parse; NULL: none */
	const char *dpop_jkt;       /* RFC 9449 10: of the key to redeem with; NULL if absent */
};

/*
 * Read what is asked, for this client; a request object has been taken out before.  Errors by their
 * own names: those of oidc_way_check, a scope without openid, request_uri, registration, a resource
 * that is not the client's; all else invalid_request.  Scopes that are unknown or not the client's
 * are left out; display, claims_locales and unknown parameters are ignored.
 */
MUST_USE bool oidc_authorize_parse(struct arena *a, const struct params *ps,
				   const struct oidc_client *client, struct oidc_authorize *out,
				   struct err *err);

/*
 * The scopes that it asks for and that the client may have, openid among them; others are left out.
 * ERR_INPUT, invalid_scope: without openid.
 */
MUST_USE bool oidc_authorize_scopes(struct arena *a, const struct params *ps,
				    const struct oidc_client *client, struct oidc_strs *out,
				    struct err *err);

/*
 * The resources that it names (RFC 8707 2.1), each once.  ERR_INPUT, invalid_target: one that is
 * not the client's.
 */
MUST_USE bool oidc_authorize_resources(struct arena *a, const struct params *ps,
				       const struct oidc_client *client, struct oidc_strs *out,
				       struct err *err);

#endif
