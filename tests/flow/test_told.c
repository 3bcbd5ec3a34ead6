/*
 * What is kept of a logout is read as strictly as what comes from outside, portals may be gone
 * before they are told, and who answers by the browser says of what.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"
#include "saml/binding.h"
#include "saml/names.h"
#include "tests/flow/steps.h"

#define BAU "https://bau.example/metadata"

/* "karl" out at home, after he was at the SAML portal: at the page that leads him there. */
static void
leave(struct web *b, struct world *w)
{
	web_init(b, w);
	w->now += 2;
	ask(b, "", "");
	log_in(b, "karl");
	web_submit(b, "/flow/consent/", "do=agree");
	web_get(b, "/logout");
	web_submit(b, "/logout", "do=logout");
	assert_true(text_starts(b->path, "/logout/portals"));
	assert_int_equal(b->status, 200);
}

/* In all rows of this turn. */
static void
plant(struct world *w, const char *table, const char *column, const char *value)
{
	assert_string_not_equal(
		world_value(w, arena_printf(w->a,
					    "UPDATE %s SET %s = '%s' WHERE hash = (SELECT hash FROM"
					    " logout ORDER BY created DESC LIMIT 1) RETURNING 1",
					    table, column, value)),
		"");
}

static void
confirmed(struct web *b)
{
	web_get(b, "/logout/next");
	assert_true(text_starts(b->location, SAML_SLO "?SAMLRequest="));
	plant(b->w, "logout_portal", "state", "confirmed");
}

static void
a_way_back_that_does_not_read_leads_nowhere(void **state)
{
	static const char *const backs[] = {
		"x",
		"{\"party\": 5}",
		"{\"request\": 5}",
		"{\"binding\": \"x\"}",
		"{\"relay_state\": 5}",
		"{\"url\": 5}",
	};
	struct world *w = *state;
	struct web b;

	leave(&b, w);
	for (int all = 0; all < 2; all++) {
		for (size_t i = 0; i < ARRAY_LEN(backs); i++) {
			plant(w, "logout", "back", backs[i]);
			web_get(&b, "/logout/portals");
			assert_true(b.status >= 400);
			web_get(&b, "/logout/back");
			assert_true(b.status >= 400);
		}
		if (!all)
			confirmed(&b);
	}
	plant(w, "logout", "back", "{}");
	web_get(&b, "/logout/portals");
	assert_true(web_shows(&b, "Sie sind abgemeldet"));
}

static void
who_asked_and_cannot_be_answered_is_not(void **state)
{
	/* A portal that is none any more, and a client that has no such requests. */
	static const char *const gone[] = {
		"{\"request\": \"_told\", \"binding\": 1}",
		"{\"request\": \"_told\", \"binding\": 1, \"party\": \"" BAU "\"}",
		"{\"request\": \"_told\", \"binding\": 1, \"party\": \"" OIDC_CLIENT "\"}",
	};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
		leave(&b, w);
		plant(w, "logout", "back", gone[i]);
		web_get(&b, "/logout/back");
		assert_int_equal(b.status, 200);
		assert_true(web_shows(&b, "Sie sind abgemeldet"));
	}
	/* One without an endpoint for it. */
	for (int all = 0; all < 2; all++) {
		leave(&b, w);
		if (all)
			confirmed(&b);
		plant(w, "logout", "back",
		      "{\"request\": \"_told\", \"party\": \"" SAML_PARTY "\"}");
		w->slo = "";
		world_saml_party(w, POLICY);
		web_get(&b, all ? "/logout/portals" : "/logout/back");
		assert_int_equal(b.status, 400);
		w->slo = NULL;
		world_saml_party(w, POLICY);
	}
}

static void
who_wanted_the_browser_back_gets_it_by_a_link(void **state)
{
	struct world *w = *state;
	struct web b;

	leave(&b, w);
	plant(w, "logout", "back", "{\"url\": \"https://stadtportal.example/bye\"}");
	web_get(&b, "/logout/next");
	web_get(&b, "/logout/portals");
	assert_true(web_shows(&b, "href=\"/logout/back\""));
	web_get(&b, "/logout/back");
	assert_string_equal(b.location, "https://stadtportal.example/bye");
}

/* ---- portals that change before they are told ---- */

static void
set_enabled(struct world *w, bool enabled)
{
	if (!enabled)
		world_disable(w, SAML_PARTY);
	else
		assert_string_equal(
			world_value(w, "UPDATE party SET enabled = true WHERE id = '" SAML_PARTY
				       "' RETURNING 1"),
			"1");
	if (enabled)
		world_saml_party(w, POLICY);
}

static void
a_portal_that_is_gone_is_passed_over(void **state)
{
	struct world *w = *state;
	struct web b;

	leave(&b, w);
	set_enabled(w, false);
	web_get(&b, "/logout/next");
	assert_string_equal(b.path, "/logout/portals");
	assert_int_equal(b.status, 200);
	assert_true(web_shows(&b, SAML_PARTY)); /* nobody knows its name any more */
	assert_false(web_shows(&b, "href=\"https://amt24.example/"));
	set_enabled(w, true);
	web_get(&b, "/logout/portals");
	assert_true(web_shows(&b, "href=\"https://amt24.example/"));

	leave(&b, w);
	w->slo = "";
	world_saml_party(w, POLICY);
	web_get(&b, "/logout/next");
	assert_string_equal(b.path, "/logout/portals");
	w->slo = NULL;
	world_saml_party(w, POLICY);

	leave(&b, w);
	plant(w, "logout_portal", "party", OIDC_CLIENT);
	web_get(&b, "/logout/next");
	assert_string_equal(b.path, "/logout/portals");
	assert_true(web_shows(&b, "href=\"https://stadtportal.example/"));
}

static void
a_portal_without_an_address_of_ours_is_not_linked_to(void **state)
{
	static const char other[] = "UPDATE party SET document = "
				    "convert_to(replace(convert_from(document, 'UTF8'), '%s',"
				    " '%s'), 'UTF8') WHERE id = '" SAML_PARTY "' RETURNING 1";
	static const char post[] = "bindings:HTTP-POST\" Location=\"" SAML_ACS,
			  sign[] = "bindings:HTTP-POST-SimpleSign\" Location=\"" SAML_ACS;
	struct world *w = *state;
	struct web b;

	leave(&b, w);
	web_get(&b, "/logout/next");
	assert_string_equal(world_value(w, arena_printf(w->a, other, post, sign)), "1");
	world_oidc_party(w, "{}"); /* and all others anew */
	web_get(&b, "/logout/portals");
	assert_int_equal(b.status, 200);
	assert_true(web_shows(&b, "Amt24"));
	assert_false(web_shows(&b, "href=\"https://amt24.example/"));
	world_saml_party(w, POLICY);
}

static void
a_portal_that_was_gone_before_cannot_be_told(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "karl");
	web_submit(&b, "/flow/consent/", "do=agree");
	set_enabled(w, false);
	web_get(&b, "/logout");
	web_submit(&b, "/logout", "do=logout");
	assert_int_equal(b.status, 200);
	assert_true(web_shows(&b, "kann von hier nicht"));
	set_enabled(w, true);
}

/* The LogoutRequest that the browser is sent on with. */
static const char *
request_told(struct web *b)
{
	struct arena *a = b->w->a;
	struct saml_wire wire;
	struct err err = {0};

	assert_true(text_starts(b->location, SAML_SLO "?SAMLRequest="));
	ASSERT_OK(saml_binding_decode(a, SAML_BINDING_REDIRECT,
				      bytes_of(strchr(b->location, '?') + 1), &wire, &err),
		  &err);
	return (const char *)arena_bytes(a, wire.xml).p;
}

/* One name, and all sessions of it, in as many requests as that takes. */
static void
a_portal_with_many_sessions_is_told_of_each(void **state)
{
	struct world *w = *state;
	const char *told = "";
	size_t n = 0;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "karl");
	web_submit(&b, "/flow/consent/", "do=agree");
	const char *first = between(w->a, saml_response_of(&b), "SessionIndex=\"", "\"");

	assert_string_equal(
		world_value(
			w,
			"WITH p AS (SELECT * FROM session_participant ORDER BY at DESC LIMIT 1),"
			" more AS (INSERT INTO session_participant (sid, party, dialect, name_id,"
			" session_index, at, name_format) SELECT sid, party, dialect, name_id,"
			" '_many' || n, at + n, name_format FROM p, generate_series(1, 40) n"
			" RETURNING 1) SELECT count(*) FROM more"),
		"40");
	web_get(&b, "/logout");
	web_submit(&b, "/logout", "do=logout");
	assert_string_equal(world_value(w, "SELECT count(*) FROM logout_portal WHERE hash = (SELECT"
					   " hash FROM logout ORDER BY created DESC LIMIT 1)"),
			    "2");
	for (int i = 0; i < 2; i++) {
		web_get(&b, "/logout/next");
		told = arena_printf(w->a, "%s%s", told, request_told(&b));
	}
	for (const char *at = told; (at = strstr(at, "<samlp:SessionIndex>")) != NULL; at++)
		n++;
	assert_int_equal(n, 41);
	assert_non_null(strstr(told, arena_printf(w->a, ">%s</samlp:SessionIndex>", first)));
	for (int i = 1; i <= 40; i++)
		assert_non_null(
			strstr(told, arena_printf(w->a, ">_many%d</samlp:SessionIndex>", i)));
}

/* Who asks has named one of its logins; of the others of that session it hears. */
static void
who_asks_is_told_of_what_it_did_not_name(void **state)
{
	struct world *w = *state;
	const char *first, *second, *request;
	struct web b;

	web_init(&b, w);
	w->now += 2;
	ask(&b, "", "");
	log_in(&b, "karl");
	web_submit(&b, "/flow/consent/", "do=agree");
	first = between(w->a, saml_response_of(&b), "SessionIndex=\"", "\"");
	ask(&b, "", "");
	if (page_of(&b) == CONSENT)
		web_submit(&b, "/flow/consent/", "do=agree");
	second = between(w->a, saml_response_of(&b), "SessionIndex=\"", "\"");
	const char *name = between(w->a, strstr(saml_response_of(&b), "<saml:NameID"), ">", "<");

	web_get(&b, saml_logout_url(w, "_of_one_login", name, second));
	assert_true(text_starts(b.path, "/logout/portals"));
	web_get(&b, "/logout/next");
	request = request_told(&b);
	assert_non_null(strstr(request, arena_printf(w->a, ">%s</samlp:SessionIndex>", first)));
	assert_null(strstr(request, second));
	/* Not confirmed, and not said to be. */
	web_get(&b, "/logout/next");
	web_get(&b, "/logout/back");
	assert_true(text_starts(b.location, SAML_SLO "?SAMLResponse="));
	struct saml_wire wire;
	struct err err = {0};

	ASSERT_OK(saml_binding_decode(w->a, SAML_BINDING_REDIRECT,
				      bytes_of(strchr(b.location, '?') + 1), &wire, &err),
		  &err);
	assert_non_null(strstr((const char *)arena_bytes(w->a, wire.xml).p, "PartialLogout"));
}

static void
what_is_to_be_told_and_does_not_read_is_not_told(void **state)
{
	static const char *const contents[] = {
		"x",
		"{\"name_id\": 5}",
		"{\"name_id\": \"n\", \"format\": 5}",
		"{\"name_id\": \"n\", \"sessions\": 5}",
		"{}",
	};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
		leave(&b, w);
		plant(w, "logout_portal", "content", contents[i]);
		web_get(&b, "/logout/next");
		assert_int_equal(b.status, 200);
		assert_true(text_starts(b.path, "/logout/portals"));
		assert_true(web_shows(&b, "Nicht alle Portale haben"));
	}
}

static const char *
name_told(struct web *b)
{
	return between(b->w->a, request_told(b), "<saml:NameID", "</saml:");
}

/* As the assertion had it: without a format, and as an address, it has no qualifiers. */
static void
a_name_is_told_as_the_assertion_had_it(void **state)
{
	static const char *const plain[] = {
		"{\"name_id\": \"n\"}",
		"{\"name_id\": \"n\", \"format\": \"\"}",
		"{\"name_id\": \"n\", \"format\": \"" SAML_NAMEID_EMAIL "\"}",
	};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		leave(&b, w);
		plant(w, "logout_portal", "content", plain[i]);
		web_get(&b, "/logout/next");
		assert_null(strstr(name_told(&b), "NameQualifier"));
		assert_int_equal(strstr(name_told(&b), "Format") != NULL, i == 2);
	}
	leave(&b, w);
	web_get(&b, "/logout/next");
	assert_non_null(strstr(name_told(&b), " SPNameQualifier=\"" SAML_PARTY "\""));
	assert_non_null(strstr(name_told(&b), " NameQualifier=\"" BASE));
}

/* ---- answers through the browser ---- */

/* An unsigned answer by POST; `more`: further attributes. */
static void
answer(struct web *b, const char *more)
{
	struct world *w = b->w;
	const char *xml = arena_printf(
		w->a,
		"<samlp:LogoutResponse xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
		"xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_told%lld\" "
		"Version=\"2.0\" "
		"IssueInstant=\"%s\" Destination=\"" BASE "/saml/slo\"%s><saml:Issuer>" SAML_PARTY
		"</saml:Issuer><samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:"
		"status:Success\"/></samlp:Status></samlp:LogoutResponse>",
		(long long)w->now, clock_text(w->a, w->now), more);
	struct buf form;

	buf_init(&form, w->a, 65536);
	buf_str(&form, "SAMLResponse=");
	enc_percent(&form, bytes_of(enc_base64(w->a, bytes_of(xml))));
	web_foreign_post(b, "/saml/slo", (const char *)form.p);
}

static void
an_answer_says_to_what(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	answer(&b, " InResponseTo=\"_nothing\"");
	assert_int_equal(b.status, 200); /* the browser goes on */
	assert_string_equal(b.path, "/logout");
	answer(&b, "");
	assert_int_equal(b.status, 400);
	web_foreign_post(&b, "/saml/slo", "SAMLResponse=x");
	assert_int_equal(b.status, 400);
}

#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_way_back_that_does_not_read_leads_nowhere),
		T(who_asked_and_cannot_be_answered_is_not),
		T(who_wanted_the_browser_back_gets_it_by_a_link),
		T(a_portal_that_is_gone_is_passed_over),
		T(a_portal_without_an_address_of_ours_is_not_linked_to),
		T(a_portal_that_was_gone_before_cannot_be_told),
		T(a_portal_with_many_sessions_is_told_of_each),
		T(who_asks_is_told_of_what_it_did_not_name),
		T(what_is_to_be_told_and_does_not_read_is_not_told),
		T(a_name_is_told_as_the_assertion_had_it),
		T(an_answer_says_to_what),
	};

	return cmocka_run_group_tests_name("flow told", tests, steps_setup, world_teardown);
}
