/* Settings that hold for all nodes: name, value, version.  Names and meaning: idp/config.c. */
#ifndef KONTOR_DB_SETTING_H
#define KONTOR_DB_SETTING_H

#include "db/audit.h"

struct db_setting {
	const char *name, *value;
	int64_t version; /* counts the changes; 1 at first */
	time_t changed;
};

/* All of them, sorted by name. */
MUST_USE bool db_setting_list(const struct db_call *c, const struct db_setting **out, size_t *n,
			      struct err *err);

/*
 * version: the one the change was made upon, 0 for a setting that is not there
 * yet.  ERR_CONFLICT: somebody changed it meanwhile.  Durable, notified.
 */
MUST_USE bool db_setting_save(const struct db_call *c, const char *name, const char *value,
			      int64_t version, const struct db_audit *audit, time_t now,
			      struct err *err);

#endif
