/* HTTP-POST: base64 in a form field, signed inside the XML (SAML2Bindings 3.5). */
#include "base/enc.h"
#include "saml/binding.h"
#include "saml/names.h"

static bool
decode(struct arena *a, struct bytes raw, struct saml_wire *out, struct err *err)
{
	struct saml_parameters ps;
	struct bytes field;

	if (!saml_parameters_read(a, raw, &ps, err))
		return false;
	/* SimpleSign is a signature we do not verify; such a message is not an unsigned one. */
	if (ps.sig_alg.p != NULL || ps.signature.p != NULL)
		return FAIL(err, ERR_INPUT, NULL, "a POST message is signed inside, not beside");
	out->is_response = ps.response.p != NULL;
	if (!dec_form(a, out->is_response ? ps.response : ps.request, &field, err) ||
	    !dec_base64(a, field, true, &out->xml, err))
		return false;
	return saml_parameter_text(a, ps.relay_state, SAML_RELAY_STATE_MAX, "RelayState",
				   &out->relay_state, err);
}

static bool
encode(struct arena *a, const struct saml_outgoing *what, struct saml_carrier *out, struct err *err)
{
	struct bytes xml = what->message->element;

	if (what->signer != NULL && !saml_sign_enveloped(a, what->signer, what->message, &xml, err))
		return false;
	*out = (struct saml_carrier){
		.action = what->url,
		.name = what->is_response ? "SAMLResponse" : "SAMLRequest",
		.value = enc_base64(a, xml),
		.relay_state = what->relay_state,
	};
	return true;
}

const struct saml_binding_row saml_binding_post = {
	.id = SAML_BINDING_POST,
	.uri = SAML_BINDING_URI_POST,
	.for_request = true,
	.for_response = true,
	.for_logout = true,
	.decode = decode,
	.encode = encode,
};
