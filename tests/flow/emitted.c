/* SAML messages in forms, redirects and bodies; see emitted.h. */
#include "tests/flow/emitted.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/text.h"
#include "saml/binding.h"
#include "tests/saml/xsd.h"

static void
assert_carried_valid(struct web *b, enum saml_binding binding, struct bytes raw)
{
	struct saml_wire wire;
	struct err err = {0};

	ASSERT_OK(saml_binding_decode(b->w->a, binding, raw, &wire, &err), &err);
	assert_schema_valid(b->w->a, wire.xml);
}

static void
assert_field_valid(struct web *b, const char *name)
{
	const char *value = web_field(b, name);
	struct buf form;

	if (value == NULL)
		return;
	buf_init(&form, b->w->a, SAML_XML_MAX * 4);
	buf_printf(&form, "%s=", name);
	enc_percent(&form, bytes_of(value));
	assert_carried_valid(b, SAML_BINDING_POST, (struct bytes){form.p, form.n});
}

static bool
is_xml(const char *type)
{
	static const char *const types[] = {"text/xml", "application/samlmetadata+xml",
					    "application/vnd.paos+xml"};

	for (size_t i = 0; type != NULL && i < ARRAY_LEN(types); i++)
		if (text_starts(type, types[i]))
			return true;
	return false;
}

void
assert_emitted_valid(struct web *b)
{
	const char *query = b->location == NULL ? NULL : strchr(b->location, '?');

	if (is_xml(b->type)) {
		assert_schema_valid(b->w->a, bytes_of(b->body));
	} else if (strstr(b->body, "name=\"SAML") != NULL) {
		assert_field_valid(b, "SAMLRequest");
		assert_field_valid(b, "SAMLResponse");
	}
	if (query != NULL &&
	    (strstr(query, "SAMLRequest=") != NULL || strstr(query, "SAMLResponse=") != NULL))
		assert_carried_valid(b, SAML_BINDING_REDIRECT, bytes_of(query + 1));
}
