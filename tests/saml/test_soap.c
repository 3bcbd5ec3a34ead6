/* saml/soap.c: envelopes read strictly, written as the schema has them, faults both ways. */
#include "saml/soap.h"

#include "saml/names.h"
#include "tests/saml/fixture.h"
#include "tests/saml/support.h"
#include "tests/saml/xsd.h"
#include "tests/test.h"

#define OPEN    "<S:Envelope xmlns:S=\"" SOAP_NS "\" xmlns:x=\"urn:x\">"
#define BODY    "<S:Body><x:m/></S:Body>"
#define CLOSE   "</S:Envelope>"
#define HEAD(b) OPEN "<S:Header>" b "</S:Header>" BODY CLOSE

static struct arena *a;

static bool
read_known(const char *text, const struct soap_name *known, struct soap_envelope *e,
	   struct err *err)
{
	return soap_read(a, bytes_of(text), known, e, err);
}

static struct soap_envelope
envelope(const char *text)
{
	struct soap_envelope e;
	struct err err = {0};

	ASSERT_OK(read_known(text, NULL, &e, &err), &err);
	return e;
}

/* ---- reading ---- */

static void
an_envelope_gives_its_content(void **state UNUSED)
{
	struct soap_envelope e = envelope(OPEN BODY CLOSE);

	assert_null(e.header);
	assert_null(e.fault);
	assert_true(xml_is(e.content, "urn:x", "m"));
	e = envelope("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		     "<e:Envelope xmlns:e=\"" SOAP_NS "\" e:encodingStyle=\"urn:y\">\n"
		     " <e:Header>\n <t:To xmlns:t=\"urn:t\">x</t:To> </e:Header>\n"
		     " <e:Body xmlns:u=\"urn:u\" u:Id=\"b\">\n <m xmlns=\"urn:x\"><n/></m>\n"
		     " </e:Body>\n</e:Envelope>\n");
	assert_non_null(e.header);
	assert_true(xml_is(xml_first(e.header), "urn:t", "To"));
	assert_true(xml_is(e.content, "urn:x", "m"));
}

static void
what_is_no_envelope_is_refused(void **state UNUSED)
{
	static const struct {
		const char *text, *proto, *why;
	} bad[] = {
		{"", SOAP_CLIENT, "no XML"},
		{"SAMLRequest=x", SOAP_CLIENT, "XML"},
		{OPEN "<S:Body/>", SOAP_CLIENT, "XML"},
		{"<!DOCTYPE x>" OPEN BODY CLOSE, SOAP_CLIENT, "DTD"},
		{OPEN "<!-- c -->" BODY CLOSE, SOAP_CLIENT, "comment"},
		/* SAML2Bindings 3.2: SOAP 1.1, and no other. */
		{"<S:Envelope xmlns:S=\"http://www.w3.org/2003/05/soap-envelope\">"
		 "<S:Body><x/></S:Body></S:Envelope>",
		 SOAP_VERSION_MISMATCH, "no SOAP 1.1 envelope"},
		{"<Envelope><Body><x/></Body></Envelope>", SOAP_VERSION_MISMATCH,
		 "no SOAP 1.1 envelope"},
		{"<S:Body xmlns:S=\"" SOAP_NS "\"/>", SOAP_VERSION_MISMATCH,
		 "no SOAP 1.1 envelope"},
		{OPEN CLOSE, SOAP_CLIENT, "Body"},
		{OPEN "<S:Header/>" CLOSE, SOAP_CLIENT, "Body"},
		{OPEN BODY BODY CLOSE, SOAP_CLIENT, "Body"},
		{OPEN BODY "<S:Header/>" CLOSE, SOAP_CLIENT, "Header"},
		{OPEN "<S:Header/><S:Header/>" BODY CLOSE, SOAP_CLIENT, "lacks <Body>"},
		{OPEN BODY "<x:more/>" CLOSE, SOAP_CLIENT, "more"},
		{OPEN "<x:less/>" BODY CLOSE, SOAP_CLIENT, "lacks <Body>"},
		{OPEN "text" BODY CLOSE, SOAP_CLIENT, "text beside"},
		{OPEN "<S:Body/>" CLOSE, SOAP_CLIENT, "Body"},
		{OPEN "<S:Body>text</S:Body>" CLOSE, SOAP_CLIENT, "Body"},
		{OPEN "<S:Body><x:m/>text</S:Body>" CLOSE, SOAP_CLIENT, "text beside"},
		/* SAML2Bindings 3.2.2: one message, and nothing beside it. */
		{OPEN "<S:Body><x:m/><x:m/></S:Body>" CLOSE, SOAP_CLIENT, "<m>"},
		{OPEN "<S:Body><x:m/><S:Fault/></S:Body>" CLOSE, SOAP_CLIENT, "<Fault>"},
		{OPEN "<S:Body><S:Envelope/></S:Body>" CLOSE, SOAP_CLIENT, "lacks <Fault>"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct soap_envelope e;
		struct err err = {0};

		if (read_known(bad[i].text, NULL, &e, &err))
			fail_msg("taken: %s", bad[i].text);
		assert_string_equal(err.proto, bad[i].proto);
		assert_string_equal(soap_code_of(&err), bad[i].proto);
		ASSERT_REFUSED(read_known(bad[i].text, NULL, &e, &err), &err, ERR_INPUT,
			       bad[i].why);
	}
}

static void
a_header_that_must_be_understood_is_or_refuses(void **state UNUSED)
{
	static const struct soap_name known[] = {{"urn:x", "other"}, {"urn:x", "h"}, {0}};
	static const char *const mine[] = {
		HEAD("<x:h S:mustUnderstand=\"1\"/>"),
		HEAD("<x:h S:mustUnderstand=\"1\" S:actor=\"" SOAP_ACTOR_NEXT "\"/>"),
		HEAD("<x:h S:mustUnderstand=\"1\" S:actor=\"\"/>"),
		HEAD("<x:i/><x:h S:mustUnderstand=\"1\"/>"),
	};
	static const char *const not_mine[] = {
		HEAD("<x:h/>"),
		HEAD("<x:h S:mustUnderstand=\"0\"/>"),
		HEAD("<x:h mustUnderstand=\"1\"/>"),
		HEAD("<x:h S:mustUnderstand=\"1\" S:actor=\"urn:somebody\"/>"),
	};
	struct soap_envelope e;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(mine); i++) {
		if (read_known(mine[i], NULL, &e, &err))
			fail_msg("taken: %s", mine[i]);
		assert_string_equal(err.proto, SOAP_MUST_UNDERSTAND);
		ASSERT_REFUSED(read_known(mine[i], &known[2], &e, &err), &err, ERR_INPUT, "<h>");
		ASSERT_OK(read_known(mine[i], known, &e, &err), &err);
	}
	for (size_t i = 0; i < ARRAY_LEN(not_mine); i++)
		envelope(not_mine[i]);
	ASSERT_REFUSED(
		read_known(HEAD("<h xmlns=\"urn:y\" S:mustUnderstand=\"1\"/>"), known, &e, &err),
		&err, ERR_INPUT, "<h>");
}

static void
a_header_block_has_a_namespace_and_a_plain_flag(void **state UNUSED)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{HEAD("<h/>"), "no namespace"},
		{HEAD("<S:Fault/>"), "<Fault>"},
		{HEAD("text"), "text beside"},
		{HEAD("<x:h S:mustUnderstand=\"true\"/>"), "neither 0 nor 1"},
		{HEAD("<x:h S:mustUnderstand=\"\"/>"), "neither 0 nor 1"},
		{HEAD("<x:h S:mustUnderstand=\"1 \"/>"), "neither 0 nor 1"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct soap_envelope e;
		struct err err = {0};

		ASSERT_REFUSED(read_known(bad[i].text, NULL, &e, &err), &err, ERR_INPUT,
			       bad[i].why);
	}
}

#define FAULT(x) OPEN "<S:Body><S:Fault>" x "</S:Fault></S:Body>" CLOSE
#define CODE     "<faultcode>S:Client</faultcode>"
#define STRING   "<faultstring>no</faultstring>"

static void
a_fault_is_told_from_a_message(void **state UNUSED)
{
	struct soap_envelope e = envelope(FAULT(CODE STRING));

	assert_null(e.content);
	assert_string_equal(e.fault->code, "Client");
	assert_string_equal(e.fault->text, "no");
	e = envelope(FAULT("<faultcode xmlns:w=\"urn:w\"> w:Failed.Check </faultcode>" STRING
			   "<faultactor>urn:z</faultactor><detail><x:m/>text</detail>"));
	assert_null(e.content);
	assert_string_equal(e.fault->code, "Failed.Check");
}

static void
a_fault_of_another_shape_is_refused(void **state UNUSED)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{FAULT(""), "faultcode"},
		{FAULT(CODE), "faultstring"},
		{FAULT(STRING CODE), "lacks <faultcode>"},
		{FAULT(CODE STRING "<detail/><detail/>"), "detail"},
		{FAULT(CODE STRING "<x:more/>"), "more"},
		{FAULT("<S:faultcode>S:Client</S:faultcode>" STRING), "faultcode"},
		{FAULT("<faultcode>u:Client</faultcode>" STRING), "prefix"},
		{FAULT("<faultcode><x:c/></faultcode>" STRING), "beside text"},
		{FAULT(CODE "<faultstring><x:c/></faultstring>"), "beside text"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct soap_envelope e;
		struct err err = {0};

		ASSERT_REFUSED(read_known(bad[i].text, NULL, &e, &err), &err, ERR_INPUT,
			       bad[i].why);
	}
}

/* ---- writing ---- */

static void
what_is_written_is_read_again(void **state UNUSED)
{
	struct fixture f = fixture_request();
	const char *message = fixture_sign(a, &f);
	struct saml_signed *sig;
	struct err err = {0};
	struct bytes text;

	ASSERT_OK(soap_write(a, &xmlns_samlp, bytes_of(message), &text, &err), &err);
	struct soap_envelope e = envelope(text_of(a, text));

	/* The signature is over the message alone: it stands on the document as received. */
	ASSERT_OK(fixture_verify(a, e.content, &sig, &err), &err);
	assert_true(xml_is(saml_signed_root(sig), SAML_NS_PROTOCOL, "AuthnRequest"));
	ASSERT_OK(soap_write(a, &xmlns_samlp,
			     bytes_of("<samlp:Status xmlns:samlp=\"" SAML_NS_PROTOCOL "\">"
				      "<samlp:StatusCode Value=\"urn:x\"></samlp:StatusCode>"
				      "</samlp:Status>"),
			     &text, &err),
		  &err);
	assert_schema_valid(a, text);
}

static void
a_header_block_of_ours_is_written(void **state UNUSED)
{
	static const struct xmlns ns = {"x", "urn:x"};
	static const struct soap_name known[] = {{"urn:x", "h"}, {0}};
	struct soap_envelope e;
	struct err err = {0};
	struct bytes text;
	struct xmlw w;

	soap_begin(&w, a);
	xmlw_open(&w, &xmlns_soap, "Header");
	xmlw_open(&w, &ns, "h");
	xmlw_attr(&w, &xmlns_soap, "mustUnderstand", "1");
	xmlw_attr(&w, &xmlns_soap, "actor", SOAP_ACTOR_NEXT);
	xmlw_close(&w);
	xmlw_close(&w);
	ASSERT_OK(soap_end(&w, &ns, bytes_of("<x:m xmlns:x=\"urn:x\"></x:m>"), &text, &err), &err);
	assert_schema_valid(a, text);
	ASSERT_OK(read_known(text_of(a, text), known, &e, &err), &err);
	assert_true(xml_is(xml_first(e.header), "urn:x", "h"));
	ASSERT_REFUSED(read_known(text_of(a, text), NULL, &e, &err), &err, ERR_INPUT, "<h>");
}

static void
a_fault_is_written(void **state UNUSED)
{
	struct err err = {0};
	struct bytes text;

	ASSERT_OK(soap_write_fault(a, SOAP_SERVER, "try <later>", &text, &err), &err);
	assert_schema_valid(a, text);
	struct soap_envelope e = envelope(text_of(a, text));

	assert_string_equal(e.fault->code, SOAP_SERVER);
	assert_string_equal(e.fault->text, "try <later>");
	ASSERT_REFUSED(soap_write_fault(a, SOAP_CLIENT, "\x01", &text, &err), &err, ERR_INTERNAL,
		       "not XML text");
}

static void
a_failure_has_the_code_of_whose_fault_it_was(void **state UNUSED)
{
	static const struct {
		enum err_kind kind;
		const char *proto, *code;
	} rows[] = {
		{ERR_INPUT, NULL, SOAP_CLIENT},
		{ERR_DENIED, "something", SOAP_CLIENT},
		{ERR_NOT_FOUND, NULL, SOAP_CLIENT},
		{ERR_CONFLICT, NULL, SOAP_CLIENT},
		{ERR_UNAVAILABLE, NULL, SOAP_SERVER},
		{ERR_INTERNAL, NULL, SOAP_SERVER},
		{ERR_NONE, NULL, SOAP_SERVER},
		{ERR_INPUT, "VersionMismatch", SOAP_VERSION_MISMATCH},
		{ERR_INPUT, "MustUnderstand", SOAP_MUST_UNDERSTAND},
		{ERR_INTERNAL, "Client", SOAP_CLIENT},
		{ERR_INPUT, "Server", SOAP_SERVER},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = {.kind = rows[i].kind, .proto = rows[i].proto};

		assert_string_equal(soap_code_of(&err), rows[i].code);
	}
}

static int
setup(void **state UNUSED)
{
	a = arena_create(8 << 20);
	return a == NULL;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(a);
	return 0;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_envelope_gives_its_content),
		CASE(what_is_no_envelope_is_refused),
		CASE(a_header_that_must_be_understood_is_or_refuses),
		CASE(a_header_block_has_a_namespace_and_a_plain_flag),
		CASE(a_fault_is_told_from_a_message),
		CASE(a_fault_of_another_shape_is_refused),
		CASE(what_is_written_is_read_again),
		CASE(a_header_block_of_ours_is_written),
		CASE(a_fault_is_written),
		CASE(a_failure_has_the_code_of_whose_fault_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
