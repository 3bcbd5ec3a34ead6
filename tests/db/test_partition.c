/*
 * Partitions, and what must hold across their boundaries: every one-time thing
 * is still one-time when it is made on one day and used on the next.
 */
#include "db/partition.h"

#include "base/rand.h"
#include "db/budget.h"
#include "db/dated.h"
#include "db/flow.h"
#include "db/grant.h"
#include "db/seen.h"
#include "db/session.h"
#include "db/ticket.h"
#include "tests/db/pg.h"

/* The client as it takes part in a session. */
static const struct db_participant part = {
	.dialect = "oidc", .name_id = "name", .session_index = "1"};

/* Ten seconds before and after a midnight inside the partitions. */
#define MIDNIGHT (NOW - NOW % DAY_S + DAY_S)
#define EVENING  (MIDNIGHT - 10)
#define MORNING  (MIDNIGHT + 10)

static struct db_partitions
maintain(struct pg *pg, time_t now)
{
	struct db_partitions done;

	ASSERT_OK(db_partitions_maintain(&pg->c, now, &done, &pg->err), &pg->err);
	return done;
}

static void
partitions_are_made_ahead_once(void **state)
{
	struct pg *pg = *state;
	struct db_partitions done = maintain(pg, NOW);

	assert_int_equal(done.made, 0); /* the fixture did */
	assert_int_equal(done.dropped, 0);
	assert_true(done.until > NOW + DB_AHEAD_S);
	done = maintain(pg, NOW + DAY_S);
	assert_int_equal(done.made, 8);
}

static void
they_look_like_their_table(void **state)
{
	struct pg *pg = *state;

	assert_string_equal(pg_value(pg, "SELECT count(*) FROM pg_constraint"
					 " WHERE conname = 'one_day'"),
			    "0");
	/* Every index of a partition hangs on one of its table's. */
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM pg_index x"
					 " JOIN pg_inherits t ON t.inhrelid = x.indrelid"
					 " LEFT JOIN pg_inherits i ON i.inhrelid = x.indexrelid"
					 " WHERE i.inhparent IS NULL"),
			    "0");
}

static void
what_expired_is_dropped_a_day_later(void **state)
{
	struct pg *pg = *state;
	bool first;

	ASSERT_OK(db_seen_once(&pg->c, &(struct db_mark){"k", bytes_of("drop"), EVENING}, NOW,
			       &first, &pg->err),
		  &pg->err);
	assert_int_equal(maintain(pg, EVENING + DAY_S).dropped, 0);
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM seen WHERE kind = 'k'"), "1");
	assert_int_equal(maintain(pg, MIDNIGHT + DAY_S).dropped, 8);
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM seen WHERE kind = 'k'"), "0");
	/* For the tests that follow. */
	pg_sql(pg, "SELECT partitions_maintain(0, 1800000000 / 86400, 1800000000 / 86400)");
}

static void
a_table_in_use_is_dropped_the_next_time(void **state)
{
	struct pg *pg = *state;
	const int64_t days = 3;

	maintain(pg, NOW);
	pg_sql(pg, "BEGIN; LOCK TABLE seen IN ACCESS SHARE MODE");
	assert_int_equal(maintain(pg, NOW + days * DAY_S).dropped, 7 * (days - 1));
	pg_sql(pg, "COMMIT");
	assert_int_equal(maintain(pg, NOW + days * DAY_S).dropped, days - 1);
	pg_sql(pg, "SELECT partitions_maintain(0, 1800000000 / 86400, 1800000000 / 86400 + 9)");
}

static void
one_node_at_a_time(void **state)
{
	struct pg *pg = *state;

	pg_sql(pg, "SELECT pg_advisory_lock(hashtext('kontor partitions'))");
	assert_int_equal(maintain(pg, NOW + 20 * DAY_S).made, 0);
	pg_sql(pg, "SELECT pg_advisory_unlock_all()");
}

static void
a_row_without_a_partition_is_refused(void **state)
{
	struct pg *pg = *state;
	time_t far = NOW + 100 * DAY_S;
	const struct db_ticket ticket = {.expires = far};

	ASSERT_REFUSED(
		db_ticket_create(&pg->c, "p", db_dated_create(pg->a, far), &ticket, NOW, &pg->err),
		&pg->err, ERR_UNAVAILABLE, "ticket_create: no partition");
}

static void
a_mark_is_seen_on_both_sides_of_midnight(void **state)
{
	struct pg *pg = *state;
	struct bytes value = bytes_of("request 1");
	bool first;

	/* The message says when it expires; when it arrives does not matter. */
	ASSERT_OK(db_seen_once(&pg->c, &(struct db_mark){"saml-request", value, MORNING}, EVENING,
			       &first, &pg->err),
		  &pg->err);
	assert_true(first);
	ASSERT_OK(db_seen_once(&pg->c, &(struct db_mark){"saml-request", value, MORNING}, EVENING,
			       &first, &pg->err),
		  &pg->err);
	assert_false(first);
	ASSERT_OK(db_seen_once(&pg->c, &(struct db_mark){"saml-request", value, MORNING},
			       MORNING - 1, &first, &pg->err),
		  &pg->err);
	assert_false(first);
	ASSERT_OK(db_seen_once(&pg->c, &(struct db_mark){"client-assertion", value, MORNING},
			       EVENING, &first, &pg->err),
		  &pg->err);
	assert_true(first);
	ASSERT_REFUSED(db_seen_once(&pg->c, &(struct db_mark){"saml-request", value, MORNING},
				    MORNING, &first, &pg->err),
		       &pg->err, ERR_INPUT, "has expired");
	ASSERT_REFUSED(db_seen_once(&pg->c,
				    &(struct db_mark){"saml-request", value, NOW + DB_AHEAD_S + 1},
				    NOW, &first, &pg->err),
		       &pg->err, ERR_DENIED, "too far ahead");
	ASSERT_OK(db_seen_once(&pg->c,
			       &(struct db_mark){"saml-request", bytes_of("far"), NOW + DB_AHEAD_S},
			       NOW, &first, &pg->err),
		  &pg->err);
}

static void
a_ticket_is_taken_once_over_midnight(void **state)
{
	struct pg *pg = *state;
	const char *text = db_dated_create(pg->a, MORNING);
	struct subject_id subject = subject_id_create();
	const struct db_ticket ticket = {
		.subject = &subject, .data = bytes_of("data"), .expires = MORNING};
	const struct db_ticket *taken;

	ASSERT_OK(db_ticket_create(&pg->c, "invite", text, &ticket, EVENING, &pg->err), &pg->err);
	ASSERT_OK(db_ticket_take(&pg->c, "recover", text, MORNING - 1, &taken, &pg->err), &pg->err);
	assert_null(taken);
	ASSERT_OK(db_ticket_take(&pg->c, "invite", text, MORNING, &taken, &pg->err), &pg->err);
	assert_null(taken);
	/* To look uses nothing up. */
	ASSERT_OK(db_ticket_look(&pg->c, "recover", text, MORNING - 1, &taken, &pg->err), &pg->err);
	assert_null(taken);
	ASSERT_OK(db_ticket_look(&pg->c, "invite", text, MORNING, &taken, &pg->err), &pg->err);
	assert_null(taken);
	ASSERT_OK(db_ticket_look(&pg->c, "invite", text, MORNING - 1, &taken, &pg->err), &pg->err);
	assert_true(bytes_eq(taken->data, bytes_of("data")));
	/* One that another node is taking is not waited for. */
	pg_sql(pg, "BEGIN; SELECT FROM ticket FOR UPDATE");
	ASSERT_OK(db_ticket_take(&pg->c, "invite", text, MORNING - 1, &taken, &pg->err), &pg->err);
	assert_null(taken);
	pg_sql(pg, "ROLLBACK");
	ASSERT_OK(db_ticket_take(&pg->c, "invite", text, MORNING - 1, &taken, &pg->err), &pg->err);
	assert_true(subject_id_eq(*taken->subject, subject));
	assert_true(bytes_eq(taken->data, bytes_of("data")));
	assert_int_equal(taken->created, EVENING);
	assert_int_equal(taken->expires, MORNING);
	ASSERT_OK(db_ticket_take(&pg->c, "invite", text, MORNING - 1, &taken, &pg->err), &pg->err);
	assert_null(taken);
	ASSERT_OK(db_ticket_take(&pg->c, "invite", "no ticket", NOW, &taken, &pg->err), &pg->err);
	assert_null(taken);
	ASSERT_REFUSED(db_ticket_create(&pg->c, "invite", "x", &ticket, NOW, &pg->err), &pg->err,
		       ERR_INTERNAL, "not a ticket");
}

static void
a_flow_goes_on_over_midnight(void **state)
{
	struct pg *pg = *state;
	const struct db_flow flow = {.id = db_dated_create(pg->a, MORNING),
				     .party = "p",
				     .front = "oidc",
				     .state = "login",
				     .expires = MORNING};
	const struct db_flow *found;

	ASSERT_OK(db_flow_create(&pg->c, &flow, "b", EVENING, &pg->err), &pg->err);
	ASSERT_OK(db_flow_load(&pg->c, flow.id, "b", MIDNIGHT, &found, &pg->err), &pg->err);
	struct db_flow changed = *found;

	changed.state = "consent";
	ASSERT_OK(db_flow_save(&pg->c, &changed, MIDNIGHT, &pg->err), &pg->err);
	ASSERT_OK(db_flow_take(&pg->c, flow.id, "b", MORNING - 1, &found, &pg->err), &pg->err);
	assert_string_equal(found->state, "consent");
	ASSERT_OK(db_flow_take(&pg->c, flow.id, "b", EVENING, &found, &pg->err), &pg->err);
	assert_null(found);
}

static void
a_code_is_used_once_over_midnight(void **state)
{
	struct pg *pg = *state;
	const struct db_proof proof = {.level = 2, .method = "password", .at = EVENING};
	const struct db_session session = {.sid = "over-midnight",
					   .acting = pg_person(pg),
					   .sso_group = "g",
					   .proofs = &proof,
					   .n_proofs = 1,
					   .expires = MORNING + 3600};
	struct db_grant grant = {.id = {5},
				 .party = "p",
				 .acting = session.acting,
				 .sid = session.sid,
				 .scope = "",
				 .redirect_uri = "u",
				 .expires = MORNING,
				 .consent = pg_consent(pg, session.acting, "p")};
	const char *code = db_dated_create(pg->a, MORNING);
	const char *token = db_dated_create(pg->a, MORNING + DAY_S);
	const struct db_grant *taken;
	const struct db_token *found;
	enum db_take result;

	ASSERT_OK(db_session_create(&pg->c, "cookie", &session, NULL, EVENING, &pg->err), &pg->err);
	ASSERT_OK(db_grant_create(&pg->c, code, &grant, &part, NULL, EVENING, &(bool){0}, &pg->err),
		  &pg->err);
	const struct db_token_new first = {.text = token, .expires = MORNING + DAY_S},
				  second = {.text = db_dated_create(pg->a, MORNING),
					    .expires = MORNING};

	ASSERT_OK(db_grant_take(&pg->c, code, "p", &first, NULL, NULL, EVENING, &result, &taken,
				&(bool){0}, &pg->err),
		  &pg->err);
	assert_int_equal(result, DB_TAKE_TAKEN);
	/* Used on the next day, and the token it revokes lies in a third partition. */
	maintain(pg, MORNING);
	ASSERT_OK(db_token_find(&pg->c, token, false, MORNING, &found, &pg->err), &pg->err);
	assert_non_null(found);
	ASSERT_OK(db_grant_take(&pg->c, code, "p", &second, NULL, NULL, MORNING, &result, &taken,
				&(bool){0}, &pg->err),
		  &pg->err);
	assert_int_equal(result, DB_TAKE_REPLAYED);
	ASSERT_OK(db_token_find(&pg->c, token, false, MORNING, &found, &pg->err), &pg->err);
	assert_null(found);
}

static void
a_text_with_another_day_is_unknown(void **state)
{
	struct pg *pg = *state;
	const char *text = db_dated_create(pg->a, MORNING);
	const char *moved =
		arena_printf(pg->a, "%lld%s", (long long)(MORNING / DAY_S + 1), strchr(text, '.'));
	const struct db_ticket ticket = {.expires = MORNING};
	const struct db_ticket *taken;

	ASSERT_OK(db_ticket_create(&pg->c, "invite", text, &ticket, NOW, &pg->err), &pg->err);
	ASSERT_OK(db_ticket_take(&pg->c, "invite", moved, NOW, &taken, &pg->err), &pg->err);
	assert_null(taken);
	ASSERT_OK(db_ticket_take(&pg->c, "invite", text, NOW, &taken, &pg->err), &pg->err);
	assert_non_null(taken);
}

#define T(test) cmocka_unit_test_setup(test, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(partitions_are_made_ahead_once),
		T(they_look_like_their_table),
		T(a_mark_is_seen_on_both_sides_of_midnight),
		T(a_ticket_is_taken_once_over_midnight),
		T(a_flow_goes_on_over_midnight),
		T(a_code_is_used_once_over_midnight),
		T(a_text_with_another_day_is_unknown),
		T(a_row_without_a_partition_is_refused),
		T(one_node_at_a_time),
		T(what_expired_is_dropped_a_day_later),
		T(a_table_in_use_is_dropped_the_next_time),
	};

	return cmocka_run_group_tests_name("partition", tests, pg_setup, pg_teardown);
}
