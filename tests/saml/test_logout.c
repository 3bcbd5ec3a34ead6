/* saml/logout.c: requests and answers in both directions, never without a signature. */
#include "saml/logout.h"

#include "saml/names.h"
#include "tests/saml/xsd.h"
#include "tests/saml/with_party.h"

#define US "https://konto.example/saml/metadata"

static char *
changed(const char *from, const char *to)
{
	return replace(a, portal_logout_request, from, to);
}

static char *
changed_response(const char *from, const char *to)
{
	return replace(a, portal_logout_response, from, to);
}

static bool
parse_with(const char *xml, const struct xmlenc_keys *open, const struct saml_logout_request **r,
	   struct err *err)
{
	const struct saml_verified *v;

	return portal_send(a, party, "SAMLRequest", xml, &v, err) &&
	       saml_logout_request_parse(a, v, open, r, err);
}

static bool
parse(const char *xml, const struct saml_logout_request **r, struct err *err)
{
	return parse_with(xml, NULL, r, err);
}

static const struct saml_logout_request *
request(const char *xml)
{
	const struct saml_logout_request *r = NULL;
	struct err err = {0};

	ASSERT_OK(parse(xml, &r, &err), &err);
	return r;
}

static bool
check_at(const char *xml, time_t now, struct err *err)
{
	const struct saml_logout_request *r = request(xml);

	return saml_header_check_place(&r->header, PORTAL_SLO, err) &&
	       saml_logout_request_check(r, &saml_window_default, now, err);
}

/* ---- requests to us ---- */

static void
test_a_logout_request_is_read(void **state)
{
	const struct saml_logout_request *r = request(portal_logout_request);

	(void)state;
	assert_string_equal(r->header.id, "_logout1");
	assert_true(r->header.is_signed);
	assert_ptr_equal(r->party, party);
	assert_string_equal(r->nameid.value, "name1");
	assert_string_equal(r->nameid.format, SAML_NAMEID_TRANSIENT);
	assert_null(r->nameid.name_qualifier);
	assert_null(r->nameid.sp_name_qualifier);
	assert_int_equal(r->n_session_indexes, 1);
	assert_string_equal(r->session_index[0], "session1");
	assert_int_equal(r->not_on_or_after, portal_now() + 290);
	assert_null(r->reason);
	r = request(replace(a,
			    changed(" NotOnOrAfter=\"2026-11-23T18:05:00Z\"",
				    " Reason=\"urn:oasis:names:tc:SAML:2.0:logout:user\""),
			    "<samlp:SessionIndex>session1</samlp:SessionIndex>", ""));
	assert_int_equal(r->not_on_or_after, 0);
	assert_int_equal(r->n_session_indexes, 0);
	assert_string_equal(r->reason, "urn:oasis:names:tc:SAML:2.0:logout:user");
}

static void
test_a_signed_form_is_read_too(void **state)
{
	const struct saml_logout_request *r;
	const struct saml_verified *v;
	const struct saml_message *m;
	struct err err = {0};

	(void)state;
	ASSERT_OK(saml_message_decode(
			  a, SAML_BINDING_POST,
			  bytes_of(portal_form(a, "SAMLRequest", portal_logout_request, NULL)), &m,
			  &err),
		  &err);
	ASSERT_OK(saml_message_verify(a, m, party, &v, &err), &err);
	ASSERT_OK(saml_logout_request_parse(a, v, NULL, &r, &err), &err);
	assert_string_equal(r->nameid.value, "name1");
}

static void
test_an_unsigned_logout_is_refused_by_the_reader_too(void **state)
{
	/* The type lets only an AuthnRequest be unsigned; the reader does not rely on it. */
	const struct saml_policy lenient = {.accept_unsigned = true};
	struct saml_party unsigning = *party;
	const struct saml_logout_response *resp;
	const struct saml_logout_request *req;
	const struct saml_verified *v;
	const struct saml_message *m;
	struct err err = {0};

	(void)state;
	unsigning.authn_requests_signed = false;
	ASSERT_OK(saml_message_decode(a, SAML_BINDING_REDIRECT,
				      bytes_of(portal_query_unsigned(a, "SAMLRequest",
								     portal_authn_request, NULL)),
				      &m, &err),
		  &err);
	ASSERT_OK(saml_message_accept_unsigned(a, m, &unsigning, &lenient, &v, &err), &err);
	ASSERT_REFUSED(saml_logout_request_parse(a, v, NULL, &req, &err), &err, ERR_DENIED,
		       "logout message is not signed");
	ASSERT_REFUSED(saml_logout_response_parse(a, v, &resp, &err), &err, ERR_DENIED,
		       "logout message is not signed");
}

static void
test_a_name_has_its_limits(void **state)
{
	const struct saml_logout_request *r;
	struct err err = {0};

	(void)state;
	request(changed(">name1<", arena_printf(a, ">%01024d<", 1)));
	ASSERT_REFUSED(parse(changed(">name1<", arena_printf(a, ">%01025d<", 1)), &r, &err), &err,
		       ERR_INPUT, "NameID of 1025 octets");
	ASSERT_REFUSED(parse(changed(">name1<", "><"), &r, &err), &err, ERR_INPUT,
		       "NameID of 0 octets");
	/* CVE-2017-11427 and its kind. */
	ASSERT_REFUSED(parse(changed(">name1<", "><![CDATA[name1]]><"), &r, &err), &err, ERR_INPUT,
		       "something beside text");
	ASSERT_REFUSED(parse(changed(">name1<", ">name1<!---->x<"), &r, &err), &err, ERR_INPUT,
		       "comment in XML");
}

static void
test_session_indexes_are_counted(void **state)
{
	const char *one = "<samlp:SessionIndex>session1</samlp:SessionIndex>";
	const struct saml_logout_request *r;
	char *many = arena_strdup(a, one);
	struct err err = {0};

	(void)state;
	for (int i = 1; i < SAML_SESSION_INDEXES_MAX; i++)
		many = arena_printf(a, "%s%s", many, one);
	assert_int_equal(request(changed(one, many))->n_session_indexes, SAML_SESSION_INDEXES_MAX);
	many = arena_printf(a, "%s%s", many, one);
	ASSERT_REFUSED(parse(changed(one, many), &r, &err), &err, ERR_INPUT,
		       "more than 32 SessionIndexes");
}

static void
test_each_field_deleted_in_turn_fails_closed(void **state)
{
	static const struct {
		const char *from, *to;
		bool optional;
	} fields[] = {
		{" Destination=\"", "slo\"", false},
		{" ID=\"", "1\"", false},
		{" IssueInstant=\"", "Z\"", false},
		{" Version=\"", "0\"", false},
		{" NotOnOrAfter=\"", "Z\"", true},
		{"<saml:Issuer>", "</saml:Issuer>", false},
		{"<saml:NameID", "</saml:NameID>", false},
		{" Format=\"", "transient\"", true},
		{"<samlp:SessionIndex>", "</samlp:SessionIndex>", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const char *xml =
			changed(cut(a, portal_logout_request, fields[i].from, fields[i].to), "");
		const struct saml_logout_request *r;
		struct err err = {0};
		bool taken = parse(xml, &r, &err) &&
			     saml_header_check_place(&r->header, PORTAL_SLO, &err) &&
			     saml_logout_request_check(r, &saml_window_default, portal_now(), &err);

		if (taken != fields[i].optional)
			fail_msg("without %s: %s", fields[i].from, taken ? "taken" : err.text);
	}
}

static void
test_destination_and_times_are_checked(void **state)
{
	const char *forever = changed("18:05:00Z", "23:59:59Z");
	time_t issued = portal_now() - 10, ends = issued + 300;
	struct err err = {0};

	(void)state;
	ASSERT_OK(check_at(portal_logout_request, portal_now(), &err), &err);
	ASSERT_REFUSED(check_at(changed(PORTAL_SLO, PORTAL_SSO), portal_now(), &err), &err,
		       ERR_DENIED, "Destination is not this endpoint");
	ASSERT_OK(check_at(portal_logout_request, issued - 180, &err), &err);
	ASSERT_REFUSED(check_at(portal_logout_request, issued - 181, &err), &err, ERR_DENIED,
		       "IssueInstant");
	ASSERT_OK(check_at(forever, issued + 480, &err), &err);
	ASSERT_REFUSED(check_at(forever, issued + 481, &err), &err, ERR_DENIED, "IssueInstant");
	/* SAML2Core 3.7.1: at that instant it is over, skew granted. */
	ASSERT_OK(check_at(portal_logout_request, ends + 179, &err), &err);
	ASSERT_REFUSED(check_at(portal_logout_request, ends + 180, &err), &err, ERR_DENIED,
		       "NotOnOrAfter has passed");
}

/* ---- an encrypted name ---- */

static char *
encrypted_request(const char *inner)
{
	const struct xmlenc_recipient us = {keys->dec_rsa.pub, XMLENC_A128GCM, XMLENC_OAEP_SHA256,
					    keys->dec_rsa.cert, NULL};
	struct bytes id;
	struct err err = {0};

	ASSERT_OK(xmlenc_encrypt(a, bytes_of(inner), "EncryptedID", &us, &id, &err), &err);
	return changed(cut(a, portal_logout_request, "<saml:NameID", "</saml:NameID>"),
		       text_of(a, id));
}

#define NAMEID(rest) "<saml:NameID xmlns:saml=\"" SAML_NS_ASSERTION "\"" rest

static void
test_an_encrypted_name_is_opened(void **state)
{
	const char *kids[] = {keys->dec_rsa.kid};
	const struct xmlenc_keys ours = {&keys->ops, kids, 1};
	const struct saml_logout_request *r;
	struct err err = {0};

	(void)state;
	const char *xml = encrypted_request(NAMEID(" Format=\"urn:f\">secret</saml:NameID>"));

	ASSERT_OK(parse_with(xml, &ours, &r, &err), &err);
	assert_string_equal(r->nameid.value, "secret");
	assert_string_equal(r->nameid.format, "urn:f");
	ASSERT_REFUSED(parse_with(xml, NULL, &r, &err), &err, ERR_INPUT, "no key to open it");
	ASSERT_REFUSED(parse_with(encrypted_request("<saml:Issuer xmlns:saml=\"" SAML_NS_ASSERTION
						    "\">x</saml:Issuer>"),
				  &ours, &r, &err),
		       &err, ERR_INPUT, "holds no NameID");
	ASSERT_REFUSED(parse_with(encrypted_request(NAMEID(" Other=\"x\">secret</saml:NameID>")),
				  &ours, &r, &err),
		       &err, ERR_INPUT, "unexpected attribute");
	ASSERT_REFUSED(parse_with(encrypted_request(NAMEID("></saml:NameID>")), &ours, &r, &err),
		       &err, ERR_INPUT, "NameID of 0 octets");
	const char *wrong_kids[] = {"no-such-key"};
	const struct xmlenc_keys wrong = {&keys->ops, wrong_kids, 1};

	assert_false(parse_with(xml, &wrong, &r, &err));
}

/* ---- answers to us ---- */

static bool
parse_response(const char *xml, const struct saml_logout_response **r, struct err *err)
{
	const struct saml_verified *v;

	return portal_send(a, party, "SAMLResponse", xml, &v, err) &&
	       saml_logout_response_parse(a, v, r, err);
}

static const struct saml_logout_response *
response(const char *xml)
{
	const struct saml_logout_response *r = NULL;
	struct err err = {0};

	ASSERT_OK(parse_response(xml, &r, &err), &err);
	return r;
}

static void
test_a_logout_response_is_read(void **state)
{
	const char *code = "<samlp:StatusCode Value=\"" SAML_SUCCESS "\"/>";
	const struct saml_logout_response *r = response(portal_logout_response);

	(void)state;
	assert_true(r->success);
	assert_ptr_equal(r->party, party);
	assert_string_equal(r->header.in_response_to, "_ours1");
	assert_false(r->unknown || r->may_come_better);
	r = response(changed_response(code, "<samlp:StatusCode Value=\"" SAML_RESPONDER "\"/>"));
	assert_false(r->success || r->unknown);
	assert_true(r->may_come_better);
	r = response(changed_response(code, "<samlp:StatusCode Value=\"" SAML_REQUESTER
					    "\"><samlp:StatusCode Value=\"" SAML_UNKNOWN_PRINCIPAL
					    "\"/></samlp:StatusCode>"));
	assert_false(r->success || r->may_come_better);
	assert_true(r->unknown);
	r = response(changed_response(code, "<samlp:StatusCode Value=\"" SAML_SUCCESS
					    "\"><samlp:StatusCode Value=\"" SAML_PARTIAL_LOGOUT
					    "\"/></samlp:StatusCode>"));
	assert_false(r->success);
	r = response(changed_response(code, "<samlp:StatusCode Value=\"" SAML_RESPONDER
					    "\"><samlp:StatusCode Value=\"" SAML_REQUEST_DENIED
					    "\"/></samlp:StatusCode>"));
	assert_false(r->success || r->unknown || r->may_come_better);
}

static void
test_a_broken_logout_response_is_refused(void **state)
{
	const struct saml_logout_response *r;
	struct err err = {0};

	(void)state;
	ASSERT_REFUSED(parse_response(changed_response(" InResponseTo=\"_ours1\"", ""), &r, &err),
		       &err, ERR_INPUT, "without InResponseTo");
	ASSERT_REFUSED(parse_response(changed_response(cut(a, portal_logout_response,
							   "<samlp:Status>", "</samlp:Status>"),
						       ""),
				      &r, &err),
		       &err, ERR_INPUT, "lacks <Status>");
	ASSERT_REFUSED(
		parse_response(changed_response(" Value=\"" SAML_SUCCESS "\"", ""), &r, &err), &err,
		ERR_INPUT, "no attribute Value");
}

static void
test_a_logout_response_answers_our_request(void **state)
{
	const struct saml_logout_response *r = response(portal_logout_response);
	time_t issued = r->header.issued_at;
	struct err err = {0};

	(void)state;
	ASSERT_OK(saml_logout_response_check(r, "_ours1", PORTAL_SLO, &saml_window_default, issued,
					     &err),
		  &err);
	ASSERT_REFUSED(saml_logout_response_check(r, "_ours2", PORTAL_SLO, &saml_window_default,
						  issued, &err),
		       &err, ERR_DENIED, "answers another request");
	ASSERT_REFUSED(saml_logout_response_check(r, "_ours1", PORTAL_SSO, &saml_window_default,
						  issued, &err),
		       &err, ERR_DENIED, "Destination");
	ASSERT_REFUSED(saml_logout_response_check(r, "_ours1", PORTAL_SLO, &saml_window_default,
						  issued + 481, &err),
		       &err, ERR_DENIED, "IssueInstant");
}

/* ---- from us ---- */

/* What we send, read by the very readers above as if a party had sent it. */
static const struct saml_verified *
sent(const struct saml_carrier *c, enum saml_binding binding, struct saml_party *us)
{
	const char *raw =
		binding == SAML_BINDING_REDIRECT ? strchr(c->location, '?') + 1
		: binding == SAML_BINDING_SOAP
			? text_of(a, c->envelope)
			: arena_printf(a, "%s=%s", c->name, portal_percent(a, bytes_of(c->value)));
	const struct saml_verified *v = NULL;
	const struct saml_message *m;
	struct err err = {0};

	assert_schema_valid(a, portal_unpack(a, c));
	*us = *party;
	us->entity_id = US;
	us->signing = (struct saml_keys){&keys->rsa.pub, 1};
	ASSERT_OK(saml_message_decode(a, binding, bytes_of(raw), &m, &err), &err);
	ASSERT_OK(saml_message_verify(a, m, us, &v, &err), &err);
	return v;
}

static const enum saml_binding bindings[] = {SAML_BINDING_REDIRECT, SAML_BINDING_POST,
					     SAML_BINDING_SOAP};

static struct saml_logout_send
how(enum saml_binding binding, const struct saml_signer *signer)
{
	return (struct saml_logout_send){
		.binding = binding,
		.url = "https://amt24.example/saml/slo",
		.relay_state = "relay",
		.id = "_ours1",
		.issuer = US,
		.issued_at = portal_now(),
		.signer = signer,
	};
}

static void
test_our_request_is_readable(void **state)
{
	static const char *const sessions[] = {"s1", "s2"};
	struct saml_signer signer = test_signer(keys, "rsa-sha256");
	struct saml_logout_ask ask = {
		.nameid = {"name1", SAML_NAMEID_PERSISTENT, US, PORTAL_ENTITY},
		.session_index = sessions,
		.n_session_indexes = 2,
		.not_on_or_after = portal_now() + 120,
		.reason = "urn:oasis:names:tc:SAML:2.0:logout:user",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bindings); i++) {
		struct saml_logout_send send = how(bindings[i], &signer);
		const struct saml_logout_request *r;
		struct saml_carrier c;
		struct saml_party us;
		struct err err = {0};

		ASSERT_OK(saml_logout_request_build(a, &send, &ask, &c, &err), &err);
		ASSERT_OK(saml_logout_request_parse(a, sent(&c, bindings[i], &us), NULL, &r, &err),
			  &err);
		assert_string_equal(r->header.id, "_ours1");
		assert_string_equal(r->header.destination, send.url);
		assert_int_equal(r->header.issued_at, portal_now());
		assert_string_equal(r->nameid.value, "name1");
		assert_string_equal(r->nameid.format, SAML_NAMEID_PERSISTENT);
		assert_string_equal(r->nameid.name_qualifier, US);
		assert_string_equal(r->nameid.sp_name_qualifier, PORTAL_ENTITY);
		assert_int_equal(r->n_session_indexes, 2);
		assert_string_equal(r->session_index[1], "s2");
		assert_int_equal(r->not_on_or_after, portal_now() + 120);
		assert_string_equal(r->reason, ask.reason);
		if (bindings[i] != SAML_BINDING_SOAP)
			assert_non_null(
				strstr(c.location != NULL ? c.location : c.name, "SAMLRequest"));
	}
}

static void
test_a_plain_request_of_ours_is_readable(void **state)
{
	struct saml_signer signer = test_signer(keys, "rsa-sha256");
	struct saml_logout_send send = how(SAML_BINDING_POST, &signer);
	struct saml_logout_ask ask = {.nameid = {.value = "name1"}};
	const struct saml_logout_request *r;
	struct saml_carrier c;
	struct saml_party us;
	struct err err = {0};

	(void)state;
	ASSERT_OK(saml_logout_request_build(a, &send, &ask, &c, &err), &err);
	ASSERT_OK(saml_logout_request_parse(a, sent(&c, SAML_BINDING_POST, &us), NULL, &r, &err),
		  &err);
	assert_null(r->nameid.format);
	assert_int_equal(r->not_on_or_after, 0);
	assert_null(strstr(text_of(a, portal_unpack(a, &c)), "NotOnOrAfter"));
	assert_null(r->reason);
}

static void
test_our_response_is_readable(void **state)
{
	static const char *const names[] = {SAML_SUCCESS, SAML_PARTIAL_LOGOUT, SAML_REQUEST_DENIED};
	struct saml_signer signer = test_signer(keys, "rsa-sha256");

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(names); s++)
		for (size_t i = 0; i < ARRAY_LEN(bindings); i++) {
			struct saml_logout_send send = how(bindings[i], &signer);
			struct saml_status status = saml_status_of(names[s]);
			const struct saml_logout_response *r;
			struct saml_carrier c;
			struct saml_party us;
			struct err err = {0};

			ASSERT_OK(
				saml_logout_response_build(a, &send, "_theirs1", &status, &c, &err),
				&err);
			ASSERT_OK(
				saml_logout_response_parse(a, sent(&c, bindings[i], &us), &r, &err),
				&err);
			assert_string_equal(r->header.in_response_to, "_theirs1");
			assert_int_equal(r->success, s == 0);
		}
}

static void
test_a_value_that_xml_cannot_hold_is_not_sent(void **state)
{
	struct saml_signer signer = test_signer(keys, "rsa-sha256");
	struct saml_logout_send send = how(SAML_BINDING_POST, &signer);
	struct saml_logout_ask ask = {.nameid = {.value = "a\x01"}};
	struct saml_status status = saml_status_of(SAML_SUCCESS);
	struct saml_carrier c;
	struct err err = {0};

	(void)state;
	ASSERT_REFUSED(saml_logout_request_build(a, &send, &ask, &c, &err), &err, ERR_INTERNAL,
		       "XML cannot be written");
	ASSERT_REFUSED(saml_logout_response_build(a, &send, "\x01", &status, &c, &err), &err,
		       ERR_INTERNAL, "XML cannot be written");
	ask.nameid.value = "a";
	signer.ops = &portal_no_signer;
	ASSERT_REFUSED(saml_logout_request_build(a, &send, &ask, &c, &err), &err, ERR_UNAVAILABLE,
		       "does not answer");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_logout_request_is_read),
		cmocka_unit_test(test_a_signed_form_is_read_too),
		cmocka_unit_test(test_an_unsigned_logout_is_refused_by_the_reader_too),
		cmocka_unit_test(test_a_name_has_its_limits),
		cmocka_unit_test(test_session_indexes_are_counted),
		cmocka_unit_test(test_each_field_deleted_in_turn_fails_closed),
		cmocka_unit_test(test_destination_and_times_are_checked),
		cmocka_unit_test(test_an_encrypted_name_is_opened),
		cmocka_unit_test(test_a_logout_response_is_read),
		cmocka_unit_test(test_a_broken_logout_response_is_refused),
		cmocka_unit_test(test_a_logout_response_answers_our_request),
		cmocka_unit_test(test_our_request_is_readable),
		cmocka_unit_test(test_a_plain_request_of_ours_is_readable),
		cmocka_unit_test(test_our_response_is_readable),
		cmocka_unit_test(test_a_value_that_xml_cannot_hold_is_not_sent),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
