/*
 * What a federation's administration publishes (SAML2Metadata 2.3; SAML2MDRPI): members'
 * descriptors, each as its member brought it but for what is the administration's to say (ID,
 * validUntil, cacheDuration, who registered it and when) and without signatures of theirs; signed
 * one by one for metadata queries, or all together.  What comes out is its own exclusive
 * canonical form, written by the code that verifies aggregates.
 */
#ifndef KONTOR_SAML_PUBLICATION_H
#define KONTOR_SAML_PUBLICATION_H

#include "saml/sign.h"

/* What is said of all of it. */
struct saml_publication {
	const char *name;      /* EntitiesDescriptor/@Name; NULL: none */
	const char *registrar; /* mdrpi:RegistrationInfo/@registrationAuthority */
	time_t valid_until;
	int64_t cache_s;
};

struct saml_member {
	struct bytes document; /* as saml_member_document made it */
	time_t valid_until;    /* its own; 0: it says none */
	time_t registered;     /* mdrpi:RegistrationInfo/@registrationInstant */
};

/*
 * What is kept of what a member brought (an EntityDescriptor that saml_schema_check has passed):
 * its canonical form, so that it can stand within another document.
 */
MUST_USE bool saml_member_document(struct arena *a, struct bytes text, struct bytes *out,
				   struct err *err);

/*
 * The document of one member, signed (draft-young-md-query 3.1); `id` is fresh.  ERR_INPUT: not
 * one EntityDescriptor, or it cannot be written within the limits; the signer's own errors.
 */
MUST_USE bool saml_publish_member(struct arena *a, const struct saml_publication *p,
				  const struct saml_member *m, const char *id,
				  const struct saml_signer *signer, struct bytes *out,
				  struct err *err);

/* All members as one signed EntitiesDescriptor, in this order; `id` is fresh.  ERR_INPUT: there
 * is none, or as above. */
MUST_USE bool saml_publish_all(struct arena *a, const struct saml_publication *p,
			       const struct saml_member *members, size_t n, const char *id,
			       const struct saml_signer *signer, struct bytes *out,
			       struct err *err);

#endif
