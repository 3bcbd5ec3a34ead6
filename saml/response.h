/*
 * <samlp:Response> (SAML2Core 3.3.3): the answer to an AuthnRequest, with one
 * assertion or with the reason why there is none.  Assertion and Response are
 * signed, the assertion encrypted, as our record of the party says.
 */
#ifndef KONTOR_SAML_RESPONSE_H
#define KONTOR_SAML_RESPONSE_H

#include "saml/assertion.h"
#include "saml/metadata.h"
#include "saml/status.h"

struct saml_response {
	const char *id;             /* fresh, never used before */
	const char *issuer;         /* our entityID */
	enum saml_binding binding;  /* of the ACS */
	const char *destination;    /* the registered ACS URL; NULL: it answers a query by SOAP */
	const char *in_response_to; /* ID of the request; NULL: there was none */
	const char *relay_state;    /* as it came with the AuthnRequest; NULL: none */
	bool request_signed;        /* the AuthnRequest was */
	const char *artifact;       /* with HTTP-Artifact, a new one; else NULL */
	time_t issued_at;
	struct saml_status status;
	const struct saml_assertion *assertion; /* with SAML_SUCCESS, and only then; else NULL */
};

/* Whom we write to: what it says of itself, what our record says of it, our key for it. */
struct saml_peer {
	const struct saml_party *party;
	const struct saml_policy *policy;
	const struct saml_signer *signer;
};

/*
 * Build, sign, encrypt and wrap; what an artifact stands for is left in out->kept.
 * Without an assertion the Response is signed whatever the policy.  ERR_DENIED: the policy asks for
 * encryption and the party has no key for it; ERR_INTERNAL: a value that XML
 * cannot hold, a status that does not fit; the signer's own errors.
 */
MUST_USE bool saml_response_build(struct arena *a, const struct saml_response *r,
				  const struct saml_peer *to, struct saml_carrier *out,
				  struct err *err);

#endif
