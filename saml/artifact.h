/*
 * Artifacts: names for messages that the browser carries in their stead (SAML2Bindings
 * 3.6.4), and the request and answer by which a peer exchanges one for the message
 * (SAML2Core 3.5).  Which message is meant, and whether it may be had, is idp/'s business.
 */
#ifndef KONTOR_SAML_ARTIFACT_H
#define KONTOR_SAML_ARTIFACT_H

#include "saml/message.h"

#define SAML_ARTIFACT_HANDLE_BYTES 20
#define SAML_ARTIFACT_INDEX        0 /* of our ArtifactResolutionService in our metadata */

/*
 * The artifact, of type 0x0004, for a message of ours: our entityID's SHA-1 and a handle of
 * random octets, in base64.
 */
const char *saml_artifact_write(struct arena *a, const char *entity_id,
				const unsigned char handle[SAML_ARTIFACT_HANDLE_BYTES]);

/*
 * The handle of an artifact that this entity can have written.  ERR_INPUT: it is none, of
 * another type or another entity, for another endpoint.
 */
MUST_USE bool saml_artifact_read(struct arena *a, const char *entity_id, const char *artifact,
				 unsigned char handle[SAML_ARTIFACT_HANDLE_BYTES], struct err *err);

/* ---- from a party ---- */

struct saml_artifact_resolve {
	struct saml_header header;
	const struct saml_party *party; /* the verified sender */
	const char *artifact;           /* as sent: still to be read */
};

/* ERR_DENIED: not signed; ERR_INPUT: not as the schema has it. */
MUST_USE bool saml_artifact_resolve_parse(struct arena *a, const struct saml_verified *v,
					  const struct saml_artifact_resolve **out,
					  struct err *err);

/*
 * Time of issue, and Destination where there is one: by SOAP it may be left out (mod_shib does),
 * for the artifact names us as well.  ERR_DENIED, proto SAML_REQUEST_DENIED.
 */
MUST_USE bool saml_artifact_resolve_check(const struct saml_artifact_resolve *r,
					  const char *our_url, const struct saml_window *window,
					  time_t now, struct err *err);

/* ---- to a party ---- */

struct saml_artifact_answer {
	const char *id;             /* fresh */
	const char *issuer;         /* our entityID */
	const char *in_response_to; /* ID of the ArtifactResolve */
	time_t issued_at;
	struct bytes message;             /* saml_carrier.kept; n 0: there is none to be had */
	const char *prefixes;             /* saml_carrier.kept_prefixes */
	const struct saml_signer *signer; /* it always goes signed */
};

/*
 * The envelope with the signed ArtifactResponse, of status Success whether there is a message
 * or not (SAML2Core 3.5.3).  ERR_INTERNAL: a value XML cannot hold; the signer's own errors.
 */
MUST_USE bool saml_artifact_answer_build(struct arena *a, const struct saml_artifact_answer *what,
					 struct bytes *envelope, struct err *err);

#endif
