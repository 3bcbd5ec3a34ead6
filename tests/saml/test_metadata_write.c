/* saml/metadata_write.c: our own description, read by the schemas and by our verifier. */
#include "saml/metadata_write.h"

#include "base/enc.h"
#include "saml/names.h"
#include "saml/nameid.h"
#include "saml/suite.h"
#include "tests/saml/portal.h"
#include "tests/saml/xsd.h"
#include "tests/test.h"

#define MD SAML_NS_METADATA

static struct arena *a;
static struct test_keys *keys;

static const struct saml_text name_texts[] = {{"de", "Servicekonto \xc3\xa4\"<&>"},
					      {"en", "Service account"}};
static const struct saml_text url_texts[] = {{"de", "https://konto.example/"}};
static const struct saml_published_contact contacts[] = {
	{"technical", "Betrieb", "betrieb@konto.example", NULL},
	{"administrative", "Leitstelle", "leitstelle@konto.example", NULL},
	{"support", NULL, "hilfe@konto.example", NULL},
	{"other", "Sicherheit", "sicherheit@konto.example", "Meldestelle"},
	{"other", "Weiteres", NULL, NULL},
};
static const char *const levels[] = {"http://eidas.europa.eu/LoA/low",
				     "http://eidas.europa.eu/LoA/substantial"};
static const char *const category[] = {
	"http://www.geant.net/uri/dataprotection-code-of-conduct/v1"};
static const struct saml_entity_attribute entity_attributes[] = {
	{SAML_ENTITY_ASSURANCE, levels, 2},
	{SAML_ENTITY_CATEGORY, NULL, 0},
	{SAML_ENTITY_SUPPORTED, category, 1},
};
static const char *const never[] = {"a value that must not show"};
static const struct saml_attribute attributes[] = {
	{.name = "urn:oid:2.5.4.42",
	 .name_format = SAML_ATTRNAME_URI,
	 .friendly_name = "givenName",
	 .values = never,
	 .n_values = 1},
	{.name = "Name", .name_format = SAML_ATTRNAME_BASIC},
};

static struct saml_published_key signing[2], encryption[2];

static struct saml_description
description(void)
{
	signing[0] = (struct saml_published_key){keys->p256.cert, KEY_P256};
	signing[1] = (struct saml_published_key){keys->rsa.cert, KEY_RSA3072};
	encryption[0] = (struct saml_published_key){keys->dec_p256.cert, KEY_P256};
	encryption[1] = (struct saml_published_key){keys->dec_rsa.cert, KEY_RSA3072};
	return (struct saml_description){
		.entity_id = "https://konto.example/saml/metadata",
		.id = "_metadata1",
		.valid_until = portal_now() + 86400,
		.cache_s = 21600,
		.entity_attributes = entity_attributes,
		.n_entity_attributes = ARRAY_LEN(entity_attributes),
		.nameid_formats = SAML_NAMEID_IS_TRANSIENT | SAML_NAMEID_IS_PERSISTENT,
		.ui = {.display_name = {name_texts, 2},
		       .description = {name_texts, 1},
		       .information_url = {url_texts, 1},
		       .privacy_url = {url_texts, 1},
		       .logo_url = "https://konto.example/logo.png",
		       .logo_width = 80,
		       .logo_height = 60},
		.sso_url = PORTAL_SSO,
		.slo_url = PORTAL_SLO,
		.sso_soap_url = PORTAL_SSO "/soap",
		.slo_soap_url = PORTAL_SLO "/soap",
		.attribute_url = "https://konto.example/saml/attributes",
		.artifact_url = "https://konto.example/saml/artifact",
		.want_authn_requests_signed = true,
		.signing = signing,
		.n_signing = 2,
		.encryption = encryption,
		.n_encryption = 2,
		.organization_name = {name_texts, 2},
		.organization_display_name = {name_texts, 2},
		.organization_url = {url_texts, 1},
		.contacts = contacts,
		.n_contacts = ARRAY_LEN(contacts),
		.attributes = attributes,
		.n_attributes = ARRAY_LEN(attributes),
	};
}

static const struct xml_node *
built(const struct saml_description *d)
{
	struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	struct saml_keys ours = {&keys->p256.pub, 1};
	struct saml_signed *verified;
	struct err err = {0};
	struct bytes xml;

	ASSERT_OK(saml_metadata_build(a, d, &signer, &xml, &err), &err);
	assert_schema_valid(a, xml);
	assert_null(memmem(xml.p, xml.n, never[0], strlen(never[0])));
	ASSERT_OK(xmlsig_verify(a, parse_xml(a, text_of(a, xml)), ours, &verified, &err), &err);
	return saml_signed_root(verified);
}

static const struct xml_node *
child(const struct xml_node *n, const char *name)
{
	return portal_child(n, MD, name);
}

/* Child number i of this name; NULL past the last. */
static const struct xml_node *
nth(const struct xml_node *n, const char *ns, const char *name, size_t i)
{
	for (const struct xml_node *c = xml_first(n); c != NULL; c = xml_next(c))
		if (xml_is(c, ns, name) && i-- == 0)
			return c;
	return NULL;
}

static void
test_the_entity_is_described_and_signed(void **state)
{
	struct saml_description d = description();
	const struct xml_node *root = built(&d), *role = child(root, "IDPSSODescriptor");

	(void)state;
	assert_string_equal(xml_attr(root, "entityID"), d.entity_id);
	assert_string_equal(xml_attr(root, "ID"), "_metadata1");
	assert_string_equal(xml_attr(root, "validUntil"), "2026-11-24T18:00:10Z");
	assert_string_equal(xml_attr(root, "cacheDuration"), "PT21600S");
	assert_string_equal(xml_attr(role, "WantAuthnRequestsSigned"), "true");
	assert_string_equal(xml_attr(role, "protocolSupportEnumeration"), SAML_NS_PROTOCOL);
	d.want_authn_requests_signed = false;
	assert_string_equal(
		xml_attr(child(built(&d), "IDPSSODescriptor"), "WantAuthnRequestsSigned"), "false");
}

static void
test_nameid_formats_are_those_that_may_be_given(void **state)
{
	static const char *const all[] = {SAML_NAMEID_TRANSIENT, SAML_NAMEID_PERSISTENT,
					  SAML_NAMEID_EMAIL};
	struct saml_description d = description();

	(void)state;
	for (unsigned set = 0; set < 8; set++) {
		size_t n = 0;

		d.nameid_formats = set;
		const struct xml_node *role = child(built(&d), "IDPSSODescriptor");

		for (size_t i = 0; i < ARRAY_LEN(all); i++)
			if (set & saml_nameid_format_bit(all[i]))
				assert_string_equal(
					portal_text(a, nth(role, MD, "NameIDFormat", n++)), all[i]);
		assert_null(nth(role, MD, "NameIDFormat", n));
	}
}

/* The SigningMethod of this URI; NULL: not listed. */
static const struct xml_node *
method_listed(const struct xml_node *extensions, const char *uri)
{
	const struct xml_node *found = NULL, *m;

	for (size_t i = 0; (m = nth(extensions, SAML_NS_ALG, "SigningMethod", i)) != NULL; i++) {
		if (strcmp(xml_attr(m, "Algorithm"), uri) != 0)
			continue;
		assert_null(found); /* once, though rows share it */
		found = m;
	}
	return found;
}

static void
test_algorithms_are_those_that_we_verify(void **state)
{
	struct saml_description d = description();

	(void)state;
	for (int old = 0; old < 2; old++) {
		d.old = old;
		const struct xml_node *ext = child(built(&d), "Extensions");
		const struct saml_suite *s;
		const char *digest;
		size_t i;

		for (i = 0; (digest = saml_digest_at(i)) != NULL; i++)
			assert_string_equal(
				xml_attr(nth(ext, SAML_NS_ALG, "DigestMethod", i), "Algorithm"),
				digest);
		assert_null(nth(ext, SAML_NS_ALG, "DigestMethod", i));
		for (i = 0; (s = saml_suite_at(i)) != NULL; i++) {
			const struct xml_node *m = method_listed(ext, s->uri);
			bool rsa = strcmp(s->how.key, "RSA") == 0;

			assert_int_equal(m != NULL, !s->old || old);
			if (m == NULL)
				continue;
			assert_string_equal(xml_attr(m, "MinKeySize"), rsa ? "2048" : "256");
			assert_string_equal(xml_attr(m, "MaxKeySize"), rsa ? "16384" : "521");
		}
	}
}

static void
test_entity_attributes_are_those_with_values(void **state)
{
	struct saml_description d = description();
	const struct xml_node *ext = child(built(&d), "Extensions");
	const struct xml_node *list = nth(ext, SAML_NS_ATTRIBUTE, "EntityAttributes", 0), *at;

	(void)state;
	at = nth(list, SAML_NS_ASSERTION, "Attribute", 0);
	assert_string_equal(xml_attr(at, "Name"), SAML_ENTITY_ASSURANCE);
	assert_string_equal(xml_attr(at, "NameFormat"), SAML_ATTRNAME_URI);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(portal_text(a, nth(at, SAML_NS_ASSERTION, "AttributeValue", i)),
				    levels[i]);
	at = nth(list, SAML_NS_ASSERTION, "Attribute", 1);
	assert_string_equal(xml_attr(at, "Name"), SAML_ENTITY_SUPPORTED);
	assert_null(nth(list, SAML_NS_ASSERTION, "Attribute", 2));
	d.n_entity_attributes = 0;
	ext = child(built(&d), "Extensions");
	assert_null(nth(ext, SAML_NS_ATTRIBUTE, "EntityAttributes", 0));
}

static void
test_people_are_shown_a_name(void **state)
{
	struct saml_description d = description();
	const struct xml_node *role = child(built(&d), "IDPSSODescriptor");
	const struct xml_node *ui = nth(child(role, "Extensions"), SAML_NS_MDUI, "UIInfo", 0);
	const struct xml_node *logo = nth(ui, SAML_NS_MDUI, "Logo", 0);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct xml_node *n = nth(ui, SAML_NS_MDUI, "DisplayName", i);

		assert_string_equal(portal_text(a, n), name_texts[i].text);
		assert_string_equal(xml_attr_ns(n, SAML_NS_XML, "lang"), name_texts[i].lang);
	}
	assert_string_equal(portal_text(a, nth(ui, SAML_NS_MDUI, "Description", 0)),
			    name_texts[0].text);
	assert_string_equal(portal_text(a, nth(ui, SAML_NS_MDUI, "InformationURL", 0)),
			    url_texts[0].text);
	assert_string_equal(portal_text(a, nth(ui, SAML_NS_MDUI, "PrivacyStatementURL", 0)),
			    url_texts[0].text);
	assert_string_equal(portal_text(a, logo), "https://konto.example/logo.png");
	assert_string_equal(xml_attr(logo, "width"), "80");
	assert_string_equal(xml_attr(logo, "height"), "60");
	d.ui.logo_url = NULL;
	d.ui.description.n = 0;
	ui = nth(child(child(built(&d), "IDPSSODescriptor"), "Extensions"), SAML_NS_MDUI, "UIInfo",
		 0);
	assert_null(nth(ui, SAML_NS_MDUI, "Logo", 0));
	assert_null(nth(ui, SAML_NS_MDUI, "Description", 0));
	d.ui.display_name.n = 0;
	assert_null(nth(child(built(&d), "IDPSSODescriptor"), MD, "Extensions", 0));
}

static void
test_endpoints_follow_the_table_of_bindings(void **state)
{
	struct saml_description d = description();
	const struct xml_node *role = child(built(&d), "IDPSSODescriptor");
	const struct saml_binding_row *row;
	size_t sso = 0, slo = 0;

	(void)state;
	for (size_t i = 0; (row = saml_binding_at(i)) != NULL; i++) {
		if (row->for_request) {
			const struct xml_node *n = nth(role, MD, "SingleSignOnService", sso++);

			assert_string_equal(xml_attr(n, "Binding"), row->uri);
			assert_string_equal(xml_attr(n, "Location"), row->id == SAML_BINDING_SOAP
									     ? PORTAL_SSO "/soap"
									     : PORTAL_SSO);
		}
		if (row->for_logout) {
			const struct xml_node *n = nth(role, MD, "SingleLogoutService", slo++);

			assert_string_equal(xml_attr(n, "Binding"), row->uri);
			assert_string_equal(xml_attr(n, "Location"), row->id == SAML_BINDING_SOAP
									     ? PORTAL_SLO "/soap"
									     : PORTAL_SLO);
		}
	}
	assert_int_equal(sso, 3);
	assert_int_equal(slo, 3);
	assert_null(nth(role, MD, "SingleSignOnService", sso));
	assert_null(nth(role, MD, "SingleLogoutService", slo));
}

static void
test_whom_to_ask_without_a_login_is_a_role_of_its_own(void **state)
{
	struct saml_description d = description();
	const struct xml_node *role = child(built(&d), "AttributeAuthorityDescriptor");
	const struct xml_node *service = nth(role, MD, "AttributeService", 0);

	(void)state;
	assert_string_equal(xml_attr(role, "protocolSupportEnumeration"), SAML_NS_PROTOCOL);
	assert_string_equal(xml_attr(service, "Binding"), SAML_BINDING_URI_SOAP);
	assert_string_equal(xml_attr(service, "Location"), "https://konto.example/saml/attributes");
	assert_null(nth(role, MD, "AttributeService", 1));
	/* By an address nobody is asked about. */
	d.nameid_formats |= SAML_NAMEID_IS_EMAIL;
	role = child(built(&d), "AttributeAuthorityDescriptor");
	assert_string_equal(portal_text(a, nth(role, MD, "NameIDFormat", 0)),
			    SAML_NAMEID_TRANSIENT);
	assert_string_equal(portal_text(a, nth(role, MD, "NameIDFormat", 1)),
			    SAML_NAMEID_PERSISTENT);
	assert_null(nth(role, MD, "NameIDFormat", 2));
	assert_non_null(nth(role, MD, "KeyDescriptor", 0));
	assert_non_null(nth(role, SAML_NS_ASSERTION, "Attribute", 0));
}

static void
check_key(const struct xml_node *n, const char *use, struct bytes cert)
{
	const struct xml_node *info = nth(n, SAML_NS_DS, "KeyInfo", 0);
	const struct xml_node *data = nth(info, SAML_NS_DS, "X509Data", 0);

	assert_string_equal(xml_attr(n, "use"), use);
	assert_string_equal(portal_text(a, nth(data, SAML_NS_DS, "X509Certificate", 0)),
			    enc_base64(a, cert));
}

static void
test_all_keys_are_published_with_what_they_open(void **state)
{
	struct saml_description d = description();
	const struct xml_node *role = child(built(&d), "IDPSSODescriptor");
	static const char *const ec[] = {"http://www.w3.org/2009/xmlenc11#aes256-gcm",
					 "http://www.w3.org/2009/xmlenc11#aes128-gcm",
					 "http://www.w3.org/2001/04/xmlenc#kw-aes256",
					 "http://www.w3.org/2001/04/xmlenc#kw-aes128",
					 "http://www.w3.org/2009/xmlenc11#ECDH-ES"};
	static const char *const rsa[] = {"http://www.w3.org/2009/xmlenc11#aes256-gcm",
					  "http://www.w3.org/2009/xmlenc11#aes128-gcm",
					  "http://www.w3.org/2009/xmlenc11#rsa-oaep",
					  "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"};
	const struct xml_node *n;

	(void)state;
	check_key(nth(role, MD, "KeyDescriptor", 0), "signing", keys->p256.cert);
	check_key(nth(role, MD, "KeyDescriptor", 1), "signing", keys->rsa.cert);
	n = nth(role, MD, "KeyDescriptor", 2);
	check_key(n, "encryption", keys->dec_p256.cert);
	for (size_t i = 0; i < ARRAY_LEN(ec); i++)
		assert_string_equal(xml_attr(nth(n, MD, "EncryptionMethod", i), "Algorithm"),
				    ec[i]);
	assert_null(nth(n, MD, "EncryptionMethod", ARRAY_LEN(ec)));
	n = nth(role, MD, "KeyDescriptor", 3);
	check_key(n, "encryption", keys->dec_rsa.cert);
	for (size_t i = 0; i < ARRAY_LEN(rsa); i++)
		assert_string_equal(xml_attr(nth(n, MD, "EncryptionMethod", i), "Algorithm"),
				    rsa[i]);
	assert_null(nth(n, MD, "EncryptionMethod", ARRAY_LEN(rsa)));
	n = nth(n, MD, "EncryptionMethod", 2);
	assert_string_equal(xml_attr(nth(n, SAML_NS_DS, "DigestMethod", 0), "Algorithm"),
			    "http://www.w3.org/2001/04/xmlenc#sha256");
	assert_string_equal(xml_attr(nth(n, SAML_NS_XENC11, "MGF", 0), "Algorithm"),
			    "http://www.w3.org/2009/xmlenc11#mgf1sha256");
	assert_null(nth(role, MD, "KeyDescriptor", 4));
}

static void
test_organization_and_contacts_are_written(void **state)
{
	struct saml_description d = description();
	const struct xml_node *root = built(&d), *org = child(root, "Organization");

	(void)state;
	assert_string_equal(portal_text(a, nth(org, MD, "OrganizationName", 0)),
			    name_texts[0].text);
	assert_string_equal(portal_text(a, nth(org, MD, "OrganizationDisplayName", 1)),
			    name_texts[1].text);
	assert_string_equal(xml_attr_ns(nth(org, MD, "OrganizationName", 1),
					"http://www.w3.org/XML/1998/namespace", "lang"),
			    "en");
	for (size_t i = 0; i < ARRAY_LEN(contacts); i++) {
		const struct xml_node *c = nth(root, MD, "ContactPerson", i);

		assert_string_equal(xml_attr(c, "contactType"), contacts[i].type);
		assert_int_equal(nth(c, MD, "Company", 0) != NULL, contacts[i].company != NULL);
		assert_int_equal(nth(c, MD, "EmailAddress", 0) != NULL, contacts[i].email != NULL);
		/* https://refeds.org/metadata/contactType/security: with a GivenName. */
		assert_int_equal(nth(c, MD, "GivenName", 0) != NULL, contacts[i].security != NULL);
		if (contacts[i].security != NULL) {
			assert_string_equal(xml_attr_ns(c, SAML_NS_REFEDS, "contactType"),
					    "http://refeds.org/metadata/contactType/security");
			assert_string_equal(portal_text(a, child(c, "GivenName")),
					    contacts[i].security);
		}
		if (contacts[i].company != NULL)
			assert_string_equal(portal_text(a, child(c, "Company")),
					    contacts[i].company);
		if (contacts[i].email != NULL)
			assert_string_equal(portal_text(a, child(c, "EmailAddress")),
					    arena_printf(a, "mailto:%s", contacts[i].email));
	}
	d.organization_name.n = 0;
	d.n_contacts = 0;
	assert_null(nth(built(&d), MD, "Organization", 0));
}

static void
test_attributes_are_named_without_values(void **state)
{
	struct saml_description d = description();
	const struct xml_node *role = child(built(&d), "IDPSSODescriptor"), *at;

	(void)state;
	at = nth(role, SAML_NS_ASSERTION, "Attribute", 0);
	assert_string_equal(xml_attr(at, "Name"), "urn:oid:2.5.4.42");
	assert_string_equal(xml_attr(at, "FriendlyName"), "givenName");
	assert_null(xml_first(at));
	assert_string_equal(xml_attr(nth(role, SAML_NS_ASSERTION, "Attribute", 1), "NameFormat"),
			    SAML_ATTRNAME_BASIC);
}

static void
test_a_description_without_a_key_or_with_bad_text_is_refused(void **state)
{
	struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	struct saml_description d = description();
	struct err err = {0};
	struct bytes xml;

	(void)state;
	d.n_signing = 0;
	ASSERT_REFUSED(saml_metadata_build(a, &d, &signer, &xml, &err), &err, ERR_INTERNAL,
		       "without a signing key");
	d = description();
	d.entity_id = "a\x01";
	ASSERT_REFUSED(saml_metadata_build(a, &d, &signer, &xml, &err), &err, ERR_INTERNAL,
		       "XML cannot be written");
	d = description();
	signer.ops = &portal_no_signer;
	ASSERT_REFUSED(saml_metadata_build(a, &d, &signer, &xml, &err), &err, ERR_UNAVAILABLE,
		       "does not answer");
}

static int
open_arena(void **state)
{
	(void)state;
	a = arena_create(64 << 20);
	keys = test_keys_create(a);
	return 0;
}

static int
close_arena(void **state)
{
	(void)state;
	arena_destroy(a);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_entity_is_described_and_signed),
		cmocka_unit_test(test_nameid_formats_are_those_that_may_be_given),
		cmocka_unit_test(test_algorithms_are_those_that_we_verify),
		cmocka_unit_test(test_entity_attributes_are_those_with_values),
		cmocka_unit_test(test_people_are_shown_a_name),
		cmocka_unit_test(test_endpoints_follow_the_table_of_bindings),
		cmocka_unit_test(test_whom_to_ask_without_a_login_is_a_role_of_its_own),
		cmocka_unit_test(test_all_keys_are_published_with_what_they_open),
		cmocka_unit_test(test_organization_and_contacts_are_written),
		cmocka_unit_test(test_attributes_are_named_without_values),
		cmocka_unit_test(test_a_description_without_a_key_or_with_bad_text_is_refused),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
