/* Reading and writing NameIDs; see nameid.h. */
#include "saml/nameid.h"

#include <string.h>

#include "base/text.h"
#include "saml/names.h"
#include "saml/schema.h"

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

/* What was encrypted stands inside the signed message, so it is as signed as the rest. */
static bool
open_nameid(struct arena *a, const struct xml_node *encrypted, const struct xmlenc_keys *keys,
	    const struct xml_node **out, struct err *err)
{
	struct xml_doc *doc;

	if (keys == NULL)
		return FAIL(err, ERR_INPUT, NULL, "EncryptedID, and no key to open it");
	if (!xmlenc_decrypt(a, encrypted, keys, &doc, err))
		return false;
	if (!xml_is(xml_root(doc), SAML_NS_ASSERTION, "NameID"))
		return FAIL(err, ERR_INPUT, NULL, "EncryptedID holds no NameID");
	*out = xml_root(doc);
	return saml_schema_check(a, *out, err);
}

bool
saml_principal_read(struct arena *a, const struct xml_node *parent, const struct xmlenc_keys *keys,
		    struct saml_nameid *out, struct err *err)
{
	const struct xml_node *nameid, *encrypted;

	if (!xml_child_opt(parent, SAML_NS_ASSERTION, "NameID", &nameid, err) ||
	    !xml_child_opt(parent, SAML_NS_ASSERTION, "EncryptedID", &encrypted, err))
		return false;
	/* The schema check has seen to it that there is one of the two. */
	if (nameid == NULL && !open_nameid(a, encrypted, keys, &nameid, err))
		return false;
	return saml_nameid_read(a, nameid, out, err);
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
