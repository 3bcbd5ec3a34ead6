/*
 * Where the answer to an authorization request may go.  A struct oidc_return is
 * made by oidc_return_prove alone, from a URI that the client has registered;
 * who has none cannot redirect, and shows a page (RFC 6749 4.1.2.1, RFC 9700 4.11).
 */
#ifndef KONTOR_OIDC_ANSWER_H
#define KONTOR_OIDC_ANSWER_H

#include "oidc/client.h"
#include "oidc/error.h"

struct oidc_return;

/*
 * client NULL: unknown.  state NULL: the request had none.  ERR_INPUT,
 * invalid_request: no such client, or the URI is not one of its own, octet by
 * octet.  *out points to redirect_uri and state.
 */
MUST_USE bool oidc_return_prove(struct arena *a, const struct oidc_client *client,
				const char *redirect_uri, const char *state,
				const struct oidc_return **out, struct err *err);

/* The URL that carries a code, state and iss (RFC 6749 4.1.2, RFC 9207). */
MUST_USE bool oidc_return_code(struct arena *a, const struct oidc_return *r, const char *issuer,
			       const char *code, const char **url, struct err *err);

/* The URL that carries an error, state and iss. */
MUST_USE bool oidc_return_error(struct arena *a, const struct oidc_return *r, const char *issuer,
				const struct oidc_error *e, const char **url, struct err *err);

#endif
