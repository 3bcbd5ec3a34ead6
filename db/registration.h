/*
 * Registration of clients by themselves: invitations (initial access tokens, RFC 7591 3) with
 * what a registrant may ask for, and who may read, change and delete what was registered
 * (registration access tokens, RFC 7592).  Of tokens there is only the SHA-256.
 */
#ifndef KONTOR_DB_REGISTRATION_H
#define KONTOR_DB_REGISTRATION_H

#include "db/source.h"

struct db_invitation {
	const char *name;
	const char *rules; /* a JSON object as text */
	int64_t remaining; /* clients that may still be registered with it */
	time_t expires, created;
};

/* ERR_CONFLICT: the name is taken.  Durable. */
MUST_USE bool db_invitation_put(const struct db_call *c, const struct db_invitation *invitation,
				struct bytes hash, const struct db_audit *audit, time_t now,
				struct err *err);

/* *out is NULL when there is none of this token that still counts. */
MUST_USE bool db_invitation_find(const struct db_call *c, struct bytes hash, time_t now,
				 const struct db_invitation **out, struct err *err);

/* All, also those that are used up or over, by name. */
MUST_USE bool db_invitation_list(const struct db_call *c, const struct db_invitation **out,
				 size_t *n, struct err *err);

/* ERR_NOT_FOUND: no such one.  What was registered with it stays.  Durable. */
MUST_USE bool db_invitation_drop(const struct db_call *c, const char *name,
				 const struct db_audit *audit, time_t now, struct err *err);

struct db_registration {
	const char *party; /* client_id */
	struct bytes hash; /* of the registration access token */
	const char *invitation, *rules;
};

/*
 * Use the invitation of this hash once and store party, source (url NULL: none) and registration,
 * all or nothing, under one audit row.  ERR_DENIED: the invitation counts no longer.  Durable.
 */
MUST_USE bool db_registration_make(const struct db_call *c, struct bytes invitation,
				   const struct db_registration *registration,
				   const struct db_party *party, const struct db_source *source,
				   const struct db_audit *audit, time_t now, struct err *err);

/* *out is NULL: no such client was registered so, or the token is another. */
MUST_USE bool db_registration_find(const struct db_call *c, const char *party, struct bytes hash,
				   const struct db_registration **out, struct err *err);

#endif
