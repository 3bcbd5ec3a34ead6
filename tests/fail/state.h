/*
 * All that a command can change, the rows of every table and the master key file, as text that
 * can be compared, and put back.
 */
#ifndef KONTOR_TESTS_FAIL_STATE_H
#define KONTOR_TESTS_FAIL_STATE_H

#include "tests/db/pg.h"

/* What the functions below need in the database, beside the schema "public". */
void state_setup(struct pg *pg);

/*
 * Octet for octet; or as it comes out of each run anew: without what is random, counted up by
 * the database, or a time.  Waits for the command's connections to be gone.
 */
const char *state_text(struct pg *pg, const char *file, bool masked);

/* Remember the rows and the file under a name; bring them back. */
void state_save(struct pg *pg, const char *file, const char *name);
void state_restore(struct pg *pg, const char *file, const char *name);

#endif
