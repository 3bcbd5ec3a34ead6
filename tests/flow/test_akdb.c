/* BundID's request extension in whole logins: what it asks, what it shows, what it is told. */
#include "base/text.h"
#include "tests/flow/steps.h"

#define ATTRIBUTES                                                                         \
	"<akdb:RequestedAttributes><akdb:RequestedAttribute Name=\"urn:oid:2.5.4.4\" "     \
	"RequiredAttribute=\"true\"/><akdb:RequestedAttribute Name=\"urn:oid:2.5.4.42\"/>" \
	"</akdb:RequestedAttributes>"
#define ORGANIZATION(name)                                                              \
	"<akdb:DisplayInformation><classic-ui:Version "                                 \
	"xmlns:classic-ui=\"https://www.akdb.de/request/2018/09/classic-ui/v1\">"       \
	"<classic-ui:OrganizationDisplayName><![CDATA[ " name                           \
	" ]]></classic-ui:OrganizationDisplayName><classic-ui:OnlineServiceId>BMI-4711" \
	"</classic-ui:OnlineServiceId></classic-ui:Version></akdb:DisplayInformation>"
#define METHODS(inner) "<akdb:AuthnMethods>" inner "</akdb:AuthnMethods>"
#define V(version, inner)                                                                 \
	"<samlp:Extensions><akdb:AuthenticationRequest "                                  \
	"xmlns:akdb=\"https://www.akdb.de/request/2018/09\" EnableStatusDetail=\"true\" " \
	"Version=\"" version "\">" inner "</akdb:AuthenticationRequest></samlp:Extensions>"
#define V2(inner) V("2", inner)
#define AKDB(rule) \
	"{\"attribute\":[\"family_name\",\"given_names\",\"title\"],\"akdb\":\"" rule "\"}"

/* Refused at once, without a page for the person. */
static void
assert_told(struct web *b, const char *code)
{
	const char *response = saml_response_of(b);

	assert_non_null(response);
	assert_non_null(strstr(response, "status:RequestDenied"));
	assert_non_null(strstr(response, "<samlp:StatusMessage>security-msg<"));
	assert_non_null(strstr(response, arena_printf(b->w->a, "\"code\":\"%s\"", code)));
}

static void
what_a_record_demands_is_demanded(void **state)
{
	static const struct {
		const char *inner, *code;
	} rows[] = {
		{V2(ATTRIBUTES), "organization-display-name-missing"},
		{V2(ORGANIZATION("Amt")), "requested-attributes-empty"},
		{V("1", ATTRIBUTES ORGANIZATION("Amt")), "akdb-extension-v1-deprecated"},
		{V2("<akdb:RequestedAttributes><akdb:RequestedAttribute/></"
		    "akdb:RequestedAttributes>"),
		 "requested-attributes-missing-name"},
		{V2(METHODS("") ATTRIBUTES ORGANIZATION("Amt")), "empty-authentication-methods"},
	};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_saml_party(w, AKDB("required"));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ask(&b, "", rows[i].inner);
		assert_told(&b, rows[i].code);
	}
	ask(&b, "", "");
	assert_non_null(strstr(saml_response_of(&b), "KONTOR-30 akdb-extension-missing"));
	ask(&b, "", V2(ATTRIBUTES ORGANIZATION("Amt")));
	ASSERT_PAGE(&b, LOGIN);
}

static void
version_1_is_read_where_the_record_says_so(void **state)
{
	static const char old[] = V("1", ATTRIBUTES ORGANIZATION("Amt"));
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_saml_party(w, AKDB("v2"));
	ask(&b, "", old);
	assert_told(&b, "akdb-extension-v1-deprecated");
	world_saml_party(w, AKDB("v1"));
	ask(&b, "", old);
	ASSERT_PAGE(&b, LOGIN);
	ask(&b, "",
	    V("1", "<akdb:AllowedMethods><akdb:AuthnMethod>eID</akdb:AuthnMethod>"
		   "</akdb:AllowedMethods>"));
	assert_non_null(strstr(saml_response_of(&b), "KONTOR-27 no-means-allowed"));
}

static void
only_means_that_the_request_allows_are_offered(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_saml_party(w, AKDB("v2"));
	ask(&b, "",
	    V2(METHODS("<akdb:eID/><akdb:Benutzername><akdb:Enabled>false</akdb:Enabled>"
		       "</akdb:Benutzername>")));
	assert_non_null(strstr(saml_response_of(&b), "status:NoAuthnContext"));
	assert_non_null(strstr(saml_response_of(&b), "KONTOR-27 no-means-allowed"));
	ask(&b, "", V2(METHODS("<akdb:eID/><akdb:Benutzername/>")));
	ASSERT_PAGE(&b, LOGIN);
}

static void
consent_shows_the_service_and_is_asked_for_each(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_saml_party(w, AKDB("v2"));
	ask(&b, "", V2(ATTRIBUTES ORGANIZATION("Wohngeld &amp; <Dinge>")));
	log_in(&b, "karl");
	ASSERT_PAGE(&b, CONSENT);
	assert_true(web_shows(&b, "Wohngeld &amp;amp; &lt;Dinge&gt;"));
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_true(succeeded(&b));
	assert_string_equal(
		world_value(w, "SELECT details->>'online_service' FROM audit WHERE event = "
			       "'assertion' ORDER BY seq DESC LIMIT 1"),
		"BMI-4711");
	ask(&b, "", V2(ATTRIBUTES ORGANIZATION("Wohngeld &amp; <Dinge>")));
	assert_true(succeeded(&b));
	ask(&b, "", V2(ATTRIBUTES ORGANIZATION("Hundesteuer")));
	ASSERT_PAGE(&b, CONSENT);
	/* No service is none, by whatever name. */
	ask(&b, "", V2(ATTRIBUTES));
	web_submit(&b, "/flow/consent/", "do=agree");
	ask(&b, "", V2(ATTRIBUTES ORGANIZATION("(null)")));
	ASSERT_PAGE(&b, CONSENT);
}

/* Each no has a code of its own. */
static void
a_portal_can_tell_why_there_is_no_answer(void **state)
{
	static const char missing[] =
		V2("<akdb:RequestedAttributes><akdb:RequestedAttribute RequiredAttribute=\"true\" "
		   "Name=\"urn:oid:0.9.2342.19200300.100.1.40\"/></akdb:RequestedAttributes>");
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_saml_party(w, AKDB("v2"));
	ask(&b, "", "");
	web_submit(&b, "/flow/password/", "do=cancel");
	assert_non_null(strstr(saml_response_of(&b), "status:AuthnFailed"));
	assert_non_null(strstr(saml_response_of(&b), "KONTOR-23 login-cancelled"));
	ask(&b, "", "");
	log_in(&b, "karl");
	ASSERT_PAGE(&b, CONSENT);
	web_submit(&b, "/flow/consent/", "do=cancel");
	assert_non_null(strstr(saml_response_of(&b), "status:RequestDenied"));
	assert_non_null(strstr(saml_response_of(&b), "KONTOR-24 consent-refused"));
	ask(&b, " IsPassive=\"true\"", "");
	assert_non_null(strstr(saml_response_of(&b), "KONTOR-22 passive-consent"));
	ask(&b, " IsPassive=\"true\"", missing);
	assert_told(&b, "IDP_REQUIRED_ATTRIBUTES_MISSING");
	assert_non_null(
		strstr(saml_response_of(&b), "\"message\":\"urn:oid:0.9.2342.19200300.100.1.40\""));
	web_init(&b, w);
	ask(&b, " IsPassive=\"true\"", "");
	assert_non_null(strstr(saml_response_of(&b), "KONTOR-21 passive-login"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_a_record_demands_is_demanded),
		T(version_1_is_read_where_the_record_says_so),
		T(only_means_that_the_request_allows_are_offered),
		T(consent_shows_the_service_and_is_asked_for_each),
		T(a_portal_can_tell_why_there_is_no_answer),
	};

	return cmocka_run_group_tests_name("flow akdb", tests, steps_setup, world_teardown);
}
