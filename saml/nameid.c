/* Reading and writing NameIDs; see nameid.h. */
#include "saml/nameid.h"

#include <string.h>

#include "base/text.h"
#include "saml/names.h"

#define NAMEID_MAX 256 /* characters in SAML2Core 8.3.7; a UTF-8 character has up to 4 octets */

static const struct {
	unsigned bit;
	const char *uri;
} formats[] = {
	{SAML_NAMEID_IS_TRANSIENT, SAML_NAMEID_TRANSIENT},
	{SAML_NAMEID_IS_PERSISTENT, SAML_NAMEID_PERSISTENT},
	{SAML_NAMEID_IS_EMAIL, SAML_NAMEID_EMAIL},
};

bool
saml_nameid_read(struct arena *a, const struct xml_node *n, struct saml_nameid *out,
		 struct err *err)
{
	if (!xml_text(a, n, &out->value, err))
		return false;
	if (out->value[0] == '\0' || strlen(out->value) > (size_t)4 * NAMEID_MAX)
		return FAIL(err, ERR_INPUT, NULL, "NameID of %zu octets", strlen(out->value));
	out->format = xml_attr(n, "Format");
	out->name_qualifier = xml_attr(n, "NameQualifier");
	out->sp_name_qualifier = xml_attr(n, "SPNameQualifier");
	return true;
}

void
saml_nameid_write(struct xmlw *w, const struct saml_nameid *nameid)
{
	xmlw_open(w, &xmlns_saml, "NameID");
	xmlw_attr(w, NULL, "Format", nameid->format);
	xmlw_attr(w, NULL, "NameQualifier", nameid->name_qualifier);
	xmlw_attr(w, NULL, "SPNameQualifier", nameid->sp_name_qualifier);
	xmlw_text(w, nameid->value);
	xmlw_close(w);
}

unsigned
saml_nameid_format_bit(const char *uri)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (text_eq(uri, formats[i].uri))
			return formats[i].bit;
	return 0;
}

const char *
saml_nameid_format_first(unsigned set)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (set & formats[i].bit)
			return formats[i].uri;
	return NULL;
}
