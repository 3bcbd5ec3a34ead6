/* saml/attribute_query.c: what a party asks about whom, never without a signature. */
#include "saml/attribute_query.h"

#include "saml/names.h"
#include "saml/status.h"
#include "tests/saml/xsd.h"
#include "tests/saml/with_party.h"

#define SUBJECT "<saml:Subject><saml:NameID>name1</saml:NameID></saml:Subject>"
#define GIVEN   "<saml:Attribute Name=\"urn:oid:2.5.4.42\"></saml:Attribute>"
#define FAMILY                                                                     \
	"<saml:Attribute Name=\"urn:oid:2.5.4.4\" NameFormat=\"" SAML_ATTRNAME_URI \
	"\"></saml:Attribute>"

static const char query[] =
	"<samlp:AttributeQuery xmlns:samlp=\"" SAML_NS_PROTOCOL "\" xmlns:saml=\"" SAML_NS_ASSERTION
	"\" Destination=\"" PORTAL_SSO "\" ID=\"_query1\" IssueInstant=\"2026-11-23T18:00:00Z\""
	" Version=\"2.0\"><saml:Issuer>" PORTAL_ENTITY
	"</saml:Issuer>" FIXTURE_PLACE SUBJECT GIVEN FAMILY "</samlp:AttributeQuery>";

static char *
changed(const char *from, const char *to)
{
	return replace(a, query, from, to);
}

static bool
parse_with(const char *xml, const struct xmlenc_keys *open, const struct saml_attribute_query **q,
	   struct err *err)
{
	const struct saml_verified *v;

	return portal_send(a, party, "SAMLRequest", xml, &v, err) &&
	       saml_attribute_query_parse(a, v, open, q, err);
}

static const struct saml_attribute_query *
parsed(const char *xml)
{
	const struct saml_attribute_query *q = NULL;
	struct err err = {0};

	ASSERT_OK(parse_with(xml, NULL, &q, &err), &err);
	return q;
}

static void
test_a_query_is_read(void **state)
{
	const struct saml_attribute_query *q = parsed(query);
	struct err err = {0};

	(void)state;
	assert_schema_valid(a, bytes_of(changed(FIXTURE_PLACE, "")));
	assert_string_equal(q->header.id, "_query1");
	assert_true(q->header.is_signed);
	assert_ptr_equal(q->party, party);
	assert_string_equal(q->subject.value, "name1");
	assert_null(q->subject.format);
	assert_int_equal(q->names.n, 2);
	assert_string_equal(q->names.p[0].name, "urn:oid:2.5.4.42");
	assert_string_equal(q->names.p[1].name, "urn:oid:2.5.4.4");
	assert_false(q->names.p[0].required);
	ASSERT_OK(saml_attribute_query_check_wish(q, &err), &err);
	assert_int_equal(parsed(changed(GIVEN FAMILY, ""))->names.n, 0);
}

static void
test_what_is_no_query_is_refused(void **state)
{
	const struct {
		const char *xml, *why;
	} bad[] = {
		{changed(SUBJECT, ""), "Subject"},
		{changed(SUBJECT, SUBJECT SUBJECT), "Subject"},
		{changed(SUBJECT, "<saml:Subject></saml:Subject>"), "NameID"},
		{changed("name1", ""), "NameID"},
		{changed(GIVEN, GIVEN GIVEN), "named twice"},
		/* The same in another format is the same to us. */
		{changed(GIVEN, FAMILY), "named twice"},
		{changed(" Name=\"urn:oid:2.5.4.42\"", ""), "Name"},
		{changed(" ID=\"_query1\"", ""), "ID"},
		{changed("Version=\"2.0\"", "Version=\"1.1\""), "Version"},
		{changed("<saml:NameID>name1</saml:NameID>",
			 "<saml:EncryptedID></saml:EncryptedID>"),
		 "no key to open it"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const struct saml_attribute_query *q;
		struct err err = {0};

		if (parse_with(bad[i].xml, NULL, &q, &err))
			fail_msg("taken: %s", bad[i].why);
		if (strstr(err.text, bad[i].why) == NULL)
			fail_msg("%s: %s", bad[i].why, err.text);
	}
}

static void
test_names_are_counted(void **state)
{
	const struct saml_attribute_query *q;
	struct err err = {0};
	char *many = arena_strdup(a, "");

	(void)state;
	for (int i = 0; i < SAML_QUERY_NAMES_MAX; i++)
		many = arena_printf(a, "%s<saml:Attribute Name=\"n%d\"></saml:Attribute>", many, i);
	assert_int_equal(parsed(changed(GIVEN FAMILY, many))->names.n, SAML_QUERY_NAMES_MAX);
	ASSERT_REFUSED(parse_with(changed(FAMILY, many), NULL, &q, &err), &err, ERR_INPUT,
		       "more than 64");
}

static void
test_what_we_do_not_judge_is_said(void **state)
{
	struct err err = {0};

	(void)state;
	assert_false(saml_attribute_query_check_wish(
		parsed(changed("</saml:NameID>", "</saml:NameID><saml:SubjectConfirmation Method=\""
						 "urn:x\"></saml:SubjectConfirmation>")),
		&err));
	assert_string_equal(err.proto, SAML_REQUEST_UNSUPPORTED);
	err = (struct err){0};
	assert_false(saml_attribute_query_check_wish(
		parsed(changed("\"></saml:Attribute></samlp",
			       "\"><saml:AttributeValue>x</saml:AttributeValue></saml:Attribute>"
			       "</samlp")),
		&err));
	assert_string_equal(err.proto, SAML_INVALID_ATTRIBUTE);
	/* Of any of them. */
	const char *given = replace(a, GIVEN, "></saml:Attribute>",
				    "><saml:AttributeValue>x</saml:AttributeValue>"
				    "</saml:Attribute>");

	err = (struct err){0};
	assert_false(saml_attribute_query_check_wish(parsed(changed(GIVEN, given)), &err));
	assert_string_equal(err.proto, SAML_INVALID_ATTRIBUTE);
}

static void
test_an_encrypted_name_is_opened(void **state)
{
	const struct xmlenc_recipient us = {.key = keys->dec_rsa.pub,
					    .content = XMLENC_A128GCM,
					    .transport = XMLENC_OAEP_SHA256};
	const char *kids[] = {keys->dec_rsa.kid};
	const struct xmlenc_keys open = {&keys->ops, kids, 1};
	const struct saml_attribute_query *q;
	struct err err = {0};
	struct bytes id;

	(void)state;
	ASSERT_OK(xmlenc_encrypt(a,
				 bytes_of("<saml:NameID xmlns:saml=\"" SAML_NS_ASSERTION
					  "\">name2</saml:NameID>"),
				 "EncryptedID", &us, &id, &err),
		  &err);
	ASSERT_OK(parse_with(changed("<saml:NameID>name1</saml:NameID>",
				     arena_printf(a, "%.*s", (int)id.n, (const char *)id.p)),
			     &open, &q, &err),
		  &err);
	assert_string_equal(q->subject.value, "name2");
}

static void
test_a_query_is_signed(void **state)
{
	struct saml_party open = *party;
	const struct saml_policy lenient = {.accept_unsigned = true};
	const struct saml_message *m;
	const struct saml_verified *v;
	struct err err = {0};

	(void)state;
	open.authn_requests_signed = false;
	ASSERT_OK(saml_message_decode(
			  a, SAML_BINDING_REDIRECT,
			  bytes_of(portal_query_unsigned(a, "SAMLRequest", query, NULL)), &m, &err),
		  &err);
	assert_int_equal(saml_message_kind(m), SAML_ATTRIBUTE_QUERY);
	ASSERT_REFUSED(saml_message_admit(a, m, &open, &lenient, &v, &err), &err, ERR_DENIED,
		       "not signed");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_query_is_read),
		cmocka_unit_test(test_what_is_no_query_is_refused),
		cmocka_unit_test(test_names_are_counted),
		cmocka_unit_test(test_what_we_do_not_judge_is_said),
		cmocka_unit_test(test_an_encrypted_name_is_opened),
		cmocka_unit_test(test_a_query_is_signed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
