/*
 * Accounts as pages and portals need them: login names as keyed hashes,
 * attributes opened by the signer, pseudonyms per sector.
 */
#ifndef KONTOR_IDP_ACCOUNT_H
#define KONTOR_IDP_ACCOUNT_H

#include "db/account.h"
#include "idp/app.h"
#include "idp/release.h"
#include "keys/kdf.h"
#include "keys/keyring.h"

#define LOGIN_NAME_MAX_BYTES 254

/* Who works on accounts: a request, or a command. */
struct account_work {
	struct arena *a;
	struct db_call db;
	struct signer *signer;
	const struct keyring *keyring;
	struct kdf_cost password_cost; /* pepper unset */
	const char *ref;               /* reference id for audit rows */
	time_t now;
};

struct account_work account_work_of(const struct request *rq);

/*
 * What the person typed as login name, in the one form that is looked up:
 * trimmed, ASCII letters in lower case; 3..254 bytes without blanks or controls.
 */
MUST_USE bool account_login_name(struct arena *a, const char *typed, const char **out,
				 struct err *err);

/* The keyed hash of a login name: 32 octets. */
MUST_USE bool account_lookup(const struct account_work *w, const char *login_name,
			     struct bytes *out, struct err *err);

/* Attributes as they are stored, opened.  Names that the table does not know are left out. */
MUST_USE bool account_open(const struct account_work *w, const struct db_subject *subject,
			   const struct db_attribute *rows, size_t n, struct held_list *out,
			   struct err *err);

/* All attributes of an account, opened. */
MUST_USE bool account_attributes(const struct account_work *w, const struct db_subject *subject,
				 struct held_list *out, struct err *err);

/* Seal values for storing: level, source and verified_at as given in `held`. */
MUST_USE bool account_seal(const struct account_work *w, struct subject_id id,
			   struct bytes account_key, const struct held *held, size_t n,
			   struct db_attribute *out, struct err *err);

/* Whose key: the account, and its key as the database has it now. */
struct account_lock {
	struct subject_id id;
	struct bytes key; /* wrapped */
};

/*
 * Seal a value that tells of a person for as long as it is kept, and open it again: under the
 * account's key, so that what is deleted closes in every backup.  `label` as for
 * signer_account_seal.  `of` NULL: of somebody who has no account here; the value is under a key
 * made for it alone, which stands before it.  ERR_UNAVAILABLE: the key does not open any more (its
 * epoch is over).
 */
MUST_USE bool account_value_seal(const struct request *rq, const struct account_lock *of,
				 const char *label, struct bytes plain, struct bytes *sealed,
				 struct err *err);
MUST_USE bool account_value_open(const struct request *rq, const struct account_lock *of,
				 const char *label, struct bytes sealed, struct bytes *plain,
				 struct err *err);

/* Somebody who gets an account: checked values only. */
struct account_person {
	const char *login_name; /* as account_login_name gives it */
	const char *password;
	const struct held *held;
	size_t n;
};

/*
 * Make the account with its password and attributes, in one transaction.
 * ERR_CONFLICT: the login name is taken.
 */
MUST_USE bool account_create(const struct account_work *w, struct kdf_memory *memory,
			     const struct account_person *person, struct subject_id *out,
			     struct err *err);

/*
 * The one pseudonym of a subject in a sector, both dialects: `kept`, which the row
 * says (db_holding), else computed by the signer and kept.  43 characters.
 */
MUST_USE bool account_pseudonym(const struct account_work *w, const struct db_subject *subject,
				const char *sector, const char *kept, const char **out,
				struct err *err);

/* The same where none is kept: computed, and written nowhere.  Another key makes another one. */
MUST_USE bool account_pseudonym_made(const struct account_work *w, const struct db_subject *subject,
				     const char *sector, const char **out, struct err *err);

/* "Erika Mustermann" for pages of the person itself; "" without names. */
const char *account_person_name(struct arena *a, struct held_list held);

#endif
