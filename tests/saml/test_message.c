/* saml/message.c: what was sent, what of it is proven, and the common header. */
#include "saml/message.h"

#include "base/enc.h"
#include "saml/names.h"
#include "saml/status.h"
#include "tests/saml/portal.h"
#include "tests/test.h"

#define ECDSA "http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23ecdsa-sha256"
#define RSA   "http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23rsa-sha256"

static struct arena *a;
static const struct saml_party *party;
static const struct saml_policy strict, lenient = {.accept_unsigned = true};

static bool
decode(enum saml_binding binding, const char *raw, const struct saml_message **m, struct err *err)
{
	return saml_message_decode(a, binding, bytes_of(raw), m, err);
}

static bool
redirect(const char *query, const struct saml_message **m, struct err *err)
{
	return decode(SAML_BINDING_REDIRECT, query, m, err);
}

static bool
verify_query(const char *query, const struct saml_verified **v, struct err *err)
{
	const struct saml_message *m;

	return redirect(query, &m, err) && saml_message_verify(a, m, party, v, err);
}

static bool
verify_form(const char *form, const struct saml_verified **v, struct err *err)
{
	const struct saml_message *m;

	return decode(SAML_BINDING_POST, form, &m, err) && saml_message_verify(a, m, party, v, err);
}

static bool
admit(enum saml_binding binding, const char *raw, const struct saml_policy *policy,
      const struct saml_verified **v, struct err *err)
{
	const struct saml_message *m;

	return decode(binding, raw, &m, err) && saml_message_admit(a, m, party, policy, v, err);
}

static char *
changed(const char *from, const char *to)
{
	return replace(a, portal_authn_request, from, to);
}

/* ---- received ---- */

static void
test_a_message_says_what_it_claims(void **state)
{
	const struct saml_message *m;
	struct err err = {0};

	(void)state;
	ASSERT_OK(redirect(portal_query(a, "SAMLRequest", portal_authn_request, "r1"), &m, &err),
		  &err);
	assert_int_equal(saml_message_kind(m), SAML_AUTHN_REQUEST);
	assert_int_equal(saml_message_binding(m), SAML_BINDING_REDIRECT);
	assert_string_equal(saml_message_issuer(m), PORTAL_ENTITY);
	assert_string_equal(saml_message_relay_state(m), "r1");
	ASSERT_OK(decode(SAML_BINDING_POST,
			 portal_form(a, "SAMLRequest", portal_logout_request, NULL), &m, &err),
		  &err);
	assert_int_equal(saml_message_kind(m), SAML_LOGOUT_REQUEST);
	assert_int_equal(saml_message_binding(m), SAML_BINDING_POST);
	assert_null(saml_message_relay_state(m));
	ASSERT_OK(redirect(portal_query(a, "SAMLResponse", portal_logout_response, NULL), &m, &err),
		  &err);
	assert_int_equal(saml_message_kind(m), SAML_LOGOUT_RESPONSE);
}

static const struct {
	const char *param, *xml, *why;
} not_taken[] = {
	{"SAMLRequest", "not XML", "XML"},
	{"SAMLRequest", "<x/>", "<x> is no message we take"},
	{"SAMLRequest", "<AuthnRequest/>", "<AuthnRequest> is no message we take"},
	{"SAMLResponse", portal_authn_request, "came in the wrong parameter"},
	{"SAMLRequest", portal_logout_response, "came in the wrong parameter"},
	{"SAMLRequest", "<p:AuthnRequest xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\"/>",
	 "has no <Issuer>"},
	{"SAMLRequest",
	 "<p:AuthnRequest xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\""
	 " xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\"><a:Issuer/></p:AuthnRequest>",
	 "Issuer is not an entityID"},
	{"SAMLRequest",
	 "<p:AuthnRequest xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\""
	 " xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\"><a:Issuer>a b</a:Issuer>"
	 "</p:AuthnRequest>",
	 "Issuer is not an entityID"},
	{"SAMLRequest",
	 "<p:AuthnRequest xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\""
	 " xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\"><a:Issuer"
	 " Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">urn:x</a:Issuer>"
	 "</p:AuthnRequest>",
	 "Issuer is not an entity"},
	{"SAMLRequest",
	 "<p:AuthnRequest xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\""
	 " xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\"><a:Issuer>urn:x</a:Issuer>"
	 "<a:Issuer>urn:y</a:Issuer></p:AuthnRequest>",
	 "second <Issuer>"},
	{"SAMLRequest",
	 "<p:AuthnRequest xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\""
	 " xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\"><a:Issuer>urn:<b/>x</a:Issuer>"
	 "</p:AuthnRequest>",
	 "something beside text"},
	/* CVE-2017-11427: text after a comment was lost. */
	{"SAMLRequest",
	 "<p:AuthnRequest xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\""
	 " xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\"><a:Issuer>urn:x<!---->.evil</a:Issuer>"
	 "</p:AuthnRequest>",
	 "comment in XML"},
};

static void
test_what_is_no_message_of_ours_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(not_taken); i++) {
		const struct saml_message *m;
		struct err err = {0};

		ASSERT_REFUSED(redirect(portal_query_unsigned(a, not_taken[i].param,
							      not_taken[i].xml, NULL),
					&m, &err),
			       &err, ERR_INPUT, not_taken[i].why);
	}
	const struct saml_message *m;
	struct err err = {0};

	ASSERT_REFUSED(redirect("SAMLRequest=!", &m, &err), &err, ERR_INPUT, "base64");
}

static void
test_what_an_answer_claims_is_told_as_a_claim(void **state)
{
	static const char *const bad[] = {SAML_STATUS_PREFIX "Responder", "", "x"};
	const struct saml_message *m;
	struct err err = {0};

	(void)state;
	ASSERT_OK(redirect(portal_query_unsigned(a, "SAMLResponse", portal_logout_response, NULL),
			   &m, &err),
		  &err);
	assert_string_equal(saml_message_in_response_to(m), "_ours1");
	assert_true(saml_message_claims_success(m));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *xml = replace(a, portal_logout_response, SAML_SUCCESS, bad[i]);

		ASSERT_OK(redirect(portal_query_unsigned(a, "SAMLResponse", xml, NULL), &m, &err),
			  &err);
		assert_false(saml_message_claims_success(m));
	}
	ASSERT_OK(redirect(portal_query_unsigned(a, "SAMLRequest", portal_logout_request, NULL), &m,
			   &err),
		  &err);
	assert_null(saml_message_in_response_to(m));
	assert_false(saml_message_claims_success(m));
	const char *twice = replace(a, portal_logout_response, "</samlp:LogoutResponse>",
				    "<samlp:Status/></samlp:LogoutResponse>");

	ASSERT_OK(redirect(portal_query_unsigned(a, "SAMLResponse", twice, NULL), &m, &err), &err);
	assert_false(saml_message_claims_success(m));
	/* What nobody signed may have any shape. */
	static const char *const shapes[] = {"<samlp:Status/>", "<samlp:Status>text</samlp:Status>",
					     "<samlp:Status><samlp:StatusCode/></samlp:Status>"};

	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		const char *xml =
			replace(a, portal_logout_response,
				cut(a, portal_logout_response, "<samlp:Status>", "</samlp:Status>"),
				shapes[i]);

		ASSERT_OK(redirect(portal_query_unsigned(a, "SAMLResponse", xml, NULL), &m, &err),
			  &err);
		assert_false(saml_message_claims_success(m));
	}
}

/* ---- SOAP ---- */

static const char *
enveloped(const char *xml, const char *id)
{
	struct fixture f = fixture_request();

	f.text = xml;
	f.id = id;
	if (strstr(xml, FIXTURE_PLACE) != NULL)
		xml = fixture_sign(a, &f);
	return portal_enveloped(a, xml);
}

static void
test_a_signed_envelope_verifies(void **state)
{
	const struct saml_verified *v;
	const struct saml_message *m;
	struct err err = {0};
	const char *text = enveloped(portal_logout_request, "_logout1");

	(void)state;
	ASSERT_OK(decode(SAML_BINDING_SOAP, text, &m, &err), &err);
	assert_int_equal(saml_message_kind(m), SAML_LOGOUT_REQUEST);
	assert_null(saml_message_relay_state(m));
	ASSERT_OK(saml_message_verify(a, m, party, &v, &err), &err);
	ASSERT_OK(
		decode(SAML_BINDING_SOAP, enveloped(portal_logout_response, "_answer1"), &m, &err),
		&err);
	assert_int_equal(saml_message_kind(m), SAML_LOGOUT_RESPONSE);
	/* Changed, and unsigned. */
	ASSERT_OK(decode(SAML_BINDING_SOAP, replace(a, text, ">name1<", ">name2<"), &m, &err),
		  &err);
	ASSERT_REFUSED(saml_message_verify(a, m, party, &v, &err), &err, ERR_DENIED,
		       "not what was signed");
	ASSERT_OK(
		decode(SAML_BINDING_SOAP,
		       enveloped(replace(a, portal_logout_request, FIXTURE_PLACE, ""), "_logout1"),
		       &m, &err),
		&err);
	ASSERT_REFUSED(saml_message_verify(a, m, party, &v, &err), &err, ERR_DENIED,
		       "message is not signed");
}

static void
test_what_is_no_enveloped_message_is_refused(void **state)
{
	static const struct {
		const char *xml, *why;
	} bad[] = {
		{"<x/>", "<x> is no message we take"},
		{"", "lacks"},
		{"<e:Fault><faultcode>e:Server</faultcode><faultstring>no</faultstring></e:Fault>",
		 "SOAP fault Server: no"},
	};
	const struct saml_message *m;
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ASSERT_REFUSED(decode(SAML_BINDING_SOAP, enveloped(bad[i].xml, NULL), &m, &err),
			       &err, ERR_INPUT, bad[i].why);
	ASSERT_REFUSED(decode(SAML_BINDING_SOAP, "<x/>", &m, &err), &err, ERR_INPUT,
		       "no SOAP 1.1 envelope");
}

/* ---- verified ---- */

static void
test_a_signed_query_verifies(void **state)
{
	const struct saml_verified *v;
	struct err err = {0};

	(void)state;
	ASSERT_OK(verify_query(portal_query(a, "SAMLRequest", portal_authn_request, "r"), &v, &err),
		  &err);
	assert_int_equal(saml_verified_proof(v), SAML_PROOF_SIGNED);
	assert_ptr_equal(saml_verified_party(v), party);
}

static void
test_a_signed_form_verifies(void **state)
{
	const struct saml_verified *v;
	struct err err = {0};

	(void)state;
	ASSERT_OK(verify_form(portal_form(a, "SAMLRequest", portal_authn_request, "r"), &v, &err),
		  &err);
	assert_int_equal(saml_verified_proof(v), SAML_PROOF_SIGNED);
}

static void
test_the_senders_own_encoding_is_what_was_signed(void **state)
{
	/* Lower-case escapes and '+' for a blank: another spelling of the same values. */
	const char *packed =
		portal_packed(a, bytes_of(replace(a, portal_authn_request, FIXTURE_PLACE, "")));
	char *own = arena_strdup(a, packed);
	const struct saml_verified *v;
	struct err err = {0};

	(void)state;
	for (char *p = own; (p = strchr(p, '%')) != NULL; p++)
		if (p[2] >= 'A')
			p[2] = (char)(p[2] + 'a' - 'A');
	assert_string_not_equal(own, packed);
	const char *octets =
		arena_printf(a,
			     "SAMLRequest=%s&RelayState=a+b%%7e&SigAlg="
			     "http:%%2f%%2fwww.w3.org/2001/04/xmldsig-more%%23ecdsa-sha256",
			     own);
	const char *query = portal_sign_query(a, octets);

	ASSERT_OK(verify_query(query, &v, &err), &err);
	/* Re-encoded, as a reader that rebuilds the query would see it. */
	ASSERT_REFUSED(verify_query(replace(a, query, own, packed), &v, &err), &err, ERR_DENIED,
		       "");
	ASSERT_REFUSED(verify_query(replace(a, query, "a+b%7e", "a%20b~"), &v, &err), &err,
		       ERR_DENIED, "");
}

static void
test_any_changed_part_of_a_query_is_noticed(void **state)
{
	const char *query = portal_query(a, "SAMLRequest", portal_authn_request, "relay");
	const char *other = portal_packed(
		a, bytes_of(replace(a, changed("_request1", "_request2"), FIXTURE_PLACE, "")));
	const struct saml_verified *v;
	struct err err = {0};

	(void)state;
	ASSERT_OK(verify_query(query, &v, &err), &err);
	const char *old = cut(a, query, "SAMLRequest=", "&");

	ASSERT_REFUSED(
		verify_query(replace(a, query, old, arena_printf(a, "SAMLRequest=%s&", other)), &v,
			     &err),
		&err, ERR_DENIED, "");
	ASSERT_REFUSED(verify_query(replace(a, query, "=relay", "=other"), &v, &err), &err,
		       ERR_DENIED, "");
	ASSERT_REFUSED(verify_query(replace(a, query, "&RelayState=relay", ""), &v, &err), &err,
		       ERR_DENIED, "");
	ASSERT_REFUSED(verify_query(replace(a, query, ECDSA, RSA), &v, &err), &err, ERR_DENIED, "");
	ASSERT_REFUSED(verify_query(replace(a, query, "ecdsa-sha256", "ecdsa-sha1"), &v, &err),
		       &err, ERR_DENIED, "");
	ASSERT_REFUSED(verify_query(replace(a, query, "ecdsa-sha256", "hmac-sha256"), &v, &err),
		       &err, ERR_DENIED, "");
	ASSERT_REFUSED(verify_query(arena_printf(a, "%s&RelayState=x",
						 portal_query(a, "SAMLRequest",
							      portal_authn_request, NULL)),
				    &v, &err),
		       &err, ERR_DENIED, "");
}

static void
test_a_stripped_signature_is_refused(void **state)
{
	const struct saml_verified *v;
	struct err err = {0};

	(void)state;
	ASSERT_REFUSED(
		verify_query(portal_query_unsigned(a, "SAMLRequest", portal_authn_request, NULL),
			     &v, &err),
		&err, ERR_DENIED, "message is not signed");
	ASSERT_REFUSED(verify_form(portal_form(a, "SAMLRequest", changed(FIXTURE_PLACE, ""), NULL),
				   &v, &err),
		       &err, ERR_DENIED, "message is not signed");
}

static void
test_a_signed_form_that_was_changed_is_refused(void **state)
{
	const struct saml_verified *v;
	struct err err = {0};
	struct fixture f = fixture_request();

	(void)state;
	f.text = portal_authn_request;
	f.id = "_request1";
	const char *xml = replace(a, fixture_sign(a, &f), PORTAL_ACS, "https://evil.example/");

	ASSERT_REFUSED(verify_form(portal_form(a, "SAMLRequest", xml, NULL), &v, &err), &err,
		       ERR_DENIED, "");
}

static void
test_another_partys_message_is_refused(void **state)
{
	const char *foreign = changed(PORTAL_ENTITY, "https://other.example/sp");
	const struct saml_verified *v;
	struct err err = {0};

	(void)state;
	ASSERT_REFUSED(verify_query(portal_query(a, "SAMLRequest", foreign, NULL), &v, &err), &err,
		       ERR_DENIED, "message is from another party");
	ASSERT_REFUSED(verify_form(portal_form(a, "SAMLRequest", foreign, NULL), &v, &err), &err,
		       ERR_DENIED, "message is from another party");
}

static void
test_a_signature_inside_a_query_is_refused(void **state)
{
	struct fixture f = fixture_request();
	const struct saml_verified *v;
	struct err err = {0};

	(void)state;
	f.text = portal_authn_request;
	f.id = "_request1";
	const char *xml = fixture_sign(a, &f);

	ASSERT_REFUSED(verify_query(portal_query(a, "SAMLRequest", xml, NULL), &v, &err), &err,
		       ERR_INPUT, "");
	/* Inside only: the binding demands the one beside. */
	ASSERT_REFUSED(verify_query(portal_query_unsigned(a, "SAMLRequest", xml, NULL), &v, &err),
		       &err, ERR_DENIED, "not signed");
}

static void
test_a_signature_over_an_inner_message_proves_nothing(void **state)
{
	/* XSW: the signed request is carried in the extensions of an unsigned one. */
	struct fixture f = fixture_request();
	const struct saml_verified *v;
	struct err err = {0};

	(void)state;
	f.text = portal_authn_request;
	f.id = "_request1";
	const char *inner = fixture_sign(a, &f);
	const char *outer =
		replace(a, changed("_request1", "_outer"), FIXTURE_PLACE,
			arena_printf(a, "<samlp:Extensions>%s</samlp:Extensions>", inner));

	ASSERT_REFUSED(verify_form(portal_form(a, "SAMLRequest", outer, NULL), &v, &err), &err,
		       ERR_DENIED, "not signed");
	/* The signature moved to the outer one, pointing inside. */
	const char *sig = cut(a, inner, "<ds:Signature", "</ds:Signature>");

	outer = replace(a, changed("_request1", "_outer"), FIXTURE_PLACE,
			arena_printf(a, "%s<samlp:Extensions>%s</samlp:Extensions>", sig,
				     replace(a, inner, sig, "")));
	ASSERT_REFUSED(verify_form(portal_form(a, "SAMLRequest", outer, NULL), &v, &err), &err,
		       ERR_INPUT, "");
}

/* ---- unsigned ---- */

static struct saml_party
unsigning_party(void)
{
	struct saml_party p = *party;

	p.authn_requests_signed = false;
	return p;
}

static void
test_an_unsigned_request_needs_leave(void **state)
{
	const char *query = portal_query_unsigned(a, "SAMLRequest", portal_authn_request, NULL);
	struct saml_party p = unsigning_party();
	const struct saml_verified *v;
	const struct saml_message *m;
	struct err err = {0};

	(void)state;
	ASSERT_OK(redirect(query, &m, &err), &err);
	ASSERT_OK(saml_message_accept_unsigned(a, m, &p, &lenient, &v, &err), &err);
	assert_int_equal(saml_verified_proof(v), SAML_PROOF_UNSIGNED);
	ASSERT_OK(saml_message_admit(a, m, &p, &lenient, &v, &err), &err);
	assert_int_equal(saml_verified_proof(v), SAML_PROOF_UNSIGNED);
	ASSERT_REFUSED(saml_message_accept_unsigned(a, m, &p, &strict, &v, &err), &err, ERR_DENIED,
		       "party must sign its requests");
	ASSERT_REFUSED(saml_message_admit(a, m, &p, &strict, &v, &err), &err, ERR_DENIED,
		       "party must sign its requests");
	/* saml2int SDP-IDP04: what its metadata says binds the party itself. */
	ASSERT_REFUSED(saml_message_accept_unsigned(a, m, party, &lenient, &v, &err), &err,
		       ERR_DENIED, "party says that it signs");
	p.entity_id = "https://other.example/sp";
	ASSERT_REFUSED(saml_message_accept_unsigned(a, m, &p, &lenient, &v, &err), &err, ERR_DENIED,
		       "another party");
}

static void
test_a_bad_signature_is_never_unsigned(void **state)
{
	static const char *const junk[] = {
		"<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"></ds:Signature>",
		"<samlp:Extensions><ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">"
		"</ds:Signature></samlp:Extensions>",
		"<samlp:Extensions><x:y xmlns:x=\"urn:x\"><ds:SignatureValue"
		" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"></ds:SignatureValue></x:y>"
		"</samlp:Extensions>",
	};
	struct saml_party p = unsigning_party();
	const struct saml_party *was = party;
	const struct saml_verified *v;
	const struct saml_message *m;
	struct err err = {0};

	(void)state;
	party = &p;
	for (size_t i = 0; i < ARRAY_LEN(junk); i++) {
		const char *xml = changed(FIXTURE_PLACE, junk[i]);
		const char *query = portal_query_unsigned(a, "SAMLRequest", xml, NULL);
		const char *form = portal_form(a, "SAMLRequest", xml, NULL);

		ASSERT_OK(redirect(query, &m, &err), &err);
		ASSERT_REFUSED(saml_message_accept_unsigned(a, m, &p, &lenient, &v, &err), &err,
			       ERR_DENIED, "message has a signature");
		ASSERT_REFUSED(admit(SAML_BINDING_REDIRECT, query, &lenient, &v, &err), &err,
			       ERR_DENIED, "not signed");
		assert_false(admit(SAML_BINDING_POST, form, &lenient, &v, NULL));
	}
	/* A signature by somebody else, beside the message. */
	const char *query = portal_query(a, "SAMLRequest", portal_authn_request, NULL);

	p.signing.n = 0;
	ASSERT_OK(redirect(query, &m, &err), &err);
	ASSERT_REFUSED(saml_message_accept_unsigned(a, m, &p, &lenient, &v, &err), &err, ERR_DENIED,
		       "message has a signature");
	ASSERT_REFUSED(saml_message_admit(a, m, &p, &lenient, &v, &err), &err, ERR_DENIED, "");
	party = was;
}

static void
test_an_unsigned_logout_is_refused_whatever_the_record_says(void **state)
{
	struct saml_party p = unsigning_party();
	const struct saml_verified *v;
	const struct saml_message *m;
	struct err err = {0};

	(void)state;
	/* CVE-2016-8638 */
	ASSERT_OK(redirect(portal_query_unsigned(a, "SAMLRequest", portal_logout_request, NULL), &m,
			   &err),
		  &err);
	ASSERT_REFUSED(saml_message_accept_unsigned(a, m, &p, &lenient, &v, &err), &err, ERR_DENIED,
		       "only an AuthnRequest may be unsigned");
	ASSERT_REFUSED(saml_message_admit(a, m, &p, &lenient, &v, &err), &err, ERR_DENIED,
		       "not signed");
	ASSERT_OK(redirect(portal_query_unsigned(a, "SAMLResponse", portal_logout_response, NULL),
			   &m, &err),
		  &err);
	ASSERT_REFUSED(saml_message_admit(a, m, &p, &lenient, &v, &err), &err, ERR_DENIED,
		       "not signed");
}

/* ---- header ---- */

static bool
read_header(const char *xml, struct saml_header *h, struct err *err)
{
	const struct saml_verified *v;
	const struct xml_node *root;

	return portal_send(a, party, "SAMLRequest", xml, &v, err) &&
	       saml_header_read(a, v, SAML_AUTHN_REQUEST, h, &root, err);
}

static void
test_the_header_is_read(void **state)
{
	struct saml_header h;
	struct err err = {0};

	(void)state;
	ASSERT_OK(read_header(portal_authn_request, &h, &err), &err);
	assert_string_equal(h.id, "_request1");
	assert_string_equal(h.destination, PORTAL_SSO);
	assert_null(h.in_response_to);
	assert_int_equal(h.issued_at, portal_now() - 10);
	assert_true(h.is_signed);
}

static void
test_another_version_has_a_status_of_its_own(void **state)
{
	struct saml_header h;
	struct err err = {0};

	(void)state;
	/* Whoever asks for a login is told so, once it is known where. */
	ASSERT_OK(read_header(changed("Version=\"2.0\"", "Version=\"2.1\""), &h, &err), &err);
	assert_true(h.other_version);
	ASSERT_REFUSED(read_header(changed(" Version=\"2.0\"", ""), &h, &err), &err, ERR_INPUT,
		       "no attribute Version");
}

static void
test_an_id_has_at_most_256_octets(void **state)
{
	struct saml_header h;
	struct err err = {0};

	(void)state;
	ASSERT_OK(read_header(changed("_request1", arena_printf(a, "_%0255d", 1)), &h, &err), &err);
	ASSERT_REFUSED(read_header(changed("_request1", arena_printf(a, "_%0256d", 1)), &h, &err),
		       &err, ERR_INPUT, "ID of 257 octets");
	ASSERT_REFUSED(read_header(changed("_request1", ""), &h, &err), &err, ERR_INPUT,
		       "not an xs:ID");
	ASSERT_REFUSED(read_header(changed("ID=\"_request1\" ", ""), &h, &err), &err, ERR_INPUT,
		       "no attribute ID");
}

static void
test_a_reader_takes_its_own_kind_only(void **state)
{
	const struct saml_verified *v;
	const struct xml_node *root;
	struct saml_header h;
	struct err err = {0};

	(void)state;
	ASSERT_OK(portal_send(a, party, "SAMLRequest", portal_authn_request, &v, &err), &err);
	ASSERT_REFUSED(saml_header_read(a, v, SAML_LOGOUT_REQUEST, &h, &root, &err), &err,
		       ERR_INTERNAL, "another kind");
}

static void
test_a_message_that_the_schema_refuses_is_not_read(void **state)
{
	struct saml_header h;
	struct err err = {0};

	(void)state;
	ASSERT_REFUSED(read_header(changed("ForceAuthn=\"false\"", "Other=\"x\""), &h, &err), &err,
		       ERR_INPUT, "unexpected attribute Other");
}

static void
test_destination_is_this_endpoint(void **state)
{
	struct saml_header h = {.id = "_1", .destination = PORTAL_SSO, .issued_at = 1000000};
	const struct saml_window *w = &saml_window_default;
	struct err err = {0};

	(void)state;
	h.is_signed = true;
	ASSERT_OK(saml_header_check(&h, PORTAL_SSO, w, 1000000, &err), &err);
	ASSERT_REFUSED(saml_header_check(&h, PORTAL_SSO "/", w, 1000000, &err), &err, ERR_DENIED,
		       "Destination is not this endpoint");
	h.destination = NULL;
	ASSERT_REFUSED(saml_header_check(&h, PORTAL_SSO, w, 1000000, &err), &err, ERR_DENIED,
		       "signed without Destination");
	h.is_signed = false;
	ASSERT_OK(saml_header_check(&h, PORTAL_SSO, w, 1000000, &err), &err);
	h.destination = PORTAL_SLO;
	assert_false(saml_header_check(&h, PORTAL_SSO, w, 1000000, &err));
	assert_string_equal(err.proto, SAML_REQUEST_DENIED);
}

/* A request signed by either binding with that suite. */
static const struct saml_verified *
signed_with(const char *suite, enum saml_binding binding, const struct saml_party *p)
{
	const struct saml_suite *s = saml_suite_by_name(suite);
	const struct saml_verified *v = NULL;
	const struct saml_message *m;
	struct err err = {0};

	if (binding == SAML_BINDING_POST) {
		struct fixture f = fixture_request();

		f.text = portal_authn_request;
		f.id = "_request1";
		f.suite = s;
		ASSERT_OK(decode(binding, portal_form(a, "SAMLRequest", fixture_sign(a, &f), NULL),
				 &m, &err),
			  &err);
	} else {
		const char *xml = replace(a, portal_authn_request, FIXTURE_PLACE, "");
		const char *octets =
			arena_printf(a, "SAMLRequest=%s&SigAlg=%s", portal_packed(a, bytes_of(xml)),
				     portal_percent(a, bytes_of(s->uri)));
		struct bytes sig = fixture_sign_octets(a, s, bytes_of(octets));

		ASSERT_OK(redirect(arena_printf(a, "%s&Signature=%s", octets,
						portal_percent(a, bytes_of(enc_base64(a, sig)))),
				   &m, &err),
			  &err);
	}
	ASSERT_OK(saml_message_verify(a, m, p, &v, &err), &err);
	return v;
}

static void
test_an_old_suite_counts_for_who_is_marked_old_until_its_day(void **state)
{
	static const enum saml_binding bindings[] = {SAML_BINDING_REDIRECT, SAML_BINDING_POST};
	static const char *const suites[] = {"rsa-sha256", "rsa-sha512", "rsa-pss-sha256",
					     "ecdsa-sha256"};
	const time_t now = portal_now();
	const struct {
		time_t until;
		const char *why; /* NULL: taken */
	} rows[] = {{0, "is for parties marked old alone"},
		    {now + 1, NULL},
		    {now, "has ended for this party"},
		    {now - 86400, "has ended for this party"}};
	const struct xml_node *root;
	struct saml_header h;
	struct err err = {0};

	(void)state;
	for (size_t b = 0; b < ARRAY_LEN(bindings); b++)
		for (size_t s = 0; s < ARRAY_LEN(suites); s++)
			for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
				bool old = saml_suite_by_name(suites[s])->old;
				struct saml_party p = *party;

				p.old_until = rows[r].until;
				ASSERT_OK(saml_header_read(a,
							   signed_with(suites[s], bindings[b], &p),
							   SAML_AUTHN_REQUEST, &h, &root, &err),
					  &err);
				assert_string_equal(h.suite->name, suites[s]);
				if (!old || rows[r].why == NULL)
					ASSERT_OK(saml_header_check(&h, PORTAL_SSO,
								    &saml_window_default, now,
								    &err),
						  &err);
				else
					ASSERT_REFUSED(saml_header_check(&h, PORTAL_SSO,
									 &saml_window_default, now,
									 &err),
						       &err, ERR_DENIED, rows[r].why);
			}
}

static void
test_the_window_of_issue_ends_to_the_second(void **state)
{
	static const struct saml_window w = {.skew_s = 180, .max_age_s = 300};
	struct saml_header h = {.id = "_1", .issued_at = 1000000};
	struct err err = {0};

	(void)state;
	ASSERT_OK(saml_header_check(&h, "", &w, 1000000 - 180, &err), &err);
	ASSERT_REFUSED(saml_header_check(&h, "", &w, 1000000 - 181, &err), &err, ERR_DENIED,
		       "IssueInstant is -181 s off");
	ASSERT_OK(saml_header_check(&h, "", &w, 1000000 + 480, &err), &err);
	ASSERT_REFUSED(saml_header_check(&h, "", &w, 1000000 + 481, &err), &err, ERR_DENIED,
		       "IssueInstant is 481 s off");
}

static int
open_arena(void **state)
{
	(void)state;
	a = arena_create(64 << 20);
	party = portal_party(a, test_keys_create(a));
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
		cmocka_unit_test(test_a_message_says_what_it_claims),
		cmocka_unit_test(test_what_is_no_message_of_ours_is_refused),
		cmocka_unit_test(test_what_an_answer_claims_is_told_as_a_claim),
		cmocka_unit_test(test_a_signed_envelope_verifies),
		cmocka_unit_test(test_what_is_no_enveloped_message_is_refused),
		cmocka_unit_test(test_a_signed_query_verifies),
		cmocka_unit_test(test_a_signed_form_verifies),
		cmocka_unit_test(test_the_senders_own_encoding_is_what_was_signed),
		cmocka_unit_test(test_any_changed_part_of_a_query_is_noticed),
		cmocka_unit_test(test_a_stripped_signature_is_refused),
		cmocka_unit_test(test_a_signed_form_that_was_changed_is_refused),
		cmocka_unit_test(test_another_partys_message_is_refused),
		cmocka_unit_test(test_a_signature_inside_a_query_is_refused),
		cmocka_unit_test(test_a_signature_over_an_inner_message_proves_nothing),
		cmocka_unit_test(test_an_unsigned_request_needs_leave),
		cmocka_unit_test(test_a_bad_signature_is_never_unsigned),
		cmocka_unit_test(test_an_unsigned_logout_is_refused_whatever_the_record_says),
		cmocka_unit_test(test_the_header_is_read),
		cmocka_unit_test(test_another_version_has_a_status_of_its_own),
		cmocka_unit_test(test_an_id_has_at_most_256_octets),
		cmocka_unit_test(test_a_reader_takes_its_own_kind_only),
		cmocka_unit_test(test_a_message_that_the_schema_refuses_is_not_read),
		cmocka_unit_test(test_destination_is_this_endpoint),
		cmocka_unit_test(test_an_old_suite_counts_for_who_is_marked_old_until_its_day),
		cmocka_unit_test(test_the_window_of_issue_ends_to_the_second),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
