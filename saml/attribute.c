/* Writing attributes; see attribute.h. */
#include "saml/attribute.h"

#include "saml/extensions.h"

void
saml_attribute_write(struct xmlw *w, const struct saml_attribute *at)
{
	xmlw_open(w, &xmlns_saml, "Attribute");
	xmlw_attr(w, NULL, "Name", at->name);
	xmlw_attr(w, NULL, "NameFormat", at->name_format);
	xmlw_attr(w, NULL, "FriendlyName", at->friendly_name);
	xmlw_attr(w, &xmlns_akdb, "TrustLevel", at->trust_level);
	for (size_t i = 0; i < at->n_values; i++) {
		xmlw_open(w, &xmlns_saml, "AttributeValue");
		xmlw_attr(w, &xmlns_xsi, "type", "xs:string");
		xmlw_text(w, at->values[i]);
		xmlw_close(w);
	}
	xmlw_close(w);
}
