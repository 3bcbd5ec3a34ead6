/* Messages under artifacts: had once, in time, by one party, while what they rest on stands. */
#include "db/artifact.h"

#include <libpq-fe.h>

#include "base/enc.h"
#include "base/rand.h"
#include "base/text.h"
#include "db/account.h"
#include "db/consent.h"
#include "db/session.h"
#include "tests/db/pg.h"

#define PARTY "https://amt24.example/sp"
#define END   (NOW + 60)

static const struct db_participant part = {
	.party = PARTY, .dialect = "saml", .name_id = "name", .session_index = "1"};
static const struct db_audit told = {.event = "told", .ref = "r", .party = PARTY};
static const struct db_audit taken = {.event = "taken", .ref = "r", .party = PARTY};
static const struct db_audit why_used = {.event = "used", .ref = "r", .party = PARTY},
			     why_foreign = {.event = "foreign", .ref = "r"},
			     why_expired = {.event = "expired", .ref = "r"},
			     why_ended = {.event = "ended", .ref = "r"};
static const struct db_artifact_audit audit = {&taken,
					       {[DB_ARTIFACT_USED] = &why_used,
						[DB_ARTIFACT_FOREIGN] = &why_foreign,
						[DB_ARTIFACT_EXPIRED] = &why_expired,
						[DB_ARTIFACT_ENDED] = &why_ended}};

struct given {
	struct subject_id person;
	const char *sid;
	struct db_artifact artifact;
};

static struct bytes
new_handle(struct pg *pg)
{
	unsigned char *p = arena_alloc(pg->a, 20);

	rand_bytes(p, 20);
	return (struct bytes){p, 20};
}

static void
consent(struct pg *pg, struct subject_id person, bool given, time_t at)
{
	const struct db_consent c = {
		.acting = person, .party = PARTY, .attributes = "[]", .purpose = "", .at = at};

	if (given)
		ASSERT_OK(db_consent_store(&pg->c, &c, NULL, &pg->err), &pg->err);
	else
		ASSERT_OK(db_consent_withdraw(&pg->c, c.acting, NULL, c.party, NULL, at, &pg->err),
			  &pg->err);
}

/* A message that tells of a person, in a session of its own. */
static struct given
give_to(struct pg *pg, struct subject_id person)
{
	const struct db_proof proof = {.level = 2, .method = "password", .at = NOW};
	struct db_session session = {.sid = rand_token(pg->a, 16),
				     .acting = person,
				     .sso_group = "g",
				     .proofs = &proof,
				     .n_proofs = 1,
				     .expires = NOW + 3600};
	struct given g = {.person = session.acting,
			  .sid = session.sid,
			  .artifact = {new_handle(pg), PARTY, bytes_of("sealed message"), END}};

	ASSERT_OK(db_session_create(&pg->c, rand_token(pg->a, 32), &session, NULL, NOW, &pg->err),
		  &pg->err);
	pg_take_part(pg, g.person, g.sid, &part, &g.artifact, &told);
	return g;
}

static struct given
give(struct pg *pg)
{
	return give_to(pg, pg_person(pg));
}

static enum db_artifact_why
take_at(struct pg *pg, const struct given *g, const char *party, time_t now)
{
	enum db_artifact_why why;
	struct db_artifact_taken got = {0};

	ASSERT_OK(db_artifact_take(&pg->c, g->artifact.handle, party, &audit, now, &why, &got,
				   &pg->err),
		  &pg->err);
	assert_int_equal(got.sealed.n > 0, why == DB_ARTIFACT_TAKEN);
	if (why == DB_ARTIFACT_TAKEN)
		assert_true(bytes_eq(got.sealed, g->artifact.sealed));
	return why;
}

static enum db_artifact_why
take(struct pg *pg, const struct given *g)
{
	return take_at(pg, g, PARTY, NOW);
}

static const char *
stored(struct pg *pg)
{
	return pg_value(pg, "SELECT count(*) FROM artifact");
}

static void
it_is_had_once_and_leaves_nothing_to_read(void **state)
{
	struct pg *pg = *state;
	struct given g = give(pg);

	assert_int_equal(take(pg, &g), DB_ARTIFACT_TAKEN);
	assert_int_equal(pg_audits(pg, "taken"), 1);
	assert_string_equal(
		pg_value(pg, "SELECT count(*) FROM audit a JOIN artifact t ON t.acting = a.subject"
			     " WHERE a.event = 'taken'"),
		"1");
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM artifact WHERE sealed IS NOT NULL"),
			    "0");
	/* Told as used each time; the trail has it once. */
	assert_int_equal(take(pg, &g), DB_ARTIFACT_USED);
	assert_int_equal(take(pg, &g), DB_ARTIFACT_USED);
	assert_int_equal(pg_audits(pg, "used"), 1);
	assert_string_equal(
		pg_value(pg, "SELECT count(*) FROM audit a JOIN artifact t ON t.acting = a.subject"
			     " WHERE a.event = 'used'"),
		"1");
	assert_int_equal(pg_audits(pg, "taken"), 1);
}

static void
another_party_gets_nothing_and_spoils_nothing(void **state)
{
	struct pg *pg = *state;
	struct given g = give(pg);

	assert_int_equal(take_at(pg, &g, "https://evil.example/", NOW), DB_ARTIFACT_FOREIGN);
	assert_int_equal(pg_audits(pg, "foreign"), 1);
	assert_int_equal(take(pg, &g), DB_ARTIFACT_TAKEN);
	/* What became of it is not for others to know. */
	assert_int_equal(take_at(pg, &g, "https://evil.example/", NOW), DB_ARTIFACT_FOREIGN);
	assert_int_equal(pg_audits(pg, "foreign"), 1);
}

/* Somebody else has it locked for a moment. */
static void
who_has_it_locked_is_waited_for(void **state)
{
	struct pg *pg = *state;
	struct given g = give(pg);
	PGconn *other = PQconnectdb(pg->conninfo);

	PQclear(PQexec(other, "BEGIN"));
	PQclear(PQexec(other, "SELECT FROM artifact FOR UPDATE"));
	assert_int_equal(PQtransactionStatus(other), PQTRANS_INTRANS);
	assert_int_equal(PQsendQuery(other, "SELECT pg_sleep(0.3); COMMIT"), 1);
	assert_int_equal(take(pg, &g), DB_ARTIFACT_TAKEN);
	assert_int_equal(pg_audits(pg, "taken"), 1);
	assert_int_equal(pg_audits(pg, "ended"), 0);
	PQfinish(other);
}

/* Nor does who may not have it wait for anybody, or keep anybody waiting. */
static void
who_may_not_have_it_locks_nothing(void **state)
{
	struct pg *pg = *state;
	struct given g = give(pg);
	PGconn *other = PQconnectdb(pg->conninfo);

	assert_int_equal(take_at(pg, &g, "https://evil.example/", NOW), DB_ARTIFACT_FOREIGN);
	PQclear(PQexec(other, "BEGIN"));
	PQclear(PQexec(other, "SELECT FROM artifact FOR UPDATE"));
	assert_int_equal(PQtransactionStatus(other), PQTRANS_INTRANS);
	assert_int_equal(take_at(pg, &g, "https://evil.example/", NOW), DB_ARTIFACT_FOREIGN);
	PQfinish(other);
	assert_int_equal(pg_audits(pg, "foreign"), 1);
}

static void
a_second_use_is_in_the_trail_whatever_came_before(void **state)
{
	struct pg *pg = *state;
	struct given g = give(pg);

	assert_int_equal(take_at(pg, &g, "https://evil.example/", NOW), DB_ARTIFACT_FOREIGN);
	assert_int_equal(take(pg, &g), DB_ARTIFACT_TAKEN);
	assert_int_equal(take(pg, &g), DB_ARTIFACT_USED);
	assert_int_equal(take(pg, &g), DB_ARTIFACT_USED);
	assert_int_equal(pg_audits(pg, "foreign"), 1);
	assert_int_equal(pg_audits(pg, "used"), 1);
}

static void
it_has_its_time(void **state)
{
	struct pg *pg = *state;
	struct given g = give(pg), later = give(pg);

	assert_int_equal(take_at(pg, &g, PARTY, END), DB_ARTIFACT_EXPIRED);
	assert_int_equal(pg_audits(pg, "expired"), 1);
	assert_int_equal(take_at(pg, &later, PARTY, END - 1), DB_ARTIFACT_TAKEN);
	assert_int_equal(take_at(pg, &g, PARTY, END - 1), DB_ARTIFACT_TAKEN);
}

static void
what_was_never_made_leaves_no_trail(void **state)
{
	struct pg *pg = *state;
	struct given g = {.artifact = {.handle = new_handle(pg)}};
	const char *rows = pg_value(pg, "SELECT count(*) FROM audit");

	assert_int_equal(take(pg, &g), DB_ARTIFACT_UNKNOWN);
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM audit"), rows);
}

static void
it_goes_with_its_session(void **state)
{
	struct pg *pg = *state;
	struct given g = give(pg), late = give(pg);
	const struct db_participant *list;
	bool ended;
	size_t n;

	ASSERT_OK(db_session_end(&pg->c, g.sid, NULL, NULL, NOW, &ended, &list, &n, &pg->err),
		  &pg->err);
	assert_int_equal(take(pg, &g), DB_ARTIFACT_UNKNOWN);
	assert_string_equal(stored(pg), "1");
	/* One that is over by time alone, before it is swept. */
	pg_sql(pg, arena_printf(pg->a, "UPDATE session SET expires = %lld WHERE sid = '%s'",
				(long long)NOW, late.sid));
	assert_int_equal(take(pg, &late), DB_ARTIFACT_ENDED);
	assert_int_equal(pg_audits(pg, "ended"), 1);
	assert_int_equal(pg_audits(pg, "taken"), 0);
}

static void
it_goes_with_its_account(void **state)
{
	static const enum db_subject_state states[] = {DB_DISABLED, DB_DELETED};
	struct pg *pg = *state;

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		struct given g = give(pg);

		ASSERT_OK(db_account_set_state(&pg->c, g.person, states[i], NULL, NOW, &pg->err),
			  &pg->err);
		assert_string_equal(stored(pg), "0");
		assert_int_equal(take(pg, &g), DB_ARTIFACT_UNKNOWN);
	}
}

static void
consent_taken_back_takes_it_back(void **state)
{
	struct pg *pg = *state;
	struct given g = give(pg), again = give(pg), at_once = give(pg);
	struct subject_id person = pg_person(pg);

	consent(pg, g.person, false, NOW);
	assert_int_equal(take(pg, &g), DB_ARTIFACT_ENDED);
	assert_int_equal(pg_audits(pg, "ended"), 1);
	/* Given again, it is for what is asked from then on. */
	consent(pg, again.person, false, NOW + 1);
	consent(pg, again.person, true, NOW + 2);
	assert_int_equal(take_at(pg, &again, PARTY, NOW + 3), DB_ARTIFACT_ENDED);
	/* And all that within a second. */
	consent(pg, at_once.person, false, NOW);
	consent(pg, at_once.person, true, NOW);
	assert_int_equal(take(pg, &at_once), DB_ARTIFACT_ENDED);
	/* What was before it, by whatever clock, is not asked. */
	consent(pg, person, true, NOW);
	consent(pg, person, false, NOW + 5);
	struct given stands = give_to(pg, person);

	assert_int_equal(take(pg, &stands), DB_ARTIFACT_TAKEN);
}

static void
an_error_hangs_on_nobody(void **state)
{
	struct pg *pg = *state;
	struct given g = {.artifact = {new_handle(pg), PARTY, bytes_of("sealed"), END}};

	ASSERT_OK(db_artifact_create(&pg->c, &g.artifact, NOW, &pg->err), &pg->err);
	assert_int_equal(take_at(pg, &g, "https://evil.example/", NOW), DB_ARTIFACT_FOREIGN);
	assert_int_equal(take(pg, &g), DB_ARTIFACT_TAKEN);
	assert_int_equal(take(pg, &g), DB_ARTIFACT_USED);
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM audit WHERE event = 'taken'"
					 " AND subject IS NULL"),
			    "1");
}

static void
without_the_rest_there_is_none(void **state)
{
	struct pg *pg = *state;
	struct given g = give(pg);
	const struct db_mark mark = {"request", bytes_of("_1"), NOW + 600};
	struct db_artifact other = {new_handle(pg), PARTY, bytes_of("x"), END};
	struct db_answer answer = {"no session", &part, pg_consent(pg, g.person, PARTY), NULL,
				   &other};
	enum db_answered how;

	/* The session has ended; the request was answered before. */
	ASSERT_REFUSED(db_session_participate(&pg->c, &answer, &told, NOW, &how, &pg->err),
		       &pg->err, ERR_NOT_FOUND, "session_participate");
	assert_string_equal(stored(pg), "1");
	answer.sid = g.sid;
	answer.mark = &mark;
	for (int i = 0; i < 2; i++) {
		other.handle = new_handle(pg);
		ASSERT_OK(db_session_participate(&pg->c, &answer, &told, NOW, &how, &pg->err),
			  &pg->err);
		assert_int_equal(how, i == 0 ? DB_ANSWERED_NOW : DB_ANSWERED_BEFORE);
		assert_string_equal(stored(pg), "2");
	}
	/* The consent was taken back. */
	ASSERT_OK(db_consent_withdraw(&pg->c, g.person, NULL, PARTY, NULL, NOW, &pg->err),
		  &pg->err);
	answer.mark = NULL;
	other.handle = new_handle(pg);
	ASSERT_OK(db_session_participate(&pg->c, &answer, &told, NOW, &how, &pg->err), &pg->err);
	assert_int_equal(how, DB_ANSWERED_WITHDRAWN);
	assert_string_equal(stored(pg), "2");
	assert_int_equal(pg_audits(pg, "told"), 2);
}

static void
what_is_over_is_swept(void **state)
{
	struct pg *pg = *state;
	struct given g = give(pg);
	int64_t n;

	give(pg);
	assert_int_equal(take(pg, &g), DB_ARTIFACT_TAKEN);
	ASSERT_OK(db_artifact_sweep(&pg->c, END, 100, NOW, &n, &pg->err), &pg->err);
	assert_int_equal(n, 0);
	ASSERT_OK(db_artifact_sweep(&pg->c, END + 1, 1, NOW, &n, &pg->err), &pg->err);
	assert_int_equal(n, 1);
	ASSERT_OK(db_artifact_sweep(&pg->c, END + 1, 100, NOW, &n, &pg->err), &pg->err);
	assert_int_equal(n, 1);
	assert_string_equal(stored(pg), "0");
}

static void
the_handle_is_not_in_the_table(void **state)
{
	struct pg *pg = *state;
	struct given g = give(pg);
	struct bytes hash = db_artifact_hash(pg->a, g.artifact.handle);

	assert_string_equal(
		pg_value(pg,
			 arena_printf(pg->a, "SELECT count(*) FROM artifact WHERE hash = '\\x%s'",
				      enc_hex(pg->a, hash))),
		"1");
	assert_string_equal(
		pg_value(pg, arena_printf(pg->a,
					  "SELECT count(*) FROM artifact t WHERE t::text LIKE"
					  " '%%%s%%'",
					  enc_hex(pg->a, g.artifact.handle))),
		"0");
}

static int
fresh(void **state)
{
	pg_fresh(state);
	pg_sql(*state, "DELETE FROM artifact");
	pg_sql(*state, "ALTER TABLE audit DISABLE TRIGGER USER; DELETE FROM audit;"
		       " ALTER TABLE audit ENABLE TRIGGER USER");
	return 0;
}

#define T(test) cmocka_unit_test_setup(test, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_is_had_once_and_leaves_nothing_to_read),
		T(another_party_gets_nothing_and_spoils_nothing),
		T(who_has_it_locked_is_waited_for),
		T(who_may_not_have_it_locks_nothing),
		T(a_second_use_is_in_the_trail_whatever_came_before),
		T(it_has_its_time),
		T(what_was_never_made_leaves_no_trail),
		T(it_goes_with_its_session),
		T(it_goes_with_its_account),
		T(consent_taken_back_takes_it_back),
		T(an_error_hangs_on_nobody),
		T(without_the_rest_there_is_none),
		T(what_is_over_is_swept),
		T(the_handle_is_not_in_the_table),
	};

	return cmocka_run_group_tests_name("artifact", tests, pg_setup, pg_teardown);
}
