/* Steps of a login taken out of order, by another person, again, too late, or guessed. */
#include "base/text.h"
#include "db/account.h"
#include "tests/flow/steps.h"

/* ---- order ---- */

static void
no_step_counts_before_its_turn(void **state)
{
	struct world *w = *state;
	const char *login, *code, *consent;
	struct web b;

	web_init(&b, w);
	ask(&b, "", LEVEL3);
	login = b.body;
	log_in(&b, "erika");
	code = b.body;
	enter_code(&b);
	consent = b.body;
	ASSERT_PAGE(&b, CONSENT);

	/* In FLOW_CONSENT: no login and no code. */
	const char *flow = flow_of(&b);

	forge(&b, login, "/flow/password/", flow, "login_name=karl&password=" PASSWORD "&do=login");
	ASSERT_PAGE(&b, CONSENT);
	assert_true(web_shows(&b, "von einer Behörde")); /* still hers */
	forge(&b, code, "/flow/totp/", flow, "code=123456&do=login");
	ASSERT_PAGE(&b, CONSENT);
	log_out(&b);

	/* In FLOW_LOGIN: neither code nor consent. */
	ask(&b, "", LEVEL3);
	flow = flow_of(&b);
	forge(&b, code, "/flow/totp/", flow, arena_printf(w->a, "code=%s&do=login", world_code(w)));
	ASSERT_PAGE(&b, LOGIN);
	forge(&b, consent, "/flow/consent/", flow, "do=agree");
	ASSERT_PAGE(&b, LOGIN);

	/* In FLOW_STEP_UP: no consent. */
	log_in(&b, "erika");
	ASSERT_PAGE(&b, CODE);
	forge(&b, consent, "/flow/consent/", flow, "do=agree");
	ASSERT_PAGE(&b, CODE);
	web_get(&b, arena_printf(w->a, "/flow/restart/%s", flow));
	ASSERT_PAGE(&b, CODE); /* nothing to start again */
	assert_string_equal(flow_of(&b), flow);
}

static void
registering_is_a_way_to_log_in_and_no_other_step(void **state)
{
	struct world *w = *state;
	const char *before = world_value(w, "SELECT count(*) FROM subject"), *page;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	const char *flow = flow_of(&b);

	web_get(&b, arena_printf(w->a, "/register/%s", flow));
	page = b.body;
	web_get(&b, arena_printf(w->a, "/flow/%s", flow));
	log_in(&b, "karl");
	ASSERT_PAGE(&b, CONSENT);
	web_get(&b, arena_printf(w->a, "/register/%s", flow));
	ASSERT_PAGE(&b, CONSENT);
	forge(&b, page, "/register/", flow,
	      "given_names=Max&family_name=Muster&birth_date_day=1&birth_date_month=2&"
	      "birth_date_year=1990&country=DE&login_name=out.of.turn&"
	      "new_password=Pflaume-Regal-83&password_repeat=Pflaume-Regal-83&store_consent=1&"
	      "do=register");
	ASSERT_PAGE(&b, CONSENT);
	assert_string_equal(world_value(w, "SELECT count(*) FROM subject"), before);
}

static void
a_code_is_asked_of_who_has_an_app_and_set_up_by_who_has_none(void **state)
{
	struct world *w = *state;
	const char *code, *enroll;
	struct web b;

	web_init(&b, w);
	ask(&b, "", LEVEL3);
	log_in(&b, "erika");
	code = b.body;
	log_out(&b);
	ask(&b, "", LEVEL3);
	log_in(&b, "karl");
	ASSERT_PAGE(&b, ENROLL);
	enroll = b.body;
	forge(&b, code, "/flow/totp/", flow_of(&b), "code=123456&do=login");
	ASSERT_PAGE(&b, ENROLL);
	/* Her app is not replaced by a page that was his, in whatever flow. */
	const char *his = flow_of(&b);

	log_out(&b);
	web_get(&b, arena_printf(w->a, "/flow/%s", his));
	log_in(&b, "erika");
	ASSERT_PAGE(&b, CODE);
	forge(&b, enroll, "/flow/enroll/", his, "code=123456&do=enroll");
	ASSERT_PAGE(&b, CODE);
	forge(&b, enroll, "/flow/enroll/", his, "code=x&do=enroll");
	ASSERT_PAGE(&b, CODE);
}

static void
the_first_code_of_a_new_app_counts_once(void **state)
{
	struct world *w = *state;
	const char *code;
	struct web b;

	struct subject_id fritz = world_person(w, "fritz", PASSWORD, everybody, LEVEL_BASIC);

	web_init(&b, w);
	log_in_aside(&b, "fritz");
	web_get(&b, "/login?level=substantial");
	code = web_shown_code(&b);
	web_submit(&b, "/flow/enroll/", arena_printf(w->a, "code=%s&do=enroll", code));
	assert_true(text_starts(b.path, "/account"));
	log_out(&b);
	ask(&b, "", LEVEL3);
	log_in(&b, "fritz");
	ASSERT_PAGE(&b, CODE);
	web_submit(&b, "/flow/totp/", arena_printf(w->a, "code=%s&do=login", code));
	ASSERT_PAGE(&b, CODE);
	/* Of two apps the blocked one opens nothing. */
	world_totp(w, fritz);
	assert_string_equal(world_value(w,
					"UPDATE credential SET blocked = true WHERE kind = 'totp'"
					" AND created = (SELECT max(created) FROM credential)"
					" AND last_step = 0 RETURNING 1"),
			    "1");
	enter_code(&b);
	ASSERT_PAGE(&b, CODE);
}

static void
only_an_app_that_was_shown_to_this_person_is_set_up(void **state)
{
	static const char apps[] = "SELECT count(*) FROM credential WHERE kind = 'totp'";
	struct world *w = *state;
	const char *before, *enroll;
	struct web b;

	world_person(w, "paula", PASSWORD, everybody, LEVEL_BASIC);
	world_person(w, "quirin", PASSWORD, everybody, LEVEL_BASIC);
	web_init(&b, w);
	ask(&b, "", LEVEL3);
	log_in(&b, "paula");
	ASSERT_PAGE(&b, ENROLL);
	enroll = b.body;
	before = world_value(w, apps);
	const char *flow = flow_of(&b), *code = web_shown_code(&b);

	web_submit(&b, "/flow/enroll/", "code=x&do=enroll"); /* no code at all */
	ASSERT_PAGE(&b, ENROLL);
	assert_true(web_shows(&b, "role=\"alert\""));
	/* Hers is not set up as his, in the same flow and without a look at its page. */
	log_out(&b);
	log_in_aside(&b, "quirin");
	forge(&b, enroll, "/flow/enroll/", flow, arena_printf(w->a, "code=%s&do=enroll", code));
	ASSERT_PAGE(&b, ENROLL);
	assert_string_equal(flow_of(&b), flow); /* his own, not a code held against no key */
	assert_string_equal(world_value(w, apps), before);
	/* What an office vouches for meanwhile is not opened with the password alone. */
	code = web_shown_code(&b);

	assert_string_not_equal(
		world_value(w, "UPDATE attribute SET level = 3 WHERE subject = (SELECT acting FROM"
			       " session ORDER BY created DESC, last_used DESC LIMIT 1)"
			       " RETURNING 1"),
		"");
	web_submit(&b, "/flow/enroll/", arena_printf(w->a, "code=%s&do=enroll", code));
	ASSERT_PAGE(&b, OTHER);
	assert_string_equal(world_value(w, apps), before);
}

static void
a_cookie_opens_its_own_flow_only(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	const char *page = b.path;

	ask(&b, "", "");
	assert_string_not_equal(b.path, page);
	size_t n = b.n_cookies;
	const char *value = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!text_starts(b.cookies[i][0], "__Host-f-"))
			continue;
		if (value == NULL)
			value = b.cookies[i][1];
		else
			b.cookies[i][1] = value;
	}
	web_get(&b, b.path);
	assert_int_equal(b.status, 410);
	web_get(&b, page);
	ASSERT_PAGE(&b, LOGIN);
}

static void
a_request_sent_again_leads_to_its_own_login(void **state)
{
	struct world *w = *state;
	const char *one = saml_request_url(w, "_again1", "", ""),
		   *two = saml_request_url(w, "_again2", "", ""), *page;
	struct web b;

	web_init(&b, w);
	web_get(&b, one);
	page = b.path;
	web_get(&b, two);
	assert_string_not_equal(b.path, page);
	web_get(&b, one);
	assert_string_equal(b.path, page);
}

#define NEIGHBOUR "https://gewerbe.example/metadata"

static void
the_same_id_from_another_portal_leads_to_no_login_of_this_one(void **state)
{
	struct world *w = *state;
	const char *here = saml_request_url(w, "_twins", "", ""), *there;
	struct web b, other;

	w->saml_party = NEIGHBOUR;
	world_saml_party(w, POLICY);
	there = saml_request_url(w, "_twins", "", "");
	w->saml_party = NULL;
	web_init(&other, w);
	web_get(&other, there);
	ASSERT_PAGE(&other, LOGIN);
	web_init(&b, w);
	web_get(&b, here);
	ASSERT_PAGE(&b, LOGIN);
	web_get(&b, there); /* seen before, and not begun in this browser */
	assert_int_equal(b.status, 410);
}

/* ---- persons ---- */

static void
proofs_of_one_person_are_not_the_next_ones(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, " ForceAuthn=\"true\"", LEVEL3);
	const char *page = b.path;

	log_in(&b, "erika");
	enter_code(&b);
	ASSERT_PAGE(&b, CONSENT);
	log_out(&b);
	web_get(&b, page);
	ASSERT_PAGE(&b, LOGIN);
	log_in(&b, "karl");
	ASSERT_PAGE(&b, ENROLL); /* hers reached the level, his password does not */
}

static void
a_login_as_somebody_else_ends_the_session_there_was(void **state)
{
	struct world *w = *state;
	struct web b, copy;

	web_init(&b, w);
	log_in_aside(&b, "erika");
	copy = b;
	ask(&b, " ForceAuthn=\"true\"", "");
	log_in(&b, "karl");
	web_get(&b, "/account");
	assert_false(web_shows(&b, "von einer Behörde")); /* his data, not hers */
	web_get(&copy, "/account");
	ASSERT_PAGE(&copy, LOGIN);
	web_get(&copy, "/");
	assert_true(web_shows(&copy, "href=\"/register\""));
}

static void
a_forced_login_counts_no_proof_given_beside_it(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, " ForceAuthn=\"true\"", "");
	const char *page = b.path;

	log_in_aside(&b, "karl");
	web_get(&b, page);
	ASSERT_PAGE(&b, LOGIN);
	log_in(&b, "karl");
	ASSERT_PAGE(&b, CONSENT);
	/* Out and in again beside it: another session, in which nothing was proved here. */
	log_out(&b);
	log_in_aside(&b, "karl");
	web_get(&b, page);
	ASSERT_PAGE(&b, LOGIN);
}

static void
what_is_proved_in_the_flow_is_young_enough_for_it(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	log_in_aside(&b, "karl");
	/* The same second: none the less it is asked anew (Core 3.1.2.1). */
	web_get(&b, oidc_request_url(w, "openid", "&max_age=0"));
	ASSERT_PAGE(&b, LOGIN);
	log_in(&b, "karl");
	ASSERT_PAGE(&b, CONSENT);
	w->now += 5;
	web_submit(&b, "/flow/consent/", "do=agree");
	ASSERT_PAGE(&b, ANSWER);
	web_get(&b, oidc_request_url(w, "openid", "&max_age=3&prompt=none"));
	assert_string_equal(location_param(&b, "error"), "login_required");
	web_get(&b, oidc_request_url(w, "openid", "&max_age=60&prompt=none"));
	ASSERT_PAGE(&b, ANSWER);
	/* A POST of another site comes without cookies by rule: the flow's page reads the session.
	 */
	const char *url = oidc_request_url(w, "openid", "&max_age=60&prompt=none");

	web_post_from(&b, "https://stadtportal.example", "/oidc/authorize", strchr(url, '?') + 1);
	ASSERT_PAGE(&b, ANSWER);
	assert_true(text_starts(b.path, "/flow/"));
	web_get(&b, oidc_request_url(w, "openid", "&prompt=select_account"));
	ASSERT_PAGE(&b, LOGIN);
	web_get(&b, oidc_request_url(w, "openid", "&prompt=consent"));
	ASSERT_PAGE(&b, CONSENT);
}

static void
codes_of_the_second_means_do_not_stretch_a_session(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	log_in_aside(&b, "erika");
	for (int half_hours = 0; half_hours < 23; half_hours++) {
		w->now += 1800;
		web_get(&b, "/account");
		assert_null(web_field(&b, "password"));
	}
	ask(&b, "", LEVEL3);
	ASSERT_PAGE(&b, CODE);
	enter_code(&b);
	ASSERT_PAGE(&b, CONSENT);
	w->now += 1800; /* twelve hours since the password, half an hour since the code */
	web_get(&b, "/account");
	ASSERT_PAGE(&b, LOGIN);
}

static void
a_session_serves_the_portals_of_its_group(void **state)
{
	struct world *w = *state;
	struct web b;

	world_oidc_party(w, "{\"sso-group\":\"stadt\"}");
	web_init(&b, w);
	log_in_aside(&b, "karl");
	web_get(&b, oidc_request_url(w, "openid", "&prompt=none"));
	assert_string_equal(location_param(&b, "error"), "login_required");
	world_oidc_party(w, "{}");
}

/* ---- accounts and portals that change on the way ---- */

static void
set_state(struct world *w, enum db_subject_state to)
{
	struct db_audit audit = {.event = "account_state", .ref = "test"};
	struct err err = {0};

	ASSERT_OK(db_account_set_state(&w->pg->c, erika_id, to, &audit, w->now, &err), &err);
}

static void
an_account_switched_off_on_the_way_gets_no_further(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", LEVEL3);
	log_in(&b, "erika");
	set_state(w, DB_DISABLED);
	enter_code(&b);
	ASSERT_PAGE(&b, LOGIN);
	set_state(w, DB_ACTIVE);
	w->now += 60;
	web_get(&b, b.path);
	if (page_of(&b) == LOGIN)
		log_in(&b, "erika");
	enter_code(&b);
	ASSERT_PAGE(&b, CONSENT);
	set_state(w, DB_DISABLED);
	web_submit(&b, "/flow/consent/", "do=agree");
	ASSERT_PAGE(&b, LOGIN);
	/* It reads like any other wrong login. */
	log_in(&b, "erika");
	const char *disabled = between(w->a, b.body, "<main", "<form");

	log_in(&b, "nobod");
	assert_string_equal(disabled, between(w->a, b.body, "<main", "<form"));
	set_state(w, DB_ACTIVE);
}

static void
a_portal_switched_off_on_the_way_is_said_to_be_unknown(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "karl");
	ASSERT_PAGE(&b, CONSENT);
	world_disable(w, SAML_PARTY);
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_int_equal(b.status, 404);
	assert_true(web_shows(&b, "Dieses Portal kennen wir nicht"));
	ask(&b, "", "");
	assert_int_equal(b.status, 404);
	assert_true(web_shows(&b, "Dieses Portal kennen wir nicht"));
	world_saml_party(w, POLICY);
}

static void
a_portal_that_rises_on_the_way_gets_its_level(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "erika");
	ASSERT_PAGE(&b, CONSENT);
	world_saml_party(w, "{\"attribute\":[\"family_name:required\",\"email\"],"
			    "\"consent\":\"always\",\"level\":\"substantial\"}");
	web_submit(&b, "/flow/consent/", "do=agree");
	ASSERT_PAGE(&b, CODE);
	world_saml_party(w, POLICY);
}

static void
a_wish_for_a_level_stops_at_the_portals_cap(void **state)
{
	struct world *w = *state;
	struct web b;

	world_oidc_party(w, "{\"level-cap\":\"low\"}");
	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid", "&acr_values=substantial"));
	ASSERT_PAGE(&b, LOGIN);
	log_in(&b, "karl");
	if (page_of(&b) == CONSENT)
		web_submit(&b, "/flow/consent/", "do=agree");
	ASSERT_PAGE(&b, ANSWER);
	world_oidc_party(w, "{}");
}

#define CLASS(word) "<saml:AuthnContextClassRef>" word "</saml:AuthnContextClassRef>"
#define CONTEXT(comparison, refs)                                          \
	"<samlp:RequestedAuthnContext Comparison=\"" comparison "\">" refs \
	"</samlp:RequestedAuthnContext>"
#define EIDAS_LOA      "http://eidas.europa.eu/LoA/"
#define PASSWORD_CLASS "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"

/* SAML2Core 3.3.2.2.1: exact is one of those named, told by the word it was named by. */
static void
what_was_reached_is_told_in_the_words_of_the_request(void **state)
{
	static const struct {
		const char *context, *told;
	} cases[] = {
		{CONTEXT("exact", CLASS(PASSWORD_CLASS)), PASSWORD_CLASS},
		{CONTEXT("exact", CLASS("STORK-QAA-Level-1") CLASS(EIDAS_LOA "substantial")),
		 EIDAS_LOA "substantial"},
		{CONTEXT("exact", CLASS("STORK-QAA-Level-4") CLASS("STORK-QAA-Level-2")),
		 "STORK-QAA-Level-2"},
		{CONTEXT("minimum", CLASS(EIDAS_LOA "low")), EIDAS_LOA "substantial"},
		{CONTEXT("minimum", CLASS("https://portal.example/zwei")),
		 "https://portal.example/zwei"},
		{CONTEXT("maximum", CLASS(EIDAS_LOA "low")), EIDAS_LOA "low"},
		{CONTEXT("better", CLASS("STORK-QAA-Level-2")), "STORK-QAA-Level-3"},
		{"", "https://portal.example/zwei"},
	};
	struct world *w = *state;
	struct web b;

	world_saml_party(w, "{\"attribute\":[\"family_name:required\"],"
			    "\"level-word\":[\"https://portal.example/zwei=substantial\"]}");
	web_init(&b, w);
	web_get(&b, "/login?level=substantial");
	log_in(&b, "erika");
	enter_code(&b);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ask(&b, "", cases[i].context);
		if (page_of(&b) == CONSENT)
			web_submit(&b, "/flow/consent/", "do=agree");
		assert_true(succeeded(&b));
		assert_non_null(strstr(
			saml_response_of(&b),
			arena_printf(w->a, ">%s</saml:AuthnContextClassRef>", cases[i].told)));
	}
	world_saml_party(w, POLICY);
}

static void
the_portal_is_told_no_level_above_what_it_takes(void **state)
{
	static const char exact[] =
		"<samlp:RequestedAuthnContext Comparison=\"exact\"><saml:AuthnContextClassRef>"
		"STORK-QAA-Level-2</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>";
	struct world *w = *state;
	struct web b;

	for (int i = 0; i < 2; i++) {
		world_saml_party(w, i == 0 ? "{\"attribute\":[\"family_name\"],"
					     "\"level-attributes\":\"yes\"}"
					   : "{\"attribute\":[\"family_name\"],"
					     "\"level-attributes\":\"yes\",\"level-cap\":\"low\"}");
		web_init(&b, w);
		web_get(&b, "/login?level=substantial");
		log_in(&b, "erika");
		enter_code(&b);
		ask(&b, "", i == 0 ? exact : "");
		if (page_of(&b) == CONSENT)
			web_submit(&b, "/flow/consent/", "attr_family_name=1&do=agree");
		assert_true(succeeded(&b));
		assert_non_null(strstr(saml_response_of(&b), "STORK-QAA-Level-2"));
		assert_null(strstr(saml_response_of(&b), "STORK-QAA-Level-3"));
		assert_null(strstr(saml_response_of(&b), "SUBSTANTIELL"));
	}
	/* And nobody is led to a means that its cap makes useless. */
	ask(&b, "", LEVEL3);
	assert_non_null(strstr(saml_response_of(&b), "NoAuthnContext"));
	world_saml_party(w, POLICY);
}

static void
an_essential_claim_is_no_condition(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid",
				     "&claims=%7B%22userinfo%22%3A%7B%22title%22%3A%7B%22essential"
				     "%22%3Atrue%7D%2C%22email%22%3A%7B%22essential%22%3Atrue"
				     "%7D%7D%7D"));
	log_in(&b, "karl");
	ASSERT_PAGE(&b, CONSENT);
	assert_true(web_shows(&b, "name=\"attr_email\""));
	web_submit(&b, "/flow/consent/", "do=agree");
	ASSERT_PAGE(&b, ANSWER);
}

/* ---- means ---- */

static void
set_password(struct world *w, const char *what)
{
	const char *sql = arena_printf(
		w->a,
		"UPDATE credential SET %s WHERE kind = 'password' AND subject ="
		" (SELECT subject FROM credential WHERE kind = 'totp' ORDER BY created LIMIT 1)"
		" RETURNING 1",
		what);

	assert_string_equal(world_value(w, sql), "1");
}

static void
a_blocked_or_lesser_means_gives_no_more_than_it_is(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	set_password(w, "blocked = true");
	log_in(&b, "erika");
	ASSERT_PAGE(&b, LOGIN);
	set_password(w, "blocked = false, level = 1");
	world_saml_party(w, "{\"attribute\":[\"email\"],\"consent\":\"always\",\"level\":\"low\"}");
	log_in(&b, "erika");
	ASSERT_PAGE(&b, CODE);
	set_password(w, "level = 2");
	world_saml_party(w, POLICY);
	static const char set[] =
		"UPDATE credential SET level = %d WHERE id = (SELECT id FROM credential WHERE"
		" kind = 'totp' ORDER BY created LIMIT 1) RETURNING 1";

	world_value(w, arena_printf(w->a, set, 2));
	ask(&b, "", LEVEL3);
	if (page_of(&b) == LOGIN)
		log_in(&b, "erika");
	enter_code(&b);
	ASSERT_PAGE(&b, CODE); /* right, and still not enough */
	world_value(w, arena_printf(w->a, set, 3));
}

static void
an_empty_or_senseless_form_is_no_attempt(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", LEVEL3);
	for (int i = 0; i < 12; i++)
		web_submit(&b, "/flow/password/", "login_name=erika&do=login");
	web_submit(&b, "/flow/password/", "login_name=x&password=" PASSWORD "&do=login");
	ASSERT_PAGE(&b, LOGIN);
	log_in(&b, "erika");
	ASSERT_PAGE(&b, CODE);
	for (int i = 0; i < 12; i++)
		web_submit(&b, "/flow/totp/", "code=12a&do=login");
	enter_code(&b);
	ASSERT_PAGE(&b, CONSENT);
}

/* ---- budgets ---- */

static void
codes_are_guessed_within_a_budget(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", LEVEL3);
	log_in(&b, "erika");
	w->now += 60;
	for (int i = 0; i < 10; i++)
		web_submit(&b, "/flow/totp/", "code=000000&do=login");
	ASSERT_PAGE(&b, CODE);
	web_submit(&b, "/flow/totp/", arena_printf(w->a, "code=%s&do=login", world_code(w)));
	ASSERT_PAGE(&b, CODE); /* right, but the eleventh */
	assert_true(web_shows(&b, "zu viele Versuche"));
	w->now += 900;
	web_submit(&b, "/flow/totp/", arena_printf(w->a, "code=%s&do=login", world_code(w)));
	ASSERT_PAGE(&b, CONSENT);
}

static void
names_that_are_no_account_have_a_budget_like_those_that_are(void **state)
{
	static const char *const names[] = {"karl", "nobod", "x"};
	struct world *w = *state;
	const char *shown[ARRAY_LEN(names)];
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		web_init(&b, w);
		b.addr = arena_printf(w->a, "192.0.2.%zu", 100 + i);
		ask(&b, "", "");
		for (int k = 0; k < 11; k++)
			web_submit(&b, "/flow/password/",
				   arena_printf(w->a, "login_name=%s&password=guess&do=login",
						names[i]));
		shown[i] = between(w->a, b.body, "<main", "<form");
		assert_non_null(strstr(shown[i], "zu viele Versuche"));
		assert_string_equal(shown[i], shown[0]);
	}
}

static void
one_address_has_a_budget_over_all_names(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	b.addr = "198.51.100.9";
	ask(&b, "", "");
	for (int i = 0; i < 100; i++)
		web_submit(&b, "/flow/password/",
			   arena_printf(w->a, "login_name=nobod%d&password=guess&do=login", i));
	assert_false(web_shows(&b, "zu viele Versuche"));
	log_in(&b, "karl");
	assert_true(web_shows(&b, "zu viele Versuche"));
	b.addr = "198.51.100.10";
	log_in(&b, "karl");
	ASSERT_PAGE(&b, CONSENT);
}

/* A proxy on this machine that connects by a socket has no address, and shares none. */
static void
a_socket_is_a_source_of_its_own(void **state)
{
	static const char *const from[] = {"192.0.2.1", "::", "unix", "unix"};
	struct world *w = *state;
	struct web b;

	pg_sql(w->pg, "DELETE FROM attempt_budget");
	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		web_init(&b, w);
		b.addr = from[i];
		ask(&b, "", "");
		web_submit(&b, "/flow/password/", "login_name=karl&password=guess&do=login");
	}
	/* Three sources, and the account. */
	assert_string_equal(world_value(w, "SELECT count(DISTINCT hash) FROM attempt_budget"), "4");
}

static void
right_logins_use_up_no_budget(void **state)
{
	struct world *w = *state;
	struct web b;

	for (int i = 0; i < 12; i++) {
		web_init(&b, w);
		ask(&b, "", LEVEL3);
		log_in(&b, "erika");
		enter_code(&b);
		ASSERT_PAGE(&b, CONSENT);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(no_step_counts_before_its_turn),
		T(registering_is_a_way_to_log_in_and_no_other_step),
		T(a_code_is_asked_of_who_has_an_app_and_set_up_by_who_has_none),
		T(the_first_code_of_a_new_app_counts_once),
		T(only_an_app_that_was_shown_to_this_person_is_set_up),
		T(a_login_as_somebody_else_ends_the_session_there_was),
		T(a_cookie_opens_its_own_flow_only),
		T(a_request_sent_again_leads_to_its_own_login),
		T(the_same_id_from_another_portal_leads_to_no_login_of_this_one),
		T(proofs_of_one_person_are_not_the_next_ones),
		T(a_forced_login_counts_no_proof_given_beside_it),
		T(what_is_proved_in_the_flow_is_young_enough_for_it),
		T(codes_of_the_second_means_do_not_stretch_a_session),
		T(a_session_serves_the_portals_of_its_group),
		T(an_account_switched_off_on_the_way_gets_no_further),
		T(a_portal_switched_off_on_the_way_is_said_to_be_unknown),
		T(a_portal_that_rises_on_the_way_gets_its_level),
		T(a_wish_for_a_level_stops_at_the_portals_cap),
		T(what_was_reached_is_told_in_the_words_of_the_request),
		T(the_portal_is_told_no_level_above_what_it_takes),
		T(an_essential_claim_is_no_condition),
		T(a_blocked_or_lesser_means_gives_no_more_than_it_is),
		T(an_empty_or_senseless_form_is_no_attempt),
		T(codes_are_guessed_within_a_budget),
		T(names_that_are_no_account_have_a_budget_like_those_that_are),
		T(one_address_has_a_budget_over_all_names),
		T(a_socket_is_a_source_of_its_own),
		T(right_logins_use_up_no_budget),
	};

	return cmocka_run_group_tests_name("flow steps", tests, steps_setup, world_teardown);
}
