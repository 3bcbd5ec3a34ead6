/* The state table of a login: each row, and every pair of state and event. */
#include "idp/flow_state.h"
#include "tests/test.h"

/* A login that lacks nothing. */
static struct flow_facts
good(void)
{
	return (struct flow_facts){
		.party_enabled = true,
		.session_usable = true,
		.session = LEVEL_SUBSTANTIAL,
		.wanted = LEVEL_LOW,
		.reachable = LEVEL_SUBSTANTIAL,
	};
}

static void
a_login_that_lacks_nothing_is_answered(void **state UNUSED)
{
	struct flow_facts f = good();

	assert_int_equal(flow_state_of(&f), FLOW_ANSWER);
	f.wanted = LEVEL_NONE;
	assert_int_equal(flow_state_of(&f), FLOW_ANSWER);
}

static void
no_facts_at_all_are_refused(void **state UNUSED)
{
	struct flow_facts f = {0};

	assert_int_equal(flow_state_of(&f), FLOW_PARTY_GONE);
}

static void
each_lack_leads_to_its_state(void **state UNUSED)
{
	struct flow_facts f = good();

	f.session_usable = false;
	assert_int_equal(flow_state_of(&f), FLOW_LOGIN);
	f = good();
	f.session = LEVEL_NONE;
	f.wanted = LEVEL_NONE;
	assert_int_equal(flow_state_of(&f), FLOW_LOGIN);
	f = good();
	f.session = LEVEL_LOW;
	f.wanted = LEVEL_SUBSTANTIAL;
	assert_int_equal(flow_state_of(&f), FLOW_STEP_UP);
	f.wanted = LEVEL_HIGH;
	assert_int_equal(flow_state_of(&f), FLOW_UNREACHABLE);
	f = good();
	f.consent_needed = true;
	assert_int_equal(flow_state_of(&f), FLOW_CONSENT);
	f.required_missing = true;
	assert_int_equal(flow_state_of(&f), FLOW_MISSING);
	f.other_person = true;
	assert_int_equal(flow_state_of(&f), FLOW_OTHER_PERSON);
	f.expired = true;
	assert_int_equal(flow_state_of(&f), FLOW_EXPIRED);
	f.party_enabled = false;
	assert_int_equal(flow_state_of(&f), FLOW_PARTY_GONE);
}

static void
a_passive_request_never_sees_a_page(void **state UNUSED)
{
	struct flow_facts f = good();

	f.passive = true;
	assert_int_equal(flow_state_of(&f), FLOW_ANSWER);
	f.consent_needed = true;
	assert_int_equal(flow_state_of(&f), FLOW_PASSIVE_CONSENT);
	f.session = LEVEL_LOW;
	f.wanted = LEVEL_SUBSTANTIAL;
	assert_int_equal(flow_state_of(&f), FLOW_PASSIVE_LOGIN);
	f.session_usable = false;
	assert_int_equal(flow_state_of(&f), FLOW_PASSIVE_LOGIN);
	/* Also where no level is asked for, or what is left of a session would do. */
	f = good();
	f.passive = true;
	f.session_usable = false;
	assert_int_equal(flow_state_of(&f), FLOW_PASSIVE_LOGIN);
	f = good();
	f.passive = true;
	f.session = f.wanted = LEVEL_NONE;
	assert_int_equal(flow_state_of(&f), FLOW_PASSIVE_LOGIN);
}

/* Nothing is answered below the level, for all levels and sessions. */
static void
no_answer_is_given_below_the_level(void **state UNUSED)
{
	for (int s = LEVEL_NONE; s <= LEVEL_HIGH; s++) {
		for (int w = LEVEL_NONE; w <= LEVEL_HIGH; w++) {
			struct flow_facts f = good();

			f.session = (enum level)s;
			f.wanted = (enum level)w;
			f.reachable = LEVEL_HIGH;
			bool answer = flow_state_of(&f) == FLOW_ANSWER;

			assert_int_equal(answer, s != LEVEL_NONE && s >= w);
		}
	}
}

static void
what_another_provider_says_is_the_end(void **state UNUSED)
{
	struct flow_facts f = {.party_enabled = true, .wanted = LEVEL_LOW, .reachable = LEVEL_HIGH};

	assert_int_equal(flow_state_of(&f), FLOW_LOGIN);
	f.home_cancelled = true;
	assert_int_equal(flow_state_of(&f), FLOW_CANCELLED);
	f.home_cancelled = false;
	f.home_refused = true;
	assert_int_equal(flow_state_of(&f), FLOW_REFUSED);
	f.home_refused = false;
	f.home_below = true;
	assert_int_equal(flow_state_of(&f), FLOW_UNREACHABLE);
	f.party_enabled = false;
	assert_int_equal(flow_state_of(&f), FLOW_PARTY_GONE);
}

static void
an_event_counts_only_in_the_state_that_shows_its_form(void **state UNUSED)
{
	static const struct {
		enum flow_event event;
		enum flow_state state;
	} listed[] = {
		{FLOW_EVENT_LOGIN, FLOW_LOGIN},     {FLOW_EVENT_STEP_UP, FLOW_STEP_UP},
		{FLOW_EVENT_CONSENT, FLOW_CONSENT}, {FLOW_EVENT_CANCEL, FLOW_LOGIN},
		{FLOW_EVENT_CANCEL, FLOW_STEP_UP},  {FLOW_EVENT_CANCEL, FLOW_CONSENT},
		{FLOW_EVENT_CANCEL, FLOW_MISSING},  {FLOW_EVENT_CANCEL, FLOW_ANSWER},
		{FLOW_EVENT_RESTART, FLOW_EXPIRED}, {FLOW_EVENT_HOME, FLOW_LOGIN},
		{FLOW_EVENT_HOME, FLOW_STEP_UP},
	};
	size_t allowed = 0;

	for (int s = 0; s < FLOW_STATE_COUNT; s++)
		for (int e = 0; e < FLOW_EVENT_COUNT; e++)
			allowed += flow_event_allowed((enum flow_state)s, (enum flow_event)e);
	assert_int_equal(allowed, ARRAY_LEN(listed));
	for (size_t i = 0; i < ARRAY_LEN(listed); i++)
		assert_true(flow_event_allowed(listed[i].state, listed[i].event));
	assert_false(flow_event_allowed(FLOW_STATE_COUNT, FLOW_EVENT_LOGIN));
	assert_false(flow_event_allowed((enum flow_state)64, FLOW_EVENT_LOGIN));
	assert_false(flow_event_allowed(FLOW_LOGIN, FLOW_EVENT_COUNT));
}

static void
everything_has_a_name(void **state UNUSED)
{
	for (int s = 0; s < FLOW_STATE_COUNT; s++)
		assert_string_not_equal(flow_state_name((enum flow_state)s), "unknown");
	for (int e = 0; e < FLOW_EVENT_COUNT; e++)
		assert_string_not_equal(flow_event_name((enum flow_event)e), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_login_that_lacks_nothing_is_answered),
		cmocka_unit_test(no_facts_at_all_are_refused),
		cmocka_unit_test(each_lack_leads_to_its_state),
		cmocka_unit_test(a_passive_request_never_sees_a_page),
		cmocka_unit_test(no_answer_is_given_below_the_level),
		cmocka_unit_test(what_another_provider_says_is_the_end),
		cmocka_unit_test(an_event_counts_only_in_the_state_that_shows_its_form),
		cmocka_unit_test(everything_has_a_name),
	};

	return cmocka_run_group_tests_name("flow_state", tests, NULL, NULL);
}
