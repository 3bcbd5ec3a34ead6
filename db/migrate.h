/*
 * The schema's history: numbered SQL files built into the program, each applied
 * once, in order, in a transaction of its own, its checksum kept.  A file begins
 * with a line that says which programs can work with the schema after it:
 *
 *	-- programs from 0003
 *
 * that is, those that know at least migration 0003.  So a release can expand the
 * schema while the one before still runs, and an older one refuses.
 */
#ifndef KONTOR_DB_MIGRATE_H
#define KONTOR_DB_MIGRATE_H

#include "base/embed.h"
#include "db/db.h"

/* The program's own migrations: "0001_subject.sql" …; ends with a NULL name. */
extern const struct embed_file db_migrations[];

struct db_migrated {
	int64_t from, to; /* schema versions before and after; 0: none */
};

/*
 * Bring the schema up to date, under an advisory lock, on a connection of its
 * own.  ERR_DENIED and nothing changed: an applied file has another checksum, a
 * gap, a schema newer than `files`.  ERR_UNAVAILABLE: no connection, or a lock
 * was not to be had (2 s).
 */
MUST_USE bool db_migrate(struct arena *a, const char *conninfo, const struct embed_file *files,
			 time_t now, struct db_migrated *out, struct err *err);

/*
 * May this program work with the schema as it is?  ERR_DENIED says why not:
 * migrations missing, checksum changed, newer schema that needs a newer program.
 */
MUST_USE bool db_schema_check(struct arena *a, const char *conninfo, const struct embed_file *files,
			      struct err *err);

#endif
