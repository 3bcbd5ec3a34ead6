/* libxml2's schema validator over the installed schemas; see xsd.h. */
#include "tests/saml/xsd.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlschemas.h>

#include "base/text.h"
#include "tests/test.h"

#define OPENSAML   "/usr/share/xml/opensaml/"
#define XMLTOOLING "/usr/share/xml/xmltooling/"

/* The schemas import each other by web addresses; nothing is fetched. */
static const struct {
	const char *url, *path;
} local[] = {
	{"http://www.w3.org/TR/2002/REC-xmldsig-core-20020212/xmldsig-core-schema.xsd",
	 XMLTOOLING "xmldsig-core-schema.xsd"},
	{"http://www.w3.org/TR/xmldsig-core/xmldsig-core-schema.xsd",
	 XMLTOOLING "xmldsig-core-schema.xsd"},
	{"http://www.w3.org/TR/2002/REC-xmlenc-core-20021210/xenc-schema.xsd",
	 XMLTOOLING "xenc-schema.xsd"},
	{"http://www.w3.org/2001/xml.xsd", XMLTOOLING "xml.xsd"},
	{"http://schemas.xmlsoap.org/soap/envelope/", XMLTOOLING "soap-envelope.xsd"},
};

static const char all[] =
	"<schema xmlns='http://www.w3.org/2001/XMLSchema'>"
	"<import namespace='urn:oasis:names:tc:SAML:2.0:protocol' schemaLocation='" OPENSAML
	"saml-schema-protocol-2.0.xsd'/>"
	"<import namespace='urn:oasis:names:tc:SAML:2.0:metadata' schemaLocation='" OPENSAML
	"saml-schema-metadata-2.0.xsd'/>"
	"<import namespace='urn:oasis:names:tc:SAML:metadata:ui' schemaLocation='" OPENSAML
	"sstc-saml-metadata-ui-v1.0.xsd'/>"
	"<import namespace='urn:oasis:names:tc:SAML:metadata:algsupport' schemaLocation='" OPENSAML
	"sstc-saml-metadata-algsupport-v1.0.xsd'/>"
	"<import namespace='urn:oasis:names:tc:SAML:metadata:attribute' schemaLocation='" OPENSAML
	"sstc-metadata-attr.xsd'/>"
	"<import namespace='http://www.w3.org/2009/xmlenc11#' schemaLocation='" XMLTOOLING
	"xenc11-schema.xsd'/>"
	"<import namespace='http://www.elster.de/schema/ekona/saml/extensions' "
	"schemaLocation='" TYPES "/ekona.xsd'/>"
	"<import namespace='http://eidas.europa.eu/attributes/naturalperson' "
	"schemaLocation='" TYPES "/eidas.xsd'/>"
	"<import namespace='http://schemas.xmlsoap.org/soap/envelope/' schemaLocation='" XMLTOOLING
	"soap-envelope.xsd'/>"
	"<import namespace='urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp' schemaLocation='" OPENSAML
	"saml-schema-ecp-2.0.xsd'/>"
	"</schema>";

static xmlParserInputPtr
load_local(const char *url, const char *id, xmlParserCtxtPtr ctxt)
{
	(void)id;
	for (size_t i = 0; i < ARRAY_LEN(local); i++)
		if (strcmp(url, local[i].url) == 0)
			url = local[i].path;
	if (!text_starts(url, "/"))
		return NULL;
	return xmlNewInputFromFile(ctxt, url);
}

static void
keep_first(void *ctx, xmlError *e)
{
	char *first = ctx;

	if (first[0] == '\0')
		snprintf(first, 256, "line %d: %s", e->line, e->message);
}

/* Parsed once per process and kept to its end. */
static xmlSchema *
schema(void)
{
	static xmlSchema *kept;
	static char complaint[256];

	if (kept != NULL)
		return kept;
	xmlExternalEntityLoader usual = xmlGetExternalEntityLoader();

	xmlSetExternalEntityLoader(load_local);
	xmlSchemaParserCtxt *p = xmlSchemaNewMemParserCtxt(all, (int)sizeof(all) - 1);

	xmlSchemaSetParserStructuredErrors(p, keep_first, complaint);
	kept = xmlSchemaParse(p);
	xmlSchemaFreeParserCtxt(p);
	xmlSetExternalEntityLoader(usual);
	if (kept == NULL)
		fail_msg("the schemas of opensaml-schemas cannot be loaded: %s", complaint);
	return kept;
}

bool
xsd_accepts(struct arena *a, struct bytes xml, const char **why)
{
	char *complaint = arena_alloc(a, 256);
	xmlSchemaValidCtxt *v = xmlSchemaNewValidCtxt(schema());
	xmlDoc *doc = xmlReadMemory((const char *)xml.p, (int)xml.n, NULL, NULL,
				    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);

	assert_non_null(v);
	xmlSchemaSetValidStructuredErrors(v, keep_first, complaint);
	bool valid = doc != NULL && xmlSchemaValidateDoc(v, doc) == 0;

	xmlFreeDoc(doc);
	xmlSchemaFreeValidCtxt(v);
	*why = doc == NULL ? "not well-formed" : complaint;
	return valid;
}

void
assert_schema_valid(struct arena *a, struct bytes xml)
{
	const char *why;

	if (!xsd_accepts(a, xml, &why))
		fail_msg("the schema refuses: %s\n%.*s", why, (int)xml.n, (const char *)xml.p);
}
