/*
 * Software statements (RFC 7591 2.3): metadata of a client under the signature of somebody whom
 * the operator trusts with that.
 */
#ifndef KONTOR_OIDC_STATEMENT_H
#define KONTOR_OIDC_STATEMENT_H

#include "oidc/jws.h"

/*
 * If `metadata` has a software_statement, verify it and put its claims over the members of the
 * same name; what makes it a token (iss, iat, exp …) stays out, and the member goes.  ERR_INPUT,
 * invalid_software_statement: it does not read, is not signed by one of signers, names no
 * issuer, or its time is not now; unapproved_software_statement: no signers are known.
 */
MUST_USE bool oidc_statement_apply(struct arena *a, json_t *metadata,
				   const struct oidc_jwks *signers, time_t now, struct err *err);

#endif
