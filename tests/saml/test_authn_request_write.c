/* saml/authn_request_write.c: what we ask is what our own strict reader understands. */
#include "base/text.h"
#include "saml/authn_request.h"
#include "saml/authn_request_write.h"
#include "saml/names.h"
#include "saml/schema.h"
#include "tests/saml/portal.h"
#include "tests/saml/with_keys.h"

#define SSO "https://konto.baden.example/sso"

static struct saml_signer signer;

static struct saml_authn_ask
asking(void)
{
	signer = test_signer(keys, "ecdsa-sha256");
	return (struct saml_authn_ask){
		.binding = SAML_BINDING_REDIRECT,
		.url = SSO,
		.relay_state = "20780.opaque",
		.id = "_ask1",
		.issuer = "https://konto.example/saml/metadata",
		.acs_url = "https://konto.example/saml/acs",
		.issued_at = portal_now(),
		.class_ref = "STORK-QAA-Level-3",
		.signer = &signer,
	};
}

/* As the provider reads it, whose policy is to take none that is not signed. */
static const struct saml_authn_request *
understood(const struct saml_authn_ask *ask)
{
	const struct saml_authn_request *r;
	const struct saml_verified *v;
	const struct saml_message *m;
	struct saml_party us = {.entity_id = ask->issuer};
	EVP_PKEY *key = test_signer_pub(keys, "ecdsa-sha256");
	struct saml_carrier c;
	struct bytes raw;

	us.signing = (struct saml_keys){&key, 1};
	ASSERT_OK(saml_authn_ask_build(a, ask, &c, &err), &err);
	if (ask->binding == SAML_BINDING_REDIRECT)
		raw = bytes_of(strchr(c.location, '?') + 1);
	else
		raw = bytes_of(
			arena_printf(a, "SAMLRequest=%s", portal_percent(a, bytes_of(c.value))));
	ASSERT_OK(saml_message_decode(a, ask->binding, raw, &m, &err), &err);
	ASSERT_OK(saml_message_verify(a, m, &us, &v, &err), &err);
	ASSERT_OK(saml_authn_request_parse(a, v, &r, &err), &err);
	ASSERT_OK(saml_header_check(&r->header, SSO, &saml_window_default, portal_now(), &err),
		  &err);
	return r;
}

static void
a_request_asks_for_a_login_of_its_own(void **state UNUSED)
{
	struct saml_authn_ask ask = asking();

	for (int post = 0; post < 2; post++) {
		ask.binding = post ? SAML_BINDING_POST : SAML_BINDING_REDIRECT;
		const struct saml_authn_request *r = understood(&ask);

		assert_true(r->force_authn);
		assert_false(r->is_passive);
		assert_string_equal(r->acs_url, ask.acs_url);
		assert_string_equal(r->protocol_binding, SAML_BINDING_URI_POST);
		assert_int_equal(r->comparison, SAML_MINIMUM);
		assert_int_equal(r->n_class_refs, 1);
		assert_string_equal(r->class_refs[0], "STORK-QAA-Level-3");
		assert_false(r->has_nameid_policy);
		assert_null(r->akdb);
		assert_null(r->eidas.sp_type);
	}
}

static void
bundid_is_asked_in_its_second_version(void **state UNUSED)
{
	static const struct saml_named names[] = {{"urn:oid:2.5.4.4", true},
						  {"urn:oid:2.5.4.42", false}};
	const struct saml_akdb_ask akdb = {
		.attributes = {names, ARRAY_LEN(names)},
		.methods = SAML_AKDB_EID | SAML_AKDB_ELSTER,
		.organization_display_name = "Wohnsitz & Meldung",
		.online_service_id = "BMI-ID-0001",
		.lang = "de",
	};
	struct saml_authn_ask ask = asking();

	ask.binding = SAML_BINDING_POST;
	ask.akdb = &akdb;
	const struct saml_akdb_request *r = understood(&ask)->akdb;

	assert_non_null(r);
	assert_int_equal(r->version, 2);
	assert_true(r->enable_status_detail);
	assert_true(r->names_methods);
	assert_int_equal(r->methods, SAML_AKDB_EID | SAML_AKDB_ELSTER);
	assert_int_equal(r->attributes.n, 2);
	assert_string_equal(r->attributes.p[0].name, "urn:oid:2.5.4.4");
	assert_true(r->attributes.p[0].required);
	assert_false(r->attributes.p[1].required);
	assert_string_equal(r->organization_display_name, "Wohnsitz & Meldung");
	assert_string_equal(r->online_service_id, "BMI-ID-0001");
	assert_string_equal(r->lang, "de");
	/* The four things that BundID demands. */
	ASSERT_OK(saml_akdb_check(r, true, SAML_AKDB_RULE_REQUIRED, &err), &err);
}

static void
a_node_of_eidas_is_told_what_it_needs(void **state UNUSED)
{
	static const struct saml_named names[] = {
		{"http://eidas.europa.eu/attributes/naturalperson/PersonIdentifier", true}};
	const struct saml_eidas_ask eidas = {"public", {names, ARRAY_LEN(names)}};
	struct saml_authn_ask ask = asking();

	ask.eidas = &eidas;
	ask.class_ref = "http://eidas.europa.eu/LoA/substantial";
	ask.provider_name = "Amt24";
	ask.nameid_format = SAML_NAMEID_PERSISTENT;
	const struct saml_authn_request *r = understood(&ask);

	assert_string_equal(r->eidas.sp_type, "public");
	assert_int_equal(r->eidas.attributes.n, 1);
	assert_true(r->eidas.attributes.p[0].required);
	assert_string_equal(r->nameid_format, SAML_NAMEID_PERSISTENT);
	assert_true(r->allow_create);
}

static void
who_asks_at_last_is_said_and_goes_no_further(void **state UNUSED)
{
	static const char *const requesters[] = {"https://amt24.example/metadata"};
	struct saml_authn_ask ask = asking();
	struct saml_carrier c;

	ask.binding = SAML_BINDING_POST;
	ask.scoping = true;
	ask.requesters = requesters;
	ask.n_requesters = 1;
	(void)understood(&ask);
	ASSERT_OK(saml_authn_ask_build(a, &ask, &c, &err), &err);
	const char *xml = text_of(a, portal_unpack(a, &c));

	assert_non_null(strstr(xml, "<samlp:Scoping ProxyCount=\"0\"><samlp:RequesterID>"
				    "https://amt24.example/metadata</samlp:RequesterID>"));
	ask.scoping = false;
	ASSERT_OK(saml_authn_ask_build(a, &ask, &c, &err), &err);
	assert_null(strstr(text_of(a, portal_unpack(a, &c)), "Scoping"));
}

static void
what_xml_cannot_hold_is_not_sent(void **state UNUSED)
{
	struct saml_authn_ask ask = asking();
	struct saml_carrier c;

	ask.provider_name = "\x01";
	ASSERT_REFUSED(saml_authn_ask_build(a, &ask, &c, &err), &err, ERR_INTERNAL, "");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_request_asks_for_a_login_of_its_own),
		CASE(bundid_is_asked_in_its_second_version),
		CASE(a_node_of_eidas_is_told_what_it_needs),
		CASE(who_asks_at_last_is_said_and_goes_no_further),
		CASE(what_xml_cannot_hold_is_not_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
