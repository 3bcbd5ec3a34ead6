/* Browser sessions and who took part in them. */
#include "db/session.h"

#include "base/rand.h"
#include "db/account.h"
#include "tests/db/pg.h"

static const struct db_proof password = {.level = 2, .method = "password", .at = NOW};

/* A session of a new person; *cookie is its cookie's value. */
static struct db_session
start(struct pg *pg, const char **cookie)
{
	struct db_session s = {.sid = rand_token(pg->a, 16),
			       .acting = pg_person(pg),
			       .sso_group = "portalverbund",
			       .proofs = &password,
			       .n_proofs = 1,
			       .expires = NOW + 3600};

	*cookie = rand_token(pg->a, 32);
	ASSERT_OK(db_session_create(&pg->c, *cookie, &s, NULL, NOW, &pg->err), &pg->err);
	return s;
}

static const struct db_session *
find(struct pg *pg, const char *cookie, time_t now)
{
	const struct db_session *s;

	ASSERT_OK(db_session_find(&pg->c, cookie, now, &s, &pg->err), &pg->err);
	return s;
}

static void
a_session_is_found_by_its_cookie_until_it_ends(void **state)
{
	struct pg *pg = *state;
	const char *cookie;
	struct db_session s = start(pg, &cookie);
	const struct db_session *found = find(pg, cookie, NOW + 3599);

	assert_string_equal(found->sid, s.sid);
	assert_true(subject_id_eq(found->acting, s.acting));
	assert_null(found->represented);
	assert_string_equal(found->sso_group, "portalverbund");
	assert_int_equal(found->n_proofs, 1);
	assert_int_equal(found->proofs[0].level, 2);
	assert_string_equal(found->proofs[0].method, "password");
	assert_int_equal(found->proofs[0].at, NOW);
	assert_int_equal(found->created, NOW);
	assert_int_equal(found->last_used, NOW);
	assert_int_equal(found->expires, NOW + 3600);
	assert_null(find(pg, cookie, NOW + 3600));
	assert_null(find(pg, s.sid, NOW));
	ASSERT_OK(db_session_load(&pg->c, s.sid, NOW, &found, &pg->err), &pg->err);
	assert_non_null(found);
	ASSERT_OK(db_session_load(&pg->c, s.sid, NOW + 3600, &found, &pg->err), &pg->err);
	assert_null(found);
}

static void
the_cookie_is_not_stored(void **state)
{
	struct pg *pg = *state;
	const char *cookie;

	start(pg, &cookie);
	assert_string_equal(
		pg_value(pg, arena_printf(pg->a,
					  "SELECT count(*) FROM session WHERE session::text"
					  " LIKE '%%%s%%' OR position('%s'::bytea in id_hash) > 0",
					  cookie, cookie)),
		"0");
}

static void
a_session_without_a_proof_is_none(void **state)
{
	struct pg *pg = *state;
	struct db_session s = {.sid = "x", .sso_group = "g", .expires = NOW + 1};

	ASSERT_REFUSED(db_session_create(&pg->c, "c", &s, NULL, NOW, &pg->err), &pg->err,
		       ERR_INTERNAL, "without a proof");
}

static void
somebody_may_act_for_an_organisation(void **state)
{
	struct pg *pg = *state;
	const char *cookie;
	struct db_session s = start(pg, &cookie);
	struct subject_id other = pg_person(pg);

	ASSERT_OK(db_session_represent(&pg->c, s.sid, &other, NOW, &pg->err), &pg->err);
	const struct db_session *found = find(pg, cookie, NOW);

	assert_true(subject_id_eq(*found->represented, other));
	ASSERT_REFUSED(db_session_represent(&pg->c, s.sid, &s.acting, NOW, &pg->err), &pg->err,
		       ERR_DENIED, "session_represents_another");
	ASSERT_REFUSED(db_session_represent(&pg->c, s.sid, &other, NOW + 3600, &pg->err), &pg->err,
		       ERR_NOT_FOUND, "session_represent");
	/* Nobody acts for who may not act. */
	ASSERT_OK(db_account_set_state(&pg->c, other, DB_DISABLED, NULL, NOW, &pg->err), &pg->err);
	assert_null(find(pg, cookie, NOW));
}

/* Whoever may not act gets no session, and one that nobody ended does not count. */
static void
who_may_not_act_has_no_session(void **state)
{
	struct pg *pg = *state;
	const char *cookie = rand_token(pg->a, 32);
	struct subject_id acting = pg_person(pg), represented = pg_person(pg);
	const struct subject_id *const subjects[] = {&acting, &represented};
	struct db_session s = {.sid = rand_token(pg->a, 16),
			       .acting = acting,
			       .represented = &represented,
			       .sso_group = "g",
			       .proofs = &password,
			       .n_proofs = 1,
			       .expires = NOW + 3600};
	struct db_session refused = s;

	refused.sid = rand_token(pg->a, 16);
	ASSERT_OK(db_session_create(&pg->c, cookie, &s, NULL, NOW, &pg->err), &pg->err);
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
		const char *id = pg_hex(pg, (struct bytes){subjects[i]->octets, 16});

		pg_sql(pg, arena_printf(pg->a,
					"UPDATE subject SET state = 'disabled' WHERE id = %s", id));
		assert_null(find(pg, cookie, NOW));
		ASSERT_REFUSED(db_session_create(&pg->c, rand_token(pg->a, 32), &refused, NULL, NOW,
						 &pg->err),
			       &pg->err, ERR_NOT_FOUND, "session_create");
		pg_sql(pg, arena_printf(pg->a, "UPDATE subject SET state = 'active' WHERE id = %s",
					id));
		assert_non_null(find(pg, cookie, NOW));
	}
	assert_null(find(pg, refused.sid, NOW));
	assert_true(subject_id_eq(*find(pg, cookie, NOW)->represented, represented));
}

static void
a_login_is_in_the_trail_with_its_session(void **state)
{
	struct pg *pg = *state;
	const char *cookie = rand_token(pg->a, 32), *second = rand_token(pg->a, 32);
	struct subject_id person = pg_person(pg);
	const struct db_audit audit = {.event = "proved", .ref = "r", .subject = &person};
	const struct db_session s = {.sid = rand_token(pg->a, 16),
				     .acting = person,
				     .sso_group = "g",
				     .proofs = &password,
				     .n_proofs = 1,
				     .expires = NOW + 3600};

	ASSERT_OK(db_session_create(&pg->c, cookie, &s, &audit, NOW, &pg->err), &pg->err);
	ASSERT_OK(
		db_session_add_proof(&pg->c, cookie, second, &password, NOW, &audit, NOW, &pg->err),
		&pg->err);
	/* What did not happen is not in it. */
	ASSERT_REFUSED(
		db_session_add_proof(&pg->c, cookie, second, &password, NOW, &audit, NOW, &pg->err),
		&pg->err, ERR_NOT_FOUND, "session_add_proof");
	assert_int_equal(pg_audits(pg, "proved"), 2);
}

static void
a_use_is_noted_once_a_minute(void **state)
{
	struct pg *pg = *state;
	const char *cookie;

	start(pg, &cookie);
	ASSERT_OK(db_session_touch(&pg->c, find(pg, cookie, NOW), NOW + 59, &pg->err), &pg->err);
	assert_int_equal(find(pg, cookie, NOW)->last_used, NOW);
	ASSERT_OK(db_session_touch(&pg->c, find(pg, cookie, NOW), NOW + 60, &pg->err), &pg->err);
	assert_int_equal(find(pg, cookie, NOW)->last_used, NOW + 60);
}

static void
each_login_changes_the_cookie(void **state)
{
	struct pg *pg = *state;
	const char *cookie, *second = rand_token(pg->a, 32);
	const struct db_proof totp = {.level = 3, .method = "totp", .at = NOW + 10};

	start(pg, &cookie);
	ASSERT_OK(db_session_add_proof(&pg->c, cookie, second, &totp, NOW + 100, NULL, NOW + 10,
				       &pg->err),
		  &pg->err);
	assert_null(find(pg, cookie, NOW));
	const struct db_session *found = find(pg, second, NOW);

	assert_int_equal(found->n_proofs, 2);
	assert_string_equal(found->proofs[1].method, "totp");
	assert_int_equal(found->proofs[1].level, 3);
	assert_int_equal(found->last_used, NOW + 10);
	assert_int_equal(found->expires, NOW + 3600); /* never earlier */
	ASSERT_REFUSED(db_session_add_proof(&pg->c, cookie, "third", &totp, NOW + 100, NULL, NOW,
					    &pg->err),
		       &pg->err, ERR_NOT_FOUND, "session_add_proof");
	ASSERT_OK(db_session_add_proof(&pg->c, second, "fourth", &totp, NOW + 7200, NULL, NOW,
				       &pg->err),
		  &pg->err);
	assert_int_equal(find(pg, "fourth", NOW)->expires, NOW + 7200);
	ASSERT_REFUSED(db_session_add_proof(&pg->c, "fourth", "fifth", &totp, NOW, NULL, NOW + 7200,
					    &pg->err),
		       &pg->err, ERR_NOT_FOUND, "session_add_proof");
}

static const struct db_participant saml = {.party = "https://amt24.example/sp",
					   .dialect = "saml",
					   .name_id = "name-1",
					   .session_index = "index-1"};
static const struct db_participant oidc = {
	.party = "stadtportal", .dialect = "oidc", .name_id = "sub-1", .session_index = ""};

static enum db_answered
answered(struct pg *pg, const struct db_answer *answer, const struct db_audit *audit)
{
	enum db_answered how;

	ASSERT_OK(db_session_participate(&pg->c, answer, audit, NOW, &how, &pg->err), &pg->err);
	return how;
}

static void
take_part_at(struct pg *pg, const struct db_session *s, const struct db_participant *p,
	     const struct db_audit *audit, time_t now)
{
	const struct db_answer answer = {s->sid, p, pg_consent(pg, s->acting, p->party), NULL,
					 NULL};
	enum db_answered how;

	ASSERT_OK(db_session_participate(&pg->c, &answer, audit, now, &how, &pg->err), &pg->err);
	assert_int_equal(how, DB_ANSWERED_NOW);
}

static void
parties_that_take_part_are_known(void **state)
{
	struct pg *pg = *state;
	const char *cookie, *sid;
	struct db_session s = start(pg, &cookie);
	const struct db_audit audit = {.event = "released", .ref = "r", .party = saml.party};
	const struct db_participant *list;
	size_t n;

	take_part_at(pg, &s, &saml, &audit, NOW);
	take_part_at(pg, &s, &oidc, &audit, NOW + 1);
	take_part_at(pg, &s, &saml, &audit, NOW + 2);
	ASSERT_OK(db_session_participants(&pg->c, s.sid, &list, &n, &pg->err), &pg->err);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].party, oidc.party);
	assert_string_equal(list[0].session_index, "");
	assert_string_equal(list[1].party, saml.party);
	assert_string_equal(list[1].dialect, "saml");
	assert_string_equal(list[1].name_id, "name-1");
	assert_string_equal(list[1].session_index, "index-1");
	assert_int_equal(list[1].at, NOW + 2);
	assert_int_equal(pg_audits(pg, "released"), 3);

	static const struct {
		const char *party, *name_id, *index;
		time_t now;
		bool found;
	} cases[] = {
		{"https://amt24.example/sp", "name-1", "index-1", NOW, true},
		{"https://amt24.example/sp", "name-1", "", NOW, true},
		{"https://amt24.example/sp", "name-1", "index-2", NOW, false},
		{"https://amt24.example/sp", "name-2", "", NOW, false},
		{"stadtportal", "name-1", "", NOW, false},
		{"https://amt24.example/sp", "name-1", "", NOW + 3600, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ASSERT_OK(db_session_of_participant(&pg->c, cases[i].party, cases[i].name_id,
						    cases[i].index, cases[i].now, &sid, &pg->err),
			  &pg->err);
		assert_int_equal(sid != NULL, cases[i].found);
	}
}

static void
a_request_is_answered_once(void **state)
{
	struct pg *pg = *state;
	const char *cookie;
	struct db_session s = start(pg, &cookie);
	const struct db_audit audit = {.event = "answered", .ref = "r"};
	const struct db_mark mark = {"request", bytes_of("portal _1"), NOW + 60};
	const struct db_mark late = {"request", bytes_of("portal _2"), NOW};
	struct db_answer answer = {.sid = s.sid,
				   .participant = &saml,
				   .consent = pg_consent(pg, s.acting, saml.party),
				   .mark = &mark};
	enum db_answered how;
	bool first;

	assert_int_equal(answered(pg, &answer, &audit), DB_ANSWERED_NOW);
	for (int i = 0; i < 2; i++)
		assert_int_equal(answered(pg, &answer, &audit), DB_ANSWERED_BEFORE);
	/* It is the same mark as any other way would leave. */
	ASSERT_OK(db_seen_once(&pg->c, &mark, NOW, &first, &pg->err), &pg->err);
	assert_false(first);
	answer.mark = &late;
	ASSERT_REFUSED(db_session_participate(&pg->c, &answer, &audit, NOW, &how, &pg->err),
		       &pg->err, ERR_INPUT, "expired");
	assert_int_equal(pg_audits(pg, "answered"), 1);
	assert_string_equal(
		pg_value(pg,
			 arena_printf(pg->a,
				      "SELECT count(*) FROM session_participant WHERE sid = '%s'",
				      s.sid)),
		"1");
}

static void
a_party_is_told_on_the_consent_that_was_judged_only(void **state)
{
	struct pg *pg = *state;
	const char *cookie;
	struct db_session s = start(pg, &cookie), stranger = start(pg, &cookie);
	const struct db_audit audit = {.event = "told_of", .ref = "r"};
	const struct db_consent *stands = pg_consent(pg, s.acting, saml.party);
	struct db_consent judged = *stands;
	struct db_mark mark = {"request", bytes_of("portal _3"), NOW + 60};
	struct db_answer answer = {s.sid, &saml, &judged, NULL, NULL};
	enum db_answered how;
	bool first;

	assert_int_equal(answered(pg, &answer, &audit), DB_ANSWERED_NOW);
	/* The same in other words of JSON. */
	judged.attributes = "[ \"family_name\"]";
	assert_int_equal(answered(pg, &answer, &audit), DB_ANSWERED_NOW);
	/* More or less was agreed to; something else was asked. */
	judged.attributes = "[]";
	assert_int_equal(answered(pg, &answer, &audit), DB_ANSWERED_WITHDRAWN);
	judged = *stands;
	judged.fingerprint[31] ^= 1;
	assert_int_equal(answered(pg, &answer, &audit), DB_ANSWERED_WITHDRAWN);
	/* To another party; by another person; for another. */
	judged = *stands;
	answer.participant = &oidc;
	assert_int_equal(answered(pg, &answer, &audit), DB_ANSWERED_WITHDRAWN);
	answer.participant = &saml;
	judged.acting = stranger.acting;
	ASSERT_REFUSED(db_session_participate(&pg->c, &answer, &audit, NOW, &how, &pg->err),
		       &pg->err, ERR_NOT_FOUND, "session_participate");
	judged.acting = s.acting;
	judged.represented = &stranger.acting;
	ASSERT_REFUSED(db_session_participate(&pg->c, &answer, &audit, NOW, &how, &pg->err),
		       &pg->err, ERR_NOT_FOUND, "session_participate");
	/* Taken back: the request is answered all the same, with a no. */
	judged.represented = NULL;
	ASSERT_OK(db_consent_withdraw(&pg->c, s.acting, NULL, saml.party, NULL, NOW, &pg->err),
		  &pg->err);
	answer.mark = &mark;
	assert_int_equal(answered(pg, &answer, &audit), DB_ANSWERED_WITHDRAWN);
	ASSERT_OK(db_seen_once(&pg->c, &mark, NOW, &first, &pg->err), &pg->err);
	assert_false(first);
	assert_int_equal(pg_audits(pg, "told_of"), 2);
	/* And given again. */
	answer.mark = NULL;
	pg_consent(pg, s.acting, saml.party);
	assert_int_equal(answered(pg, &answer, &audit), DB_ANSWERED_NOW);
}

static void
nobody_takes_part_in_a_session_that_is_over(void **state)
{
	struct pg *pg = *state;
	const char *cookie;
	struct db_session s = start(pg, &cookie);
	const struct db_audit audit = {.event = "not_released", .ref = "r"};
	const struct db_answer answer = {s.sid, &saml, pg_consent(pg, s.acting, saml.party), NULL,
					 NULL};
	const struct db_participant *list;
	enum db_answered how;
	bool ended;
	size_t n;

	ASSERT_REFUSED(db_session_participate(&pg->c, &answer, &audit, NOW + 3600, &how, &pg->err),
		       &pg->err, ERR_NOT_FOUND, "session_participate");
	ASSERT_OK(db_session_end(&pg->c, s.sid, NULL, NULL, NOW, &ended, &list, &n, &pg->err),
		  &pg->err);
	assert_true(ended);
	assert_int_equal(n, 0);
	ASSERT_REFUSED(db_session_participate(&pg->c, &answer, &audit, NOW, &how, &pg->err),
		       &pg->err, ERR_NOT_FOUND, "session_participate");
	assert_int_equal(pg_audits(pg, "not_released"), 0);
}

static void
the_end_is_told_to_all_who_took_part_once(void **state)
{
	struct pg *pg = *state;
	const char *cookie;
	struct db_session s = start(pg, &cookie);
	const struct db_audit audit = {.event = "ended", .ref = "r", .subject = &s.acting};
	const struct db_participant *list;
	bool ended;
	size_t n;

	take_part_at(pg, &s, &saml, NULL, NOW);
	take_part_at(pg, &s, &oidc, NULL, NOW + 1);
	ASSERT_OK(db_session_end(&pg->c, s.sid, &audit, NULL, NOW, &ended, &list, &n, &pg->err),
		  &pg->err);
	assert_true(ended);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].party, saml.party);
	assert_string_equal(list[1].party, oidc.party);
	assert_null(find(pg, cookie, NOW));
	ASSERT_OK(db_session_end(&pg->c, s.sid, &audit, NULL, NOW, &ended, &list, &n, &pg->err),
		  &pg->err);
	assert_false(ended);
	assert_int_equal(n, 0);
	assert_int_equal(pg_audits(pg, "ended"), 1);
	assert_string_equal(pg_value(pg, arena_printf(pg->a,
						      "SELECT count(*) FROM session_proof"
						      " WHERE sid = '%s'",
						      s.sid)),
			    "0");
}

static void
a_person_sees_the_sessions_that_live(void **state)
{
	struct pg *pg = *state;
	const char *cookie, *second = rand_token(pg->a, 32);
	struct db_session s = start(pg, &cookie);
	const struct db_proof totp = {.level = 3, .method = "totp", .at = NOW + 1};
	const struct db_session *list;
	size_t n;

	ASSERT_OK(db_session_add_proof(&pg->c, cookie, second, &totp, NOW, NULL, NOW, &pg->err),
		  &pg->err);
	s.sid = "later";
	s.expires = NOW + 7200;
	ASSERT_OK(db_session_create(&pg->c, "cookie-later", &s, NULL, NOW + 5, &pg->err), &pg->err);
	(void)start(pg, &cookie); /* somebody else's */
	ASSERT_OK(db_session_list(&pg->c, s.acting, 9, NOW, &list, &n, &pg->err), &pg->err);
	assert_int_equal(n, 2);
	assert_int_equal(list[1].n_proofs, 2);
	assert_string_equal(list[1].proofs[1].method, "totp");
	assert_string_equal(list[0].sid, "later");
	assert_int_equal(list[0].n_proofs, 1);
	/* However many proofs it has, it counts as one. */
	ASSERT_OK(db_session_list(&pg->c, s.acting, 1, NOW, &list, &n, &pg->err), &pg->err);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].sid, "later");
	ASSERT_OK(db_session_list(&pg->c, s.acting, 9, NOW + 3600, &list, &n, &pg->err), &pg->err);
	assert_int_equal(n, 1);
	ASSERT_OK(db_session_list(&pg->c, subject_id_create(), 9, NOW, &list, &n, &pg->err),
		  &pg->err);
	assert_int_equal(n, 0);
}

static void
what_has_expired_is_swept(void **state)
{
	struct pg *pg = *state;
	const char *cookie;
	int64_t n;

	pg_sql(pg, "DELETE FROM session");
	for (int i = 0; i < 3; i++)
		start(pg, &cookie);
	ASSERT_OK(db_session_sweep(&pg->c, 100, NOW + 3600, &n, &pg->err), &pg->err);
	assert_int_equal(n, 0);
	ASSERT_OK(db_session_sweep(&pg->c, 2, NOW + 3601, &n, &pg->err), &pg->err);
	assert_int_equal(n, 2);
	ASSERT_OK(db_session_sweep(&pg->c, 2, NOW + 3601, &n, &pg->err), &pg->err);
	assert_int_equal(n, 1);
}

#define T(test) cmocka_unit_test_setup(test, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_session_is_found_by_its_cookie_until_it_ends),
		T(the_cookie_is_not_stored),
		T(a_session_without_a_proof_is_none),
		T(somebody_may_act_for_an_organisation),
		T(who_may_not_act_has_no_session),
		T(a_login_is_in_the_trail_with_its_session),
		T(a_use_is_noted_once_a_minute),
		T(each_login_changes_the_cookie),
		T(parties_that_take_part_are_known),
		T(a_request_is_answered_once),
		T(a_party_is_told_on_the_consent_that_was_judged_only),
		T(nobody_takes_part_in_a_session_that_is_over),
		T(the_end_is_told_to_all_who_took_part_once),
		T(a_person_sees_the_sessions_that_live),
		T(what_has_expired_is_swept),
	};

	return cmocka_run_group_tests_name("session", tests, pg_setup, pg_teardown);
}
