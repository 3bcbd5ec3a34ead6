/* Refresh tokens: one row for a family. */
#include "db/refresh.h"

#include "base/rand.h"
#include "base/text.h"
#include "db/account.h"
#include "db/consent.h"
#include "db/dated.h"
#include "db/party.h"
#include "db/restored.h"
#include "tests/db/pg.h"

#define CODE_END  (NOW + 60)
#define TOKEN_END (NOW + 600)
#define IDLE_S    1000
#define ENDS      (NOW + 5000)

static const struct db_participant part = {
	.dialect = "oidc", .name_id = "name", .session_index = "1"};

static const struct db_audit used_audit = {.event = "refreshed", .ref = "r"};

static const char *
audits_of(struct pg *pg, const char *event, struct subject_id person)
{
	return pg_value(
		pg, arena_printf(pg->a,
				 "SELECT count(*) FROM audit WHERE event = '%s' AND subject = %s",
				 event, pg_hex(pg, (struct bytes){person.octets, 16})));
}

/* A grant whose code was redeemed. */
struct family {
	struct db_grant grant;
	struct subject_id person;
	const char *access, *refresh; /* what the code gave */
	bool refreshed;
};

static struct family
grant_with(struct pg *pg, bool offline, bool of_session, const char *attributes)
{
	const struct db_proof proof = {.level = 2, .method = "password", .at = NOW};
	struct family f = {.person = pg_person(pg),
			   .access = db_dated_create(pg->a, TOKEN_END),
			   .refresh = db_refresh_create(pg->a)};
	const struct db_session session = {.sid = rand_token(pg->a, 16),
					   .acting = f.person,
					   .sso_group = "g",
					   .proofs = &proof,
					   .n_proofs = 1,
					   .expires = NOW + 3600};
	const struct db_consent consent = {.acting = f.person,
					   .party = "portal",
					   .attributes = attributes,
					   .purpose = "",
					   .at = NOW};
	const struct db_token_new token = {.text = f.access, .expires = TOKEN_END};
	const struct db_refresh_new refresh = {
		.text = f.refresh, .of_session = of_session, .expires = NOW + IDLE_S, .ends = ENDS};
	const char *code = db_dated_create(pg->a, CODE_END);
	const struct db_grant *grant;
	enum db_take take;

	f.grant = (struct db_grant){.party = "portal",
				    .acting = f.person,
				    .sid = session.sid,
				    .scope = "openid email",
				    .sealed = bytes_of("sealed claims"),
				    .redirect_uri = "u",
				    .extra = bytes_of("facts"),
				    .offline = offline,
				    .resources = "https://api.example/",
				    .expires = CODE_END,
				    .consent = &consent};
	rand_bytes(f.grant.id, sizeof(f.grant.id));
	ASSERT_OK(db_consent_store(&pg->c, &consent, NULL, &pg->err), &pg->err);
	ASSERT_OK(db_session_create(&pg->c, rand_token(pg->a, 32), &session, NULL, NOW, &pg->err),
		  &pg->err);
	ASSERT_OK(db_grant_create(&pg->c, code, &f.grant, &part, NULL, NOW, &(bool){0}, &pg->err),
		  &pg->err);
	ASSERT_OK(db_grant_take(&pg->c, code, "portal", &token, &refresh, NULL, NOW, &take, &grant,
				&f.refreshed, &pg->err),
		  &pg->err);
	assert_int_equal(take, DB_TAKE_TAKEN);
	return f;
}

static struct family
offline_grant(struct pg *pg)
{
	struct family f = grant_with(pg, true, false, "[\"email\"]");

	assert_true(f.refreshed);
	return f;
}

/* The successor a test thinks of: the nth. */
static const char *
next_of(struct pg *pg, const char *text, unsigned char n)
{
	unsigned char secret[32] = {n};

	return db_refresh_next(pg->a, text, (struct bytes){secret, sizeof(secret)});
}

static enum db_refresh_used
use(struct pg *pg, const char *text, const char *next, time_t now, const char **access)
{
	const struct db_token_new token = {.text = db_dated_create(pg->a, now + 600),
					   .expires = now + 600};
	const struct db_refresh_use how = {
		.next = next, .token = &token, .scope = "openid", .expires = now + IDLE_S};
	enum db_refresh_used used;

	ASSERT_OK(db_refresh_use(&pg->c, text, "portal", &how, &used_audit, now, &used, &pg->err),
		  &pg->err);
	if (access != NULL)
		*access = token.text;
	return used;
}

static enum db_refresh_fit
fit(struct pg *pg, const char *text, time_t now)
{
	const struct db_refresh *found;
	enum db_refresh_fit fit;

	ASSERT_OK(db_refresh_find(&pg->c, text, "portal", now, &fit, &found, &pg->err), &pg->err);
	assert_true((found != NULL) == (fit == DB_REFRESH_FITS));
	return fit;
}

static const struct db_token *
find(struct pg *pg, const char *token, time_t now)
{
	const struct db_token *found;

	ASSERT_OK(db_token_find(&pg->c, token, false, now, &found, &pg->err), &pg->err);
	return found;
}

static bool
replayed(struct pg *pg, const char *text, time_t now)
{
	const struct db_audit audit = {.event = "family_ended", .ref = "r"};
	bool ended;

	ASSERT_OK(db_refresh_replayed(&pg->c, text, "portal", &audit, now, &ended, &pg->err),
		  &pg->err);
	return ended;
}

static void
a_code_gives_one_when_it_may(void **state)
{
	struct pg *pg = *state;

	assert_true(grant_with(pg, true, false, "[]").refreshed);
	assert_true(grant_with(pg, false, true, "[]").refreshed);
	struct family none = grant_with(pg, false, false, "[]");

	assert_false(none.refreshed);
	assert_int_equal(fit(pg, none.refresh, NOW), DB_REFRESH_UNKNOWN);
}

static void
it_carries_what_the_grant_was(void **state)
{
	struct pg *pg = *state;
	struct family f = offline_grant(pg);
	const struct db_refresh *r;
	enum db_refresh_fit how;

	ASSERT_OK(db_refresh_find(&pg->c, f.refresh, "portal", NOW, &how, &r, &pg->err), &pg->err);
	assert_memory_equal(r->grant, f.grant.id, 16);
	assert_string_equal(r->party, "portal");
	assert_true(subject_id_eq(r->acting, f.person));
	assert_null(r->represented);
	assert_null(r->sid);
	assert_string_equal(r->scope, "openid email");
	assert_string_equal(r->resources, "https://api.example/");
	assert_null(r->cnf);
	assert_true(bytes_eq(r->sealed, bytes_of("sealed claims")));
	assert_true(bytes_eq(r->extra, bytes_of("facts")));
	assert_int_equal(r->created, NOW);
	assert_int_equal(r->expires, NOW + IDLE_S);
	assert_int_equal(r->ends, ENDS);
	assert_int_equal(fit(pg, "no token", NOW), DB_REFRESH_UNKNOWN);
	assert_int_equal(fit(pg, db_refresh_create(pg->a), NOW), DB_REFRESH_UNKNOWN);
	ASSERT_OK(db_refresh_find(&pg->c, f.refresh, "other", NOW, &how, &r, &pg->err), &pg->err);
	assert_int_equal(how, DB_REFRESH_UNKNOWN);
}

static void
using_it_gives_a_token_and_its_successor(void **state)
{
	struct pg *pg = *state;
	struct family f = offline_grant(pg);
	const char *next = next_of(pg, f.refresh, 1), *access;

	assert_int_equal(use(pg, f.refresh, next, NOW + 5, &access), DB_REFRESH_USED);
	const struct db_token *t = find(pg, access, NOW + 5);

	assert_memory_equal(t->grant, f.grant.id, 16);
	assert_string_equal(t->scope, "openid");
	assert_null(t->sid);
	assert_null(t->audience);
	assert_int_equal(t->extra.n, 0);
	assert_true(bytes_eq(t->sealed, bytes_of("sealed claims")));
	assert_int_equal(fit(pg, next, NOW + 5), DB_REFRESH_FITS);
	assert_string_equal(audits_of(pg, "refreshed", f.person), "1");
}

static void
a_token_for_a_resource_takes_the_facts_along(void **state)
{
	struct pg *pg = *state;
	struct family f = offline_grant(pg);
	const struct db_token_new token = {.text = db_dated_create(pg->a, TOKEN_END),
					   .is_jti = true,
					   .expires = TOKEN_END,
					   .audience = "https://api.example/",
					   .cnf = "key"};
	const struct db_refresh_use how = {.next = f.refresh,
					   .token = &token,
					   .scope = "s",
					   .sealed = bytes_of("fewer claims"),
					   .expires = ENDS + 1};
	const struct db_token *t;
	enum db_refresh_used used;

	ASSERT_OK(db_refresh_use(&pg->c, f.refresh, "portal", &how, NULL, NOW, &used, &pg->err),
		  &pg->err);
	assert_null(find(pg, token.text, NOW)); /* the name of a token is none */
	ASSERT_OK(db_token_find(&pg->c, token.text, true, NOW, &t, &pg->err), &pg->err);
	assert_string_equal(t->audience, "https://api.example/");
	assert_string_equal(t->cnf, "key");
	assert_true(bytes_eq(t->extra, bytes_of("facts")));
	assert_true(bytes_eq(t->sealed, bytes_of("fewer claims")));
	/* One that stays has no end after its end. */
	assert_int_equal(fit(pg, f.refresh, ENDS - 1), DB_REFRESH_FITS);
	assert_int_equal(fit(pg, f.refresh, ENDS), DB_REFRESH_UNKNOWN);
}

static void
who_lost_the_answer_is_given_the_same_again(void **state)
{
	struct pg *pg = *state;
	struct family f = offline_grant(pg);
	const char *next = next_of(pg, f.refresh, 1), *access;

	assert_int_equal(use(pg, f.refresh, next, NOW, NULL), DB_REFRESH_USED);
	assert_int_equal(fit(pg, f.refresh, NOW + DB_REFRESH_RETRY_S - 1), DB_REFRESH_FITS);
	assert_int_equal(use(pg, f.refresh, next, NOW + DB_REFRESH_RETRY_S - 1, &access),
			 DB_REFRESH_AGAIN);
	assert_non_null(find(pg, access, NOW + DB_REFRESH_RETRY_S - 1));
	/* That did not make the moment longer. */
	assert_int_equal(fit(pg, f.refresh, NOW + DB_REFRESH_RETRY_S), DB_REFRESH_REPLAYED);
	assert_int_equal(use(pg, f.refresh, next, NOW + DB_REFRESH_RETRY_S, NULL),
			 DB_REFRESH_ENDED);
	assert_int_equal(fit(pg, next, NOW + DB_REFRESH_RETRY_S), DB_REFRESH_FITS);
}

/* As two nodes would make that have not yet the same cookie key. */
static void
who_asks_again_is_given_no_second_successor(void **state)
{
	struct pg *pg = *state;
	struct family f = offline_grant(pg);
	const char *next = next_of(pg, f.refresh, 1);

	assert_int_equal(use(pg, f.refresh, next, NOW, NULL), DB_REFRESH_USED);
	assert_int_equal(use(pg, f.refresh, next_of(pg, f.refresh, 2), NOW, NULL),
			 DB_REFRESH_ENDED);
	assert_int_equal(use(pg, f.refresh, f.refresh, NOW, NULL), DB_REFRESH_ENDED);
	assert_false(replayed(pg, f.refresh, NOW));
	assert_int_equal(use(pg, f.refresh, next, NOW, NULL), DB_REFRESH_AGAIN);
	assert_int_equal(use(pg, next, next_of(pg, next, 3), NOW, NULL), DB_REFRESH_USED);
}

static void
once_the_successor_was_used_the_old_one_is_a_replay(void **state)
{
	struct pg *pg = *state;
	struct family f = offline_grant(pg);
	const char *second = next_of(pg, f.refresh, 1), *third = next_of(pg, f.refresh, 2), *access;

	assert_int_equal(use(pg, f.refresh, second, NOW, NULL), DB_REFRESH_USED);
	assert_int_equal(use(pg, second, third, NOW, &access), DB_REFRESH_USED);
	assert_int_equal(fit(pg, f.refresh, NOW), DB_REFRESH_REPLAYED);
	assert_int_equal(use(pg, f.refresh, second, NOW, NULL), DB_REFRESH_ENDED);
	assert_false(replayed(pg, third, NOW)); /* it counts */
	assert_false(replayed(pg, second, NOW));
	assert_false(replayed(pg, "no token", NOW));
	assert_true(replayed(pg, f.refresh, NOW));
	assert_int_equal(fit(pg, third, NOW), DB_REFRESH_UNKNOWN);
	assert_null(find(pg, access, NOW));
	assert_null(find(pg, f.access, NOW));
	assert_false(replayed(pg, f.refresh, NOW));
	assert_string_equal(audits_of(pg, "family_ended", f.person), "1");
}

static void
one_that_stays_is_no_replay(void **state)
{
	struct pg *pg = *state;
	struct family f = offline_grant(pg);

	for (int i = 0; i < 3; i++)
		assert_int_equal(use(pg, f.refresh, f.refresh, NOW + 100 * i, NULL),
				 DB_REFRESH_USED);
	assert_int_equal(fit(pg, f.refresh, NOW + 300), DB_REFRESH_FITS);
	assert_string_equal(pg_value(pg, arena_printf(pg->a,
						      "SELECT count(*) FROM refresh_token WHERE"
						      " grant_id = %s AND previous IS NULL",
						      pg_hex(pg, (struct bytes){f.grant.id, 16}))),
			    "1");
}

static void
one_that_is_not_used_expires(void **state)
{
	struct pg *pg = *state;
	struct family f = offline_grant(pg), idle = offline_grant(pg);
	int64_t n;

	assert_int_equal(use(pg, f.refresh, f.refresh, NOW + IDLE_S - 1, NULL), DB_REFRESH_USED);
	assert_int_equal(fit(pg, f.refresh, NOW + IDLE_S), DB_REFRESH_FITS);
	assert_int_equal(fit(pg, idle.refresh, NOW + IDLE_S), DB_REFRESH_UNKNOWN);
	assert_int_equal(use(pg, idle.refresh, idle.refresh, NOW + IDLE_S, NULL), DB_REFRESH_ENDED);
	pg_sql(pg, "DELETE FROM refresh_token WHERE expires < 1800000000");
	pg_sql(pg, arena_printf(pg->a, "UPDATE refresh_token SET expires = 5 WHERE grant_id = %s",
				pg_hex(pg, (struct bytes){idle.grant.id, 16})));
	ASSERT_OK(db_refresh_sweep(&pg->c, 5, 10, NOW, &n, &pg->err), &pg->err);
	assert_int_equal(n, 0);
	ASSERT_OK(db_refresh_sweep(&pg->c, 6, 10, NOW, &n, &pg->err), &pg->err);
	assert_int_equal(n, 1);
}

/* So that a use changes no index, the end is moved on by a 64th of its time at least. */
static void
its_end_moves_on_in_steps(void **state)
{
	const time_t step = IDLE_S / 64;
	struct pg *pg = *state;
	struct family early = offline_grant(pg), late = offline_grant(pg);

	assert_int_equal(use(pg, early.refresh, early.refresh, NOW + step - 1, NULL),
			 DB_REFRESH_USED);
	assert_int_equal(fit(pg, early.refresh, NOW + IDLE_S - 1), DB_REFRESH_FITS);
	assert_int_equal(fit(pg, early.refresh, NOW + IDLE_S), DB_REFRESH_UNKNOWN);
	assert_int_equal(use(pg, late.refresh, late.refresh, NOW + step, NULL), DB_REFRESH_USED);
	assert_int_equal(fit(pg, late.refresh, NOW + IDLE_S + step - 1), DB_REFRESH_FITS);
	assert_int_equal(fit(pg, late.refresh, NOW + IDLE_S + step), DB_REFRESH_UNKNOWN);
}

static void
another_party_can_neither_use_nor_end_it(void **state)
{
	struct pg *pg = *state;
	struct family f = offline_grant(pg);
	const struct db_token_new token = {.text = db_dated_create(pg->a, TOKEN_END),
					   .expires = TOKEN_END};
	const struct db_refresh_use how = {
		.next = f.refresh, .token = &token, .scope = "", .expires = NOW + IDLE_S};
	enum db_refresh_used used;
	bool ended;

	ASSERT_OK(db_refresh_use(&pg->c, f.refresh, "other", &how, NULL, NOW, &used, &pg->err),
		  &pg->err);
	assert_int_equal(used, DB_REFRESH_ENDED);
	ASSERT_OK(db_refresh_replayed(&pg->c, next_of(pg, f.refresh, 1), "other", NULL, NOW, &ended,
				      &pg->err),
		  &pg->err);
	assert_false(ended);
	ASSERT_OK(db_refresh_revoke(&pg->c, f.refresh, "other", NULL, NOW, &pg->err), &pg->err);
	assert_int_equal(fit(pg, f.refresh, NOW), DB_REFRESH_FITS);
}

static void
its_party_gives_it_back_with_all_it_gave(void **state)
{
	struct pg *pg = *state;
	struct family f = offline_grant(pg);

	ASSERT_OK(db_refresh_revoke(&pg->c, "no token", "portal", NULL, NOW, &pg->err), &pg->err);
	ASSERT_OK(db_refresh_revoke(&pg->c, f.refresh, "portal", NULL, NOW, &pg->err), &pg->err);
	assert_int_equal(fit(pg, f.refresh, NOW), DB_REFRESH_UNKNOWN);
	assert_null(find(pg, f.access, NOW));
}

static void
a_code_used_twice_ends_it(void **state)
{
	struct pg *pg = *state;
	struct family f = offline_grant(pg);
	const struct db_audit audit = {.event = "code_twice", .ref = "r"};

	/* Its access token is long gone, and there is still something to end. */
	pg_sql(pg, arena_printf(pg->a, "DELETE FROM access_token WHERE grant_id = %s",
				pg_hex(pg, (struct bytes){f.grant.id, 16})));
	for (int i = 0; i < 2; i++)
		ASSERT_OK(db_grant_revoke(&pg->c, f.grant.id, &audit, NOW, &pg->err), &pg->err);
	assert_int_equal(fit(pg, f.refresh, NOW), DB_REFRESH_UNKNOWN);
	assert_int_equal(pg_audits(pg, "code_twice"), 1);
}

static void
end_session(struct pg *pg, const struct family *f)
{
	const struct db_participant *list;
	bool ended;
	size_t n;

	ASSERT_OK(
		db_session_end(&pg->c, f->grant.sid, NULL, NULL, NOW, &ended, &list, &n, &pg->err),
		&pg->err);
	assert_true(ended);
}

static void
only_what_was_agreed_to_outlives_the_session(void **state)
{
	struct pg *pg = *state;
	struct family offline = offline_grant(pg), bound = grant_with(pg, false, true, "[]");
	const char *access;

	assert_int_equal(use(pg, bound.refresh, next_of(pg, bound.refresh, 1), NOW, &access),
			 DB_REFRESH_USED);
	assert_string_equal(find(pg, access, NOW)->sid, bound.grant.sid);
	end_session(pg, &bound);
	assert_int_equal(fit(pg, next_of(pg, bound.refresh, 1), NOW), DB_REFRESH_UNKNOWN);
	assert_null(find(pg, access, NOW));
	assert_null(find(pg, bound.access, NOW));
	end_session(pg, &offline);
	assert_non_null(find(pg, offline.access, NOW));
	assert_int_equal(use(pg, offline.refresh, offline.refresh, NOW, &access), DB_REFRESH_USED);
	assert_non_null(find(pg, access, NOW));
	/* Nor does one give anything when the session's time is over, nor its tokens count. */
	struct family old = grant_with(pg, false, true, "[]");

	pg_sql(pg, arena_printf(pg->a, "UPDATE session SET expires = %lld WHERE sid = '%s'",
				(long long)NOW, old.grant.sid));
	assert_int_equal(use(pg, old.refresh, old.refresh, NOW, NULL), DB_REFRESH_ENDED);
	assert_null(find(pg, old.access, NOW));
}

static void
it_ends_with_its_account(void **state)
{
	static const enum db_subject_state ends[] = {DB_DISABLED, DB_DELETED};
	struct pg *pg = *state;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct family f = offline_grant(pg);

		ASSERT_OK(db_account_set_state(&pg->c, f.person, ends[i], NULL, NOW, &pg->err),
			  &pg->err);
		assert_int_equal(fit(pg, f.refresh, NOW), DB_REFRESH_UNKNOWN);
		if (ends[i] == DB_DISABLED)
			ASSERT_OK(db_account_set_state(&pg->c, f.person, DB_ACTIVE, NULL, NOW,
						       &pg->err),
				  &pg->err);
		assert_null(find(pg, f.access, NOW));
	}
}

/* Whoever may not act gives nothing, also where nobody ended it. */
static void
it_works_for_active_subjects_only(void **state)
{
	struct pg *pg = *state;
	struct family f = offline_grant(pg);
	struct subject_id organisation = pg_person(pg);
	const struct subject_id *const subjects[] = {&f.person, &organisation};

	pg_sql(pg,
	       arena_printf(pg->a, "UPDATE refresh_token SET represented = %s WHERE grant_id = %s",
			    pg_hex(pg, (struct bytes){organisation.octets, 16}),
			    pg_hex(pg, (struct bytes){f.grant.id, 16})));
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
		const char *id = pg_hex(pg, (struct bytes){subjects[i]->octets, 16});

		pg_sql(pg, arena_printf(pg->a,
					"UPDATE subject SET state = 'disabled' WHERE id = %s", id));
		assert_int_equal(use(pg, f.refresh, f.refresh, NOW, NULL), DB_REFRESH_ENDED);
		pg_sql(pg, arena_printf(pg->a, "UPDATE subject SET state = 'active' WHERE id = %s",
					id));
	}
	/* A consent for itself is none for whom it represents. */
	assert_int_equal(use(pg, f.refresh, f.refresh, NOW, NULL), DB_REFRESH_USED);
}

static void
agree(struct pg *pg, const struct family *f, const char *attributes, const char *left_out,
      time_t at)
{
	const struct db_consent c = {.acting = f->person,
				     .party = "portal",
				     .attributes = attributes,
				     .left_out = left_out,
				     .purpose = "",
				     .at = at};

	ASSERT_OK(db_consent_store(&pg->c, &c, NULL, &pg->err), &pg->err);
}

static void
it_rests_on_the_consent(void **state)
{
	struct pg *pg = *state;
	struct family f = offline_grant(pg), less = offline_grant(pg), more = offline_grant(pg);

	/* More than then is no less, nor is what was not offered, nor what was not allowed then. */
	agree(pg, &more, "[\"email\",\"family_name\"]", "[]", NOW + 1);
	assert_int_equal(use(pg, more.refresh, more.refresh, NOW + 2, NULL), DB_REFRESH_USED);
	agree(pg, &more, "[\"family_name\"]", NULL, NOW + 3);
	agree(pg, &more, "[\"email\"]", "[\"family_name\"]", NOW + 4);
	assert_int_equal(use(pg, more.refresh, more.refresh, NOW + 5, NULL), DB_REFRESH_USED);
	assert_non_null(find(pg, more.access, NOW + 5));
	/* Whatever clocks say. */
	agree(pg, &less, "[]", "[\"email\"]", NOW - 1);
	assert_int_equal(use(pg, less.refresh, less.refresh, NOW + 2, NULL), DB_REFRESH_ENDED);
	assert_null(find(pg, less.access, NOW));
	agree(pg, &less, "[\"email\"]", "[]", NOW + 2);
	assert_int_equal(use(pg, less.refresh, less.refresh, NOW + 2, NULL), DB_REFRESH_ENDED);
	ASSERT_OK(db_consent_withdraw(&pg->c, f.person, NULL, "portal", NULL, NOW + 1, &pg->err),
		  &pg->err);
	assert_int_equal(fit(pg, f.refresh, NOW + 1), DB_REFRESH_UNKNOWN);
	assert_null(find(pg, f.access, NOW + 1));
	/* Also where it was not there to be ended. */
	struct family other = offline_grant(pg);

	pg_sql(pg, arena_printf(pg->a,
				"INSERT INTO consent (acting, party, given, at) VALUES (%s,"
				" 'portal', false, %lld)",
				pg_hex(pg, (struct bytes){other.person.octets, 16}),
				(long long)NOW + 1));
	assert_int_equal(use(pg, other.refresh, other.refresh, NOW + 1, NULL), DB_REFRESH_ENDED);
	agree(pg, &other, "[\"email\"]", "[]", NOW + 2);
	assert_int_equal(use(pg, other.refresh, other.refresh, NOW + 3, NULL), DB_REFRESH_ENDED);
}

static void
it_goes_with_its_party_and_after_a_restore(void **state)
{
	struct pg *pg = *state;
	struct family f = offline_grant(pg);
	const struct db_party party = {.id = "portal",
				       .kind = "oidc",
				       .display_name = "p",
				       .document = bytes_of("{}"),
				       .policy = "{}",
				       .enabled = true};
	struct db_restored done;

	ASSERT_OK(db_party_save(&pg->c, &party, NULL, NOW, &(int64_t){0}, &pg->err), &pg->err);
	ASSERT_OK(db_party_remove(&pg->c, "portal", NULL, NOW, &pg->err), &pg->err);
	assert_int_equal(fit(pg, f.refresh, NOW), DB_REFRESH_UNKNOWN);
	offline_grant(pg);
	ASSERT_OK(db_restored_clear(&pg->c, 1, NULL, NOW, &done, &pg->err), &pg->err);
	assert_int_equal(done.refresh_tokens, 1);
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM refresh_token"), "0");
}

static void
one_that_another_node_is_using_is_waited_for(void **state)
{
	struct pg *pg = *state;
	struct family f = offline_grant(pg);
	const struct db_token_new token = {.text = db_dated_create(pg->a, TOKEN_END),
					   .expires = TOKEN_END};
	const struct db_refresh_use how = {
		.next = f.refresh, .token = &token, .scope = "", .expires = NOW + IDLE_S};
	enum db_refresh_used used;

	/* The batch goes on; then the other node is waited for, to know what it did. */
	pg_sql(pg, arena_printf(pg->a,
				"BEGIN; SELECT FROM refresh_token WHERE grant_id = %s FOR UPDATE",
				pg_hex(pg, (struct bytes){f.grant.id, 16})));
	ASSERT_REFUSED(
		db_refresh_use(&pg->c, f.refresh, "portal", &how, NULL, NOW, &used, &pg->err),
		&pg->err, ERR_UNAVAILABLE, "refresh_use_waiting: SQLSTATE 55P03");
	assert_int_equal(used, DB_REFRESH_ENDED);
	pg_sql(pg, "ROLLBACK");
	assert_int_equal(use(pg, f.refresh, f.refresh, NOW, NULL), DB_REFRESH_USED);
}

static void
texts_of_another_kind_are_none(void **state)
{
	struct pg *pg = *state;
	struct family f = offline_grant(pg), other = offline_grant(pg);
	const struct db_token_new token = {.text = db_dated_create(pg->a, TOKEN_END),
					   .expires = TOKEN_END},
				  wrong = {.text = "x", .expires = TOKEN_END};
	struct db_refresh_use how = {
		.next = other.refresh, .token = &token, .scope = "", .expires = NOW + IDLE_S};
	enum db_refresh_used used;
	struct db_refresh_place place;

	ASSERT_REFUSED(
		db_refresh_use(&pg->c, f.refresh, "portal", &how, NULL, NOW, &used, &pg->err),
		&pg->err, ERR_INTERNAL, "and its successor");
	how.next = f.refresh;
	how.token = &wrong;
	ASSERT_REFUSED(
		db_refresh_use(&pg->c, f.refresh, "portal", &how, NULL, NOW, &used, &pg->err),
		&pg->err, ERR_INTERNAL, "not a token");
	assert_false(db_refresh_parse(f.access, &place));
	assert_false(db_refresh_parse(arena_printf(pg->a, "%sx", f.refresh), &place));
	assert_null(db_refresh_next(pg->a, "x", bytes_of("0123456789abcdef0123456789abcdef")));
	assert_null(db_refresh_next(pg->a, f.refresh, bytes_of("short")));
}

#define T(test) cmocka_unit_test_setup(test, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_code_gives_one_when_it_may),
		T(it_carries_what_the_grant_was),
		T(using_it_gives_a_token_and_its_successor),
		T(a_token_for_a_resource_takes_the_facts_along),
		T(who_lost_the_answer_is_given_the_same_again),
		T(who_asks_again_is_given_no_second_successor),
		T(once_the_successor_was_used_the_old_one_is_a_replay),
		T(one_that_stays_is_no_replay),
		T(one_that_is_not_used_expires),
		T(its_end_moves_on_in_steps),
		T(another_party_can_neither_use_nor_end_it),
		T(its_party_gives_it_back_with_all_it_gave),
		T(a_code_used_twice_ends_it),
		T(only_what_was_agreed_to_outlives_the_session),
		T(it_ends_with_its_account),
		T(it_works_for_active_subjects_only),
		T(it_rests_on_the_consent),
		T(it_goes_with_its_party_and_after_a_restore),
		T(one_that_another_node_is_using_is_waited_for),
		T(texts_of_another_kind_are_none),
	};

	return cmocka_run_group_tests_name("refresh", tests, pg_setup, pg_teardown);
}
