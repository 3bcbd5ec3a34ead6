/* What ends while an answer is signed: nobody is told on it. */
#include "base/text.h"
#include "saml/names.h"
#include "saml/soap.h"
#include "tests/flow/signing.h"
#include "tests/flow/steps.h"

#define ART     "https://amt24.example/artifact"
#define WANTS   "\"attribute\":[\"family_name:required\",\"email\"]"
#define AGREE   "do=agree&attr_email=on"
#define SAID_NO "KONTOR-24 consent-refused"
#define TAKE_BACK                                                                     \
	"INSERT INTO consent (acting, party, given, at) SELECT acting, party, false," \
	" at FROM consent WHERE party = '" SAML_PARTY "' ORDER BY id DESC LIMIT 1"
#define GIVE_LESS                                                                                 \
	"INSERT INTO consent (acting, party, given, fingerprint, attributes, purpose, at) SELECT" \
	" acting, party, true, fingerprint, '[]', purpose, at FROM consent WHERE party = "        \
	"'" SAML_PARTY "' ORDER BY id DESC LIMIT 1"

/* What is written for somebody who is told of. */
static const char *
traces(struct world *w)
{
	return world_value(w, "SELECT (SELECT count(*) FROM session) || ' ' || (SELECT count(*) "
			      "FROM session_participant) || ' ' || (SELECT count(*) FROM artifact "
			      "WHERE acting IS NOT NULL) || ' ' || (SELECT count(*) FROM audit "
			      "WHERE event = 'assertion')");
}

/* Karl is logged in and has agreed. */
static void
begin(struct web *b, struct world *w)
{
	w->acs = NULL;
	ecp_portal(w, "{\"ecp\":\"yes\"," WANTS "}");
	web_init(b, w);
	ask(b, "", "");
	log_in(b, "karl");
	if (page_of(b) == CONSENT)
		web_submit(b, "/flow/consent/", AGREE);
	ASSERT_PAGE(b, ANSWER);
	assert_true(succeeded(b));
}

static void
assert_said_no(struct web *b)
{
	const char *response = saml_response_of(b);

	assert_non_null(response);
	assert_null(strstr(response, "<saml:Assertion"));
	assert_string_equal(between(b->w->a, response, "<samlp:StatusMessage>", "</samlp:"),
			    SAID_NO);
}

static void
who_takes_the_consent_back_meanwhile_has_said_no(void **state)
{
	static const char *const ends[] = {TAKE_BACK, GIVE_LESS};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		begin(&b, w);
		const char *before = traces(w),
			   *url = saml_request_url(w, i == 0 ? "_back0" : "_back1", "", "");

		while_signing(w->pg, ends[i]);
		web_get(&b, url);
		assert_true(was_signed());
		assert_said_no(&b);
		assert_string_equal(traces(w), before);
		/* That was its answer. */
		web_get(&b, url);
		assert_int_equal(b.status, 410);
		ask(&b, "", "");
		assert_int_equal(page_of(&b), i == 0 ? CONSENT : ANSWER);
	}
}

/* From the page that asks for it: nothing of it is left that could be sent again. */
static void
who_takes_back_what_was_just_given_has_said_no(void **state)
{
	struct world *w = *state;
	struct web b;

	begin(&b, w);
	pg_sql(w->pg, TAKE_BACK);
	ask(&b, "", "");
	ASSERT_PAGE(&b, CONSENT);
	const char *before = traces(w);

	while_signing(w->pg, TAKE_BACK);
	web_submit(&b, "/flow/consent/", AGREE);
	assert_true(was_signed());
	assert_said_no(&b);
	assert_string_equal(traces(w), before);
	web_submit_again(&b);
	assert_int_equal(b.status, 410);
}

static void
no_message_waits_under_an_artifact(void **state)
{
	struct world *w = *state;
	struct web b, portal;

	begin(&b, w);
	w->saml_acs = "<md:AssertionConsumerService index=\"1\" Binding="
		      "\"" SAML_BINDING_URI_ARTIFACT "\" Location=\"" ART "\"/>";
	world_saml_party(w, "{" WANTS "}");
	w->saml_acs = NULL;
	w->acs = ART;
	const char *before = traces(w);

	while_signing(w->pg, TAKE_BACK);
	ask(&b, "", "");
	assert_true(was_signed());
	const char *artifact = location_param(&b, "SAMLart");

	assert_non_null(artifact);
	assert_string_equal(traces(w), before);
	web_init(&portal, w);
	web_program(&portal, "/saml/artifact", SOAP_CONTENT_TYPE,
		    saml_artifact_envelope(w, "_had", artifact));
	const char *response = saml_resolved(&portal);

	assert_non_null(strstr(response, SAID_NO));
	assert_null(strstr(response, "<saml:Assertion"));
}

/* And no session is kept for a portal that was told nothing. */
static void
a_client_without_a_browser_is_told_no(void **state)
{
	struct world *w = *state;
	struct web b, client;

	begin(&b, w);
	const char *before = traces(w);

	web_init(&client, w);
	client.authorization = ecp_basic(w, "karl", PASSWORD);
	while_signing(w->pg, TAKE_BACK);
	web_program(&client, ECP_ENDPOINT, SOAP_CONTENT_TYPE,
		    ecp_envelope(w, &(struct ecp_asking){.id = ecp_id(w)}));
	assert_true(was_signed());
	assert_int_equal(client.status, 200);
	assert_true(web_shows(&client, SAID_NO));
	assert_false(web_shows(&client, "Assertion>"));
	assert_string_equal(traces(w), before);
}

static void
a_session_that_ends_meanwhile_gives_no_answer(void **state)
{
	struct world *w = *state;
	struct web b;

	begin(&b, w);
	while_signing(w->pg, "DELETE FROM session");
	ask(&b, "", "");
	assert_true(was_signed());
	assert_true(b.status >= 400);
	assert_null(saml_response_of(&b));
}

#define T(f) cmocka_unit_test_setup(f, steps_fresh)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(who_takes_the_consent_back_meanwhile_has_said_no),
		T(who_takes_back_what_was_just_given_has_said_no),
		T(no_message_waits_under_an_artifact),
		T(a_client_without_a_browser_is_told_no),
		T(a_session_that_ends_meanwhile_gives_no_answer),
	};

	return cmocka_run_group_tests_name("flow meanwhile", tests, steps_setup, world_teardown);
}
