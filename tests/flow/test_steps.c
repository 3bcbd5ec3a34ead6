/* Steps of a login taken out of order, by another person, again, too late, or guessed. */
#include "base/text.h"
#include "db/account.h"
#include "tests/flow/steps.h"

/* ---- order ---- */

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

	/* Hers is not set up as his, in the same flow and without a look at its page. */
	log_out(&b);
	log_in_aside(&b, "quirin");
	forge(&b, enroll, "/flow/enroll/", flow, arena_printf(w->a, "code=%s&do=enroll", code));
	ASSERT_PAGE(&b, ENROLL);
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

/* ---- persons ---- */

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

/* ---- accounts and portals that change on the way ---- */

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

#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_code_is_asked_of_who_has_an_app_and_set_up_by_who_has_none),
		T(only_an_app_that_was_shown_to_this_person_is_set_up),
		T(what_is_proved_in_the_flow_is_young_enough_for_it),
		T(codes_of_the_second_means_do_not_stretch_a_session),
		T(a_portal_switched_off_on_the_way_is_said_to_be_unknown),
		T(a_wish_for_a_level_stops_at_the_portals_cap),
		T(an_essential_claim_is_no_condition),
	};

	return cmocka_run_group_tests_name("flow steps", tests, steps_setup, world_teardown);
}
