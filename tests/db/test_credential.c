/* Means of authentication. */
#include "db/credential.h"

#include "base/rand.h"
#include "tests/db/pg.h"

static struct db_credential
password_of(struct subject_id subject)
{
	struct db_credential c = {.subject = subject,
				  .kind = DB_PASSWORD,
				  .level = 2,
				  .secret = bytes_of("first hash")};

	rand_bytes(c.id, sizeof(c.id));
	return c;
}

static struct db_credential
totp_of(struct subject_id subject)
{
	struct db_credential c = password_of(subject);

	c.kind = DB_TOTP;
	c.level = 3;
	return c;
}

static const struct db_credential *
load(struct pg *pg, struct subject_id subject, size_t wanted)
{
	const struct db_credential *list;
	size_t n;

	ASSERT_OK(db_credential_list(&pg->c, subject, &list, &n, &pg->err), &pg->err);
	assert_int_equal(n, wanted);
	return list;
}

static void
a_credential_comes_back_as_it_was(void **state)
{
	struct pg *pg = *state;
	struct subject_id subject = pg_person(pg);
	struct db_credential c = totp_of(subject);
	const struct db_audit audit = {.event = "totp_added", .ref = "r", .subject = &subject};

	ASSERT_OK(db_credential_add(&pg->c, &c, &audit, NOW, &pg->err), &pg->err);
	const struct db_credential *found = load(pg, subject, 1);

	assert_memory_equal(found->id, c.id, sizeof(c.id));
	assert_true(subject_id_eq(found->subject, subject));
	assert_int_equal(found->kind, DB_TOTP);
	assert_int_equal(found->level, 3);
	assert_false(found->blocked);
	assert_true(bytes_eq(found->secret, c.secret));
	assert_int_equal(found->last_step, 0);
	assert_int_equal(found->created, NOW);
	assert_int_equal(found->last_used, 0);
	assert_int_equal(pg_audits(pg, "totp_added"), 1);
}

static void
there_is_one_password(void **state)
{
	struct pg *pg = *state;
	struct subject_id subject = pg_person(pg);
	struct db_credential first = password_of(subject), second = password_of(subject);

	ASSERT_OK(db_credential_add(&pg->c, &first, NULL, NOW, &pg->err), &pg->err);
	ASSERT_REFUSED(db_credential_add(&pg->c, &second, NULL, NOW, &pg->err), &pg->err,
		       ERR_CONFLICT, "credential_one_password");
	second.subject = subject_id_create();
	ASSERT_REFUSED(db_credential_add(&pg->c, &second, NULL, NOW, &pg->err), &pg->err,
		       ERR_NOT_FOUND, "credential_subject_fkey");
}

static void
what_a_credential_may_not_be_is_refused(void **state)
{
	struct pg *pg = *state;
	struct db_credential c = password_of(pg_person(pg));

	c.level = 5;
	ASSERT_REFUSED(db_credential_add(&pg->c, &c, NULL, NOW, &pg->err), &pg->err, ERR_DENIED,
		       "credential_level_check");
	c.level = 2;
	c.secret.n = 0;
	ASSERT_REFUSED(db_credential_add(&pg->c, &c, NULL, NOW, &pg->err), &pg->err, ERR_DENIED,
		       "credential_secret_check");
	c.secret = bytes_of("x");
	c.kind = 0;
	ASSERT_REFUSED(db_credential_add(&pg->c, &c, NULL, NOW, &pg->err), &pg->err, ERR_DENIED,
		       "23502");
	c.kind = DB_TOTP;
	c.last_step = -1;
	ASSERT_REFUSED(db_credential_add(&pg->c, &c, NULL, NOW, &pg->err), &pg->err, ERR_DENIED,
		       "credential_last_step_check");
}

static void
a_rehash_does_not_undo_a_change_of_password(void **state)
{
	struct pg *pg = *state;
	struct db_credential c = password_of(pg_person(pg));
	bool replaced;

	ASSERT_OK(db_credential_add(&pg->c, &c, NULL, NOW, &pg->err), &pg->err);
	ASSERT_OK(db_credential_replace_secret(&pg->c, c.id, c.secret, bytes_of("changed"), NULL,
					       NOW, &replaced, &pg->err),
		  &pg->err);
	assert_true(replaced);
	ASSERT_OK(db_credential_replace_secret(&pg->c, c.id, c.secret, bytes_of("rehash"), NULL,
					       NOW, &replaced, &pg->err),
		  &pg->err);
	assert_false(replaced);
	assert_true(bytes_eq(load(pg, c.subject, 1)->secret, bytes_of("changed")));
}

static void
a_totp_step_counts_once_and_never_goes_back(void **state)
{
	struct pg *pg = *state;
	struct db_credential c = totp_of(pg_person(pg));
	static const struct {
		int64_t step;
		bool accepted;
	} cases[] = {{100, true}, {100, false}, {99, false}, {101, true}, {100, false}};
	bool accepted;

	ASSERT_OK(db_credential_add(&pg->c, &c, NULL, NOW, &pg->err), &pg->err);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ASSERT_OK(db_credential_totp_step(&pg->c, c.id, cases[i].step, NOW, &accepted,
						  &pg->err),
			  &pg->err);
		assert_int_equal(accepted, cases[i].accepted);
	}
	/* One that was blocked since it was read proves nothing. */
	ASSERT_OK(db_credential_set_blocked(&pg->c, c.id, true, NULL, NOW, &pg->err), &pg->err);
	ASSERT_OK(db_credential_totp_step(&pg->c, c.id, 200, NOW, &accepted, &pg->err), &pg->err);
	assert_false(accepted);
	/* A password has no steps. */
	c = password_of(c.subject);
	ASSERT_OK(db_credential_add(&pg->c, &c, NULL, NOW, &pg->err), &pg->err);
	ASSERT_OK(db_credential_totp_step(&pg->c, c.id, 5, NOW, &accepted, &pg->err), &pg->err);
	assert_false(accepted);
}

static void
a_use_is_noted_once_a_minute(void **state)
{
	struct pg *pg = *state;
	struct db_credential c = password_of(pg_person(pg));

	ASSERT_OK(db_credential_add(&pg->c, &c, NULL, NOW, &pg->err), &pg->err);
	ASSERT_OK(db_credential_touch(&pg->c, load(pg, c.subject, 1), NOW, &pg->err), &pg->err);
	assert_int_equal(load(pg, c.subject, 1)->last_used, NOW);
	ASSERT_OK(db_credential_touch(&pg->c, load(pg, c.subject, 1), NOW + 59, &pg->err),
		  &pg->err);
	assert_int_equal(load(pg, c.subject, 1)->last_used, NOW);
	ASSERT_OK(db_credential_touch(&pg->c, load(pg, c.subject, 1), NOW + 60, &pg->err),
		  &pg->err);
	assert_int_equal(load(pg, c.subject, 1)->last_used, NOW + 60);
}

static void
a_credential_is_blocked_and_removed_with_an_audit_row(void **state)
{
	struct pg *pg = *state;
	struct db_credential c = password_of(pg_person(pg));
	const struct db_audit audit = {.event = "blocked_1", .ref = "r", .subject = &c.subject};

	ASSERT_OK(db_credential_add(&pg->c, &c, NULL, NOW, &pg->err), &pg->err);
	ASSERT_OK(db_credential_set_blocked(&pg->c, c.id, true, &audit, NOW, &pg->err), &pg->err);
	assert_true(load(pg, c.subject, 1)->blocked);
	assert_int_equal(pg_audits(pg, "blocked_1"), 1);
	ASSERT_OK(db_credential_set_blocked(&pg->c, c.id, false, NULL, NOW, &pg->err), &pg->err);
	assert_false(load(pg, c.subject, 1)->blocked);
	ASSERT_OK(db_credential_remove(&pg->c, c.id, NULL, NOW, &pg->err), &pg->err);
	load(pg, c.subject, 0);
	ASSERT_REFUSED(db_credential_remove(&pg->c, c.id, &audit, NOW, &pg->err), &pg->err,
		       ERR_NOT_FOUND, "credential_remove");
	ASSERT_REFUSED(db_credential_set_blocked(&pg->c, c.id, true, &audit, NOW, &pg->err),
		       &pg->err, ERR_NOT_FOUND, "credential_block");
	/* What did not happen is not in the trail. */
	assert_int_equal(pg_audits(pg, "blocked_1"), 1);
}

#define T(test) cmocka_unit_test_setup(test, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_credential_comes_back_as_it_was),
		T(there_is_one_password),
		T(what_a_credential_may_not_be_is_refused),
		T(a_rehash_does_not_undo_a_change_of_password),
		T(a_totp_step_counts_once_and_never_goes_back),
		T(a_use_is_noted_once_a_minute),
		T(a_credential_is_blocked_and_removed_with_an_audit_row),
	};

	return cmocka_run_group_tests_name("credential", tests, pg_setup, pg_teardown);
}
