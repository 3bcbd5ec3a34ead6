/*
 * What a test does while an answer is signed.  Its program is linked with
 * -Wl,--wrap=signer_key_ops.
 */
#ifndef KONTOR_TESTS_FLOW_SIGNING_H
#define KONTOR_TESTS_FLOW_SIGNING_H

#include "tests/db/pg.h"

/* SQL that runs at the next signature, once; NULL: none.  It has to last until then. */
void while_signing(struct pg *pg, const char *sql);

/* Whether it ran. */
bool was_signed(void);

#endif
