/* saml/artifact.c, saml/binding_artifact.c: names for messages, and how they are exchanged. */
#include "saml/artifact.h"

#include "base/enc.h"
#include "saml/names.h"
#include "saml/response.h"
#include "saml/soap.h"
#include "tests/saml/xsd.h"
#include "tests/saml/with_party.h"

static const unsigned char handle[SAML_ARTIFACT_HANDLE_BYTES] = "0123456789abcdefghij";

/* ---- the artifact ---- */

#define OURS_SHA1 "349fa4f3171d9a0be62e8e5661c3e6023b187e2f" /* printf %s PORTAL_OURS | sha1sum */

static void
test_an_artifact_is_written_and_read(void **state UNUSED)
{
	const char *text = saml_artifact_write(a, PORTAL_OURS, handle);
	unsigned char got[SAML_ARTIFACT_HANDLE_BYTES];
	struct err err = {0};
	struct bytes all;

	ASSERT_OK(dec_base64(a, bytes_of(text), false, &all, &err), &err);
	assert_int_equal(all.n, 44);
	assert_string_equal(enc_hex(a, (struct bytes){all.p, 24}), "00040000" OURS_SHA1);
	assert_memory_equal(all.p + 24, handle, sizeof(handle));
	ASSERT_OK(saml_artifact_read(a, PORTAL_OURS, text, got, &err), &err);
	assert_memory_equal(got, handle, sizeof(handle));
	ASSERT_OK(saml_artifact_read(a, PORTAL_OURS, arena_printf(a, "\n  %s\n", text), got, &err),
		  &err);
}

/* `octets` instead of the first ones of an artifact of ours. */
static const char *
beginning(const char *octets, size_t n)
{
	unsigned char all[44];
	struct bytes whole;
	struct err err = {0};

	ASSERT_OK(dec_base64(a, bytes_of(saml_artifact_write(a, PORTAL_OURS, handle)), false,
			     &whole, &err),
		  &err);
	memcpy(all, whole.p, sizeof(all));
	memcpy(all, octets, n);
	return enc_base64(a, (struct bytes){all, sizeof(all)});
}

static void
test_what_is_no_artifact_of_ours_is_refused(void **state UNUSED)
{
	const char *ours = saml_artifact_write(a, PORTAL_OURS, handle);
	const struct {
		const char *text, *why;
	} cases[] = {
		{"", "artifact of 0 octets"},
		{"AAQAAA==", "artifact of 4 octets"},
		{arena_printf(a, "%.56s", ours), "artifact of 42 octets"},
		{arena_printf(a, "%s====", ours), "base64"},
		{arena_printf(a, "!%s", ours + 1), "base64"},
		{beginning("\0\1", 2), "of another type or endpoint"},
		{beginning("\1\4", 2), "of another type or endpoint"},
		{beginning("\0\4\0\1", 4), "of another type or endpoint"},
		{beginning("\0\4\1\0", 4), "of another type or endpoint"},
		{beginning("\0\4\0\0x", 5), "of another entity"},
		{saml_artifact_write(a, PORTAL_ENTITY, handle), "of another entity"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned char got[SAML_ARTIFACT_HANDLE_BYTES];
		struct err err = {0};

		ASSERT_REFUSED(saml_artifact_read(a, PORTAL_OURS, cases[i].text, got, &err), &err,
			       ERR_INPUT, cases[i].why);
	}
}

/* ---- ArtifactResolve ---- */

static const char resolve[] =
	"<samlp:ArtifactResolve xmlns:samlp=\"" SAML_NS_PROTOCOL
	"\" xmlns:saml=\"" SAML_NS_ASSERTION "\" Destination=\"" PORTAL_ARTIFACT
	"\" ID=\"_resolve1\""
	" IssueInstant=\"2026-11-23T18:00:00Z\" Version=\"2.0\"><saml:Issuer>" PORTAL_ENTITY
	"</saml:Issuer>" FIXTURE_PLACE
	"<samlp:Artifact>one</samlp:Artifact></samlp:ArtifactResolve>";

static const struct saml_message *
by_soap(const char *xml)
{
	struct fixture f = fixture_request();
	const struct saml_message *m;
	struct err err = {0};
	struct bytes envelope;

	f.text = xml;
	f.id = "_resolve1";
	ASSERT_OK(soap_write(a, &xmlns_samlp, bytes_of(fixture_sign(a, &f)), &envelope, &err),
		  &err);
	ASSERT_OK(saml_message_decode(a, SAML_BINDING_SOAP, envelope, &m, &err), &err);
	return m;
}

static void
test_a_request_is_read(void **state UNUSED)
{
	const struct saml_message *m = by_soap(resolve);
	const struct saml_artifact_resolve *r;
	const struct saml_verified *v;
	struct err err = {0};

	assert_int_equal(saml_message_kind(m), SAML_ARTIFACT_RESOLVE);
	ASSERT_OK(saml_message_verify(a, m, party, &v, &err), &err);
	ASSERT_OK(saml_artifact_resolve_parse(a, v, &r, &err), &err);
	assert_string_equal(r->header.id, "_resolve1");
	assert_string_equal(r->header.destination, PORTAL_ARTIFACT);
	assert_true(r->header.is_signed);
	assert_ptr_equal(r->party, party);
	assert_string_equal(r->artifact, "one");
}

static bool
check(const char *xml, time_t now, struct err *err)
{
	const struct saml_artifact_resolve *r;
	const struct saml_verified *v;

	ASSERT_OK(saml_message_verify(a, by_soap(xml), party, &v, err), err);
	ASSERT_OK(saml_artifact_resolve_parse(a, v, &r, err), err);
	return saml_artifact_resolve_check(r, PORTAL_ARTIFACT, &saml_window_default, now, err);
}

static void
test_a_request_is_for_here_and_now(void **state UNUSED)
{
	const char *unsaid = replace(a, resolve, " Destination=\"" PORTAL_ARTIFACT "\"", "");
	time_t issued = portal_now() - 10;
	struct err err = {0};

	ASSERT_OK(check(resolve, portal_now(), &err), &err);
	ASSERT_OK(check(unsaid, portal_now(), &err), &err);
	ASSERT_REFUSED(check(replace(a, resolve, PORTAL_ARTIFACT, PORTAL_SLO), portal_now(), &err),
		       &err, ERR_DENIED, "Destination is not this endpoint");
	ASSERT_OK(check(unsaid, issued + 480, &err), &err);
	ASSERT_REFUSED(check(unsaid, issued + 481, &err), &err, ERR_DENIED, "IssueInstant");
	ASSERT_REFUSED(check(resolve, issued - 181, &err), &err, ERR_DENIED, "IssueInstant");
}

static void
test_an_unsigned_request_is_refused(void **state UNUSED)
{
	/* The type lets only an AuthnRequest be unsigned; the reader does not rely on it. */
	const struct saml_policy lenient = {.accept_unsigned = true};
	struct saml_party unsigning = *party;
	const struct saml_artifact_resolve *r;
	const struct saml_verified *v;
	const struct saml_message *m;
	struct bytes envelope;
	struct err err = {0};

	unsigning.authn_requests_signed = false;
	ASSERT_OK(soap_write(a, &xmlns_samlp, bytes_of(replace(a, resolve, FIXTURE_PLACE, "")),
			     &envelope, &err),
		  &err);
	ASSERT_OK(saml_message_decode(a, SAML_BINDING_SOAP, envelope, &m, &err), &err);
	ASSERT_REFUSED(saml_message_verify(a, m, &unsigning, &v, &err), &err, ERR_DENIED,
		       "message is not signed");
	ASSERT_REFUSED(saml_message_admit(a, m, &unsigning, &lenient, &v, &err), &err, ERR_DENIED,
		       "message is not signed");
	ASSERT_OK(saml_message_decode(a, SAML_BINDING_REDIRECT,
				      bytes_of(portal_query_unsigned(a, "SAMLRequest",
								     portal_authn_request, NULL)),
				      &m, &err),
		  &err);
	ASSERT_OK(saml_message_accept_unsigned(a, m, &unsigning, &lenient, &v, &err), &err);
	ASSERT_REFUSED(saml_artifact_resolve_parse(a, v, &r, &err), &err, ERR_DENIED,
		       "ArtifactResolve is not signed");
}

/* ---- the message, and the answer with it ---- */

static const char *const values[] = {"Zo\xc3\xab & Co"};
static const struct saml_attribute attributes[] = {
	{.name = "urn:oid:2.5.4.42",
	 .name_format = SAML_ATTRNAME_URI,
	 .values = values,
	 .n_values = 1},
};

/* What is kept of a Response with an assertion (or of an error). */
static struct saml_carrier
kept(const struct saml_policy *policy, bool with_assertion)
{
	const struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	const struct saml_peer peer = {party, policy, &signer};
	const struct saml_assertion facts = {
		.id = "_assertion1",
		.issuer = PORTAL_OURS,
		.audience = PORTAL_ENTITY,
		.recipient = PORTAL_ACS_ARTIFACT,
		.in_response_to = "_request1",
		.nameid = {"name1", SAML_NAMEID_TRANSIENT, PORTAL_OURS, PORTAL_ENTITY},
		.issued_at = portal_now(),
		.not_before = portal_now(),
		.not_on_or_after = portal_now() + 300,
		.authn_at = portal_now(),
		.session_index = "session1",
		.class_ref = "STORK-QAA-Level-3",
		.attributes = attributes,
		.n_attributes = ARRAY_LEN(attributes),
	};
	const struct saml_response r = {
		.id = "_response1",
		.issuer = PORTAL_OURS,
		.destination = PORTAL_ACS_ARTIFACT,
		.binding = SAML_BINDING_ARTIFACT,
		.artifact = "AAQ+/=",
		.in_response_to = "_request1",
		.relay_state = "a b",
		.issued_at = portal_now(),
		.status = saml_status_of(with_assertion ? SAML_SUCCESS : SAML_NO_PASSIVE),
		.assertion = with_assertion ? &facts : NULL,
	};
	struct saml_carrier c;
	struct err err = {0};

	ASSERT_OK(saml_response_build(a, &r, &peer, &c, &err), &err);
	assert_string_equal(c.location,
			    PORTAL_ACS_ARTIFACT "?SAMLart=AAQ%2B%2F%3D&RelayState=a%20b");
	assert_null(c.action);
	assert_schema_valid(a, c.kept);
	return c;
}

static const struct xml_node *
verified(const struct xml_node *n)
{
	struct saml_keys ours = {&keys->p256.pub, 1};
	struct saml_signed *s;
	struct err err = {0};

	ASSERT_OK(xmlsig_verify(a, n, ours, &s, &err), &err);
	return saml_signed_root(s);
}

/* The ArtifactResponse with that message, its signature verified. */
static const struct xml_node *
answered(const struct saml_carrier *c)
{
	const struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	const struct saml_artifact_answer what = {
		.id = "_answer1",
		.issuer = PORTAL_OURS,
		.in_response_to = "_resolve1",
		.issued_at = portal_now(),
		.message = c == NULL ? (struct bytes){NULL, 0} : c->kept,
		.prefixes = c == NULL ? NULL : c->kept_prefixes,
		.signer = &signer,
	};
	struct soap_envelope e;
	struct bytes envelope, xml;
	struct err err = {0};

	ASSERT_OK(saml_artifact_answer_build(a, &what, &envelope, &err), &err);
	assert_schema_valid(a, envelope);
	ASSERT_OK(soap_read(a, envelope, NULL, &e, &err), &err);
	ASSERT_OK(xml_c14n(a, e.content, NULL, what.prefixes, 0, &xml, &err), &err);
	assert_schema_valid(a, xml);
	return verified(e.content);
}

static void
check_answer(const struct xml_node *n)
{
	assert_true(xml_is(n, SAML_NS_PROTOCOL, "ArtifactResponse"));
	assert_string_equal(xml_attr(n, "ID"), "_answer1");
	assert_string_equal(xml_attr(n, "InResponseTo"), "_resolve1");
	assert_string_equal(xml_attr(n, "IssueInstant"), "2026-11-23T18:00:10Z");
	assert_string_equal(portal_text(a, portal_child(n, SAML_NS_ASSERTION, "Issuer")),
			    PORTAL_OURS);
	/* SAML2Core 3.5.3: with or without a message. */
	assert_string_equal(xml_attr(portal_child(portal_child(n, SAML_NS_PROTOCOL, "Status"),
						  SAML_NS_PROTOCOL, "StatusCode"),
				     "Value"),
			    SAML_SUCCESS);
}

static void
test_an_answer_carries_the_message_as_it_was_signed(void **state UNUSED)
{
	const struct saml_policy clear = {.encrypt = SAML_ENCRYPT_NEVER};
	const struct saml_carrier c = kept(&clear, true);
	const struct xml_node *answer = answered(&c), *r, *assertion;

	check_answer(answer);
	assert_string_equal(c.kept_prefixes, "xs");
	/* Read from the answer's own signed octets, each signature inside holds as well. */
	r = verified(portal_child(answer, SAML_NS_PROTOCOL, "Response"));
	assert_string_equal(xml_attr(r, "Destination"), PORTAL_ACS_ARTIFACT);
	assertion = verified(portal_child(r, SAML_NS_ASSERTION, "Assertion"));
	assert_string_equal(xml_attr(assertion, "ID"), "_assertion1");
}

static void
test_the_policy_of_signing_and_encrypting_holds_for_it(void **state UNUSED)
{
	const struct saml_policy sealed = {.encrypt = SAML_ENCRYPT_ALWAYS};
	const struct saml_policy inside = {.encrypt = SAML_ENCRYPT_NEVER,
					   .sign = SAML_SIGN_ASSERTION};
	struct saml_carrier c = kept(&sealed, true);
	const struct xml_node *r =
		verified(portal_child(answered(&c), SAML_NS_PROTOCOL, "Response"));

	assert_null(c.kept_prefixes);
	portal_child(r, SAML_NS_ASSERTION, "EncryptedAssertion");
	c = kept(&inside, true);
	r = portal_child(answered(&c), SAML_NS_PROTOCOL, "Response");
	assert_false(xmlsig_present(r));
	verified(portal_child(r, SAML_NS_ASSERTION, "Assertion"));
	c = kept(&inside, false);
	r = verified(portal_child(answered(&c), SAML_NS_PROTOCOL, "Response"));
	assert_null(memmem(c.kept.p, c.kept.n, "Assertion ", strlen("Assertion ")));
}

static void
test_without_a_message_it_is_empty_and_no_error(void **state UNUSED)
{
	const struct xml_node *answer = answered(NULL);

	check_answer(answer);
	assert_true(xml_is(portal_child(answer, SAML_NS_PROTOCOL, "Status"), SAML_NS_PROTOCOL,
			   "Status"));
	for (const struct xml_node *n = xml_first(answer); n != NULL; n = xml_next(n))
		assert_false(xml_is(n, SAML_NS_PROTOCOL, "Response"));
}

static void
test_nothing_goes_out_unsigned_when_the_signer_is_gone(void **state UNUSED)
{
	struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	const struct saml_artifact_answer what = {.id = "_answer1",
						  .issuer = PORTAL_OURS,
						  .in_response_to = "_resolve1",
						  .issued_at = portal_now(),
						  .signer = &signer};
	const struct saml_to_sign message = {
		.element = bytes_of("<a ID=\"_1\"></a>"), .id = "_1", .place = 11};
	struct saml_outgoing o = {.url = PORTAL_ACS_ARTIFACT, .message = &message};
	struct saml_carrier c;
	struct bytes envelope;
	struct err err = {0};

	/* Nor without a name to ask for it by. */
	ASSERT_REFUSED(saml_binding_encode(a, SAML_BINDING_ARTIFACT, &o, &c, &err), &err,
		       ERR_INTERNAL, "without an artifact");
	signer.ops = &portal_no_signer;
	o.signer = &signer;
	o.artifact = "x";
	ASSERT_REFUSED(saml_binding_encode(a, SAML_BINDING_ARTIFACT, &o, &c, &err), &err,
		       ERR_UNAVAILABLE, "does not answer");
	ASSERT_REFUSED(saml_artifact_answer_build(a, &what, &envelope, &err), &err, ERR_UNAVAILABLE,
		       "does not answer");
}

static void
test_an_address_has_its_length(void **state UNUSED)
{
	const struct saml_to_sign message = {.element = bytes_of("<a></a>")};
	struct saml_outgoing o = {
		.url = PORTAL_ACS_ARTIFACT "?x=1", .message = &message, .artifact = "x"};
	struct saml_carrier c;
	struct err err = {0};

	ASSERT_OK(saml_binding_encode(a, SAML_BINDING_ARTIFACT, &o, &c, &err), &err);
	assert_string_equal(c.location, PORTAL_ACS_ARTIFACT "?x=1&SAMLart=x");
	o.url = arena_printf(a, "https://amt24.example/%065536d", 1);
	ASSERT_REFUSED(saml_binding_encode(a, SAML_BINDING_ARTIFACT, &o, &c, &err), &err,
		       ERR_INTERNAL, "bytes to write");
	o.relay_state = arena_printf(a, "%065536d", 1);
	ASSERT_REFUSED(saml_binding_encode(a, SAML_BINDING_ARTIFACT, &o, &c, &err), &err,
		       ERR_INTERNAL, "bytes to write");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_artifact_is_written_and_read),
		cmocka_unit_test(test_what_is_no_artifact_of_ours_is_refused),
		cmocka_unit_test(test_a_request_is_read),
		cmocka_unit_test(test_a_request_is_for_here_and_now),
		cmocka_unit_test(test_an_unsigned_request_is_refused),
		cmocka_unit_test(test_an_answer_carries_the_message_as_it_was_signed),
		cmocka_unit_test(test_the_policy_of_signing_and_encrypting_holds_for_it),
		cmocka_unit_test(test_without_a_message_it_is_empty_and_no_error),
		cmocka_unit_test(test_nothing_goes_out_unsigned_when_the_signer_is_gone),
		cmocka_unit_test(test_an_address_has_its_length),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
