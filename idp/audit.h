/*
 * The events of the audit log, in one table.  Names are API: a test fails when
 * one goes.  Details are JSON of static names and values that identify no
 * person: rules, levels, kinds, attribute names; never attribute values.
 */
#ifndef KONTOR_IDP_AUDIT_H
#define KONTOR_IDP_AUDIT_H

#include "base/json.h"
#include "db/audit.h"

#define AUDIT_ACCOUNT_CREATED        "account_created"
#define AUDIT_ACCOUNT_STATE          "account_state"
#define AUDIT_ACCOUNT_PROOFED        "account_proofed"
#define AUDIT_ATTRIBUTES_CHANGED     "attributes_changed"
#define AUDIT_LOGIN                  "login"
#define AUDIT_LOGIN_REFUSED          "login_refused"
#define AUDIT_MEANS_ADDED            "means_added"
#define AUDIT_MEANS_CHANGED          "means_changed"
#define AUDIT_MEANS_REMOVED          "means_removed"
#define AUDIT_CONSENT_GIVEN          "consent_given"
#define AUDIT_CONSENT_WITHDRAWN      "consent_withdrawn"
#define AUDIT_ASSERTION              "assertion"
#define AUDIT_ATTRIBUTES_TOLD        "attributes_told"
#define AUDIT_QUERY_REFUSED          "query_refused"
#define AUDIT_REQUEST_MADE           "request_made"
#define AUDIT_REQUEST_DENIED         "request_denied"
#define AUDIT_CODE_REDEEMED          "code_redeemed"
#define AUDIT_TOKENS_REFRESHED       "tokens_refreshed"
#define AUDIT_CLIENT_TOKEN           "client_token"
#define AUDIT_TOKEN_EXCHANGED        "token_exchanged"
#define AUDIT_GRANT_REVOKED          "grant_revoked"
#define AUDIT_ARTIFACT_RESOLVED      "artifact_resolved"
#define AUDIT_ARTIFACT_REFUSED       "artifact_refused"
#define AUDIT_SESSION_ENDED          "session_ended"
#define AUDIT_LOGOUT                 "logout"
#define AUDIT_PARTY_SAVED            "party_saved"
#define AUDIT_PARTY_ENABLED          "party_enabled"
#define AUDIT_PARTY_REMOVED          "party_removed"
#define AUDIT_PARTY_FOLLOWED         "party_followed"
#define AUDIT_PARTY_REFRESHED        "party_refreshed"
#define AUDIT_CLIENT_KEYS            "client_keys"
#define AUDIT_CLIENT_INVITED         "client_invited"
#define AUDIT_CLIENT_REGISTERED      "client_registered"
#define AUDIT_CLIENT_CHANGED         "client_changed"
#define AUDIT_CLIENT_REMOVED         "client_removed"
#define AUDIT_PARTY_HELD             "party_held"
#define AUDIT_PARTY_APPROVED         "party_approved"
#define AUDIT_PARTY_REJECTED         "party_rejected"
#define AUDIT_PARTY_ROLLED_BACK      "party_rolled_back"
#define AUDIT_DETAILS_TYPE           "details_type"
#define AUDIT_MEMBER_BROUGHT         "member_brought"
#define AUDIT_MEMBER_DECIDED         "member_decided"
#define AUDIT_MEMBER_STANDING        "member_standing"
#define AUDIT_METADATA_PUBLISHED     "metadata_published"
#define AUDIT_REGISTER_ROLLED_BACK   "register_rolled_back"
#define AUDIT_KEY_ADDED              "key_added"
#define AUDIT_KEY_MOVED              "key_moved"
#define AUDIT_MASTER_ADDED           "master_key_added"
#define AUDIT_EPOCH_ADDED            "epoch_key_added"
#define AUDIT_EPOCH_DESTROYED        "epoch_key_destroyed"
#define AUDIT_RESTORED               "database_restored"
#define AUDIT_FEDERATION_SAVED       "federation_saved"
#define AUDIT_FEDERATION_REMOVED     "federation_removed"
#define AUDIT_FEDERATION_TAKEN       "federation_taken"
#define AUDIT_FEDERATION_HELD        "federation_held"
#define AUDIT_FEDERATION_APPROVED    "federation_approved"
#define AUDIT_FEDERATION_REJECTED    "federation_rejected"
#define AUDIT_FEDERATION_ROLLED_BACK "federation_rolled_back"
#define AUDIT_MEMBER_SUSPENDED       "member_suspended"
#define AUDIT_MEMBER_RESTORED        "member_restored"
#define AUDIT_UPSTREAM               "upstream"

struct audit_event {
	const char *name, *sentence;
};

extern const struct audit_event audit_events[]; /* ends with a NULL name */

/* {"name":"value",...} from pairs of texts up to NULL; a NULL value skips its pair. */
const char *audit_details(struct arena *a, ...) __attribute__((sentinel));

#endif
