/*
 * saml_binding_decode and saml_message_decode on whatever arrives in a query or
 * a form: what is taken has exactly one message, and its signed octets begin
 * with it.
 */
#include <stdlib.h>
#include <string.h>

#include "saml/message.h"

static void
decode(struct arena *a, enum saml_binding binding, struct bytes raw)
{
	const struct saml_message *m;
	struct saml_wire w;

	if (saml_binding_decode(a, binding, raw, &w, NULL)) {
		if (w.xml.n > SAML_XML_MAX && binding == SAML_BINDING_REDIRECT)
			abort();
		if (w.sig_alg != NULL &&
		    !bytes_start(w.octets, w.is_response ? "SAMLResponse=" : "SAMLRequest="))
			abort();
		if (w.relay_state != NULL && strlen(w.relay_state) > SAML_RELAY_STATE_MAX)
			abort();
	}
	if (saml_message_decode(a, binding, raw, &m, NULL) &&
	    (saml_message_kind(m) == SAML_KIND_NONE || saml_message_issuer(m)[0] == '\0'))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(32 << 20);

	if (a == NULL)
		return 0;
	if (size <= 256 << 10) {
		decode(a, SAML_BINDING_REDIRECT, (struct bytes){data, size});
		decode(a, SAML_BINDING_POST, (struct bytes){data, size});
	}
	arena_destroy(a);
	return 0;
}
