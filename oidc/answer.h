/*
 * Where the answer to an authorization request may go.  A struct oidc_return is
 * made by oidc_return_prove alone, from a URI that the client has registered;
 * who has none cannot redirect, and shows a page (RFC 6749 4.1.2.1, RFC 9700 4.11).
 */
#ifndef KONTOR_OIDC_ANSWER_H
#define KONTOR_OIDC_ANSWER_H

#include "oidc/client.h"
#include "oidc/error.h"
#include "oidc/way.h"

struct oidc_return;

/*
 * client NULL: unknown.  state NULL: the request had none.  ERR_INPUT,
 * invalid_request: no such client, or the URI is not one of its own, octet by
 * octet.  *out points to redirect_uri and state.
 */
MUST_USE bool oidc_return_prove(struct arena *a, const struct oidc_client *client,
				const char *redirect_uri, const char *state, struct oidc_way way,
				const struct oidc_return **out, struct err *err);

/* What is told; NULL: not that. */
struct oidc_answer {
	const char *code, *id_token;
	const struct oidc_error *error;
	const char *response; /* all of it as one token, where oidc_return_wants_jwt */
};

/* Is the answer to be one signed token?  Then these are its claims, good for ten minutes
 * (JARM 2.1). */
bool oidc_return_wants_jwt(const struct oidc_return *r);
json_t *oidc_return_claims(struct arena *a, const struct oidc_return *r, const char *issuer,
			   const struct oidc_answer *answer, time_t now);

/* How the browser is to take it there. */
struct oidc_carrier {
	const char *location; /* a redirect; NULL: a form */
	const char *action;   /* that is posted there, */
	const struct param *fields;
	size_t n_fields; /* none of them NULL */
};

/* The answer with state and iss (RFC 6749 4.1.2, RFC 9207).  ERR_INTERNAL: too long
 * to send, or not the token that is wanted. */
MUST_USE bool oidc_return_send(struct arena *a, const struct oidc_return *r, const char *issuer,
			       const struct oidc_answer *answer, struct oidc_carrier *out,
			       struct err *err);

#endif
