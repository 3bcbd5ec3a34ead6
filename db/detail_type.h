/*
 * Types of authorization details (RFC 9396), as the operator wrote them.  Every change is notified
 * as one of the parties is, so that nodes load them again.
 */
#ifndef KONTOR_DB_DETAIL_TYPE_H
#define KONTOR_DB_DETAIL_TYPE_H

#include "db/audit.h"

struct db_detail_type {
	const char *name;
	struct bytes document; /* JSON; see oidc/details.h */
	time_t changed;
};

/* Insert or replace; changed is `now`.  Durable. */
MUST_USE bool db_detail_type_save(const struct db_call *c, const struct db_detail_type *type,
				  const struct db_audit *audit, time_t now, struct err *err);

/* All of them, by name. */
MUST_USE bool db_detail_type_list(const struct db_call *c, const struct db_detail_type **out,
				  size_t *n, struct err *err);

/* ERR_NOT_FOUND: there is none.  Durable. */
MUST_USE bool db_detail_type_remove(const struct db_call *c, const char *name,
				    const struct db_audit *audit, time_t now, struct err *err);

#endif
