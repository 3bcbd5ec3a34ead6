/*
 * How long we wait for the other end of a connection: for a head, a body, the
 * next request, the taking of an answer.  Who is late is shut down by a thread
 * that looks ten times a second, since libmicrohttpd only knows how long a
 * connection has been silent, not how long it dribbles.
 */
#ifndef KONTOR_IDP_PATIENCE_H
#define KONTOR_IDP_PATIENCE_H

#include <stdatomic.h>

#include "idp/config.h"

/* What a connection is doing; each but PATIENCE_WORK has its limit in the configuration. */
enum patience_phase {
	PATIENCE_HEAD, /* new, or its next request has begun */
	PATIENCE_IDLE, /* kept, between two requests */
	PATIENCE_BODY,
	PATIENCE_WORK, /* it waits for us */
	PATIENCE_SEND,
};

/* Part of a connection's own memory. */
struct patience_item {
	struct patience_item *next, *prev;
	int fd;
	atomic_int phase;
	atomic_int_fast64_t since_us;
};

struct patience;

/* Lives in `a`; config must outlive it.  ERR_UNAVAILABLE: no thread. */
MUST_USE bool patience_start(struct arena *a, const struct config *config, struct patience **out,
			     struct err *err);
void patience_stop(struct patience *p); /* p may be NULL */

/* From its beginning to just before its descriptor is closed, a connection is watched. */
void patience_add(struct patience *p, struct patience_item *item, int fd);
void patience_remove(struct patience *p, struct patience_item *item);

/* The item enters a phase now. */
void patience_enter(struct patience_item *item, enum patience_phase phase);
enum patience_phase patience_phase_of(const struct patience_item *item);

/* One look: shut down whoever is late at now_us (clock_mono_us). */
void patience_look(struct patience *p, int64_t now_us);

#endif
