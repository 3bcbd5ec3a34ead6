/* Tickets; see ticket.h. */
#include "db/ticket.h"

#include "db/dated.h"
#include "db/statements.h"

enum { CREATE, LOOK, TAKE };

#define TICKET_COLUMNS "subject, data, created, expires"

const struct db_statement db_ticket_statements[] = {
	[CREATE] = {"ticket_create", DB_LAZY, T_TICKET, 2, "ibbbii",
		    "INSERT INTO ticket (day, hash, subject, data, created, expires)"
		    " VALUES ($1, $2, $3, $4, $5, $6)"},
	[LOOK] = {"ticket_look", DB_READ, T_TICKET, 2, "ibi",
		  "SELECT " TICKET_COLUMNS " FROM ticket"
		  " WHERE day = $1 AND hash = $2 AND expires > $3"},
	[TAKE] = {"ticket_take", DB_DURABLE, T_TICKET, 2, "ibi",
		  "WITH pick AS MATERIALIZED (SELECT FROM ticket"
		  " WHERE day = $1 AND hash = $2 AND expires > $3 FOR UPDATE SKIP LOCKED)"
		  " DELETE FROM ticket USING pick WHERE day = $1 AND hash = $2"
		  " RETURNING " TICKET_COLUMNS},
	{0},
};

/* Keeps the purposes of tickets apart from those of codes and tokens. */
static bool
parse(struct arena *a, const char *purpose, const char *text, struct db_dated *out)
{
	return db_dated_parse(arena_printf(a, "ticket:%s", purpose), text, out);
}

bool
db_ticket_create(const struct db_call *c, const char *purpose, const char *text,
		 const struct db_ticket *ticket, time_t now, struct err *err)
{
	struct db_dated at;

	if (!parse(c->a, purpose, text, &at))
		return FAIL(err, ERR_INTERNAL, NULL, "not a ticket");
	return db_run(c, &db_ticket_statements[CREATE],
		      DB_ARGS(db_int(at.day), db_octets(at.hash, sizeof(at.hash)),
			      db_id(ticket->subject), db_bytes(ticket->data), db_int(now),
			      db_int(ticket->expires)),
		      NULL, err);
}

/* Look and take differ in the statement only. */
static bool
get_ticket(const struct db_call *c, const struct db_statement *st, const char *purpose,
	   const char *text, time_t now, const struct db_ticket **out, struct err *err)
{
	struct db_dated at;
	struct db_rows *rows = NULL;

	if (parse(c->a, purpose, text, &at) &&
	    !db_run(c, st,
		    DB_ARGS(db_int(at.day), db_octets(at.hash, sizeof(at.hash)), db_int(now)),
		    &rows, err))
		return false;
	if (rows == NULL || rows->n == 0) {
		*out = NULL;
		return true;
	}
	struct db_ticket *ticket = ARENA_NEW(c->a, struct db_ticket);

	*ticket = (struct db_ticket){.subject = db_get_id_opt(rows, 0, 0),
				     .data = db_get_bytes(rows, 0, 1),
				     .created = db_get_int(rows, 0, 2),
				     .expires = db_get_int(rows, 0, 3)};
	if (!db_rows_check(rows, err))
		return false;
	*out = ticket;
	return true;
}

bool
db_ticket_look(const struct db_call *c, const char *purpose, const char *text, time_t now,
	       const struct db_ticket **out, struct err *err)
{
	return get_ticket(c, &db_ticket_statements[LOOK], purpose, text, now, out, err);
}

bool
db_ticket_take(const struct db_call *c, const char *purpose, const char *text, time_t now,
	       const struct db_ticket **out, struct err *err)
{
	return get_ticket(c, &db_ticket_statements[TAKE], purpose, text, now, out, err);
}
