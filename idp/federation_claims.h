/*
 * Who of a federation says that it speaks for which scopes (shibmd:Scope; SAML V2.0 Subject
 * Identifier Attributes 3.3): two that name the same one could speak for each other's people.
 * Scopes are compared without regard to case.
 */
#ifndef KONTOR_IDP_FEDERATION_CLAIMS_H
#define KONTOR_IDP_FEDERATION_CLAIMS_H

#include "base/arena.h"

struct federation_claim {
	const char *scope; /* in lower case */
	const char *entity_id;
	bool named; /* by the operator's rules; else its metadata say so */
};

struct federation_claims {
	const struct federation_claim *p; /* by scope, then entityID */
	size_t n;
};

/* As claims have it; a copy. */
const char *federation_scope_key(struct arena *a, const char *scope);

void federation_claims_sort(struct federation_claim *p, size_t n);

/* Somebody else than this one who claims it, or (named) whom an operator named; NULL: nobody. */
const struct federation_claim *federation_claims_other(const struct federation_claims *claims,
						       const char *key, const char *entity_id,
						       bool named);

/* It claims this scope itself. */
bool federation_claims_has(const struct federation_claims *claims, const char *key,
			   const char *entity_id);

#endif
