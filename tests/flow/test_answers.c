/* What a portal gets in the end: by consent, never by a forged form, once; and its logout. */
#include "base/buf.h"
#include "base/enc.h"
#include "base/text.h"
#include "saml/binding.h"
#include "tests/flow/steps.h"

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
	const char *answer = redirected_xml(&b);

	assert_non_null(strstr(answer, "PartialLogout"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(who_lacks_something_required_is_told_before_the_portal_is),
		T(who_needs_an_office_for_the_second_means_is_told_so),
		T(a_portals_logout_ends_the_session_it_names_and_no_other),
		T(a_portals_logout_without_an_index_ends_all_its_sessions_of_that_person),
		T(an_endpoint_takes_its_own_kind_of_message),
		T(a_logout_tells_of_portals_that_were_not_reached),
	};

	return cmocka_run_group_tests_name("flow answers", tests, steps_setup, world_teardown);
}
