/*
 * Tickets: one-time things that carry somebody from one step to another
 * (hand-over between listeners, invitations).  The purpose goes into the hash,
 * so a ticket for one step is unknown at another.
 */
#ifndef KONTOR_DB_TICKET_H
#define KONTOR_DB_TICKET_H

#include "db/db.h"

struct db_ticket {
	const struct subject_id *subject; /* NULL: none */
	struct bytes data;                /* n may be 0 */
	time_t created, expires;
};

/* `text`: db_dated_create(a, ticket->expires).  created is `now`.  Lazy. */
MUST_USE bool db_ticket_create(const struct db_call *c, const char *purpose, const char *text,
			       const struct db_ticket *ticket, time_t now, struct err *err);

/* What taking it would give now; nothing is used up. */
MUST_USE bool db_ticket_look(const struct db_call *c, const char *purpose, const char *text,
			     time_t now, const struct db_ticket **out, struct err *err);

/* One durable statement.  *out is NULL: unknown, expired, of another purpose, taken before. */
MUST_USE bool db_ticket_take(const struct db_call *c, const char *purpose, const char *text,
			     time_t now, const struct db_ticket **out, struct err *err);

#endif
