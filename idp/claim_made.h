/*
 * Claims made of what an account holds (OpenID Connect Core 5.1): the whole name, the address as
 * it stands on a letter, whether mail and telephone were verified.  They tell nothing beside the
 * attributes that they are made of, and only when all of those are released.
 */
#ifndef KONTOR_IDP_CLAIM_MADE_H
#define KONTOR_IDP_CLAIM_MADE_H

#include "idp/policy.h"
#include "oidc/claims.h"

/*
 * Rows "scope asks for claim": the attribute table in its order, then the claims made.
 * *held: how many of the *n are attributes.
 */
const struct oidc_scope_claim *claim_rows(struct arena *a, size_t *held, size_t *n);

/* Does a claim that is asked for stand for this attribute, or is it made of it? */
bool claim_wants(const struct oidc_claims *claims, const struct attribute *at);

/* The claims that a party may not have: one of their attributes is not registered for it. */
struct oidc_strs claim_unregistered(struct arena *a, struct wanted_list registered);

/* Append what is made of what is released; out has room for CLAIM_MADE_MAX more. */
#define CLAIM_MADE_MAX 4
void claim_make(struct arena *a, const struct release *released, const struct policy *policy,
		struct oidc_claim_value *out, size_t *n);

#endif
