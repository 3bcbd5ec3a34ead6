/*
 * Authentication context class references: the words by which a portal asks for
 * a level and by which we name what was achieved (SAML2Core 3.3.2.2.1, OpenID
 * Connect Core 2 acr).  Opaque, compared octet for octet; they mean what the
 * party's record says, else what our tables say.
 */
#ifndef KONTOR_IDP_ACR_H
#define KONTOR_IDP_ACR_H

#include "idp/policy.h"

/* Words of a request, most wanted first.  n 0: nothing asked. */
struct acr_words {
	const char *const *p;
	size_t n;
};

/* The levels of those we know; 0: we know none. */
level_set acr_levels(const struct policy *policy, struct acr_words asked);

/*
 * The word that names what was achieved: the one asked for, else one of the
 * vocabulary asked in, else the party's own.  Never SAML's "unspecified".  NULL:
 * the party has no word for this level.
 */
const char *acr_told(const struct policy *policy, struct acr_words asked, enum level told);

#endif
