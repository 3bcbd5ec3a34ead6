/* Keys between the database's rows and the keyring's. */
#ifndef KONTOR_IDP_KEY_ROWS_H
#define KONTOR_IDP_KEY_ROWS_H

#include "db/key.h"
#include "keys/keyring.h"

struct db_key key_row_to_db(const struct key_row *row);

/* All keys of the instance as a keyring in the call's arena. */
MUST_USE bool key_rows_load(const struct db_call *c, const struct keyring **out, struct err *err);

#endif
