/*
 * HTTP-Artifact: the browser is redirected with a name for the message, which the peer
 * resolves from server to server (SAML2Bindings 3.6).  We send by it and take nothing by it.
 */
#include "saml/binding.h"
#include "saml/names.h"

static bool
encode(struct arena *a, const struct saml_outgoing *what, struct saml_carrier *out, struct err *err)
{
	struct saml_carrier carrier = {
		.kept = what->message->element,
		.kept_prefixes = what->message->prefix_list,
	};
	struct buf query;

	if (what->artifact == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "a message without an artifact");
	if (what->signer != NULL &&
	    !saml_sign_enveloped(a, what->signer, what->message, &carrier.kept, err))
		return false;
	buf_init(&query, a, SAML_URL_MAX);
	saml_query_add(&query, "SAMLart", what->artifact);
	if (what->relay_state != NULL)
		saml_query_add(&query, "RelayState", what->relay_state);
	if (!saml_query_end(a, what->url, &query, &carrier.location, err))
		return false;
	*out = carrier;
	return true;
}

const struct saml_binding_row saml_binding_artifact = {
	.id = SAML_BINDING_ARTIFACT,
	.uri = SAML_BINDING_URI_ARTIFACT,
	.for_response = true,
	.encode = encode,
};
