/*
 * <samlp:AuthnRequest> of ours to another identity provider (SAML2Core 3.4.1): always a login of
 * its own (ForceAuthn), never silent, signed, and answered by HTTP-POST.
 */
#ifndef KONTOR_SAML_AUTHN_REQUEST_WRITE_H
#define KONTOR_SAML_AUTHN_REQUEST_WRITE_H

#include "saml/binding.h"
#include "saml/extensions.h"

/* BundID's extension in version 2 (its interface 9); see struct saml_akdb_request. */
struct saml_akdb_ask {
	struct saml_named_list attributes;
	unsigned methods; /* enum saml_akdb_method: those that may be offered; 0: any */
	const char *organization_display_name; /* who asks at last, for people */
	const char *online_service_id;         /* NULL: none */
	const char *lang;                      /* NULL: unsaid */
};

/* eIDAS's (eIDAS SAML Message Format 2.3.2). */
struct saml_eidas_ask {
	const char *sp_type; /* "public" or "private" */
	struct saml_named_list attributes;
};

struct saml_authn_ask {
	enum saml_binding binding; /* of `url`: Redirect or POST */
	const char *url;           /* the provider's SingleSignOnService */
	const char *relay_state;   /* at most 80 octets (SAML2Bindings 3.4.3) */
	const char *id;            /* fresh */
	const char *issuer;        /* our entityID */
	const char *acs_url;       /* ours, by HTTP-POST */
	time_t issued_at;
	const char *provider_name;     /* for people; NULL: none */
	const char *nameid_format;     /* NULL: no NameIDPolicy */
	const char *class_ref;         /* the least; NULL: any */
	bool scoping;                  /* say who asks, and that it is passed on no further */
	const char *const *requesters; /* entityIDs of who asked us, last one first */
	size_t n_requesters;
	const struct saml_akdb_ask *akdb;   /* NULL: none */
	const struct saml_eidas_ask *eidas; /* NULL: none */
	const struct saml_signer *signer;
};

/* ERR_INTERNAL: a value XML cannot hold; the signer's own errors. */
MUST_USE bool saml_authn_ask_build(struct arena *a, const struct saml_authn_ask *ask,
				   struct saml_carrier *out, struct err *err);

#endif
