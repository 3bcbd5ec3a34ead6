/* What a SAML portal asks for and must have, and what is answered when that cannot be. */
#include "base/text.h"
#include "tests/flow/steps.h"

#define GENDER      "urn:oid:1.3.6.1.4.1.33592.1.3.5"
#define POSTKORB    "urn:oid:2.5.4.18"
#define EMAIL       "urn:oid:0.9.2342.19200300.100.1.3"
#define FAMILY_NAME "urn:oid:2.5.4.4"
#define TITLE       "urn:oid:0.9.2342.19200300.100.1.40"
#define SUBJECT_ID  "urn:oasis:names:tc:SAML:attribute:subject-id"
#define AKDB(detail, name, required)                                                    \
	"<samlp:Extensions><akdb:AuthenticationRequest " detail                         \
	"xmlns:akdb=\"https://www.akdb.de/request/2018/09\" Version=\"2\">"             \
	"<akdb:RequestedAttributes><akdb:RequestedAttribute Name=\"" FAMILY_NAME "\"/>" \
	"<akdb:RequestedAttribute Name=\"" name "\" RequiredAttribute=\"" required      \
	"\"/></akdb:RequestedAttributes></akdb:AuthenticationRequest></samlp:Extensions>"
#define DETAIL "EnableStatusDetail=\"true\" "
#define EIDAS(name, required)                                                       \
	"<samlp:Extensions xmlns:eidas=\"http://eidas.europa.eu/saml-extensions\">" \
	"<eidas:SPType>public</eidas:SPType><eidas:RequestedAttributes>"            \
	"<eidas:RequestedAttribute "                                                \
	"Name=\"http://eidas.europa.eu/attributes/naturalperson/" name "\" "        \
	"isRequired=\"" required "\"/></eidas:RequestedAttributes></samlp:Extensions>"
#define REQUESTED(name, required) \
	"<md:RequestedAttribute Name=\"" name "\" isRequired=\"" required "\"/>"
#define SERVICE(index, inner)                                           \
	"<md:AttributeConsumingService index=\"" index "\">"            \
	"<md:ServiceName xml:lang=\"de\">Dienst</md:ServiceName>" inner \
	"</md:AttributeConsumingService>"
#define POLICY_OF(more) "{\"attribute\":[\"family_name\",\"email\"]" more "}"

/* The SAML portal with these services in its metadata. */
static void
portal(struct world *w, const char *services, const char *policy)
{
	w->saml_acs = services;
	world_saml_party(w, policy);
	w->saml_acs = NULL;
}

static void
agree(struct web *b, const char *fields)
{
	ASSERT_PAGE(b, CONSENT);
	web_submit(b, "/flow/consent/", fields);
	assert_true(succeeded(b));
}

#define ASSERT_SAYS(b, text)   assert_non_null(strstr(saml_response_of(b), text))
#define ASSERT_SILENT(b, text) assert_null(strstr(saml_response_of(b), text))

/* ---- what must be there and cannot ---- */

static void
what_must_come_and_never_can_is_refused_at_once(void **state)
{
	static const char *const asked[] = {
		AKDB(DETAIL, POSTKORB, "true"),       /* known to BundID, not here */
		AKDB(DETAIL, TITLE, "true"),          /* not registered for this portal */
		AKDB(DETAIL, SUBJECT_ID, "true"),     /* not permitted to it */
		AKDB(DETAIL, "urn:oid:9.9.9", "true") /* of nobody's */
	};
	static const char *const names[] = {POSTKORB, TITLE, SUBJECT_ID, "urn:oid:9.9.9"};
	struct world *w = *state;
	struct web b;

	portal(w, NULL, POLICY_OF(""));
	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		ask(&b, "", asked[i]);
		ASSERT_SAYS(&b, "status:RequestDenied");
		ASSERT_SAYS(&b, "\"code\":\"IDP_REQUIRED_ATTRIBUTES_MISSING\"");
		ASSERT_SAYS(&b, arena_printf(w->a, "\"message\":\"%s\"", names[i]));
		ASSERT_SILENT(&b, "<saml:Assertion");
	}
	ask(&b, "", AKDB("", POSTKORB, "true"));
	ASSERT_SAYS(&b, "KONTOR-25 required-attribute-missing");
	ask(&b, "", EIDAS("Gender", "true"));
	ASSERT_SAYS(&b, "KONTOR-25 required-attribute-missing");
}

static void
what_need_not_come_is_left_out(void **state)
{
	struct world *w = *state;
	struct web b;

	portal(w, NULL, POLICY_OF(""));
	web_init(&b, w);
	ask(&b, "", AKDB("", POSTKORB, "false"));
	log_in(&b, "karl");
	agree(&b, "attr_family_name=1&do=agree");
	ASSERT_SAYS(&b, "Name=\"" FAMILY_NAME "\"");
	/* An address is told as far as it is registered. */
	portal(w, NULL, "{\"attribute\":[\"locality\"]}");
	ask(&b, " IsPassive=\"true\"", EIDAS("CurrentAddress", "false"));
	ASSERT_SAYS(&b, "KONTOR-22");
	/* Of what the login is, everybody may be told. */
	portal(w, NULL, POLICY_OF(",\"subject-id\":\"yes\""));
	ask(&b, " IsPassive=\"true\"", AKDB("", SUBJECT_ID, "true"));
	ASSERT_SAYS(&b, "status:Success");
}

/* A record that changes while somebody is at the page. */
static void
what_is_taken_from_the_record_on_the_way_is_missing(void **state)
{
	struct world *w = *state;
	struct web b;

	portal(w, NULL, POLICY_OF(""));
	web_init(&b, w);
	ask(&b, "", AKDB("", EMAIL, "true"));
	ASSERT_PAGE(&b, LOGIN);
	portal(w, NULL, "{\"attribute\":[\"family_name\"]}");
	log_in(&b, "karl");
	ASSERT_PAGE(&b, MISSING);
}

static void
who_cannot_be_answered_is_told_before_a_login(void **state)
{
	struct world *w = *state;
	struct web b;

	portal(w, NULL, POLICY_OF(",\"encrypt\":\"always\""));
	web_init(&b, w);
	ask(&b, "", "");
	ASSERT_SAYS(&b, "KONTOR-14 denied");
}

/* ---- what metadata require ---- */

static void
the_operators_record_goes_before_what_metadata_require(void **state)
{
	static const char services[] =
		SERVICE("0", REQUESTED(GENDER, "true") REQUESTED(TITLE, "true")
				     REQUESTED(FAMILY_NAME, "true") REQUESTED(EMAIL, "false"));
	struct world *w = *state;
	struct web b;

	portal(w, services, "{}");
	web_init(&b, w);
	ask(&b, "", "");
	ASSERT_SAYS(&b, "KONTOR-25 required-attribute-missing");
	portal(w, services, POLICY_OF(""));
	ask(&b, "", "");
	log_in(&b, "karl");
	agree(&b, "do=agree");
	ASSERT_SAYS(&b, "Name=\"" FAMILY_NAME "\""); /* required: nobody can take it away */
	ASSERT_SILENT(&b, "Name=\"" EMAIL "\"");
	/* What a request requires itself is another matter. */
	ask(&b, "", AKDB("", GENDER, "true"));
	ASSERT_SAYS(&b, "KONTOR-25 required-attribute-missing");
}

static void
each_service_requires_its_own(void **state)
{
	static const char services[] =
		SERVICE("1", REQUESTED(FAMILY_NAME, "false") REQUESTED(EMAIL, "true"))
			SERVICE("2", REQUESTED(FAMILY_NAME, "true") REQUESTED(EMAIL, "false"));
	struct world *w = *state;
	struct web b;

	portal(w, services, "{\"purpose-de\":\"Zwei Dienste\"}");
	web_init(&b, w);
	ask(&b, " AttributeConsumingServiceIndex=\"2\"", "");
	log_in(&b, "karl");
	agree(&b, "do=agree");
	ASSERT_SAYS(&b, "Name=\"" FAMILY_NAME "\"");
	ASSERT_SILENT(&b, "Name=\"" EMAIL "\"");
	ask(&b, " AttributeConsumingServiceIndex=\"1\"", "");
	agree(&b, "do=agree");
	ASSERT_SAYS(&b, "Name=\"" EMAIL "\"");
	ASSERT_SILENT(&b, "Name=\"" FAMILY_NAME "\"");
	/* A request that names none is for the first. */
	ask(&b, "", "");
	ASSERT_SAYS(&b, "Name=\"" EMAIL "\"");
	ASSERT_SILENT(&b, "Name=\"" FAMILY_NAME "\"");
	ask(&b, " AttributeConsumingServiceIndex=\"7\"", "");
	ASSERT_SAYS(&b, "KONTOR-13 unsupported");
}

/* A query is answered as long as a login at one of them would show no page. */
static void
a_consent_to_a_service_stands_for_queries(void **state)
{
	static const char services[] = SERVICE("1", REQUESTED(EMAIL, "true"))
		SERVICE("2", REQUESTED(FAMILY_NAME, "true") REQUESTED(EMAIL, "false"));
	struct world *w = *state;
	struct web b;

	portal(w, services, "{\"attribute-query\":\"yes\",\"purpose-de\":\"Anfragen\"}");
	web_init(&b, w);
	ask(&b, " AttributeConsumingServiceIndex=\"2\"",
	    "<samlp:NameIDPolicy AllowCreate=\"true\" "
	    "Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\"/>");
	log_in(&b, "karl");
	agree(&b, "do=agree");
	const char *name = between(w->a, strstr(saml_response_of(&b), "<saml:NameID"), ">", "<");
	const struct query_asking about = {
		.name = name, .format = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"};

	web_program(&b, QUERY_ENDPOINT, "text/xml", query_envelope(w, &about));
	assert_true(web_shows(&b, "status:Success"));
	assert_true(web_shows(&b, "Name=\"" FAMILY_NAME "\""));
	assert_false(web_shows(&b, "Name=\"" EMAIL "\""));
	/* No service asks for the same any more. */
	portal(w, SERVICE("1", REQUESTED(EMAIL, "true")) SERVICE("2", REQUESTED(EMAIL, "false")),
	       "{\"attribute-query\":\"yes\",\"purpose-de\":\"Anfragen\"}");
	web_program(&b, QUERY_ENDPOINT, "text/xml", query_envelope(w, &about));
	assert_true(web_shows(&b, "KONTOR-29"));
}

/* ---- requests that are wrong, of a portal that can hear of it ---- */

static const char *
repeated(struct world *w, const char *text, int n)
{
	const char *out = "";

	for (int i = 0; i < n; i++)
		out = arena_printf(w->a, "%s%s", out, text);
	return out;
}

static void
what_is_wrong_is_told_where_the_portal_is_at_home(void **state)
{
	static const char context[] =
		"<samlp:RequestedAuthnContext>%s</samlp:RequestedAuthnContext>";
	static const char version_3[] = "<samlp:Extensions><akdb:AuthenticationRequest "
					"xmlns:akdb=\"https://www.akdb.de/request/2018/09\" "
					"Version=\"3\"/></samlp:Extensions>";
	static const char redirect[] =
		" ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\"";
	struct world *w = *state;
	const struct {
		const char *extra, *inner, *told;
	} rows[] = {
		{redirect, "", "KONTOR-12 binding"},
		{" ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact\"", "",
		 "KONTOR-12 binding"},
		{"", version_3, "KONTOR-10 request"},
		{"",
		 arena_printf(w->a, context,
			      repeated(w,
				       "<saml:AuthnContextClassRef>x</saml:AuthnContextClassRef>",
				       17)),
		 "KONTOR-10 request"},
		{"",
		 arena_printf(w->a,
			      "<samlp:Scoping><samlp:IDPList>%s</samlp:IDPList></samlp:Scoping>",
			      repeated(w, "<samlp:IDPEntry ProviderID=\"urn:x\"/>", 65)),
		 "KONTOR-10 request"},
	};
	struct web b;

	portal(w, NULL, POLICY_OF(""));
	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ask(&b, rows[i].extra, rows[i].inner);
		ASSERT_SAYS(&b, rows[i].told);
		ASSERT_SAYS(&b, "Destination=\"" SAML_ACS "\"");
	}
	/* But not elsewhere. */
	w->acs = "https://amt24.example/another";
	ask(&b, redirect, "");
	w->acs = NULL;
	assert_int_equal(b.status, 403);
}

/* Its request, changed before it was signed. */
static void
ask_changed(struct web *b, const char *from, const char *to)
{
	b->w->ask_from = from;
	b->w->ask_to = to;
	ask(b, "", "");
	b->w->ask_from = b->w->ask_to = NULL;
}

static void
another_version_is_told_and_another_place_is_not(void **state)
{
	struct world *w = *state;
	struct web b;

	portal(w, NULL, POLICY_OF(""));
	web_init(&b, w);
	ask_changed(&b, "Version=\"2.0\"", "Version=\"2.1\"");
	ASSERT_SAYS(&b, "KONTOR-11 version");
	ASSERT_SAYS(&b, "Value=\"urn:oasis:names:tc:SAML:2.0:status:VersionMismatch\"");
	ask_changed(&b, BASE "/saml/sso", BASE "/saml/slo");
	assert_int_equal(b.status, 403);
	ask_changed(&b, "Destination=\"" BASE "/saml/sso\"", "");
	assert_int_equal(b.status, 403);
}

static void
a_suite_that_has_ended_is_told_where_another_one_serves(void **state)
{
	struct world *w = *state;
	struct web b;

	w->saml_suite = "rsa-sha256";
	portal(w, NULL, POLICY_OF(""));
	web_init(&b, w);
	ask(&b, "", "");
	ASSERT_SAYS(&b, "KONTOR-14 denied");
	portal(w, NULL, POLICY_OF(",\"old-until\":\"2099-01-01\""));
	ask(&b, "", "");
	w->saml_suite = NULL;
	ASSERT_PAGE(&b, LOGIN);
}

/* ---- for whom, and from where ---- */

static void
where_the_browser_is_is_told_to_whom_the_record_says(void **state)
{
	static const char confirmed[] = "<saml:SubjectConfirmationData Address=\"192.0.2.1\"",
			  there[] = "<saml:SubjectLocality Address=\"192.0.2.1\"";
	struct world *w = *state;
	struct web b;

	portal(w, NULL, POLICY_OF(",\"purpose-de\":\"Wo\""));
	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "karl");
	agree(&b, "do=agree");
	ASSERT_SILENT(&b, "192.0.2.1");
	portal(w, NULL, POLICY_OF(",\"purpose-de\":\"Wo\",\"address\":\"yes\""));
	ask(&b, "", "");
	ASSERT_SAYS(&b, confirmed);
	ASSERT_SAYS(&b, there);
	/* A proxy on the same machine, without the header of one, is no address. */
	b.addr = "unix";
	ask(&b, "", "");
	assert_true(succeeded(&b));
	ASSERT_SILENT(&b, " Address=");
}

static void
the_trail_says_for_whom_a_request_was_passed_on(void **state)
{
	struct world *w = *state;
	struct web b;

	portal(w, NULL, POLICY_OF(",\"purpose-de\":\"Kette\""));
	web_init(&b, w);
	ask(&b, "",
	    "<samlp:Scoping><samlp:RequesterID>https://a.example/sp</samlp:RequesterID>"
	    "<samlp:RequesterID> urn:b </samlp:RequesterID></samlp:Scoping>");
	log_in(&b, "karl");
	agree(&b, "do=agree");
	assert_string_equal(world_value(w, "SELECT details->>'requesters' FROM audit WHERE event = "
					   "'assertion' ORDER BY seq DESC LIMIT 1"),
			    "https://a.example/sp urn:b");
	ask(&b, "",
	    arena_printf(w->a, "<samlp:Scoping>%s</samlp:Scoping>",
			 repeated(w, "<samlp:RequesterID>urn:b</samlp:RequesterID>", 9)));
	ASSERT_SAYS(&b, "KONTOR-10 request");
}

/* What BundID's portals knew a person by before is the same here. */
static void
the_old_name_of_the_pseudonym_tells_it_too(void **state)
{
	struct world *w = *state;
	struct web b;

	portal(w, NULL, POLICY_OF(",\"purpose-de\":\"Alt\""));
	web_init(&b, w);
	ask(&b, "",
	    "<samlp:Extensions><akdb:AuthenticationRequest "
	    "xmlns:akdb=\"https://www.akdb.de/request/2018/09\" Version=\"2\">"
	    "<akdb:RequestedAttributes><akdb:RequestedAttribute RequiredAttribute=\"true\" "
	    "Name=\"urn:oid:1.2.40.0.10.2.1.1.149\"/><akdb:RequestedAttribute "
	    "Name=\"urn:oid:1.3.6.1.4.1.25484.494450.3\"/></akdb:RequestedAttributes>"
	    "</akdb:AuthenticationRequest></samlp:Extensions>");
	log_in(&b, "karl");
	agree(&b, "do=agree");
	const char *r = saml_response_of(&b);
	const char *old = strstr(r, "Name=\"urn:oid:1.2.40.0.10.2.1.1.149\"");
	const char *now = strstr(r, "Name=\"urn:oid:1.3.6.1.4.1.25484.494450.3\"");

	assert_non_null(old);
	assert_non_null(now);
	assert_string_equal(between(w->a, strstr(old, "<saml:AttributeValue"), ">", "<"),
			    between(w->a, strstr(now, "<saml:AttributeValue"), ">", "<"));
}

/* ---- classes ---- */

#define CONTEXT(comparison, inner)                                          \
	"<samlp:RequestedAuthnContext Comparison=\"" comparison "\">" inner \
	"</samlp:RequestedAuthnContext>"
#define CLASS(word) "<saml:AuthnContextClassRef>" word "</saml:AuthnContextClassRef>"

/* How far a login has to go, and what is told at its end. */
static void
each_comparison_leads_to_its_level(void **state)
{
	static const struct {
		const char *inner;
		enum page after_password;
		const char *told;
	} rows[] = {
		{CONTEXT("exact", CLASS("STORK-QAA-Level-2")), ANSWER, ">STORK-QAA-Level-2<"},
		{CONTEXT("exact", CLASS("STORK-QAA-Level-3")), CODE, ">STORK-QAA-Level-3<"},
		{CONTEXT("minimum", CLASS("STORK-QAA-Level-1")), ANSWER, ">STORK-QAA-Level-2<"},
		{CONTEXT("minimum", CLASS("STORK-QAA-Level-3")), CODE, ">STORK-QAA-Level-3<"},
		{CONTEXT("maximum", CLASS("STORK-QAA-Level-1")), ANSWER, ">STORK-QAA-Level-1<"},
		{CONTEXT("maximum", CLASS("STORK-QAA-Level-3")), ANSWER, ">STORK-QAA-Level-2<"},
		{CONTEXT("better", CLASS("STORK-QAA-Level-1")), ANSWER, ">STORK-QAA-Level-2<"},
		{CONTEXT("better", CLASS("STORK-QAA-Level-2")), CODE, ">STORK-QAA-Level-3<"},
		/* A word that nobody knows beside one that is known. */
		{CONTEXT("exact", CLASS("Güte 4 von 5") CLASS("STORK-QAA-Level-2")), ANSWER,
		 ">STORK-QAA-Level-2<"},
	};
	struct world *w = *state;
	struct web b;

	portal(w, NULL, "{\"attribute\":[\"email\"],\"sso-group\":\"never\"}");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		web_init(&b, w);
		w->now += 60;
		ask(&b, "", rows[i].inner);
		log_in(&b, "erika");
		if (page_of(&b) == CONSENT)
			web_submit(&b, "/flow/consent/", "do=agree");
		ASSERT_PAGE(&b, rows[i].after_password);
		if (rows[i].after_password == CODE)
			enter_code(&b);
		if (page_of(&b) == CONSENT)
			web_submit(&b, "/flow/consent/", "do=agree");
		assert_true(succeeded(&b));
		ASSERT_SAYS(&b, rows[i].told);
	}
}

static void
what_cannot_be_reached_or_is_not_known_is_no_context(void **state)
{
	static const char *const rows[] = {
		CONTEXT("exact", CLASS("STORK-QAA-Level-4")),
		CONTEXT("minimum", CLASS("STORK-QAA-Level-4")),
		CONTEXT("better", CLASS("STORK-QAA-Level-3")),
		CONTEXT("better", CLASS("STORK-QAA-Level-4")),
		CONTEXT("exact", CLASS("sehr hohes Maß an Güte")),
		CONTEXT("maximum", CLASS("a\\b")),
		CONTEXT("exact", CLASS("")),
		CONTEXT("exact", "<saml:AuthnContextDeclRef>STORK-QAA-Level-2"
				 "</saml:AuthnContextDeclRef>"),
	};
	struct world *w = *state;
	struct web b;

	portal(w, NULL, POLICY_OF(""));
	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ask(&b, "", rows[i]);
		ASSERT_SAYS(&b, "KONTOR-20 level-not-reached");
		ASSERT_SAYS(&b, "status:NoAuthnContext");
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_must_come_and_never_can_is_refused_at_once),
		T(what_need_not_come_is_left_out),
		T(what_is_taken_from_the_record_on_the_way_is_missing),
		T(who_cannot_be_answered_is_told_before_a_login),
		T(the_operators_record_goes_before_what_metadata_require),
		T(each_service_requires_its_own),
		T(a_consent_to_a_service_stands_for_queries),
		T(what_is_wrong_is_told_where_the_portal_is_at_home),
		T(another_version_is_told_and_another_place_is_not),
		T(a_suite_that_has_ended_is_told_where_another_one_serves),
		T(where_the_browser_is_is_told_to_whom_the_record_says),
		T(the_trail_says_for_whom_a_request_was_passed_on),
		T(the_old_name_of_the_pseudonym_tells_it_too),
		T(each_comparison_leads_to_its_level),
		T(what_cannot_be_reached_or_is_not_known_is_no_context),
	};

	return cmocka_run_group_tests(tests, steps_setup, world_teardown);
}
