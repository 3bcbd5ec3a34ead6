/* Writing attributes; see attribute.h. */
#include "saml/attribute.h"

#include "saml/extensions.h"

static void
open_value(struct xmlw *w, const struct saml_attribute *at)
{
	const char *type = at->type_ns == NULL
				   ? "xs:string"
				   : arena_printf(w->buf.a, "%s:%s", at->type_ns->prefix, at->type);

	xmlw_open(w, &xmlns_saml, "AttributeValue");
	xmlw_attr(w, &xmlns_xsi, "type", type);
}

void
saml_attribute_write(struct xmlw *w, const struct saml_attribute *at)
{
	xmlw_open(w, &xmlns_saml, "Attribute");
	xmlw_attr(w, NULL, "Name", at->name);
	xmlw_attr(w, NULL, "NameFormat", at->name_format);
	xmlw_attr(w, NULL, "FriendlyName", at->friendly_name);
	xmlw_attr(w, &xmlns_akdb, "TrustLevel", at->trust_level);
	for (size_t i = 0; i < at->n_values; i++) {
		open_value(w, at);
		xmlw_text(w, at->values[i]);
		xmlw_close(w);
	}
	if (at->n_parts > 0) {
		open_value(w, at);
		for (size_t i = 0; i < at->n_parts; i++)
			xmlw_element(w, at->type_ns, at->parts[i].name, at->parts[i].text);
		xmlw_close(w);
	}
	xmlw_close(w);
}
