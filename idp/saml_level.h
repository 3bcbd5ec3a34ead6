/* RequestedAuthnContext against our levels (SAML2Core 3.3.2.2.1). */
#ifndef KONTOR_IDP_SAML_LEVEL_H
#define KONTOR_IDP_SAML_LEVEL_H

#include "base/err.h"
#include "idp/level.h"
#include "saml/authn_request.h"

/* The level an AuthnContextClassRef stands for; LEVEL_NONE: unknown to us. */
enum level saml_level_of_class(const char *class_ref);

/*
 * *least is what the login must reach, *most what may be told of it (exact and
 * maximum).  Nothing asked: LEVEL_NONE and LEVEL_HIGH.  ERR_DENIED, proto
 * NoAuthnContext: no class we know, or none that any login can be better than.
 */
MUST_USE bool saml_level_wanted(enum saml_comparison comparison, const char *const *class_refs,
				size_t n, enum level *least, enum level *most, struct err *err);

#endif
