/* Whole SAML logins: portal, login, step-up, consent, Response, logout. */
#include "base/clock.h"
#include "base/text.h"
#include "db/account.h"
#include "saml/names.h"
#include "tests/flow/world.h"

#define PASSWORD "Lachs-Turmuhr-47"
#define LOGIN    "login_name=erika&password=" PASSWORD "&do=login"
#define POLICY   "{\"attribute\":[\"family_name:required\",\"email\"],\"level-attributes\":\"yes\"}"
#define LEVEL3                                                                            \
	"<samlp:RequestedAuthnContext Comparison=\"minimum\"><saml:AuthnContextClassRef>" \
	"STORK-QAA-Level-3</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>"
#define LEVEL4                                                                            \
	"<samlp:RequestedAuthnContext Comparison=\"minimum\"><saml:AuthnContextClassRef>" \
	"STORK-QAA-Level-4</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>"

static const char *const erika[] = {"given_names", "Erika", "family_name",
				    "Mustermann",  "email", "erika@example.invalid",
				    NULL};

static struct subject_id id;
static int counter;

static int
setup(void **state)
{
	if (world_setup(state) != 0)
		return 1;
	struct world *w = *state;

	id = world_person(w, "erika", PASSWORD, erika, LEVEL_SUBSTANTIAL);
	world_totp(w, id);
	world_saml_party(w, POLICY);
	return world_fresh(state);
}

static const char *
fresh_id(struct world *w)
{
	return arena_printf(w->a, "_request%d", counter++);
}

static void
ask(struct web *b, const char *extra, const char *inner)
{
	web_get(b, saml_request_url(b->w, fresh_id(b->w), extra, inner));
}

static void
log_in(struct web *b)
{
	web_submit(b, "/flow/password/", LOGIN);
}

static void
enter_code(struct web *b)
{
	b->w->now += 60; /* a step counts once */
	web_submit(b, "/flow/totp/", arena_printf(b->w->a, "code=%s&do=login", world_code(b->w)));
}

static const char *
agree(struct web *b)
{
	web_submit(b, "/flow/consent/", "attr_email=1&do=agree");
	return saml_response_of(b);
}

static const char *
status_of(struct web *b)
{
	const char *response = saml_response_of(b);

	if (response == NULL)
		fail_msg("no Response on the page (status %d): %s", b->status, b->body);
	return response;
}

static void
a_login_with_consent_ends_with_a_signed_response(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	assert_int_equal(b.status, 200);
	assert_true(web_shows(&b, "Amt24"));
	log_in(&b);
	assert_true(web_shows(&b, "Mustermann"));
	assert_true(web_shows(&b, "erika@example.invalid"));
	const char *response = agree(&b);

	assert_non_null(response);
	assert_true(strstr(response, "status:Success") != NULL);
	assert_true(strstr(response, "STORK-QAA-Level-2") != NULL);
	assert_true(strstr(response, ">Mustermann<") != NULL);
	assert_true(strstr(response, ">erika@example.invalid<") != NULL);
	/* Never above the level of this login, whatever the attribute has. */
	assert_true(strstr(response, "TrustLevel=\"NORMAL\"") != NULL);
	assert_true(strstr(response, "SUBSTANTIELL") == NULL);
	assert_true(strstr(response, "surname=STORK-QAA-Level-2") != NULL);
	assert_true(strstr(response, "Erika") == NULL); /* not registered */
	assert_string_equal(web_field(&b, "RelayState"), "state-1");
	/* Its endpoint may lead on to another host. */
	assert_true(strstr(b.csp, "form-action 'self' https://amt24.example https:") != NULL);
}

static void
a_second_login_asks_nothing(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b);
	if (saml_response_of(&b) == NULL)
		agree(&b);
	ask(&b, "", "");
	assert_true(strstr(status_of(&b), "status:Success") != NULL);
}

static void
an_optional_attribute_can_be_switched_off(void **state)
{
	struct world *w = *state;
	struct web b;

	world_saml_party(w, "{\"attribute\":[\"family_name:required\",\"email\",\"given_names\"]}");
	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b);
	web_submit(&b, "/flow/consent/", "attr_given_names=1&do=agree");
	const char *response = status_of(&b);

	assert_true(strstr(response, ">Erika<") != NULL);
	assert_true(strstr(response, "erika@example.invalid") == NULL);
	world_saml_party(w, POLICY);
}

static void
saying_no_is_told_to_the_portal(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	web_submit(&b, "/flow/password/", "do=cancel");
	assert_true(strstr(status_of(&b), "AuthnFailed") != NULL);
	assert_true(strstr(status_of(&b), "Mustermann") == NULL);
}

static void
a_higher_level_is_reached_by_the_second_means(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", LEVEL3);
	log_in(&b);
	assert_null(saml_response_of(&b));
	enter_code(&b);
	if (saml_response_of(&b) == NULL)
		agree(&b);
	const char *response = status_of(&b);

	assert_true(strstr(response, "STORK-QAA-Level-3") != NULL);
	assert_true(strstr(response, "TrustLevel=\"SUBSTANTIELL\"") != NULL);
	/* Two hours later the second means counts no more (TR-03160-1 table 2). */
	w->now += 7300;
	ask(&b, "", LEVEL3);
	assert_null(saml_response_of(&b));
}

static void
the_time_told_is_of_the_proof_that_reached_the_level(void **state)
{
	struct world *w = *state;
	struct web b;

	w->now += 600;
	web_init(&b, w);
	ask(&b, "", LEVEL3);
	log_in(&b);
	enter_code(&b);
	if (saml_response_of(&b) == NULL)
		agree(&b);
	time_t proved = w->now;

	w->now += 300;
	ask(&b, " ForceAuthn=\"true\"", "");
	log_in(&b); /* the password alone, anew */
	ask(&b, "", LEVEL3);
	assert_non_null(strstr(status_of(&b), arena_printf(w->a, "AuthnInstant=\"%s\"",
							   clock_text(w->a, proved))));
}

static void
what_a_vocabulary_has_no_word_for_is_not_told(void **state)
{
	struct world *w = *state;
	struct web b;

	world_saml_party(w, "{\"attribute\":[\"email\"],\"vocabulary\":\"eidas\","
			    "\"level-attributes\":\"yes\"}");
	web_init(&b, w);
	ask(&b, "",
	    "<samlp:RequestedAuthnContext Comparison=\"exact\"><saml:AuthnContextClassRef>"
	    "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified</saml:AuthnContextClassRef>"
	    "</samlp:RequestedAuthnContext>");
	assert_true(strstr(status_of(&b), "NoAuthnContext") != NULL);
	/* Nor is it in the place of another that there is a word for. */
	ask(&b, "",
	    "<samlp:RequestedAuthnContext Comparison=\"exact\"><saml:AuthnContextClassRef>"
	    "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified</saml:AuthnContextClassRef>"
	    "<saml:AuthnContextClassRef>http://eidas.europa.eu/LoA/substantial"
	    "</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>");
	log_in(&b);
	assert_non_null(web_field(&b, "code")); /* the password alone is not enough */
	world_saml_party(w, POLICY);
}

static void
a_code_counts_once(void **state)
{
	struct world *w = *state;
	struct web b, other;

	w->now += 300;
	web_init(&b, w);
	web_init(&other, w);
	ask(&b, "", LEVEL3);
	log_in(&b);
	ask(&other, "", LEVEL3);
	log_in(&other);
	enter_code(&b);
	web_submit(&other, "/flow/totp/", arena_printf(w->a, "code=%s&do=login", world_code(w)));
	assert_null(saml_response_of(&other));
	assert_non_null(web_field(&other, "code"));
}

static void
what_nobody_can_reach_is_refused_before_a_page_is_shown(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", LEVEL4);
	assert_true(strstr(status_of(&b), "NoAuthnContext") != NULL);
}

static void
a_passive_request_gets_no_page(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, " IsPassive=\"true\"", "");
	assert_true(strstr(status_of(&b), "NoPassive") != NULL);
	ask(&b, "", "");
	log_in(&b);
	if (saml_response_of(&b) == NULL)
		agree(&b);
	ask(&b, " IsPassive=\"true\"", "");
	assert_true(strstr(status_of(&b), "status:Success") != NULL);
}

static void
a_forced_login_is_a_new_proof(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b);
	if (saml_response_of(&b) == NULL)
		agree(&b);
	w->now += 600;
	ask(&b, " ForceAuthn=\"true\"", "");
	assert_null(saml_response_of(&b));
	const char *before = web_cookie(&b, "__Host-session");

	log_in(&b);
	const char *response = status_of(&b);

	assert_non_null(strstr(
		response, arena_printf(w->a, "AuthnInstant=\"%s\"", clock_text(w->a, w->now))));
	assert_string_not_equal(before, web_cookie(&b, "__Host-session"));
}

static void
a_request_is_answered_once(void **state)
{
	struct world *w = *state;
	const char *url = saml_request_url(w, fresh_id(w), "", "");
	struct web b, thief;

	web_init(&b, w);
	web_get(&b, url);
	const char *page = b.path;

	web_get(&b, url); /* browser back: the same flow goes on */
	assert_string_equal(b.path, page);
	log_in(&b);
	if (saml_response_of(&b) == NULL)
		agree(&b);
	web_get(&b, url);
	assert_null(saml_response_of(&b));
	assert_int_equal(b.status, 410);
	web_init(&thief, w);
	web_get(&thief, url);
	assert_null(saml_response_of(&thief));
	assert_int_equal(thief.status, 410);

	/* The same where no page is needed: the answer itself leaves the mark. */
	url = saml_request_url(w, fresh_id(w), "", "");
	web_get(&b, url);
	assert_non_null(saml_response_of(&b));
	web_get(&b, url);
	assert_null(saml_response_of(&b));
	assert_int_equal(b.status, 410);
}

static void
nobody_is_asked_for_a_password_that_cannot_be_checked(void **state)
{
	struct world *w = *state;
	struct lanes_options o = {.clock_us = clock_mono_us}; /* no place anywhere */
	const char *url = saml_request_url(w, fresh_id(w), "", "");
	struct web b;

	web_init(&b, w);
	ASSERT_OK(lanes_start(w->a, &o, &w->app.lanes, &w->pg->err), &w->pg->err);
	web_get(&b, url);
	assert_int_equal(b.status, 503);
	lanes_stop(w->app.lanes);
	w->app.lanes = NULL;
	web_get(&b, url); /* it has not been used up */
	log_in(&b);
	if (saml_response_of(&b) == NULL)
		agree(&b);
	assert_true(strstr(status_of(&b), "status:Success") != NULL);

	/* With a place, anybody may try. */
	struct web other;

	web_init(&other, w);
	o.size[LANE_PASSWORD] = (struct lane_size){1, 1};
	ASSERT_OK(lanes_start(w->a, &o, &w->app.lanes, &w->pg->err), &w->pg->err);
	ask(&other, "", "");
	assert_non_null(web_field(&other, "password"));
	lanes_stop(w->app.lanes);
	o.size[LANE_PASSWORD] = (struct lane_size){0};

	/* Who is logged in needs none. */
	ASSERT_OK(lanes_start(w->a, &o, &w->app.lanes, &w->pg->err), &w->pg->err);
	ask(&b, "", "");
	lanes_stop(w->app.lanes);
	w->app.lanes = NULL;
	assert_true(strstr(status_of(&b), "status:Success") != NULL);
}

static void
a_form_sent_twice_answers_once(void **state)
{
	struct world *w = *state;
	struct web b;

	world_saml_party(w, "{\"attribute\":[\"email\"],\"consent\":\"always\"}");
	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b);
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_non_null(saml_response_of(&b));
	web_submit_again(&b);
	assert_null(saml_response_of(&b));
	world_saml_party(w, POLICY);
}

static void
another_browser_cannot_go_on_with_a_flow(void **state)
{
	struct world *w = *state;
	struct web b, other;

	web_init(&b, w);
	ask(&b, "", "");
	web_init(&other, w);
	web_get(&other, b.path);
	assert_int_equal(other.status, 410);
}

static void
an_hour_at_the_page_is_one_click(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	const char *page = b.path;

	w->now += 3700;
	web_submit(&b, "/flow/password/", LOGIN);
	assert_null(saml_response_of(&b));
	assert_true(web_shows(&b, "/flow/restart/"));
	web_get(&b, arena_printf(w->a, "/flow/restart/%s", page + strlen("/flow/")));
	log_in(&b);
	if (saml_response_of(&b) == NULL)
		agree(&b);
	assert_true(strstr(status_of(&b), "status:Success") != NULL);
}

static void
a_portal_switched_off_gets_nothing_more(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	world_disable(w, SAML_PARTY);
	log_in(&b);
	assert_null(saml_response_of(&b));
	ask(&b, "", "");
	assert_null(saml_response_of(&b));
	assert_int_equal(b.status, 404);
	world_saml_party(w, POLICY);
}

static void
an_account_switched_off_gets_no_further(void **state)
{
	struct world *w = *state;
	struct db_audit audit = {.event = "account_state", .ref = "test"};
	struct err err = {0};
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b);
	if (saml_response_of(&b) == NULL)
		agree(&b);
	ASSERT_OK(db_account_set_state(&w->pg->c, id, DB_DISABLED, &audit, w->now, &err), &err);
	ask(&b, "", "");
	assert_null(saml_response_of(&b));
	log_in(&b);
	assert_null(saml_response_of(&b));
	ASSERT_OK(db_account_set_state(&w->pg->c, id, DB_ACTIVE, &audit, w->now, &err), &err);
}

static void
a_wrong_name_and_a_wrong_password_read_the_same(void **state)
{
	struct world *w = *state;
	const char *pages[2];
	struct web b;

	for (int i = 0; i < 2; i++) {
		web_init(&b, w);
		ask(&b, "", "");
		web_submit(&b, "/flow/password/",
			   i == 0 ? "login_name=erika&password=wrong&do=login"
				  : "login_name=nobod&password=wrong&do=login");
		assert_int_equal(b.status, 200);
		pages[i] = between(w->a, b.body, "role=\"alert\"", "</div></div>");
		if (pages[i] == NULL)
			pages[i] = between(w->a, b.body, "role=\"alert\"", "<form");
		assert_non_null(pages[i]);
	}
	assert_string_equal(pages[0], pages[1]);
}

static void
guessing_is_slowed_and_never_locks(void **state)
{
	struct world *w = *state;
	struct web b;

	w->now += 86400;
	web_init(&b, w);
	ask(&b, "", "");
	for (int i = 0; i < 10; i++)
		web_submit(&b, "/flow/password/", "login_name=erika&password=guess&do=login");
	log_in(&b); /* the eleventh, though right */
	assert_null(web_cookie(&b, "__Host-session"));
	w->now += 900;
	log_in(&b);
	assert_non_null(web_cookie(&b, "__Host-session"));
}

static void
a_required_attribute_that_is_missing_is_told_without_data(void **state)
{
	struct world *w = *state;
	struct web b;

	world_saml_party(w, "{\"attribute\":[\"family_name\",\"title:required\"]}");
	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b);
	web_submit(&b, "/flow/consent/", "do=cancel");
	const char *response = status_of(&b);

	assert_true(strstr(response, "RequestDenied") != NULL);
	assert_true(strstr(response, "Mustermann") == NULL);
	world_saml_party(w, POLICY);
}

static void
consent_is_asked_again_when_the_purpose_changes(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b);
	if (saml_response_of(&b) == NULL)
		agree(&b);
	world_saml_party(w, "{\"attribute\":[\"family_name:required\",\"email\"],"
			    "\"purpose-de\":\"Neuer Zweck\"}");
	ask(&b, "", "");
	assert_null(saml_response_of(&b));
	assert_true(web_shows(&b, "Neuer Zweck"));
	world_saml_party(w, POLICY);
}

static void
agreeing_counts_only_for_what_was_shown(void **state)
{
	struct world *w = *state;
	struct web b;

	world_saml_party(w, "{\"attribute\":[\"family_name\"],\"consent\":\"always\"}");
	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b);
	world_saml_party(w, "{\"attribute\":[\"family_name\",\"given_names:required\"],"
			    "\"consent\":\"always\"}");
	web_submit(&b, "/flow/consent/", "attr_family_name=1&do=agree");
	assert_null(saml_response_of(&b));
	assert_true(web_shows(&b, "Erika"));
	world_saml_party(w, POLICY);
}

static void
a_portal_of_no_group_gets_each_login_anew(void **state)
{
	struct world *w = *state;
	struct web b;

	world_saml_party(w, "{\"attribute\":[\"family_name\"],\"sso-group\":\"never\"}");
	web_init(&b, w);
	web_get(&b, "/login");
	log_in(&b);
	ask(&b, "", "");
	assert_null(saml_response_of(&b));
	log_in(&b);
	if (saml_response_of(&b) == NULL)
		agree(&b);
	assert_true(strstr(status_of(&b), "status:Success") != NULL);
	ask(&b, "", "");
	assert_null(saml_response_of(&b));
	world_saml_party(w, POLICY);
}

static void
a_request_by_post_reads_the_session_on_the_flows_own_page(void **state)
{
	/* Lax cookies do not come with it, and where a browser sends them none the less the answer
	 * is the same. */
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b);
	agree(&b);
	ask(&b, "", "");
	assert_non_null(saml_response_of(&b));
	assert_true(text_starts(b.path, "/saml/sso"));
	web_post_from(&b, "https://amt24.example", "/saml/sso", saml_request_form(w, fresh_id(w)));
	assert_non_null(saml_response_of(&b));
	assert_true(text_starts(b.path, "/flow/"));
}

static void
a_request_posted_twice_leads_to_its_own_login(void **state)
{
	struct world *w = *state;
	const char *form = saml_request_form(w, fresh_id(w));
	struct web b, other;

	web_init(&b, w);
	web_init(&other, w);
	web_post_from(&b, "https://amt24.example", "/saml/sso", form);
	const char *page = b.path;

	assert_true(text_starts(page, "/flow/"));
	assert_non_null(web_field(&b, "password"));
	web_foreign_post(&b, "/saml/sso", form); /* browser back: without any cookie */
	assert_string_equal(b.path, page);
	assert_non_null(web_field(&b, "password"));
	/* Of another browser it is not, nor of one that is done with it. */
	web_foreign_post(&other, "/saml/sso", form);
	assert_int_equal(other.status, 410);
	assert_true(web_shows(&other, "wurde schon verwendet"));
	assert_false(web_shows(&other, "eine Minute"));
	log_in(&b);
	if (saml_response_of(&b) == NULL)
		agree(&b);
	web_foreign_post(&b, "/saml/sso", form);
	assert_int_equal(b.status, 410);
	/* The way there is nobody's request. */
	web_get(&b, "/flow/again");
	assert_int_equal(b.status, 410);
	web_get(&b, "/flow/again?party=" SAML_PARTY);
	assert_int_equal(b.status, 410);
}

static void
logout_by_the_portal_ends_the_session(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b);
	const char *response = saml_response_of(&b);

	if (response == NULL)
		response = agree(&b);
	const char *nameid = between(w->a, response, "<saml:NameID", "</saml:NameID>");
	const char *index = between(w->a, response, "SessionIndex=\"", "\"");

	assert_non_null(nameid);
	assert_non_null(index);
	nameid = strchr(nameid, '>') + 1;
	web_get(&b, saml_logout_url(w, fresh_id(w), "_somebody", index));
	web_get(&b, "/account");
	assert_null(web_field(&b, "password")); /* another NameID ends nothing */
	web_get(&b, saml_logout_url(w, fresh_id(w), nameid, index));
	assert_int_equal(b.status, 303);
	assert_true(text_starts(b.location, SAML_SLO "?SAMLResponse="));
	assert_null(web_cookie(&b, "__Host-session"));
	ask(&b, "", "");
	assert_null(saml_response_of(&b));
}

static void
a_logout_that_comes_again_ends_nothing_further(void **state)
{
	static const char policy[] = "{\"attribute\":[\"email\"],\"consent\":\"changed\"}";
	static const char persistent[] =
		"<samlp:NameIDPolicy AllowCreate=\"true\" Format=\"" SAML_NAMEID_PERSISTENT "\"/>";
	struct world *w = *state;
	struct web b;

	world_saml_party(w, policy);
	web_init(&b, w);
	web_get(&b, saml_request_url(w, fresh_id(w), "", persistent));
	log_in(&b);
	if (saml_response_of(&b) == NULL)
		agree(&b);
	const char *name = between(w->a, saml_response_of(&b), "</saml:Issuer>", "</saml:NameID>");

	name = strrchr(name, '>') + 1;
	const char *all = saml_logout_url(w, fresh_id(w), name, NULL);

	web_get(&b, all);
	assert_null(web_cookie(&b, "__Host-session"));
	web_get(&b, saml_request_url(w, fresh_id(w), "", persistent));
	log_in(&b);
	assert_non_null(saml_response_of(&b));
	web_get(&b, all); /* the same message, and the same person, but a new login */
	assert_int_equal(b.status, 303);
	web_get(&b, saml_request_url(w, fresh_id(w), "", persistent));
	assert_non_null(saml_response_of(&b));
}

static void
every_login_and_every_answer_has_its_audit_row(void **state)
{
	static const char rows[] = "SELECT count(*) FILTER (WHERE event = 'login' AND details"
				   " = '{\"method\": \"password\", \"level\": \"low\"}'"
				   " AND subject IS NOT NULL) || ' ' ||"
				   " count(*) FILTER (WHERE event = 'assertion') FROM audit";
	struct world *w = *state;
	struct web b;
	char *rest;
	long logins = strtol(world_value(w, rows), &rest, 10), answers = strtol(rest, NULL, 10);

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b);
	if (saml_response_of(&b) == NULL)
		agree(&b);
	assert_string_equal(world_value(w, rows),
			    arena_printf(w->a, "%ld %ld", logins + 1, answers + 1));
}

static void
a_page_of_ours_takes_no_form_of_another_site(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	web_foreign_post(&b, arena_printf(w->a, "/flow/password/%s", b.path + strlen("/flow/")),
			 LOGIN);
	assert_int_equal(b.status, 403);
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_login_with_consent_ends_with_a_signed_response),
		T(a_second_login_asks_nothing),
		T(an_optional_attribute_can_be_switched_off),
		T(saying_no_is_told_to_the_portal),
		T(a_higher_level_is_reached_by_the_second_means),
		T(the_time_told_is_of_the_proof_that_reached_the_level),
		T(what_a_vocabulary_has_no_word_for_is_not_told),
		T(a_code_counts_once),
		T(what_nobody_can_reach_is_refused_before_a_page_is_shown),
		T(a_passive_request_gets_no_page),
		T(a_forced_login_is_a_new_proof),
		T(a_request_is_answered_once),
		T(nobody_is_asked_for_a_password_that_cannot_be_checked),
		T(a_form_sent_twice_answers_once),
		T(another_browser_cannot_go_on_with_a_flow),
		T(an_hour_at_the_page_is_one_click),
		T(a_portal_switched_off_gets_nothing_more),
		T(an_account_switched_off_gets_no_further),
		T(a_wrong_name_and_a_wrong_password_read_the_same),
		T(a_required_attribute_that_is_missing_is_told_without_data),
		T(consent_is_asked_again_when_the_purpose_changes),
		T(agreeing_counts_only_for_what_was_shown),
		T(a_portal_of_no_group_gets_each_login_anew),
		T(a_request_by_post_reads_the_session_on_the_flows_own_page),
		T(a_request_posted_twice_leads_to_its_own_login),
		T(a_logout_that_comes_again_ends_nothing_further),
		T(logout_by_the_portal_ends_the_session),
		T(every_login_and_every_answer_has_its_audit_row),
		T(a_page_of_ours_takes_no_form_of_another_site),
		T(guessing_is_slowed_and_never_locks),
	};

	return cmocka_run_group_tests_name("flow saml", tests, setup, world_teardown);
}
