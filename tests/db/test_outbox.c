/* What has to be told: written with its cause, taken by one, tried again, settled once. */
#include "db/outbox.h"

#include "base/rand.h"
#include "db/account.h"
#include "db/dated.h"
#include "db/logout.h"
#include "tests/db/pg.h"

static const struct db_proof password = {.level = 2, .method = "password", .at = NOW};
static const struct db_participant parts[] = {
	{.party = "urn:a",
	 .dialect = "saml",
	 .name_id = "n",
	 .name_format = "f",
	 .session_index = "1"},
	{.party = "urn:b", .dialect = "saml", .name_id = "n", .session_index = "2"},
	{.party = "urn:c", .dialect = "oidc", .name_id = "n", .session_index = "3"},
};

/* ---- the outbox alone ---- */

static const char *
add(struct pg *pg, const char *target, time_t now, time_t expires)
{
	struct db_outbox_item item = {.id = rand_token(pg->a, 16),
				      .kind = "test",
				      .target = target,
				      .content = "{}",
				      .expires = expires};
	struct db_tx *tx;

	ASSERT_OK(db_tx_begin(&pg->c, &tx, &pg->err), &pg->err);
	ASSERT_OK(db_outbox_add_tx(tx, pg->a, &item, 1, now, &pg->err), &pg->err);
	ASSERT_OK(db_tx_commit(tx, &pg->err), &pg->err);
	return item.id;
}

static const struct db_outbox_taken *
take_of(struct pg *pg, const char *const *kinds, size_t n, time_t now)
{
	const struct db_outbox_taken *t;

	ASSERT_OK(db_outbox_take(&pg->c, kinds, n, 30, 2, now, &t, &pg->err), &pg->err);
	return t;
}

static const struct db_outbox_taken *
take(struct pg *pg, time_t now)
{
	static const char *const kinds[] = {"test", "logout"};

	return take_of(pg, kinds, ARRAY_LEN(kinds), now);
}

static const char *
column(struct pg *pg, const char *id, const char *name)
{
	return pg_value(pg, arena_printf(pg->a, "SELECT %s FROM outbox WHERE id = '%s'", name, id));
}

static void
empty(struct pg *pg)
{
	pg_sql(pg, "DELETE FROM outbox");
}

/* A node that does not know a kind leaves its items to those that do, tries and all. */
static void
an_item_of_another_kind_is_left_alone(void **state)
{
	static const char *const others[] = {"later", "tes"};
	struct pg *pg = *state;

	empty(pg);
	const char *id = add(pg, "t", NOW, NOW + 3600);

	assert_null(take_of(pg, others, ARRAY_LEN(others), NOW));
	assert_null(take_of(pg, NULL, 0, NOW + 3599));
	assert_string_equal(column(pg, id, "tries || ' ' || lease || ' ' || due"),
			    arena_printf(pg->a, "0 0 %lld", (long long)NOW));
	assert_string_equal(take(pg, NOW)->item.id, id);
	/* When its time is over anybody may put it away. */
	assert_non_null(take_of(pg, others, ARRAY_LEN(others), NOW + 3600));
}

static void
an_item_is_one_nodes_until_its_lease_is_over(void **state)
{
	struct pg *pg = *state;
	int64_t waiting, failing;

	empty(pg);
	const char *id = add(pg, "t", NOW, NOW + 3600);
	const struct db_outbox_taken *t = take(pg, NOW);

	assert_string_equal(t->item.id, id);
	assert_string_equal(t->item.kind, "test");
	assert_string_equal(t->item.target, "t");
	assert_string_equal(t->item.content, "{}");
	assert_int_equal(t->item.expires, NOW + 3600);
	assert_int_equal(t->tries, 1);
	assert_null(take(pg, NOW + 29));
	/* Who took it has died. */
	t = take(pg, NOW + 30);
	assert_string_equal(t->item.id, id);
	assert_int_equal(t->tries, 2);
	ASSERT_OK(db_outbox_count(&pg->c, &waiting, &failing, &pg->err), &pg->err);
	assert_int_equal(waiting, 1);
	assert_int_equal(failing, 0);
}

static void
what_is_settled_is_never_taken_again(void **state)
{
	struct pg *pg = *state;

	for (int done = 0; done < 2; done++) {
		empty(pg);
		const char *id = add(pg, "t", NOW, NOW + 3600);
		const struct db_outbox_taken *first = take(pg, NOW), *second = take(pg, NOW + 30);

		/* Also by who took it first and comes late. */
		assert_non_null(second);
		ASSERT_OK(db_outbox_settle(&pg->c, first->item.id, done, "word", &pg->err),
			  &pg->err);
		assert_null(take(pg, NOW + 100));
		assert_string_equal(column(pg, id, "state"), done ? "done" : "failed");
		assert_string_equal(column(pg, id, "result || content"), "word");
		/* What another says of it afterwards changes nothing. */
		ASSERT_OK(db_outbox_settle(&pg->c, id, !done, "other", &pg->err), &pg->err);
		ASSERT_OK(db_outbox_again(&pg->c, second, NOW, "again", &pg->err), &pg->err);
		assert_string_equal(column(pg, id, "state || result"),
				    done ? "doneword" : "failedword");
	}
}

static void
a_try_that_failed_is_made_again_later(void **state)
{
	struct pg *pg = *state;
	int64_t waiting, failing;

	empty(pg);
	const char *id = add(pg, "t", NOW, NOW + 3600);
	const struct db_outbox_taken *t = take(pg, NOW);

	ASSERT_OK(db_outbox_again(&pg->c, t, NOW + 5, "status_500", &pg->err), &pg->err);
	ASSERT_OK(db_outbox_count(&pg->c, &waiting, &failing, &pg->err), &pg->err);
	assert_int_equal(waiting, 1);
	assert_int_equal(failing, 1);
	assert_null(take(pg, NOW + 4));
	const struct db_outbox_taken *again = take(pg, NOW + 5);

	assert_int_equal(again->tries, 2);
	/* Of the try before: it does not take the item out of the other's hands. */
	ASSERT_OK(db_outbox_again(&pg->c, t, NOW + 6, "late", &pg->err), &pg->err);
	assert_null(take(pg, NOW + 6));
	assert_string_equal(column(pg, id, "result"), "status_500");
}

static void
a_target_that_hangs_holds_up_no_other(void **state)
{
	struct pg *pg = *state;

	empty(pg);
	for (int i = 0; i < 5; i++)
		add(pg, "hangs", NOW - 10, NOW + 3600);
	const char *other = add(pg, "fine", NOW, NOW + 3600);

	assert_string_equal(take(pg, NOW)->item.target, "hangs");
	assert_string_equal(take(pg, NOW)->item.target, "hangs");
	assert_string_equal(take(pg, NOW)->item.id, other);
	assert_null(take(pg, NOW));
	assert_string_equal(take(pg, NOW + 30)->item.target, "hangs");
}

static void
each_item_goes_to_one_of_many(void **state)
{
	struct pg *pg = *state;
	const char *last = "";

	empty(pg);
	for (int i = 0; i < 20; i++)
		add(pg, arena_printf(pg->a, "t%d", i), NOW, NOW + 3600);
	for (int i = 0; i < 20; i++) {
		const struct db_outbox_taken *t = take(pg, NOW);

		assert_non_null(t);
		assert_string_not_equal(t->item.id, last);
		last = t->item.id;
	}
	assert_null(take(pg, NOW));
	assert_string_equal(pg_value(pg, "SELECT sum(tries) FROM outbox"), "20");
}

static void
what_is_over_is_swept_and_what_waits_stays(void **state)
{
	struct pg *pg = *state;
	int64_t n;

	empty(pg);
	const char *id = add(pg, "t", NOW, NOW + 10);

	add(pg, "t", NOW, NOW + 10);
	add(pg, "u", NOW, NOW + 3600);
	ASSERT_OK(db_outbox_settle(&pg->c, id, true, "word", &pg->err), &pg->err);
	ASSERT_OK(db_outbox_sweep(&pg->c, NOW + 10, 10, NOW, &n, &pg->err), &pg->err);
	assert_int_equal(n, 0);
	ASSERT_OK(db_outbox_sweep(&pg->c, NOW + 11, 10, NOW, &n, &pg->err), &pg->err);
	assert_int_equal(n, 1);
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM outbox"), "2");
}

/* ---- logouts ---- */

struct plan {
	const struct db_told *told;
	size_t n, seen;
};

static void
plan(void *ctx, struct arena *a UNUSED, const struct db_participant *list, size_t n,
     const struct db_told **out, size_t *n_out)
{
	struct plan *p = ctx;

	p->seen = n;
	for (size_t i = 0; i < n; i++)
		assert_non_null(list[i].name_format);
	*out = p->told;
	*n_out = p->n;
}

static const struct db_told told[] = {
	{"urn:a", DB_CHANNEL_OUTBOX, "test", "for-a"},
	{"urn:b", DB_CHANNEL_FRONT, NULL, "for-b"},
	{"urn:c", DB_CHANNEL_NONE, NULL, "for-c"},
	{"urn:d", DB_CHANNEL_FRAME, NULL, "for-d"},
};

static const char *
begin_session(struct pg *pg)
{
	struct db_session s = {.sid = rand_token(pg->a, 16),
			       .acting = pg_person(pg),
			       .sso_group = "portalverbund",
			       .proofs = &password,
			       .n_proofs = 1,
			       .expires = NOW + 3600};

	ASSERT_OK(db_session_create(&pg->c, rand_token(pg->a, 32), &s, NULL, NOW, &pg->err),
		  &pg->err);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		pg_take_part(pg, s.acting, s.sid, &parts[i], NULL, NULL);
	return s.sid;
}

static bool
end(struct pg *pg, const char *sid, struct plan *p, const char *handle)
{
	struct db_telling t = {.plan = plan,
			       .ctx = p,
			       .until = NOW + 3600,
			       .handle = handle,
			       .back = "back",
			       .handle_expires = NOW + 600};
	const struct db_participant *list;
	bool ended;
	size_t n;

	ASSERT_OK(db_session_end(&pg->c, sid, NULL, &t, NOW, &ended, &list, &n, &pg->err),
		  &pg->err);
	return ended;
}

static const struct db_logout *
load(struct pg *pg, const char *handle, time_t now)
{
	const struct db_logout *l;

	ASSERT_OK(db_logout_load(&pg->c, handle, now, &l, &pg->err), &pg->err);
	return l;
}

static void
a_session_ends_with_all_that_is_to_be_told(void **state)
{
	struct pg *pg = *state;
	struct plan p = {told, ARRAY_LEN(told), 0};
	const char *handle = db_dated_create(pg->a, NOW + 600), *sid = begin_session(pg);

	empty(pg);
	assert_true(end(pg, sid, &p, handle));
	assert_int_equal(p.seen, 3);
	const struct db_logout *l = load(pg, handle, NOW + 599);

	assert_string_equal(l->back, "back");
	assert_int_equal(l->n, 4);
	assert_string_equal(l->rows[0].party, "urn:a");
	assert_int_equal(l->rows[0].channel, DB_CHANNEL_OUTBOX);
	assert_int_equal(l->rows[0].state, DB_TOLD_WAITING);
	assert_int_equal(l->rows[1].channel, DB_CHANNEL_FRONT);
	assert_int_equal(l->rows[1].state, DB_TOLD_WAITING);
	assert_int_equal(l->rows[2].channel, DB_CHANNEL_NONE);
	assert_int_equal(l->rows[2].state, DB_TOLD_FAILED);
	/* A frame never answers: nothing of it changes, nor is it a step of the browser's. */
	assert_int_equal(l->rows[3].channel, DB_CHANNEL_FRAME);
	assert_int_equal(l->rows[3].state, DB_TOLD_CLAIMED);
	assert_string_equal(l->rows[0].content, "");
	assert_string_equal(l->rows[1].content, "for-b");
	assert_string_equal(l->rows[3].content, "for-d");
	assert_null(load(pg, handle, NOW + 600));
	assert_null(load(pg, db_dated_create(pg->a, NOW + 600), NOW));
	assert_null(load(pg, "x", NOW));
	const struct db_outbox_taken *t = take(pg, NOW);

	assert_string_equal(t->item.target, "urn:a");
	assert_string_equal(t->item.content, "for-a");
	/* What is over is not told again. */
	p.seen = 99;
	assert_false(end(pg, sid, &p, handle));
	assert_int_equal(p.seen, 99);
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM outbox"), "1");
}

static void
nobody_asks_where_there_is_no_handle(void **state)
{
	struct pg *pg = *state;
	struct plan p = {told, ARRAY_LEN(told), 0};

	empty(pg);
	const char *before = pg_value(pg, "SELECT count(*) FROM logout");

	assert_true(end(pg, begin_session(pg), &p, NULL));
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM outbox"), "1");
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM logout"), before);
}

static void
what_the_outbox_does_shows_in_the_logout(void **state)
{
	struct pg *pg = *state;
	struct plan p = {told, 1, 0};
	static const struct {
		bool done;
		const char *result;
		enum db_told_state state;
	} cases[] = {
		{true, "confirmed", DB_TOLD_CONFIRMED},
		{true, "claimed", DB_TOLD_CLAIMED},
		{true, "whatever", DB_TOLD_FAILED},
		{false, "confirmed", DB_TOLD_FAILED},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *handle = db_dated_create(pg->a, NOW + 600);

		empty(pg);
		assert_true(end(pg, begin_session(pg), &p, handle));
		const struct db_outbox_taken *t = take(pg, NOW);

		assert_int_equal(load(pg, handle, NOW)->rows[0].state, DB_TOLD_WAITING);
		ASSERT_OK(db_outbox_again(&pg->c, t, NOW + 5, "confirmed", &pg->err), &pg->err);
		assert_int_equal(load(pg, handle, NOW)->rows[0].state, DB_TOLD_RETRYING);
		ASSERT_OK(db_outbox_settle(&pg->c, t->item.id, cases[i].done, cases[i].result,
					   &pg->err),
			  &pg->err);
		assert_int_equal(load(pg, handle, NOW)->rows[0].state, cases[i].state);
	}
}

static const struct db_logout_step *
next(struct pg *pg, const char *handle, time_t now)
{
	const struct db_logout_step *s;

	ASSERT_OK(db_logout_next(&pg->c, handle, now, &s, &pg->err), &pg->err);
	return s;
}

static bool
answer(struct pg *pg, const char *party, const char *request, enum db_told_state state)
{
	bool taken;

	ASSERT_OK(db_logout_answer(&pg->c, party, request, state, &taken, &pg->err), &pg->err);
	return taken;
}

static void
the_browser_goes_to_each_once_and_each_answers_once(void **state)
{
	struct pg *pg = *state;
	static const struct db_told two[] = {{"urn:b", DB_CHANNEL_FRONT, NULL, "for-b"},
					     {"urn:a", DB_CHANNEL_FRONT, NULL, "for-a"}};
	struct plan p = {two, 2, 0};
	const char *handle = db_dated_create(pg->a, NOW + 600);

	assert_true(end(pg, begin_session(pg), &p, handle));
	assert_null(next(pg, handle, NOW + 600));
	const struct db_logout_step *a = next(pg, handle, NOW), *b = next(pg, handle, NOW);

	assert_string_equal(a->party, "urn:a");
	assert_string_equal(a->content, "for-a");
	assert_string_equal(b->party, "urn:b");
	assert_string_not_equal(a->request, b->request);
	assert_null(next(pg, handle, NOW));
	assert_null(next(pg, "x", NOW));
	assert_int_equal(load(pg, handle, NOW)->rows[0].state, DB_TOLD_SENT);
	/* Only who was asked answers, and once. */
	assert_false(answer(pg, "urn:b", a->request, DB_TOLD_CONFIRMED));
	assert_false(answer(pg, "urn:a", "_x", DB_TOLD_CONFIRMED));
	assert_false(answer(pg, "urn:a", "x", DB_TOLD_CONFIRMED));
	assert_false(answer(pg, "urn:a", a->request + 1, DB_TOLD_CONFIRMED));
	assert_int_equal(load(pg, handle, NOW)->rows[0].state, DB_TOLD_SENT);
	assert_true(answer(pg, "urn:a", a->request, DB_TOLD_CLAIMED));
	assert_false(answer(pg, "urn:a", a->request, DB_TOLD_CONFIRMED));
	assert_int_equal(load(pg, handle, NOW)->rows[0].state, DB_TOLD_CLAIMED);
	assert_true(answer(pg, "urn:b", b->request, DB_TOLD_CONFIRMED));
	assert_int_equal(load(pg, handle, NOW)->rows[1].state, DB_TOLD_CONFIRMED);
	/* A request's id opens no logout. */
	assert_null(load(pg, a->request + 1, NOW));
}

static void
several_sessions_end_in_one_logout(void **state)
{
	struct pg *pg = *state;
	struct plan p = {told, ARRAY_LEN(told), 0};
	const char *handle = db_dated_create(pg->a, NOW + 600);

	assert_true(end(pg, begin_session(pg), &p, handle));
	assert_true(end(pg, begin_session(pg), &p, handle));
	assert_int_equal(load(pg, handle, NOW)->n, 8);
}

#define T(test) cmocka_unit_test_setup(test, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_item_is_one_nodes_until_its_lease_is_over),
		T(an_item_of_another_kind_is_left_alone),
		T(what_is_settled_is_never_taken_again),
		T(a_try_that_failed_is_made_again_later),
		T(a_target_that_hangs_holds_up_no_other),
		T(each_item_goes_to_one_of_many),
		T(what_is_over_is_swept_and_what_waits_stays),
		T(a_session_ends_with_all_that_is_to_be_told),
		T(nobody_asks_where_there_is_no_handle),
		T(what_the_outbox_does_shows_in_the_logout),
		T(the_browser_goes_to_each_once_and_each_answers_once),
		T(several_sessions_end_in_one_logout),
	};

	return cmocka_run_group_tests(tests, pg_setup, pg_teardown);
}
