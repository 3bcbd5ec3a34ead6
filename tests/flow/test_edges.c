/* Edges of a login that one check alone keeps apart: cookies, times, persons, places. */
#include "base/text.h"
#include "db/account.h"
#include "tests/flow/steps.h"

/* ---- the cookies of open logins ---- */

static size_t
open_logins(const struct web *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_cookies; i++)
		n += text_starts(b->cookies[i][0], "__Host-f-");
	return n;
}

static void
old_logins_go_a_few_at_a_time_and_take_no_other_cookie_along(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	log_in_aside(&b, "karl"); /* older than all that follows */
	ask(&b, "", "");
	const char *page = b.path;

	for (int i = 0; i < 40; i++) {
		b.cookies[b.n_cookies][0] = arena_printf(w->a, "__Host-f-%d", i);
		b.cookies[b.n_cookies++][1] = "x.y";
	}
	for (size_t n = open_logins(&b); n > 16; n -= n > 20 ? 4 : n - 16) {
		assert_int_equal(open_logins(&b), n);
		web_get(&b, page);
		ASSERT_PAGE(&b, CONSENT);
	}
	assert_int_equal(open_logins(&b), 16);
	assert_non_null(web_cookie(&b, "__Host-session"));
	assert_non_null(web_cookie(&b, "__Host-form"));
}

static void
a_login_is_found_by_its_own_cookie_only(void **state)
{
	struct world *w = *state;
	const char *url = saml_request_url(w, "_edge_name", "", "");
	struct web b;

	web_init(&b, w);
	web_get(&b, url);
	ASSERT_PAGE(&b, LOGIN);
	for (size_t i = 0; i < b.n_cookies; i++)
		if (text_starts(b.cookies[i][0], "__Host-f-"))
			b.cookies[i][0] = "__Host-g-0";
	web_get(&b, url);
	assert_int_equal(b.status, 410);
	assert_false(web_shows(&b, "/language/")); /* nobody knows which login it was */
}

static void
a_cookie_without_its_secret_opens_nothing(void **state)
{
	struct world *w = *state;
	const char *url = saml_request_url(w, "_edge_half", "", "");
	struct web b;

	web_init(&b, w);
	web_get(&b, url);
	ASSERT_PAGE(&b, LOGIN);
	/* An id has a dot of its own. */
	const char *page = b.path, *const halves[] = {flow_of(&b), "nothing"};

	for (size_t half = 0; half < ARRAY_LEN(halves); half++) {
		for (size_t i = 0; i < b.n_cookies; i++)
			if (text_starts(b.cookies[i][0], "__Host-f-"))
				b.cookies[i][1] = halves[half];
		web_get(&b, page);
		assert_int_equal(b.status, 410);
		web_get(&b, url);
		assert_int_equal(b.status, 410);
	}
}

/* ---- pages at the end ---- */

static void
what_is_over_says_for_whom_it_was(void **state)
{
	struct world *w = *state;
	struct web b, copy;

	world_saml_party(w, "{\"attribute\":[\"family_name\"],\"consent\":\"always\","
			    "\"home\":\"https://amt24.example/start\"}");
	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "karl");
	web_fill_in(&b, "/flow/consent/", "do=agree");
	assert_int_equal(web_at_once(&b, NULL, "name=\"SAMLResponse\""), 1);
	/* A request that comes again, when its login is over. */
	const char *url = saml_request_url(w, "_edge_over", "", "");

	web_get(&b, url);
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_true(succeeded(&b));
	web_get(&b, url);
	assert_int_equal(b.status, 410);
	assert_true(web_shows(&b, "href=\"https://amt24.example/start\""));
	/* Too late: for the portal, or for the person alone. */
	ask(&b, "", "");
	copy = b;
	w->now += 3700;
	web_get(&copy, copy.path);
	assert_true(web_shows(&copy, "Neu beginnen für Amt24"));
	web_init(&b, w);
	web_get(&b, "/login");
	const char *page = b.path;

	w->now += 3700;
	web_get(&b, page);
	assert_true(web_shows(&b, "Neu beginnen"));
	assert_false(web_shows(&b, "Neu beginnen für"));
	web_get(&b, arena_printf(w->a, "/flow/restart/%s", flow_of(&b)));
	ASSERT_PAGE(&b, LOGIN);
	world_saml_party(w, POLICY);
}

/* Of the party's document, as a new version of its metadata has it. */
static void
replace_acs(struct world *w, const char *from, const char *to)
{
	static const char sql[] = "UPDATE party SET document = convert_to(replace(convert_from("
				  "document, 'UTF8'), '\"%s\"', '\"%s\"'), 'UTF8')"
				  " WHERE id = '" SAML_PARTY "' RETURNING 1";

	assert_string_equal(world_value(w, arena_printf(w->a, sql, from, to)), "1");
	world_oidc_party(w, "{}"); /* and all others anew */
}

static void
an_endpoint_that_has_left_the_metadata_gets_nothing(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "karl");
	replace_acs(w, SAML_ACS, SAML_ACS "/new");
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_int_equal(b.status, 403);
	assert_false(web_shows(&b, "SAMLResponse"));
	replace_acs(w, SAML_ACS "/new", SAML_ACS);
	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "karl");
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_true(succeeded(&b));
	world_saml_party(w, POLICY);
}

static bool
answered_at_once(const struct web *b)
{
	return text_starts(b->path, "/saml/sso");
}

static void
what_needs_no_page_is_answered_without_a_stored_login(void **state)
{
	static const char above[] =
		"<samlp:RequestedAuthnContext Comparison=\"minimum\"><saml:AuthnContextClassRef>"
		"STORK-QAA-Level-4</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>";
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", above);
	assert_true(answered_at_once(&b));
	assert_non_null(strstr(saml_response_of(&b), "NoAuthnContext"));
	log_in_aside(&b, "karl");
	world_saml_party(w, "{\"attribute\":[\"title:required\"]}");
	ask(&b, " IsPassive=\"true\"", "");
	assert_true(answered_at_once(&b));
	assert_non_null(strstr(saml_response_of(&b), "RequestDenied"));
	ask(&b, "", "");
	ASSERT_PAGE(&b, MISSING);
	assert_false(answered_at_once(&b));
	world_saml_party(w, POLICY);
}

/* ---- whose proofs count ---- */

static const char *
proofs_kept(struct web *b)
{
	return world_value(b->w, "SELECT json_array_length(convert_from(progress, 'UTF8')::json"
				 " -> 'proofs') FROM flow WHERE sid IS NOT NULL"
				 " ORDER BY created DESC, version DESC LIMIT 1");
}

static void
proofs_of_a_login_add_up_in_one_session_of_one_person(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, " ForceAuthn=\"true\"", LEVEL3);
	const char *page = b.path;

	log_in(&b, "erika");
	assert_string_equal(proofs_kept(&b), "1");
	enter_code(&b);
	ASSERT_PAGE(&b, CONSENT);
	assert_string_equal(proofs_kept(&b), "2");
	/* Out, and in again beside it: the code was of a session that is over. */
	log_out(&b);
	log_in_aside(&b, "erika");
	web_get(&b, page);
	ASSERT_PAGE(&b, LOGIN);
	log_in(&b, "erika");
	ASSERT_PAGE(&b, CODE);
	assert_string_equal(proofs_kept(&b), "1");
}

/* Between the reading of a login and its keeping, as by another request of the same page. */
static void
a_login_that_moved_on_meanwhile_is_judged_anew(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	pg_sql(w->pg, "CREATE FUNCTION move_on() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
		      " UPDATE flow SET version = version + 1; RETURN NEW; END $$;"
		      "CREATE TRIGGER move_on BEFORE INSERT ON session FOR EACH ROW"
		      " EXECUTE FUNCTION move_on()");
	log_in(&b, "karl");
	pg_sql(w->pg, "DROP TRIGGER move_on ON session; DROP FUNCTION move_on()");
	ASSERT_PAGE(&b, CONSENT);
	assert_non_null(web_cookie(&b, "__Host-session"));
}

static void
set_state(struct world *w, enum db_subject_state to)
{
	struct db_audit audit = {.event = "account_state", .ref = "test"};
	struct err err = {0};

	ASSERT_OK(db_account_set_state(&w->pg->c, erika_id, to, &audit, w->now, &err), &err);
}

static void
the_level_of_who_was_switched_off_is_not_the_next_ones(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, " ForceAuthn=\"true\"", LEVEL3);
	log_in(&b, "erika");
	enter_code(&b);
	ASSERT_PAGE(&b, CONSENT);
	set_state(w, DB_DISABLED);
	web_get(&b, b.path);
	ASSERT_PAGE(&b, LOGIN);
	log_in(&b, "karl"); /* in the session that was hers */
	ASSERT_PAGE(&b, ENROLL);
	set_state(w, DB_ACTIVE);
}

#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(old_logins_go_a_few_at_a_time_and_take_no_other_cookie_along),
		T(a_login_is_found_by_its_own_cookie_only),
		T(a_cookie_without_its_secret_opens_nothing),
		T(what_is_over_says_for_whom_it_was),
		T(an_endpoint_that_has_left_the_metadata_gets_nothing),
		T(what_needs_no_page_is_answered_without_a_stored_login),
		T(proofs_of_a_login_add_up_in_one_session_of_one_person),
		T(a_login_that_moved_on_meanwhile_is_judged_anew),
		T(the_level_of_who_was_switched_off_is_not_the_next_ones),
	};

	return cmocka_run_group_tests_name("flow edges", tests, steps_setup, world_teardown);
}
