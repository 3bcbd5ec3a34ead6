/*
 * Short-lived things that are found by a text we gave out: codes, tokens,
 * tickets, flow ids.  The text carries the day its row expires on, so that the
 * row lies in a known partition ("20780.x7Kc…"); what is stored is the hash of
 * the whole text under its purpose, so that a text of one kind is worth nothing
 * as another, and one with a changed day is simply unknown.
 */
#ifndef KONTOR_DB_DATED_H
#define KONTOR_DB_DATED_H

#include "base/arena.h"

#define DAY_S 86400

/* Where a row lies.  day: of its expiry, days since the epoch. */
struct db_dated {
	int64_t day;
	unsigned char hash[32];
};

/* A new text of 256 random bits for something that expires at `expires`. */
const char *db_dated_create(struct arena *a, time_t expires);

/* False for a text that we cannot have given out. */
MUST_USE bool db_dated_parse(const char *purpose, const char *text, struct db_dated *out);

/* SHA-256 of a value under its purpose, for things that are looked up without a partition. */
struct bytes db_hash(struct arena *a, const char *purpose, struct bytes value);

/* The same into `out`. */
void db_hash_into(const char *purpose, struct bytes value, unsigned char out[32]);

#endif
