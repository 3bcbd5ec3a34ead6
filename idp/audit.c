/* Audit events; see audit.h. */
#include "idp/audit.h"

#include <stdarg.h>

const struct audit_event audit_events[] = {
	{AUDIT_ACCOUNT_CREATED, "An account was made."},
	{AUDIT_ACCOUNT_STATE, "An account was disabled, enabled or deleted."},
	{AUDIT_ACCOUNT_PROOFED, "Two operators recorded a proofing that raised attributes."},
	{AUDIT_ATTRIBUTES_CHANGED, "A person changed attributes of the own account."},
	{AUDIT_LOGIN, "A means of authentication was proved."},
	{AUDIT_LOGIN_REFUSED, "A means of authentication was refused."},
	{AUDIT_MEANS_ADDED, "A means of authentication was registered."},
	{AUDIT_MEANS_CHANGED, "A means was blocked, unblocked or replaced."},
	{AUDIT_MEANS_REMOVED, "A means of authentication was removed."},
	{AUDIT_CONSENT_GIVEN, "A person agreed that a party receives attributes."},
	{AUDIT_CONSENT_WITHDRAWN, "A person took a consent back."},
	{AUDIT_ASSERTION, "A party was told who a person is (assertion or code)."},
	{AUDIT_ATTRIBUTES_TOLD, "A party asked about a person by a query and was told."},
	{AUDIT_QUERY_REFUSED, "A party asked about somebody by a query and was told nothing."},
	{AUDIT_REQUEST_MADE, "A party asked a person to log in, without the person's browser."},
	{AUDIT_REQUEST_DENIED, "A person said no to a party that waits for the answer."},
	{AUDIT_CODE_REDEEMED, "A party exchanged a code for tokens."},
	{AUDIT_TOKENS_REFRESHED, "A party exchanged a refresh token for tokens."},
	{AUDIT_CLIENT_TOKEN, "A party got a token of its own for a resource."},
	{AUDIT_TOKEN_EXCHANGED, "A party got a token for a further resource in exchange for one."},
	{AUDIT_GRANT_REVOKED, "What a code gave was revoked."},
	{AUDIT_ARTIFACT_RESOLVED, "A party exchanged an artifact for the message."},
	{AUDIT_ARTIFACT_REFUSED, "An artifact that was there was not exchanged."},
	{AUDIT_SESSION_ENDED, "A session ended before its time."},
	{AUDIT_LOGOUT, "A party or a person asked for logout."},
	{AUDIT_PARTY_SAVED, "A party was registered or updated."},
	{AUDIT_PARTY_ENABLED, "A party was switched on or off."},
	{AUDIT_PARTY_REMOVED, "A party was removed."},
	{AUDIT_PARTY_FOLLOWED, "The URL of a party's metadata was set or taken away."},
	{AUDIT_PARTY_REFRESHED, "Metadata from a party's URL counts from now on."},
	{AUDIT_CLIENT_INVITED, "An invitation to register clients was made or taken back."},
	{AUDIT_CLIENT_REGISTERED, "A client registered itself by an invitation."},
	{AUDIT_CLIENT_CHANGED, "A client that had registered itself changed its record."},
	{AUDIT_CLIENT_REMOVED, "A client that had registered itself removed its record."},
	{AUDIT_CLIENT_KEYS, "Other keys from a client's jwks_uri count from now on."},
	{AUDIT_PARTY_HELD, "Metadata from a party's URL waits for an operator."},
	{AUDIT_PARTY_APPROVED, "An operator let metadata count that waited."},
	{AUDIT_PARTY_REJECTED, "An operator refused metadata that waited."},
	{AUDIT_PARTY_ROLLED_BACK, "An operator let an earlier copy of a party's metadata count."},
	{AUDIT_FEDERATION_SAVED, "A source of a federation's metadata was added or changed."},
	{AUDIT_FEDERATION_REMOVED, "A source of a federation's metadata was removed."},
	{AUDIT_FEDERATION_TAKEN, "A copy of a federation's metadata was taken and counts."},
	{AUDIT_FEDERATION_HELD, "A copy of a federation's metadata waits for an operator."},
	{AUDIT_FEDERATION_APPROVED, "An operator let a federation's copy count that waited."},
	{AUDIT_FEDERATION_REJECTED, "An operator refused a federation's copy that waited."},
	{AUDIT_FEDERATION_ROLLED_BACK, "An operator let an earlier copy of a federation count."},
	{AUDIT_MEMBER_SUSPENDED, "A member of a federation was suspended."},
	{AUDIT_MEMBER_RESTORED, "A member's suspension was lifted."},
	{AUDIT_DETAILS_TYPE, "A type of authorization details was saved or removed."},
	{AUDIT_MEMBER_BROUGHT, "Metadata of a federation's member was brought to the register."},
	{AUDIT_MEMBER_DECIDED, "A second person approved or rejected what was brought."},
	{AUDIT_MEMBER_STANDING, "A member of the federation was suspended, resumed or removed."},
	{AUDIT_METADATA_PUBLISHED,
	 "Metadata of the federation's members was signed and published."},
	{AUDIT_REGISTER_ROLLED_BACK, "What an earlier publication had of members counts again."},
	{AUDIT_UPSTREAM, "Another identity provider was saved, switched on or off, or removed."},
	{AUDIT_KEY_ADDED, "A key was made."},
	{AUDIT_KEY_MOVED, "A key changed its state."},
	{AUDIT_MASTER_ADDED, "A master key was added to the master key file."},
	{AUDIT_EPOCH_ADDED, "An epoch key was added to the master key file."},
	{AUDIT_EPOCH_DESTROYED, "An epoch key was taken from the master key file of a node."},
	{AUDIT_RESTORED, "After a restore, all that is used once or ends was ended."},
	{NULL, NULL},
};

const char *
audit_details(struct arena *a, ...)
{
	json_t *o = json_new_object(a);
	const char *name;
	va_list ap;

	va_start(ap, a);
	while ((name = va_arg(ap, const char *)) != NULL)
		json_put_str(a, o, name, va_arg(ap, const char *));
	va_end(ap);
	return json_text(a, o, false);
}
