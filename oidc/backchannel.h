/*
 * The authentication request of a client that has no browser of the person's at hand (OpenID
 * Connect CIBA Core 1.0, 7.1): what is asked, of whom, and what the person is to read.
 */
#ifndef KONTOR_OIDC_BACKCHANNEL_H
#define KONTOR_OIDC_BACKCHANNEL_H

#include "oidc/client.h"

/* Of a binding_message, in characters; FAPI-CIBA and reason: it is read on a small screen. */
#define OIDC_BINDING_MESSAGE_MAX 64

struct oidc_backchannel {
	struct oidc_strs scopes;    /* asked for and registered; openid among them */
	struct oidc_strs acr;       /* wished for; n 0: unsaid */
	struct oidc_strs resources; /* RFC 8707; each once, of the client's */
	json_t *details;            /* RFC 9396; read by oidc_details_parse; NULL: none */
	/* Exactly one of them; the tokens are unverified. */
	const char *login_hint, *id_token_hint, *login_hint_token;
	const char *message;            /* binding_message; NULL: none */
	const char *notification_token; /* of ping; NULL: the client is not told */
	int64_t expiry_s;               /* requested; 0: unsaid */
};

/*
 * Read what `client` asks.  ERR_INPUT: invalid_scope without openid; invalid_binding_message for
 * one that is too long, has characters that could mislead or would not be shown as they are, or
 * is missing where its profile demands it; invalid_request: no hint or several, a user_code (no
 * record here has one), a notification token that is missing for ping or none by RFC 6750 2.1,
 * fewer than 16 characters or more than 1024, a requested_expiry that is no number of seconds;
 * invalid_target for a resource that is not the client's.
 */
MUST_USE bool oidc_backchannel_parse(struct arena *a, const struct params *ps,
				     const struct oidc_client *client, struct oidc_backchannel *out,
				     struct err *err);

/*
 * CIBA Core 1.0, 7.1.1: beside a signed request stands nothing of it.  ERR_INPUT, invalid_request:
 * something does.
 */
MUST_USE bool oidc_backchannel_check_beside(const struct params *ps, struct err *err);

/*
 * Whom a login_hint_token means: the client's own signed word, {"iss": the client, "aud": `issuer`,
 * "exp", "sub_id": {"format": "iss_sub", "iss": `issuer`, "sub"}} (RFC 9493 3.2.4), good for at
 * most an hour.  *sub is what the client knows the person by.  ERR_DENIED:
 * expired_login_hint_token; ERR_INPUT or ERR_DENIED, invalid_request: none of these.  *unfit: it
 * is by none of the client's keys.
 */
MUST_USE bool oidc_login_hint_token_read(struct arena *a, const char *text,
					 const struct oidc_client *client, const char *issuer,
					 time_t now, bool *unfit, const char **sub,
					 struct err *err);

#endif
