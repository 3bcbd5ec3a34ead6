/*
 * What clients may register for themselves (RFC 7591, RFC 7592): the rules that an operator laid
 * down with an invitation, and the judgement of what is asked for by them.
 */
#ifndef KONTOR_IDP_REGISTRATION_H
#define KONTOR_IDP_REGISTRATION_H

#include "idp/level.h"
#include "idp/party.h"

#define REGISTRATION_PATH "/oidc/register"

struct registration_rules {
	struct oidc_strs profiles, scopes, grant_types;
	/* Hosts that its URIs may be at, or below; "*": any; "native": applications' own schemes.
	 */
	struct oidc_strs hosts;
	enum level level_cap;
	struct oidc_strs resources;     /* that tokens may be asked for; n 0: none */
	struct oidc_strs details_types; /* of authorization details; n 0: none */
	struct oidc_strs subject_types;
	struct oidc_jwks signers; /* of software statements; n 0: none are taken */
};

/* Read the stored JSON object; what is missing has the least that makes sense.  ERR_INPUT. */
MUST_USE bool registration_rules_parse(struct arena *a, const char *json,
				       struct registration_rules *out, struct err *err);

/*
 * The client that this request asks for, with the software statement applied.  client_id is the
 * one that it has or gets, whatever the request says; at an update it may say the same.
 * ERR_INPUT with an error of RFC 7591 3.2.2.  *statement: as it was sent, NULL: none.  *secret, at
 * an update: what it says its secret is, NULL: nothing; to be checked by the caller.  `secret` is
 * NULL where it cannot have one yet, and must not say so.
 */
MUST_USE bool registration_read(struct arena *a, const struct registration_rules *rules,
				struct bytes body, const char *client_id, time_t now,
				struct oidc_client **out, const char **statement,
				const char **secret, struct err *err);

/* The policy that such a client begins with, as JSON. */
const char *registration_policy(struct arena *a, const struct registration_rules *rules);

#endif
