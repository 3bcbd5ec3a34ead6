/*
 * Passwords of accounts: what may be chosen, and today's cost of hashing them
 * (keys/kdf.h does the work).
 */
#ifndef KONTOR_IDP_PASSWORD_H
#define KONTOR_IDP_PASSWORD_H

#include "idp/account.h"
#include "keys/kdf.h"

#define PASSWORD_MIN_CHARS 12 /* may stand alone: above OWASP ASVS 6.2.1 */

/* A record for db_credential.secret. */
MUST_USE bool password_hash(const struct account_work *w, struct kdf_memory *memory,
			    const char *password, struct bytes *record, struct err *err);

/*
 * *right: the password fits the record.  An empty record (no such account)
 * costs the same and is never right.
 */
MUST_USE bool password_verify(const struct account_work *w, struct kdf_memory *memory,
			      const char *password, struct bytes record, bool *right,
			      struct err *err);

/* The record was made at another cost, or with another pepper, than today's. */
bool password_wants_rehash(const struct account_work *w, struct bytes record);

/*
 * May somebody choose this password?  The text key of what is wrong
 * ("password_short", "password_weak"), or NULL.  `hints` are words it must not
 * lean on (names, login name), ends with NULL.
 */
const char *password_problem(const char *password, const char **hints);

#endif
