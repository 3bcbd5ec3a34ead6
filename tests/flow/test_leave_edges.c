/* Logouts that are out of the ordinary: what is shown once, what cannot be answered. */
#include "base/rand.h"
#include "saml/logout.h"
#include "saml/names.h"
#include "saml/soap.h"
#include "tests/flow/leave.h"

static size_t
count_of(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, part)) != NULL; p += strlen(part))
		n++;
	return n;
}

/* A portal that was told twice in one session is one portal. */
static void
a_portal_is_listed_once(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	karl_at_the_portal(&b);
	web_get(&b, "/logout");
	size_t once = count_of(b.body, "Amt24");

	assert_true(once > 0);
	karl_at_the_portal(&b);
	assert_string_equal(world_value(w, "SELECT max(n) FROM (SELECT count(*) AS n FROM"
					   " session_participant GROUP BY sid) p"),
			    "2");
	web_get(&b, "/logout");
	assert_int_equal(count_of(b.body, "Amt24"), once);
}

/* Signed, and of the right portal; but whose end it tells of cannot be known. */
static void
a_signed_answer_to_nothing_is_none(void **state)
{
	struct world *w = *state;
	struct saml_signer signer = {
		&w->keys->ops, w->keys->p256.kid, saml_suite_by_alg(SIG_ES256), {0}};
	struct saml_logout_send send = {
		.binding = SAML_BINDING_REDIRECT,
		.url = BASE "/saml/slo",
		.id = rand_xml_id(w->a),
		.issuer = SAML_PARTY,
		.issued_at = w->now,
		.signer = &signer,
	};
	struct saml_status status = saml_status_of(SAML_SUCCESS);
	struct saml_carrier c;
	struct err err = {0};
	struct web b;

	web_init(&b, w);
	ASSERT_OK(saml_logout_response_build(w->a, &send, NULL, &status, &c, &err), &err);
	assert_null(strstr(c.location, "InResponseTo"));
	web_get(&b, arena_printf(w->a, "/saml/slo%s", strchr(c.location, '?')));
	assert_int_equal(b.status, 400);
	assert_null(b.location);
}

/* The session is over all the same; a fault says that there is no answer. */
static void
where_no_key_signs_the_answer_there_is_a_fault(void **state)
{
	struct world *w = *state;
	struct web b, program;
	struct soap_envelope e;
	struct err err = {0};

	web_init(&b, w);
	web_init(&program, w);
	struct login at = karl_at_the_portal(&b);

	world_saml_party(w, "{\"suite\":\"rs256\",\"old-until\":\"2020-01-01\"}");
	send_soap(&program, saml_logout_envelope(w, logout_id(w), at.name, at.index));
	assert_int_not_equal(program.status, 200);
	ASSERT_OK(soap_read(w->a, bytes_of(program.body), NULL, &e, &err), &err);
	assert_non_null(e.fault);
	assert_false(is_logged_in(&b));
	world_saml_party(w, POLICY);
}

#define T(f) cmocka_unit_test_setup(f, steps_fresh)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_portal_is_listed_once),
		T(a_signed_answer_to_nothing_is_none),
		T(where_no_key_signs_the_answer_there_is_a_fault),
	};

	return cmocka_run_group_tests_name("flow leave edges", tests, steps_setup, world_teardown);
}
