/*
 * The audit trail: one row per event, written in the statement or transaction
 * that makes the change, never altered (a trigger refuses).  Most functions that
 * change something lasting take a struct db_audit and write it themselves; NULL
 * there means that the caller has another row for it.
 */
#ifndef KONTOR_DB_AUDIT_H
#define KONTOR_DB_AUDIT_H

#include "db/db.h"

struct db_audit {
	const char *event;                /* a name of the event table in idp/audit.c; never NULL */
	const char *ref;                  /* the request's reference id; never NULL */
	const struct subject_id *subject; /* acting; NULL: none */
	const char *party;                /* NULL: none */
	const char *details;              /* a JSON object as text; NULL: {} */
};

/* An event with no change beside it (a refused login).  Durable. */
MUST_USE bool db_audit_add(const struct db_call *c, const struct db_audit *audit, time_t now,
			   struct err *err);

struct db_audit_row {
	int64_t seq;
	time_t at;
	struct db_audit audit;
};

/* What is looked for; NULL: any. */
struct db_audit_query {
	const struct subject_id *subject;
	const char *party, *event, *ref;
	int64_t limit;
};

/* The youngest that fit, oldest first. */
MUST_USE bool db_audit_list(const struct db_call *c, const struct db_audit_query *query,
			    const struct db_audit_row **out, size_t *n, struct err *err);

MUST_USE bool db_audit_add_tx(struct db_tx *tx, const struct db_audit *audit, time_t now,
			      struct err *err);

#endif
