/*
 * Our own <md:EntityDescriptor> as identity provider (SAML2Metadata 2.4.3),
 * written as canonical text and signed.  Endpoints follow the table of bindings,
 * algorithms the tables of saml/suite.h and saml/xmlenc.h; all else is told.
 */
#ifndef KONTOR_SAML_METADATA_WRITE_H
#define KONTOR_SAML_METADATA_WRITE_H

#include "saml/attribute.h"
#include "saml/metadata.h"

/* A certificate to publish, with the type of its key. */
struct saml_published_key {
	struct bytes cert_der;
	enum key_type type;
};

/* A function with a shared mailbox, never a person (TR-03160-2 4.3.2.1). */
struct saml_published_contact {
	const char *type; /* technical, support, administrative, other */
	const char *company;
	const char *email; /* without mailto: */
	const char *
		security; /* "other" as REFEDS' security contact, whom one asks for by this; NULL */
};

/* What is said of us as a whole (SAML V2.0 Metadata Extension for Entity Attributes 2.3). */
struct saml_entity_attribute {
	const char *name;
	const char *const *values;
	size_t n_values;
};

/* Identity Assurance Profiles 3.1; the entity categories of RFC 8409. */
#define SAML_ENTITY_ASSURANCE "urn:oasis:names:tc:SAML:attribute:assurance-certification"
#define SAML_ENTITY_CATEGORY  "http://macedir.org/entity-category"
#define SAML_ENTITY_SUPPORTED "http://macedir.org/entity-category-support"

/* mdui:UIInfo (SAML2MDUI 2.1); texts of n 0 are left out. */
struct saml_ui_info {
	struct saml_texts display_name, description, information_url, privacy_url;
	const char *logo_url; /* NULL: none */
	uint64_t logo_width, logo_height;
};

struct saml_description {
	const char *entity_id;
	const char *id; /* of the element, for its signature: fresh */
	time_t valid_until;
	int64_t cache_s; /* cacheDuration */
	const struct saml_entity_attribute
		*entity_attributes; /* those without a value are left out */
	size_t n_entity_attributes;
	const char *sso_url, *slo_url; /* one path each, whatever the browser's binding */
	const char *sso_post_url;      /* NULL: sso_url is for HTTP-POST, too */
	const char *slo_soap_url;      /* NULL: none */
	const char *sso_soap_url, *attribute_url; /* NULL: not for the reader */
	const char *acs_url;                      /* where other providers answer, by HTTP-POST;
						   * NULL: none is asked */
	const char *artifact_url;                 /* resolves SAML_ARTIFACT_INDEX, by SOAP; NULL:
						   * there are no artifacts */
	bool want_authn_requests_signed;
	bool old; /* the reader may sign with RSA PKCS#1 v1.5 */
	struct saml_ui_info ui;
	const struct saml_published_key *signing, *encryption; /* active first */
	size_t n_signing, n_encryption;
	unsigned nameid_formats; /* enum saml_nameid_format: what the reader may be given */
	struct saml_texts organization_name, organization_display_name, organization_url;
	const struct saml_published_contact *contacts;
	size_t n_contacts;
	const struct saml_attribute *attributes; /* supported ones; values are not written */
	size_t n_attributes;
};

/* ERR_INTERNAL: a value XML cannot hold, no signing key; the signer's own errors. */
MUST_USE bool saml_metadata_build(struct arena *a, const struct saml_description *d,
				  const struct saml_signer *signer, struct bytes *out,
				  struct err *err);

#endif
