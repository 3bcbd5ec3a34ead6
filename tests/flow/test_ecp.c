/* Sign-on by a client without a browser: who gets an answer, and what those get who do not. */
#include "base/clock.h"
#include "saml/names.h"
#include "saml/soap.h"
#include "saml/xmlsig.h"
#include "tests/flow/steps.h"
#include "tests/saml/xsd.h"

#define ABLE  "\"ecp\":\"yes\""
#define WANTS "\"attribute\":[\"family_name:required\",\"email\"]"

/* Send it as this person (NULL: as nobody). */
static void
send_as(struct web *b, const char *name, const char *body)
{
	b->authorization = name == NULL ? NULL : ecp_basic(b->w, name, PASSWORD);
	web_program(b, ECP_ENDPOINT, SOAP_CONTENT_TYPE, body);
	assert_int_equal(b->n_cookies, 0);
}

/* The signed Response of the answer, whose envelope says where to take it. */
static const char *
response_of(struct web *b)
{
	static const struct soap_name known[] = {{SAML_NS_ECP, "Response"}, {0}};
	struct world *w = b->w;
	const struct key *k = keyring_active(w->signer->keys, KEY_SAML_SIGN, KEY_P256);
	struct saml_keys ours = {.key = &k->pub, .n = 1};
	struct soap_envelope e;
	struct saml_signed *sig;
	const struct xml_node *to;
	struct err err = {0};

	assert_int_equal(b->status, 200);
	assert_schema_valid(w->a, bytes_of(b->body));
	ASSERT_OK(soap_read(w->a, bytes_of(b->body), known, &e, &err), &err);
	ASSERT_OK(xml_child(e.header, SAML_NS_ECP, "Response", &to, &err), &err);
	assert_string_equal(xml_attr(to, "AssertionConsumerServiceURL"), ECP_ACS);
	ASSERT_OK(xmlsig_verify(w->a, e.content, ours, &sig, &err), &err);
	return (const char *)arena_bytes(w->a, saml_signed_bytes(sig)).p;
}

/* "Success", or the StatusMessage of the refusal. */
static const char *
status_of(struct web *b)
{
	const char *response = response_of(b);
	const char *message = between(b->w->a, response, "<samlp:StatusMessage>", "</samlp:");

	if (message != NULL) {
		assert_null(strstr(response, "<saml:Assertion"));
		return message;
	}
	assert_non_null(strstr(response, "status:Success\""));
	assert_non_null(strstr(response, "<saml:Assertion"));
	return "Success";
}

#define ASSERT_STATUS(b, text) assert_string_equal(status_of(b), (text))

static void
assert_fault(struct web *b, int status, const char *code)
{
	struct soap_envelope e;
	struct err err = {0};

	assert_int_equal(b->status, status);
	assert_schema_valid(b->w->a, bytes_of(b->body));
	ASSERT_OK(soap_read(b->w->a, bytes_of(b->body), NULL, &e, &err), &err);
	assert_non_null(e.fault);
	assert_string_equal(e.fault->code, code);
	assert_null(strstr(b->body, "Assertion"));
}

static void
assert_challenged(struct web *b)
{
	assert_fault(b, 401, SOAP_CLIENT);
	assert_string_equal(b->challenge, "Basic realm=\"konto.example\", charset=\"UTF-8\"");
}

/* Agree once, in a browser. */
static void
agree_as(struct world *w, const char *name)
{
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, name);
	if (page_of(&b) == CONSENT)
		web_submit(&b, "/flow/consent/", "do=agree&attr_email=on");
	ASSERT_PAGE(&b, ANSWER);
}

static int
fresh(void **state)
{
	if (steps_fresh(state) != 0)
		return 1;
	ecp_portal(*state, "{" ABLE "," WANTS "}");
	agree_as(*state, "karl");
	agree_as(*state, "erika");
	return 0;
}

static const char *
count(struct world *w, const char *from)
{
	return world_value(w, arena_printf(w->a, "SELECT count(*) FROM %s", from));
}

/* What may have been written for somebody who got no assertion: nothing that tells of one. */
static const char *
traces(struct world *w)
{
	return world_value(w, "SELECT (SELECT count(*) FROM session) || ' ' || (SELECT count(*) "
			      "FROM session_participant) || ' ' || (SELECT count(*) FROM audit "
			      "WHERE event = 'assertion')");
}

static void
a_client_is_answered_without_a_page(void **state)
{
	struct world *w = *state;
	const struct ecp_asking how = {.id = ecp_id(w)};
	const char *sessions = count(w, "session"), *response;
	struct web b;

	web_init(&b, w);
	send_as(&b, "karl", ecp_envelope(w, &how));
	ASSERT_STATUS(&b, "Success");
	assert_non_null(strstr(b.body, "<ecp:RequestAuthenticated"));
	response = response_of(&b);
	assert_string_equal(between(w->a, response, "<saml:SubjectConfirmationData ", ">"),
			    arena_printf(w->a,
					 "InResponseTo=\"%s\" NotOnOrAfter=\"%s\" "
					 "Recipient=\"" ECP_ACS "\"",
					 how.id, clock_text(w->a, w->now + 300)));
	assert_non_null(strstr(response, "Destination=\"" ECP_ACS "\""));
	assert_non_null(strstr(response, ">STORK-QAA-Level-2</saml:AuthnContextClassRef>"));
	assert_non_null(strstr(response, ">Mustermann<"));
	assert_non_null(strstr(response, ">erika@example.invalid<"));
	assert_null(strstr(response, ">Erika<"));
	assert_string_equal(between(w->a, response, "AuthnInstant=\"", "\""),
			    clock_text(w->a, w->now));
	/* A session that the portal may end, and no cookie that leads to it. */
	assert_int_equal(atoi(count(w, "session")), atoi(sessions) + 1);
	const char *index = between(w->a, response, "SessionIndex=\"", "\"");

	assert_string_equal(count(w, arena_printf(w->a,
						  "session_participant WHERE session_index = '%s' "
						  "AND party = '" SAML_PARTY "'",
						  index)),
			    "1");
	/* It is short: a program that signs on all day does not fill the table. */
	assert_string_equal(count(w, arena_printf(w->a,
						  "session s JOIN session_participant p USING (sid)"
						  " WHERE p.session_index = '%s' AND s.expires = "
						  "%lld",
						  index, (long long)w->now + 3600)),
			    "1");
	assert_string_equal(between(w->a, response, "SessionNotOnOrAfter=\"", "\""),
			    clock_text(w->a, w->now + 3600));
	assert_string_equal(world_value(w, "SELECT event FROM audit ORDER BY seq DESC LIMIT 1"),
			    "assertion");
	assert_string_equal(world_value(w, "SELECT details->>'binding' FROM audit WHERE event = "
					   "'assertion' ORDER BY seq DESC LIMIT 1"),
			    "paos");
	assert_string_equal(world_value(w, "SELECT details->>'method' FROM audit WHERE event = "
					   "'login' ORDER BY seq DESC LIMIT 1"),
			    "password");
}

static void
who_says_nothing_or_a_wrong_word_may_try_again(void **state)
{
	struct world *w = *state;
	const char *request = ecp_envelope(w, &(struct ecp_asking){0}), *before = traces(w);
	static const char *const nobody[] = {NULL,
					     "",
					     "Basic",
					     "Basic !",
					     "Basic YQ==",
					     "Bearer YTpi",
					     "Basic Omth",     /* no name */
					     "Basic a2FybDo=", /* no password */
					     "Basic /zphYQ==" /* no UTF-8 */};
	struct web b;

	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(nobody); i++) {
		b.authorization = nobody[i];
		web_program(&b, ECP_ENDPOINT, SOAP_CONTENT_TYPE, request);
		assert_challenged(&b);
	}
	const char *refused = count(w, "audit WHERE event = 'login_refused'");

	b.authorization = ecp_basic(w, "karl", "wrong-" PASSWORD);
	web_program(&b, ECP_ENDPOINT, SOAP_CONTENT_TYPE, request);
	assert_challenged(&b);
	const char *wrong = b.body;

	send_as(&b, "nobody", request);
	assert_challenged(&b);
	/* But for the reference both are the same. */
	assert_int_equal(strlen(b.body), strlen(wrong));
	assert_memory_equal(b.body, wrong, (size_t)(strstr(wrong, "Reference") - wrong));
	assert_int_equal(atoi(count(w, "audit WHERE event = 'login_refused'")), atoi(refused) + 2);
	assert_string_equal(traces(w), before);
	send_as(&b, "karl", request);
	ASSERT_STATUS(&b, "Success");
}

static void
guesses_are_counted_with_those_at_the_form(void **state)
{
	struct world *w = *state;
	struct web b, browser;

	web_init(&b, w);
	b.addr = "192.0.2.77";
	for (int i = 0; i < 10; i++) {
		b.authorization = ecp_basic(w, "karl", "wrong");
		web_program(&b, ECP_ENDPOINT, SOAP_CONTENT_TYPE,
			    ecp_envelope(w, &(struct ecp_asking){0}));
		assert_challenged(&b);
	}
	send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){0}));
	assert_fault(&b, 429, SOAP_CLIENT);
	assert_null(b.challenge);
	assert_string_equal(world_value(w, "SELECT details->>'why' FROM audit WHERE event = "
					   "'login_refused' ORDER BY seq DESC LIMIT 1"),
			    "too many attempts");
	web_init(&browser, w);
	log_in_aside(&browser, "karl");
	ASSERT_PAGE(&browser, LOGIN);
	send_as(&b, "erika", ecp_envelope(w, &(struct ecp_asking){0}));
	ASSERT_STATUS(&b, "Success");
}

static void
what_nobody_agreed_to_is_not_told(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	static const char *const policies[] = {
		"{" ABLE "," WANTS ",\"consent\":\"always\"}",
		"{" ABLE ",\"attribute\":[\"family_name:required\",\"email\",\"given_names\"]}",
		"{" ABLE "," WANTS ",\"purpose-de\":\"Wohngeld\"}",
	};

	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		ecp_portal(w, policies[i]);
		const char *before = traces(w), *logins = count(w, "audit WHERE event = 'login'");

		send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){0}));
		ASSERT_STATUS(&b, "KONTOR-28 consent-needed");
		assert_string_equal(traces(w), before);
		assert_int_equal(atoi(count(w, "audit WHERE event = 'login'")), atoi(logins) + 1);
		send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){.passive = "true"}));
		ASSERT_STATUS(&b, "KONTOR-22 passive-consent");
	}
	ecp_portal(w, "{" ABLE "," WANTS "}");
	send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){0}));
	ASSERT_STATUS(&b, "Success");
}

static void
what_a_password_cannot_reach_is_said_before_it_is_asked(void **state)
{
	struct world *w = *state;
	const char *before = traces(w);
	struct web b;

	web_init(&b, w);
	send_as(&b, NULL, ecp_envelope(w, &(struct ecp_asking){.level = "STORK-QAA-Level-3"}));
	ASSERT_STATUS(&b, "KONTOR-20 level-not-reached");
	send_as(&b, "erika", ecp_envelope(w, &(struct ecp_asking){.level = "STORK-QAA-Level-3"}));
	ASSERT_STATUS(&b, "KONTOR-20 level-not-reached");
	send_as(&b, "erika", ecp_envelope(w, &(struct ecp_asking){.level = "STORK-QAA-Level-2"}));
	ASSERT_STATUS(&b, "Success");
	before = traces(w);
	ecp_portal(w, "{" ABLE "," WANTS ",\"level\":\"substantial\"}");
	send_as(&b, NULL, ecp_envelope(w, &(struct ecp_asking){0}));
	ASSERT_STATUS(&b, "KONTOR-20 level-not-reached");
	/* A password that counts for less than passwords may. */
	ecp_portal(w, "{" ABLE "," WANTS "}");
	pg_sql(w->pg, "UPDATE credential SET level = 1 WHERE kind = 'password'");
	send_as(&b, "erika", ecp_envelope(w, &(struct ecp_asking){.level = "STORK-QAA-Level-2"}));
	pg_sql(w->pg, "UPDATE credential SET level = 2 WHERE kind = 'password'");
	ASSERT_STATUS(&b, "KONTOR-20 level-not-reached");
	assert_string_equal(traces(w), before);
}

static void
a_password_that_came_along_is_new_and_no_page(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	send_as(&b, NULL, ecp_envelope(w, &(struct ecp_asking){.passive = "true"}));
	ASSERT_STATUS(&b, "KONTOR-21 passive-login");
	send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){.passive = "true"}));
	ASSERT_STATUS(&b, "Success");
	b.authorization = ecp_basic(w, "karl", "wrong");
	web_program(&b, ECP_ENDPOINT, SOAP_CONTENT_TYPE,
		    ecp_envelope(w, &(struct ecp_asking){.passive = "true"}));
	assert_challenged(&b);
	send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){.force = "true"}));
	ASSERT_STATUS(&b, "Success");
	assert_string_equal(between(w->a, response_of(&b), "AuthnInstant=\"", "\""),
			    clock_text(w->a, w->now));
	ecp_portal(w, "{" ABLE "," WANTS ",\"sso-group\":\"never\"}");
	send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){0}));
	ASSERT_STATUS(&b, "Success");
	ecp_portal(w, "{" ABLE "," WANTS ",\"sso-group\":\"another\"}");
	send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){0}));
	ASSERT_STATUS(&b, "Success");
}

static void
other_refusals_are_those_of_the_browser(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){.person = "somebody"}));
	ASSERT_STATUS(&b, "KONTOR-19 other-person");
	send_as(&b, "karl",
		ecp_envelope(w,
			     &(struct ecp_asking){.format = SAML_NAMEID_EMAIL, .create = "true"}));
	ASSERT_STATUS(&b, "KONTOR-15 nameid-policy");
	send_as(&b, "karl",
		ecp_envelope(w, &(struct ecp_asking){.format = SAML_NAMEID_PERSISTENT,
						     .create = "true"}));
	ASSERT_STATUS(&b, "Success");
	const char *name =
		strchr(between(w->a, response_of(&b), "<saml:NameID", "</saml:NameID>"), '>') + 1;

	assert_int_equal(strlen(name), 43);
	send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){.person = name}));
	ASSERT_STATUS(&b, "Success");
	send_as(&b, "erika", ecp_envelope(w, &(struct ecp_asking){.person = name}));
	ASSERT_STATUS(&b, "KONTOR-19 other-person");
	ecp_portal(w, "{" ABLE ",\"attribute\":[\"birth_date:required\"]}");
	send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){0}));
	ASSERT_STATUS(&b, "KONTOR-25 required-attribute-missing");
}

static void
only_a_portal_whose_record_says_so_is_answered(void **state)
{
	struct world *w = *state;
	const char *before, *logins;
	struct web b;

	web_init(&b, w);
	ecp_portal(w, "{" WANTS "}");
	before = traces(w);
	logins = count(w, "audit WHERE event LIKE 'login%'");
	send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){0}));
	ASSERT_STATUS(&b, "KONTOR-14 denied");
	assert_string_equal(traces(w), before);
	/* No password is looked at for it. */
	assert_string_equal(count(w, "audit WHERE event LIKE 'login%'"), logins);
	ecp_portal(w, "{" ABLE "," WANTS "}");
	send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){0}));
	ASSERT_STATUS(&b, "Success");
}

static void
without_a_proven_endpoint_there_is_a_fault(void **state)
{
	struct world *w = *state;
	static const struct ecp_asking bad[] = {
		{.acs = "https://evil.example/ecp"},
		{.acs = SAML_ACS},
		{.acs = SAML_ACS, .binding = SAML_BINDING_URI_POST},
		{.destination = BASE "/saml/sso"},
		{.destination = "https://evil.example/"},
	};
	struct web b;

	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		send_as(&b, "karl", ecp_envelope(w, &bad[i]));
		assert_fault(&b, 403, SOAP_CLIENT);
	}
	send_as(&b, "karl",
		ecp_envelope(w, &(struct ecp_asking){.destination = BASE ECP_ENDPOINT}));
	ASSERT_STATUS(&b, "Success");
	send_as(&b, "karl",
		ecp_envelope(w, &(struct ecp_asking){.binding = SAML_BINDING_URI_POST}));
	ASSERT_STATUS(&b, "KONTOR-12 binding");
	send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){.no_acs = true}));
	ASSERT_STATUS(&b, "Success");
	/* The record permits it, the metadata knows no such endpoint. */
	world_saml_party(w, "{" ABLE "," WANTS "}");
	send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){.no_acs = true}));
	assert_fault(&b, 403, SOAP_CLIENT);
}

static const char *
without_signature(struct world *w, const char *body)
{
	const char *sig = strstr(body, "<ds:Signature"), *end = strstr(body, "</ds:Signature>");

	return arena_printf(w->a, "%.*s%s", (int)(sig - body), body,
			    end + strlen("</ds:Signature>"));
}

static void
a_request_is_proven_first(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *good = ecp_envelope(w, &(struct ecp_asking){.id = ecp_id(w)});
	char *changed = arena_strdup(w->a, good);

	*strstr(changed, "amt24.example/ecp") = 'b';
	send_as(&b, "karl", changed);
	assert_fault(&b, 403, SOAP_CLIENT);
	send_as(&b, "karl", without_signature(w, good));
	assert_fault(&b, 403, SOAP_CLIENT);
	w->now += 481;
	send_as(&b, "karl", good);
	ASSERT_STATUS(&b, "KONTOR-14 denied");
	w->now -= 481;
	w->saml_party = "https://nobody.example/";
	send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){0}));
	w->saml_party = NULL;
	assert_fault(&b, 500, SOAP_CLIENT);
	send_as(&b, "karl", saml_logout_envelope(w, ecp_id(w), "a", NULL));
	assert_fault(&b, 500, SOAP_CLIENT);
	send_as(&b, "karl", "SAMLRequest=x");
	assert_fault(&b, 500, SOAP_CLIENT);
	const char *body = strstr(good, "<S:Body>");

	send_as(&b, "karl",
		arena_printf(w->a,
			     "%.*s<S:Header><x:y xmlns:x=\"urn:x\" S:mustUnderstand=\"1\"/>"
			     "</S:Header>%s",
			     (int)(body - good), good, body));
	assert_fault(&b, 500, SOAP_CLIENT);
	send_as(&b, "karl", good);
	ASSERT_STATUS(&b, "Success");
	/* Where the record permits it, the signature may be left out; the client is told. */
	ecp_portal(w, "{" ABLE "," WANTS ",\"accept-unsigned\":\"yes\"}");
	send_as(&b, "karl", without_signature(w, ecp_envelope(w, &(struct ecp_asking){0})));
	ASSERT_STATUS(&b, "Success");
	assert_null(strstr(b.body, "RequestAuthenticated"));
	world_disable(w, SAML_PARTY);
	send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){0}));
	assert_fault(&b, 500, SOAP_CLIENT);
}

static void
a_request_is_answered_once(void **state)
{
	struct world *w = *state;
	const char *body = ecp_envelope(w, &(struct ecp_asking){0});
	const char *passive = ecp_envelope(w, &(struct ecp_asking){.passive = "true"});
	struct web b;

	web_init(&b, w);
	send_as(&b, "karl", body);
	ASSERT_STATUS(&b, "Success");
	const char *before = traces(w);

	send_as(&b, "karl", body);
	assert_fault(&b, 500, SOAP_CLIENT);
	send_as(&b, "erika", body);
	assert_fault(&b, 500, SOAP_CLIENT);
	/* The right password of a replay leaves a login in the trail, but no session. */
	assert_string_equal(traces(w), before);
	send_as(&b, NULL, passive);
	ASSERT_STATUS(&b, "KONTOR-21 passive-login");
	send_as(&b, NULL, passive);
	assert_fault(&b, 500, SOAP_CLIENT);
	send_as(&b, "karl", passive);
	assert_fault(&b, 500, SOAP_CLIENT);
	assert_string_equal(world_value(w, "SELECT count(*) FROM audit WHERE event = 'assertion'"),
			    strrchr(before, ' ') + 1);
}

static void
an_answer_that_cannot_be_recorded_leaves_no_session(void **state)
{
	struct world *w = *state;
	const char *before = traces(w);
	struct web b;

	web_init(&b, w);
	pg_sql(w->pg, "ALTER TABLE session_participant ADD CONSTRAINT broken CHECK (at < 0) "
		      "NOT VALID");
	send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){0}));
	pg_sql(w->pg, "ALTER TABLE session_participant DROP CONSTRAINT broken");
	assert_fault(&b, 403, SOAP_CLIENT);
	assert_string_equal(traces(w), before);
}

static void
an_account_that_is_switched_off_is_nobody(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	pg_sql(w->pg, "UPDATE subject SET state = 'disabled'");
	send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){0}));
	pg_sql(w->pg, "UPDATE subject SET state = 'active'");
	assert_challenged(&b);
}

static void
the_portal_may_end_what_it_was_told_of(void **state)
{
	struct world *w = *state;
	struct web b, browser;

	web_init(&b, w);
	web_init(&browser, w);
	send_as(&b, "karl", ecp_envelope(w, &(struct ecp_asking){0}));
	ASSERT_STATUS(&b, "Success");
	const char *response = response_of(&b);
	const char *index = between(w->a, response, "SessionIndex=\"", "\"");
	const char *name =
		strchr(between(w->a, response, "<saml:NameID", "</saml:NameID>"), '>') + 1;
	const char *told =
		arena_printf(w->a, "session_participant WHERE session_index = '%s'", index);

	/* The person sees it among the own sessions. */
	log_in_aside(&browser, "karl");
	web_get(&browser, "/account");
	const char *sid = world_value(w, arena_printf(w->a, "SELECT sid FROM %s", told));

	assert_true(web_shows(&browser, sid));
	web_program(&b, "/saml/slo/soap", SOAP_CONTENT_TYPE,
		    saml_logout_envelope(w, ecp_id(w), name, index));
	assert_int_equal(b.status, 200);
	assert_string_equal(count(w, arena_printf(w->a, "session WHERE sid = '%s'", sid)), "0");
}

static void
the_account_lists_no_more_than_fit(void **state)
{
	struct world *w = *state;
	struct web browser;

	/* Those of other cases: the one that follows is found by being the only one. */
	pg_sql(w->pg, "DELETE FROM session");
	web_init(&browser, w);
	log_in_aside(&browser, "karl");
	web_get(&browser, "/account");
	assert_false(web_shows(&browser, "noch weitere Sitzungen"));
	const char *own = "(SELECT sid FROM session WHERE sid NOT LIKE 'full-%')";

	pg_sql(w->pg,
	       arena_printf(w->a,
			    "WITH s AS (INSERT INTO session (sid, id_hash, acting, sso_group,"
			    " created, last_used, expires) SELECT 'full-' || i,"
			    " sha256(('full' || i)::bytea), acting, sso_group, created,"
			    " last_used - 1, expires FROM session, generate_series(1, 100) i"
			    " WHERE sid = %s RETURNING sid)"
			    " INSERT INTO session_proof (sid, at, level, method)"
			    " SELECT s.sid, p.at, p.level, p.method FROM s, session_proof p"
			    " WHERE p.sid = %s",
			    own, own));
	web_get(&browser, "/account");
	assert_true(web_shows(&browser, "noch weitere Sitzungen"));
	assert_true(web_shows(&browser, "diese Sitzung"));
	pg_sql(w->pg, "DELETE FROM session WHERE sid LIKE 'full-%'");
}

#define T(name) cmocka_unit_test_setup(name, fresh)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_client_is_answered_without_a_page),
		T(who_says_nothing_or_a_wrong_word_may_try_again),
		T(guesses_are_counted_with_those_at_the_form),
		T(what_nobody_agreed_to_is_not_told),
		T(what_a_password_cannot_reach_is_said_before_it_is_asked),
		T(a_password_that_came_along_is_new_and_no_page),
		T(other_refusals_are_those_of_the_browser),
		T(only_a_portal_whose_record_says_so_is_answered),
		T(without_a_proven_endpoint_there_is_a_fault),
		T(a_request_is_proven_first),
		T(a_request_is_answered_once),
		T(an_answer_that_cannot_be_recorded_leaves_no_session),
		T(an_account_that_is_switched_off_is_nobody),
		T(the_portal_may_end_what_it_was_told_of),
		T(the_account_lists_no_more_than_fit),
	};

	return cmocka_run_group_tests(tests, steps_setup, world_teardown);
}
