/* saml/metadata_write.c: our own description, read by the schemas and by our verifier. */
#include "saml/metadata_write.h"

#include "base/enc.h"
#include "saml/names.h"
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
	{"technical", "Betrieb", "betrieb@konto.example"},
	{"administrative", "Leitstelle", "leitstelle@konto.example"},
	{"support", NULL, "hilfe@konto.example"},
	{"other", "Sicherheit", NULL},
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
		.sso_url = PORTAL_SSO,
		.slo_url = PORTAL_SLO,
		.slo_soap_url = PORTAL_SLO "/soap",
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
	assert_string_equal(xml_attr(role, "WantAuthnRequestsSigned"), "true");
	assert_string_equal(xml_attr(role, "protocolSupportEnumeration"), SAML_NS_PROTOCOL);
	assert_string_equal(portal_text(a, nth(role, MD, "NameIDFormat", 0)),
			    SAML_NAMEID_TRANSIENT);
	assert_string_equal(portal_text(a, nth(role, MD, "NameIDFormat", 1)),
			    SAML_NAMEID_PERSISTENT);
	d.want_authn_requests_signed = false;
	assert_string_equal(
		xml_attr(child(built(&d), "IDPSSODescriptor"), "WantAuthnRequestsSigned"), "false");
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
			assert_string_equal(xml_attr(n, "Location"), PORTAL_SSO);
		}
		if (row->for_logout) {
			const struct xml_node *n = nth(role, MD, "SingleLogoutService", slo++);

			assert_string_equal(xml_attr(n, "Binding"), row->uri);
			assert_string_equal(xml_attr(n, "Location"), row->id == SAML_BINDING_SOAP
									     ? PORTAL_SLO "/soap"
									     : PORTAL_SLO);
		}
	}
	assert_int_equal(sso, 2);
	assert_int_equal(slo, 3);
	assert_null(nth(role, MD, "SingleSignOnService", sso));
	assert_null(nth(role, MD, "SingleLogoutService", slo));
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
		cmocka_unit_test(test_endpoints_follow_the_table_of_bindings),
		cmocka_unit_test(test_all_keys_are_published_with_what_they_open),
		cmocka_unit_test(test_organization_and_contacts_are_written),
		cmocka_unit_test(test_attributes_are_named_without_values),
		cmocka_unit_test(test_a_description_without_a_key_or_with_bad_text_is_refused),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
