/*
 * <saml:Assertion>: what we state about a person to one party (SAML2Core 2.3.3,
 * SAML2Profiles 4.1.4.2), as canonical text.  Signing and encrypting it is
 * saml/response.h's business.
 */
#ifndef KONTOR_SAML_ASSERTION_H
#define KONTOR_SAML_ASSERTION_H

#include "saml/attribute.h"
#include "saml/nameid.h"
#include "saml/sign.h"

/* The facts; every text is UTF-8 and outlives the call.  Units: seconds since the epoch. */
struct saml_assertion {
	const char *id;             /* fresh, never used before */
	const char *issuer;         /* our entityID */
	const char *audience;       /* the party's entityID */
	const char *recipient;      /* the registered ACS URL; NULL: the subject is not confirmed */
	const char *in_response_to; /* ID of the AuthnRequest; NULL: there was none */
	const char *address; /* of the browser, for confirmation and locality; NULL: left out */
	struct saml_nameid nameid;
	time_t issued_at;
	time_t not_before, not_on_or_after; /* of Conditions; the latter of the confirmation too */
	bool one_time_use;
	time_t authn_at; /* when the person proved who they are; 0: nothing is said of a login */
	const char *session_index;
	time_t session_not_on_or_after; /* 0: left out */
	const char *class_ref;          /* AuthnContextClassRef, any word */
	const char *const *authorities; /* who asserted it to us, and to them */
	size_t n_authorities;
	const struct saml_attribute *attributes; /* of one type_ns at most */
	size_t n_attributes;
};

/* The element as text, with all that signing it takes.  ERR_INTERNAL: a value that XML cannot hold.
 */
MUST_USE bool saml_assertion_build(struct arena *a, const struct saml_assertion *facts,
				   struct saml_to_sign *out, struct err *err);

#endif
