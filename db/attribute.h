/*
 * Attributes of a subject: a sealed value, its level and its source.  Also
 * "verified to be empty" is a value with a level (no birth name differs from
 * never asked); that it is empty stands beside it so that nobody has to open it.
 */
#ifndef KONTOR_DB_ATTRIBUTE_H
#define KONTOR_DB_ATTRIBUTE_H

#include "db/audit.h"

struct db_attribute {
	const char *name;      /* a row of idp/'s attribute table */
	struct bytes sealed;   /* under the account's key */
	bool empty;            /* the sealed value is "known to be empty" */
	int level;             /* 1..4 */
	const char *source;    /* "self", "proofing", … */
	time_t verified_at;    /* 0: never verified */
	struct bytes proofing; /* id of the proofing that raised it, 16 octets; n = 0: none */
};

/* All of a subject, sorted by name. */
MUST_USE bool db_attribute_load(const struct db_call *c, struct subject_id subject,
				const struct db_attribute **out, size_t *n, struct err *err);

/* Insert or replace all of them in one durable transaction.  ERR_NOT_FOUND: no such subject. */
MUST_USE bool db_attribute_put(const struct db_call *c, struct subject_id subject,
			       const struct db_attribute *attributes, size_t n,
			       const struct db_audit *audit, time_t now, struct err *err);

MUST_USE bool db_attribute_put_tx(struct db_tx *tx, struct subject_id subject,
				  const struct db_attribute *attributes, size_t n, struct err *err);

#endif
