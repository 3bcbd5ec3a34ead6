/*
 * What ends while another node is just giving something that hangs on it: the end
 * sees it, or it is not given.  Advisory lock 1 is the brake: who sets it stops
 * tokens and participants on their way in, tokens that are taken back, and messages on their way
 * out.
 */
#include <pthread.h>
#include <string.h>

#include "base/rand.h"
#include "db/account.h"
#include "db/artifact.h"
#include "db/dated.h"
#include "db/grant.h"
#include "db/polled.h"
#include "db/pseudonym.h"
#include "db/refresh.h"
#include "db/session.h"
#include "tests/db/pg.h"

/* The client as it takes part in a session. */
static const struct db_participant part = {
	.dialect = "oidc", .name_id = "name", .session_index = "1"};

#define BRAKE   "SELECT pg_advisory_lock(1)"
#define RELEASE "SELECT pg_advisory_unlock_all()"
#define AWAITS(role)                                                               \
	"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()" \
	" AND wait_event_type = 'Lock' AND application_name = 'kontor " role "'"

static struct db *beside; /* of another node, whose batches wait for none of ours */

static int
setup(void **state)
{
	if (pg_setup(state) != 0)
		return -1;
	beside = pg_connect(*state);
	while (!db_ready(beside))
		pg_sql(*state, "SELECT pg_sleep(0.01)");
	pg_sql(*state,
	       "CREATE FUNCTION brake() RETURNS trigger LANGUAGE plpgsql"
	       " SET lock_timeout = 0 AS $$ BEGIN"
	       " PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END $$;"
	       "CREATE TRIGGER brake BEFORE INSERT ON access_token FOR EACH ROW"
	       " EXECUTE FUNCTION brake();"
	       "CREATE TRIGGER brake BEFORE UPDATE ON artifact FOR EACH ROW"
	       " EXECUTE FUNCTION brake();"
	       "CREATE TRIGGER brake BEFORE UPDATE ON polled FOR EACH ROW"
	       " EXECUTE FUNCTION brake();"
	       "CREATE TRIGGER brake_end BEFORE UPDATE ON access_token FOR EACH ROW"
	       " EXECUTE FUNCTION brake();"
	       /* At COMMIT, when the session is known to be there. */
	       "CREATE CONSTRAINT TRIGGER brake AFTER INSERT ON session_participant DEFERRABLE"
	       " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION brake();");
	return 0;
}

static int
teardown(void **state)
{
	db_destroy(beside);
	return pg_teardown(state);
}

/* Somebody's session, and a code given in it. */
struct scene {
	struct subject_id person;
	const struct db_consent *consent;
	const char *sid, *code, *token, *refresh;
	unsigned char grant[16];
};

static struct db_session
session_of(const struct scene *s)
{
	static const struct db_proof proof = {.level = 2, .method = "password", .at = NOW};

	return (struct db_session){.sid = s->sid,
				   .acting = s->person,
				   .sso_group = "g",
				   .proofs = &proof,
				   .n_proofs = 1,
				   .expires = NOW + 3600};
}

static struct scene
set_scene(struct pg *pg)
{
	struct scene s = {.person = pg_person(pg),
			  .sid = rand_token(pg->a, 16),
			  .code = db_dated_create(pg->a, NOW + 60),
			  .token = db_dated_create(pg->a, NOW + 600)};
	struct db_session session = session_of(&s);
	struct db_grant grant = {.party = "p",
				 .acting = s.person,
				 .sid = s.sid,
				 .scope = "",
				 .redirect_uri = "u",
				 .expires = NOW + 60};

	rand_bytes(grant.id, sizeof(grant.id));
	memcpy(s.grant, grant.id, sizeof(s.grant));
	s.consent = grant.consent = pg_consent(pg, s.person, "p");
	ASSERT_OK(db_session_create(&pg->c, rand_token(pg->a, 32), &session, NULL, NOW, &pg->err),
		  &pg->err);
	ASSERT_OK(db_grant_create(&pg->c, s.code, &grant, &part, NULL, NOW, &(bool){0}, &pg->err),
		  &pg->err);
	return s;
}

/* A call on a thread of its own. */
struct other {
	pthread_t thread;
	struct db_call c;
	const struct scene *scene;
	bool (*fn)(struct other *o);
	size_t n;
	struct err err;
	bool held;
};

static void *
other_main(void *arg)
{
	struct other *o = arg;

	o->held = o->fn(o);
	return NULL;
}

static void
begin(struct pg *pg, struct db *db, struct other *o, const struct scene *scene,
      bool (*fn)(struct other *o))
{
	*o = (struct other){.c = pg_call(pg, db), .scene = scene, .fn = fn};
	o->c.a = arena_create(1024 * 1024);
	assert_int_equal(pthread_create(&o->thread, NULL, other_main, o), 0);
}

static void
end(struct other *o)
{
	pthread_join(o->thread, NULL);
	arena_destroy(o->c.a);
}

static bool
take(struct other *o)
{
	const struct db_grant *grant;
	enum db_take result = DB_TAKE_REFUSED;

	const struct db_token_new token = {.text = o->scene->token, .expires = NOW + 600};

	return db_grant_take(&o->c, o->scene->code, "p", &token, NULL, NULL, NOW, &result, &grant,
			     &(bool){0}, &o->err) &&
	       result == DB_TAKE_TAKEN;
}

static bool
refresh(struct other *o)
{
	const struct db_token_new token = {.text = o->scene->token, .expires = NOW + 600};
	const struct db_refresh_use use = {
		.next = o->scene->refresh, .token = &token, .scope = "", .expires = NOW + 600};
	enum db_refresh_used used = DB_REFRESH_ENDED;

	return db_refresh_use(&o->c, o->scene->refresh, "p", &use, NULL, NOW, &used, &o->err) &&
	       used == DB_REFRESH_USED;
}

/* The scene's code is redeemed for a refresh token, which outlives the session or does not. */
static void
keep_refresh(struct pg *pg, struct scene *s, bool offline)
{
	const struct db_token_new token = {.text = db_dated_create(pg->a, NOW + 600),
					   .expires = NOW + 600};
	const struct db_refresh_new new = {.text = db_refresh_create(pg->a),
					   .of_session = true,
					   .expires = NOW + 600,
					   .ends = NOW + 600};
	const struct db_grant *grant;
	enum db_take result;
	bool refreshed;

	if (offline)
		pg_sql(pg, "UPDATE grant_code SET offline = true WHERE taken_at IS NULL");
	ASSERT_OK(db_grant_take(&pg->c, s->code, "p", &token, &new, NULL, NOW, &result, &grant,
				&refreshed, &pg->err),
		  &pg->err);
	assert_true(refreshed);
	s->refresh = new.text;
}

static bool
participate(struct other *o)
{
	const struct db_participant p = {
		.party = "p", .dialect = "saml", .name_id = "n", .session_index = ""};

	const struct db_answer answer = {
		.sid = o->scene->sid, .participant = &p, .consent = o->scene->consent};
	enum db_answered how;

	return db_session_participate(&o->c, &answer, NULL, NOW, &how, &o->err) &&
	       how == DB_ANSWERED_NOW;
}

static bool
end_session(struct other *o)
{
	const struct db_participant *list;
	bool ended = false;

	return db_session_end(&o->c, o->scene->sid, NULL, NULL, NOW, &ended, &list, &o->n,
			      &o->err) &&
	       ended;
}

static bool
disable(struct other *o)
{
	return db_account_set_state(&o->c, o->scene->person, DB_DISABLED, NULL, NOW, &o->err);
}

static bool
take_again(struct other *o)
{
	const struct db_token_new token = {.text = db_dated_create(o->c.a, NOW + 600),
					   .expires = NOW + 600};
	const struct db_grant *grant;
	enum db_take result = DB_TAKE_REFUSED;

	return db_grant_take(&o->c, o->scene->code, "p", &token, NULL, NULL, NOW, &result, &grant,
			     &(bool){0}, &o->err) &&
	       result == DB_TAKE_REPLAYED;
}

static bool
revoke(struct other *o)
{
	return db_grant_revoke(&o->c, o->scene->grant, NULL, NOW, &o->err);
}

/* `give` is stopped on its way in; `ends` begins and has to wait for it; both happen. */
static size_t
give_while_it_ends(struct pg *pg, const struct scene *s, bool (*give)(struct other *o),
		   bool (*ends)(struct other *o))
{
	struct other given, ended;

	pg_sql(pg, BRAKE);
	begin(pg, pg->db, &given, s, give);
	pg_await(pg, AWAITS("durable"), "1");
	begin(pg, beside, &ended, s, ends);
	pg_await(pg, AWAITS("tx"), "1");
	pg_sql(pg, RELEASE);
	end(&given);
	end(&ended);
	ASSERT_OK(given.held, &given.err);
	ASSERT_OK(ended.held, &ended.err);
	return ended.n;
}

static const struct db_token *
find(struct pg *pg, const char *token)
{
	const struct db_token *found;

	ASSERT_OK(db_token_find(&pg->c, token, false, NOW, &found, &pg->err), &pg->err);
	return found;
}

static void
a_token_that_is_just_given_is_taken_back_with_its_session(void **state)
{
	struct pg *pg = *state;
	struct scene s = set_scene(pg);

	give_while_it_ends(pg, &s, take, end_session);
	assert_null(find(pg, s.token));
}

static void
a_token_that_is_just_given_is_taken_back_with_its_account(void **state)
{
	struct pg *pg = *state;
	struct scene s = set_scene(pg);

	give_while_it_ends(pg, &s, take, disable);
	ASSERT_OK(db_account_set_state(&pg->c, s.person, DB_ACTIVE, NULL, NOW, &pg->err), &pg->err);
	assert_null(find(pg, s.token));
}

/* The same by a refresh token; one that outlives the session is taken back with the account. */
static void
a_token_that_is_just_refreshed_is_taken_back(void **state)
{
	const struct {
		bool offline;
		bool (*ends)(struct other *o);
	} cases[] = {{false, end_session}, {false, disable},    {true, disable},
		     {true, take_again},   {false, take_again}, {true, revoke}};
	struct pg *pg = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene s = set_scene(pg);

		keep_refresh(pg, &s, cases[i].offline);
		give_while_it_ends(pg, &s, refresh, cases[i].ends);
		assert_string_equal(pg_value(pg, "SELECT count(*) FROM access_token"
						 " WHERE revoked_at IS NULL"),
				    "0");
		assert_null(find(pg, s.token));
		assert_string_equal(pg_value(pg, "SELECT count(*) FROM refresh_token"), "0");
	}
}

static bool
give_back(struct other *o)
{
	return db_refresh_revoke(&o->c, o->scene->refresh, "p", NULL, NOW, &o->err);
}

/*
 * Two that take back the same tokens, the first stopped when it has the access token: the other
 * waits for it before it has anything itself, and both are done.
 */
static void
two_ends_at_once_never_wait_crosswise(void **state)
{
	bool (*const firsts[])(struct other * o) = {end_session, disable};
	bool (*const seconds[])(struct other * o) = {revoke, give_back, take_again};
	struct pg *pg = *state;

	for (size_t i = 0; i < ARRAY_LEN(firsts) * ARRAY_LEN(seconds); i++) {
		struct scene s = set_scene(pg);
		struct other ending, other;

		keep_refresh(pg, &s, false);
		pg_sql(pg, BRAKE);
		begin(pg, pg->db, &ending, &s, firsts[i / ARRAY_LEN(seconds)]);
		pg_await(pg, AWAITS("tx"), "1");
		begin(pg, beside, &other, &s, seconds[i % ARRAY_LEN(seconds)]);
		pg_await(pg, AWAITS("tx"), "2");
		pg_sql(pg, RELEASE);
		end(&ending);
		end(&other);
		ASSERT_OK(ending.held, &ending.err);
		ASSERT_OK(other.held, &other.err);
		assert_string_equal(pg_value(pg, "SELECT count(*) FROM access_token"
						 " WHERE revoked_at IS NULL"),
				    "0");
		assert_string_equal(pg_value(pg, "SELECT count(*) FROM refresh_token"), "0");
	}
}

static void
a_party_that_is_just_told_hears_of_the_end(void **state)
{
	struct pg *pg = *state;
	struct scene s = set_scene(pg);

	/* The portal, and the client whose code the scene has. */
	assert_int_equal(give_while_it_ends(pg, &s, participate, end_session), 2);
}

/* A message in the scene's session, under the handle that is the person's id. */
static void
keep_message(struct pg *pg, const struct scene *s)
{
	const struct db_participant p = {
		.party = "p", .dialect = "saml", .name_id = "n", .session_index = ""};
	const struct db_artifact artifact = {
		{s->person.octets, 16}, "p", bytes_of("sealed"), NOW + 60};

	pg_take_part(pg, s->person, s->sid, &p, &artifact, NULL);
}

static bool
resolve(struct other *o)
{
	static const struct db_artifact_audit none = {NULL, {NULL}};
	enum db_artifact_why why = DB_ARTIFACT_UNKNOWN;
	struct db_artifact_taken got;

	do {
		err_clear(&o->err);
		if (db_artifact_take(&o->c, (struct bytes){o->scene->person.octets, 16}, "p", &none,
				     NOW, &why, &got, &o->err))
			return why == DB_ARTIFACT_TAKEN;
	} while (o->err.kind == ERR_UNAVAILABLE);
	return false;
}

static void
a_message_that_is_just_had_is_had_before_the_end(void **state)
{
	bool (*const ends[])(struct other * o) = {end_session, disable};
	struct pg *pg = *state;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct scene s = set_scene(pg);

		keep_message(pg, &s);
		give_while_it_ends(pg, &s, resolve, ends[i]);
		assert_string_equal(pg_value(pg, "SELECT count(*) FROM artifact"), "0");
	}
}

static void
a_message_is_not_had_from_a_session_that_is_just_ending(void **state)
{
	struct pg *pg = *state;
	struct scene s = set_scene(pg);
	struct other o;

	keep_message(pg, &s);
	pg_sql(pg, arena_printf(pg->a, "BEGIN; DELETE FROM session WHERE sid = '%s'", s.sid));
	begin(pg, pg->db, &o, &s, resolve);
	pg_await(pg, AWAITS("durable"), "1");
	pg_sql(pg, "COMMIT");
	end(&o);
	assert_false(o.held);
	assert_int_equal(o.err.kind, ERR_NONE);
}

/* Again and again: the lock that the side holds is not waited for long. */
static bool
log_in(struct other *o)
{
	struct db_session session = session_of(o->scene);

	session.sid = rand_token(o->c.a, 16);
	do {
		err_clear(&o->err);
		if (db_session_create(&o->c, rand_token(o->c.a, 32), &session, NULL, NOW, &o->err))
			return true;
	} while (o->err.kind == ERR_UNAVAILABLE);
	return false;
}

static bool
name_for_a_sector(struct other *o)
{
	const char *kept;

	do {
		err_clear(&o->err);
		if (db_pseudonym_keep(&o->c, o->scene->person, "s", 1, o->scene->sid, NOW, &kept,
				      &o->err))
			return true;
	} while (o->err.kind == ERR_UNAVAILABLE);
	return false;
}

/* While the side, as another node would, is changing the person's state. */
static enum err_kind
give_while_state_changes(struct pg *pg, const struct scene *s, const char *set, const char *role,
			 bool (*give)(struct other *o))
{
	struct other o;

	pg_sql(pg, arena_printf(pg->a,
				"BEGIN; SELECT FROM subject WHERE id = %1$s FOR UPDATE;"
				" UPDATE subject SET %2$s WHERE id = %1$s",
				pg_hex(pg, (struct bytes){s->person.octets, 16}), set));
	begin(pg, pg->db, &o, s, give);
	pg_await(pg,
		 arena_printf(pg->a,
			      "SELECT count(*) FROM pg_stat_activity WHERE datname ="
			      " current_database() AND wait_event_type = 'Lock'"
			      " AND application_name = 'kontor %s'",
			      role),
		 "1");
	pg_sql(pg, "COMMIT");
	end(&o);
	assert_false(o.held);
	return o.err.kind;
}

static void
who_is_just_disabled_gets_no_session(void **state)
{
	struct pg *pg = *state;
	struct scene s = set_scene(pg);

	assert_int_equal(give_while_state_changes(pg, &s, "state = 'disabled'", "lazy", log_in),
			 ERR_NOT_FOUND);
}

static void
who_is_just_deleted_gets_no_pseudonym(void **state)
{
	struct pg *pg = *state;
	struct scene s = set_scene(pg);

	assert_int_equal(give_while_state_changes(pg, &s, "state = 'deleted', account_key = NULL",
						  "durable", name_for_a_sector),
			 ERR_DENIED);
}

/* ---- who is asked ---- */

static bool
say_yes(struct other *o)
{
	struct db_grant grant = {.party = "p",
				 .acting = o->scene->person,
				 .sid = o->scene->sid,
				 .scope = "",
				 .redirect_uri = "",
				 .expires = NOW + 60,
				 .consent = o->scene->consent};
	enum db_polled_said said = DB_POLLED_TOO_LATE;

	rand_bytes(grant.id, sizeof(grant.id));
	return db_polled_agree(&o->c, db_polled_typed(o->c.a, o->scene->code), &grant, &part, NULL,
			       NOW, &said, &o->err) &&
	       said == DB_POLLED_SAID;
}

static void
ask(struct pg *pg, const struct scene *s)
{
	const struct db_polled_limits limits = {9, 9, 9};
	const struct db_polled_more more = {.pause_s = 5};
	const struct db_polled polled = {.kind = DB_POLLED_CIBA,
					 .handle = db_polled_typed(pg->a, s->code),
					 .party = "p",
					 .scope = "",
					 .acting = &s->person,
					 .expires = NOW + 60};
	enum db_polled_asked asked = DB_POLLED_NOBODY;

	ASSERT_OK(db_polled_ask(&pg->c, db_dated_create(pg->a, NOW + 60), &polled, &more, &limits,
				NULL, NOW, &asked, &pg->err),
		  &pg->err);
	assert_int_equal(asked, DB_POLLED_ASKED);
}

/* The session is held before what waits for its person: neither waits for the other in turn. */
static void
a_yes_that_is_just_said_is_said_before_the_end(void **state)
{
	bool (*const ends[])(struct other * o) = {end_session, disable};
	struct pg *pg = *state;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct scene s = set_scene(pg);
		struct other yes, ended;

		ask(pg, &s);
		pg_sql(pg, BRAKE);
		begin(pg, pg->db, &yes, &s, say_yes);
		pg_await(pg, AWAITS("tx"), "1");
		begin(pg, beside, &ended, &s, ends[i]);
		pg_await(pg, AWAITS("tx"), "2");
		pg_sql(pg, RELEASE);
		end(&yes);
		end(&ended);
		ASSERT_OK(yes.held, &yes.err);
		ASSERT_OK(ended.held, &ended.err);
		/* What it gave hangs on a session that is gone. */
		assert_string_equal(pg_value(pg, arena_printf(pg->a,
							      "SELECT count(*) FROM session WHERE"
							      " sid = '%s'",
							      s.sid)),
				    "0");
		assert_string_equal(pg_value(pg, "SELECT string_agg(state, '') FROM polled"),
				    "agreed");
		pg_sql(pg, "DELETE FROM polled");
	}
}

#define T(test) cmocka_unit_test_setup(test, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_token_that_is_just_given_is_taken_back_with_its_session),
		T(a_token_that_is_just_given_is_taken_back_with_its_account),
		T(a_token_that_is_just_refreshed_is_taken_back),
		T(two_ends_at_once_never_wait_crosswise),
		T(a_party_that_is_just_told_hears_of_the_end),
		T(a_message_that_is_just_had_is_had_before_the_end),
		T(a_message_is_not_had_from_a_session_that_is_just_ending),
		T(a_yes_that_is_just_said_is_said_before_the_end),
		T(who_is_just_disabled_gets_no_session),
		T(who_is_just_deleted_gets_no_pseudonym),
	};

	return cmocka_run_group_tests_name("end", tests, setup, teardown);
}
