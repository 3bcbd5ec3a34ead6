/*
 * Means of authentication of a subject.  What a secret means is the login
 * method's business; here it is octets (a password hash, a sealed TOTP seed).
 */
#ifndef KONTOR_DB_CREDENTIAL_H
#define KONTOR_DB_CREDENTIAL_H

#include "db/audit.h"

enum db_credential_kind { DB_PASSWORD = 1, DB_TOTP = 2 };

struct db_credential {
	unsigned char id[16]; /* random */
	struct subject_id subject;
	enum db_credential_kind kind;
	int level;    /* 1..4 (idp/level.h) */
	bool blocked; /* by the owner or an officer; proves nothing meanwhile */
	struct bytes secret;
	int64_t last_step;         /* DB_TOTP: the last step accepted, 0: none yet */
	time_t created, last_used; /* last_used 0: never */
};

/* All of a subject, oldest first; *n may be 0. */
MUST_USE bool db_credential_list(const struct db_call *c, struct subject_id subject,
				 const struct db_credential **out, size_t *n, struct err *err);

/* ERR_CONFLICT: a second password.  ERR_NOT_FOUND: no such subject. */
MUST_USE bool db_credential_add(const struct db_call *c, const struct db_credential *credential,
				const struct db_audit *audit, time_t now, struct err *err);

/* The same inside a transaction, without an audit row of its own. */
MUST_USE bool db_credential_add_tx(struct db_tx *tx, const struct db_credential *credential,
				   time_t now, struct err *err);

/*
 * The secret becomes `secret` if it still is `old` (a rehash at login must not
 * undo a change of password made meanwhile); *replaced says whether it was.
 */
MUST_USE bool db_credential_replace_secret(const struct db_call *c, const unsigned char id[16],
					   struct bytes old, struct bytes secret,
					   const struct db_audit *audit, time_t now, bool *replaced,
					   struct err *err);

/* RFC 6238 5.2: a step counts once and never goes back.  *accepted: it was new, and the
 * credential is not blocked (by now: it may have been since it was read). */
MUST_USE bool db_credential_totp_step(const struct db_call *c, const unsigned char id[16],
				      int64_t step, time_t now, bool *accepted, struct err *err);

/* Note a use; written at most once a minute, lazily. */
MUST_USE bool db_credential_touch(const struct db_call *c, const struct db_credential *credential,
				  time_t now, struct err *err);

MUST_USE bool db_credential_set_blocked(const struct db_call *c, const unsigned char id[16],
					bool blocked, const struct db_audit *audit, time_t now,
					struct err *err);

/* ERR_NOT_FOUND: there was none. */
MUST_USE bool db_credential_remove(const struct db_call *c, const unsigned char id[16],
				   const struct db_audit *audit, time_t now, struct err *err);

#endif
