/*
 * Under which epoch key the accounts' keys are wrapped, and since when an old one
 * wraps none of them: from then on its time in backups runs (DESIGN 5).
 */
#ifndef KONTOR_DB_EPOCH_H
#define KONTOR_DB_EPOCH_H

#include "db/db.h"

struct db_epoch_account {
	struct subject_id id;
	struct bytes account_key;
};

/* At most `limit` accounts that an epoch before `epoch` wrapped, the oldest epoch first. */
MUST_USE bool db_epoch_old(const struct db_call *c, uint32_t epoch, int64_t limit,
			   const struct db_epoch_account **out, size_t *n, struct err *err);

/*
 * Replace an account's wrapped key if it still is `account->account_key`;
 * *replaced says so.  Lazy: one that is lost in a crash is done again.
 */
MUST_USE bool db_epoch_replace(const struct db_call *c, const struct db_epoch_account *account,
			       struct bytes wrapped, bool *replaced, struct err *err);

/* Note that no epoch before `epoch` wraps an account at `now`; nothing when one does. Durable. */
MUST_USE bool db_epoch_settle(const struct db_call *c, uint32_t epoch, time_t now, struct err *err);

/* An account was found under `epoch`: what was noted of younger ones was too early.  Durable. */
MUST_USE bool db_epoch_unsettle(const struct db_call *c, uint32_t epoch, struct err *err);

struct db_epoch_use {
	uint32_t epoch;
	int64_t accounts;
};

/* How many accounts each epoch wraps, ascending; those without any are left out. */
MUST_USE bool db_epoch_uses(const struct db_call *c, const struct db_epoch_use **out, size_t *n,
			    struct err *err);

/* Since when `epoch` and those before it wrap no account; *since is 0: they may still. */
MUST_USE bool db_epoch_unused_since(const struct db_call *c, uint32_t epoch, time_t *since,
				    struct err *err);

#endif
