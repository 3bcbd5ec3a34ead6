/* saml/metadata.c: what a service provider says, and the questions asked of it. */
#include "saml/metadata.h"

#include "base/clock.h"
#include "base/enc.h"
#include "saml/names.h"
#include "tests/saml/portal.h"
#include "tests/saml/xsd.h"
#include "tests/test.h"

static struct arena *a;
static struct test_keys *keys;
static const char *whole; /* portal_metadata */

static bool
parse_named(const char *xml, const char *entity_id, const struct saml_party **p, struct err *err)
{
	return saml_metadata_parse(a, bytes_of(xml), entity_id, p, err);
}

static bool
parse(const char *xml, const struct saml_party **p, struct err *err)
{
	return parse_named(xml, NULL, p, err);
}

static const struct saml_party *
party(const char *xml)
{
	const struct saml_party *p = NULL;
	struct err err = {0};

	ASSERT_OK(parse(xml, &p, &err), &err);
	assert_schema_valid(a, bytes_of(xml));
	return p;
}

static char *
changed(const char *from, const char *to)
{
	return replace(a, whole, from, to);
}

static time_t
at(const char *text)
{
	time_t t;

	assert_true(clock_parse(text, &t, NULL));
	return t;
}

/* ---- the whole ---- */

static void
test_a_service_provider_is_read(void **state)
{
	const struct saml_party *p = party(whole);

	(void)state;
	assert_string_equal(p->entity_id, PORTAL_ENTITY);
	assert_int_equal(p->valid_until, 0);
	assert_int_equal(p->cache_s, -1);
	assert_false(p->has_id);
	assert_true(p->authn_requests_signed);
	assert_true(p->want_assertions_signed);
	assert_int_equal(p->n_nameid_formats, 1);
	assert_string_equal(p->nameid_formats[0], SAML_NAMEID_PERSISTENT);
	assert_int_equal(p->acs.n, 3);
	assert_int_equal(p->n_acs_skipped, 1);
	assert_int_equal(p->acs.p[2].binding, SAML_BINDING_ARTIFACT);
	assert_string_equal(p->acs.p[0].url, PORTAL_ACS);
	assert_true(p->acs.p[0].is_default && p->acs.p[0].default_said);
	assert_int_equal(p->acs.p[1].index, 1);
	assert_false(p->acs.p[1].default_said);
	assert_int_equal(p->slo.n, 3);
	assert_int_equal(p->slo.p[0].binding, SAML_BINDING_SOAP);
	assert_string_equal(p->slo.p[1].response_url, "https://amt24.example/saml/slo-done?x=1");
	assert_ptr_equal(p->slo.p[2].response_url, p->slo.p[2].url);
	assert_int_equal(p->slo.p[0].index, -1);
	assert_string_equal(saml_texts_find(&p->display_name, "de"), "Amt24");
	assert_string_equal(saml_texts_find(&p->organization_name, "de"), "Amt");
	assert_string_equal(saml_texts_find(&p->organization_display_name, "en"), "Das Amt");
	assert_string_equal(saml_texts_find(&p->organization_url, "de"), "https://amt24.example/");
	assert_int_equal(p->n_contacts, 1);
	assert_string_equal(p->contacts[0].type, "technical");
	assert_string_equal(p->contacts[0].email, "technik@amt24.example");
}

static void
test_requested_attributes_are_read(void **state)
{
	const struct saml_party *p = party(whole);
	const struct saml_attribute_service *s = saml_party_service(p, 1);

	(void)state;
	assert_int_equal(p->n_services, 2);
	assert_true(s->is_default);
	assert_string_equal(saml_texts_find(&s->name, "de"), "Gewerbeanmeldung");
	assert_int_equal(s->n_attributes, 2);
	assert_string_equal(s->attributes[0].name, "urn:oid:2.5.4.42");
	assert_string_equal(s->attributes[0].name_format, SAML_ATTRNAME_URI);
	assert_string_equal(s->attributes[0].friendly_name, "givenName");
	assert_true(s->attributes[0].required);
	assert_false(s->attributes[1].required);
	assert_null(s->attributes[1].name_format);
	assert_null(s->attributes[1].friendly_name);
}

static void
test_the_least_service_provider_is_read(void **state)
{
	const struct saml_party *p =
		party("<md:EntityDescriptor xmlns:md=\"" SAML_NS_METADATA "\" entityID=\"urn:x\">"
		      "<md:SPSSODescriptor protocolSupportEnumeration=\" urn:a " SAML_NS_PROTOCOL
		      " \"><md:AssertionConsumerService Binding=\"" SAML_BINDING_URI_POST
		      "\" Location=\"urn:l\" index=\"0\"/></md:SPSSODescriptor>"
		      "</md:EntityDescriptor>");

	(void)state;
	assert_false(p->authn_requests_signed || p->want_assertions_signed);
	assert_int_equal(p->signing.n, 0);
	assert_null(p->recipient.key);
	assert_null(saml_party_slo(p, SAML_BINDING_NONE));
	assert_null(saml_party_service(p, -1));
	assert_null(saml_texts_find(&p->display_name, "de"));
	assert_string_equal(saml_party_acs(p, NULL, -1, SAML_BINDING_NONE)->url, "urn:l");
}

static void
test_what_is_no_service_provider_is_refused(void **state)
{
	const char *role = "protocolSupportEnumeration=\"" SAML_NS_PROTOCOL "\"";
	const char *acs = "<md:AssertionConsumerService Binding=\"urn:b\" Location=\"urn:l\""
			  " index=\"0\"/></md:SPSSODescriptor>";
	const char *second =
		arena_printf(a, "</md:SPSSODescriptor><md:SPSSODescriptor %s>%s", role, acs);
	const struct saml_party *p;
	struct err err = {0};

	(void)state;
	ASSERT_REFUSED(parse("no metadata", &p, &err), &err, ERR_INPUT, "XML");
	ASSERT_REFUSED(parse(changed(role, "protocolSupportEnumeration=\"urn:x\""), &p, &err), &err,
		       ERR_INPUT, "entity is no SAML 2.0 service provider");
	ASSERT_REFUSED(parse(changed("</md:SPSSODescriptor>", second), &p, &err), &err, ERR_INPUT,
		       "entity is a service provider twice");
	/* A second one for another protocol does not count. */
	party(changed("</md:SPSSODescriptor>", replace(a, second, SAML_NS_PROTOCOL, "urn:x")));
	ASSERT_REFUSED(parse(changed(PORTAL_ENTITY, ""), &p, &err), &err, ERR_INPUT,
		       "entityID of 0 octets");
	ASSERT_REFUSED(parse(changed(PORTAL_ENTITY, arena_printf(a, "urn:%01021d", 1)), &p, &err),
		       &err, ERR_INPUT, "entityID of 1025 octets");
	ASSERT_REFUSED(parse(changed("index=\"1\"/>", "/>"), &p, &err), &err, ERR_INPUT,
		       "no attribute index");
	ASSERT_REFUSED(parse("<samlp:AuthnRequest xmlns:samlp=\"" SAML_NS_PROTOCOL
			     "\" xmlns:saml=\"" SAML_NS_ASSERTION
			     "\" ID=\"_1\" Version=\"2.0\" IssueInstant=\"2026-11-23T18:00:00Z\">"
			     "<saml:Issuer>urn:x</saml:Issuer></samlp:AuthnRequest>",
			     &p, &err),
		       &err, ERR_NOT_FOUND, "no such entity");
}

static void
test_too_many_of_a_kind_are_refused(void **state)
{
	static const char service[] =
		"<md:AttributeConsumingService index=\"9\"><md:ServiceName xml:lang=\"de\">x"
		"</md:ServiceName><md:RequestedAttribute Name=\"x\"/>"
		"</md:AttributeConsumingService>";
	static const char key[] = "<md:KeyDescriptor><ds:KeyInfo><ds:KeyName>x</ds:KeyName>"
				  "</ds:KeyInfo></md:KeyDescriptor>";
	static const char acs[] = "<md:AssertionConsumerService Binding=\"urn:b\""
				  " Location=\"urn:l\" index=\"9\"/>";
	static const char *const kinds[] = {
		acs,
		service,
		"<md:RequestedAttribute Name=\"x\"/>",
		"<md:ContactPerson contactType=\"other\"/>",
		"<md:SingleLogoutService Binding=\"urn:b\" Location=\"urn:l\"/>",
		key,
	};
	static const char *const places[] = {
		"<md:AssertionConsumerService", "<md:AttributeConsumingService",
		"<md:RequestedAttribute",       "<md:ContactPerson",
		"<md:SingleLogoutService",      "<md:KeyDescriptor",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct saml_party *p;
		struct err err = {0};
		const char *many;
		struct buf b;

		buf_init(&b, a, 1 << 20);
		for (int n = 0; n < 256; n++)
			buf_str(&b, kinds[i]);
		buf_str(&b, places[i]);
		ASSERT_OK(buf_finish_str(&b, &many, &err), &err);
		ASSERT_REFUSED(parse(changed(places[i], many), &p, &err), &err, ERR_INPUT,
			       "children of one kind");
	}
}

static void
test_what_is_not_for_us_is_passed_over(void **state)
{
	const struct saml_party *p;
	struct err err = {0};
	const char *words = SAML_NS_PROTOCOL;

	(void)state;
	/* No Response comes by Redirect, and a contact need not have an address. */
	p = party(changed("<md:AssertionConsumerService",
			  "<md:AssertionConsumerService Binding=\"" SAML_BINDING_URI_REDIRECT
			  "\" Location=\"https://amt24.example/no\" index=\"7\"/>"
			  "<md:AssertionConsumerService"));
	assert_int_equal(p->acs.n, 3);
	assert_int_equal(p->n_acs_skipped, 2);
	/* Nothing of a logout goes by artifact. */
	p = party(changed("<md:SingleLogoutService",
			  "<md:SingleLogoutService Binding=\"" SAML_BINDING_URI_ARTIFACT
			  "\" Location=\"https://amt24.example/no\"/><md:SingleLogoutService"));
	assert_int_equal(p->slo.n, 3);
	p = party(changed("<md:ContactPerson",
			  "<md:ContactPerson contactType=\"support\"><md:GivenName>A</md:GivenName>"
			  "</md:ContactPerson><md:ContactPerson"));
	assert_int_equal(p->n_contacts, 2);
	assert_null(p->contacts[0].email);
	/* Of two languages the one that is asked for. */
	p = party(changed("<mdui:DisplayName xml:lang=\"de\">",
			  "<mdui:DisplayName xml:lang=\"en\">Office</mdui:DisplayName>"
			  "<mdui:DisplayName xml:lang=\"de\">"));
	assert_string_equal(saml_texts_find(&p->display_name, "de"), "Amt24");
	assert_string_equal(saml_texts_find(&p->display_name, "en"), "Office");
	assert_string_equal(saml_texts_find(&p->display_name, "fr"), "Office");
	assert_null(saml_texts_find(&(struct saml_texts){0}, "de"));
	assert_null(saml_party_acs(&(struct saml_party){0}, NULL, -1, SAML_BINDING_NONE));
	for (int i = 0; i < 40; i++)
		words = arena_printf(a, "%s urn:p%d", words, i);
	ASSERT_REFUSED(parse(changed("protocolSupportEnumeration=\"" SAML_NS_PROTOCOL,
				     arena_printf(a, "protocolSupportEnumeration=\"%s", words)),
			     &p, &err),
		       &err, ERR_INPUT, "");
}

/* ---- one entity of several ---- */

static char *
aggregate(const char *attrs, const char *first, const char *second)
{
	return arena_printf(a,
			    "<md:EntitiesDescriptor xmlns:md=\"" SAML_NS_METADATA
			    "\"%s>%s<md:EntitiesDescriptor>%s</md:EntitiesDescriptor>"
			    "</md:EntitiesDescriptor>",
			    attrs, first, second);
}

static void
test_one_entity_of_an_aggregate_is_found(void **state)
{
	const char *other = replace(a, whole, PORTAL_ENTITY, "https://other.example/sp");
	const char *both = aggregate("", whole, other);
	const struct saml_party *p;
	struct err err = {0};

	(void)state;
	ASSERT_OK(parse_named(both, "https://other.example/sp", &p, &err), &err);
	assert_string_equal(p->entity_id, "https://other.example/sp");
	ASSERT_OK(parse_named(both, PORTAL_ENTITY, &p, &err), &err);
	assert_string_equal(p->entity_id, PORTAL_ENTITY);
	ASSERT_REFUSED(parse_named(both, "https://missing.example/", &p, &err), &err, ERR_NOT_FOUND,
		       "no such entity");
	ASSERT_REFUSED(parse(both, &p, &err), &err, ERR_INPUT, "several entities: name one");
	ASSERT_REFUSED(parse_named(aggregate("", whole, whole), PORTAL_ENTITY, &p, &err), &err,
		       ERR_INPUT, "names the entity twice");
	ASSERT_REFUSED(parse_named(whole, "https://missing.example/", &p, &err), &err,
		       ERR_NOT_FOUND, "no such entity");
}

static void
test_the_earliest_validity_counts(void **state)
{
	const char *entity =
		replace(a,
			changed("entityID=", "validUntil=\"2027-03-01T00:00:00Z\""
					     " cacheDuration=\"P2D\" ID=\"_e\" entityID="),
			PORTAL_ENTITY, "urn:other");
	const char *role = changed("<md:SPSSODescriptor ", "<md:SPSSODescriptor"
							   " validUntil=\"2027-02-01T00:00:00Z\" ");
	const char *all = aggregate(" validUntil=\"2027-01-01T00:00:00Z\" cacheDuration=\"PT1H\"",
				    role, entity);
	const struct saml_party *p;
	struct err err = {0};

	(void)state;
	p = party(entity);
	assert_int_equal(p->valid_until, at("2027-03-01T00:00:00Z"));
	assert_int_equal(p->cache_s, 2 * 86400);
	assert_true(p->has_id);
	assert_int_equal(party(role)->valid_until, at("2027-02-01T00:00:00Z"));
	ASSERT_OK(parse_named(all, PORTAL_ENTITY, &p, &err), &err);
	assert_int_equal(p->valid_until, at("2027-01-01T00:00:00Z"));
	assert_int_equal(p->cache_s, 3600);
	/* What lies around it may say longer. */
	p = party(replace(a,
			  changed("<md:SPSSODescriptor ",
				  "<md:SPSSODescriptor validUntil=\"2027-02-01T00:00:00Z\""
				  " cacheDuration=\"PT1H\" "),
			  "entityID=",
			  "validUntil=\"2027-03-01T00:00:00Z\" cacheDuration=\"P2D\" entityID="));
	assert_int_equal(p->valid_until, at("2027-02-01T00:00:00Z"));
	assert_int_equal(p->cache_s, 3600);
	/* Or shorter, or nothing. */
	role = changed("<md:SPSSODescriptor ", "<md:SPSSODescriptor cacheDuration=\"P2D\" ");
	assert_int_equal(party(role)->cache_s, 2 * 86400);
	p = party(replace(a, role, "entityID=", "cacheDuration=\"PT1H\" entityID="));
	assert_int_equal(p->cache_s, 3600);
}

/* ---- keys ---- */

/* The metadata with the key descriptors replaced. */
static char *
with_keys(const char *descriptors)
{
	const char *xml = whole, *old;

	for (int i = 0; i < 2; i++) {
		old = cut(a, xml, "<md:KeyDescriptor", "</md:KeyDescriptor>");
		xml = replace(a, xml, old, i == 0 ? descriptors : "");
		if (i == 0)
			xml = replace(a, xml, descriptors, "{KEYS}");
	}
	return replace(a, xml, "{KEYS}", descriptors);
}

static char *
descriptor(const char *attrs, struct bytes cert, const char *methods)
{
	return arena_printf(
		a,
		"<md:KeyDescriptor%s><ds:KeyInfo><ds:X509Data><ds:X509Certificate>\n%s\n"
		"</ds:X509Certificate></ds:X509Data></ds:KeyInfo>%s</md:KeyDescriptor>",
		attrs, enc_base64(a, cert), methods);
}

static void
test_keys_are_sorted_by_use(void **state)
{
	const struct saml_party *p = party(whole);

	(void)state;
	assert_int_equal(p->n_keys, 2);
	assert_true(p->keys[0].signing && !p->keys[0].encryption);
	assert_true(!p->keys[1].signing && p->keys[1].encryption);
	assert_int_equal(p->signing.n, 1);
	assert_int_equal(EVP_PKEY_eq(p->signing.key[0], keys->p256.pub), 1);
	assert_int_equal(EVP_PKEY_eq(p->recipient.key, keys->dec_rsa.pub), 1);
	assert_string_equal(p->recipient.name, PORTAL_ENTITY);
	assert_true(bytes_eq(p->recipient.cert_der, keys->dec_rsa.cert));
	assert_int_equal(strlen(p->keys[0].sha256), 64);
	assert_null(p->keys[0].problem);
	assert_int_equal(p->keys[0].not_before, at("2020-01-01T00:00:00Z"));
	/* SAML2Metadata 2.4.1.1: without a use, for both. */
	p = party(with_keys(descriptor("", keys->rsa.cert, "")));
	assert_true(p->keys[0].signing && p->keys[0].encryption);
	assert_int_equal(p->signing.n, 1);
	assert_int_equal(EVP_PKEY_eq(p->recipient.key, keys->rsa.pub), 1);
}

static void
test_all_signing_keys_count_and_the_first_encryption_key(void **state)
{
	const struct saml_party *p = party(with_keys(
		arena_printf(a, "%s%s%s%s", descriptor(" use=\"signing\"", keys->p256.cert, ""),
			     descriptor(" use=\"signing\"", keys->rsa.cert, ""),
			     descriptor(" use=\"encryption\"", keys->dec_p256.cert, ""),
			     descriptor(" use=\"encryption\"", keys->dec_rsa.cert, ""))));

	(void)state;
	assert_int_equal(p->signing.n, 2);
	assert_int_equal(EVP_PKEY_eq(p->recipient.key, keys->dec_p256.pub), 1);
	assert_int_equal(p->recipient.transport, XMLENC_ECDH_ES);
}

static void
test_a_bad_key_is_told_and_not_used(void **state)
{
	static const struct {
		const char *info, *problem;
	} rows[] = {
		{"<ds:KeyName>x</ds:KeyName>", "key without a certificate"},
		{"<ds:X509Data><ds:X509SubjectName>x</ds:X509SubjectName></ds:X509Data>",
		 "key without a certificate"},
		{"<ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>",
		 "not a DER certificate"},
		{"<ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate>"
		 "<ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>",
		 "several certificates for one key"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct saml_party *p = party(
			with_keys(arena_printf(a,
					       "<md:KeyDescriptor><ds:KeyInfo>%s</ds:KeyInfo>"
					       "</md:KeyDescriptor>%s",
					       rows[i].info, descriptor("", keys->rsa.cert, ""))));

		assert_string_equal(p->keys[0].problem, rows[i].problem);
		assert_null(p->keys[0].pub);
		assert_null(p->keys[0].sha256);
		assert_int_equal(p->signing.n, 1);
		assert_int_equal(EVP_PKEY_eq(p->recipient.key, keys->rsa.pub), 1);
	}
	const struct saml_party *p = party(with_keys(descriptor("", bytes_of("no DER"), "")));

	assert_null(p->recipient.key);
	assert_null(p->recipient.name); /* nothing of it, not only no key */
}

#define METHOD(uri) "<md:EncryptionMethod Algorithm=\"" uri "\"/>"
#define AES128      METHOD("http://www.w3.org/2009/xmlenc11#aes128-gcm")
#define AES256      METHOD("http://www.w3.org/2009/xmlenc11#aes256-gcm")
#define CBC         METHOD("http://www.w3.org/2001/04/xmlenc#aes256-cbc")
#define DES         METHOD("http://www.w3.org/2001/04/xmlenc#tripledes-cbc")
#define OAEP        METHOD("http://www.w3.org/2009/xmlenc11#rsa-oaep")
#define OAEP_OLD    METHOD("http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p")

static void
test_encryption_methods_are_heeded(void **state)
{
	static const struct {
		const char *methods;
		enum xmlenc_content content;
		enum xmlenc_transport transport;
	} rows[] = {
		{"", XMLENC_A128GCM, XMLENC_OAEP_SHA256},
		{AES128, XMLENC_A128GCM, XMLENC_OAEP_SHA256},
		{AES128 AES256, XMLENC_A256GCM, XMLENC_OAEP_SHA256},
		{CBC AES128, XMLENC_A128GCM, XMLENC_OAEP_SHA256},
		{OAEP, XMLENC_A128GCM, XMLENC_OAEP_SHA256},
		{OAEP_OLD, XMLENC_A128GCM, XMLENC_OAEP_SHA1},
		{OAEP_OLD OAEP AES256, XMLENC_A256GCM, XMLENC_OAEP_SHA256},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct saml_party *p =
			party(with_keys(descriptor("", keys->dec_rsa.cert, rows[i].methods)));

		assert_int_equal(p->recipient.content, rows[i].content);
		assert_int_equal(p->recipient.transport, rows[i].transport);
	}
	/* Only what we do not do: then the next key, or none. */
	assert_null(party(with_keys(descriptor("", keys->dec_rsa.cert, CBC OAEP)))->recipient.key);
	assert_null(party(with_keys(descriptor("", keys->dec_rsa.cert, DES)))->recipient.key);
	const struct saml_party *p = party(with_keys(
		arena_printf(a, "%s%s", descriptor("", keys->dec_rsa.cert, CBC),
			     descriptor(" use=\"encryption\"", keys->dec_p256.cert, AES256))));

	assert_int_equal(EVP_PKEY_eq(p->recipient.key, keys->dec_p256.pub), 1);
	assert_int_equal(p->keys[0].n_methods, 1);
}

/* ---- questions ---- */

static void
test_the_default_endpoint_follows_the_rule(void **state)
{
	const char *said = " index=\"0\" isDefault=\"true\"";
	const char *two = "acs2\" index=\"1\"";

	(void)state;
	assert_int_equal(saml_party_acs(party(whole), NULL, -1, SAML_BINDING_NONE)->index, 0);
	/* SAML2Metadata 2.2.3: isDefault, else the first that is not denied, else the first. */
	assert_int_equal(saml_party_acs(party(changed(said, " index=\"0\" isDefault=\"false\"")),
					NULL, -1, SAML_BINDING_NONE)
				 ->index,
			 1);
	assert_int_equal(
		saml_party_acs(party(changed(said, " index=\"0\"")), NULL, -1, SAML_BINDING_NONE)
			->index,
		0);
	assert_int_equal(saml_party_acs(party(replace(a,
						      changed(said, " index=\"0\""
								    " isDefault=\"false\""),
						      two, "acs2\" index=\"1\" isDefault=\"0\"")),
					NULL, -1, SAML_BINDING_NONE)
				 ->index,
			 2);
	assert_int_equal(saml_party_acs(party(replace(a,
						      changed(said, " index=\"0\""
								    " isDefault=\"false\""),
						      two, "acs2\" index=\"1\" isDefault=\"0\"")),
					NULL, -1, SAML_BINDING_POST)
				 ->index,
			 0);
	assert_int_equal(saml_party_acs(party(replace(a, changed(said, " index=\"0\""), two,
						      "acs2\" index=\"1\" isDefault=\"1\"")),
					NULL, -1, SAML_BINDING_NONE)
				 ->index,
			 1);
	struct saml_party none = {.acs = {party(whole)->acs.p, 0}};

	assert_null(saml_party_acs(&none, NULL, -1, SAML_BINDING_NONE));
}

#define PAOS_ACS(attrs, url)                                                                 \
	"<md:AssertionConsumerService Binding=\"" SAML_BINDING_URI_PAOS "\" Location=\"" url \
	"\" " attrs "/>"

static void
test_clients_without_a_browser_have_endpoints_of_their_own(void **state)
{
	const char *before = "<md:AttributeConsumingService index=\"1\"";
	const struct saml_party *p = party(
		changed(before, arena_printf(a, "%s%s",
					     PAOS_ACS("index=\"4\"", "https://amt24.example/ecp1"),
					     arena_printf(a, "%s%s",
							  PAOS_ACS("index=\"5\" isDefault=\"true\"",
								   "https://amt24.example/ecp2"),
							  before))));

	(void)state;
	assert_int_equal(p->acs.n, 3);
	assert_int_equal(p->n_acs_skipped, 1);
	assert_int_equal(p->acs_client.n, 2);
	assert_int_equal(p->acs_client.p[0].binding, SAML_BINDING_PAOS);
	assert_int_equal(saml_party_acs_client(p, NULL, -1)->index, 5);
	assert_int_equal(saml_party_acs_client(p, NULL, 4)->index, 4);
	assert_int_equal(saml_party_acs_client(p, "https://amt24.example/ecp1", -1)->index, 4);
	/* Neither answers for the other. */
	assert_null(saml_party_acs_client(p, NULL, 0));
	assert_null(saml_party_acs_client(p, PORTAL_ACS, -1));
	assert_null(saml_party_acs(p, NULL, 5, SAML_BINDING_NONE));
	assert_null(saml_party_acs(p, "https://amt24.example/ecp1", -1, SAML_BINDING_NONE));
	assert_null(saml_party_acs_client(party(whole), NULL, -1));
}

static void
test_endpoints_are_found_by_url_or_index(void **state)
{
	const struct saml_party *p = party(whole);

	(void)state;
	assert_int_equal(saml_party_acs(p, PORTAL_ACS "2", -1, SAML_BINDING_NONE)->index, 1);
	assert_string_equal(saml_party_acs(p, NULL, 1, SAML_BINDING_NONE)->url, PORTAL_ACS "2");
	assert_string_equal(saml_party_acs(p, NULL, 2, SAML_BINDING_NONE)->url,
			    PORTAL_ACS_ARTIFACT);
	assert_null(saml_party_acs(p, NULL, 3, SAML_BINDING_NONE)); /* SimpleSign */
	assert_null(saml_party_acs(p, NULL, 2, SAML_BINDING_POST));
	assert_null(saml_party_acs(p, PORTAL_ACS, -1, SAML_BINDING_ARTIFACT));
	assert_null(saml_party_acs(p, "https://evil.example/", -1, SAML_BINDING_NONE));
	assert_int_equal(saml_party_slo(p, SAML_BINDING_POST)->binding, SAML_BINDING_POST);
	/* SOAP stands before it, but is no way for a browser. */
	assert_int_equal(saml_party_slo(p, SAML_BINDING_NONE)->binding, SAML_BINDING_REDIRECT);
	assert_string_equal(saml_party_slo(p, SAML_BINDING_SOAP)->url,
			    "https://amt24.example/saml/slo-soap");
}

static void
test_services_are_found_by_index_or_default(void **state)
{
	const struct saml_party *p = party(changed("index=\"1\" isDefault=\"true\"><md:ServiceName",
						   "index=\"1\"><md:ServiceName"));

	(void)state;
	assert_int_equal(saml_party_service(p, 2)->index, 2);
	assert_int_equal(saml_party_service(p, -1)->index, 1); /* the first, when none is said */
	assert_null(saml_party_service(p, 3));
	p = party(replace(a,
			  changed("index=\"1\" isDefault=\"true\"><md:ServiceName",
				  "index=\"1\"><md:ServiceName"),
			  "index=\"2\"><md:ServiceName",
			  "index=\"2\" isDefault=\"1\"><md:ServiceName"));
	assert_int_equal(saml_party_service(p, -1)->index, 2);
}

static int
open_arena(void **state)
{
	(void)state;
	a = arena_create(256 << 20);
	keys = test_keys_create(a);
	whole = portal_metadata(a, keys);
	return 0;
}

static int
close_arena(void **state)
{
	(void)state;
	arena_destroy(a);
	return 0;
}

#define REQ "urn:oasis:names:tc:SAML:profiles:subject-id:req"
#define ENTITY_ATTRIBUTE(name, value)                                                             \
	"<md:Extensions><mdattr:EntityAttributes xmlns:mdattr=\"" SAML_NS_ATTRIBUTE               \
	"\" xmlns:saml=\"" SAML_NS_ASSERTION "\"><saml:Attribute NameFormat=\"" SAML_ATTRNAME_URI \
	"\" Name=\"" name "\"><saml:AttributeValue>" value                                        \
	"</saml:AttributeValue></saml:Attribute></mdattr:EntityAttributes></md:Extensions>"

/* SAML V2.0 Subject Identifier Attributes 3.5.1 */
static void
test_an_entity_attribute_says_which_identifier_is_needed(void **state)
{
	static const struct {
		const char *extensions, *wanted;
	} rows[] = {
		{ENTITY_ATTRIBUTE(REQ, "subject-id"), "subject-id"},
		{ENTITY_ATTRIBUTE(REQ, " pairwise-id "), "pairwise-id"},
		{ENTITY_ATTRIBUTE(REQ, "any"), "any"},
		{ENTITY_ATTRIBUTE(REQ, "none"), NULL},
		{ENTITY_ATTRIBUTE(REQ, "subject"), NULL},
		{ENTITY_ATTRIBUTE("urn:other", "subject-id"), NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct saml_party *p = party(
			changed("<md:SPSSODescriptor",
				arena_printf(a, "%s<md:SPSSODescriptor", rows[i].extensions)));

		if (rows[i].wanted == NULL)
			assert_null(p->subject_id);
		else
			assert_string_equal(p->subject_id, rows[i].wanted);
	}
	/* What would hide a part of the text from one who reads. */
	const struct saml_party *none = NULL;
	struct err err = {0};

	ASSERT_REFUSED(
		saml_metadata_parse(
			a,
			bytes_of(changed("<md:SPSSODescriptor",
					 ENTITY_ATTRIBUTE(REQ, "any<a/>") "<md:SPSSODescriptor")),
			NULL, &none, &err),
		&err, ERR_INPUT, "AttributeValue");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_entity_attribute_says_which_identifier_is_needed),
		cmocka_unit_test(test_a_service_provider_is_read),
		cmocka_unit_test(test_requested_attributes_are_read),
		cmocka_unit_test(test_the_least_service_provider_is_read),
		cmocka_unit_test(test_what_is_no_service_provider_is_refused),
		cmocka_unit_test(test_too_many_of_a_kind_are_refused),
		cmocka_unit_test(test_what_is_not_for_us_is_passed_over),
		cmocka_unit_test(test_one_entity_of_an_aggregate_is_found),
		cmocka_unit_test(test_the_earliest_validity_counts),
		cmocka_unit_test(test_keys_are_sorted_by_use),
		cmocka_unit_test(test_all_signing_keys_count_and_the_first_encryption_key),
		cmocka_unit_test(test_a_bad_key_is_told_and_not_used),
		cmocka_unit_test(test_encryption_methods_are_heeded),
		cmocka_unit_test(test_the_default_endpoint_follows_the_rule),
		cmocka_unit_test(test_clients_without_a_browser_have_endpoints_of_their_own),
		cmocka_unit_test(test_endpoints_are_found_by_url_or_index),
		cmocka_unit_test(test_services_are_found_by_index_or_default),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
