/*
 * The listener: a connection that hears what other nodes changed (LISTEN
 * kontor) and looks at the database's clock every 15 s.
 */
#ifndef KONTOR_DB_LISTEN_H
#define KONTOR_DB_LISTEN_H

#include "db/db.h"

struct listener;

struct listener_status {
	bool connected, clock_known;
	int64_t ahead_s;       /* the node's clock of the database's: now, also when it has jumped
				  since the last look */
	int64_t deaf_since_us; /* clock_mono_us() when notices ceased to come; connected: 0 */
	uint64_t connects;
	char trouble[240];
};

/* NULL: out of threads or memory.  The options must outlive it. */
struct listener *listener_create(const struct db_options *options);
void listener_destroy(struct listener *l); /* NULL is fine */
void listener_status(struct listener *l, struct listener_status *out);

#endif
