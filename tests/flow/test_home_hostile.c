/*
 * Hostile answers under good signatures, none of which is taken.  Each case for providers that
 * were registered by hand, and for the same as members of a federation.
 */
#include "base/text.h"
#include "tests/flow/home.h"

static void
the_answer_of_one_is_not_that_of_another(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	/* Everything as asked, but Hessen signs it; as itself, and in Baden's name. */
	for (int as = 0; as < 2; as++) {
		struct home_request q = home_sent(&b, BADEN);
		struct provider_answer p = home_answer(w, HESSEN, &q);

		if (as == 1)
			p.entity = PROVIDER_ENTITY;
		home_bring(&b, &p);
		home_refused(&b, q.relay_state);
	}
}

static void
what_was_not_asked_for_is_not_taken(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	struct home_request q = home_sent(&b, BADEN);
	struct provider_answer p = home_answer(w, BADEN, &q);

	p.request_id = "_another";
	home_bring(&b, &p);
	home_refused(&b, q.relay_state);
	/* Without anything that says which flow; with one that there is not. */
	p = home_answer(w, BADEN, &q);
	p.relay_state = NULL;
	home_bring(&b, &p);
	assert_int_equal(b.status, 403);
	p.relay_state = "20780.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	home_bring(&b, &p);
	assert_int_equal(b.status, 404);
	/* A flow that asked nobody. */
	ask(&b, "", "");
	p.relay_state = flow_of(&b);
	home_bring(&b, &p);
	assert_int_equal(b.status, 404);
}

static void
an_answer_counts_for_its_own_flow_alone(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	struct home_request one = home_sent(&b, BADEN), two = home_sent(&b, BADEN);
	struct provider_answer p = home_answer(w, BADEN, &one);

	p.relay_state = two.relay_state;
	home_bring(&b, &p);
	home_refused(&b, two.relay_state);
}

static void
an_answer_counts_once(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	struct home_request q = home_sent(&b, BADEN);
	struct provider_answer p = home_answer(w, BADEN, &q);
	const char *form = provider_form(w->a, w->keys, &p);

	web_foreign_post(&b, "/saml/acs", form);
	ASSERT_PAGE(&b, CONSENT);
	web_foreign_post(&b, "/saml/acs", form);
	assert_int_equal(b.status, 404);
	/* The same assertion under another Response, for another flow of the same provider. */
	struct home_request other = home_sent(&b, BADEN);
	struct provider_answer again = home_answer(w, BADEN, &other);

	again.assertion_id = arena_printf(w->a, "_a%s", q.r->header.id);
	home_bring(&b, &again);
	home_refused(&b, other.relay_state);
	assert_string_equal(
		world_value(w, arena_printf(w->a,
					    "SELECT count(*) > 0 FROM audit WHERE event ="
					    " 'login_refused' AND details->>'upstream' = '%s'",
					    home_id(BADEN))),
		"t");
}

static void
it_counts_in_the_browser_that_brought_it(void **state)
{
	struct world *w = *state;
	struct web attacker, victim;

	web_init(&attacker, w);
	web_init(&victim, w);
	/* Somebody logs in there with a request of another's flow, and brings the answer. */
	struct home_request q = home_sent(&attacker, BADEN);
	struct provider_answer p = home_answer(w, BADEN, &q);

	home_bring(&victim, &p);
	assert_int_equal(victim.status, 410); /* the flow is not of this browser */
	web_get(&attacker, arena_printf(w->a, "/flow/%s", q.relay_state));
	ASSERT_PAGE(&attacker, LOGIN); /* and the login not of that one */
	assert_false(web_shows(&attacker, "Beispiel"));
}

static void
a_level_above_the_cap_is_not_believed(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	struct home_request q = home_sent(&b, HESSEN);
	struct provider_answer p = home_answer(w, HESSEN, &q);

	p.class_ref = "STORK-QAA-Level-4";
	home_bring(&b, &p);
	home_refused(&b, q.relay_state);
}

static void
a_level_below_what_was_asked_or_unknown_is_refused(void **state)
{
	static const char *const words[] = {"STORK-QAA-Level-2", "urn:example:golden"};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		ask(&b, "", LEVEL3);
		home_choose(&b, BADEN);
		struct home_request q = home_request(&b);
		struct provider_answer p = home_answer(w, BADEN, &q);

		p.class_ref = words[i];
		home_bring(&b, &p);
		home_refused(&b, q.relay_state);
	}
}

static void
encrypted_but_unsigned_is_not_taken(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (int which = 0; which < 4; which++) {
		struct home_request q = home_sent(&b, BADEN);
		struct provider_answer p = home_answer(w, BADEN, &q);

		p.encrypt_to = home_encrypt_to(w);
		p.unsigned_response = (which & 1) == 0;
		p.unsigned_assertion = (which & 2) == 0;
		home_bring(&b, &p);
		if (which == 3)
			ASSERT_PAGE(&b, CONSENT);
		else
			home_refused(&b, q.relay_state);
	}
}

static void
several_assertions_are_none(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	struct home_request q = home_sent(&b, BADEN);
	struct provider_answer p = home_answer(w, BADEN, &q), other = p;

	const char *open = p.encrypt_to == NULL ? "<saml:Assertion" : "<saml:EncryptedAssertion";
	const char *close =
		p.encrypt_to == NULL ? "</saml:Assertion>" : "</saml:EncryptedAssertion>";

	other.assertion_id = "_other";
	p.response[0] = (struct change){
		"</samlp:Response>",
		arena_printf(w->a, "%s</samlp:Response>",
			     cut(w->a, provider_response(w->a, w->keys, &other), open, close))};
	home_bring(&b, &p);
	home_refused(&b, q.relay_state);
}

static void
what_is_late_is_refused(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	struct home_request q = home_sent(&b, BADEN);
	struct provider_answer p = home_answer(w, BADEN, &q);
	const char *form = provider_form(w->a, w->keys, &p);

	w->now += 180; /* two minutes of its own, one of skew */
	web_foreign_post(&b, "/saml/acs", form);
	home_refused(&b, q.relay_state);
}

/* We say that nobody else is to be asked (ProxyCount 0). */
static void
who_asked_somebody_else_is_not_believed(void **state)
{
	static const struct {
		const char *authority;
		bool fine;
	} rows[] = {{"https://other.example/", false},
		    {BASE "/saml/metadata", false},
		    {PROVIDER_ENTITY, true}};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct home_request q = home_sent(&b, BADEN);
		struct provider_answer p = home_answer(w, BADEN, &q);

		p.assertion[0] = (struct change){
			"</saml:AuthnContext>",
			arena_printf(w->a,
				     "<saml:AuthenticatingAuthority>%s"
				     "</saml:AuthenticatingAuthority></saml:AuthnContext>",
				     rows[i].authority)};
		home_bring(&b, &p);
		if (rows[i].fine)
			ASSERT_PAGE(&b, CONSENT);
		else
			home_refused(&b, q.relay_state);
	}
}

static int
by_hand(void **state)
{
	home_be_members(*state, false);
	return steps_fresh(state);
}

static int
as_members(void **state)
{
	home_be_members(*state, true);
	return steps_fresh(state);
}

#define BOTH(name)                                                \
	{#name, name, by_hand, NULL, NULL},                       \
	{                                                         \
#name "_of_members", name, as_members, NULL, NULL \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(the_answer_of_one_is_not_that_of_another),
		BOTH(what_was_not_asked_for_is_not_taken),
		BOTH(an_answer_counts_for_its_own_flow_alone),
		BOTH(an_answer_counts_once),
		BOTH(it_counts_in_the_browser_that_brought_it),
		BOTH(a_level_above_the_cap_is_not_believed),
		BOTH(a_level_below_what_was_asked_or_unknown_is_refused),
		BOTH(encrypted_but_unsigned_is_not_taken),
		BOTH(several_assertions_are_none),
		BOTH(what_is_late_is_refused),
		BOTH(who_asked_somebody_else_is_not_believed),
	};

	return cmocka_run_group_tests(tests, home_setup, world_teardown);
}
