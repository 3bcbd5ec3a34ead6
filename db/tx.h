/* The pool of connections behind db_tx_begin. */
#ifndef KONTOR_DB_TX_H
#define KONTOR_DB_TX_H

#include "db/db.h"

struct pool;

/* NULL: out of memory.  Connects when first needed.  The texts must outlive it. */
struct pool *pool_create(const char *conninfo, const char *application_name, unsigned most);
void pool_destroy(struct pool *pool); /* NULL is fine */

/* How many commits ended in "outcome unknown". */
uint64_t pool_unknown(struct pool *pool);

struct pool *db_pool(struct db *db);

/* The node's clock, and how far it may be from the database's. */
#define SKEW_MOST_S 2

/* Records that the node's clock is so far ahead (negative: behind); returns false. */
bool db_fail_clock(int64_t ahead_s, struct err *err);
time_t (*db_clock(struct db *db))(void);

/* The writers cannot reach the database either: no use in trying. */
bool db_refuses(struct db *db);

#endif
