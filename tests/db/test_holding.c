/* What several aggregates hold of a person, read at once. */
#include "base/rand.h"
#include "db/holding.h"
#include "db/pseudonym.h"
#include "db/session.h"
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

/* ---- the last look ---- */

struct told {
	struct db_consent consent;
	const char *sid;
};

static struct told
agreed(struct pg *pg)
{
	const struct db_proof proof = {.level = 2, .method = "password", .at = NOW};
	struct told t = {{.acting = pg_person(pg),
			  .party = "p",
			  .fingerprint = {1},
			  .attributes = "[\"family_name\"]",
			  .purpose = "",
			  .at = NOW},
			 rand_token(pg->a, 16)};
	struct db_session session = {.sid = t.sid,
				     .acting = t.consent.acting,
				     .sso_group = "g",
				     .proofs = &proof,
				     .n_proofs = 1,
				     .expires = NOW + 60};

	ASSERT_OK(db_session_create(&pg->c, rand_token(pg->a, 32), &session, NULL, NOW, &pg->err),
		  &pg->err);
	ASSERT_OK(db_consent_store(&pg->c, &t.consent, NULL, &pg->err), &pg->err);
	return t;
}

/* Whether it may be told; the audit row says the same. */
static bool
may_tell(struct pg *pg, const struct told *t, const char *sid, time_t now)
{
	static const char rows[] = "SELECT count(*) FROM audit WHERE event = 'told'";
	const struct db_audit audit = {
		.event = "told", .ref = "r", .subject = &t->consent.acting, .party = "p"};
	long before = strtol(pg_value(pg, rows), NULL, 10);
	bool stands;

	ASSERT_OK(db_holding_tell(&pg->c, &t->consent, sid, &audit, now, &stands, &pg->err),
		  &pg->err);
	assert_int_equal(strtol(pg_value(pg, rows), NULL, 10), before + stands);
	return stands;
}

static void
it_is_told_while_all_of_it_stands(void **state)
{
	struct pg *pg = *state;
	struct told t = agreed(pg), other = agreed(pg), less = t;

	assert_true(may_tell(pg, &t, NULL, NOW));
	assert_true(may_tell(pg, &t, t.sid, NOW + 59));
	assert_false(may_tell(pg, &t, t.sid, NOW + 60));
	assert_false(may_tell(pg, &t, other.sid, NOW));
	assert_false(may_tell(pg, &t, "none", NOW));
	pg_sql(pg, arena_printf(pg->a, "DELETE FROM session WHERE sid = '%s'", t.sid));
	assert_false(may_tell(pg, &t, t.sid, NOW));
	/* Taken back; given again, for less or for something else, it is another. */
	ASSERT_OK(db_consent_withdraw(&pg->c, t.consent.acting, NULL, "p", NULL, NOW, &pg->err),
		  &pg->err);
	assert_false(may_tell(pg, &t, NULL, NOW));
	less.consent.attributes = "[]";
	ASSERT_OK(db_consent_store(&pg->c, &less.consent, NULL, &pg->err), &pg->err);
	assert_false(may_tell(pg, &t, NULL, NOW));
	assert_true(may_tell(pg, &less, NULL, NOW));
	less.consent.fingerprint[31] = 1;
	assert_false(may_tell(pg, &less, NULL, NOW));
	other.consent.party = "q";
	assert_false(may_tell(pg, &other, NULL, NOW));
	other.consent.party = "p";
	pg_sql(pg, "UPDATE subject SET state = 'disabled'");
	assert_false(may_tell(pg, &other, NULL, NOW));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_holding_is_what_its_parts_are),
		cmocka_unit_test(it_is_told_while_all_of_it_stands),
	};

	return cmocka_run_group_tests_name("holding", tests, pg_setup, pg_teardown);
}
