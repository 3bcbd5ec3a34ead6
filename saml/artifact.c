/* Artifacts, ArtifactResolve and ArtifactResponse; see artifact.h. */
#include "saml/artifact.h"

#include <string.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "saml/names.h"
#include "saml/status.h"

#define ANSWER_MAX ((size_t)512 * 1024)

/* ---- the artifact ---- */

/* SAML2Bindings 3.6.4.2: TypeCode, EndpointIndex, SourceID, MessageHandle. */
#define SOURCE_AT      4
#define HANDLE_AT      (SOURCE_AT + SHA1_BYTES)
#define ARTIFACT_BYTES (HANDLE_AT + SAML_ARTIFACT_HANDLE_BYTES)

/* All that does not differ between artifacts of one entity. */
static void
write_head(const char *entity_id, unsigned char out[HANDLE_AT])
{
	static const unsigned char type_and_index[SOURCE_AT] = {0, 4, 0, SAML_ARTIFACT_INDEX};

	memcpy(out, type_and_index, SOURCE_AT);
	hash_sha1(bytes_of(entity_id), out + SOURCE_AT);
}

const char *
saml_artifact_write(struct arena *a, const char *entity_id,
		    const unsigned char handle[SAML_ARTIFACT_HANDLE_BYTES])
{
	unsigned char all[ARTIFACT_BYTES];

	write_head(entity_id, all);
	memcpy(all + HANDLE_AT, handle, SAML_ARTIFACT_HANDLE_BYTES);
	return enc_base64(a, (struct bytes){all, sizeof(all)});
}

bool
saml_artifact_read(struct arena *a, const char *entity_id, const char *artifact,
		   unsigned char handle[SAML_ARTIFACT_HANDLE_BYTES], struct err *err)
{
	unsigned char head[HANDLE_AT];
	struct bytes all;

	if (!dec_base64(a, bytes_of(artifact), true, &all, err))
		return false;
	if (all.n != ARTIFACT_BYTES)
		return FAIL(err, ERR_INPUT, NULL, "artifact of %zu octets", all.n);
	write_head(entity_id, head);
	if (!bytes_eq((struct bytes){all.p, SOURCE_AT}, (struct bytes){head, SOURCE_AT}))
		return FAIL(err, ERR_INPUT, NULL, "artifact of another type or endpoint");
	if (!bytes_eq((struct bytes){all.p, HANDLE_AT}, (struct bytes){head, HANDLE_AT}))
		return FAIL(err, ERR_INPUT, NULL, "artifact of another entity");
	memcpy(handle, all.p + HANDLE_AT, SAML_ARTIFACT_HANDLE_BYTES);
	return true;
}

/* ---- ArtifactResolve ---- */

bool
saml_artifact_resolve_parse(struct arena *a, const struct saml_verified *v,
			    const struct saml_artifact_resolve **out, struct err *err)
{
	struct saml_artifact_resolve *r = ARENA_NEW(a, struct saml_artifact_resolve);
	const struct xml_node *root, *artifact;

	if (saml_verified_proof(v) != SAML_PROOF_SIGNED)
		return FAIL(err, ERR_DENIED, NULL, "ArtifactResolve is not signed");
	if (!saml_header_read(a, v, SAML_ARTIFACT_RESOLVE, &r->header, &root, err) ||
	    !xml_child(root, SAML_NS_PROTOCOL, "Artifact", &artifact, err) ||
	    !xml_text(a, artifact, &r->artifact, err))
		return false;
	r->party = saml_verified_party(v);
	*out = r;
	return true;
}

bool
saml_artifact_resolve_check(const struct saml_artifact_resolve *r, const char *our_url,
			    const struct saml_window *window, time_t now, struct err *err)
{
	struct saml_header h = r->header;

	/* SAML2Bindings 3.2 asks for none; 3.4.5.2 and 3.5.5.2 do, of what a browser brings. */
	if (h.destination == NULL)
		h.destination = our_url;
	return saml_header_check(&h, our_url, window, now, err);
}

/* ---- ArtifactResponse ---- */

bool
saml_artifact_answer_build(struct arena *a, const struct saml_artifact_answer *what,
			   struct bytes *envelope, struct err *err)
{
	const struct saml_status status = saml_status_of(SAML_SUCCESS);
	struct saml_to_sign message = {.id = what->id, .prefix_list = what->prefixes};
	const struct saml_outgoing outgoing = {
		.is_response = true, .message = &message, .signer = what->signer};
	struct saml_carrier carrier;
	struct xmlw w;

	xmlw_init(&w, a, ANSWER_MAX);
	xmlw_open(&w, &xmlns_samlp, "ArtifactResponse");
	xmlw_attr(&w, NULL, "ID", what->id);
	xmlw_attr(&w, NULL, "InResponseTo", what->in_response_to);
	xmlw_attr(&w, NULL, "IssueInstant", clock_text(a, what->issued_at));
	xmlw_attr(&w, NULL, "Version", "2.0");
	xmlw_element(&w, &xmlns_saml, "Issuer", what->issuer);
	message.place = xmlw_place(&w);
	saml_status_write(&w, &status);
	if (what->message.n > 0)
		xmlw_canonical(&w, &xmlns_samlp, what->message);
	xmlw_close(&w);
	if (!xmlw_finish(&w, &message.element, err) ||
	    !saml_binding_encode(a, SAML_BINDING_SOAP, &outgoing, &carrier, err))
		return false;
	*envelope = carrier.envelope;
	return true;
}
