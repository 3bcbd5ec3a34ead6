/* RequestedAuthnContext against our levels (SAML2Core 3.3.2.2.1). */
#ifndef KONTOR_IDP_SAML_LEVEL_H
#define KONTOR_IDP_SAML_LEVEL_H

#include "base/err.h"
#include "idp/acr.h"
#include "saml/authn_request.h"

/*
 * The levels that may be told in answer; the least of them is what the login
 * must reach.  ERR_DENIED, proto NoAuthnContext: no class we know, none that any
 * login can be better than, or none that the party has a word for.
 */
MUST_USE bool saml_level_wanted(const struct policy *policy, enum saml_comparison comparison,
				struct acr_words asked, level_set *out, struct err *err);

#endif
