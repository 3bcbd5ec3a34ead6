/* What several aggregates hold of a person, read at once. */
#include "base/rand.h"
#include "db/holding.h"
#include "db/pseudonym.h"
#include "tests/db/pg.h"

static void
a_holding_is_what_its_parts_are(void **state)
{
	struct pg *pg = *state;
	struct db_holder who = {.acting = pg_person(pg), .party = "p", .sector = "s"};
	const struct db_attribute attribute = {
		.name = "family_name", .sealed = bytes_of("sealed"), .level = 1, .source = "self"};
	const struct db_consent consent = {.acting = who.acting,
					   .party = "p",
					   .attributes = "[\"family_name\"]",
					   .purpose = "",
					   .at = NOW};
	struct db_holding h;
	const char *kept;

	ASSERT_OK(db_holding_load(&pg->c, &who, &h, &pg->err), &pg->err);
	assert_true(subject_id_eq(h.subject->id, who.acting));
	assert_int_equal(h.n_attributes, 0);
	assert_null(h.consent);
	assert_null(h.pseudonym);

	ASSERT_OK(db_attribute_put(&pg->c, who.acting, &attribute, 1, NULL, NOW, &pg->err),
		  &pg->err);
	ASSERT_OK(db_consent_store(&pg->c, &consent, NULL, &pg->err), &pg->err);
	ASSERT_OK(db_pseudonym_keep(&pg->c, who.acting, "s", 1, "value", NOW, &kept, &pg->err),
		  &pg->err);
	ASSERT_OK(db_holding_load(&pg->c, &who, &h, &pg->err), &pg->err);
	assert_int_equal(h.n_attributes, 1);
	assert_string_equal(h.attributes[0].name, "family_name");
	assert_string_equal(h.consent->attributes, "[\"family_name\"]");
	assert_string_equal(h.pseudonym, "value");

	/* Another party and sector; a person's own page; nobody. */
	who.party = who.sector = "other";
	ASSERT_OK(db_holding_load(&pg->c, &who, &h, &pg->err), &pg->err);
	assert_int_equal(h.n_attributes, 1);
	assert_null(h.consent);
	assert_null(h.pseudonym);
	who.party = who.sector = NULL;
	ASSERT_OK(db_holding_load(&pg->c, &who, &h, &pg->err), &pg->err);
	assert_non_null(h.subject);
	assert_int_equal(h.n_attributes, 1);
	who.acting = subject_id_create();
	ASSERT_OK(db_holding_load(&pg->c, &who, &h, &pg->err), &pg->err);
	assert_null(h.subject);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_holding_is_what_its_parts_are),
	};

	return cmocka_run_group_tests_name("holding", tests, pg_setup, pg_teardown);
}
