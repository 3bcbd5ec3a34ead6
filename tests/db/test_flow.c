/* Logins on their way. */
#include "db/flow.h"

#include "db/dated.h"
#include "tests/db/pg.h"

static struct db_flow
start(struct pg *pg, const char *browser)
{
	struct db_flow flow = {.id = db_dated_create(pg->a, NOW + 3600),
			       .party = "https://amt24.example/sp",
			       .front = "saml",
			       .ask = bytes_of("asked"),
			       .state = "login",
			       .version = 1,
			       .expires = NOW + 3600};

	ASSERT_OK(db_flow_create(&pg->c, &flow, browser, NOW, &pg->err), &pg->err);
	return flow;
}

static struct db_flow *
load(struct pg *pg, const char *id, const char *browser, time_t now)
{
	const struct db_flow *flow;

	ASSERT_OK(db_flow_load(&pg->c, id, browser, now, &flow, &pg->err), &pg->err);
	return (struct db_flow *)(uintptr_t)flow;
}

static void
a_flow_comes_back_as_it_was(void **state)
{
	struct pg *pg = *state;
	struct db_flow flow = start(pg, "b1");
	const struct db_flow *found = load(pg, flow.id, "b1", NOW + 3599);

	assert_string_equal(found->id, flow.id);
	assert_string_equal(found->party, flow.party);
	assert_string_equal(found->front, "saml");
	assert_true(bytes_eq(found->ask, flow.ask));
	assert_string_equal(found->state, "login");
	assert_int_equal(found->version, 1);
	assert_int_equal(found->progress.n, 0);
	assert_null(found->acting);
	assert_null(found->represented);
	assert_null(found->sid);
	assert_int_equal(found->created, NOW);
	assert_int_equal(found->expires, NOW + 3600);
}

static void
only_the_same_browser_finds_it_and_only_in_time(void **state)
{
	struct pg *pg = *state;
	struct db_flow flow = start(pg, "b2");

	assert_null(load(pg, flow.id, "b3", NOW));
	assert_null(load(pg, flow.id, "b2", NOW + 3600));
	assert_null(load(pg, db_dated_create(pg->a, NOW + 3600), "b2", NOW));
	assert_null(load(pg, "not an id", "b2", NOW));
}

static void
a_change_is_stored_if_nobody_was_faster(void **state)
{
	struct pg *pg = *state;
	struct db_flow created = start(pg, "b4");
	struct db_flow *flow = load(pg, created.id, "b4", NOW);
	struct db_flow *tab = load(pg, created.id, "b4", NOW);
	struct subject_id acting = pg_person(pg), represented = pg_person(pg);

	flow->state = "consent";
	flow->progress = bytes_of("known");
	flow->acting = &acting;
	flow->represented = &represented;
	flow->sid = "sid-1";
	ASSERT_OK(db_flow_save(&pg->c, flow, NOW, &pg->err), &pg->err);
	assert_int_equal(flow->version, 2);
	tab->state = "cancelled";
	ASSERT_REFUSED(db_flow_save(&pg->c, tab, NOW, &pg->err), &pg->err, ERR_CONFLICT,
		       "changed meanwhile");
	flow = load(pg, created.id, "b4", NOW);
	assert_string_equal(flow->state, "consent");
	assert_true(bytes_eq(flow->progress, bytes_of("known")));
	assert_true(subject_id_eq(*flow->acting, acting));
	assert_true(subject_id_eq(*flow->represented, represented));
	assert_string_equal(flow->sid, "sid-1");
	ASSERT_REFUSED(db_flow_save(&pg->c, flow, NOW + 3600, &pg->err), &pg->err, ERR_CONFLICT,
		       "changed meanwhile");
	ASSERT_OK(db_flow_save(&pg->c, flow, NOW, &pg->err), &pg->err);
	assert_int_equal(flow->version, 3);
}

static void
a_flow_is_taken_once(void **state)
{
	struct pg *pg = *state;
	struct db_flow flow = start(pg, "b5");
	const struct db_flow *taken;

	ASSERT_OK(db_flow_take(&pg->c, flow.id, "other", NOW, &taken, &pg->err), &pg->err);
	assert_null(taken);
	ASSERT_OK(db_flow_take(&pg->c, flow.id, "b5", NOW + 3600, &taken, &pg->err), &pg->err);
	assert_null(taken);
	ASSERT_OK(db_flow_take(&pg->c, flow.id, "b5", NOW, &taken, &pg->err), &pg->err);
	assert_string_equal(taken->state, "login");
	ASSERT_OK(db_flow_take(&pg->c, flow.id, "b5", NOW, &taken, &pg->err), &pg->err);
	assert_null(taken);
	assert_null(load(pg, flow.id, "b5", NOW));
}

static void
a_flow_that_another_node_is_taking_is_not_waited_for(void **state)
{
	struct pg *pg = *state;
	struct db_flow flow = start(pg, "b6");
	const struct db_flow *taken;

	pg_sql(pg, "BEGIN; SELECT FROM flow FOR UPDATE");
	ASSERT_OK(db_flow_take(&pg->c, flow.id, "b6", NOW, &taken, &pg->err), &pg->err);
	assert_null(taken);
	pg_sql(pg, "ROLLBACK");
	ASSERT_OK(db_flow_take(&pg->c, flow.id, "b6", NOW, &taken, &pg->err), &pg->err);
	assert_non_null(taken);
}

static void
a_login_to_ones_own_account_has_no_party(void **state)
{
	struct pg *pg = *state;
	struct db_flow flow = {
		.id = db_dated_create(pg->a, NOW + 60), .state = "login", .expires = NOW + 60};
	static const struct {
		const char *party, *front;
		bool fine;
	} cases[] = {{"", "account", true},
		     {"", "saml", false},
		     {"p", "account", false},
		     {"p", "carrier-pigeon", false}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		flow.party = cases[i].party;
		flow.front = cases[i].front;
		if (cases[i].fine)
			ASSERT_OK(db_flow_create(&pg->c, &flow, "b", NOW, &pg->err), &pg->err);
		else
			ASSERT_REFUSED(db_flow_create(&pg->c, &flow, "b", NOW, &pg->err), &pg->err,
				       ERR_DENIED, "flow_");
	}
}

static void
an_id_that_is_not_ours_is_a_fault(void **state)
{
	struct pg *pg = *state;
	struct db_flow flow = {.id = "x", .party = "p", .front = "saml", .state = "s"};

	ASSERT_REFUSED(db_flow_create(&pg->c, &flow, "b", NOW, &pg->err), &pg->err, ERR_INTERNAL,
		       "not a flow id");
	ASSERT_REFUSED(db_flow_save(&pg->c, &flow, NOW, &pg->err), &pg->err, ERR_INTERNAL,
		       "not a flow id");
	/* The day in the text and the expiry must agree, or no look-up would find the row. */
	flow.id = db_dated_create(pg->a, NOW);
	flow.expires = NOW + 86400;
	ASSERT_REFUSED(db_flow_create(&pg->c, &flow, "b", NOW, &pg->err), &pg->err, ERR_DENIED,
		       "flow_day");
}

#define T(test) cmocka_unit_test_setup(test, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_flow_comes_back_as_it_was),
		T(only_the_same_browser_finds_it_and_only_in_time),
		T(a_change_is_stored_if_nobody_was_faster),
		T(a_flow_is_taken_once),
		T(a_flow_that_another_node_is_taking_is_not_waited_for),
		T(a_login_to_ones_own_account_has_no_party),
		T(an_id_that_is_not_ours_is_a_fault),
	};

	return cmocka_run_group_tests_name("flow", tests, pg_setup, pg_teardown);
}
