/*
 * Subjects, everything an account hangs on: who (kind), from where (origin),
 * whether it may act (state).  Login names are known by keyed hash only.
 * Credentials and attributes have files of their own; a new account brings its
 * first ones along, because they come to be in one transaction.
 */
#ifndef KONTOR_DB_ACCOUNT_H
#define KONTOR_DB_ACCOUNT_H

#include "db/attribute.h"
#include "db/audit.h"
#include "db/credential.h"

enum db_subject_kind { DB_PERSON = 1, DB_ORGANISATION = 2, DB_AUTHORITY = 3 };
enum db_subject_origin { DB_LOCAL = 1, DB_FOREIGN = 2, DB_TEMPORARY = 3 };
enum db_subject_state { DB_ACTIVE = 1, DB_DISABLED = 2, DB_DELETED = 3 };

/* The stored word ("person", "foreign", "disabled"); NULL for a number that is none. */
const char *db_subject_kind_name(enum db_subject_kind kind);
const char *db_subject_origin_name(enum db_subject_origin origin);
const char *db_subject_state_name(enum db_subject_state state);

struct db_subject {
	struct subject_id id;
	enum db_subject_kind kind;
	enum db_subject_origin origin;
	enum db_subject_state state;
	const char *issuer, *foreign_id; /* both set when origin is DB_FOREIGN, else NULL */
	struct bytes account_key;        /* wrapped; n = 0 once deleted */
	time_t created;
};

struct db_account_new {
	struct db_subject subject; /* state and created are not read: active, now */
	struct bytes lookup;       /* keyed hash of the login name, 32 octets; n = 0: none */
	const struct db_credential *credentials; /* their subject is not read */
	size_t n_credentials;
	const struct db_attribute *attributes;
	size_t n_attributes;
};

/* ERR_CONFLICT: the login name or (issuer, foreign id) is taken.  One durable transaction. */
MUST_USE bool db_account_create(const struct db_call *c, const struct db_account_new *account,
				const struct db_audit *audit, time_t now, struct err *err);

/* Each sets *out to NULL when there is none. */
MUST_USE bool db_account_load(const struct db_call *c, struct subject_id id,
			      const struct db_subject **out, struct err *err);
MUST_USE bool db_account_find(const struct db_call *c, struct bytes lookup,
			      const struct db_subject **out, struct err *err);
MUST_USE bool db_account_find_foreign(const struct db_call *c, const char *issuer,
				      const char *foreign_id, const struct db_subject **out,
				      struct err *err);

/*
 * Leaving DB_ACTIVE ends all sessions of the subject and the tokens they gave, and what waits for
 * its answer (db/polled.h) hears no.
 * DB_DELETED is final: the account key, login names, credentials, attributes
 * and pseudonyms go; proofings, consents and audit stay as records.
 * ERR_NOT_FOUND: no such subject; ERR_DENIED: it was deleted before.
 */
MUST_USE bool db_account_set_state(const struct db_call *c, struct subject_id id,
				   enum db_subject_state state, const struct db_audit *audit,
				   time_t now, struct err *err);

struct db_telling; /* db/logout.h */

/*
 * The same, and those who took part in the sessions that end with it are told, as they are when
 * one ends by itself (db_session_end).  `telling` has no handle: nobody asks.
 */
MUST_USE bool db_account_set_state_told(const struct db_call *c, struct subject_id id,
					enum db_subject_state state,
					const struct db_telling *telling,
					const struct db_audit *audit, time_t now, struct err *err);

/* Until this transaction ends its state does not change, and no other holds it. */
MUST_USE bool db_account_hold_tx(struct db_tx *tx, struct subject_id id, struct err *err);

/* The ids of all deleted subjects: the ledger that is kept outside the backups. */
MUST_USE bool db_account_deleted(const struct db_call *c, const struct subject_id **out, size_t *n,
				 struct err *err);

#endif
