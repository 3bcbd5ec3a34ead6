/* What the operator sets and subjects agree to: parties, keys, settings, consents, pseudonyms. */
#include "db/consent.h"
#include "db/key.h"
#include "db/party.h"
#include "db/pseudonym.h"
#include "db/setting.h"
#include "tests/db/pg.h"

/* ---- parties ---- */

static void
a_party_is_stored_and_replaced_with_its_version(void **state)
{
	struct pg *pg = *state;
	struct db_party party = {.id = "https://amt24.example/sp",
				 .kind = "saml",
				 .display_name = "Amt24",
				 .document = bytes_of("<EntityDescriptor/>"),
				 .policy = "{\"sector\": \"amt24\"}",
				 .enabled = true};
	const struct db_audit audit = {.event = "party_saved", .ref = "r", .party = party.id};
	const struct db_party *found;
	int64_t version;

	ASSERT_OK(db_party_save(&pg->c, &party, &audit, NOW, &version, &pg->err), &pg->err);
	assert_int_equal(version, 1);
	party.display_name = "Amt24 neu";
	ASSERT_OK(db_party_save(&pg->c, &party, &audit, NOW + 1, &version, &pg->err), &pg->err);
	assert_int_equal(version, 2);
	ASSERT_OK(db_party_load(&pg->c, party.id, &found, &pg->err), &pg->err);
	assert_string_equal(found->id, party.id);
	assert_string_equal(found->kind, "saml");
	assert_string_equal(found->display_name, "Amt24 neu");
	assert_true(bytes_eq(found->document, party.document));
	assert_string_equal(found->policy, "{\"sector\": \"amt24\"}");
	assert_int_equal(found->version, 2);
	assert_true(found->enabled);
	assert_int_equal(found->changed, NOW + 1);
	assert_int_equal(pg_audits(pg, "party_saved"), 2);
	party.kind = "oidc";
	ASSERT_REFUSED(db_party_save(&pg->c, &party, &audit, NOW, &version, &pg->err), &pg->err,
		       ERR_CONFLICT, "another kind");
	party.id = "x";
	party.policy = "[]";
	ASSERT_REFUSED(db_party_save(&pg->c, &party, &audit, NOW, &version, &pg->err), &pg->err,
		       ERR_DENIED, "party_policy_check");
	assert_int_equal(pg_audits(pg, "party_saved"), 2);
}

static void
parties_are_listed_switched_off_and_removed(void **state)
{
	struct pg *pg = *state;
	struct db_party party = {.kind = "oidc", .display_name = "x", .policy = "{}"};
	const char *const ids[] = {"zeta", "Alpha", "beta"};
	const struct db_audit audit = {.event = "party_removed", .ref = "r"};
	const struct db_party *list;
	int64_t version;
	size_t n;

	pg_sql(pg, "DELETE FROM party");
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		party.id = ids[i];
		ASSERT_OK(db_party_save(&pg->c, &party, NULL, NOW, &version, &pg->err), &pg->err);
	}
	ASSERT_OK(db_party_set_enabled(&pg->c, "beta", true, NULL, NOW + 5, &pg->err), &pg->err);
	ASSERT_OK(db_party_remove(&pg->c, "zeta", &audit, NOW, &pg->err), &pg->err);
	ASSERT_OK(db_party_list(&pg->c, &list, &n, &pg->err), &pg->err);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].id, "Alpha");
	assert_false(list[0].enabled);
	assert_string_equal(list[1].id, "beta");
	assert_true(list[1].enabled);
	assert_int_equal(list[1].version, 2);
	assert_int_equal(list[1].changed, NOW + 5);
	ASSERT_REFUSED(db_party_remove(&pg->c, "zeta", &audit, NOW, &pg->err), &pg->err,
		       ERR_NOT_FOUND, "party_remove");
	ASSERT_REFUSED(db_party_set_enabled(&pg->c, "zeta", true, NULL, NOW, &pg->err), &pg->err,
		       ERR_NOT_FOUND, "party_enable");
	ASSERT_OK(db_party_load(&pg->c, "zeta", &list, &pg->err), &pg->err);
	assert_null(list);
	assert_int_equal(pg_audits(pg, "party_removed"), 1);
}

/* ---- keys ---- */

static void
add_key(struct pg *pg, const char *kid, enum db_key_state key_state, int64_t wanted)
{
	const struct db_key key = {.kid = kid,
				   .purpose = 1,
				   .type = 1,
				   .place = DB_KEY_SEALED,
				   .state = key_state,
				   .spki = bytes_of("spki"),
				   .sealed = bytes_of("sealed")};
	int64_t generation;

	ASSERT_OK(db_key_add(&pg->c, &key, NULL, NOW, &generation, &pg->err), &pg->err);
	assert_int_equal(generation, wanted);
}

static bool
move(struct pg *pg, const char *kid, enum db_key_state to)
{
	const struct db_audit audit = {.event = "key_moved", .ref = "r"};

	return db_key_move(&pg->c, kid, to, &audit, NOW + 7, &pg->err);
}

static void
a_key_moves_only_forward(void **state)
{
	struct pg *pg = *state;
	const struct db_key *list;
	size_t n;

	add_key(pg, "k1", DB_KEY_PLANNED, 1);
	add_key(pg, "k2", DB_KEY_ACTIVE, 2);
	ASSERT_OK(move(pg, "k1", DB_KEY_PUBLISHED), &pg->err);
	ASSERT_REFUSED(move(pg, "k1", DB_KEY_PLANNED), &pg->err, ERR_DENIED, "key_moves_forward");
	/* The new one takes over from the one before. */
	ASSERT_OK(move(pg, "k1", DB_KEY_ACTIVE), &pg->err);
	ASSERT_OK(db_key_list(&pg->c, &list, &n, &pg->err), &pg->err);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].kid, "k1");
	assert_int_equal(list[0].place, DB_KEY_SEALED);
	assert_int_equal(list[0].purpose, 1);
	assert_int_equal(list[0].type, 1);
	assert_int_equal(list[0].state, DB_KEY_ACTIVE);
	assert_int_equal(list[0].generation, 1);
	assert_true(bytes_eq(list[0].spki, bytes_of("spki")));
	assert_int_equal(list[0].certificate.n, 0);
	assert_int_equal(list[0].created, NOW);
	assert_int_equal(list[0].state_since, NOW + 7);
	assert_int_equal(list[1].state, DB_KEY_RETIRED);
	ASSERT_REFUSED(move(pg, "k2", DB_KEY_ACTIVE), &pg->err, ERR_DENIED, "key_moves_forward");
	ASSERT_OK(db_key_list(&pg->c, &list, &n, &pg->err), &pg->err);
	assert_int_equal(list[0].state, DB_KEY_ACTIVE); /* nothing of the refused move stands */
	ASSERT_OK(move(pg, "k2", DB_KEY_GONE), &pg->err);
	ASSERT_OK(db_key_list(&pg->c, &list, &n, &pg->err), &pg->err);
	assert_int_equal(list[1].state, DB_KEY_GONE);
	assert_int_equal(list[1].sealed.n, 0);
	ASSERT_REFUSED(move(pg, "k9", DB_KEY_ACTIVE), &pg->err, ERR_NOT_FOUND, "no such key");
	assert_int_equal(pg_audits(pg, "key_moved"), 3);
}

static void
one_key_is_active_for_each_purpose_and_type(void **state)
{
	struct pg *pg = *state;
	struct db_key key = {.kid = "a1",
			     .purpose = 2,
			     .type = 1,
			     .place = DB_KEY_SEALED,
			     .state = DB_KEY_ACTIVE,
			     .sealed = bytes_of("s")};
	int64_t generation;

	ASSERT_OK(db_key_add(&pg->c, &key, NULL, NOW, &generation, &pg->err), &pg->err);
	key.kid = "a2";
	ASSERT_REFUSED(db_key_add(&pg->c, &key, NULL, NOW, &generation, &pg->err), &pg->err,
		       ERR_CONFLICT, "key_one_active");
	key.type = 2;
	key.place = DB_KEY_HSM;
	ASSERT_OK(db_key_add(&pg->c, &key, NULL, NOW, &generation, &pg->err), &pg->err);
	assert_int_equal(generation, 1);
	assert_string_equal(pg_value(pg, "SELECT place FROM key WHERE kid = 'a2'"), "hsm");
	ASSERT_REFUSED(db_key_add(&pg->c, &key, NULL, NOW, &generation, &pg->err), &pg->err,
		       ERR_CONFLICT, "key");
	key.kid = "a3";
	key.state = DB_KEY_PLANNED;
	key.sealed.n = 0;
	ASSERT_REFUSED(db_key_add(&pg->c, &key, NULL, NOW, &generation, &pg->err), &pg->err,
		       ERR_DENIED, "key_gone_has_no_secret");
	assert_string_equal(pg_refusal(pg, "UPDATE key SET purpose = 9 WHERE kid = 'a1'"),
			    "P0001 key_stays_itself");
	assert_string_equal(pg_refusal(pg, "UPDATE key SET place = 'hsm' WHERE kid = 'a1'"),
			    "P0001 key_stays_itself");
}

static void
a_key_is_rewrapped_if_it_is_as_known(void **state)
{
	struct pg *pg = *state;
	const struct db_key key = {.kid = "r1",
				   .purpose = 5,
				   .type = 3,
				   .place = DB_KEY_SEALED,
				   .state = DB_KEY_ACTIVE,
				   .sealed = bytes_of("old")};
	int64_t generation;
	bool replaced;

	ASSERT_OK(db_key_add(&pg->c, &key, NULL, NOW, &generation, &pg->err), &pg->err);
	ASSERT_OK(
		db_key_rewrap(&pg->c, "r1", bytes_of("old"), bytes_of("new"), &replaced, &pg->err),
		&pg->err);
	assert_true(replaced);
	ASSERT_OK(db_key_rewrap(&pg->c, "r1", bytes_of("old"), bytes_of("newer"), &replaced,
				&pg->err),
		  &pg->err);
	assert_false(replaced);
}

static void
states_of_keys_have_names(void **state)
{
	enum db_key_state key_state;

	(void)state;
	for (int i = DB_KEY_PLANNED; i <= DB_KEY_GONE; i++) {
		assert_true(db_key_state_from_name(db_key_state_name((enum db_key_state)i),
						   &key_state));
		assert_int_equal(key_state, i);
	}
	assert_false(db_key_state_from_name("asleep", &key_state));
	assert_false(db_key_state_from_name(NULL, &key_state));
	assert_null(db_key_state_name((enum db_key_state)9));
}

/* ---- settings ---- */

static void
a_setting_changes_upon_the_version_that_was_read(void **state)
{
	struct pg *pg = *state;
	const struct db_audit audit = {.event = "setting", .ref = "r", .details = "{\"a\": 1}"};
	const struct db_setting *list;
	size_t n;

	ASSERT_REFUSED(db_setting_save(&pg->c, "entity_id", "x", 1, &audit, NOW, &pg->err),
		       &pg->err, ERR_CONFLICT, "changed meanwhile");
	ASSERT_OK(db_setting_save(&pg->c, "entity_id", "one", 0, &audit, NOW, &pg->err), &pg->err);
	ASSERT_REFUSED(db_setting_save(&pg->c, "entity_id", "x", 0, &audit, NOW, &pg->err),
		       &pg->err, ERR_CONFLICT, "changed meanwhile");
	ASSERT_OK(db_setting_save(&pg->c, "entity_id", "two", 1, &audit, NOW + 1, &pg->err),
		  &pg->err);
	ASSERT_REFUSED(db_setting_save(&pg->c, "entity_id", "x", 1, &audit, NOW, &pg->err),
		       &pg->err, ERR_CONFLICT, "changed meanwhile");
	ASSERT_OK(db_setting_list(&pg->c, &list, &n, &pg->err), &pg->err);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].name, "entity_id");
	assert_string_equal(list[0].value, "two");
	assert_int_equal(list[0].version, 2);
	assert_int_equal(list[0].changed, NOW + 1);
	assert_int_equal(pg_audits(pg, "setting"), 2);
	assert_string_equal(pg_value(pg, "SELECT DISTINCT details::text FROM audit"
					 " WHERE event = 'setting'"),
			    "{\"a\": 1}");
}

/* ---- consents ---- */

static const struct db_consent *
standing(struct pg *pg, struct subject_id acting, const struct subject_id *represented)
{
	const struct db_consent *found;

	ASSERT_OK(db_consent_find(&pg->c, acting, represented, "amt24", &found, &pg->err),
		  &pg->err);
	return found;
}

static void
the_last_consent_stands_until_it_is_withdrawn(void **state)
{
	struct pg *pg = *state;
	struct subject_id acting = pg_person(pg), represented = pg_person(pg);
	struct db_consent consent = {.acting = acting,
				     .party = "amt24",
				     .fingerprint = {1},
				     .attributes = "[\"given_name\"]",
				     .purpose = "Antrag",
				     .at = NOW};
	const struct db_audit audit = {.event = "consent", .ref = "r", .subject = &acting};

	assert_null(standing(pg, acting, NULL));
	ASSERT_OK(db_consent_store(&pg->c, &consent, &audit, &pg->err), &pg->err);
	consent.fingerprint[0] = 2;
	consent.attributes = "[]";
	consent.at = NOW + 1;
	ASSERT_OK(db_consent_store(&pg->c, &consent, &audit, &pg->err), &pg->err);
	const struct db_consent *found = standing(pg, acting, NULL);

	assert_true(subject_id_eq(found->acting, acting));
	assert_null(found->represented);
	assert_string_equal(found->party, "amt24");
	assert_int_equal(found->fingerprint[0], 2);
	assert_string_equal(found->attributes, "[]");
	assert_string_equal(found->purpose, "Antrag");
	assert_int_equal(found->at, NOW + 1);
	/* Acting for somebody else is another consent. */
	assert_null(standing(pg, acting, &represented));
	consent.represented = &represented;
	ASSERT_OK(db_consent_store(&pg->c, &consent, &audit, &pg->err), &pg->err);
	assert_true(subject_id_eq(*standing(pg, acting, &represented)->represented, represented));

	ASSERT_OK(db_consent_withdraw(&pg->c, acting, NULL, "amt24", &audit, NOW + 2, &pg->err),
		  &pg->err);
	assert_null(standing(pg, acting, NULL));
	assert_non_null(standing(pg, acting, &represented));
	ASSERT_REFUSED(db_consent_withdraw(&pg->c, acting, NULL, "amt24", &audit, NOW, &pg->err),
		       &pg->err, ERR_NOT_FOUND, "no consent that stands");
	assert_int_equal(pg_audits(pg, "consent"), 4);
	assert_string_equal(
		pg_value(pg, arena_printf(pg->a,
					  "SELECT count(*) FROM consent"
					  " WHERE acting = %s",
					  pg_hex(pg, (struct bytes){acting.octets, 16}))),
		"4");
}

static void
a_person_sees_the_consents_that_stand(void **state)
{
	struct pg *pg = *state;
	struct subject_id acting = pg_person(pg), represented = pg_person(pg);
	struct db_consent consent = {
		.acting = acting, .attributes = "[]", .purpose = "p", .at = NOW};
	static const char *const parties[] = {"c", "a", "b", "a"};
	const struct db_consent *list;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(parties); i++) {
		consent.party = parties[i];
		consent.at = NOW + (time_t)i;
		ASSERT_OK(db_consent_store(&pg->c, &consent, NULL, &pg->err), &pg->err);
	}
	consent.represented = &represented;
	ASSERT_OK(db_consent_store(&pg->c, &consent, NULL, &pg->err), &pg->err);
	ASSERT_OK(db_consent_withdraw(&pg->c, acting, NULL, "b", NULL, NOW, &pg->err), &pg->err);
	ASSERT_OK(db_consent_list(&pg->c, acting, &list, &n, &pg->err), &pg->err);
	assert_int_equal(n, 3);
	size_t alone = list[0].represented == NULL ? 0 : 1;

	assert_string_equal(list[0].party, "a");
	assert_string_equal(list[1].party, "a");
	assert_int_equal(list[alone].at, NOW + 3); /* the last one */
	assert_true(subject_id_eq(*list[1 - alone].represented, represented));
	assert_string_equal(list[2].party, "c");
	assert_true(subject_id_eq(list[2].acting, acting));
	ASSERT_OK(db_consent_list(&pg->c, subject_id_create(), &list, &n, &pg->err), &pg->err);
	assert_int_equal(n, 0);
}

static void
what_a_consent_may_not_be_is_refused(void **state)
{
	struct pg *pg = *state;
	struct db_consent consent = {.acting = subject_id_create(),
				     .party = "amt24",
				     .attributes = "[]",
				     .purpose = "p",
				     .at = NOW};

	ASSERT_REFUSED(db_consent_store(&pg->c, &consent, NULL, &pg->err), &pg->err, ERR_NOT_FOUND,
		       "consent_acting_fkey");
	consent.acting = pg_person(pg);
	consent.purpose = NULL;
	ASSERT_REFUSED(db_consent_store(&pg->c, &consent, NULL, &pg->err), &pg->err, ERR_DENIED,
		       "consent_given_says_what");
	consent.purpose = "p";
	consent.attributes = "{}";
	ASSERT_REFUSED(db_consent_store(&pg->c, &consent, NULL, &pg->err), &pg->err, ERR_DENIED,
		       "consent_attributes_check");
}

/* ---- pseudonyms ---- */

static void
a_pseudonym_is_kept_once(void **state)
{
	struct pg *pg = *state;
	struct subject_id one = pg_person(pg), two = pg_person(pg);
	const struct subject_id *subject;
	const char *value;

	ASSERT_OK(db_pseudonym_find(&pg->c, one, "amt24", &value, &pg->err), &pg->err);
	assert_null(value);
	ASSERT_OK(db_pseudonym_keep(&pg->c, one, "amt24", 1, "value-1", NOW, &value, &pg->err),
		  &pg->err);
	assert_string_equal(value, "value-1");
	/* A later key generation changes nothing. */
	ASSERT_OK(db_pseudonym_keep(&pg->c, one, "amt24", 2, "value-2", NOW, &value, &pg->err),
		  &pg->err);
	assert_string_equal(value, "value-1");
	ASSERT_REFUSED(db_pseudonym_keep(&pg->c, two, "amt24", 1, "value-1", NOW, &value, &pg->err),
		       &pg->err, ERR_CONFLICT, "pseudonym_names_one");
	ASSERT_OK(db_pseudonym_keep(&pg->c, two, "other", 0, "value-1", NOW, &value, &pg->err),
		  &pg->err);
	ASSERT_OK(db_pseudonym_subject(&pg->c, "amt24", "value-1", &subject, &pg->err), &pg->err);
	assert_true(subject_id_eq(*subject, one));
	ASSERT_OK(db_pseudonym_subject(&pg->c, "amt24", "value-2", &subject, &pg->err), &pg->err);
	assert_null(subject);
	ASSERT_REFUSED(db_pseudonym_keep(&pg->c, subject_id_create(), "amt24", 1, "v", NOW, &value,
					 &pg->err),
		       &pg->err, ERR_NOT_FOUND, "pseudonym_subject_fkey");
	ASSERT_REFUSED(db_pseudonym_keep(&pg->c, two, "amt24", -1, "v", NOW, &value, &pg->err),
		       &pg->err, ERR_DENIED, "pseudonym_generation_check");
}

#define T(test) cmocka_unit_test_setup(test, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_party_is_stored_and_replaced_with_its_version),
		T(parties_are_listed_switched_off_and_removed),
		T(a_key_moves_only_forward),
		T(one_key_is_active_for_each_purpose_and_type),
		T(a_key_is_rewrapped_if_it_is_as_known),
		T(states_of_keys_have_names),
		T(a_setting_changes_upon_the_version_that_was_read),
		T(the_last_consent_stands_until_it_is_withdrawn),
		T(a_person_sees_the_consents_that_stand),
		T(what_a_consent_may_not_be_is_refused),
		T(a_pseudonym_is_kept_once),
	};

	return cmocka_run_group_tests_name("rules", tests, pg_setup, pg_teardown);
}
