/*
 * saml/metadata_check.h: metadata that nothing can be said against, and one change
 * for each rule of the table that makes it speak.
 */
#include "saml/metadata_check.h"

#include <openssl/ec.h>

#include "base/conf.h"
#include "base/enc.h"
#include "base/text.h"
#include "keys/cert_build.h"
#include "saml/nameid.h"
#include "saml/names.h"
#include "tests/saml/portal.h"
#include "tests/saml/xsd.h"
#include "tests/test.h"

#define ECDSA     "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
#define RSA_PKCS1 "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
#define XENC      "http://www.w3.org/2001/04/xmlenc#"
#define XENC11    "http://www.w3.org/2009/xmlenc11#"
#define METHODS                                                     \
	"<md:EncryptionMethod Algorithm=\"" XENC11 "aes128-gcm\"/>" \
	"<md:EncryptionMethod Algorithm=\"" XENC11 "rsa-oaep\"/>"
#define CONTACT(type)                                                              \
	"<md:ContactPerson contactType=\"" type "\"><md:EmailAddress>mailto:" type \
	"@amt24.example</md:EmailAddress></md:ContactPerson>"

static struct arena *a;
static struct test_keys *keys;
static const char *base;

/* ---- what there is ---- */

static void
explain(struct arena *arena, const char *name, const char *friendly, struct saml_name_word *out)
{
	*out = (struct saml_name_word){0};
	if (text_starts(name, "urn:oid:2."))
		*out = (struct saml_name_word){true, "bundid", "x", SAML_ATTRNAME_URI, NULL};
	else if (text_eq(name, "givenName"))
		*out = (struct saml_name_word){true, "basic", "x", SAML_ATTRNAME_BASIC, NULL};
	else if (text_eq(name, "urn:everybodys"))
		*out = (struct saml_name_word){true, NULL, "y", NULL, NULL};
	else if (text_starts(name, "urn:elsewhere"))
		*out = (struct saml_name_word){false, "bayernid", "ukHandle", NULL, NULL};
	else if (friendly != NULL)
		out->guess = arena_strdup(arena, friendly);
}

static struct saml_checked
examine_as(const char *xml, const char *entity_id, unsigned flags, const struct saml_party *known)
{
	const struct saml_check_wish wish = {.entity_id = entity_id,
					     .flags = flags,
					     .now = portal_now(),
					     .known = known,
					     .explain = explain};
	struct saml_checked checked;

	saml_metadata_examine(a, bytes_of(xml), &wish, &checked);
	return checked;
}

static struct saml_checked
examine(const char *xml)
{
	return examine_as(xml, NULL, 0, NULL);
}

static const struct saml_finding *
found_by(const struct saml_checked *c, const char *rule)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->found[i].severity != SAML_FINE && strcmp(c->found[i].rule, rule) == 0)
			return &c->found[i];
	return NULL;
}

static bool
is_fine(const struct saml_checked *c, const char *rule)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->found[i].severity == SAML_FINE && strcmp(c->found[i].rule, rule) == 0)
			return true;
	return false;
}

static char *
changed(const char *from, const char *to)
{
	return replace(a, base, from, to);
}

static char *
cert_text(struct bytes cert)
{
	return arena_strdup(a, enc_base64(a, cert));
}

/* In canonical form, with a signature by the key of its own certificate. */
static const char *
signed_text(const char *xml)
{
	struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	struct saml_to_sign what = {.id = "_e1"};
	struct err err = {0};
	struct bytes out;

	ASSERT_OK(xml_c14n(a, parse_xml(a, replace(a, xml, " entityID=", " ID=\"_e1\" entityID=")),
			   NULL, NULL, 1, &what.element, &err),
		  &err);
	what.place = strcspn(text_of(a, what.element), ">") + 1;
	ASSERT_OK(saml_sign_enveloped(a, &signer, &what, &out, &err), &err);
	return text_of(a, out);
}

/* What every portal should send. */
static const char *
make_base(void)
{
	const char *xml = portal_metadata(a, keys);

	xml = replace(a, xml, "<md:Extensions>",
		      "<md:Extensions><alg:DigestMethod xmlns:alg=\"" SAML_NS_ALG
		      "\" Algorithm=\"" XENC "sha256\"/><alg:SigningMethod xmlns:alg=\"" SAML_NS_ALG
		      "\" Algorithm=\"" ECDSA "\"/>");
	xml = replace(a, xml, "</md:KeyDescriptor><md:SingleLogoutService",
		      METHODS "</md:KeyDescriptor><md:SingleLogoutService");
	xml = replace(a, xml,
		      cut(a, xml,
			  "<md:AssertionConsumerService Binding=\"urn:oasis:names:"
			  "tc:SAML:2.0:bindings:HTTP-Artifact",
			  "index=\"3\"/>"),
		      "");
	xml = replace(a, xml, " isRequired=\"true\"", "");
	return replace(a, xml, "</md:EntityDescriptor>",
		       CONTACT("support") CONTACT("administrative")
			       CONTACT("other") "</md:EntityDescriptor>");
}

/* ---- the rows ---- */

#define ACS    "<md:AssertionConsumerService Binding=\"" SAML_BINDING_URI_POST "\" Location=\""
#define SECOND "https://amt24.example/saml/acs2\" index=\"1\""
#define OWN    "AuthnRequestsSigned=\"true\""

static const struct {
	enum saml_severity severity;
	const char *rule;
	const char *from, *to; /* the change, to the base or to what another made of it */
	const char *part;      /* of what is said */
	const char *from2, *to2;
} rows[] = {
	{SAML_FATAL, "xml", "<md:EntityDescriptor", "<!DOCTYPE x><md:EntityDescriptor", "DTD", NULL,
	 NULL},
	{SAML_FATAL, "xml", "</md:EntityDescriptor>", "", "XML refused", NULL, NULL},
	{SAML_FATAL, "schema", "<md:NameIDFormat>",
	 ACS "https://amt24.example/\" index=\"7\"/><md:NameIDFormat>",
	 "in SPSSODescriptor stand, in this order: Signature, Extensions, KeyDescriptor,", NULL,
	 NULL},
	{SAML_FATAL, "schema", " index=\"1\"", "", "has no attribute index", NULL, NULL},
	{SAML_FATAL, "entity", "protocolSupportEnumeration=\"" SAML_NS_PROTOCOL,
	 "protocolSupportEnumeration=\"urn:x", "no SAML 2.0 service provider", NULL, NULL},
	{SAML_FATAL, "entity", "entityID=\"" PORTAL_ENTITY, "entityID=\"", "entityID of 0 octets",
	 NULL, NULL},
	{SAML_FATAL, "no-acs", ACS PORTAL_ACS,
	 "<md:AssertionConsumerService Binding=\"urn:x\" Location=\"" PORTAL_ACS, "none of 2",
	 ACS SECOND, "<md:AssertionConsumerService Binding=\"urn:x\" Location=\"" SECOND},
	{SAML_FATAL, "acs-url", "https://amt24.example/saml/acs2", "http://amt24.example/acs2",
	 "is not https", NULL, NULL},
	{SAML_FATAL, "acs-url", "https://amt24.example/saml/acs2", "x", "is not an https URL", NULL,
	 NULL},
	{SAML_FATAL, "slo-url", "https://amt24.example/saml/slo-post", "ftp://x",
	 "is not an https URL", NULL, NULL},
	{SAML_FATAL, "unusable-key", "{P256}", "AAAA", "KeyDescriptor 1:", NULL, NULL},
	{SAML_FATAL, "unusable-key", "{P256}", "{RSA1024}", "shorter than 2048", NULL, NULL},
	{SAML_FATAL, "expired", OWN, OWN " validUntil=\"2026-11-23T18:00:00Z\"", "has passed", NULL,
	 NULL},
	{SAML_FATAL, "signing-methods", ECDSA, "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
	 "SHA-1 is none", NULL, NULL},
	{SAML_FATAL, "encryption-methods", XENC11 "aes128-gcm", XENC "aes128-cbc", "CBC is none",
	 NULL, NULL},
	{SAML_FATAL, "old-signatures", ECDSA, RSA_PKCS1, "--old-until", NULL, NULL},
	{SAML_WARNING, "no-signing-key", "use=\"signing\"", "use=\"encryption\"", "no signing key",
	 NULL, NULL},
	{SAML_WARNING, "artifact-no-key", ACS SECOND "/>",
	 "<md:AssertionConsumerService Binding=\"" SAML_BINDING_URI_ARTIFACT "\" Location=\"" SECOND
	 "/>",
	 "could not be resolved", "use=\"signing\"", "use=\"encryption\""},
	{SAML_WARNING, "no-encryption-key", "use=\"encryption\"", "use=\"signing\"",
	 "no encryption key", NULL, NULL},
	{SAML_WARNING, "short-rsa", "{P256}", "{RSA2048}", "RSA of 2048 bits", NULL, NULL},
	{SAML_WARNING, "old-key-transport", XENC11 "rsa-oaep", XENC "rsa-oaep-mgf1p",
	 "rsa-oaep-mgf1p", NULL, NULL},
	{SAML_WARNING, "shared-key", "{RSA}", "{P256}", "for signing and for encryption",
	 XENC11 "rsa-oaep", XENC11 "ECDH-ES"},
	{SAML_WARNING, "certificate-dates", "{P256}", "{ENDED}", "do not cover today", NULL, NULL},
	{SAML_WARNING, "unsigned-requests", OWN, "AuthnRequestsSigned=\"false\"", "is not true",
	 NULL, NULL},
	{SAML_WARNING, "entity-id-https", "entityID=\"" PORTAL_ENTITY, "entityID=\"urn:amt24",
	 "urn:amt24 is not", NULL, NULL},
	{SAML_WARNING, "entity-id-https", "entityID=\"" PORTAL_ENTITY, "entityID=\"x", "x is not",
	 NULL, NULL},
	{SAML_WARNING, "entity-id-port", "entityID=\"https://amt24.example",
	 "entityID=\"https://amt24.example:8443", "has a port", NULL, NULL},
	{SAML_WARNING, "valid-until", OWN, OWN " validUntil=\"2027-11-23T18:00:00Z\"",
	 "ends with it", NULL, NULL},
	{SAML_WARNING, "id-attribute", " entityID=", " ID=\"_e\" entityID=", "ID attribute", NULL,
	 NULL},
	{SAML_WARNING, "several-defaults", SECOND, SECOND " isDefault=\"true\"", "2 Assertion",
	 NULL, NULL},
	{SAML_WARNING, "same-index", SECOND, "https://amt24.example/saml/acs2\" index=\"0\"",
	 "the index 0", NULL, NULL},
	{SAML_WARNING, "service-index", "<md:AttributeConsumingService index=\"2\">",
	 "<md:AttributeConsumingService index=\"1\">", "have the index 1", NULL, NULL},
	{SAML_WARNING, "service-index", "<md:AttributeConsumingService index=\"2\">",
	 "<md:AttributeConsumingService index=\"2\" isDefault=\"1\">", "2 AttributeConsuming", NULL,
	 NULL},
	{SAML_WARNING, "blank-in-name", "\"urn:oid:2.5.4.42\"", "\"urn:oid: 2.5.4.42\"",
	 "urn:oid: 2.5.4.42", NULL, NULL},
	{SAML_WARNING, "name-unknown", "\"urn:oid:2.5.4.42\"", "\"urn:no\"",
	 "\"urn:no\" is unknown and never comes; most like it is givenName", NULL, NULL},
	{SAML_WARNING, "name-unknown", "\"urn:oid:2.5.4.4\"", "\"urn:no\"",
	 "\"urn:no\" is unknown and never comes", NULL, NULL},
	{SAML_WARNING, "name-elsewhere", "\"urn:oid:2.5.4.42\"", "\"urn:elsewhere\"",
	 "\"urn:elsewhere\" (ukHandle, of bayernid)", NULL, NULL},
	{SAML_WARNING, "name-format", "NameFormat=\"" SAML_ATTRNAME_URI,
	 "NameFormat=\"" SAML_ATTRNAME_BASIC, "it comes with " SAML_ATTRNAME_URI, NULL, NULL},
	{SAML_WARNING, "names-mixed", "\"urn:oid:2.5.4.16\"", "\"givenName\"",
	 "in the words of bundid and of basic (givenName)", NULL, NULL},
	{SAML_NOTE, "no-slo", "{SLO}", "", "no SingleLogoutService", NULL, NULL},
	{SAML_NOTE, "no-display-name", "{UI}", "", "no name to show", "{ORG}", ""},
	{SAML_NOTE, "skipped-acs", ACS SECOND "/>",
	 "<md:AssertionConsumerService Binding=\"urn:b\" Location=\"" SECOND "/>",
	 "not used: urn:b", NULL, NULL},
	{SAML_NOTE, "no-signature", "{SIGNED}", "", "are not signed", NULL, NULL},
	{SAML_NOTE, "cache-duration", OWN, OWN " cacheDuration=\"PT1H\"", "of 3600 s", NULL, NULL},
	{SAML_NOTE, "no-key-use", " use=\"signing\"", "", "KeyDescriptor 1 has no use", NULL, NULL},
	{SAML_NOTE, "certificate-digest", "{P256}", "{SHA1}", "over SHA-1", NULL, NULL},
	{SAML_NOTE, "certificate-ends", "{P256}", "{ENDS}", "ends on 2027-01-01", NULL, NULL},
	{SAML_NOTE, "no-signing-methods", "{ALG}", "", "is our choice", NULL, NULL},
	{SAML_NOTE, "no-signing-methods", "{ALG}", "", "though it signs with RSA itself", "{P256}",
	 "{RSA2048}"},
	{SAML_NOTE, "signing-never", "<alg:SigningMethod",
	 "<alg:SigningMethod Algorithm=\"http://www.w3.org/2000/09/xmldsig#dsa-sha1\""
	 " xmlns:alg=\"" SAML_NS_ALG "\"/><alg:SigningMethod",
	 "dsa-sha1 is never used", NULL, NULL},
	{SAML_NOTE, "signing-never", "<alg:SigningMethod",
	 "<alg:DigestMethod Algorithm=\"http://www.w3.org/2000/09/xmldsig#sha1\""
	 " xmlns:alg=\"" SAML_NS_ALG "\"/><alg:SigningMethod",
	 "DigestMethod http://www.w3.org/2000/09/xmldsig#sha1", NULL, NULL},
	{SAML_NOTE, "no-encryption-methods", METHODS, "", "lists no EncryptionMethod", NULL, NULL},
	{SAML_NOTE, "encryption-never", METHODS,
	 METHODS "<md:EncryptionMethod Algorithm=\"" XENC "aes256-cbc\"/>", "aes256-cbc is never",
	 NULL, NULL},
	{SAML_NOTE, "encryption-never", METHODS,
	 METHODS "<md:EncryptionMethod Algorithm=\"" XENC "rsa-1_5\"/>", "rsa-1_5 is never", NULL,
	 NULL},
	{SAML_NOTE, "hosts", SECOND, "https://test.example/acs\" index=\"1\"", "at another host",
	 NULL, NULL},
	{SAML_NOTE, "slo-soap", "{SOAP}", "", "no SingleLogoutService takes SOAP", NULL, NULL},
	{SAML_NOTE, "slo-binding", SAML_BINDING_URI_SOAP, "urn:x", "by urn:x is not used", NULL,
	 NULL},
	{SAML_NOTE, "no-nameid-format", "{FORMAT}", "", "ours to choose", NULL, NULL},
	{SAML_NOTE, "nameid-format", ">" SAML_NAMEID_PERSISTENT, ">" SAML_NAMEID_ENTITY,
	 "never given", NULL, NULL},
	{SAML_NOTE, "nameid-format", ">" SAML_NAMEID_PERSISTENT, ">" SAML_NAMEID_EMAIL,
	 "--nameid email", NULL, NULL},
	{SAML_NOTE, "assertions-signed", "WantAssertionsSigned=\"true\"",
	 "WantAssertionsSigned=\"false\"", "signed all the same", NULL, NULL},
	{SAML_NOTE, "no-attributes", "{SERVICES}", "", "no AttributeConsumingService", NULL, NULL},
	{SAML_NOTE, "required-attributes", "FriendlyName=\"givenName\"",
	 "FriendlyName=\"givenName\" isRequired=\"true\"", "at 1 attributes", NULL, NULL},
	{SAML_NOTE, "no-ui-info", "{UI}", "", "no mdui:DisplayName", NULL, NULL},
	{SAML_NOTE, "no-organization", "{ORG}", "", "no Organization", NULL, NULL},
	{SAML_NOTE, "contacts", CONTACT("support"), "", "for: support (", NULL, NULL},
	{SAML_NOTE, "contacts", "<md:EmailAddress>mailto:other@amt24.example</md:EmailAddress>", "",
	 "for: other (", NULL, NULL},
};

/* ---- certificates ---- */

/* A certificate by OpenSSL's command: key and digest as they are given, some days from today. */
static char *
made_cert(const char *newkey, const char *option, const char *digest)
{
	const char *key = temp_file(a, "key.pem", bytes_of("")),
		   *der = temp_file(a, "cert.der", bytes_of(""));
	const char *argv[] = {"openssl", "req",      "-x509",
			      "-newkey", newkey,     "-nodes",
			      "-keyout", key,        "-subj",
			      "/CN=x",   "-days",    "3650",
			      digest,    "-outform", "DER",
			      "-out",    der,        option == NULL ? NULL : "-pkeyopt",
			      option,    NULL};
	unsigned char octets[8192];
	FILE *f;

	assert_true(run_program(a, argv, NULL));
	f = fopen(der, "rb");
	assert_non_null(f);
	size_t n = fread(octets, 1, sizeof(octets), f);

	fclose(f);
	return cert_text((struct bytes){octets, n});
}

/* A certificate of our own kind that ends at this time. */
static char *
cert_until(time_t not_after)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	struct err err = {0};
	struct bytes der;

	assert_non_null(pkey);
	ASSERT_OK(cert_build_self_signed(a, pkey, "x", not_after - (time_t)365 * 86400, 365, &der,
					 &err),
		  &err);
	EVP_PKEY_free(pkey);
	return cert_text(der);
}

#define END_OF_2026 ((time_t)1798761600) /* 2027-01-01T00:00:00Z */

/* What a word in braces stands for in the base, or in what is put there; made once. */
static const char *
meaning(const char *word)
{
	static const char *rsa1024, *rsa2048, *sha1;

	if (text_eq(word, "{P256}"))
		return cert_text(keys->p256.cert);
	if (text_eq(word, "{RSA}"))
		return cert_text(keys->dec_rsa.cert);
	if (text_eq(word, "{RSA1024}"))
		return rsa1024 = rsa1024 ? rsa1024 : made_cert("rsa:1024", NULL, "-sha256");
	if (text_eq(word, "{RSA2048}"))
		return rsa2048 = rsa2048 ? rsa2048 : made_cert("rsa:2048", NULL, "-sha256");
	if (text_eq(word, "{SHA1}"))
		return sha1 = sha1 ? sha1 : made_cert("ec", "ec_paramgen_curve:P-256", "-sha1");
	if (text_eq(word, "{ENDED}"))
		return cert_until(portal_now());
	if (text_eq(word, "{ENDS}"))
		return cert_until(END_OF_2026);
	if (text_eq(word, "{SLO}"))
		return cut(a, base, "<md:SingleLogoutService", "slo-post\"/>");
	if (text_eq(word, "{SOAP}"))
		return cut(a, base, "<md:SingleLogoutService", "/>");
	if (text_eq(word, "{UI}"))
		return cut(a, base, "<mdui:UIInfo", "</mdui:UIInfo>");
	if (text_eq(word, "{ORG}"))
		return cut(a, base, "<md:Organization>", "</md:Organization>");
	if (text_eq(word, "{ALG}"))
		return cut(a, base, "<alg:SigningMethod", "/>");
	if (text_eq(word, "{FORMAT}"))
		return cut(a, base, "<md:NameIDFormat>", "</md:NameIDFormat>");
	return word;
}

static char *
put(const char *xml, const char *from, const char *to)
{
	if (text_eq(from, "{SIGNED}"))
		return arena_strdup(a, xml);
	if (text_eq(from, "{SERVICES}")) {
		const char *two = strstr(xml, "<md:AttributeConsumingService");
		const char *end = strstr(xml, "</md:SPSSODescriptor>");

		return arena_printf(a, "%.*s%s", (int)(two - xml), xml, end);
	}
	return replace(a, xml, meaning(from), meaning(to));
}

/* ---- tests ---- */

static void
nothing_is_said_against_good_metadata(void **state UNUSED)
{
	const char *xml = signed_text(base);
	struct saml_checked c = examine(xml);

	assert_schema_valid(a, bytes_of(xml));
	assert_non_null(c.party);
	for (size_t i = 0; i < c.n; i++)
		/* A signature needs the ID that BundID does not want. */
		if (c.found[i].severity != SAML_FINE &&
		    strcmp(c.found[i].rule, "id-attribute") != 0)
			fail_msg("%s: %s", c.found[i].rule, c.found[i].text);
	assert_true(is_fine(&c, "xml"));
	assert_true(is_fine(&c, "signature"));
	assert_true(is_fine(&c, "name-unknown"));
}

static void
every_rule_speaks_of_what_it_is_for(void **state UNUSED)
{
	struct saml_checked good = examine(base);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *xml = put(base, rows[i].from, rows[i].to);

		if (rows[i].from2 != NULL)
			xml = put(xml, rows[i].from2, rows[i].to2);
		struct saml_checked c = examine(xml);
		const struct saml_finding *f = found_by(&c, rows[i].rule);

		if (strcmp(rows[i].rule, "no-signature") != 0 &&
		    found_by(&good, rows[i].rule) != NULL)
			fail_msg("%s speaks of good metadata", rows[i].rule);
		if (f == NULL)
			fail_msg("row %zu: %s found nothing", i, rows[i].rule);
		if (is_fine(&c, rows[i].rule))
			fail_msg("row %zu: %s is fine as well", i, rows[i].rule);
		assert_int_equal(f->severity, rows[i].severity);
		if (strstr(f->text, rows[i].part) == NULL)
			fail_msg("row %zu: %s: %s", i, rows[i].rule, f->text);
		assert_true(f->clause != NULL && *f->clause != '\0');
		for (size_t k = 1; k < c.n; k++)
			assert_true(c.found[k].severity <= c.found[k - 1].severity);
	}
}

/* Not a change of text, but tested here. */
static const char *const by_hand[] = {"size", "several-entities", "signature"};

static void
every_rule_has_a_row_and_is_in_the_manual(void **state UNUSED)
{
	struct err err = {0};
	struct bytes file;
	const char *rule;

	ASSERT_OK(conf_read_file(a, MANUAL, 1 << 20, &file, &err), &err);
	const char *manual = text_of(a, file);

	for (size_t i = 0; (rule = saml_metadata_rule_at(i)) != NULL; i++) {
		bool found = false;

		for (size_t k = 0; k < ARRAY_LEN(rows); k++)
			found |= strcmp(rows[k].rule, rule) == 0;
		for (size_t k = 0; k < ARRAY_LEN(by_hand); k++)
			found |= strcmp(by_hand[k], rule) == 0;
		if (!found)
			fail_msg("no row for %s", rule);
		if (strstr(manual, arena_printf(a, "`%s`", rule)) == NULL)
			fail_msg("docs/integrate.md does not name %s", rule);
	}
}

static void
what_is_too_long_is_not_read(void **state UNUSED)
{
	char *xml = arena_alloc(a, SAML_METADATA_MAX_BYTES + 2);

	memset(xml, ' ', SAML_METADATA_MAX_BYTES + 1);
	memcpy(xml + SAML_METADATA_MAX_BYTES + 1 - strlen(base), base, strlen(base));
	struct saml_checked c = examine(xml);

	assert_int_equal(c.n, 1);
	assert_non_null(found_by(&c, "size"));
	assert_null(c.party);
	c = examine(xml + 1);
	assert_null(found_by(&c, "size"));
}

static void
one_entity_of_several_is_named(void **state UNUSED)
{
	const char *other = replace(a, base, PORTAL_ENTITY, "https://second.example/sp");
	const char *both = arena_printf(a,
					"<md:EntitiesDescriptor xmlns:md=\"" SAML_NS_METADATA
					"\">%s%s</md:EntitiesDescriptor>",
					base, other);
	struct saml_checked c = examine(both);

	assert_null(c.party);
	assert_non_null(strstr(found_by(&c, "several-entities")->text,
			       "2 entities: say which one with --id (" PORTAL_ENTITY
			       ", https://second.example/sp)"));
	assert_null(found_by(&c, "entity"));
	c = examine_as(both, "https://second.example/sp", 0, NULL);
	assert_string_equal(c.party->entity_id, "https://second.example/sp");
	c = examine_as(both, "https://third.example/sp", 0, NULL);
	assert_non_null(strstr(found_by(&c, "entity")->text, "no such entity"));
}

static void
a_signature_is_verified_with_its_own_keys(void **state UNUSED)
{
	const char *xml = signed_text(base);
	struct saml_checked c = examine(replace(a, xml, "Gewerbeanmeldung", "Hundeanmeldung"));

	assert_non_null(strstr(found_by(&c, "signature")->text, "none of its own signing keys"));
	assert_null(found_by(&c, "no-signature"));
	/* By somebody else's key. */
	c = examine(signed_text(changed(meaning("{P256}"), meaning("{ENDS}"))));
	assert_non_null(found_by(&c, "signature"));
	/* Around it: whoever keeps the aggregate. */
	c = examine(arena_printf(a,
				 "<md:EntitiesDescriptor xmlns:md=\"" SAML_NS_METADATA
				 "\">%s%s</md:EntitiesDescriptor>",
				 cut(a, xml, "<ds:Signature", "</ds:Signature>"), base));
	assert_null(found_by(&c, "no-signature"));
	assert_null(found_by(&c, "signature"));
	assert_false(is_fine(&c, "signature"));
}

static void
the_record_and_the_flags_count(void **state UNUSED)
{
	const char *old = changed(ECDSA, RSA_PKCS1);
	const char *local = changed("https://amt24.example/saml/acs2", "http://localhost/acs2");
	struct saml_checked c = examine(old);
	struct saml_party marked = *c.party;

	assert_non_null(found_by(&c, "old-signatures"));
	marked.old_until = portal_now() + 1;
	c = examine_as(old, NULL, 0, &marked);
	assert_null(found_by(&c, "old-signatures"));
	assert_ptr_equal(c.party, &marked);
	c = examine_as(local, NULL, SAML_LINT_LOCAL_HTTP, NULL);
	assert_null(found_by(&c, "acs-url"));
	/* A port is no other host. */
	c = examine(changed("https://amt24.example/saml/acs2", "https://amt24.example:8443/acs2"));
	assert_null(found_by(&c, "hosts"));
	/* A name that is the same for all mixes nothing. */
	c = examine(changed("\"urn:oid:2.5.4.16\"", "\"urn:everybodys\""));
	assert_null(found_by(&c, "names-mixed"));
}

static void
without_words_names_are_not_looked_at(void **state UNUSED)
{
	const struct saml_check_wish wish = {.now = portal_now()};
	struct saml_checked c;

	saml_metadata_examine(a, bytes_of(changed("\"urn:oid:2.5.4.42\"", "\"urn:no\"")), &wish,
			      &c);
	assert_null(found_by(&c, "name-unknown"));
	assert_false(is_fine(&c, "name-unknown"));
}

static void
keys_are_told_in_words(void **state UNUSED)
{
	struct saml_checked c = examine(base);

	assert_string_equal(saml_key_words(a, &c.party->keys[0]), "EC on prime256v1");
	assert_string_equal(saml_key_words(a, &c.party->keys[1]),
			    arena_printf(a, "RSA of %d bits", KEY_RSA_BITS));
}

static int
open_arena(void **state UNUSED)
{
	a = arena_create((size_t)512 << 20);
	keys = test_keys_create(a);
	base = make_base();
	return 0;
}

static int
close_arena(void **state UNUSED)
{
	arena_destroy(a);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_said_against_good_metadata),
		cmocka_unit_test(every_rule_speaks_of_what_it_is_for),
		cmocka_unit_test(every_rule_has_a_row_and_is_in_the_manual),
		cmocka_unit_test(what_is_too_long_is_not_read),
		cmocka_unit_test(one_entity_of_several_is_named),
		cmocka_unit_test(a_signature_is_verified_with_its_own_keys),
		cmocka_unit_test(the_record_and_the_flags_count),
		cmocka_unit_test(without_words_names_are_not_looked_at),
		cmocka_unit_test(keys_are_told_in_words),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
