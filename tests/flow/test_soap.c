/* A portal's LogoutRequest by SOAP: whose sessions it ends. */
#include "saml/soap.h"
#include "tests/flow/leave.h"

static void
a_portal_ends_its_session_by_soap(void **state)
{
	struct world *w = *state;
	struct web b, program;

	web_init(&b, w);
	web_init(&program, w);
	struct login at = karl_at_the_portal(&b);

	assert_true(is_logged_in(&b));
	send_soap(&program, saml_logout_envelope(w, logout_id(w), at.name, "_another"));
	assert_string_equal(soap_status(&program), "Success");
	assert_true(is_logged_in(&b));
	send_soap(&program, saml_logout_envelope(w, logout_id(w), at.name, at.index));
	assert_string_equal(soap_status(&program), "Success");
	assert_null(strstr(program.body, "__Host-"));
	assert_false(is_logged_in(&b));
}

static void
a_soap_request_that_is_not_the_issuers_ends_nothing(void **state)
{
	struct world *w = *state;
	struct web b, program;

	web_init(&b, w);
	web_init(&program, w);
	struct login at = karl_at_the_portal(&b);
	const char *envelope = saml_logout_envelope(w, logout_id(w), at.name, at.index);

	/* Changed under its signature; its signature cut out; another's name over it. */
	const char *changed = arena_printf(w->a, "%s", envelope);
	char *value = strstr(changed, at.index);

	value[strlen(at.index) - 1] ^= 1;
	send_soap(&program, changed);
	assert_int_equal(program.status, 403);
	const char *sig = strstr(envelope, "<ds:Signature"), *end = strstr(envelope, "</ds:Sign"
										     "ature>");

	assert_non_null(sig);
	send_soap(&program, arena_printf(w->a, "%.*s%s", (int)(sig - envelope), envelope,
					 end + strlen("</ds:Signature>")));
	assert_int_equal(program.status, 403);
	assert_non_null(strstr(program.body, "<faultcode>S:Client</faultcode>"));
	w->saml_party = "https://nobody.example/";
	send_soap(&program, saml_logout_envelope(w, logout_id(w), at.name, at.index));
	assert_int_equal(program.status, 500);
	/* A party of its own name may end its own sessions only. */
	w->saml_party = "https://other.example/metadata";
	world_saml_party(w, "{}");
	send_soap(&program, saml_logout_envelope(w, logout_id(w), at.name, at.index));
	w->saml_party = NULL;
	assert_string_equal(soap_status(&program), "Success");
	assert_true(is_logged_in(&b));
	send_soap(&program, envelope);
	assert_false(is_logged_in(&b));
}

static void
what_is_no_soap_request_gets_a_fault(void **state)
{
	struct world *w = *state;
	struct web b;
	struct soap_envelope e;
	struct err err = {0};

	web_init(&b, w);
	static const char *const bad[] = {"", "<x/>", "SAMLRequest=x",
					  "<S:Envelope xmlns:S=\"" SOAP_NS
					  "\"><S:Body><x/></S:Body></S:Envelope>"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		send_soap(&b, bad[i]);
		assert_int_equal(b.status, 500);
		ASSERT_OK(soap_read(w->a, bytes_of(b.body), NULL, &e, &err), &err);
		assert_string_equal(e.fault->code, SOAP_CLIENT);
		assert_non_null(strstr(e.fault->text, "Reference: "));
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)
	const struct CMUnitTest tests[] = {
		T(a_portal_ends_its_session_by_soap),
		T(a_soap_request_that_is_not_the_issuers_ends_nothing),
		T(what_is_no_soap_request_gets_a_fault),
	};

	return cmocka_run_group_tests(tests, steps_setup, world_teardown);
}
