/*
 * verified_claims (OpenID Connect for Identity Assurance 1.0): claims told together with by
 * what rules, how surely and when they were verified.  Only what a request asks for is told,
 * and nothing that does not meet its constraints.
 */
#ifndef KONTOR_OIDC_VERIFIED_H
#define KONTOR_OIDC_VERIFIED_H

#include <time.h>

#include "oidc/claims.h"

#define OIDC_VERIFIED_CLAIMS "verified_claims"
#define OIDC_TRUST_FRAMEWORK "eidas" /* Regulation (EU) 910/2014: low, substantial, high */
#define OIDC_VERIFIED_SETS   8

/*
 * Is this a request (an object, or an array of up to OIDC_VERIFIED_SETS of them)?  Each has
 * `verification` with trust_framework, and `claims` that name one at least.  ERR_INPUT,
 * invalid_request.
 */
MUST_USE bool oidc_verified_check(const json_t *request, struct err *err);

/* The names of the claims that a checked request asks for, each once or more often. */
struct oidc_strs oidc_verified_claims(struct arena *a, const json_t *request);

/* Does it ask for evidence?  NULL: no request. */
bool oidc_verified_wants_evidence(const json_t *request);

/*
 * Put what answers a checked request into a set of claims: one object, an array where what
 * was verified in different ways needs several, or nothing.  A value counts whose
 * `assurance` is set.
 */
void oidc_verified_put(struct arena *a, const json_t *request,
		       const struct oidc_claim_value *values, size_t n, time_t now, json_t *into);

#endif
