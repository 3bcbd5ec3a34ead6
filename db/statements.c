/* Every statement there is: the table of tables. */
#include "db/statements.h"

const struct db_statement *const db_statement_tables[] = {
	db_account_statements,      db_artifact_statements,    db_attribute_statements,
	db_audit_statements,        db_budget_statements,      db_consent_statements,
	db_credential_statements,   db_detail_type_statements, db_epoch_statements,
	db_exchange_statements,     db_flow_statements,        db_grant_statements,
	db_holding_statements,      db_key_statements,         db_partition_statements,
	db_party_statements,        db_polled_statements,      db_proofing_statements,
	db_pseudonym_statements,    db_refresh_statements,     db_restored_statements,
	db_seen_statements,         db_session_statements,     db_setting_statements,
	db_ticket_statements,       db_logout_statements,      db_outbox_statements,
	db_registration_statements, db_source_statements,      db_member_statements,
	db_member_count_statements, db_publication_statements, db_refusal_statements,
	db_federation_statements,   db_upstream_statements,    NULL,
};
