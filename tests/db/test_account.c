/* Subjects: create, find, states, and what the table's constraints refuse. */
#include "db/account.h"

#include "base/rand.h"
#include "db/pseudonym.h"
#include "db/session.h"
#include "tests/db/pg.h"

static struct bytes
random_lookup(struct pg *pg)
{
	unsigned char *p = arena_alloc(pg->a, 32);

	rand_bytes(p, 32);
	return (struct bytes){p, 32};
}

static struct db_account_new
new_person(struct pg *pg)
{
	return (struct db_account_new){.subject = {.id = subject_id_create(),
						   .kind = DB_PERSON,
						   .origin = DB_LOCAL,
						   .account_key = bytes_of("key")},
				       .lookup = random_lookup(pg)};
}

static const char *
count(struct pg *pg, const char *table, struct subject_id id)
{
	return pg_value(pg, arena_printf(pg->a, "SELECT count(*) FROM %s WHERE subject = %s", table,
					 pg_hex(pg, (struct bytes){id.octets, 16})));
}

static void
an_account_comes_with_its_name_credentials_and_attributes(void **state)
{
	struct pg *pg = *state;
	struct db_account_new account = new_person(pg);
	const struct db_credential credential = {
		.id = {1, 2, 3}, .kind = DB_PASSWORD, .level = 2, .secret = bytes_of("hash")};
	const struct db_attribute attributes[] = {
		{.name = "given_name", .sealed = bytes_of("1"), .level = 1, .source = "self"},
		{.name = "family_name", .sealed = bytes_of("2"), .level = 1, .source = "self"}};
	const struct db_audit audit = {
		.event = "account_created", .ref = "r1", .subject = &account.subject.id};
	const struct db_subject *found;
	const struct db_credential *credentials;
	const struct db_attribute *loaded;
	size_t n;

	account.credentials = &credential;
	account.n_credentials = 1;
	account.attributes = attributes;
	account.n_attributes = 2;
	ASSERT_OK(db_account_create(&pg->c, &account, &audit, NOW, &pg->err), &pg->err);
	ASSERT_OK(db_account_find(&pg->c, account.lookup, &found, &pg->err), &pg->err);
	assert_non_null(found);
	assert_true(subject_id_eq(found->id, account.subject.id));
	assert_int_equal(found->kind, DB_PERSON);
	assert_int_equal(found->origin, DB_LOCAL);
	assert_int_equal(found->state, DB_ACTIVE);
	assert_null(found->issuer);
	assert_true(bytes_eq(found->account_key, bytes_of("key")));
	assert_int_equal(found->created, NOW);
	ASSERT_OK(db_credential_list(&pg->c, found->id, &credentials, &n, &pg->err), &pg->err);
	assert_int_equal(n, 1);
	ASSERT_OK(db_attribute_load(&pg->c, found->id, &loaded, &n, &pg->err), &pg->err);
	assert_int_equal(n, 2);
	assert_string_equal(count(pg, "audit", found->id), "1");
}

static void
who_is_not_there_is_not_found(void **state)
{
	struct pg *pg = *state;
	const struct db_subject *found = (const struct db_subject *)pg;

	ASSERT_OK(db_account_load(&pg->c, subject_id_create(), &found, &pg->err), &pg->err);
	assert_null(found);
	ASSERT_OK(db_account_find(&pg->c, random_lookup(pg), &found, &pg->err), &pg->err);
	assert_null(found);
	ASSERT_OK(db_account_find_foreign(&pg->c, "https://id.example", "x", &found, &pg->err),
		  &pg->err);
	assert_null(found);
}

static void
a_login_name_belongs_to_one_account(void **state)
{
	struct pg *pg = *state;
	struct db_account_new first = new_person(pg), second = new_person(pg);
	const struct db_subject *found;

	second.lookup = first.lookup;
	ASSERT_OK(db_account_create(&pg->c, &first, NULL, NOW, &pg->err), &pg->err);
	ASSERT_REFUSED(db_account_create(&pg->c, &second, NULL, NOW, &pg->err), &pg->err,
		       ERR_CONFLICT, "login_name_pkey");
	/* Nothing of the second one stays. */
	ASSERT_OK(db_account_load(&pg->c, second.subject.id, &found, &pg->err), &pg->err);
	assert_null(found);
}

static void
an_account_of_another_issuer_is_there_once(void **state)
{
	struct pg *pg = *state;
	struct db_account_new account = new_person(pg);
	const struct db_subject *found;

	account.subject.origin = DB_FOREIGN;
	account.subject.issuer = "https://id.bayern.example";
	account.subject.foreign_id = "4711";
	account.lookup.n = 0;
	ASSERT_OK(db_account_create(&pg->c, &account, NULL, NOW, &pg->err), &pg->err);
	ASSERT_OK(db_account_find_foreign(&pg->c, "https://id.bayern.example", "4711", &found,
					  &pg->err),
		  &pg->err);
	assert_string_equal(found->issuer, "https://id.bayern.example");
	assert_string_equal(found->foreign_id, "4711");
	account.subject.id = subject_id_create();
	ASSERT_REFUSED(db_account_create(&pg->c, &account, NULL, NOW, &pg->err), &pg->err,
		       ERR_CONFLICT, "subject_foreign_once");
}

static void
origin_and_issuer_must_agree(void **state)
{
	struct pg *pg = *state;
	struct db_account_new account = new_person(pg);

	account.subject.origin = DB_FOREIGN;
	ASSERT_REFUSED(db_account_create(&pg->c, &account, NULL, NOW, &pg->err), &pg->err,
		       ERR_DENIED, "subject_foreign_has_issuer");
	account.subject.origin = DB_LOCAL;
	account.subject.issuer = "https://x";
	ASSERT_REFUSED(db_account_create(&pg->c, &account, NULL, NOW, &pg->err), &pg->err,
		       ERR_DENIED, "subject_foreign_has_issuer");
	account = new_person(pg);
	account.subject.account_key.n = 0;
	ASSERT_REFUSED(db_account_create(&pg->c, &account, NULL, NOW, &pg->err), &pg->err,
		       ERR_DENIED, "subject_deleted_has_no_key");
	account = new_person(pg);
	account.subject.kind = 0;
	ASSERT_REFUSED(db_account_create(&pg->c, &account, NULL, NOW, &pg->err), &pg->err,
		       ERR_DENIED, "23502");
}

static void
start_session(struct pg *pg, struct subject_id id, const char *cookie)
{
	const struct db_proof proof = {.level = 2, .method = "password", .at = NOW};
	const struct db_session session = {.sid = cookie,
					   .acting = id,
					   .sso_group = "portalverbund",
					   .proofs = &proof,
					   .n_proofs = 1,
					   .expires = NOW + 3600};

	ASSERT_OK(db_session_create(&pg->c, cookie, &session, NULL, NOW, &pg->err), &pg->err);
}

static void
a_disabled_account_loses_its_sessions_for_good(void **state)
{
	struct pg *pg = *state;
	struct db_account_new account = new_person(pg);
	const struct db_audit audit = {
		.event = "account_disabled", .ref = "r", .subject = &account.subject.id};
	const struct db_session *session;
	const struct db_subject *found;

	ASSERT_OK(db_account_create(&pg->c, &account, NULL, NOW, &pg->err), &pg->err);
	start_session(pg, account.subject.id, "cookie-1");
	ASSERT_OK(db_account_set_state(&pg->c, account.subject.id, DB_DISABLED, &audit, NOW,
				       &pg->err),
		  &pg->err);
	ASSERT_OK(db_account_load(&pg->c, account.subject.id, &found, &pg->err), &pg->err);
	assert_int_equal(found->state, DB_DISABLED);
	assert_string_equal(count(pg, "audit", account.subject.id), "1");
	ASSERT_OK(db_account_set_state(&pg->c, account.subject.id, DB_ACTIVE, NULL, NOW, &pg->err),
		  &pg->err);
	ASSERT_OK(db_session_find(&pg->c, "cookie-1", NOW, &session, &pg->err), &pg->err);
	assert_null(session);
}

static void
a_deleted_account_is_empty_and_final(void **state)
{
	struct pg *pg = *state;
	struct db_account_new account = new_person(pg);
	const struct db_credential credential = {
		.id = {9}, .kind = DB_PASSWORD, .level = 2, .secret = bytes_of("hash")};
	const struct db_attribute attribute = {
		.name = "given_name", .sealed = bytes_of("1"), .level = 1, .source = "self"};
	const struct db_subject *found;
	const char *pseudonym;

	account.credentials = &credential;
	account.attributes = &attribute;
	account.n_credentials = account.n_attributes = 1;
	ASSERT_OK(db_account_create(&pg->c, &account, NULL, NOW, &pg->err), &pg->err);
	ASSERT_OK(db_pseudonym_keep(&pg->c, account.subject.id, "s", 1, "value", NOW, &pseudonym,
				    &pg->err),
		  &pg->err);
	ASSERT_OK(db_account_set_state(&pg->c, account.subject.id, DB_DELETED, NULL, NOW, &pg->err),
		  &pg->err);
	ASSERT_OK(db_account_load(&pg->c, account.subject.id, &found, &pg->err), &pg->err);
	assert_int_equal(found->state, DB_DELETED);
	assert_int_equal(found->account_key.n, 0);
	assert_string_equal(count(pg, "credential", found->id), "0");
	assert_string_equal(count(pg, "attribute", found->id), "0");
	assert_string_equal(count(pg, "login_name", found->id), "0");
	assert_string_equal(count(pg, "pseudonym", found->id), "0");
	ASSERT_REFUSED(db_account_set_state(&pg->c, found->id, DB_ACTIVE, NULL, NOW, &pg->err),
		       &pg->err, ERR_DENIED, "subject_deleted_is_final");
	/* Nothing comes after it either. */
	struct db_credential late = credential;

	late.subject = found->id;
	ASSERT_REFUSED(db_credential_add(&pg->c, &late, NULL, NOW, &pg->err), &pg->err, ERR_DENIED,
		       "subject_deleted_is_empty");
	ASSERT_REFUSED(db_attribute_put(&pg->c, found->id, &attribute, 1, NULL, NOW, &pg->err),
		       &pg->err, ERR_DENIED, "subject_deleted_is_empty");
	ASSERT_REFUSED(
		db_pseudonym_keep(&pg->c, found->id, "s", 1, "value", NOW, &pseudonym, &pg->err),
		&pg->err, ERR_DENIED, "subject_deleted_is_empty");
	assert_string_equal(
		pg_refusal(pg, arena_printf(pg->a,
					    "INSERT INTO login_name VALUES"
					    " (decode(repeat('07', 32), 'hex'), %s, 1)",
					    pg_hex(pg, (struct bytes){found->id.octets, 16}))),
		"P0001 subject_deleted_is_empty");
	ASSERT_REFUSED(
		db_account_set_state(&pg->c, subject_id_create(), DB_ACTIVE, NULL, NOW, &pg->err),
		&pg->err, ERR_NOT_FOUND, "no such subject");
}

static void
what_a_row_may_not_be_is_refused(void **state)
{
	static const struct {
		const char *sql, *refusal;
	} cases[] = {
		{"INSERT INTO subject VALUES ('\\x00', 'person', 'local', NULL, NULL, 'active',"
		 " '\\x01', 1)",
		 "23514 subject_id_check"},
		{"INSERT INTO subject VALUES (decode(repeat('00', 16), 'hex'), 'robot', 'local',"
		 " NULL, NULL, 'active', '\\x01', 1)",
		 "23514 subject_kind_check"},
		{"INSERT INTO subject VALUES (decode(repeat('00', 16), 'hex'), 'person', 'local',"
		 " NULL, NULL, 'asleep', '\\x01', 1)",
		 "23514 subject_state_check"},
		{"INSERT INTO login_name VALUES ('\\x00', '\\x00', 1)",
		 "23514 login_name_lookup_check"},
		{"INSERT INTO login_name VALUES (decode(repeat('00', 32), 'hex'), '\\x00', 1)",
		 "23503 login_name_subject_fkey"},
	};
	struct pg *pg = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(pg_refusal(pg, cases[i].sql), cases[i].refusal);
}

static void
every_word_has_its_number(void **state)
{
	(void)state;
	assert_string_equal(db_subject_kind_name(DB_ORGANISATION), "organisation");
	assert_string_equal(db_subject_origin_name(DB_TEMPORARY), "temporary");
	assert_string_equal(db_subject_state_name(DB_DELETED), "deleted");
	assert_null(db_subject_state_name((enum db_subject_state)0));
	assert_null(db_subject_state_name((enum db_subject_state)4));
}

#define T(test) cmocka_unit_test_setup(test, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_account_comes_with_its_name_credentials_and_attributes),
		T(who_is_not_there_is_not_found),
		T(a_login_name_belongs_to_one_account),
		T(an_account_of_another_issuer_is_there_once),
		T(origin_and_issuer_must_agree),
		T(a_disabled_account_loses_its_sessions_for_good),
		T(a_deleted_account_is_empty_and_final),
		T(what_a_row_may_not_be_is_refused),
		T(every_word_has_its_number),
	};

	return cmocka_run_group_tests_name("account", tests, pg_setup, pg_teardown);
}
