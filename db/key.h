/*
 * Key rows: public part and sealed private part.  Purposes and types are those
 * of keys/key_ops.h.  A key moves only forward: planned, published, active,
 * retired, gone; at most one is active per purpose and type.
 */
#ifndef KONTOR_DB_KEY_H
#define KONTOR_DB_KEY_H

#include "db/audit.h"

enum db_key_state {
	DB_KEY_PLANNED = 1,
	DB_KEY_PUBLISHED = 2,
	DB_KEY_ACTIVE = 3,
	DB_KEY_RETIRED = 4,
	DB_KEY_GONE = 5,
};

/* Where the private half lies: enum key_place (keys/keyring.h). */
enum db_key_place {
	DB_KEY_SEALED = 1,
	DB_KEY_HSM = 2,
};

/* "planned" …; NULL for a number that is none. */
const char *db_key_state_name(enum db_key_state state);
MUST_USE bool db_key_state_from_name(const char *name, enum db_key_state *out);

struct db_key {
	const char *kid;
	int purpose, type; /* enum key_purpose, enum key_type */
	enum db_key_state state;
	enum db_key_place place;
	int64_t generation;       /* counts the keys of a purpose and type from 1 */
	struct bytes spki;        /* DER; n = 0 for secrets */
	struct bytes certificate; /* DER; n = 0: none */
	struct bytes sealed;      /* n = 0 once gone */
	time_t created, state_since;
};

/* All of them, by purpose, type, generation. */
MUST_USE bool db_key_list(const struct db_call *c, const struct db_key **out, size_t *n,
			  struct err *err);

/*
 * generation is set here (*generation: the next one), created and state_since
 * are `now`.  ERR_CONFLICT: the kid is there, or a second one would be active.
 */
MUST_USE bool db_key_add(const struct db_call *c, const struct db_key *key,
			 const struct db_audit *audit, time_t now, int64_t *generation,
			 struct err *err);

/*
 * Under the advisory lock for keys.  To DB_KEY_ACTIVE: the one active before is
 * retired with it.  To DB_KEY_GONE: the sealed part is destroyed.  ERR_DENIED:
 * backward; ERR_NOT_FOUND: no such key.
 */
MUST_USE bool db_key_move(const struct db_call *c, const char *kid, enum db_key_state state,
			  const struct db_audit *audit, time_t now, struct err *err);

/* Replace the sealed part (`kontor key rewrap`) if it still is `old`; *replaced says so. */
MUST_USE bool db_key_rewrap(const struct db_call *c, const char *kid, struct bytes old,
			    struct bytes sealed, bool *replaced, struct err *err);

#endif
