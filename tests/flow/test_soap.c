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

/* Proven, but too late: no fault, and nothing ends. */
static void
a_late_request_by_soap_gets_a_status(void **state)
{
	struct world *w = *state;
	struct web b, program;

	web_init(&b, w);
	web_init(&program, w);
	struct login at = karl_at_the_portal(&b);
	const char *envelope = saml_logout_envelope(w, logout_id(w), at.name, at.index);

	w->now += 600;
	send_soap(&program, envelope);
	assert_string_equal(soap_status(&program), "another");
	assert_non_null(strstr(program.body, "status:RequestDenied"));
	assert_true(is_logged_in(&b));
}

/* More sessions of karl's at the portal, as by clients without a browser. */
static void
add_sessions(struct world *w, const struct login *at, int n)
{
	static const char *const tables[][3] = {
		{"session", "id_hash, acting, sso_group, created, last_used, expires",
		 "sha256(('more' || i)::bytea), acting, sso_group, s.created, last_used, expires"},
		{"session_proof", "at, level, method", "s.at, level, method"},
		{"session_participant", "party, dialect, name_id, session_index, at, name_format",
		 "party, dialect, name_id, '_more' || i, s.at, name_format"},
	};

	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		pg_sql(w->pg,
		       arena_printf(w->a,
				    "INSERT INTO %s (sid, %s) SELECT 'more-' || i, %s FROM %s s,"
				    " generate_series(1, %d) i WHERE s.sid = (SELECT sid FROM"
				    " session_participant WHERE session_index = '%s')",
				    tables[i][0], tables[i][1], tables[i][2], tables[i][0], n,
				    at->index));
}

static const char *
n_sessions_of(struct world *w, const char *name)
{
	return world_value(w, arena_printf(w->a,
					   "SELECT count(*) FROM session_participant WHERE "
					   "name_id = '%s'",
					   name));
}

static void
what_one_request_cannot_end_is_not_called_ended(void **state)
{
	struct world *w = *state;
	struct web b, program;

	web_init(&b, w);
	web_init(&program, w);
	struct login at = karl_at_the_portal(&b);
	const char *envelope = saml_logout_envelope(w, logout_id(w), at.name, NULL);

	add_sessions(w, &at, 64);
	send_soap(&program, envelope);
	assert_string_equal(soap_status(&program), "Success PartialLogout");
	assert_string_equal(n_sessions_of(w, at.name), "1");
	/* The same again goes on where the first one stopped. */
	send_soap(&program, envelope);
	assert_string_equal(soap_status(&program), "Success");
	assert_string_equal(n_sessions_of(w, at.name), "0");
	assert_false(is_logged_in(&b));
	at = karl_at_the_portal(&b);
	add_sessions(w, &at, 63);
	send_soap(&program, saml_logout_envelope(w, logout_id(w), at.name, NULL));
	assert_string_equal(soap_status(&program), "Success");
	assert_string_equal(n_sessions_of(w, at.name), "0");
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
		T(a_late_request_by_soap_gets_a_status),
		T(what_one_request_cannot_end_is_not_called_ended),
		T(what_is_no_soap_request_gets_a_fault),
	};

	return cmocka_run_group_tests(tests, steps_setup, world_teardown);
}
