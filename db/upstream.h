/*
 * Other identity providers, registered by hand: their metadata and the policy that is ours.  Every
 * change is notified as one of the parties is, so that nodes load them again.
 */
#ifndef KONTOR_DB_UPSTREAM_H
#define KONTOR_DB_UPSTREAM_H

#include "db/audit.h"

struct db_upstream {
	const char *id;   /* a short word, which pseudonyms of its people keep for ever */
	const char *kind; /* idp/upstream.c has the table */
	const char *display_name;
	struct bytes document; /* its metadata */
	const char *policy;    /* a JSON object as text */
	bool enabled;
	time_t changed;
};

/* Insert or replace; changed is `now`.  Durable. */
MUST_USE bool db_upstream_save(const struct db_call *c, const struct db_upstream *upstream,
			       const struct db_audit *audit, time_t now, struct err *err);

/* All of them, disabled ones too, by id. */
MUST_USE bool db_upstream_list(const struct db_call *c, const struct db_upstream **out, size_t *n,
			       struct err *err);

/* ERR_NOT_FOUND: there is none.  Durable. */
MUST_USE bool db_upstream_set_enabled(const struct db_call *c, const char *id, bool enabled,
				      const struct db_audit *audit, time_t now, struct err *err);
MUST_USE bool db_upstream_remove(const struct db_call *c, const char *id,
				 const struct db_audit *audit, time_t now, struct err *err);

#endif
