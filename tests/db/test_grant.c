/* Authorization codes and access tokens. */
#include "db/grant.h"

#include "base/rand.h"
#include "db/account.h"
#include "db/consent.h"
#include "db/dated.h"
#include "db/session.h"
#include "tests/db/pg.h"

/* The client as it takes part in a session. */
static const struct db_participant part = {
	.dialect = "oidc", .name_id = "name", .session_index = "1"};

#define CODE_END  (NOW + 60)
#define TOKEN_END (NOW + 600)

struct granted {
	struct db_grant grant;
	const char *code, *token;
};

static struct granted
give(struct pg *pg)
{
	const struct db_proof proof = {.level = 2, .method = "password", .at = NOW};
	struct db_session session = {.sid = rand_token(pg->a, 16),
				     .acting = pg_person(pg),
				     .sso_group = "g",
				     .proofs = &proof,
				     .n_proofs = 1,
				     .expires = NOW + 3600};
	struct granted g = {
		.grant = {.party = "stadtportal",
			  .acting = session.acting,
			  .sid = session.sid,
			  .scope = "openid profile",
			  .sealed = bytes_of("sealed claims"),
			  .redirect_uri = "https://stadtportal.example/cb",
			  .challenge = "challenge",
			  .nonce = "nonce",
			  .extra = bytes_of("extra"),
			  .expires = CODE_END,
			  .consent = pg_consent(pg, session.acting, "stadtportal")},
		.code = db_dated_create(pg->a, CODE_END),
		.token = db_dated_create(pg->a, TOKEN_END),
	};

	bool stands;

	rand_bytes(g.grant.id, sizeof(g.grant.id));
	ASSERT_OK(db_session_create(&pg->c, rand_token(pg->a, 32), &session, NULL, NOW, &pg->err),
		  &pg->err);
	ASSERT_OK(db_grant_create(&pg->c, g.code, &g.grant, &part, NULL, NOW, &stands, &pg->err),
		  &pg->err);
	assert_true(stands);
	return g;
}

static enum db_take
take(struct pg *pg, const struct granted *g, const char *party, time_t now,
     const struct db_grant **out)
{
	enum db_take result;

	struct db_token_new token = {.text = db_dated_create(pg->a, TOKEN_END),
				     .expires = TOKEN_END};

	ASSERT_OK(db_grant_take(&pg->c, g->code, party, &token, NULL, NULL, now, &result, out,
				&(bool){0}, &pg->err),
		  &pg->err);
	return result;
}

static enum db_take
take_with_token(struct pg *pg, const struct granted *g)
{
	const struct db_token_new token = {.text = g->token, .expires = TOKEN_END};
	enum db_take result;
	const struct db_grant *grant;

	ASSERT_OK(db_grant_take(&pg->c, g->code, g->grant.party, &token, NULL, NULL, NOW, &result,
				&grant, &(bool){0}, &pg->err),
		  &pg->err);
	return result;
}

static const struct db_token *
find(struct pg *pg, const char *token, time_t now)
{
	const struct db_token *found;

	ASSERT_OK(db_token_find(&pg->c, token, false, now, &found, &pg->err), &pg->err);
	return found;
}

/* The person agrees again, to these and not to those; attributes NULL: takes it back. */
static void
consent(struct pg *pg, const struct granted *g, const char *attributes, const char *left_out)
{
	struct db_consent c = *g->grant.consent;

	c.attributes = attributes;
	c.left_out = left_out;
	if (attributes != NULL)
		ASSERT_OK(db_consent_store(&pg->c, &c, NULL, &pg->err), &pg->err);
	else
		ASSERT_OK(db_consent_withdraw(&pg->c, c.acting, NULL, c.party, NULL, NOW, &pg->err),
			  &pg->err);
}

#define SAME "[\"family_name\"]"

static void
consent_taken_back_ends_what_it_gave(void **state)
{
	struct pg *pg = *state;
	struct granted g = give(pg), later = give(pg);
	const struct db_grant *grant;

	assert_int_equal(take_with_token(pg, &g), DB_TAKE_TAKEN);
	assert_non_null(find(pg, g.token, NOW));
	consent(pg, &g, SAME, "[\"email\"]");
	assert_non_null(find(pg, g.token, NOW));
	consent(pg, &g, NULL, NULL);
	assert_null(find(pg, g.token, NOW));
	/* Given again, it is for what is asked from then on, also within the same second. */
	consent(pg, &g, SAME, NULL);
	assert_null(find(pg, g.token, NOW));

	consent(pg, &later, NULL, NULL);
	consent(pg, &later, SAME, NULL);
	assert_int_equal(take(pg, &later, "stadtportal", NOW, &grant), DB_TAKE_REFUSED);
}

static void
what_was_offered_again_and_left_out_ends_what_told_it(void **state)
{
	struct pg *pg = *state;
	struct granted g = give(pg), later = give(pg), unoffered = give(pg);
	const struct db_grant *grant;

	assert_int_equal(take_with_token(pg, &g), DB_TAKE_TAKEN);
	consent(pg, &g, "[\"email\"]", "[\"family_name\",\"locality\"]");
	assert_null(find(pg, g.token, NOW));
	consent(pg, &later, "[]", SAME);
	assert_int_equal(take(pg, &later, "stadtportal", NOW, &grant), DB_TAKE_REFUSED);
	consent(pg, &unoffered, "[\"email\"]", "[\"locality\"]");
	assert_int_equal(take(pg, &unoffered, "stadtportal", NOW, &grant), DB_TAKE_TAKEN);
}

/* As it was judged, or no code is given; and its client takes no part. */
static void
a_code_rests_on_the_consent_that_was_judged(void **state)
{
	struct pg *pg = *state;
	struct granted g = give(pg);
	struct db_consent judged = *g.grant.consent;
	struct subject_id other = pg_person(pg);
	bool stands = true;

	judged.fingerprint[0] ^= 1;
	for (int i = 0; i < 4; i++) {
		const char *code = db_dated_create(pg->a, CODE_END);
		struct db_grant grant = g.grant;

		grant.party = "gewerbeportal";
		judged.party = grant.party;
		rand_bytes(grant.id, sizeof(grant.id));
		if (i == 1)
			pg_consent(pg, grant.acting, grant.party); /* another fingerprint */
		if (i == 2) {
			judged.fingerprint[0] ^= 1;
			judged.attributes = "[]";
		}
		if (i == 3) {
			judged.attributes = g.grant.consent->attributes;
			consent(pg, &(struct granted){.grant = {.consent = &judged}}, NULL, NULL);
		}
		grant.consent = &judged;
		ASSERT_OK(
			db_grant_create(&pg->c, code, &grant, &part, NULL, NOW, &stands, &pg->err),
			&pg->err);
		assert_false(stands);
	}
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM session_participant WHERE party ="
					 " 'gewerbeportal'"),
			    "0");
	/* Of whom the session acts for. */
	g.grant.acting = other;
	g.grant.consent = pg_consent(pg, other, "stadtportal");
	ASSERT_REFUSED(db_grant_create(&pg->c, db_dated_create(pg->a, CODE_END), &g.grant, &part,
				       NULL, NOW, &stands, &pg->err),
		       &pg->err, ERR_NOT_FOUND, "grant_create");
}

static void
a_client_takes_part_with_its_code_or_not_at_all(void **state)
{
	struct pg *pg = *state;
	struct granted g = give(pg);
	const struct db_audit audit = {.event = "code_given", .ref = "r"};
	const char *code = db_dated_create(pg->a, CODE_END);

	const char *sql = arena_printf(pg->a,
				       "SELECT dialect || name_id || session_index FROM"
				       " session_participant WHERE sid = '%s'",
				       g.grant.sid);

	assert_string_equal(pg_value(pg, sql), "oidcname1");
	rand_bytes(g.grant.id, sizeof(g.grant.id));
	ASSERT_REFUSED(db_grant_create(&pg->c, code, &g.grant, &part, &audit, NOW + 3600,
				       &(bool){0}, &pg->err),
		       &pg->err, ERR_NOT_FOUND, "grant_create");
	assert_int_equal(pg_audits(pg, "code_given"), 0);
}

static void
a_code_is_taken_with_all_it_carries(void **state)
{
	struct pg *pg = *state;
	struct granted g = give(pg);
	const struct db_audit audit = {.event = "code_taken",
				       .ref = "r",
				       .subject = &g.grant.acting,
				       .party = "stadtportal"};
	const struct db_grant *grant;
	enum db_take result;

	const struct db_take_audit trail = {.taken = &audit};
	const struct db_token_new token = {.text = g.token, .expires = TOKEN_END};

	ASSERT_OK(db_grant_take(&pg->c, g.code, "stadtportal", &token, NULL, &trail, NOW + 59,
				&result, &grant, &(bool){0}, &pg->err),
		  &pg->err);
	assert_int_equal(result, DB_TAKE_TAKEN);
	assert_memory_equal(grant->id, g.grant.id, 16);
	assert_string_equal(grant->party, "stadtportal");
	assert_true(subject_id_eq(grant->acting, g.grant.acting));
	assert_null(grant->represented);
	assert_string_equal(grant->sid, g.grant.sid);
	assert_string_equal(grant->scope, "openid profile");
	assert_true(bytes_eq(grant->sealed, bytes_of("sealed claims")));
	assert_string_equal(grant->redirect_uri, "https://stadtportal.example/cb");
	assert_string_equal(grant->challenge, "challenge");
	assert_string_equal(grant->nonce, "nonce");
	assert_true(bytes_eq(grant->extra, bytes_of("extra")));
	assert_int_equal(grant->created, NOW);
	assert_int_equal(grant->expires, CODE_END);
	assert_int_equal(pg_audits(pg, "code_taken"), 1);
}

static void
the_token_comes_with_the_code(void **state)
{
	struct pg *pg = *state;
	struct granted g = give(pg);

	assert_null(find(pg, g.token, NOW));
	assert_int_equal(take_with_token(pg, &g), DB_TAKE_TAKEN);
	const struct db_token *token = find(pg, g.token, TOKEN_END - 1);

	assert_memory_equal(token->grant, g.grant.id, 16);
	assert_string_equal(token->party, "stadtportal");
	assert_true(subject_id_eq(*token->acting, g.grant.acting));
	assert_string_equal(token->sid, g.grant.sid);
	assert_string_equal(token->scope, "openid profile");
	assert_true(bytes_eq(token->sealed, bytes_of("sealed claims")));
	assert_int_equal(token->created, NOW);
	assert_int_equal(token->expires, TOKEN_END);
	assert_null(find(pg, g.token, TOKEN_END));
	assert_null(find(pg, db_dated_create(pg->a, TOKEN_END), NOW));
	assert_null(find(pg, "no token", NOW));
	assert_null(find(pg, g.code, NOW));
}

static void
a_second_use_revokes_what_the_first_gave(void **state)
{
	struct pg *pg = *state;
	struct granted g = give(pg);
	const struct db_grant *grant;

	assert_int_equal(take_with_token(pg, &g), DB_TAKE_TAKEN);
	assert_non_null(find(pg, g.token, NOW));
	/* Also when the code itself would be too old by now. */
	assert_int_equal(take(pg, &g, "stadtportal", NOW + 300, &grant), DB_TAKE_REPLAYED);
	assert_null(grant);
	assert_null(find(pg, g.token, NOW));
}

static void
what_a_second_use_revoked_is_in_the_trail(void **state)
{
	struct pg *pg = *state;
	struct granted g = give(pg);
	const struct db_audit replayed = {.event = "replayed", .ref = "r", .party = g.grant.party};
	const struct db_take_audit trail = {.replayed = &replayed};
	const struct db_token_new token = {.text = g.token, .expires = TOKEN_END};
	const struct db_grant *grant;
	enum db_take result;

	/* The third one finds nothing more to revoke. */
	for (int i = 0; i < 3; i++)
		ASSERT_OK(db_grant_take(&pg->c, g.code, g.grant.party, &token, NULL, &trail, NOW,
					&result, &grant, &(bool){0}, &pg->err),
			  &pg->err);
	assert_int_equal(result, DB_TAKE_REPLAYED);
	assert_string_equal(
		pg_value(pg,
			 arena_printf(pg->a,
				      "SELECT count(*) || ' ' || count(*) FILTER (WHERE subject ="
				      " %s AND party = 'stadtportal') FROM audit"
				      " WHERE event = 'replayed'",
				      pg_hex(pg, (struct bytes){g.grant.acting.octets, 16}))),
		"1 1");
}

static void
what_a_taken_code_carried_is_gone(void **state)
{
	struct pg *pg = *state;
	struct granted g = give(pg);

	assert_int_equal(take_with_token(pg, &g), DB_TAKE_TAKEN);
	assert_string_equal(
		pg_value(pg, arena_printf(pg->a,
					  "SELECT sealed IS NULL AND extra IS NULL FROM grant_code"
					  " WHERE grant_id = %s",
					  pg_hex(pg, (struct bytes){g.grant.id, 16}))),
		"t");
}

static void
a_code_that_may_not_be_taken_is_refused(void **state)
{
	struct pg *pg = *state;
	struct granted g = give(pg), other = give(pg);
	const struct db_grant *grant;

	assert_int_equal(take(pg, &g, "gewerbeportal", NOW, &grant), DB_TAKE_REFUSED);
	assert_null(grant);
	assert_int_equal(take(pg, &g, "stadtportal", CODE_END, &grant), DB_TAKE_REFUSED);
	g.code = db_dated_create(pg->a, CODE_END);
	assert_int_equal(take(pg, &g, "stadtportal", NOW, &grant), DB_TAKE_REFUSED);
	g.code = "20833.short";
	assert_int_equal(take(pg, &g, "stadtportal", NOW, &grant), DB_TAKE_REFUSED);
	/* Another party's attempt does not use it up. */
	assert_int_equal(take(pg, &other, "gewerbeportal", NOW, &grant), DB_TAKE_REFUSED);
	assert_int_equal(take(pg, &other, "stadtportal", NOW, &grant), DB_TAKE_TAKEN);
	/* Nor does another party's replay revoke anything. */
	assert_int_equal(take(pg, &other, "gewerbeportal", NOW, &grant), DB_TAKE_REFUSED);
	ASSERT_REFUSED(db_grant_take(&pg->c, other.code, "stadtportal",
				     &(struct db_token_new){.text = "x"}, NULL, NULL, NOW,
				     &(enum db_take){0}, &grant, &(bool){0}, &pg->err),
		       &pg->err, ERR_INTERNAL, "not a token");
	ASSERT_REFUSED(
		db_grant_create(&pg->c, "x", &other.grant, &part, NULL, NOW, &(bool){0}, &pg->err),
		&pg->err, ERR_INTERNAL, "not a code");
}

static void
a_session_that_has_ended_gives_no_token_and_keeps_none(void **state)
{
	struct pg *pg = *state;
	struct granted before = give(pg), after = give(pg);
	const struct db_participant *list;
	const struct db_grant *grant;
	bool ended;
	size_t n;

	ASSERT_OK(db_session_end(&pg->c, before.grant.sid, NULL, NULL, NOW, &ended, &list, &n,
				 &pg->err),
		  &pg->err);
	assert_int_equal(take(pg, &before, "stadtportal", NOW, &grant), DB_TAKE_REFUSED);
	assert_int_equal(take_with_token(pg, &after), DB_TAKE_TAKEN);
	ASSERT_OK(db_session_end(&pg->c, after.grant.sid, NULL, NULL, NOW, &ended, &list, &n,
				 &pg->err),
		  &pg->err);
	assert_null(find(pg, after.token, NOW));
	/* Nor does one whose time is over. */
	struct granted old = give(pg);

	pg_sql(pg, arena_printf(pg->a, "UPDATE session SET expires = %lld WHERE sid = '%s'",
				(long long)NOW, old.grant.sid));
	assert_int_equal(take(pg, &old, "stadtportal", NOW, &grant), DB_TAKE_REFUSED);
}

static void
a_disabled_account_has_no_tokens(void **state)
{
	struct pg *pg = *state;
	struct granted g = give(pg);

	assert_int_equal(take_with_token(pg, &g), DB_TAKE_TAKEN);
	ASSERT_OK(db_account_set_state(&pg->c, g.grant.acting, DB_DISABLED, NULL, NOW, &pg->err),
		  &pg->err);
	assert_null(find(pg, g.token, NOW));
	ASSERT_OK(db_account_set_state(&pg->c, g.grant.acting, DB_ACTIVE, NULL, NOW, &pg->err),
		  &pg->err);
	assert_null(find(pg, g.token, NOW));
}

/* Whoever may not act has no token that works, also one that nobody revoked. */
static void
a_token_works_for_active_subjects_only(void **state)
{
	struct pg *pg = *state;
	struct granted g = give(pg);
	struct subject_id organisation = pg_person(pg);
	const struct subject_id *const subjects[] = {&g.grant.acting, &organisation};

	assert_int_equal(take_with_token(pg, &g), DB_TAKE_TAKEN);
	pg_sql(pg,
	       arena_printf(pg->a, "UPDATE access_token SET represented = %s WHERE grant_id = %s",
			    pg_hex(pg, (struct bytes){organisation.octets, 16}),
			    pg_hex(pg, (struct bytes){g.grant.id, 16})));
	assert_true(subject_id_eq(*find(pg, g.token, NOW)->represented, organisation));
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
		const char *id = pg_hex(pg, (struct bytes){subjects[i]->octets, 16});

		pg_sql(pg, arena_printf(pg->a,
					"UPDATE subject SET state = 'disabled' WHERE id = %s", id));
		assert_null(find(pg, g.token, NOW));
		pg_sql(pg, arena_printf(pg->a, "UPDATE subject SET state = 'active' WHERE id = %s",
					id));
		assert_non_null(find(pg, g.token, NOW));
	}
}

static void
a_code_that_another_node_is_taking_is_not_waited_for(void **state)
{
	struct pg *pg = *state;
	struct granted g = give(pg);
	const struct db_grant *grant;
	enum db_take result;

	/* The batch goes on; then the other node is waited for, to know what it did. */
	pg_sql(pg,
	       arena_printf(pg->a, "BEGIN; SELECT FROM grant_code WHERE grant_id = %s FOR UPDATE",
			    pg_hex(pg, (struct bytes){g.grant.id, 16})));
	ASSERT_REFUSED(db_grant_take(&pg->c, g.code, "stadtportal",
				     &(struct db_token_new){.text = g.token, .expires = TOKEN_END},
				     NULL, NULL, NOW, &result, &grant, &(bool){0}, &pg->err),
		       &pg->err, ERR_UNAVAILABLE, "grant_lock: SQLSTATE 55P03");
	pg_sql(pg, "ROLLBACK");
	assert_int_equal(take_with_token(pg, &g), DB_TAKE_TAKEN);
}

static void
a_token_is_revoked_by_its_party_only(void **state)
{
	struct pg *pg = *state;
	struct granted g = give(pg);

	assert_int_equal(take_with_token(pg, &g), DB_TAKE_TAKEN);
	ASSERT_OK(db_token_revoke(&pg->c, g.token, false, "gewerbeportal", NOW, &pg->err),
		  &pg->err);
	assert_non_null(find(pg, g.token, NOW));
	ASSERT_OK(db_token_revoke(&pg->c, g.token, false, "stadtportal", NOW, &pg->err), &pg->err);
	assert_null(find(pg, g.token, NOW));
	ASSERT_OK(db_token_revoke(&pg->c, "no token", false, "stadtportal", NOW, &pg->err),
		  &pg->err);
}

static void
a_grant_is_revoked_as_a_whole(void **state)
{
	struct pg *pg = *state;
	struct granted g = give(pg);
	const struct db_audit audit = {.event = "grant_revoked", .ref = "r"};

	assert_int_equal(take_with_token(pg, &g), DB_TAKE_TAKEN);
	for (int i = 0; i < 2; i++)
		ASSERT_OK(db_grant_revoke(&pg->c, g.grant.id, &audit, NOW, &pg->err), &pg->err);
	assert_null(find(pg, g.token, NOW));
	assert_int_equal(pg_audits(pg, "grant_revoked"), 1);
}

#define T(test) cmocka_unit_test_setup(test, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(consent_taken_back_ends_what_it_gave),
		T(what_was_offered_again_and_left_out_ends_what_told_it),
		T(a_code_rests_on_the_consent_that_was_judged),
		T(a_client_takes_part_with_its_code_or_not_at_all),
		T(a_code_is_taken_with_all_it_carries),
		T(the_token_comes_with_the_code),
		T(a_second_use_revokes_what_the_first_gave),
		T(what_a_second_use_revoked_is_in_the_trail),
		T(what_a_taken_code_carried_is_gone),
		T(a_code_that_may_not_be_taken_is_refused),
		T(a_session_that_has_ended_gives_no_token_and_keeps_none),
		T(a_disabled_account_has_no_tokens),
		T(a_token_works_for_active_subjects_only),
		T(a_code_that_another_node_is_taking_is_not_waited_for),
		T(a_token_is_revoked_by_its_party_only),
		T(a_grant_is_revoked_as_a_whole),
	};

	return cmocka_run_group_tests_name("grant", tests, pg_setup, pg_teardown);
}
