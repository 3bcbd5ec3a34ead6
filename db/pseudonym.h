/*
 * Pseudonyms: what a subject is called in a sector.  Computed once (in the
 * signer) and kept, so that keys may change and imported values fit.
 */
#ifndef KONTOR_DB_PSEUDONYM_H
#define KONTOR_DB_PSEUDONYM_H

#include "db/db.h"

/* *out is NULL when there is none yet. */
MUST_USE bool db_pseudonym_find(const struct db_call *c, struct subject_id subject,
				const char *sector, const char **out, struct err *err);

/*
 * Keep `value` unless one is kept already; *out is the one that stands.
 * generation: of the key it was made with; 0: imported.  ERR_CONFLICT: another
 * subject has this value in this sector.  Durable.
 */
MUST_USE bool db_pseudonym_keep(const struct db_call *c, struct subject_id subject,
				const char *sector, int64_t generation, const char *value,
				time_t now, const char **out, struct err *err);

/* The subject behind a value; NULL when there is none. */
MUST_USE bool db_pseudonym_subject(const struct db_call *c, const char *sector, const char *value,
				   const struct subject_id **out, struct err *err);

#endif
