/*
 * PAOS, as far as it is ours: the Response that a client without a browser takes to the service
 * provider (SAML2Profiles 4.2.4.4).  It goes back in the answer to the client's SOAP request, with
 * a header that says where to; the rest of the binding is between client and service provider.
 */
#include "saml/binding.h"
#include "saml/names.h"
#include "saml/soap.h"

static const struct xmlns xmlns_ecp = {"ecp", SAML_NS_ECP};

static void
write_header(struct xmlw *w, const struct saml_outgoing *what)
{
	xmlw_open(w, &xmlns_soap, "Header");
	xmlw_open(w, &xmlns_ecp, "Response");
	xmlw_attr(w, NULL, "AssertionConsumerServiceURL", what->url);
	xmlw_attr(w, &xmlns_soap, "actor", SOAP_ACTOR_NEXT);
	xmlw_attr(w, &xmlns_soap, "mustUnderstand", "1");
	xmlw_close(w);
	/* SAML-ECP 2.0: the client need not compare the URL with what it was told before. */
	if (what->request_signed) {
		xmlw_open(w, &xmlns_ecp, "RequestAuthenticated");
		xmlw_attr(w, &xmlns_soap, "actor", SOAP_ACTOR_NEXT);
		xmlw_attr(w, &xmlns_soap, "mustUnderstand", "0");
		xmlw_close(w);
	}
	xmlw_close(w);
}

static bool
encode(struct arena *a, const struct saml_outgoing *what, struct saml_carrier *out, struct err *err)
{
	struct bytes xml = what->message->element;
	struct saml_carrier carrier = {.action = what->url};
	struct xmlw w;

	if (what->signer != NULL && !saml_sign_enveloped(a, what->signer, what->message, &xml, err))
		return false;
	soap_begin(&w, a);
	write_header(&w, what);
	if (!soap_end(&w, &xmlns_samlp, xml, &carrier.envelope, err))
		return false;
	*out = carrier;
	return true;
}

const struct saml_binding_row saml_binding_paos = {
	.id = SAML_BINDING_PAOS,
	.uri = SAML_BINDING_URI_PAOS,
	.for_client = true,
	.encode = encode,
};
