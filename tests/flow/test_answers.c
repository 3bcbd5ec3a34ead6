/* What a portal gets in the end: by consent, never by a forged form, once; and its logout. */
#include "base/buf.h"
#include "base/enc.h"
#include "base/text.h"
#include "saml/binding.h"
#include "tests/flow/steps.h"

/* ---- consent ---- */

static void
a_forged_consent_gives_what_was_offered_and_no_more(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "karl");
	const char *page = b.body;
	const char *flow = flow_of(&b);

	assert_false(web_shows(&b, "name=\"attr_family_name\""));
	web_submit(&b, "/flow/consent/", "attr_email=1"); /* no button */
	ASSERT_PAGE(&b, CONSENT);
	web_submit(&b, "/flow/consent/", "do=yes");
	ASSERT_PAGE(&b, CONSENT);
	web_post_from(&b, BASE, arena_printf(w->a, "/flow/consent/%s", flow),
		      arena_printf(w->a, "csrf=%s&do=agree", web_field(&b, "csrf")));
	ASSERT_PAGE(&b, CONSENT); /* no offer */
	web_post_from(&b, BASE, arena_printf(w->a, "/flow/consent/%s", flow),
		      arena_printf(w->a, "csrf=%s&offer=0f1e&do=agree", web_field(&b, "csrf")));
	ASSERT_PAGE(&b, CONSENT);
	b.body = page;
	web_submit(&b, "/flow/consent/", "attr_given_names=1&attr_nonsense=1&do=agree");
	assert_true(succeeded(&b));
	const char *response = saml_response_of(&b);

	assert_non_null(strstr(response, ">Mustermann<")); /* required: not to be left out */
	assert_null(strstr(response, ">Erika<"));          /* not offered */
	assert_null(strstr(response, "erika@example"));    /* not ticked */
}

/* Another tab has agreed meanwhile: here it is still no. */
static void
who_says_no_is_not_taken_at_another_tabs_word(void **state)
{
	struct world *w = *state;
	struct web b, other;

	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid email", ""));
	log_in(&b, "karl");
	ASSERT_PAGE(&b, CONSENT);
	other = b;
	web_get(&other, oidc_request_url(w, "openid email", ""));
	ASSERT_PAGE(&other, CONSENT);
	web_submit(&other, "/flow/consent/", "attr_email=1&do=agree");
	assert_non_null(location_param(&other, "code"));
	web_submit(&b, "/flow/consent/", "do=cancel");
	assert_string_equal(location_param(&b, "error"), "access_denied");
}

static void
a_stored_consent_passes_as_long_as_it_fits(void **state)
{
	static const char *const changes[] = {
		"{\"attribute\":[\"family_name:required\",\"email\",\"given_names\"]}",
		"{\"attribute\":[\"family_name:required\",\"email:required\"]}",
		"{\"attribute\":[\"family_name:required\",\"email\"],\"purpose-de\":\"Neu\"}",
	};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		world_saml_party(w, "{\"attribute\":[\"family_name:required\",\"email\"]}");
		web_init(&b, w);
		ask(&b, "", "");
		log_in(&b, "karl");
		if (page_of(&b) == CONSENT)
			web_submit(&b, "/flow/consent/", "do=agree");
		assert_true(succeeded(&b));
		ask(&b, "", "");
		assert_true(succeeded(&b));
		assert_null(strstr(saml_response_of(&b), "erika@example"));
		world_saml_party(w, changes[i]);
		ask(&b, " IsPassive=\"true\"", "");
		assert_non_null(strstr(saml_response_of(&b), "NoPassive"));
		ask(&b, "", "");
		ASSERT_PAGE(&b, CONSENT);
		web_submit(&b, "/flow/consent/", "do=agree");
		world_saml_party(w, "{\"attribute\":[\"family_name:required\",\"email\"]}");
		ask(&b, "", "");
		ASSERT_PAGE(&b, CONSENT);
		web_submit(&b, "/flow/consent/", "do=agree");
	}
	web_get(&b, "/account");
	web_submit(&b, "/account", "do=withdraw&consent=https%3A%2F%2Famt24.example%2Fmetadata");
	assert_true(web_shows(&b, "role=\"status\""));
	ask(&b, "", "");
	ASSERT_PAGE(&b, CONSENT);
	world_saml_party(w, POLICY);
}

/* ---- what cannot be given ---- */

static void
who_lacks_something_required_is_told_before_the_portal_is(void **state)
{
	struct world *w = *state;
	struct web b;

	world_saml_party(w, "{\"attribute\":[\"family_name\",\"title:required\"]}");
	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "karl");
	ASSERT_PAGE(&b, MISSING);
	assert_true(web_shows(&b, "Amt24"));
	assert_non_null(strstr(b.csp, "form-action 'self' https://amt24.example"));
	web_submit(&b, "/flow/consent/", "do=agree");
	ASSERT_PAGE(&b, MISSING);
	web_submit(&b, "/flow/consent/", "do=cancel");
	assert_non_null(strstr(saml_response_of(&b), "RequestDenied"));
	assert_null(strstr(saml_response_of(&b), "Mustermann"));
	ask(&b, " IsPassive=\"true\"", "");
	assert_non_null(strstr(saml_response_of(&b), "RequestDenied"));
	world_saml_party(w, POLICY);
	/* Begun by POST, the session is read on the flow's page; that shows none either. */
	world_oidc_party(w, "{\"attribute\":[\"title:required\"]}");
	const char *url = oidc_request_url(w, "openid profile", "&prompt=none");

	web_foreign_post(&b, "/oidc/authorize", strchr(url, '?') + 1);
	assert_string_equal(location_param(&b, "error"), "access_denied");
	world_oidc_party(w, "{}");
}

static void
who_needs_an_office_for_the_second_means_is_told_so(void **state)
{
	struct world *w = *state;
	struct web b;

	world_person(w, "vouched", PASSWORD, everybody, LEVEL_SUBSTANTIAL);
	web_init(&b, w);
	ask(&b, "", LEVEL3);
	log_in(&b, "vouched");
	assert_int_equal(b.status, 200);
	ASSERT_PAGE(&b, OTHER);
	assert_true(web_shows(&b, "Authenticator-App"));
	web_submit(&b, "/flow/totp/", "do=cancel");
	assert_non_null(strstr(saml_response_of(&b), "AuthnFailed"));
}

/* ---- at once ---- */

static void
a_form_sent_many_times_at_once_answers_once(void **state)
{
	struct world *w = *state;
	struct web b;

	for (int i = 0; i < 4; i++) {
		web_init(&b, w);
		ask(&b, "", "");
		log_in(&b, "karl");
		web_fill_in(&b, "/flow/consent/", "do=agree");
		assert_int_equal(web_at_once(&b, NULL, "name=\"SAMLResponse\""), 1);
	}
}

static void
an_expired_login_is_begun_again_once(void **state)
{
	struct world *w = *state;
	struct web b;

	for (int i = 0; i < 4; i++) {
		web_init(&b, w);
		ask(&b, "", "");
		const char *again = arena_printf(w->a, "/flow/restart/%s", flow_of(&b));

		w->now += 3700;
		web_submit(&b, "/flow/password/", "do=cancel"); /* of a page that is too old */
		assert_true(web_shows(&b, again));
		assert_int_equal(web_at_once(&b, again, "/flow/"), 1);
	}
}

/* ---- logout by a portal ---- */

/* The message in the URL that the browser is sent to, inflated. */
static const char *
redirected_xml(struct web *b)
{
	struct arena *a = b->w->a;
	struct saml_wire wire;
	struct err err = {0};

	assert_non_null(b->location);
	ASSERT_OK(saml_binding_decode(a, SAML_BINDING_REDIRECT,
				      bytes_of(strchr(b->location, '?') + 1), &wire, &err),
		  &err);
	return (const char *)arena_bytes(a, wire.xml).p;
}

static const char *
name_id(struct world *w, const char *response)
{
	const char *element = between(w->a, response, "<saml:NameID", "</saml:NameID>");

	assert_non_null(element);
	return strchr(element, '>') + 1;
}

static void
a_portals_logout_ends_the_session_it_names_and_no_other(void **state)
{
	struct world *w = *state;
	struct web b, other;

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "karl");
	web_submit(&b, "/flow/consent/", "do=agree");
	const char *response = saml_response_of(&b);

	web_init(&other, w);
	log_in_aside(&other, "erika");
	const char *cookie = web_cookie(&other, "__Host-session");

	/* The link is opened at another browser than the one that logged in. */
	web_get(&other, saml_logout_url(w, "_out1", name_id(w, response),
					between(w->a, response, "SessionIndex=\"", "\"")));
	assert_true(text_starts(other.location, SAML_SLO "?SAMLResponse="));
	assert_non_null(web_cookie(&other, "__Host-session"));
	assert_string_equal(web_cookie(&other, "__Host-session"), cookie);
	web_get(&other, "/account");
	assert_null(web_field(&other, "password"));
	web_get(&b, "/account");
	ASSERT_PAGE(&b, LOGIN);
}

static void
a_portals_logout_without_an_index_ends_all_its_sessions_of_that_person(void **state)
{
	static const char persistent[] =
		"<samlp:NameIDPolicy Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:"
		"persistent\" AllowCreate=\"true\"/>";
	struct world *w = *state;
	struct web b[2];
	const char *name = NULL;

	for (int i = 0; i < 2; i++) {
		web_init(&b[i], w);
		ask(&b[i], "", persistent);
		log_in(&b[i], "karl");
		web_submit(&b[i], "/flow/consent/", "do=agree");
		name = name_id(w, saml_response_of(&b[i]));
	}
	const char *url = saml_logout_url(w, "_out2", name, NULL);

	/* Nobody but the portal may say so (CVE-2016-8638). */
	web_get(&b[0], unsigned_url(w, url));
	assert_int_equal(b[0].status, 403);
	for (int i = 0; i < 2; i++) {
		web_get(&b[i], "/account");
		assert_null(web_field(&b[i], "password"));
	}
	web_get(&b[0], url);
	assert_null(web_cookie(&b[0], "__Host-session"));
	for (int i = 0; i < 2; i++) {
		web_get(&b[i], "/account");
		ASSERT_PAGE(&b[i], LOGIN);
	}
}

static void
an_endpoint_takes_its_own_kind_of_message(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *url = saml_request_url(w, "_kind1", "", "");

	web_get(&b, arena_printf(w->a, "/saml/slo%s", strchr(url, '?')));
	assert_int_equal(b.status, 400);
	url = saml_logout_url(w, "_kind2", "x", "y");
	web_get(&b, arena_printf(w->a, "/saml/sso%s", strchr(url, '?')));
	assert_int_equal(b.status, 400);
	/* And from a party of its own dialect. */
	static const char xml[] =
		"<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
		"xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_kind3\" "
		"Version=\"2.0\" IssueInstant=\"2026-01-01T00:00:00Z\"><saml:Issuer>" OIDC_CLIENT
		"</saml:Issuer></samlp:AuthnRequest>";
	struct buf form;

	buf_init(&form, w->a, 8192);
	buf_str(&form, "SAMLRequest=");
	enc_percent(&form, bytes_of(enc_base64(w->a, bytes_of(xml))));
	web_foreign_post(&b, "/saml/sso", (const char *)form.p);
	assert_int_equal(b.status, 404);
}

static void
a_logout_tells_of_portals_that_were_not_reached(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "karl");
	web_submit(&b, "/flow/consent/", "do=agree");
	const char *response = saml_response_of(&b);

	web_get(&b, oidc_request_url(w, "openid", ""));
	if (page_of(&b) == CONSENT)
		web_submit(&b, "/flow/consent/", "do=agree");
	ASSERT_PAGE(&b, ANSWER);
	web_get(&b, saml_logout_url(w, "_out3", name_id(w, response),
				    between(w->a, response, "SessionIndex=\"", "\"")));
	/* The page says which, then the portal that asked is answered. */
	assert_true(web_shows(&b, "Stadtportal"));
	web_get(&b, "/logout/back");
	const char *answer = redirected_xml(&b);

	assert_non_null(strstr(answer, "PartialLogout"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)

/* ---- by which name ---- */

#define PERSISTENT_FORMAT         "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
#define EMAIL_FORMAT              "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
#define NAME_POLICY(format, more) "<samlp:NameIDPolicy Format=\"" format "\"" more "/>"
#define CREATE                    " AllowCreate=\"true\""

static const char *
name_in(struct web *b)
{
	const char *to_name = strstr(saml_response_of(b), "<saml:NameID");

	return to_name == NULL ? NULL : between(b->w->a, to_name, ">", "</saml:NameID>");
}

static void
an_address_names_where_the_record_and_the_person_agree(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", NAME_POLICY(EMAIL_FORMAT, ""));
	assert_non_null(strstr(saml_response_of(&b), "InvalidNameIDPolicy"));
	world_saml_party(w, "{\"attribute\":[\"family_name\"],\"nameid\":[\"email\"]}");
	ask(&b, "", "");
	assert_non_null(strstr(saml_response_of(&b), "InvalidNameIDPolicy"));
	world_saml_party(w, "{\"attribute\":[\"family_name\",\"email\"],"
			    "\"nameid\":[\"transient\",\"email\"]}");
	ask(&b, "", NAME_POLICY(EMAIL_FORMAT, ""));
	log_in(&b, "karl");
	ASSERT_PAGE(&b, CONSENT);
	assert_false(web_shows(&b, "name=\"attr_email\"")); /* not to be left out */
	assert_true(web_shows(&b, "name=\"attr_family_name\""));
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_true(succeeded(&b));
	assert_string_equal(name_in(&b), "erika@example.invalid");
	assert_non_null(strstr(saml_response_of(&b), "Format=\"" EMAIL_FORMAT "\""));
	assert_null(strstr(saml_response_of(&b), ">Mustermann<"));
	ask(&b, " ForceAuthn=\"true\"", NAME_POLICY(EMAIL_FORMAT, ""));
	log_in(&b, "erika"); /* with more, it still is the address */
	web_submit(&b, "/flow/consent/", "attr_family_name=1&do=agree");
	assert_non_null(strstr(saml_response_of(&b), ">Mustermann<"));
	assert_string_equal(name_in(&b), "erika@example.invalid");
	/* Of whom it is known that there is none cannot be named by it. */
	static const char *const unreachable[] = {"family_name", "Muster", "email", NULL, NULL};

	world_person(w, "ohne", PASSWORD, unreachable, LEVEL_BASIC);
	log_out(&b);
	ask(&b, "", NAME_POLICY(EMAIL_FORMAT, ""));
	log_in(&b, "ohne");
	ASSERT_PAGE(&b, MISSING);
	web_submit(&b, "/flow/consent/", "do=cancel");
	assert_non_null(strstr(saml_response_of(&b), "RequestDenied"));
	log_out(&b);
	ask(&b, "", "");
	log_in(&b, "karl");
	ask(&b, "", ""); /* by another name again, nothing more than agreed to is told */
	if (page_of(&b) == CONSENT)
		web_submit(&b, "/flow/consent/", "do=agree");
	assert_null(strstr(saml_response_of(&b), "erika@example"));
	world_saml_party(w, POLICY);
}

static void
who_has_no_name_yet_gets_none_without_leave(void **state)
{
	struct world *w = *state;
	struct web b;

	world_saml_party(w, "{\"attribute\":[\"family_name:required\"],\"sector\":\"neu\"}");
	web_init(&b, w);
	ask(&b, "", NAME_POLICY(PERSISTENT_FORMAT, ""));
	log_in(&b, "karl");
	assert_non_null(strstr(saml_response_of(&b), "InvalidNameIDPolicy"));
	assert_null(strstr(saml_response_of(&b), "Assertion"));
	ask(&b, "", NAME_POLICY(PERSISTENT_FORMAT, CREATE));
	ASSERT_PAGE(&b, CONSENT);
	web_submit(&b, "/flow/consent/", "do=agree");
	const char *name = name_in(&b);

	assert_non_null(name);
	ask(&b, "", NAME_POLICY(PERSISTENT_FORMAT, ""));
	assert_string_equal(name_in(&b), name);
	world_saml_party(w, "{\"attribute\":[\"family_name:required\"],\"sector\":\"neuer\","
			    "\"create\":\"always\"}");
	ask(&b, "", NAME_POLICY(PERSISTENT_FORMAT, ""));
	if (page_of(&b) == CONSENT)
		web_submit(&b, "/flow/consent/", "do=agree");
	assert_true(succeeded(&b));
	world_saml_party(w, POLICY);
}

/* SAML2Core 3.4.1: the Subject asked for is the one that is answered about. */
static void
only_the_person_asked_for_answers(void **state)
{
	struct world *w = *state;
	struct web b, other;

	world_saml_party(w, "{\"attribute\":[\"family_name:required\"]}");
	web_init(&b, w);
	ask(&b, "", NAME_POLICY(PERSISTENT_FORMAT, CREATE));
	log_in(&b, "karl");
	if (page_of(&b) == CONSENT)
		web_submit(&b, "/flow/consent/", "do=agree");
	const char *subject = arena_printf(
		w->a, "<saml:Subject><saml:NameID>%s</saml:NameID></saml:Subject>", name_in(&b));

	ask(&b, "", subject);
	assert_true(succeeded(&b));
	web_init(&other, w);
	ask(&other, "", subject);
	log_in(&other, "erika");
	assert_non_null(strstr(saml_response_of(&other), "UnknownPrincipal"));
	assert_null(strstr(saml_response_of(&other), "Assertion"));
	ask(&other, " IsPassive=\"true\"", subject);
	assert_non_null(strstr(saml_response_of(&other), "UnknownPrincipal"));
	world_saml_party(w, POLICY);
}

/* ---- what describes the login ---- */

#define AKDB(more, inner)                                                                 \
	"<samlp:Extensions><akdb:AuthenticationRequest "                                  \
	"xmlns:akdb=\"https://www.akdb.de/request/2018/09\" Version=\"2\"" more ">" inner \
	"</akdb:AuthenticationRequest></samlp:Extensions>"
#define LOGIN_LEVEL "urn:oid:1.2.40.0.10.2.1.1.261.94"
#define LEVELS      "urn:kontor:attribute-levels"

static const char *const describing[] = {
	LOGIN_LEVEL,
	LEVELS,
	"urn:oid:1.3.6.1.4.1.25484.494450.3", /* bPK2 */
	"urn:oid:1.3.6.1.4.1.25484.494450.2", /* AssertionProvedBy */
	"urn:oid:1.3.6.1.4.1.25484.494450.7", /* mfa */
};

static bool
tells(struct web *b, const char *name)
{
	return strstr(saml_response_of(b), arena_printf(b->w->a, "Name=\"%s\"", name)) != NULL;
}

static void
what_describes_the_login_is_told_to_who_asks(void **state)
{
	struct world *w = *state;
	struct web b;

	world_saml_party(w, "{\"attribute\":[\"family_name:required\"],\"consent\":\"always\"}");
	web_init(&b, w);
	log_in_aside(&b, "erika");
	for (size_t i = 0; i <= ARRAY_LEN(describing); i++) {
		const char *inner =
			i == ARRAY_LEN(describing)
				? ""
				: arena_printf(w->a,
					       AKDB("", "<akdb:RequestedAttributes>"
							"<akdb:RequestedAttribute Name=\"%s\"/>"
							"<akdb:RequestedAttribute "
							"Name=\"urn:oid:2.5.4.4\"/>"
							"</akdb:RequestedAttributes>"),
					       describing[i]);

		ask(&b, "", inner);
		assert_false(web_shows(&b, "Diese Angaben sind freiwillig"));
		web_submit(&b, "/flow/consent/", "do=agree");
		for (size_t k = 0; k < ARRAY_LEN(describing); k++)
			assert_int_equal(tells(&b, describing[k]), k == i);
	}
	/* A record may say that levels are always told, and tells nothing else by it. */
	world_saml_party(w, "{\"attribute\":[\"family_name:required\"],\"consent\":\"always\","
			    "\"level-attributes\":\"yes\",\"vocabulary\":\"eidas\"}");
	ask(&b, "", "");
	web_submit(&b, "/flow/consent/", "do=agree");
	for (size_t k = 0; k < ARRAY_LEN(describing); k++)
		assert_int_equal(tells(&b, describing[k]), k < 2);
	assert_non_null(strstr(saml_response_of(&b), "=http://eidas.europa.eu/LoA/low<"));
	/* For a level that has no word, none is told. */
	log_out(&b);
	log_in_aside(&b, "karl");
	ask(&b, "", "");
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_true(succeeded(&b));
	assert_false(tells(&b, LEVELS));
	world_saml_party(w, POLICY);
}

static void
what_is_missing_is_named_to_who_asks_for_it(void **state)
{
	static const char detail[] = "IDP_REQUIRED_ATTRIBUTES_MISSING";
	struct world *w = *state;
	struct web b;

	world_saml_party(w, "{\"attribute\":[\"family_name\",\"title:required\"]}");
	web_init(&b, w);
	log_in_aside(&b, "karl");
	ask(&b, " IsPassive=\"true\"", AKDB(" EnableStatusDetail=\"true\"", ""));
	assert_non_null(strstr(saml_response_of(&b), detail));
	ask(&b, " IsPassive=\"true\"", AKDB(" EnableStatusDetail=\"false\"", ""));
	assert_null(strstr(saml_response_of(&b), detail));
	world_saml_party(w, POLICY);
}

/* ---- nobody asked ---- */

#define UNSOLICITED "/saml/unsolicited?providerId=https%3A%2F%2Famt24.example%2Fmetadata"

static void
a_link_signs_on_where_the_record_permits_it(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, UNSOLICITED);
	assert_int_equal(b.status, 403);
	world_saml_party(w, "{\"attribute\":[\"family_name:required\"],\"unsolicited\":\"yes\"}");
	web_get(&b, UNSOLICITED "&target=https%3A%2F%2Famt24.example%2Fantrag%3Fa%26b");
	ASSERT_PAGE(&b, LOGIN);
	log_in(&b, "karl");
	if (page_of(&b) == CONSENT)
		web_submit(&b, "/flow/consent/", "do=agree");
	assert_true(succeeded(&b));
	const char *response = saml_response_of(&b);

	assert_null(strstr(response, "InResponseTo"));
	assert_non_null(strstr(response, "Recipient=\"" SAML_ACS "\""));
	assert_string_equal(web_field(&b, "RelayState"), "https://amt24.example/antrag?a&b");
	world_saml_party(w, POLICY);
}

static void
a_link_names_a_party_and_a_place_that_are_registered(void **state)
{
	static const struct {
		const char *url;
		int status;
	} cases[] = {
		{"/saml/unsolicited", 404},
		{"/saml/unsolicited?providerId=https%3A%2F%2Fother.example", 404},
		{"/saml/unsolicited?providerId=" OIDC_CLIENT, 404},
		{UNSOLICITED "&shire=https%3A%2F%2Fevil.example%2Facs", 403},
		{UNSOLICITED "&target=a&target=b", 400},
	};
	struct world *w = *state;
	struct web b;

	world_saml_party(w, "{\"attribute\":[\"family_name:required\"],\"unsolicited\":\"yes\"}");
	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		web_get(&b, cases[i].url);
		assert_int_equal(b.status, cases[i].status);
	}
	char *much =
		memset(arena_alloc(w->a, SAML_RELAY_STATE_MAX + 2), 'a', SAML_RELAY_STATE_MAX + 1);

	web_get(&b, arena_printf(w->a, "%s&target=%s", UNSOLICITED, much));
	assert_int_equal(b.status, 400);
	world_saml_party(w, POLICY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_forged_consent_gives_what_was_offered_and_no_more),
		T(who_says_no_is_not_taken_at_another_tabs_word),
		T(a_stored_consent_passes_as_long_as_it_fits),
		T(who_lacks_something_required_is_told_before_the_portal_is),
		T(who_needs_an_office_for_the_second_means_is_told_so),
		T(a_form_sent_many_times_at_once_answers_once),
		T(an_expired_login_is_begun_again_once),
		T(a_portals_logout_ends_the_session_it_names_and_no_other),
		T(a_portals_logout_without_an_index_ends_all_its_sessions_of_that_person),
		T(an_endpoint_takes_its_own_kind_of_message),
		T(a_logout_tells_of_portals_that_were_not_reached),
		T(an_address_names_where_the_record_and_the_person_agree),
		T(who_has_no_name_yet_gets_none_without_leave),
		T(only_the_person_asked_for_answers),
		T(what_describes_the_login_is_told_to_who_asks),
		T(what_is_missing_is_named_to_who_asks_for_it),
		T(a_link_signs_on_where_the_record_permits_it),
		T(a_link_names_a_party_and_a_place_that_are_registered),
	};

	return cmocka_run_group_tests_name("flow answers", tests, steps_setup, world_teardown);
}
