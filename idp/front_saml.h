/* SAML as a front: AuthnRequest to ask, outcome to Response. */
#ifndef KONTOR_IDP_FRONT_SAML_H
#define KONTOR_IDP_FRONT_SAML_H

#include "idp/front.h"
#include "saml/authn_request.h"

extern const struct front front_saml;

/*
 * What a checked request asks.  ERR_DENIED with a status to answer with
 * (err.proto): an unknown level, a NameID we cannot give, a required attribute that nobody can be
 * told of.  *about is what that is about, NULL: nothing more can be said.
 */
MUST_USE bool front_saml_ask(struct request *rq, const struct party *p,
			     const struct saml_authn_request *r, const struct saml_endpoint *acs,
			     const char *relay_state, struct ask *out, const char **about,
			     struct err *err);

/* Answer a request that cannot be granted with the status of `why`, without any page. */
MUST_USE bool front_saml_refuse(struct request *rq, const struct party *p,
				const struct saml_authn_request *r, const struct saml_endpoint *acs,
				const char *relay_state, const struct err *why, const char *about,
				struct response *rs, struct err *err);

/*
 * Answer a request that failed its check (saml_authn_request_check): the same, where there is an
 * acs to answer at; else err becomes `why`, which is for a page or a SOAP fault.
 */
MUST_USE bool front_saml_turn_away(struct request *rq, const struct party *p,
				   const struct saml_authn_request *r,
				   const struct saml_endpoint *acs, const char *relay_state,
				   const struct err *why, struct response *rs, struct err *err);

#endif
