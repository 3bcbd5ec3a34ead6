/*
 * saml/schema.c: the table, and the promise behind it: whatever we accept,
 * the OASIS schemas accept too.
 */
#include "saml/schema.h"

#include <libxml/tree.h>

#include "tests/saml/xsd.h"
#include "tests/arena.h"

#define SAMLP   " xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\""
#define SAML    " xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\""
#define MD      " xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\""
#define DS      " xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\""
#define COMMON  " ID=\"_1\" Version=\"2.0\" IssueInstant=\"2026-11-23T18:00:00Z\""
#define ISSUER  "<saml:Issuer>https://sp.example/</saml:Issuer>"
#define REQUEST "<samlp:AuthnRequest" SAMLP SAML COMMON
#define ROLE    " protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\""
#define ENTITY  "<md:EntityDescriptor" MD SAML DS " entityID=\"https://sp.example/\""
#define ACS                                                                                       \
	"<md:AssertionConsumerService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\"" \
	" Location=\"https://sp.example/acs\" index=\"0\"/>"

static bool
check(const char *xml, struct err *err)
{
	struct xml_doc *doc;

	return xml_parse(a, bytes_of(xml), &xml_limits_metadata, &doc, err) &&
	       saml_schema_check(a, xml_root(doc), err);
}

static const struct {
	const char *title, *xml;
} accepted[] = {
	{"the least request", REQUEST ">" ISSUER "</samlp:AuthnRequest>"},
	{"a request with everything", REQUEST
	 " Destination=\"https://idp.example/saml/sso\" Consent=\"urn:x:y\" ForceAuthn=\"1\""
	 " IsPassive=\"false\" ProtocolBinding=\"urn:b\" "
	 "AssertionConsumerServiceURL=\"https://sp.example/\""
	 " AttributeConsumingServiceIndex=\"3\" ProviderName=\"Amt24 \xc3\xa4\">" ISSUER
	 "<samlp:Extensions><x:Any xmlns:x=\"urn:x\" a=\"b\">text<y/></x:Any></samlp:Extensions>"
	 "<saml:Subject><saml:NameID Format=\"urn:f\" NameQualifier=\"q\" "
	 "SPProvidedID=\"p\">n</saml:NameID>"
	 "<saml:SubjectConfirmation Method=\"urn:m\"><saml:SubjectConfirmationData"
	 " NotOnOrAfter=\"2026-11-23T18:00:00Z\" InResponseTo=\"_x\" Recipient=\"urn:r\">any<x:y "
	 "xmlns:x=\"urn:x\"/>"
	 "</saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>"
	 "<samlp:NameIDPolicy Format=\"urn:f\" SPNameQualifier=\"q\" AllowCreate=\"true\"/>"
	 "<saml:Conditions NotBefore=\"2026-11-23T18:00:00Z\"><saml:AudienceRestriction>"
	 "<saml:Audience> urn:a </saml:Audience></saml:AudienceRestriction><saml:OneTimeUse/>"
	 "<saml:ProxyRestriction "
	 "Count=\"2\"><saml:Audience>urn:a</saml:Audience></saml:ProxyRestriction>"
	 "</saml:Conditions>"
	 "<samlp:RequestedAuthnContext Comparison=\"minimum\">"
	 "<saml:AuthnContextClassRef>STORK-QAA-Level-3</saml:AuthnContextClassRef>"
	 "<saml:AuthnContextClassRef> urn:x\n</saml:AuthnContextClassRef>"
	 "</samlp:RequestedAuthnContext>"
	 "<samlp:Scoping ProxyCount=\"1\"><samlp:IDPList><samlp:IDPEntry ProviderID=\"urn:i\" "
	 "Name=\"n\""
	 " Loc=\"urn:l\"/><samlp:GetComplete>urn:g</samlp:GetComplete></samlp:IDPList>"
	 "<samlp:RequesterID>urn:r</samlp:RequesterID></samlp:Scoping>"
	 "</samlp:AuthnRequest>"},
	{"a logout request",
	 "<samlp:LogoutRequest" SAMLP SAML COMMON
	 " Reason=\"urn:r\" NotOnOrAfter=\"2026-11-23T18:05:00Z\">" ISSUER
	 "<saml:NameID>n</saml:NameID><samlp:SessionIndex>s1</samlp:SessionIndex>"
	 "<samlp:SessionIndex>s2</samlp:SessionIndex></samlp:LogoutRequest>"},
	{"a logout response",
	 "<samlp:LogoutResponse" SAMLP SAML COMMON " InResponseTo=\"_a\">" ISSUER
	 "<samlp:Status><samlp:StatusCode Value=\"urn:a\"><samlp:StatusCode Value=\"urn:b\"/>"
	 "</samlp:StatusCode><samlp:StatusMessage>m</samlp:StatusMessage><samlp:StatusDetail>"
	 "<x:y xmlns:x=\"urn:x\"/></samlp:StatusDetail></samlp:Status></samlp:LogoutResponse>"},
	{"the least service provider",
	 ENTITY "><md:SPSSODescriptor" ROLE ">" ACS "</md:SPSSODescriptor></md:EntityDescriptor>"},
	{"a service provider with everything",
	 "<md:EntitiesDescriptor" MD SAML DS
	 " validUntil=\"2027-01-01T00:00:00Z\" cacheDuration=\"P1D\" Name=\"n\" ID=\"_m\">"
	 "<md:EntityDescriptor entityID=\"https://sp.example/\" xmlns:r=\"urn:r\" r:any=\"1\">"
	 "<md:Extensions><r:a><saml:Attribute Name=\"n\" r:b=\"c\"><saml:AttributeValue"
	 " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
	 "xmlns:xs=\"http://www.w3.org/2001/XMLSchema\""
	 " xsi:type=\"xs:string\">v</saml:AttributeValue><saml:AttributeValue><nameless/>"
	 "</saml:AttributeValue></saml:Attribute></r:a></md:Extensions>"
	 "<md:SPSSODescriptor AuthnRequestsSigned=\"true\" WantAssertionsSigned=\"0\" "
	 "errorURL=\"urn:e\"" ROLE
	 "><md:Extensions><mdui:UIInfo xmlns:mdui=\"urn:oasis:names:tc:SAML:metadata:ui\">"
	 "<mdui:DisplayName xml:lang=\"de\">Amt24</mdui:DisplayName>"
	 "<mdui:Logo height=\"1\" width=\"1\" "
	 "xml:lang=\"de\">data:image/png;base64,AA==</mdui:Logo>"
	 "<mdui:InformationURL "
	 "xml:lang=\"en\">https://sp.example/</mdui:InformationURL><r:x/></mdui:UIInfo>"
	 "<mdui:DiscoHints "
	 "xmlns:mdui=\"urn:oasis:names:tc:SAML:metadata:ui\"><mdui:IPHint>10.0.0.0/8</mdui:IPHint>"
	 "<mdui:DomainHint>sp.example</mdui:DomainHint><mdui:GeolocationHint>geo:51.05,13.74</"
	 "mdui:GeolocationHint>"
	 "</mdui:DiscoHints>"
	 "</md:Extensions>"
	 "<md:KeyDescriptor use=\"encryption\"><ds:KeyInfo><ds:KeyName>n</ds:KeyName><ds:X509Data>"
	 "<ds:X509IssuerSerial><ds:X509IssuerName>CN=i</ds:X509IssuerName>"
	 "<ds:X509SerialNumber>123456789012345678901234567890</ds:X509SerialNumber></"
	 "ds:X509IssuerSerial>"
	 "<ds:X509SKI>AAAA</ds:X509SKI><ds:X509SubjectName>CN=x</"
	 "ds:X509SubjectName><ds:X509Certificate>\nAAAA\n</ds:X509Certificate>"
	 "</ds:X509Data><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AAAA</ds:Modulus>"
	 "<ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue></ds:KeyInfo>"
	 "<md:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#rsa-oaep\">"
	 "<xenc:KeySize xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\">256</xenc:KeySize>"
	 "<xenc:OAEPparams xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\">AAAA</xenc:OAEPparams>"
	 "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>"
	 "<x11:MGF xmlns:x11=\"http://www.w3.org/2009/xmlenc11#\""
	 " Algorithm=\"http://www.w3.org/2009/xmlenc11#mgf1sha256\"/></md:EncryptionMethod>"
	 "</md:KeyDescriptor>"
	 "<md:ArtifactResolutionService Binding=\"urn:b\" Location=\"urn:l\" index=\"0\" "
	 "isDefault=\"true\"/>"
	 "<md:SingleLogoutService Binding=\"urn:b\" Location=\"urn:l\" "
	 "ResponseLocation=\"urn:r\"><r:x/></md:SingleLogoutService>"
	 "<md:ManageNameIDService Binding=\"urn:b\" Location=\"urn:l\"/>"
	 "<md:NameIDFormat>\n urn:f \n</md:NameIDFormat>" ACS
	 "<md:AttributeConsumingService index=\"1\" isDefault=\"true\"><md:ServiceName "
	 "xml:lang=\"de-DE\">s</md:ServiceName>"
	 "<md:ServiceDescription xml:lang=\"de\">d</md:ServiceDescription>"
	 "<md:RequestedAttribute Name=\"n\" NameFormat=\"urn:f\" FriendlyName=\"f\" "
	 "isRequired=\"true\">"
	 "<saml:AttributeValue>v</saml:AttributeValue></md:RequestedAttribute></"
	 "md:AttributeConsumingService>"
	 "</md:SPSSODescriptor>"
	 "<md:IDPSSODescriptor" ROLE
	 " WantAuthnRequestsSigned=\"true\"><md:SingleSignOnService Binding=\"urn:b\""
	 " Location=\"urn:l\"/><md:AttributeProfile>urn:p</md:AttributeProfile><saml:Attribute "
	 "Name=\"n\"/></md:IDPSSODescriptor>"
	 "<md:AttributeAuthorityDescriptor" ROLE
	 "><md:AttributeService Binding=\"urn:b\" Location=\"urn:l\"/>"
	 "</md:AttributeAuthorityDescriptor>"
	 "<md:AuthnAuthorityDescriptor" ROLE
	 "><md:AuthnQueryService Binding=\"urn:b\" Location=\"urn:l\"/>"
	 "</md:AuthnAuthorityDescriptor>"
	 "<md:PDPDescriptor" ROLE
	 "><md:AuthzService Binding=\"urn:b\" Location=\"urn:l\"/></md:PDPDescriptor>"
	 "<md:Organization><md:OrganizationName xml:lang=\"de\">o</md:OrganizationName>"
	 "<md:OrganizationDisplayName xml:lang=\"de\">o</md:OrganizationDisplayName>"
	 "<md:OrganizationURL "
	 "xml:lang=\"de\">https://sp.example/</md:OrganizationURL></md:Organization>"
	 "<md:ContactPerson "
	 "contactType=\"technical\"><md:Company>c</md:Company><md:GivenName>g</md:GivenName>"
	 "<md:SurName>s</md:SurName><md:EmailAddress>mailto:a@sp.example</md:EmailAddress>"
	 "<md:TelephoneNumber>1</md:TelephoneNumber></md:ContactPerson>"
	 "<md:AdditionalMetadataLocation namespace=\"urn:n\">urn:l</md:AdditionalMetadataLocation>"
	 "</md:EntityDescriptor></md:EntitiesDescriptor>"},
};

static void
test_what_the_schemas_allow_passes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		struct err err = {0};

		if (!check(accepted[i].xml, &err))
			fail_msg("%s: %s", accepted[i].title, err.text);
		assert_schema_valid(a, bytes_of(accepted[i].xml));
	}
}

/* Of what was signed without InclusiveNamespaces the prefix is gone; others' validators mind. */
static void
test_a_string_whose_prefix_was_not_signed_is_one(void **state)
{
	struct err err = {0};

	(void)state;
	ASSERT_OK(check(REQUEST ">" ISSUER
				"<samlp:Extensions><saml:Attribute Name=\"n\"><saml:AttributeValue"
				" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
				" xsi:type=\"xs:string\">v</saml:AttributeValue></saml:Attribute>"
				"</samlp:Extensions></samlp:AuthnRequest>",
			&err),
		  &err);
}

static const struct {
	const char *xml, *why;
} refused[] = {
	{"<other/>", "<other> is not an element we know"},
	{REQUEST "/>", "lacks <Issuer>"},
	{REQUEST " Bogus=\"1\">" ISSUER "</samlp:AuthnRequest>", "unexpected attribute Bogus"},
	{REQUEST " ForceAuthn=\"yes\">" ISSUER "</samlp:AuthnRequest>",
	 "ForceAuthn of <AuthnRequest> is not an xs:boolean"},
	{REQUEST " AssertionConsumerServiceIndex=\"70000\">" ISSUER "</samlp:AuthnRequest>",
	 "is not an xs:unsignedShort"},
	{REQUEST " Destination=\"https://a b/\">" ISSUER "</samlp:AuthnRequest>", "is not a URI"},
	{"<samlp:AuthnRequest" SAMLP SAML " ID=\"_1\" Version=\"2.0\">" ISSUER
	 "</samlp:AuthnRequest>",
	 "<AuthnRequest> has no attribute IssueInstant"},
	{REQUEST " xml:lang=\"de\">" ISSUER "</samlp:AuthnRequest>", "attribute of XML's own"},
	{REQUEST " xml:base=\"urn:x\">" ISSUER "</samlp:AuthnRequest>", "attribute of XML's own"},
	{REQUEST " xml:space=\"preserve\">" ISSUER "</samlp:AuthnRequest>",
	 "attribute of XML's own"},
	{REQUEST " xml:id=\"x\">" ISSUER "</samlp:AuthnRequest>", "attribute of XML's own"},
	{REQUEST
	 " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"samlp:X\">" ISSUER
	 "</samlp:AuthnRequest>",
	 "has an xsi:type or xsi:nil"},
	{REQUEST " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\">" ISSUER
		 "</samlp:AuthnRequest>",
	 "has an xsi:type or xsi:nil"},
	{REQUEST ">" ISSUER "<samlp:NameIDPolicy> </samlp:NameIDPolicy></samlp:AuthnRequest>",
	 "<NameIDPolicy> is not empty"},
	{REQUEST ">" ISSUER
		 "<samlp:RequestedAuthnContext Comparison=\"least\"><saml:AuthnContextClassRef>a"
		 "</saml:AuthnContextClassRef></samlp:RequestedAuthnContext></samlp:AuthnRequest>",
	 "is not a comparison"},
	{REQUEST ">" ISSUER "<samlp:Extensions><nameless/></samlp:Extensions></samlp:AuthnRequest>",
	 "<nameless> is not an element we know"},
	{REQUEST ">" ISSUER
		 "<samlp:Extensions><saml:Unknown/></samlp:Extensions></samlp:AuthnRequest>",
	 "<Unknown> is not an element we know"},
	{REQUEST ">" ISSUER "<samlp:Extensions><x:a xmlns:x=\"urn:x\"><saml:Attribute/></x:a>"
		 "</samlp:Extensions></samlp:AuthnRequest>",
	 "<Attribute> has no attribute Name"},
	{REQUEST ">" ISSUER "<samlp:Extensions><saml:Attribute Name=\"n\"><saml:AttributeValue"
		 " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
		 " xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xsi:type=\"xs:integer\">1"
		 "</saml:AttributeValue></saml:Attribute></samlp:Extensions></samlp:AuthnRequest>",
	 "xsi:type other than xs:string"},
	{REQUEST ">" ISSUER "<samlp:Extensions><saml:Attribute Name=\"n\"><saml:AttributeValue"
		 " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
		 " xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xsi:type=\"samlp:string\">1"
		 "</saml:AttributeValue></saml:Attribute></samlp:Extensions></samlp:AuthnRequest>",
	 "xsi:type other than xs:string"},
	{REQUEST ">" ISSUER "<samlp:Extensions><saml:Attribute Name=\"n\"><saml:AttributeValue"
		 " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"xs:int\">1"
		 "</saml:AttributeValue></saml:Attribute></samlp:Extensions></samlp:AuthnRequest>",
	 "undeclared prefix"},
	{REQUEST ">" ISSUER "<samlp:Extensions><saml:Attribute Name=\"n\"><saml:AttributeValue"
		 " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"xs:string\">"
		 "<saml:Issuer>x</saml:Issuer></saml:AttributeValue></saml:Attribute>"
		 "</samlp:Extensions></samlp:AuthnRequest>",
	 ""},
	{REQUEST "><saml:Issuer><b/></saml:Issuer></samlp:AuthnRequest>", "something beside text"},
	{ENTITY
	 "><md:SPSSODescriptor" ROLE
	 "><md:KeyDescriptor use=\"both\"><ds:KeyInfo><ds:KeyName>x</ds:KeyName></ds:KeyInfo>"
	 "</md:KeyDescriptor>" ACS "</md:SPSSODescriptor></md:EntityDescriptor>",
	 "is not a key use"},
	{ENTITY "><md:SPSSODescriptor" ROLE "><md:KeyDescriptor><ds:KeyInfo><ds:X509Data>"
		"<ds:X509Certificate>?</ds:X509Certificate></ds:X509Data></ds:KeyInfo></"
		"md:KeyDescriptor>" ACS "</md:SPSSODescriptor></md:EntityDescriptor>",
	 "<X509Certificate> is not base64"},
	{ENTITY " cacheDuration=\"1 day\"><md:SPSSODescriptor" ROLE ">" ACS
		"</md:SPSSODescriptor></md:EntityDescriptor>",
	 "is not an xs:duration"},
	{ENTITY " validUntil=\"tomorrow\"><md:SPSSODescriptor" ROLE ">" ACS
		"</md:SPSSODescriptor></md:EntityDescriptor>",
	 "is not an xs:dateTime"},
	{ENTITY "><md:SPSSODescriptor protocolSupportEnumeration=\"urn:a a\\b\">" ACS
		"</md:SPSSODescriptor></md:EntityDescriptor>",
	 "is not a list of URIs"},
	{ENTITY
	 "><md:SPSSODescriptor" ROLE ">" ACS
	 "</md:SPSSODescriptor><md:ContactPerson contactType=\"boss\"/></md:EntityDescriptor>",
	 "is not a contact type"},
	{ENTITY "><md:SPSSODescriptor" ROLE ">" ACS
		"</md:SPSSODescriptor><md:Organization><md:OrganizationName>o</md:OrganizationName>"
		"<md:OrganizationDisplayName xml:lang=\"de\">o</md:OrganizationDisplayName>"
		"<md:OrganizationURL xml:lang=\"de\">urn:o</md:OrganizationURL></md:Organization>"
		"</md:EntityDescriptor>",
	 "<OrganizationName> has no xml:lang"},
	{ENTITY "><md:SPSSODescriptor" ROLE ">" ACS
		"</md:SPSSODescriptor><md:Organization><md:OrganizationName xml:lang=\"d e\">o"
		"</md:OrganizationName><md:OrganizationDisplayName xml:lang=\"de\">o"
		"</md:OrganizationDisplayName><md:OrganizationURL xml:lang=\"de\">urn:o"
		"</md:OrganizationURL></md:Organization></md:EntityDescriptor>",
	 "<OrganizationName> has no xml:lang"},
	{"<samlp:LogoutResponse" SAMLP SAML COMMON " InResponseTo=\"1x\">" ISSUER
	 "<samlp:Status><samlp:StatusCode Value=\"urn:a\"/></samlp:Status></samlp:LogoutResponse>",
	 "is not an xs:NCName"},
	{REQUEST ">" ISSUER "<samlp:Scoping ProxyCount=\"many\"/></samlp:AuthnRequest>",
	 "is not a count"},
};

static void
test_what_the_table_does_not_hold_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct err err = {0};

		ASSERT_REFUSED(check(refused[i].xml, &err), &err, ERR_INPUT, refused[i].why);
	}
	struct err err = {0};
	const char *long_uri = arena_printf(
		a, REQUEST " Destination=\"urn:%02048d\">" ISSUER "</samlp:AuthnRequest>", 1);
	const char *long_id = arena_printf(
		a,
		"<samlp:AuthnRequest" SAMLP SAML " ID=\"_%04096d\" Version=\"2.0\""
		" IssueInstant=\"2026-11-23T18:00:00Z\">" ISSUER "</samlp:AuthnRequest>",
		1);

	ASSERT_REFUSED(check(long_uri, &err), &err, ERR_INPUT, "is not a URI");
	ASSERT_REFUSED(check(long_id, &err), &err, ERR_INPUT, "is not an xs:ID");
}

/* ---- the oracle: every small change of a good document ---- */

static size_t n_tried, n_accepted;

/* What we take, the schema takes. */
static void
compare(xmlDoc *doc, const char *what, const char *name)
{
	struct arena *own = arena_create(64 << 20), *outer = a;
	const char *why;
	xmlChar *text;
	int n;

	xmlDocDumpMemory(doc, &text, &n);
	a = own;
	n_tried++;
	if (check((const char *)text, NULL)) {
		n_accepted++;
		if (!xsd_accepts(own, (struct bytes){text, (size_t)n}, &why))
			fail_msg("%s %s: we accept, the schema refuses: %s\n%s", what, name, why,
				 (const char *)text);
	}
	a = outer;
	xmlFree(text);
	arena_destroy(own);
}

static void
change_attributes(xmlDoc *doc, xmlNode *n)
{
	static const char *const junk[] = {"",   " ",     "x y", "true", "2026-11-23T18:00:00Z",
					   "-1", "urn:x", "%",   "P1D",  "1"};

	struct {
		xmlChar *name, *value;
		xmlNs *ns;
	} was[16];
	size_t n_was = 0;

	for (xmlAttr *at = n->properties; at != NULL; at = at->next, n_was++) {
		assert_true(n_was < ARRAY_LEN(was));
		was[n_was].name = xmlStrdup(at->name);
		was[n_was].value = xmlNodeListGetString(doc, at->children, 1);
		was[n_was].ns = at->ns;
	}
	for (size_t w = 0; w < n_was; w++) {
		for (size_t i = 0; i < ARRAY_LEN(junk); i++) {
			xmlSetNsProp(n, was[w].ns, was[w].name, (const xmlChar *)junk[i]);
			compare(doc, "another value of", (char *)was[w].name);
		}
		xmlUnsetNsProp(n, was[w].ns, was[w].name);
		compare(doc, "without", (char *)was[w].name);
		xmlSetNsProp(n, was[w].ns, was[w].name, was[w].value);
		xmlFree(was[w].name);
		xmlFree(was[w].value);
	}
	xmlSetProp(n, (const xmlChar *)"Foreign", (const xmlChar *)"1");
	compare(doc, "a new attribute at", (const char *)n->name);
	xmlUnsetProp(n, (const xmlChar *)"Foreign");
}

static void
change_elements(xmlDoc *doc, xmlNode *n)
{
	xmlNode *copy = xmlCopyNode(n, 1), *text, *next = n->next, *parent = n->parent;

	if (n != xmlDocGetRootElement(doc)) {
		xmlAddNextSibling(n, copy);
		compare(doc, "a second", (const char *)n->name);
		xmlUnlinkNode(copy);
		xmlUnlinkNode(n);
		compare(doc, "without", (const char *)n->name);
		if (next != NULL)
			xmlAddPrevSibling(next, n);
		else
			xmlAddChild(parent, n);
		if (next != NULL) {
			xmlUnlinkNode(n);
			xmlAddNextSibling(next, n);
			compare(doc, "later", (const char *)n->name);
			xmlUnlinkNode(n);
			xmlAddPrevSibling(next, n);
		}
	}
	xmlFreeNode(copy);
	text = xmlNewText((const xmlChar *)"text");
	if (n->children != NULL && n->children->type != XML_TEXT_NODE) {
		xmlAddPrevSibling(n->children, text);
		compare(doc, "text in", (const char *)n->name);
		xmlUnlinkNode(text);
	}
	xmlFreeNode(text);
	xmlNode *alien = xmlNewChild(n, NULL, (const xmlChar *)"alien", NULL);

	xmlSetNs(alien, NULL);
	compare(doc, "an element without a namespace in", (const char *)n->name);
	xmlSetNs(alien, xmlNewNs(alien, (const xmlChar *)"urn:alien", (const xmlChar *)"al"));
	compare(doc, "a foreign element in", (const char *)n->name);
	xmlUnlinkNode(alien);
	xmlFreeNode(alien);
}

static void
change_all(xmlDoc *doc, xmlNode *n)
{
	if (n->type != XML_ELEMENT_NODE)
		return;
	change_attributes(doc, n);
	change_elements(doc, n);
	for (xmlNode *c = n->children, *next; c != NULL; c = next) {
		next = c->next;
		change_all(doc, c);
	}
}

static void
test_whatever_we_accept_the_schemas_accept(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		xmlDoc *doc = xmlReadMemory(accepted[i].xml, (int)strlen(accepted[i].xml), NULL,
					    NULL, XML_PARSE_NOBLANKS);

		assert_non_null(doc);
		change_all(doc, xmlDocGetRootElement(doc));
		xmlFreeDoc(doc);
	}
	print_message("# %zu changed documents, %zu of them accepted\n", n_tried, n_accepted);
	assert_true(n_tried > 1800 && n_accepted > 700);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_the_schemas_allow_passes),
		cmocka_unit_test(test_a_string_whose_prefix_was_not_signed_is_one),
		cmocka_unit_test(test_what_the_table_does_not_hold_is_refused),
		cmocka_unit_test(test_whatever_we_accept_the_schemas_accept),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
