/* The schemas as a table, and the walk over it; see schema.h. */
#include "saml/schema.h"

#include <string.h>

#include "base/text.h"
#include "saml/names.h"
#include "saml/value.h"

#define MAX_ATTRS 16

/* ---- the table ---- */

#define SAML  SAML_NS_ASSERTION
#define SAMLP SAML_NS_PROTOCOL
#define MD    SAML_NS_METADATA
#define DS    SAML_NS_DS
#define MDUI  SAML_NS_MDUI

struct attr {
	const char *name;
	enum saml_type type;
	bool required;
};

enum content {
	CHILDREN, /* the rows, and white space */
	EMPTY,    /* nothing, not even white space */
	TEXT,     /* text of the type */
	ANY,      /* text and elements of any kind */
	OPAQUE,   /* read by other code, which checks it (signatures, ciphertext) */
};

struct element {
	const char *ns, *name;
	const struct attr *attrs;
	size_t n_attrs;
	const struct xml_row *rows;
	size_t n_rows;
	enum content content;
	enum saml_type text;
	bool other_attrs;                             /* of foreign namespaces */
	enum { LANG_NONE, LANG_MAY, LANG_MUST } lang; /* xml:lang */
};

#define ATTRS(...)                                   \
	.attrs = (const struct attr[]){__VA_ARGS__}, \
	.n_attrs = sizeof((const struct attr[]){__VA_ARGS__}) / sizeof(struct attr)
#define ROWS(...)                                                           \
	.content = CHILDREN, .rows = (const struct xml_row[]){__VA_ARGS__}, \
	.n_rows = sizeof((const struct xml_row[]){__VA_ARGS__}) / sizeof(struct xml_row)
#define TEXT_OF(type) .content = TEXT, .text = (type)

#define OTHER(min, max)                     \
	{                                   \
		NULL, NULL, min, max, false \
	}
#define ONE(ns, name)                 \
	{                             \
		ns, name, 1, 1, false \
	}
#define OPT(ns, name)                 \
	{                             \
		ns, name, 0, 1, false \
	}
#define ALL(ns, name)                 \
	{                             \
		ns, name, 0, 0, false \
	}
#define SOME(ns, name)                \
	{                             \
		ns, name, 1, 0, false \
	}
#define OR(ns, name)                 \
	{                            \
		ns, name, 0, 0, true \
	}

/* SAML2Core 3.2.1, 3.2.2; a profile of ours makes Issuer mandatory (SAML2Profiles 4.1.4.1, 4.4.4).
 */
#define MESSAGE_ATTRS                                                                    \
	{"ID", SAML_T_ID, true}, {"Version", SAML_T_STRING, true},                       \
		{"IssueInstant", SAML_T_TIME, true}, {"Destination", SAML_T_URI, false}, \
	{                                                                                \
		"Consent", SAML_T_URI, false                                             \
	}
#define MESSAGE_ROWS ONE(SAML, "Issuer"), OPT(DS, "Signature"), OPT(SAMLP, "Extensions")

#define NAME_QUALIFIERS                                 \
	{"NameQualifier", SAML_T_STRING, false},        \
	{                                               \
		"SPNameQualifier", SAML_T_STRING, false \
	}
#define NAMEID_ATTRS                                    \
	NAME_QUALIFIERS, {"Format", SAML_T_URI, false}, \
	{                                               \
		"SPProvidedID", SAML_T_STRING, false    \
	}

/* SAML2Metadata 2.2.2, 2.2.3, 2.4.1 */
#define ENDPOINT_ATTRS                                                 \
	{"Binding", SAML_T_URI, true}, {"Location", SAML_T_URI, true}, \
	{                                                              \
		"ResponseLocation", SAML_T_URI, false                  \
	}
#define ENDPOINT ATTRS(ENDPOINT_ATTRS), .other_attrs = true, ROWS(OTHER(0, 0))
#define INDEXED_ATTRS                                  \
	ENDPOINT_ATTRS, {"index", SAML_T_SHORT, true}, \
	{                                              \
		"isDefault", SAML_T_BOOL, false        \
	}
#define INDEXED ATTRS(INDEXED_ATTRS), .other_attrs = true, ROWS(OTHER(0, 0))
#define VALIDITY_ATTRS                                                \
	{"ID", SAML_T_ID, false}, {"validUntil", SAML_T_TIME, false}, \
	{                                                             \
		"cacheDuration", SAML_T_DURATION, false               \
	}
#define ROLE_ATTRS                                                         \
	VALIDITY_ATTRS, {"protocolSupportEnumeration", SAML_T_URIS, true}, \
	{                                                                  \
		"errorURL", SAML_T_URI, false                              \
	}
#define ROLE_ROWS                                                              \
	OPT(DS, "Signature"), OPT(MD, "Extensions"), ALL(MD, "KeyDescriptor"), \
		OPT(MD, "Organization"), ALL(MD, "ContactPerson")
#define SSO_ROWS                                                                         \
	ROLE_ROWS, ALL(MD, "ArtifactResolutionService"), ALL(MD, "SingleLogoutService"), \
		ALL(MD, "ManageNameIDService"), ALL(MD, "NameIDFormat")
#define LOCAL_TEXT(type) .lang = LANG_MUST, TEXT_OF(type)

static const struct element elements[] = {
	/* ---- protocol ---- */
	{SAMLP, "AuthnRequest",
	 ATTRS(MESSAGE_ATTRS, {"ForceAuthn", SAML_T_BOOL, false}, {"IsPassive", SAML_T_BOOL, false},
	       {"ProtocolBinding", SAML_T_URI, false},
	       {"AssertionConsumerServiceIndex", SAML_T_SHORT, false},
	       {"AssertionConsumerServiceURL", SAML_T_URI, false},
	       {"AttributeConsumingServiceIndex", SAML_T_SHORT, false},
	       {"ProviderName", SAML_T_STRING, false}),
	 ROWS(MESSAGE_ROWS, OPT(SAML, "Subject"), OPT(SAMLP, "NameIDPolicy"),
	      OPT(SAML, "Conditions"), OPT(SAMLP, "RequestedAuthnContext"), OPT(SAMLP, "Scoping"))},
	{SAMLP, "LogoutRequest",
	 ATTRS(MESSAGE_ATTRS, {"Reason", SAML_T_STRING, false},
	       {"NotOnOrAfter", SAML_T_TIME, false}),
	 ROWS(MESSAGE_ROWS, ONE(SAML, "NameID"), OR(SAML, "EncryptedID"),
	      ALL(SAMLP, "SessionIndex"))},
	{SAMLP, "LogoutResponse", ATTRS(MESSAGE_ATTRS, {"InResponseTo", SAML_T_NCNAME, false}),
	 ROWS(MESSAGE_ROWS, ONE(SAMLP, "Status"))},
	{SAMLP, "Response", ATTRS(MESSAGE_ATTRS, {"InResponseTo", SAML_T_NCNAME, false}),
	 ROWS(MESSAGE_ROWS, ONE(SAMLP, "Status"), ALL(SAML, "Assertion"),
	      OR(SAML, "EncryptedAssertion"))},
	{SAMLP, "AttributeQuery", ATTRS(MESSAGE_ATTRS),
	 ROWS(MESSAGE_ROWS, ONE(SAML, "Subject"), ALL(SAML, "Attribute"))},
	{SAMLP, "ArtifactResolve", ATTRS(MESSAGE_ATTRS),
	 ROWS(MESSAGE_ROWS, ONE(SAMLP, "Artifact"))},
	{SAMLP, "Artifact", TEXT_OF(SAML_T_STRING)},
	{SAMLP, "Extensions", ROWS(OTHER(1, 0))},
	{SAMLP, "NameIDPolicy", .content = EMPTY,
	 ATTRS({"Format", SAML_T_URI, false}, {"SPNameQualifier", SAML_T_STRING, false},
	       {"AllowCreate", SAML_T_BOOL, false})},
	{SAMLP, "RequestedAuthnContext", ATTRS({"Comparison", SAML_T_COMPARISON, false}),
	 ROWS(SOME(SAML, "AuthnContextClassRef"), OR(SAML, "AuthnContextDeclRef"))},
	{SAMLP, "Scoping", ATTRS({"ProxyCount", SAML_T_COUNT, false}),
	 ROWS(OPT(SAMLP, "IDPList"), ALL(SAMLP, "RequesterID"))},
	{SAMLP, "IDPList", ROWS(SOME(SAMLP, "IDPEntry"), OPT(SAMLP, "GetComplete"))},
	{SAMLP, "IDPEntry", .content = EMPTY,
	 ATTRS({"ProviderID", SAML_T_URI, true}, {"Name", SAML_T_STRING, false},
	       {"Loc", SAML_T_URI, false})},
	{SAMLP, "RequesterID", TEXT_OF(SAML_T_URI)},
	{SAMLP, "GetComplete", TEXT_OF(SAML_T_URI)},
	{SAMLP, "SessionIndex", TEXT_OF(SAML_T_STRING)},
	{SAMLP, "Status",
	 ROWS(ONE(SAMLP, "StatusCode"), OPT(SAMLP, "StatusMessage"), OPT(SAMLP, "StatusDetail"))},
	{SAMLP, "StatusCode", ATTRS({"Value", SAML_T_URI, true}), ROWS(OPT(SAMLP, "StatusCode"))},
	{SAMLP, "StatusMessage", TEXT_OF(SAML_T_STRING)},
	{SAMLP, "StatusDetail", ROWS(OTHER(0, 0))},

	/* ---- assertion ---- */
	/* Of a login, without Advice and without what we could not read (SAML2Profiles 4.1.4.2). */
	{SAML, "Assertion",
	 ATTRS({"ID", SAML_T_ID, true}, {"Version", SAML_T_STRING, true},
	       {"IssueInstant", SAML_T_TIME, true}),
	 ROWS(ONE(SAML, "Issuer"), OPT(DS, "Signature"), ONE(SAML, "Subject"),
	      ONE(SAML, "Conditions"), SOME(SAML, "AuthnStatement"),
	      OR(SAML, "AttributeStatement"))},
	{SAML, "EncryptedAssertion", .content = OPAQUE},
	{SAML, "AuthnStatement",
	 ATTRS({"AuthnInstant", SAML_T_TIME, true}, {"SessionIndex", SAML_T_STRING, false},
	       {"SessionNotOnOrAfter", SAML_T_TIME, false}),
	 ROWS(OPT(SAML, "SubjectLocality"), ONE(SAML, "AuthnContext"))},
	{SAML, "SubjectLocality", .content = EMPTY,
	 ATTRS({"Address", SAML_T_STRING, false}, {"DNSName", SAML_T_STRING, false})},
	{SAML, "AuthnContext",
	 ROWS(ONE(SAML, "AuthnContextClassRef"), OPT(SAML, "AuthnContextDecl"),
	      OR(SAML, "AuthnContextDeclRef"), ALL(SAML, "AuthenticatingAuthority"))},
	{SAML, "AuthnContextDecl", .content = ANY, .other_attrs = true},
	{SAML, "AuthnContextDeclRef", TEXT_OF(SAML_T_URI)},
	{SAML, "AuthenticatingAuthority", TEXT_OF(SAML_T_URI)},
	{SAML, "AttributeStatement", ROWS(SOME(SAML, "Attribute"))},
	{SAML, "Issuer", ATTRS(NAMEID_ATTRS), TEXT_OF(SAML_T_STRING)},
	{SAML, "NameID", ATTRS(NAMEID_ATTRS), TEXT_OF(SAML_T_STRING)},
	{SAML, "EncryptedID", .content = OPAQUE},
	{SAML, "Subject",
	 ROWS(ONE(SAML, "NameID"), OR(SAML, "EncryptedID"), ALL(SAML, "SubjectConfirmation"))},
	{SAML, "SubjectConfirmation", ATTRS({"Method", SAML_T_URI, true}),
	 ROWS(OPT(SAML, "NameID"), OR(SAML, "EncryptedID"), OPT(SAML, "SubjectConfirmationData"))},
	{SAML, "SubjectConfirmationData", .content = ANY, .other_attrs = true,
	 ATTRS({"NotBefore", SAML_T_TIME, false}, {"NotOnOrAfter", SAML_T_TIME, false},
	       {"Recipient", SAML_T_URI, false}, {"InResponseTo", SAML_T_NCNAME, false},
	       {"Address", SAML_T_STRING, false})},
	{SAML, "Conditions",
	 ATTRS({"NotBefore", SAML_T_TIME, false}, {"NotOnOrAfter", SAML_T_TIME, false}),
	 ROWS(ALL(SAML, "AudienceRestriction"), OR(SAML, "OneTimeUse"),
	      OR(SAML, "ProxyRestriction"))},
	{SAML, "AudienceRestriction", ROWS(SOME(SAML, "Audience"))},
	{SAML, "Audience", TEXT_OF(SAML_T_URI)},
	{SAML, "OneTimeUse", .content = EMPTY},
	{SAML, "ProxyRestriction", ATTRS({"Count", SAML_T_COUNT, false}),
	 ROWS(ALL(SAML, "Audience"))},
	/* xs:anyURI, of which portals know nothing: opaque words, as BundID has them. */
	{SAML, "AuthnContextClassRef", TEXT_OF(SAML_T_STRING)},
	{SAML, "AuthnContextDeclRef", TEXT_OF(SAML_T_STRING)},
	{SAML, "Attribute", .other_attrs = true,
	 ATTRS({"Name", SAML_T_STRING, true}, {"NameFormat", SAML_T_URI, false},
	       {"FriendlyName", SAML_T_STRING, false}),
	 ROWS(ALL(SAML, "AttributeValue"))},
	{SAML, "AttributeValue", .content = ANY, .other_attrs = true},

	/* ---- metadata ---- */
	{MD, "EntitiesDescriptor", ATTRS(VALIDITY_ATTRS, {"Name", SAML_T_STRING, false}),
	 ROWS(OPT(DS, "Signature"), OPT(MD, "Extensions"), SOME(MD, "EntityDescriptor"),
	      OR(MD, "EntitiesDescriptor"))},
	{MD, "EntityDescriptor", ATTRS(VALIDITY_ATTRS, {"entityID", SAML_T_URI, true}),
	 .other_attrs = true,
	 ROWS(OPT(DS, "Signature"), OPT(MD, "Extensions"), SOME(MD, "IDPSSODescriptor"),
	      OR(MD, "SPSSODescriptor"), OR(MD, "AuthnAuthorityDescriptor"),
	      OR(MD, "AttributeAuthorityDescriptor"), OR(MD, "PDPDescriptor"),
	      OPT(MD, "Organization"), ALL(MD, "ContactPerson"),
	      ALL(MD, "AdditionalMetadataLocation"))},
	{MD, "Extensions", ROWS(OTHER(1, 0))},
	{MD, "IDPSSODescriptor", ATTRS(ROLE_ATTRS, {"WantAuthnRequestsSigned", SAML_T_BOOL, false}),
	 .other_attrs = true,
	 ROWS(SSO_ROWS, SOME(MD, "SingleSignOnService"), ALL(MD, "NameIDMappingService"),
	      ALL(MD, "AssertionIDRequestService"), ALL(MD, "AttributeProfile"),
	      ALL(SAML, "Attribute"))},
	{MD, "SPSSODescriptor",
	 ATTRS(ROLE_ATTRS, {"AuthnRequestsSigned", SAML_T_BOOL, false},
	       {"WantAssertionsSigned", SAML_T_BOOL, false}),
	 .other_attrs = true,
	 ROWS(SSO_ROWS, SOME(MD, "AssertionConsumerService"),
	      ALL(MD, "AttributeConsumingService"))},
	{MD, "AuthnAuthorityDescriptor", ATTRS(ROLE_ATTRS), .other_attrs = true,
	 ROWS(ROLE_ROWS, SOME(MD, "AuthnQueryService"), ALL(MD, "AssertionIDRequestService"),
	      ALL(MD, "NameIDFormat"))},
	{MD, "AttributeAuthorityDescriptor", ATTRS(ROLE_ATTRS), .other_attrs = true,
	 ROWS(ROLE_ROWS, SOME(MD, "AttributeService"), ALL(MD, "AssertionIDRequestService"),
	      ALL(MD, "NameIDFormat"), ALL(MD, "AttributeProfile"), ALL(SAML, "Attribute"))},
	{MD, "PDPDescriptor", ATTRS(ROLE_ATTRS), .other_attrs = true,
	 ROWS(ROLE_ROWS, SOME(MD, "AuthzService"), ALL(MD, "AssertionIDRequestService"),
	      ALL(MD, "NameIDFormat"))},
	{MD, "KeyDescriptor", ATTRS({"use", SAML_T_KEY_USE, false}),
	 ROWS(ONE(DS, "KeyInfo"), ALL(MD, "EncryptionMethod"))},
	{MD, "EncryptionMethod", ATTRS({"Algorithm", SAML_T_URI, true}),
	 ROWS(OPT(SAML_NS_XENC, "KeySize"), OPT(SAML_NS_XENC, "OAEPparams"),
	      ALL(DS, "DigestMethod"), OR(SAML_NS_XENC11, "MGF"))},
	{MD, "ArtifactResolutionService", INDEXED},
	{MD, "AssertionConsumerService", INDEXED},
	{MD, "SingleLogoutService", ENDPOINT},
	{MD, "ManageNameIDService", ENDPOINT},
	{MD, "SingleSignOnService", ENDPOINT},
	{MD, "NameIDMappingService", ENDPOINT},
	{MD, "AssertionIDRequestService", ENDPOINT},
	{MD, "AuthnQueryService", ENDPOINT},
	{MD, "AttributeService", ENDPOINT},
	{MD, "AuthzService", ENDPOINT},
	{MD, "NameIDFormat", TEXT_OF(SAML_T_URI)},
	{MD, "AttributeProfile", TEXT_OF(SAML_T_URI)},
	{MD, "AttributeConsumingService",
	 ATTRS({"index", SAML_T_SHORT, true}, {"isDefault", SAML_T_BOOL, false}),
	 ROWS(SOME(MD, "ServiceName"), ALL(MD, "ServiceDescription"),
	      SOME(MD, "RequestedAttribute"))},
	{MD, "ServiceName", LOCAL_TEXT(SAML_T_STRING)},
	{MD, "ServiceDescription", LOCAL_TEXT(SAML_T_STRING)},
	{MD, "RequestedAttribute", .other_attrs = true,
	 ATTRS({"Name", SAML_T_STRING, true}, {"NameFormat", SAML_T_URI, false},
	       {"FriendlyName", SAML_T_STRING, false}, {"isRequired", SAML_T_BOOL, false}),
	 ROWS(ALL(SAML, "AttributeValue"))},
	{MD, "Organization", .other_attrs = true,
	 ROWS(OPT(MD, "Extensions"), SOME(MD, "OrganizationName"),
	      SOME(MD, "OrganizationDisplayName"), SOME(MD, "OrganizationURL"))},
	{MD, "OrganizationName", LOCAL_TEXT(SAML_T_STRING)},
	{MD, "OrganizationDisplayName", LOCAL_TEXT(SAML_T_STRING)},
	{MD, "OrganizationURL", LOCAL_TEXT(SAML_T_URI)},
	{MD, "ContactPerson", ATTRS({"contactType", SAML_T_CONTACT, true}), .other_attrs = true,
	 ROWS(OPT(MD, "Extensions"), OPT(MD, "Company"), OPT(MD, "GivenName"), OPT(MD, "SurName"),
	      ALL(MD, "EmailAddress"), ALL(MD, "TelephoneNumber"))},
	{MD, "Company", TEXT_OF(SAML_T_STRING)},
	{MD, "GivenName", TEXT_OF(SAML_T_STRING)},
	{MD, "SurName", TEXT_OF(SAML_T_STRING)},
	{MD, "EmailAddress", TEXT_OF(SAML_T_URI)},
	{MD, "TelephoneNumber", TEXT_OF(SAML_T_STRING)},
	{MD, "AdditionalMetadataLocation", ATTRS({"namespace", SAML_T_URI, true}),
	 TEXT_OF(SAML_T_URI)},

	/* ---- what metadata uses of other schemas ---- */
	{MDUI, "UIInfo",
	 ROWS(ALL(MDUI, "DisplayName"), OR(MDUI, "Description"), OR(MDUI, "Keywords"),
	      OR(MDUI, "Logo"), OR(MDUI, "InformationURL"), OR(MDUI, "PrivacyStatementURL"),
	      OR(NULL, NULL))},
	{MDUI, "DisplayName", LOCAL_TEXT(SAML_T_STRING)},
	{MDUI, "Description", LOCAL_TEXT(SAML_T_STRING)},
	{MDUI, "Keywords", LOCAL_TEXT(SAML_T_STRING)},
	{MDUI, "Logo", .lang = LANG_MAY, TEXT_OF(SAML_T_LOGO),
	 ATTRS({"height", SAML_T_POSITIVE, true}, {"width", SAML_T_POSITIVE, true})},
	{MDUI, "InformationURL", LOCAL_TEXT(SAML_T_URI)},
	{MDUI, "PrivacyStatementURL", LOCAL_TEXT(SAML_T_URI)},
	{MDUI, "DiscoHints",
	 ROWS(ALL(MDUI, "IPHint"), OR(MDUI, "DomainHint"), OR(MDUI, "GeolocationHint"),
	      OR(NULL, NULL))},
	{MDUI, "IPHint", TEXT_OF(SAML_T_STRING)},
	{MDUI, "DomainHint", TEXT_OF(SAML_T_STRING)},
	{MDUI, "GeolocationHint", TEXT_OF(SAML_T_URI)},
	{DS, "Signature", .content = OPAQUE},
	/* No Id: xml_parse sees to it that IDs are unique, and knows only SAML's own. */
	{DS, "KeyInfo",
	 ROWS(SOME(DS, "KeyName"), OR(DS, "KeyValue"), OR(DS, "X509Data"), OR(NULL, NULL))},
	{DS, "KeyName", TEXT_OF(SAML_T_STRING)},
	{DS, "KeyValue", ROWS(ONE(DS, "RSAKeyValue"), OR(NULL, NULL))},
	{DS, "RSAKeyValue", ROWS(ONE(DS, "Modulus"), ONE(DS, "Exponent"))},
	{DS, "Modulus", TEXT_OF(SAML_T_BASE64)},
	{DS, "Exponent", TEXT_OF(SAML_T_BASE64)},
	{DS, "X509Data",
	 ROWS(SOME(DS, "X509IssuerSerial"), OR(DS, "X509SKI"), OR(DS, "X509SubjectName"),
	      OR(DS, "X509Certificate"), OR(NULL, NULL))},
	{DS, "X509IssuerSerial", ROWS(ONE(DS, "X509IssuerName"), ONE(DS, "X509SerialNumber"))},
	{DS, "X509IssuerName", TEXT_OF(SAML_T_STRING)},
	{DS, "X509SerialNumber", TEXT_OF(SAML_T_INTEGER)},
	{DS, "X509SKI", TEXT_OF(SAML_T_BASE64)},
	{DS, "X509SubjectName", TEXT_OF(SAML_T_STRING)},
	{DS, "X509Certificate", TEXT_OF(SAML_T_BASE64)},
	{DS, "DigestMethod", ATTRS({"Algorithm", SAML_T_URI, true}), ROWS(OTHER(0, 0))},
	{SAML_NS_ALG, "DigestMethod", ATTRS({"Algorithm", SAML_T_URI, true}), ROWS(OTHER(0, 0))},
	{SAML_NS_ALG, "SigningMethod",
	 ATTRS({"Algorithm", SAML_T_URI, true}, {"MinKeySize", SAML_T_POSITIVE, false},
	       {"MaxKeySize", SAML_T_POSITIVE, false}),
	 ROWS(OTHER(0, 0))},
	{SAML_NS_XENC, "KeySize", TEXT_OF(SAML_T_INTEGER)},
	{SAML_NS_XENC, "OAEPparams", TEXT_OF(SAML_T_BASE64)},
	{SAML_NS_XENC11, "MGF", .content = EMPTY, ATTRS({"Algorithm", SAML_T_URI, true})},
};

/* ---- the walk ---- */

static const struct element *
element_find(const struct xml_node *n)
{
	for (size_t i = 0; i < ARRAY_LEN(elements); i++)
		if (xml_is(n, elements[i].ns, elements[i].name))
			return &elements[i];
	return NULL;
}

/* A namespace of the table: its elements are known, or they have no business here. */
static bool
is_known_ns(const char *ns)
{
	for (size_t i = 0; i < ARRAY_LEN(elements); i++)
		if (strcmp(elements[i].ns, ns) == 0)
			return true;
	return false;
}

/*
 * xsi:type and xsi:nil would change what an element may hold, and xml:* stands
 * only where a schema says so; both are let through by xml_check_attrs.
 */
static bool
check_reserved_attrs(const struct xml_node *n, const struct element *e, struct err *err)
{
	const char *lang = xml_attr_ns(n, SAML_NS_XML, "lang");

	if (lang != NULL ? e->lang != LANG_NONE && !saml_is_language(lang) : e->lang == LANG_MUST)
		return FAIL(err, ERR_INPUT, NULL, "<%s> has no xml:lang", e->name);
	if (xml_attr_ns(n, SAML_NS_XSI, "nil") != NULL ||
	    (e->content != ANY && xml_attr_ns(n, SAML_NS_XSI, "type") != NULL))
		return FAIL(err, ERR_INPUT, NULL, "<%s> has an xsi:type or xsi:nil", e->name);
	if ((lang != NULL && e->lang == LANG_NONE) ||
	    xml_attr_ns(n, SAML_NS_XML, "space") != NULL ||
	    xml_attr_ns(n, SAML_NS_XML, "base") != NULL ||
	    xml_attr_ns(n, SAML_NS_XML, "id") != NULL)
		return FAIL(err, ERR_INPUT, NULL, "<%s> has an unexpected attribute of XML's own",
			    e->name);
	return true;
}

static bool
check_attrs(struct arena *a, const struct xml_node *n, const struct element *e, struct err *err)
{
	const char *names[MAX_ATTRS + 1] = {NULL};

	for (size_t i = 0; i < e->n_attrs; i++)
		names[i] = e->attrs[i].name;
	if (!xml_check_attrs(n, names, e->other_attrs, err))
		return false;
	for (size_t i = 0; i < e->n_attrs; i++) {
		const struct attr *at = &e->attrs[i];
		const char *value = xml_attr(n, at->name);

		if (value == NULL && at->required)
			return FAIL(err, ERR_INPUT, NULL, "<%s> has no attribute %s", e->name,
				    at->name);
		if (value != NULL && !saml_value_is(a, value, at->type))
			return FAIL(err, ERR_INPUT, NULL, "%s of <%s> is not %s", at->name, e->name,
				    saml_type_name(at->type));
	}
	return check_reserved_attrs(n, e, err);
}

/* White space around all but strings does not belong to the value (xs:whiteSpace collapse). */
static bool
check_text(struct arena *a, const struct xml_node *n, const struct element *e, struct err *err)
{
	const char *text;

	if (!xml_text(a, n, &text, err))
		return false;
	if (e->content == EMPTY)
		return text[0] == '\0' || FAIL(err, ERR_INPUT, NULL, "<%s> is not empty", e->name);
	if (!saml_value_is(a, e->text == SAML_T_STRING ? text : text_trim(a, text), e->text))
		return FAIL(err, ERR_INPUT, NULL, "<%s> is not %s", e->name,
			    saml_type_name(e->text));
	return true;
}

/* Anything goes, but a stated type of XML Schema is xs:string and means it. */
static bool
check_any(struct arena *a, const struct xml_node *n, const struct element *e, struct err *err)
{
	const char *ns, *name, *text;

	/*
	 * Exclusive C14N leaves out what only a value names (its clause 1.3), so of what was signed
	 * without InclusiveNamespaces the prefix is gone: SimpleSAMLphp signs so.  The usual words
	 * are then taken for what they are everywhere.
	 */
	if (!xml_xsi_type(a, n, &ns, &name, NULL) &&
	    text_eq(xml_attr_ns(n, SAML_NS_XSI, "type"), "xs:string"))
		return xml_text(a, n, &text, err);
	if (!xml_xsi_type(a, n, &ns, &name, err))
		return false;
	if (name == NULL)
		return true;
	/* A type of the sender's own (eIDAS, EKONA), of which we know no more than of its element.
	 */
	if (ns[0] != '\0' && strcmp(ns, SAML_NS_XS) != 0 && !is_known_ns(ns))
		return true;
	if (strcmp(ns, SAML_NS_XS) != 0 || strcmp(name, "string") != 0)
		return FAIL(err, ERR_INPUT, NULL, "<%s> has an xsi:type other than xs:string",
			    e->name);
	return xml_text(a, n, &text, err);
}

static bool
check_one(struct arena *a, const struct xml_node *n, const struct element *e, struct err *err)
{
	if (e->content == OPAQUE)
		return true;
	if (!check_attrs(a, n, e, err))
		return false;
	switch (e->content) {
	case CHILDREN:
		return xml_check_children(n, e->rows, e->n_rows, err);
	case EMPTY:
	case TEXT:
		return check_text(a, n, e, err);
	case ANY:
		return check_any(a, n, e, err);
	default:
		return true;
	}
}

/*
 * The children of n, an element that is `of` (NULL: a foreign one).  ##other,
 * the only wildcard beside ANY, takes no element without a namespace.  Depth is
 * bounded by xml_parse.
 */
static bool
check_below(struct arena *a, const struct xml_node *n, const struct element *of, struct err *err)
{
	if (of != NULL && of->content == OPAQUE)
		return true;
	for (const struct xml_node *c = xml_first(n); c != NULL; c = xml_next(c)) {
		const struct element *e = element_find(c);
		bool nameless = xml_ns(c)[0] == '\0' && of != NULL && of->content == CHILDREN;

		if (e == NULL && (nameless || is_known_ns(xml_ns(c))))
			return FAIL(err, ERR_INPUT, NULL, "<%s> is not an element we know",
				    xml_name(c));
		if ((e != NULL && !check_one(a, c, e, err)) || !check_below(a, c, e, err))
			return false;
	}
	return true;
}

bool
saml_schema_check(struct arena *a, const struct xml_node *n, struct err *err)
{
	const struct element *e = element_find(n);

	if (e == NULL)
		return FAIL(err, ERR_INPUT, NULL, "<%s> is not an element we know", xml_name(n));
	return check_one(a, n, e, err) && check_below(a, n, e, err);
}

const char *
saml_schema_order(struct arena *a, const struct xml_node *root)
{
	const struct element *e = NULL;
	const char *order = "";

	for (const struct xml_node *n = root; n != NULL; n = xml_next_in_document(n)) {
		e = element_find(n);
		if (e != NULL && e->content == CHILDREN &&
		    !xml_check_children(n, e->rows, e->n_rows, NULL))
			break;
		e = NULL;
	}
	if (e == NULL)
		return NULL;
	for (size_t i = 0; i < e->n_rows; i++) {
		const struct xml_row *row = &e->rows[i];

		order = arena_printf(a, "%s%s%s", order,
				     i == 0     ? ""
				     : row->alt ? " or "
						: ", ",
				     row->name == NULL ? "others" : row->name);
	}
	return arena_printf(a, "in %s stand, in this order: %s", e->name, order);
}
