/*
 * Every constraint of the schema refuses something, and is listed here: a row that
 * breaks it alone, and the name it is refused by.
 */
#include <string.h>

#include "tests/db/pg.h"

#define ID   "decode(repeat('aa', 16), 'hex')"
#define HASH "decode(repeat('bb', 32), 'hex')"
#define DAYS "20833"      /* the day of NOW */
#define END  "1800000000" /* NOW */

/* A row of each table; the cases break them. */
static const char *const rows[] = {
	"INSERT INTO subject VALUES (" ID ", 'person', 'foreign', 'https://issuer.example', 'f',"
	" 'active', '\\x01', 1)",
	"INSERT INTO login_name VALUES (" HASH ", " ID ", 1)",
	"INSERT INTO credential VALUES (" ID ", " ID ", 'password', 2, false, '\\x01', NULL, 1)",
	"INSERT INTO proofing VALUES (" ID ", " ID ", 'one', 'two', 'passport', " HASH ", 1)",
	"INSERT INTO attribute VALUES (" ID ", 'n', '\\x01', false, 1, 'self', 1, " ID ")",
	"INSERT INTO pseudonym VALUES (" ID ", 's', 0, 'v', 1)",
	"INSERT INTO session VALUES ('sid', " HASH ", " ID ", NULL, 'g', 1, 1, 1)",
	"INSERT INTO session_proof VALUES ('sid', 1, 2, 'password')",
	"INSERT INTO session_participant VALUES ('sid', 'p', 'saml', '', '', 1)",
	"INSERT INTO artifact VALUES (" HASH ", 'p', 'sid', " ID ", NULL, '', 1, 1, NULL, NULL)",
	"INSERT INTO refresh_token VALUES (" HASH ", " HASH ", NULL, NULL, " ID ", 'p', " ID
	", NULL, 'sid', '', NULL, NULL, '', '', 1, 1, 1, 1)",
	"INSERT INTO polled VALUES (" HASH ", " HASH ", " DAYS ", " HASH ", 'p', '', 'waiting', 5,"
	" NULL, false, 1, 1)",
	"INSERT INTO outbox VALUES ('i', 'k', 't', 'c', 'waiting', NULL, 0, 1, 0, 1, 1)",
	"INSERT INTO logout VALUES (" DAYS ", " HASH ", '', 1, " END ")",
	"INSERT INTO logout_portal VALUES (" DAYS ", " HASH ", 'i', 'p', 'front', '', NULL, NULL,"
	" 'waiting')",
	"INSERT INTO consent (acting, party, given, fingerprint, attributes, purpose, at)"
	" VALUES (" ID ", 'p', true, " HASH ", '[]', '', 1)",
	"INSERT INTO flow VALUES (" DAYS ", " HASH ", " HASH ", 'p', 'saml', '', 's', 1, '', " ID
	", " ID ", NULL, 1, " END ")",
	"INSERT INTO grant_code VALUES (" DAYS ", " HASH ", " ID ", 'p', " ID ", " ID ", 'sid', '',"
	" '', 'u', NULL, NULL, '', 1, " END ", NULL)",
	"INSERT INTO access_token VALUES (" DAYS ", " HASH ", " ID ", 'p', " ID ", " ID
	", 'sid', '', '', 1, " END ", NULL)",
	"INSERT INTO seen VALUES (" DAYS ", 'k', " HASH ", " END ")",
	"INSERT INTO ticket VALUES (" DAYS ", " HASH ", " ID ", '', 1, " END ")",
	"INSERT INTO attempt_budget VALUES (" DAYS ", " HASH ", 1, 1)",
	"INSERT INTO party VALUES ('p', 'saml', '', '', '{}', 1, true, 1)",
	"INSERT INTO party_source VALUES ('p', 'u', '', false, false, NULL, NULL, 1, 0, 0)",
	"INSERT INTO party_copy (party, state, document, sha256, base, asked, changes, at)"
	" VALUES ('p', 'pending', '', sha256(''), " HASH ", " HASH ", '{}', 1)",
	"INSERT INTO refusal VALUES ('p', true, '/e', 'e', 'r', 1, 1, 1, 'R')",
	"INSERT INTO member_count VALUES (1, 'm', 'answer', 1, 1)",
	"INSERT INTO invitation VALUES ('n', " HASH ", '{}', 1, 1, 1)",
	"INSERT INTO registration VALUES ('p', " HASH ", 'n', '{}', 1)",
	"INSERT INTO detail_type VALUES ('n', '', 1)",
	"INSERT INTO federation_source (name, kind, url, signers, rules, version, lease, tries, "
	"taken)"
	" VALUES ('f', 'aggregate', 'u', 's', '{}', 1, 0, 0, 0)",
	"INSERT INTO federation_copy (source, state, at) VALUES ('f', 'arriving', 1)",
	"INSERT INTO federation_piece SELECT seq, 0, '' FROM federation_copy",
	"INSERT INTO federation_text VALUES ('f', " HASH ", '', 1, 1)",
	"INSERT INTO federation_suspended VALUES ('e', NULL, 'one', 'why', 1)",
	"INSERT INTO federation_left VALUES ('f', " HASH ", " HASH ", 1)",
	"INSERT INTO member VALUES ('m', 1)",
	"INSERT INTO member_document (entity_id, state, document, sha256, valid_until, brought,"
	" brought_by) VALUES ('m', 'waiting', '', sha256(''), 0, 1, 'one')",
	"INSERT INTO member_change VALUES (1, 1, 'm', 'added')",
	"INSERT INTO publication (base, change, at, valid_until, members, sha256, document)"
	" VALUES (0, 1, 1, 2, 1, " HASH ", '\\x01')",
	"INSERT INTO publication_member SELECT seq, decode(repeat('cc', 20), 'hex'), 'm', 1, " HASH
	", '' FROM publication",
	"INSERT INTO upstream VALUES ('u', 'saml', 'n', '', '{}', true, 1)",
	"INSERT INTO upstream_source VALUES ('u', 'i', '', '', 1, 0, 0)",
	"INSERT INTO key VALUES ('k', 1, 1, 'active', 1, NULL, NULL, '', 1, 1)",
	"INSERT INTO setting VALUES ('n', 'v', 1, 1)",
	"INSERT INTO epoch_settled VALUES (1, 1)",
	"INSERT INTO audit (at, event, ref, details) VALUES (1, 'e', 'r', '{}')",
};

/* UPDATE table SET set: refused by `name`. */
static const struct {
	const char *table, *set, *name;
} updates[] = {
	{"subject", "id = '\\x00'", "subject_id_check"},
	{"subject", "kind = 'x'", "subject_kind_check"},
	{"subject", "origin = 'x', issuer = NULL, foreign_id = NULL", "subject_origin_check"},
	{"subject", "issuer = ''", "subject_issuer_check"},
	{"subject", "foreign_id = ''", "subject_foreign_id_check"},
	{"subject", "state = 'x'", "subject_state_check"},
	{"subject", "account_key = ''", "subject_account_key_check"},
	{"subject", "issuer = NULL", "subject_foreign_has_issuer"},
	{"subject", "account_key = NULL", "subject_deleted_has_no_key"},
	{"login_name", "lookup = '\\x00'", "login_name_lookup_check"},
	{"login_name", "subject = '\\x00'", "login_name_subject_fkey"},
	{"credential", "id = '\\x00'", "credential_id_check"},
	{"credential", "kind = 'x'", "credential_kind_check"},
	{"credential", "level = 5", "credential_level_check"},
	{"credential", "secret = ''", "credential_secret_check"},
	{"credential", "kind = 'totp', last_step = -1", "credential_last_step_check"},
	{"credential", "last_step = 1", "credential_totp_has_step"},
	{"credential", "subject = '\\x00'", "credential_subject_fkey"},
	{"proofing", "id = '\\x00'", "proofing_id_check"},
	{"proofing", "operator1 = ''", "proofing_operator1_check"},
	{"proofing", "operator2 = ''", "proofing_operator2_check"},
	{"proofing", "operator2 = operator1", "proofing_two_operators"},
	{"proofing", "document_kind = ''", "proofing_document_kind_check"},
	{"proofing", "method = 'x'", "proofing_method_check"},
	{"proofing", "evidence_hash = '\\x00'", "proofing_evidence_hash_check"},
	{"proofing", "subject = '\\x00'", "proofing_subject_fkey"},
	{"attribute", "name = ''", "attribute_name_check"},
	{"attribute", "sealed = ''", "attribute_sealed_check"},
	{"attribute", "level = 0", "attribute_level_check"},
	{"attribute", "source = ''", "attribute_source_check"},
	{"attribute", "verified_at = NULL", "attribute_proofed_is_verified"},
	{"attribute", "subject = '\\x00'", "attribute_subject_fkey"},
	{"attribute", "proofing = '\\x00'", "attribute_proofing_fkey"},
	{"pseudonym", "sector = ''", "pseudonym_sector_check"},
	{"pseudonym", "generation = -1", "pseudonym_generation_check"},
	{"pseudonym", "value = repeat('v', 257)", "pseudonym_value_check"},
	{"pseudonym", "subject = '\\x00'", "pseudonym_subject_fkey"},
	{"session", "sid = ''", "session_sid_check"},
	{"session", "id_hash = '\\x00'", "session_id_hash_check"},
	{"session", "sso_group = ''", "session_sso_group_check"},
	{"session", "represented = acting", "session_represents_another"},
	{"session", "acting = '\\x00'", "session_acting_fkey"},
	{"session", "represented = '\\x00'", "session_represented_fkey"},
	{"session_proof", "level = 0", "session_proof_level_check"},
	{"session_proof", "method = ''", "session_proof_method_check"},
	{"session_proof", "sid = 'x'", "session_proof_sid_fkey"},
	{"session_participant", "party = ''", "some_text_is_not_empty"},
	{"session_participant", "dialect = 'x'", "dialect_is_known"},
	{"session_participant", "sid = 'x'", "session_participant_sid_fkey"},
	{"outbox", "id = ''", "some_text_is_not_empty"},
	{"outbox", "kind = ''", "some_text_is_not_empty"},
	{"polled", "hash = '\\x00'", "hash256_has_32_octets"},
	{"polled", "user_hash = '\\x00'", "hash256_has_32_octets"},
	{"polled", "code = '\\x00'", "hash256_has_32_octets"},
	{"polled", "party = ''", "some_text_is_not_empty"},
	{"polled", "state = 'x'", "polled_state_check"},
	{"polled", "pause = 0", "polled_pause_check"},
	{"polled", "kind = 'x'", "polled_kind_check"},
	{"polled", "kind = 'ciba'", "polled_ciba_has_acting"},
	{"polled", "acting = '\\x00'", "id128_has_16_octets"},
	{"outbox", "target = ''", "some_text_is_not_empty"},
	{"outbox", "state = 'x', result = '', content = ''", "outbox_state_check"},
	{"outbox", "tries = -1", "outbox_tries_check"},
	{"outbox", "content = ''", "outbox_over_is_empty"},
	{"outbox", "state = 'done', content = ''", "outbox_over_has_result"},
	{"logout", "expires = expires + 86400", "logout_day"},
	{"logout", "hash = '\\x00'", "hash256_has_32_octets"},
	{"logout_portal", "hash = '\\x00'", "hash256_has_32_octets"},
	{"logout_portal", "id = ''", "some_text_is_not_empty"},
	{"logout_portal", "party = ''", "some_text_is_not_empty"},
	{"logout_portal", "channel = 'x'", "logout_portal_channel_check"},
	{"logout_portal", "channel = 'outbox'", "logout_portal_outbox"},
	{"logout_portal", "state = 'sent'", "logout_portal_sent"},
	{"logout_portal", "state = 'x', request = " HASH, "logout_portal_state_check"},
	{"logout_portal", "state = 'sent', request = '\\x00'", "logout_portal_request_check"},
	{"consent", "party = ''", "consent_party_check"},
	{"consent", "fingerprint = '\\x00'", "consent_fingerprint_check"},
	{"consent", "attributes = '{}'", "consent_attributes_check"},
	{"consent", "given = false", "consent_given_says_what"},
	{"consent", "acting = '\\x00'", "consent_acting_fkey"},
	{"consent", "represented = '\\x00'", "consent_represented_fkey"},
	{"flow", "expires = expires + 86400", "flow_day"},
	{"flow", "hash = '\\x00'", "flow_hash_check"},
	{"flow", "browser_hash = '\\x00'", "flow_browser_hash_check"},
	{"flow", "front = 'x'", "flow_front_check"},
	{"flow", "party = ''", "flow_party"},
	{"flow", "state = ''", "flow_state_check"},
	{"flow", "version = 0", "flow_version_check"},
	{"flow", "acting = '\\x00'", "flow_acting_check"},
	{"flow", "represented = '\\x00'", "flow_represented_check"},
	{"grant_code", "expires = expires + 86400", "grant_code_day"},
	{"grant_code", "hash = '\\x00'", "hash256_has_32_octets"},
	{"grant_code", "grant_id = '\\x00'", "id128_has_16_octets"},
	{"grant_code", "party = ''", "some_text_is_not_empty"},
	{"grant_code", "acting = '\\x00'", "id128_has_16_octets"},
	{"grant_code", "represented = '\\x00'", "id128_has_16_octets"},
	{"grant_code", "acting = NULL", "grant_code_of_one"},
	{"grant_code", "sid = NULL", "grant_code_of_one"},
	{"grant_code", "taken_at = 1", "grant_code_taken_is_empty"},
	{"access_token", "expires = expires + 86400", "access_token_day"},
	{"access_token", "hash = '\\x00'", "hash256_has_32_octets"},
	{"access_token", "grant_id = '\\x00'", "id128_has_16_octets"},
	{"access_token", "party = ''", "some_text_is_not_empty"},
	{"access_token", "acting = '\\x00'", "id128_has_16_octets"},
	{"access_token", "represented = '\\x00'", "id128_has_16_octets"},
	{"access_token", "origin = 'x'", "access_token_root"},
	{"seen", "expires = expires + 86400", "seen_day"},
	{"seen", "kind = ''", "some_text_is_not_empty"},
	{"seen", "hash = '\\x00'", "hash256_has_32_octets"},
	{"artifact", "hash = '\\x00'", "hash256_has_32_octets"},
	{"artifact", "party = ''", "some_text_is_not_empty"},
	{"artifact", "represented = '\\x00'", "id128_has_16_octets"},
	{"artifact", "sid = 'x'", "artifact_sid_fkey"},
	{"artifact", "sid = NULL", "artifact_tells_of_one"},
	{"artifact", "taken_at = 1", "artifact_taken_is_empty"},
	{"refresh_token", "handle = '\\x00'", "hash256_has_32_octets"},
	{"refresh_token", "secret = '\\x00'", "hash256_has_32_octets"},
	{"refresh_token", "previous = '\\x00'", "hash256_has_32_octets"},
	{"refresh_token", "grant_id = '\\x00'", "id128_has_16_octets"},
	{"refresh_token", "party = ''", "some_text_is_not_empty"},
	{"refresh_token", "represented = '\\x00'", "id128_has_16_octets"},
	{"refresh_token", "sid = 'x'", "refresh_token_sid_fkey"},
	{"refresh_token", "rotated = 1", "refresh_token_rotated"},
	{"refresh_token", "expires = 2", "refresh_token_ends"},
	{"ticket", "expires = expires + 86400", "ticket_day"},
	{"ticket", "hash = '\\x00'", "ticket_hash_check"},
	{"ticket", "subject = '\\x00'", "ticket_subject_check"},
	{"attempt_budget", "hash = '\\x00'", "attempt_budget_hash_check"},
	{"attempt_budget", "used = -1", "attempt_budget_used_check"},
	{"invitation", "name = ''", "some_text_is_not_empty"},
	{"invitation", "hash = '\\x00'", "hash256_has_32_octets"},
	{"invitation", "rules = '[]'", "json_object_is_one"},
	{"invitation", "remaining = -1", "invitation_remaining_check"},
	{"registration", "party = 'x'", "registration_party_fkey"},
	{"registration", "hash = '\\x00'", "hash256_has_32_octets"},
	{"registration", "invitation = ''", "some_text_is_not_empty"},
	{"registration", "rules = '[]'", "json_object_is_one"},
	{"refusal", "party = 'x'", "refusal_party_fkey"},
	{"refusal", "endpoint = ''", "some_text_is_not_empty"},
	{"refusal", "error = ''", "some_text_is_not_empty"},
	{"refusal", "reason = ''", "some_text_is_not_empty"},
	{"refusal", "ref = ''", "some_text_is_not_empty"},
	{"refusal", "times = 0", "refusal_times_check"},
	{"refusal", "last_at = 0", "refusal_check"},
	{"member_count", "day = 0", "member_count_day_check"},
	{"member_count", "member = ''", "some_text_is_not_empty"},
	{"member_count", "outcome = ''", "some_text_is_not_empty"},
	{"member_count", "level = 5", "member_count_level_check"},
	{"member_count", "times = 0", "member_count_times_check"},
	{"detail_type", "name = ''", "some_text_is_not_empty"},
	{"federation_source", "name = 'F'", "federation_source_name_check"},
	{"federation_source", "kind = 'x'", "federation_source_kind_check"},
	{"federation_source", "version = 0", "federation_source_version_check"},
	{"federation_source", "tries = -1", "federation_source_tries_check"},
	{"federation_source", "url = NULL", "federation_source_place"},
	{"federation_source", "kind = 'file'", "federation_source_place"},
	{"federation_copy", "source = 'x'", "federation_copy_source_fkey"},
	{"federation_copy",
	 "state = 'x', digest = " HASH ", octets = 1, members = 1, valid_until = 1,"
	 " signer = " HASH ", changes = '{}'",
	 "federation_copy_state_check"},
	{"federation_copy", "state = 'waiting'", "federation_copy_whole"},
	{"federation_piece", "copy = 0", "federation_piece_copy_fkey"},
	{"federation_text", "source = 'x'", "federation_text_source_fkey"},
	{"federation_left", "source = 'x'", "federation_left_source_fkey"},
	{"federation_suspended", "source = 'x'", "federation_suspended_source_fkey"},
	{"federation_suspended", "entity = ''", "federation_suspended_entity_check"},
	{"member", "counts = 0", "member_counts"},
	{"member", "suspended = 1", "member_suspended_is_whole"},
	{"member", "suspended_by = 'one'", "member_suspended_is_whole"},
	{"member", "suspended_why = 'w'", "member_suspended_is_whole"},
	{"member", "entity_id = ''", "some_text_is_not_empty"},
	{"member_document", "entity_id = 'x'", "member_document_entity_id_fkey"},
	{"member_document", "state = 'x', decided = 1, decided_by = 'two'",
	 "member_document_state_check"},
	{"member_document", "sha256 = " HASH, "member_document_digest"},
	{"member_document", "valid_until = -1", "member_document_valid_until_check"},
	{"member_document", "decided = 1, decided_by = 'two'", "member_document_decided"},
	{"member_document", "state = 'rejected'", "member_document_decided"},
	{"member_document", "state = 'rejected', decided = 1", "member_document_decided"},
	{"member_document", "state = 'approved', decided = 1, decided_by = 'one'",
	 "member_document_two_persons"},
	{"member_change", "what = 'x'", "member_change_what_check"},
	{"member_change", "entity_id = ''", "some_text_is_not_empty"},
	{"publication", "members = -1", "publication_members_check"},
	{"publication", "members = 0", "publication_has_document"},
	{"publication", "document = ''", "publication_has_document"},
	{"publication_member", "publication = 0", "publication_member_publication_fkey"},
	{"publication_member", "sha1 = '\\x00'", "publication_member_sha1_check"},
	{"upstream", "id = ''", "some_text_is_not_empty"},
	{"upstream", "kind = ''", "some_text_is_not_empty"},
	{"upstream", "display_name = ''", "some_text_is_not_empty"},
	{"upstream", "policy = '[]'", "json_object_is_one"},
	{"upstream_source", "upstream = 'x'", "upstream_source_upstream_fkey"},
	{"upstream_source", "issuer = ''", "some_text_is_not_empty"},
	{"upstream_source", "tries = -1", "upstream_source_tries_check"},
	{"upstream_source", "keys = NULL", "upstream_source_both"},
	{"party_source", "party = 'x'", "party_source_party_fkey"},
	{"party_source", "url = ''", "some_text_is_not_empty"},
	{"party_source", "tries = -1", "party_source_tries_check"},
	{"party_copy", "party = 'x'", "party_copy_party_fkey"},
	{"party_copy", "state = 'x'", "party_copy_state_check"},
	{"party_copy", "sha256 = " HASH, "party_copy_digest"},
	{"party_copy", "document = 'x'", "party_copy_digest"},
	{"party_copy", "sha256 = '\\x00'", "hash256_has_32_octets"},
	{"party_copy", "changes = '[]'", "json_object_is_one"},
	{"party_copy", "base = NULL", "party_copy_asks"},
	{"party_copy", "asked = NULL", "party_copy_asks"},
	{"party_copy", "changes = NULL", "party_copy_asks"},
	{"party_copy", "state = 'replaced'", "party_copy_asks"},
	{"party", "id = repeat('x', 1025)", "party_id_check"},
	{"party", "kind = 'x'", "party_kind_check"},
	{"party", "policy = '[]'", "party_policy_check"},
	{"party", "version = 0", "party_version_check"},
	{"key", "state = 'x'", "key_state_check"},
	{"key", "sealed = NULL", "key_gone_has_no_secret"},
	{"setting", "name = ''", "setting_name_check"},
	{"setting", "version = 0", "setting_version_check"},
	{"epoch_settled", "epoch = 0", "epoch_settled_epoch_check"},
};

/* INSERT INTO into: a second row, or one where a trigger would be first. */
static const struct {
	const char *into, *name;
} inserts[] = {
	{"subject SELECT decode(repeat('cc', 16), 'hex'), kind, origin, issuer, foreign_id, state,"
	 " account_key, 1 FROM subject",
	 "subject_foreign_once"},
	{"credential SELECT decode(repeat('cc', 16), 'hex'), subject, kind, 2, false, secret, NULL,"
	 " 1 FROM credential",
	 "credential_one_password"},
	{"pseudonym SELECT '\\x00', sector, 0, value, 1 FROM pseudonym", "pseudonym_names_one"},
	{"session SELECT 'other', id_hash, acting, NULL, 'g', 1, 1, 1 FROM session",
	 "session_id_once"},
	{"polled SELECT sha256('x'), user_hash, day, code, 'p', '', 'waiting', 5, NULL, false, 1, 1"
	 " FROM polled",
	 "polled_user_hash_key"},
	{"party_copy (party, state, document, sha256, base, asked, changes, at)"
	 " SELECT party, state, document, sha256, base, asked, changes, 2 FROM party_copy",
	 "party_copy_one"},
	{"federation_copy (source, state, at) VALUES ('f', 'arriving', 2)", "federation_copy_one"},
	{"federation_suspended VALUES ('e', NULL, 'two', 'why', 2)",
	 "federation_suspended_entity_source_key"},
	{"member_document (entity_id, state, document, sha256, valid_until, brought, brought_by)"
	 " SELECT entity_id, state, document, sha256, valid_until, brought, brought_by"
	 " FROM member_document",
	 "member_document_waits"},
	{"publication (base, change, at, valid_until, members, sha256, document)"
	 " SELECT base, change, at, valid_until, members, sha256, document FROM publication",
	 "publication_base_key"},
	{"invitation SELECT 'other', hash, rules, 1, 1, 1 FROM invitation", "invitation_hash_key"},
	{"key VALUES ('', 2, 1, 'active', 1, NULL, NULL, '', 1, 1)", "key_kid_check"},
	{"key VALUES ('x', 0, 1, 'active', 1, NULL, NULL, '', 1, 1)", "key_purpose_check"},
	{"key VALUES ('x', 2, 0, 'active', 1, NULL, NULL, '', 1, 1)", "key_type_check"},
	{"key VALUES ('x', 2, 1, 'active', 0, NULL, NULL, '', 1, 1)", "key_generation_check"},
	{"key VALUES ('x', 2, 1, 'planned', 1, NULL, NULL, '', 1, 1, 'x')", "key_place_check"},
	{"key VALUES ('x', 1, 1, 'planned', 1, NULL, NULL, '', 1, 1)", "key_generation_once"},
	{"key VALUES ('x', 1, 1, 'active', 2, NULL, NULL, '', 1, 1)", "key_one_active"},
	{"audit (at, event, ref, details) VALUES (1, '', 'r', '{}')", "some_text_is_not_empty"},
	{"audit (at, event, ref, details) VALUES (1, 'e', 'r', '[]')", "json_object_is_one"},
	{"audit (at, event, ref, subject, details) VALUES (1, 'e', 'r', '\\x00', '{}')",
	 "id128_has_16_octets"},
};

static int
setup(void **state)
{
	if (pg_setup(state) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		pg_sql(*state, rows[i]);
	return 0;
}

/* "SQLSTATE name" ends in this name; the state is of class 23, integrity. */
static void
assert_refused(struct pg *pg, const char *sql, const char *name)
{
	const char *refusal = pg_refusal(pg, sql), *space = strchr(refusal, ' ');

	if (strncmp(refusal, "23", 2) != 0 || space == NULL || strcmp(space + 1, name) != 0)
		fail_msg("%s: \"%s\", not %s", sql, refusal, name);
}

static void
every_constraint_refuses_what_breaks_it(void **state)
{
	struct pg *pg = *state;

	for (size_t i = 0; i < ARRAY_LEN(updates); i++)
		assert_refused(
			pg,
			arena_printf(pg->a, "UPDATE %s SET %s", updates[i].table, updates[i].set),
			updates[i].name);
	for (size_t i = 0; i < ARRAY_LEN(inserts); i++)
		assert_refused(pg, arena_printf(pg->a, "INSERT INTO %s", inserts[i].into),
			       inserts[i].name);
}

/* Tables of ours, without the partitions. */
#define OURS " NOT IN (SELECT inhrelid FROM pg_inherits)"

static void
every_constraint_has_its_case_here(void **state)
{
	struct pg *pg = *state;

	pg_sql(pg, "CREATE TEMP TABLE listed (name text)");
	for (size_t i = 0; i < ARRAY_LEN(updates); i++)
		pg_sql(pg,
		       arena_printf(pg->a, "INSERT INTO listed VALUES ('%s')", updates[i].name));
	for (size_t i = 0; i < ARRAY_LEN(inserts); i++)
		pg_sql(pg,
		       arena_printf(pg->a, "INSERT INTO listed VALUES ('%s')", inserts[i].name));
	assert_string_equal(
		pg_value(pg,
			 "SELECT string_agg(name, ' ') FROM (SELECT conname AS name"
			 " FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
			 " AND contype <> 'p' AND conname NOT LIKE 'schema_migration%' AND"
			 " conrelid" OURS " UNION SELECT c.relname FROM pg_index x JOIN pg_class c"
			 " ON c.oid = x.indexrelid WHERE x.indisunique AND NOT x.indisprimary"
			 " AND c.relnamespace = 'public'::regnamespace AND x.indrelid" OURS
			 " EXCEPT SELECT name FROM listed) missing"),
		"");
}

/* The statements of programs that know migration 0015 and not 0020, as they are. */
static void
programs_from_before_still_serve_devices(void **state)
{
	struct pg *pg = *state;

	pg_sql(pg, "UPDATE polled SET kind = 'ciba', acting = " ID);
	assert_string_equal(
		pg_value(pg,
			 "INSERT INTO device (hash, user_hash, day, code, party, scope, state,"
			 " pause, soon, created, expires) VALUES (sha256('a'), sha256('b'), " DAYS
			 ", sha256('c'), 'p', '', 'waiting', 5, false, 1, 9)"
			 " ON CONFLICT (user_hash) DO NOTHING RETURNING 1"),
		"1");
	/* A code that somebody has, and another's row. */
	assert_string_equal(
		pg_value(pg, "INSERT INTO device (hash, user_hash, day, code, party, scope, state,"
			     " pause, soon, created, expires) SELECT sha256('d'), sha256('b'), day,"
			     " code, party, scope, state, pause, soon, created, expires FROM device"
			     " ON CONFLICT (user_hash) DO NOTHING RETURNING 1"),
		"");
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM device"), "1");
	assert_string_equal(pg_value(pg, "UPDATE device SET state = 'agreed' WHERE user_hash ="
					 " sha256('b') AND state = 'waiting' AND expires > 2"
					 " RETURNING day"),
			    DAYS);
	assert_string_equal(
		pg_value(pg, "WITH gone AS (DELETE FROM device WHERE hash IN (SELECT hash FROM"
			     " device WHERE expires < 100 LIMIT 9 FOR UPDATE SKIP LOCKED)"
			     " RETURNING 1) SELECT count(*) FROM gone"),
		"1");
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM polled"), "1");
	pg_sql(pg, "UPDATE polled SET kind = 'device', acting = NULL");
}

static void
no_row_is_there_twice(void **state)
{
	struct pg *pg = *state;
	const char *const tables = pg_value(
		pg, "SELECT string_agg(DISTINCT conrelid::regclass::text, ' ') FROM pg_constraint"
		    " WHERE contype IN ('p', 'u') AND connamespace = 'public'::regnamespace"
		    " AND conrelid::regclass::text <> 'schema_migration' AND conrelid" OURS);
	char *list = arena_strdup(pg->a, tables), *rest;
	size_t n = 0;

	for (char *t = strtok_r(list, " ", &rest); t != NULL; t = strtok_r(NULL, " ", &rest), n++) {
		const char *sql = arena_printf(pg->a,
					       "INSERT INTO %s OVERRIDING SYSTEM VALUE"
					       " SELECT * FROM %s LIMIT 1",
					       t, t);

		if (strncmp(pg_refusal(pg, sql), "23505 ", 6) != 0)
			fail_msg("%s: %s", sql, pg_refusal(pg, sql));
	}
	assert_int_equal(n, ARRAY_LEN(rows));
}

#define T(test) cmocka_unit_test_setup(test, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_constraint_refuses_what_breaks_it),
		T(every_constraint_has_its_case_here),
		T(no_row_is_there_twice),
		T(programs_from_before_still_serve_devices),
	};

	return cmocka_run_group_tests_name("constraint", tests, setup, pg_teardown);
}
