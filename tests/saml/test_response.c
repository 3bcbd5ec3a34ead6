/*
 * saml/response.c, assertion.c, attribute.c: what we write, read back by our own
 * verifier, by the schemas and by xmlsec1.
 */
#include "saml/response.h"

#include "base/clock.h"
#include "saml/extensions.h"
#include "saml/names.h"
#include "saml/soap.h"
#include "saml/xmlenc.h"
#include "tests/saml/xsd.h"
#include "tests/saml/with_party.h"

#define US "https://konto.example/saml/metadata"

static const char *const erika[] = {"Erika"};
static const char *const names[] = {"Mustermann", "Gabler"};
static const char *const nothing[] = {""};

static const struct saml_attribute attributes[] = {
	{.name = "urn:oid:2.5.4.42",
	 .name_format = SAML_ATTRNAME_URI,
	 .friendly_name = "givenName",
	 .trust_level = "HOCH",
	 .values = erika,
	 .n_values = 1},
	{.name = "Name", .name_format = SAML_ATTRNAME_BASIC, .values = names, .n_values = 2},
	{.name = "urn:oid:1.2.40.0.10.2.1.1.225566",
	 .name_format = SAML_ATTRNAME_URI,
	 .friendly_name = "birthName",
	 .trust_level = "SUBSTANTIELL",
	 .values = nothing,
	 .n_values = 1},
	{.name = "urn:none", .name_format = SAML_ATTRNAME_URI},
};

static struct saml_assertion
facts(void)
{
	struct saml_assertion f = portal_assertion(portal_now());

	f.address = "192.0.2.1";
	f.one_time_use = true;
	f.session_not_on_or_after = f.issued_at + 7200;
	f.attributes = attributes;
	f.n_attributes = ARRAY_LEN(attributes);
	return f;
}

static struct saml_response
response(const struct saml_assertion *assertion)
{
	struct saml_response r = portal_response(assertion, portal_now());

	r.relay_state = "relay1";
	return r;
}

static const struct saml_policy plain = {.encrypt = SAML_ENCRYPT_NEVER};

static bool
build_for(const struct saml_response *r, const struct saml_party *to,
	  const struct saml_policy *policy, struct bytes *xml, struct err *err)
{
	struct saml_signer signer = test_signer(keys, "rsa-sha256");
	const struct saml_peer peer = {to, policy, &signer};
	struct saml_carrier c;

	if (!saml_response_build(a, r, &peer, &c, err))
		return false;
	assert_string_equal(c.action, PORTAL_ACS);
	assert_string_equal(c.name, "SAMLResponse");
	assert_string_equal(c.relay_state, "relay1");
	*xml = portal_unpack(a, &c);
	assert_schema_valid(a, *xml);
	return true;
}

static struct bytes
build(const struct saml_response *r, const struct saml_policy *policy)
{
	struct err err = {0};
	struct bytes xml;

	ASSERT_OK(build_for(r, party, policy, &xml, &err), &err);
	return xml;
}

static const struct xml_node *
verified(const struct xml_node *n)
{
	struct saml_keys ours = {&keys->rsa.pub, 1};
	struct saml_signed *s;
	struct err err = {0};

	ASSERT_OK(xmlsig_verify(a, n, ours, &s, &err), &err);
	return saml_signed_root(s);
}

#define ATTR(n, name, want) assert_string_equal(xml_attr((n), (name)), (want))

static void
check_subject(const struct xml_node *assertion)
{
	const struct xml_node *subject = portal_child(assertion, SAML_NS_ASSERTION, "Subject");
	const struct xml_node *nameid = portal_child(subject, SAML_NS_ASSERTION, "NameID");
	const struct xml_node *confirmation =
		portal_child(subject, SAML_NS_ASSERTION, "SubjectConfirmation");
	const struct xml_node *data =
		portal_child(confirmation, SAML_NS_ASSERTION, "SubjectConfirmationData");

	assert_string_equal(portal_text(a, nameid), "name1");
	ATTR(nameid, "Format", SAML_NAMEID_TRANSIENT);
	ATTR(nameid, "NameQualifier", US);
	ATTR(nameid, "SPNameQualifier", PORTAL_ENTITY);
	ATTR(confirmation, "Method", SAML_CM_BEARER);
	ATTR(data, "InResponseTo", "_request1");
	ATTR(data, "Recipient", PORTAL_ACS);
	ATTR(data, "NotOnOrAfter", "2026-11-23T18:05:10Z");
	ATTR(data, "Address", "192.0.2.1");
	assert_null(xml_attr(data, "NotBefore")); /* SAML2Profiles 4.1.4.2 */
}

static void
check_conditions(const struct xml_node *assertion)
{
	const struct xml_node *conditions =
		portal_child(assertion, SAML_NS_ASSERTION, "Conditions");
	const struct xml_node *audience =
		portal_child(portal_child(conditions, SAML_NS_ASSERTION, "AudienceRestriction"),
			     SAML_NS_ASSERTION, "Audience");

	ATTR(conditions, "NotBefore", "2026-11-23T17:59:10Z");
	ATTR(conditions, "NotOnOrAfter", "2026-11-23T18:05:10Z");
	assert_string_equal(portal_text(a, audience), PORTAL_ENTITY);
	portal_child(conditions, SAML_NS_ASSERTION, "OneTimeUse");
}

static void
check_authn(const struct xml_node *assertion)
{
	const struct xml_node *authn = portal_child(assertion, SAML_NS_ASSERTION, "AuthnStatement");

	ATTR(authn, "AuthnInstant", "2026-11-23T18:00:05Z");
	ATTR(authn, "SessionIndex", "session1");
	ATTR(authn, "SessionNotOnOrAfter", "2026-11-23T20:00:10Z");
	ATTR(portal_child(authn, SAML_NS_ASSERTION, "SubjectLocality"), "Address", "192.0.2.1");
	assert_string_equal(
		portal_text(a, portal_child(portal_child(authn, SAML_NS_ASSERTION, "AuthnContext"),
					    SAML_NS_ASSERTION, "AuthnContextClassRef")),
		"STORK-QAA-Level-3");
}

static void
check_attributes(const struct xml_node *assertion)
{
	const struct xml_node *n =
		xml_first(portal_child(assertion, SAML_NS_ASSERTION, "AttributeStatement"));

	for (size_t i = 0; i < ARRAY_LEN(attributes); i++, n = xml_next(n)) {
		const struct saml_attribute *at = &attributes[i];
		const struct xml_node *value = xml_first(n);

		ATTR(n, "Name", at->name);
		ATTR(n, "NameFormat", at->name_format);
		if (at->friendly_name != NULL)
			ATTR(n, "FriendlyName", at->friendly_name);
		else
			assert_null(xml_attr(n, "FriendlyName"));
		if (at->trust_level != NULL)
			assert_string_equal(xml_attr_ns(n, SAML_NS_AKDB, "TrustLevel"),
					    at->trust_level);
		else
			assert_null(xml_attr_ns(n, SAML_NS_AKDB, "TrustLevel"));
		for (size_t v = 0; v < at->n_values; v++, value = xml_next(value)) {
			const char *ns, *name;
			struct err err = {0};

			ASSERT_OK(xml_xsi_type(a, value, &ns, &name, &err), &err);
			assert_string_equal(ns, SAML_NS_XS);
			assert_string_equal(name, "string");
			assert_string_equal(portal_text(a, value), at->values[v]);
		}
		assert_null(value);
	}
	assert_null(n);
}

static void
check_assertion(const struct xml_node *assertion)
{
	ATTR(assertion, "ID", "_assertion1");
	ATTR(assertion, "Version", "2.0");
	ATTR(assertion, "IssueInstant", "2026-11-23T18:00:10Z");
	assert_string_equal(portal_text(a, portal_child(assertion, SAML_NS_ASSERTION, "Issuer")),
			    US);
	check_subject(assertion);
	check_conditions(assertion);
	check_authn(assertion);
	check_attributes(assertion);
}

static void
check_envelope(const struct xml_node *n, const char *code)
{
	ATTR(n, "ID", "_response1");
	ATTR(n, "Version", "2.0");
	ATTR(n, "InResponseTo", "_request1");
	ATTR(n, "Destination", PORTAL_ACS);
	ATTR(n, "IssueInstant", "2026-11-23T18:00:10Z");
	assert_string_equal(portal_text(a, portal_child(n, SAML_NS_ASSERTION, "Issuer")), US);
	ATTR(portal_child(portal_child(n, SAML_NS_PROTOCOL, "Status"), SAML_NS_PROTOCOL,
			  "StatusCode"),
	     "Value", code);
}

static void
test_a_response_says_what_it_was_told(void **state)
{
	struct saml_assertion f = facts();
	struct saml_response r = response(&f);
	const struct xml_node *root = parse_xml(a, text_of(a, build(&r, &plain)));

	(void)state;
	check_envelope(verified(root), SAML_SUCCESS);
	check_assertion(verified(portal_child(root, SAML_NS_ASSERTION, "Assertion")));
	check_assertion(portal_child(verified(root), SAML_NS_ASSERTION, "Assertion"));
}

static void
test_what_is_not_told_is_not_written(void **state)
{
	struct saml_assertion f = facts();
	struct saml_response r = response(&f);

	(void)state;
	f.address = NULL;
	f.one_time_use = false;
	f.session_not_on_or_after = 0;
	f.n_attributes = 0;
	f.nameid = (struct saml_nameid){.value = "name1"};
	const char *xml = text_of(a, build(&r, &plain));

	assert_null(strstr(xml, "Address"));
	assert_null(strstr(xml, "OneTimeUse"));
	assert_null(strstr(xml, "SessionNotOnOrAfter"));
	assert_null(strstr(xml, "AttributeStatement"));
	assert_null(strstr(xml, "NameQualifier"));
	assert_null(strstr(xml, "SubjectLocality"));
	verified(parse_xml(a, xml));
}

static void
test_the_policy_says_what_is_signed(void **state)
{
	struct saml_policy policy = plain;
	struct saml_assertion f = facts();
	struct saml_response r = response(&f);
	const struct xml_node *root;

	(void)state;
	policy.sign = SAML_SIGN_RESPONSE;
	root = parse_xml(a, text_of(a, build(&r, &policy)));
	assert_false(xmlsig_present(portal_child(root, SAML_NS_ASSERTION, "Assertion")));
	check_assertion(portal_child(verified(root), SAML_NS_ASSERTION, "Assertion"));
	policy.sign = SAML_SIGN_ASSERTION;
	root = parse_xml(a, text_of(a, build(&r, &policy)));
	assert_false(xmlsig_present(root));
	check_assertion(verified(portal_child(root, SAML_NS_ASSERTION, "Assertion")));
}

static void
test_a_refusal_is_signed_whatever_the_policy(void **state)
{
	struct saml_policy policy = {.sign = SAML_SIGN_ASSERTION, .encrypt = SAML_ENCRYPT_ALWAYS};
	struct saml_response r = response(NULL);
	const struct xml_node *root = parse_xml(a, text_of(a, build(&r, &policy)));

	(void)state;
	check_envelope(verified(root), SAML_RESPONDER);
	/* No value in it has a prefix. */
	assert_null(strstr(text_of(a, build(&r, &policy)), "PrefixList"));
	assert_null(strstr(text_of(a, build(&r, &policy)), "Assertion "));
}

static void
test_status_and_assertion_belong_together(void **state)
{
	struct saml_assertion f = facts();
	struct saml_response r = response(&f);
	struct err err = {0};
	struct bytes xml;

	(void)state;
	r.status = saml_status_of(SAML_AUTHN_FAILED);
	ASSERT_REFUSED(build_for(&r, party, &plain, &xml, &err), &err, ERR_INTERNAL,
		       "status and assertion do not fit");
	r = response(NULL);
	r.status = saml_status_of(SAML_SUCCESS);
	ASSERT_REFUSED(build_for(&r, party, &plain, &xml, &err), &err, ERR_INTERNAL,
		       "status and assertion do not fit");
}

/* ---- encryption ---- */

static const struct xml_node *
opened(const struct xml_node *root)
{
	const char *kids[] = {keys->dec_rsa.kid, keys->dec_p256.kid};
	const struct xmlenc_keys ours = {&keys->ops, kids, ARRAY_LEN(kids)};
	struct xml_doc *doc;
	struct err err = {0};

	ASSERT_OK(xmlenc_decrypt(a, portal_child(root, SAML_NS_ASSERTION, "EncryptedAssertion"),
				 &ours, &doc, &err),
		  &err);
	return xml_root(doc);
}

static void
test_an_assertion_is_encrypted_when_the_party_has_a_key(void **state)
{
	static const struct saml_policy policies[] = {
		{.encrypt = SAML_ENCRYPT_AUTO},
		{.encrypt = SAML_ENCRYPT_ALWAYS},
		{.encrypt = SAML_ENCRYPT_ALWAYS, .sign = SAML_SIGN_ASSERTION},
	};
	struct saml_assertion f = facts();
	struct saml_response r = response(&f);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		const char *xml = text_of(a, build(&r, &policies[i]));
		const struct xml_node *root = parse_xml(a, xml);

		assert_null(strstr(xml, "Mustermann"));
		assert_null(strstr(xml, "name1"));
		assert_null(strstr(xml, "PrefixList"));
		check_assertion(verified(opened(root)));
		if (policies[i].sign != SAML_SIGN_ASSERTION)
			check_assertion(verified(opened(verified(root))));
		else
			assert_false(xmlsig_present(root));
	}
}

static void
test_each_kind_of_key_is_encrypted_to(void **state)
{
	const struct xmlenc_recipient recipients[] = {
		{keys->dec_rsa.pub, XMLENC_A128GCM, XMLENC_OAEP_SHA256, keys->dec_rsa.cert, NULL},
		{keys->dec_rsa.pub, XMLENC_A256GCM, XMLENC_OAEP_SHA1, keys->dec_rsa.cert, NULL},
		{keys->dec_p256.pub, XMLENC_A256GCM, XMLENC_ECDH_ES, keys->dec_p256.cert, NULL},
	};
	const struct saml_policy policy = {.sign = SAML_SIGN_BOTH};
	struct saml_assertion f = facts();
	struct saml_response r = response(&f);
	struct saml_party to = *party;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(recipients); i++) {
		struct err err = {0};
		struct bytes xml;

		to.recipient = recipients[i];
		ASSERT_OK(build_for(&r, &to, &policy, &xml, &err), &err);
		check_assertion(verified(opened(parse_xml(a, text_of(a, xml)))));
	}
}

static void
test_without_a_key_the_policy_decides(void **state)
{
	struct saml_policy policy = {.encrypt = SAML_ENCRYPT_ALWAYS};
	struct saml_party keyless = *party;
	struct saml_assertion f = facts();
	struct saml_response r = response(&f);
	struct err err = {0};
	struct bytes xml;

	(void)state;
	keyless.recipient.key = NULL;
	assert_false(build_for(&r, &keyless, &policy, &xml, &err));
	assert_int_equal(err.kind, ERR_DENIED);
	assert_string_equal(err.proto, SAML_REQUEST_DENIED);
	err_clear(&err);
	policy.encrypt = SAML_ENCRYPT_AUTO;
	ASSERT_OK(build_for(&r, &keyless, &policy, &xml, &err), &err);
	assert_non_null(strstr(text_of(a, xml), "Mustermann"));
}

/* ---- hostile values ---- */

static const char *const hostile[] = {
	"\"><saml:Attribute Name=\"x\">",
	"</saml:AttributeValue><saml:AttributeValue>",
	"]]>&amp;&#10;&lt;",
	"a\nb\rc\td",
	" leading and trailing ",
	"admin@x<!---->.evil",
	"<?pi?>'\"",
	"\xc3\xa4\xf0\x9f\x98\x80\xe1\xba\x9e",
	"\xc2\x85\xe2\x80\xa8",
};

/* The fields that hold texts of people and parties, in turn. */
#define N_FIELDS 14
static void
put(struct saml_assertion *f, struct saml_response *r, struct saml_attribute *at, size_t field,
    const char **s)
{
	const char **const fields[N_FIELDS] = {
		&f->issuer,
		&f->audience,
		&f->recipient,
		&f->in_response_to,
		&f->address,
		&f->nameid.value,
		&f->nameid.name_qualifier,
		&f->nameid.sp_name_qualifier,
		&f->session_index,
		&f->class_ref,
		&at->name,
		&at->friendly_name,
		&at->trust_level,
		&r->status.message,
	};

	*fields[field] = *s;
}

/* Every text and attribute value of the tree that equals s. */
static size_t
occurrences(const struct xml_node *n, const char *s)
{
	static const char *const names_of[] = {
		"Recipient",       "InResponseTo", "Address", "NameQualifier",
		"SPNameQualifier", "SessionIndex", "Name",    "FriendlyName",
	};
	const char *level = xml_attr_ns(n, SAML_NS_AKDB, "TrustLevel"), *t;
	size_t count = level != NULL && strcmp(level, s) == 0;

	for (size_t i = 0; i < ARRAY_LEN(names_of); i++) {
		const char *value = xml_attr(n, names_of[i]);

		count += value != NULL && strcmp(value, s) == 0;
	}
	if (xml_first(n) == NULL && xml_text(a, n, &t, NULL))
		count += strcmp(t, s) == 0;
	for (const struct xml_node *c = xml_first(n); c != NULL; c = xml_next(c))
		count += occurrences(c, s);
	return count;
}

static size_t
count_elements(const struct xml_node *n)
{
	size_t count = 1;

	for (const struct xml_node *c = xml_first(n); c != NULL; c = xml_next(c))
		count += count_elements(c);
	return count;
}

static bool
build_raw(const struct saml_response *r, struct bytes *xml, struct err *err)
{
	struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	const struct saml_peer peer = {party, &plain, &signer};
	struct saml_carrier c;

	if (!saml_response_build(a, r, &peer, &c, err))
		return false;
	*xml = portal_unpack(a, &c);
	return true;
}

static void
test_no_value_can_become_markup(void **state)
{
	size_t elements = 0;

	(void)state;
	for (size_t field = 0; field <= N_FIELDS; field++)
		for (size_t h = 0; h < ARRAY_LEN(hostile); h++) {
			const char *values[] = {field == N_FIELDS ? hostile[h] : "value"};
			struct saml_attribute at = {.name = "n",
						    .name_format = SAML_ATTRNAME_BASIC,
						    .friendly_name = "f",
						    .trust_level = "HOCH",
						    .values = values,
						    .n_values = 1};
			struct saml_assertion f = facts();
			struct saml_response r = response(&f);
			const char *s = hostile[h];
			struct err err = {0};
			struct bytes xml;

			f.attributes = &at;
			f.n_attributes = 1;
			r.status.message = "message";
			if (field < N_FIELDS)
				put(&f, &r, &at, field, &s);
			ASSERT_OK(build_raw(&r, &xml, &err), &err);
			const struct xml_node *root = parse_xml(a, text_of(a, xml));

			/* The address stands in two places. */
			if (occurrences(root, s) != (field == 4 ? 2U : 1U))
				fail_msg("field %zu lost \"%s\"", field, s);
			if (elements == 0)
				elements = count_elements(root);
			assert_int_equal(count_elements(root), elements);
		}
}

static void
test_what_xml_cannot_hold_is_not_written(void **state)
{
	static const char *const bad[] = {"a\xef\xbf\xbe", "a\xef\xbf\xbf", "a\x01",
					  "\x1b[0m",       "\xff",          "\xed\xa0\x80"};

	(void)state;
	for (size_t field = 0; field <= N_FIELDS; field++)
		for (size_t b = 0; b < ARRAY_LEN(bad); b++) {
			const char *values[] = {field == N_FIELDS ? bad[b] : "value"};
			struct saml_attribute at = {.name = "n",
						    .name_format = SAML_ATTRNAME_BASIC,
						    .friendly_name = "f",
						    .trust_level = "HOCH",
						    .values = values,
						    .n_values = 1};
			struct saml_assertion f = facts();
			struct saml_response r = response(&f);
			const char *s = bad[b];
			struct err err = {0};
			struct bytes xml;

			f.attributes = &at;
			f.n_attributes = 1;
			if (field < N_FIELDS)
				put(&f, &r, &at, field, &s);
			if (build_raw(&r, &xml, &err))
				fail_msg("field %zu took a value that XML cannot hold", field);
			assert_int_equal(err.kind, ERR_INTERNAL);
			assert_non_null(strstr(err.text, "XML cannot be written"));
		}
}

/* ---- others ---- */

static void
xmlsec1_verifies(struct bytes response)
{
	const char *path = temp_file(a, "response.xml", response);
	const char *cert = temp_file(a, "cert.der", keys->rsa.cert);
	const char *const nodes[] = {"/*[local-name()='Response']/*[local-name()='Signature']",
				     "//*[local-name()='Assertion']/*[local-name()='Signature']"};
	char *out;

	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		const char *argv[] = {"xmlsec1",
				      "--verify",
				      "--pubkey-cert-der",
				      cert,
				      "--id-attr:ID",
				      (SAML_NS_PROTOCOL ":Response"),
				      "--id-attr:ID",
				      (SAML_NS_ASSERTION ":Assertion"),
				      "--node-xpath",
				      nodes[i],
				      path,
				      NULL};

		if (!run_program(a, argv, &out))
			fail_msg("xmlsec1: %s", out);
	}
}

static void
test_xmlsec1_verifies_both_signatures(void **state)
{
	struct saml_assertion f = facts();
	struct saml_response r = response(&f);

	(void)state;
	xmlsec1_verifies(build(&r, &plain));
}

/* Types of another namespace: each prefix that occurs in values alone is signed along. */
static void
test_a_value_of_parts_is_signed_with_its_type(void **state)
{
	static const struct xmlns ekona = {"ekona",
					   "http://www.elster.de/schema/ekona/saml/extensions"};
	static const struct saml_part parts[] = {{"Strasse", "Weg <1> & \"2\""}, {"Ort", ""}};
	static const struct saml_attribute typed[] = {
		{.name = "Name",
		 .name_format = SAML_ATTRNAME_BASIC,
		 .values = erika,
		 .n_values = 1},
		{.name = "Anschrift",
		 .name_format = SAML_ATTRNAME_BASIC,
		 .type_ns = &ekona,
		 .type = "AdresseType",
		 .parts = parts,
		 .n_parts = ARRAY_LEN(parts)},
		{.name = "Kurz",
		 .name_format = SAML_ATTRNAME_BASIC,
		 .values = names,
		 .n_values = 2,
		 .type_ns = &ekona,
		 .type = "KurzType"},
	};
	struct saml_assertion f = facts();
	struct saml_response r = response(&f);
	const char *ns, *name;
	struct err err = {0};

	(void)state;
	f.attributes = typed;
	f.n_attributes = ARRAY_LEN(typed);
	const struct xml_node *root = parse_xml(a, text_of(a, build(&r, &plain)));
	const struct xml_node *at =
		xml_first(portal_child(verified(portal_child(root, SAML_NS_ASSERTION, "Assertion")),
				       SAML_NS_ASSERTION, "AttributeStatement"));

	verified(root);
	ASSERT_OK(xml_xsi_type(a, xml_first(at), &ns, &name, &err), &err);
	assert_string_equal(ns, SAML_NS_XS);
	at = xml_next(at);
	ASSERT_OK(xml_xsi_type(a, xml_first(at), &ns, &name, &err), &err);
	assert_string_equal(ns, ekona.uri);
	assert_string_equal(name, "AdresseType");
	const struct xml_node *part = xml_first(xml_first(at));

	assert_true(xml_is(part, ekona.uri, "Strasse"));
	assert_string_equal(portal_text(a, part), parts[0].text);
	assert_true(xml_is(xml_next(part), ekona.uri, "Ort"));
	assert_null(xml_next(xml_next(part)));
	at = xml_next(at);
	ASSERT_OK(xml_xsi_type(a, xml_next(xml_first(at)), &ns, &name, &err), &err);
	assert_string_equal(name, "KurzType");
	assert_string_equal(portal_text(a, xml_next(xml_first(at))), names[1]);
	xmlsec1_verifies(build(&r, &plain));
}

/* The envelope's header for the client, and the signed Response in its Body. */
static void
check_for_client(const struct saml_response *r, bool authenticated)
{
	static const struct soap_name known[] = {{SAML_NS_ECP, "Response"}, {0}};
	struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	const struct saml_peer peer = {party, &plain, &signer};
	struct saml_keys ours = {&keys->p256.pub, 1};
	struct soap_envelope e;
	struct saml_signed *sig;
	struct saml_carrier c;
	struct err err = {0};

	ASSERT_OK(saml_response_build(a, r, &peer, &c, &err), &err);
	assert_null(c.location);
	assert_null(c.value);
	assert_schema_valid(a, c.envelope);
	/* Who does not know the header must not take the Response anywhere. */
	assert_false(soap_read(a, c.envelope, NULL, &e, &err));
	assert_string_equal(err.proto, SOAP_MUST_UNDERSTAND);
	err = (struct err){0};
	ASSERT_OK(soap_read(a, c.envelope, known, &e, &err), &err);
	const struct xml_node *to = portal_child(e.header, SAML_NS_ECP, "Response"), *mark;

	assert_string_equal(xml_attr(to, "AssertionConsumerServiceURL"), PORTAL_ACS);
	assert_string_equal(xml_attr_ns(to, SOAP_NS, "actor"), SOAP_ACTOR_NEXT);
	assert_string_equal(xml_attr_ns(to, SOAP_NS, "mustUnderstand"), "1");
	ASSERT_OK(xml_child_opt(e.header, SAML_NS_ECP, "RequestAuthenticated", &mark, &err), &err);
	assert_true((mark != NULL) == authenticated);
	assert_true(xml_is(e.content, SAML_NS_PROTOCOL, "Response"));
	ASSERT_OK(xmlsig_verify(a, e.content, ours, &sig, &err), &err);
}

static void
test_a_client_without_a_browser_is_told_where_to_take_it(void **state)
{
	struct saml_assertion f = facts();
	struct saml_response good = response(&f), bad = response(NULL);

	(void)state;
	good.binding = bad.binding = SAML_BINDING_PAOS;
	check_for_client(&good, false);
	check_for_client(&bad, false);
	good.request_signed = bad.request_signed = true;
	check_for_client(&good, true);
	check_for_client(&bad, true);
}

static void
test_without_the_signer_there_is_no_response(void **state)
{
	struct saml_signer signer = test_signer(keys, "rsa-sha256");
	struct saml_policy policies[] = {{.sign = SAML_SIGN_BOTH},
					 {.sign = SAML_SIGN_ASSERTION},
					 {.sign = SAML_SIGN_RESPONSE}};
	struct saml_assertion f = facts();
	struct saml_response r = response(&f);
	struct saml_carrier c;
	struct err err = {0};

	(void)state;
	/* Nor is anything sent in the clear that cannot be encrypted. */
	struct saml_party odd = *party;

	odd.recipient.transport = 0;
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		const struct saml_peer peer = {&odd, &policies[i], &signer};

		ASSERT_REFUSED(saml_response_build(a, &r, &peer, &c, &err), &err, ERR_INTERNAL, "");
	}
	signer.ops = &portal_no_signer;
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		const struct saml_peer peer = {party, &policies[i], &signer};

		r.binding = i == 0 ? SAML_BINDING_PAOS : SAML_BINDING_POST;
		ASSERT_REFUSED(saml_response_build(a, &r, &peer, &c, &err), &err, ERR_UNAVAILABLE,
			       "does not answer");
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_response_says_what_it_was_told),
		cmocka_unit_test(test_what_is_not_told_is_not_written),
		cmocka_unit_test(test_the_policy_says_what_is_signed),
		cmocka_unit_test(test_a_refusal_is_signed_whatever_the_policy),
		cmocka_unit_test(test_status_and_assertion_belong_together),
		cmocka_unit_test(test_an_assertion_is_encrypted_when_the_party_has_a_key),
		cmocka_unit_test(test_each_kind_of_key_is_encrypted_to),
		cmocka_unit_test(test_without_a_key_the_policy_decides),
		cmocka_unit_test(test_no_value_can_become_markup),
		cmocka_unit_test(test_what_xml_cannot_hold_is_not_written),
		cmocka_unit_test(test_xmlsec1_verifies_both_signatures),
		cmocka_unit_test(test_a_value_of_parts_is_signed_with_its_type),
		cmocka_unit_test(test_a_client_without_a_browser_is_told_where_to_take_it),
		cmocka_unit_test(test_without_the_signer_there_is_no_response),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
