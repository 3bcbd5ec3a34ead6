/*
 * SOAP: from server to server, signed inside the message (SAML2Bindings 3.2).  What is
 * decoded is the whole envelope: its content is verified on the document as received.
 */
#include "saml/binding.h"
#include "saml/names.h"
#include "saml/soap.h"

static bool
decode(struct arena *a UNUSED, struct bytes raw, struct saml_wire *out, struct err *err UNUSED)
{
	out->xml = raw;
	return true;
}

static bool
encode(struct arena *a, const struct saml_outgoing *what, struct saml_carrier *out, struct err *err)
{
	struct bytes xml = what->message->element;
	struct saml_carrier carrier = {.action = what->url};

	if (what->signer != NULL && !saml_sign_enveloped(a, what->signer, what->message, &xml, err))
		return false;
	if (!soap_write(a, &xmlns_samlp, xml, &carrier.envelope, err))
		return false;
	*out = carrier;
	return true;
}

const struct saml_binding_row saml_binding_soap = {
	.id = SAML_BINDING_SOAP,
	.uri = SAML_BINDING_URI_SOAP,
	.for_request = true, /* of clients without a browser (SAML2Profiles 4.2) */
	.for_logout = true,
	.decode = decode,
	.encode = encode,
};
