/* The audit trail. */
#include "db/audit.h"

#include "tests/db/pg.h"

static void
an_event_is_written_with_all_it_says(void **state)
{
	struct pg *pg = *state;
	struct subject_id subject = subject_id_create();
	const struct db_audit full = {.event = "login_refused",
				      .ref = "ref-1",
				      .subject = &subject,
				      .party = "amt24",
				      .details = "{\"reason\": \"password\"}"};
	const struct db_audit least = {.event = "least", .ref = "ref-2"};

	ASSERT_OK(db_audit_add(&pg->c, &full, NOW, &pg->err), &pg->err);
	ASSERT_OK(db_audit_add(&pg->c, &least, NOW, &pg->err), &pg->err);
	assert_string_equal(
		pg_value(pg,
			 arena_printf(
				 pg->a,
				 "SELECT at || ' ' || event || ' ' || party || ' ' ||"
				 " details::text FROM audit WHERE ref = 'ref-1' AND subject = %s",
				 pg_hex(pg, (struct bytes){subject.octets, 16}))),
		"1800000000 login_refused amt24 {\"reason\": \"password\"}");
	assert_string_equal(pg_value(pg,
				     "SELECT details::text || ' ' || (subject IS NULL) || ' ' ||"
				     " (party IS NULL) FROM audit WHERE ref = 'ref-2'"),
			    "{} true true");
}

static void
nothing_in_the_trail_is_altered(void **state)
{
	static const char *const attempts[] = {"UPDATE audit SET event = 'x'", "DELETE FROM audit",
					       "TRUNCATE audit"};
	struct pg *pg = *state;

	for (size_t i = 0; i < ARRAY_LEN(attempts); i++)
		assert_string_equal(pg_refusal(pg, attempts[i]), "P0001 audit_is_append_only");
}

static void
details_are_an_object(void **state)
{
	struct pg *pg = *state;
	struct db_audit audit = {.event = "e", .ref = "r", .details = "[1]"};

	ASSERT_REFUSED(db_audit_add(&pg->c, &audit, NOW, &pg->err), &pg->err, ERR_DENIED,
		       "json_object_is_one");
	audit.details = "{";
	ASSERT_REFUSED(db_audit_add(&pg->c, &audit, NOW, &pg->err), &pg->err, ERR_INTERNAL,
		       "audit_add: SQLSTATE 22P02");
}

static void
an_event_in_a_transaction_goes_with_it(void **state)
{
	struct pg *pg = *state;
	const struct db_audit audit = {.event = "in_tx", .ref = "r"};
	struct db_tx *tx;

	ASSERT_OK(db_tx_begin(&pg->c, &tx, &pg->err), &pg->err);
	ASSERT_OK(db_audit_add_tx(tx, &audit, NOW, &pg->err), &pg->err);
	db_tx_rollback(tx);
	assert_int_equal(pg_audits(pg, "in_tx"), 0);
	ASSERT_OK(db_tx_begin(&pg->c, &tx, &pg->err), &pg->err);
	ASSERT_OK(db_audit_add_tx(tx, &audit, NOW, &pg->err), &pg->err);
	ASSERT_OK(db_audit_add_tx(tx, NULL, NOW, &pg->err), &pg->err);
	ASSERT_OK(db_tx_commit(tx, &pg->err), &pg->err);
	assert_int_equal(pg_audits(pg, "in_tx"), 1);
}

#define T(test) cmocka_unit_test_setup(test, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_event_is_written_with_all_it_says),
		T(nothing_in_the_trail_is_altered),
		T(details_are_an_object),
		T(an_event_in_a_transaction_goes_with_it),
	};

	return cmocka_run_group_tests_name("audit", tests, pg_setup, pg_teardown);
}
