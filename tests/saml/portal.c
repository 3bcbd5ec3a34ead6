/* The service provider of the tests; see portal.h. */
#include "tests/saml/portal.h"

#include <zlib.h>

#include "base/clock.h"
#include "base/enc.h"
#include "saml/names.h"
#include "saml/soap.h"
#include "tests/test.h"

#define OPEN(name)                                                             \
	"<samlp:" name " xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\"" \
	" xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\""
#define ISSUED "\" IssueInstant=\"2026-11-23T18:00:00Z\" Version=\"2.0\""
#define ISSUER "<saml:Issuer>" PORTAL_ENTITY "</saml:Issuer>" FIXTURE_PLACE
#define ECDSA  "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"

const char portal_authn_request[] = OPEN(
	"AuthnRequest") " AssertionConsumerServiceURL=\"" PORTAL_ACS "\" Destination=\"" PORTAL_SSO
			"\" ForceAuthn=\"false\" ID=\"_request1" ISSUED
			" ProtocolBinding=\"" SAML_BINDING_URI_POST "\">" ISSUER
			"<samlp:NameIDPolicy AllowCreate=\"true\" Format=\"" SAML_NAMEID_TRANSIENT
			"\"/>"
			"<samlp:RequestedAuthnContext Comparison=\"minimum\">"
			"<saml:AuthnContextClassRef>STORK-QAA-Level-3</saml:AuthnContextClassRef>"
			"</samlp:RequestedAuthnContext></samlp:AuthnRequest>";

const char portal_logout_request[] = OPEN(
	"LogoutRequest") " Destination=\"" PORTAL_SLO "\" ID=\"_logout1" ISSUED
			 " NotOnOrAfter=\"2026-11-23T18:05:00Z\">" ISSUER
			 "<saml:NameID Format=\"" SAML_NAMEID_TRANSIENT "\">name1</saml:NameID>"
			 "<samlp:SessionIndex>session1</samlp:SessionIndex></samlp:LogoutRequest>";

const char portal_logout_response[] =
	OPEN("LogoutResponse") " Destination=\"" PORTAL_SLO
			       "\" ID=\"_answer1\" InResponseTo=\"_ours1" ISSUED ">" ISSUER
			       "<samlp:Status><samlp:StatusCode "
			       "Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>"
			       "</samlp:Status></samlp:LogoutResponse>";

time_t
portal_now(void)
{
	time_t t;

	assert_true(clock_parse("2026-11-23T18:00:10Z", &t, NULL));
	return t;
}

static char *
key_descriptor(struct arena *a, const char *use, struct bytes cert)
{
	return arena_printf(a,
			    "<md:KeyDescriptor use=\"%s\"><ds:KeyInfo><ds:X509Data>"
			    "<ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
			    "</md:KeyDescriptor>",
			    use, enc_base64(a, cert));
}

char *
portal_metadata(struct arena *a, const struct test_keys *k)
{
	static const char head[] =
		"<md:EntityDescriptor xmlns:md=\"" SAML_NS_METADATA "\" xmlns:ds=\"" SAML_NS_DS
		"\" entityID=\"" PORTAL_ENTITY "\"><md:SPSSODescriptor AuthnRequestsSigned=\"true\""
		" WantAssertionsSigned=\"true\" protocolSupportEnumeration=\"" SAML_NS_PROTOCOL
		"\"><md:Extensions><mdui:UIInfo xmlns:mdui=\"" SAML_NS_MDUI
		"\"><mdui:DisplayName xml:lang=\"de\">Amt24</mdui:DisplayName></mdui:UIInfo>"
		"</md:Extensions>";
	static const char tail[] =
		"<md:SingleLogoutService Binding=\"" SAML_BINDING_URI_SOAP
		"\" Location=\"https://amt24.example/saml/slo-soap\"/>"
		"<md:SingleLogoutService Binding=\"" SAML_BINDING_URI_REDIRECT
		"\" Location=\"https://amt24.example/saml/slo\""
		" ResponseLocation=\"https://amt24.example/saml/slo-done?x=1\"/>"
		"<md:SingleLogoutService Binding=\"" SAML_BINDING_URI_POST
		"\" Location=\"https://amt24.example/saml/slo-post\"/>"
		"<md:NameIDFormat>" SAML_NAMEID_PERSISTENT "</md:NameIDFormat>"
		"<md:AssertionConsumerService Binding=\"" SAML_BINDING_URI_POST
		"\" Location=\"" PORTAL_ACS "\" index=\"0\" isDefault=\"true\"/>"
		"<md:AssertionConsumerService Binding=\"" SAML_BINDING_URI_POST
		"\" Location=\"https://amt24.example/saml/acs2\" index=\"1\"/>"
		"<md:AssertionConsumerService"
		" Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact\""
		" Location=\"" PORTAL_ACS_ARTIFACT "\" index=\"2\"/>"
		"<md:AssertionConsumerService"
		" Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST-SimpleSign\""
		" Location=\"https://amt24.example/saml/simple\" index=\"3\"/>"
		"<md:AttributeConsumingService index=\"1\" isDefault=\"true\">"
		"<md:ServiceName xml:lang=\"de\">Gewerbeanmeldung</md:ServiceName>"
		"<md:RequestedAttribute Name=\"urn:oid:2.5.4.42\" NameFormat=\"" SAML_ATTRNAME_URI
		"\" FriendlyName=\"givenName\" isRequired=\"true\"/>"
		"<md:RequestedAttribute Name=\"urn:oid:2.5.4.4\"/></md:AttributeConsumingService>"
		"<md:AttributeConsumingService index=\"2\">"
		"<md:ServiceName xml:lang=\"de\">Wohngeld</md:ServiceName>"
		"<md:RequestedAttribute Name=\"urn:oid:2.5.4.16\"/></md:AttributeConsumingService>"
		"</md:SPSSODescriptor>"
		"<md:Organization><md:OrganizationName xml:lang=\"de\">Amt</md:OrganizationName>"
		"<md:OrganizationDisplayName xml:lang=\"de\">Das Amt</md:OrganizationDisplayName>"
		"<md:OrganizationURL xml:lang=\"de\">https://amt24.example/</md:OrganizationURL>"
		"</md:Organization><md:ContactPerson contactType=\"technical\">"
		"<md:EmailAddress>mailto:technik@amt24.example</md:EmailAddress></md:ContactPerson>"
		"</md:EntityDescriptor>";

	return arena_printf(a, "%s%s%s%s", head, key_descriptor(a, "signing", k->p256.cert),
			    key_descriptor(a, "encryption", k->dec_rsa.cert), tail);
}

const struct saml_party *
portal_party(struct arena *a, const struct test_keys *k)
{
	struct saml_party *party = ARENA_NEW(a, struct saml_party);
	const struct saml_party *read;
	struct err err = {0};

	ASSERT_OK(saml_metadata_parse(a, bytes_of(portal_metadata(a, k)), NULL, &read, &err), &err);
	*party = *read;
	party->signing = fixture_keys();
	return party;
}

/* With zlib's own defaults: another sender than our encoder. */
static struct bytes
deflate_all(struct arena *a, struct bytes in)
{
	z_stream z = {.next_in = (unsigned char *)(uintptr_t)in.p, .avail_in = (uInt)in.n};

	assert_int_equal(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8,
				      Z_DEFAULT_STRATEGY),
			 Z_OK);
	size_t max = deflateBound(&z, (uLong)in.n);
	unsigned char *p = arena_alloc(a, max);

	z.next_out = p;
	z.avail_out = (uInt)max;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return (struct bytes){p, max - z.avail_out};
}

char *
portal_percent(struct arena *a, struct bytes text)
{
	struct err err = {0};
	const char *out;
	struct buf b;

	buf_init(&b, a, 4 << 20);
	enc_percent(&b, text);
	ASSERT_OK(buf_finish_str(&b, &out, &err), &err);
	return arena_strdup(a, out);
}

char *
portal_packed(struct arena *a, struct bytes xml)
{
	return portal_percent(a, bytes_of(enc_base64(a, deflate_all(a, xml))));
}

char *
portal_query_unsigned(struct arena *a, const char *param, const char *xml, const char *relay)
{
	if (strstr(xml, FIXTURE_PLACE) != NULL)
		xml = replace(a, xml, FIXTURE_PLACE, "");
	char *query = arena_printf(a, "%s=%s", param, portal_packed(a, bytes_of(xml)));

	if (relay != NULL)
		query = arena_printf(a, "%s&RelayState=%s", query,
				     portal_percent(a, bytes_of(relay)));
	return query;
}

char *
portal_sign_query(struct arena *a, const char *octets)
{
	struct bytes sig =
		fixture_sign_octets(a, saml_suite_by_name("ecdsa-sha256"), bytes_of(octets));

	return arena_printf(a, "%s&Signature=%s", octets,
			    portal_percent(a, bytes_of(enc_base64(a, sig))));
}

char *
portal_query(struct arena *a, const char *param, const char *xml, const char *relay)
{
	return portal_sign_query(a, arena_printf(a, "%s&SigAlg=%s",
						 portal_query_unsigned(a, param, xml, relay),
						 portal_percent(a, bytes_of(ECDSA))));
}

char *
portal_form(struct arena *a, const char *param, const char *xml, const char *relay)
{
	if (strstr(xml, FIXTURE_PLACE) != NULL) {
		struct fixture f = fixture_request();
		const char *id = strstr(xml, " ID=\"") + strlen(" ID=\"");

		f.text = xml;
		f.id = arena_strndup(a, id, strcspn(id, "\""));
		xml = fixture_sign(a, &f);
	}
	char *form = arena_printf(a, "%s=%s", param,
				  portal_percent(a, bytes_of(enc_base64(a, bytes_of(xml)))));

	if (relay != NULL)
		form = arena_printf(a, "%s&RelayState=%s", form,
				    portal_percent(a, bytes_of(relay)));
	return form;
}

char *
portal_enveloped(struct arena *a, const char *xml)
{
	return arena_printf(
		a, "<e:Envelope xmlns:e=\"" SOAP_NS "\"><e:Body>%s</e:Body></e:Envelope>", xml);
}

bool
portal_send(struct arena *a, const struct saml_party *party, const char *param, const char *xml,
	    const struct saml_verified **out, struct err *err)
{
	const struct saml_message *m;

	return saml_message_decode(a, SAML_BINDING_REDIRECT,
				   bytes_of(portal_query(a, param, xml, NULL)), &m, err) &&
	       saml_message_verify(a, m, party, out, err);
}

struct bytes
portal_unpack(struct arena *a, const struct saml_carrier *c)
{
	enum saml_binding binding = SAML_BINDING_REDIRECT;
	struct err err = {0};
	struct saml_wire wire;
	const char *raw;

	if (c->envelope.n > 0) {
		struct soap_envelope envelope;
		struct bytes xml;

		ASSERT_OK(soap_read(a, c->envelope, NULL, &envelope, &err), &err);
		ASSERT_OK(xml_c14n(a, envelope.content, NULL, NULL, 0, &xml, &err), &err);
		return xml;
	}
	if (c->location == NULL) {
		binding = SAML_BINDING_POST;
		raw = arena_printf(a, "%s=%s", c->name, portal_percent(a, bytes_of(c->value)));
	} else {
		raw = strstr(c->location, "SAMLRe");
		assert_non_null(raw);
	}
	ASSERT_OK(saml_binding_decode(a, binding, bytes_of(raw), &wire, &err), &err);
	return wire.xml;
}

const struct xml_node *
portal_child(const struct xml_node *n, const char *ns, const char *name)
{
	const struct xml_node *c;
	struct err err = {0};

	ASSERT_OK(xml_child(n, ns, name, &c, &err), &err);
	return c;
}

const char *
portal_text(struct arena *a, const struct xml_node *n)
{
	struct err err = {0};
	const char *t;

	assert_non_null(n);
	ASSERT_OK(xml_text(a, n, &t, &err), &err);
	return t;
}

struct saml_assertion
portal_assertion(time_t now)
{
	static const char *const erika[] = {"Erika"};
	static const struct saml_attribute attributes[] = {{.name = "urn:oid:2.5.4.42",
							    .name_format = SAML_ATTRNAME_URI,
							    .friendly_name = "givenName",
							    .values = erika,
							    .n_values = 1}};

	return (struct saml_assertion){
		.id = "_assertion1",
		.issuer = PORTAL_OURS,
		.audience = PORTAL_ENTITY,
		.recipient = PORTAL_ACS,
		.in_response_to = "_request1",
		.nameid = {"name1", SAML_NAMEID_TRANSIENT, PORTAL_OURS, PORTAL_ENTITY},
		.issued_at = now,
		.not_before = now - 60,
		.not_on_or_after = now + 300,
		.authn_at = now - 5,
		.session_index = "session1",
		.class_ref = "STORK-QAA-Level-3",
		.attributes = attributes,
		.n_attributes = ARRAY_LEN(attributes),
	};
}

struct saml_response
portal_response(const struct saml_assertion *facts, time_t now)
{
	return (struct saml_response){
		.id = "_response1",
		.issuer = PORTAL_OURS,
		.binding = SAML_BINDING_POST,
		.destination = PORTAL_ACS,
		.in_response_to = "_request1",
		.issued_at = now,
		.status = saml_status_of(facts != NULL ? SAML_SUCCESS : SAML_NO_PASSIVE),
		.assertion = facts,
	};
}

static bool
no_answer(void *ctx, struct arena *a, const char *kid, enum sig_alg alg, struct bytes text,
	  struct bytes *sig, struct err *err)
{
	(void)ctx, (void)a, (void)kid, (void)alg, (void)text, (void)sig;
	return FAIL(err, ERR_UNAVAILABLE, NULL, "the signer does not answer");
}

const struct key_ops portal_no_signer = {.sign = no_answer};
