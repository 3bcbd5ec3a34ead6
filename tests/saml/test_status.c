/* saml/status.c: one table of status codes, both ways of asking it. */
#include "saml/status.h"

#include "base/conf.h"
#include "saml/names.h"
#include "tests/saml/xsd.h"
#include "tests/test.h"

static void
test_a_second_level_code_brings_its_top_level(void **state)
{
	static const struct {
		const char *name, *code, *subcode;
	} rows[] = {
		{SAML_SUCCESS, SAML_SUCCESS, NULL},
		{SAML_REQUESTER, SAML_REQUESTER, NULL},
		{SAML_RESPONDER, SAML_RESPONDER, NULL},
		{SAML_VERSION_MISMATCH, SAML_VERSION_MISMATCH, NULL},
		{SAML_AUTHN_FAILED, SAML_RESPONDER, SAML_AUTHN_FAILED},
		{SAML_INVALID_ATTRIBUTE, SAML_REQUESTER, SAML_INVALID_ATTRIBUTE},
		{SAML_INVALID_NAMEID_POLICY, SAML_REQUESTER, SAML_INVALID_NAMEID_POLICY},
		{SAML_NO_AUTHN_CONTEXT, SAML_REQUESTER, SAML_NO_AUTHN_CONTEXT},
		{SAML_NO_PASSIVE, SAML_RESPONDER, SAML_NO_PASSIVE},
		{SAML_PARTIAL_LOGOUT, SAML_SUCCESS, SAML_PARTIAL_LOGOUT},
		{SAML_REQUEST_DENIED, SAML_REQUESTER, SAML_REQUEST_DENIED},
		{SAML_REQUEST_UNSUPPORTED, SAML_REQUESTER, SAML_REQUEST_UNSUPPORTED},
		{SAML_UNKNOWN_PRINCIPAL, SAML_REQUESTER, SAML_UNKNOWN_PRINCIPAL},
		{SAML_UNSUPPORTED_BINDING, SAML_REQUESTER, SAML_UNSUPPORTED_BINDING},
		{"urn:unknown", SAML_RESPONDER, NULL},
		{NULL, SAML_RESPONDER, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct saml_status s = saml_status_of(rows[i].name);

		assert_string_equal(s.code, rows[i].code);
		if (rows[i].subcode == NULL)
			assert_null(s.subcode);
		else
			assert_string_equal(s.subcode, rows[i].subcode);
	}
}

static void
test_a_failure_is_answered_without_its_text(void **state)
{
	static const struct {
		enum err_kind kind;
		const char *proto, *code;
	} rows[] = {
		{ERR_INPUT, NULL, SAML_REQUESTER},
		{ERR_DENIED, NULL, SAML_REQUESTER},
		{ERR_NOT_FOUND, NULL, SAML_REQUESTER},
		{ERR_CONFLICT, NULL, SAML_REQUESTER},
		{ERR_UNAVAILABLE, NULL, SAML_RESPONDER},
		{ERR_INTERNAL, NULL, SAML_RESPONDER},
		{ERR_NONE, NULL, SAML_RESPONDER},
		{ERR_INPUT, SAML_VERSION_MISMATCH, SAML_VERSION_MISMATCH},
		{ERR_DENIED, SAML_NO_PASSIVE, SAML_RESPONDER},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = {.kind = rows[i].kind, .proto = rows[i].proto, .text = "secret"};
		struct saml_status s = saml_status_of(saml_status_reason(&err));

		assert_string_equal(s.code, rows[i].code);
		assert_null(strstr(s.message, "secret"));
		assert_null(s.detail);
	}
}

static void
test_reasons_are_told_apart_by_number(void **state)
{
	static const struct {
		const char *name, *code, *subcode, *message;
	} rows[] = {
		{SAML_WHY_LOGIN_CANCELLED, SAML_RESPONDER, SAML_AUTHN_FAILED,
		 "KONTOR-23 login-cancelled"},
		{SAML_WHY_CONSENT_REFUSED, SAML_RESPONDER, SAML_REQUEST_DENIED,
		 "KONTOR-24 consent-refused"},
		{SAML_WHY_ATTRIBUTE_MISSING, SAML_REQUESTER, SAML_REQUEST_DENIED,
		 "KONTOR-25 required-attribute-missing"},
		{SAML_NO_AUTHN_CONTEXT, SAML_REQUESTER, SAML_NO_AUTHN_CONTEXT,
		 "KONTOR-20 level-not-reached"},
		{SAML_WHY_PASSIVE_CONSENT, SAML_RESPONDER, SAML_NO_PASSIVE,
		 "KONTOR-22 passive-consent"},
		{SAML_AKDB_UNSIGNED, SAML_REQUESTER, SAML_REQUEST_DENIED,
		 "KONTOR-32 saml-request-not-signed"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct saml_status s = saml_status_of(rows[i].name);

		assert_string_equal(s.code, rows[i].code);
		assert_string_equal(s.subcode, rows[i].subcode);
		assert_string_equal(s.message, rows[i].message);
	}
	assert_null(saml_status_of(SAML_SUCCESS).message);
	for (size_t i = 0; saml_status_listed(i) != NULL; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(strncmp(saml_status_listed(i), saml_status_listed(k),
						     strlen("KONTOR-00")),
					     0);
}

/* Word for word as BundID's portals know them; what BundID has no code for stays as it is. */
static void
test_a_detail_has_the_codes_of_bundid(void **state)
{
	struct arena *a = arena_create(1 << 20);
	struct saml_status s =
		saml_status_detailed(a, SAML_WHY_ATTRIBUTE_MISSING, "urn:oid:2.5.4.42");

	(void)state;
	assert_string_equal(s.subcode, SAML_REQUEST_DENIED);
	assert_string_equal(s.message, "security-msg");
	assert_string_equal(s.detail, "{\"version\":\"1.0\",\"errors\":[{\"code\":"
				      "\"IDP_REQUIRED_ATTRIBUTES_MISSING\",\"message\":"
				      "\"urn:oid:2.5.4.42\"}]}");
	s = saml_status_detailed(a, SAML_AKDB_V1, NULL);
	assert_non_null(strstr(s.detail, "\"code\":\"akdb-extension-v1-deprecated\""));
	s = saml_status_detailed(a, SAML_WHY_CONSENT_REFUSED, NULL);
	assert_null(s.detail);
	assert_string_equal(s.message, "KONTOR-24 consent-refused");
	arena_destroy(a);
}

/* Portals' programs are written by the manual's list. */
static void
test_the_manual_lists_each_number(void **state)
{
	struct arena *a = arena_create(1 << 20);
	struct err err = {0};
	struct bytes manual;

	(void)state;
	ASSERT_OK(conf_read_file(a, MANUAL, 1 << 18, &manual, &err), &err);
	const char *text = arena_strndup(a, (const char *)manual.p, manual.n);

	for (size_t i = 0; saml_status_listed(i) != NULL; i++)
		if (strstr(text, arena_printf(a, "\n| %s |", saml_status_listed(i))) == NULL)
			fail_msg("docs/integrate.md has no row %s", saml_status_listed(i));
	arena_destroy(a);
}

static char *
written(struct arena *a, const struct saml_status *status)
{
	struct err err = {0};
	struct bytes out;
	struct xmlw w;

	xmlw_init(&w, a, 65536);
	saml_status_write(&w, status);
	ASSERT_OK(xmlw_finish(&w, &out, &err), &err);
	assert_schema_valid(a, out);
	return arena_strndup(a, (const char *)out.p, out.n);
}

static void
test_a_status_is_written_as_far_as_it_goes(void **state)
{
	struct arena *a = arena_create(1 << 20);
	struct saml_status s = saml_status_of(SAML_SUCCESS);

	(void)state;
	assert_string_equal(written(a, &s),
			    "<samlp:Status xmlns:samlp=\"" SAML_NS_PROTOCOL "\"><samlp:StatusCode"
			    " Value=\"" SAML_SUCCESS "\"></samlp:StatusCode></samlp:Status>");
	s = saml_status_of(SAML_REQUEST_DENIED);
	s.message = "security-msg";
	s.detail = "{\"a\":\"<&>\"}";
	assert_string_equal(
		written(a, &s),
		"<samlp:Status xmlns:samlp=\"" SAML_NS_PROTOCOL "\"><samlp:StatusCode"
		" Value=\"" SAML_REQUESTER "\"><samlp:StatusCode Value=\"" SAML_REQUEST_DENIED
		"\"></samlp:StatusCode></samlp:StatusCode><samlp:StatusMessage>security-msg"
		"</samlp:StatusMessage><samlp:StatusDetail><akdb:StatusDetail"
		" xmlns:akdb=\"" SAML_NS_AKDB "\">{\"a\":\"&lt;&amp;&gt;\"}</akdb:StatusDetail>"
		"</samlp:StatusDetail></samlp:Status>");
	arena_destroy(a);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_second_level_code_brings_its_top_level),
		cmocka_unit_test(test_a_failure_is_answered_without_its_text),
		cmocka_unit_test(test_the_manual_lists_each_number),
		cmocka_unit_test(test_reasons_are_told_apart_by_number),
		cmocka_unit_test(test_a_detail_has_the_codes_of_bundid),
		cmocka_unit_test(test_a_status_is_written_as_far_as_it_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
