/* Steps of a login taken out of order, by another person, again, too late, or guessed. */
#include "base/text.h"
#include "db/account.h"
#include "tests/flow/steps.h"

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
		T(what_is_proved_in_the_flow_is_young_enough_for_it),
		T(a_portal_switched_off_on_the_way_is_said_to_be_unknown),
		T(a_wish_for_a_level_stops_at_the_portals_cap),
		T(an_essential_claim_is_no_condition),
	};

	return cmocka_run_group_tests_name("flow steps", tests, steps_setup, world_teardown);
}
