/* Single logouts; see logout.h. */
#include "db/logout.h"

#include "base/json.h"
#include "base/rand.h"
#include "base/text.h"
#include "db/dated.h"
#include "db/statements.h"

enum { CREATE, PORTALS, LOAD, NEXT, ANSWER };

const struct db_statement db_logout_statements[] = {
	/* One logout may end several sessions, each in a transaction of its own. */
	[CREATE] = {"logout_create", DB_IN_TX, T_LOGOUT, 0, "ibtii",
		    "INSERT INTO logout (day, hash, back, created, expires)"
		    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"},
	[PORTALS] =
		{"logout_portals", DB_IN_TX, T_LOGOUT, 0, "ibt",
		 "INSERT INTO logout_portal (day, hash, id, party, channel, content, outbox, state)"
		 " SELECT $1, $2, p.id, p.party, p.channel, p.content, p.outbox, 'waiting'"
		 " FROM jsonb_to_recordset($3::jsonb) AS p(id text, party text, channel text,"
		 " content text, outbox text)"},
	/* What the outbox does is its own row's to say; a result while it waits: a try failed. */
	[LOAD] = {"logout_load", DB_READ, T_LOGOUT, 2, "ibi",
		  "SELECT l.back, p.party, p.channel, CASE"
		  " WHEN p.channel = 'none' THEN 'failed'"
		  " WHEN p.channel = 'front' THEN p.state"
		  " WHEN p.channel = 'frame' THEN 'claimed'"
		  " WHEN o.state = 'done' THEN coalesce(o.result, '')"
		  " WHEN o.state = 'waiting' AND o.result IS NULL THEN 'waiting'"
		  " WHEN o.state = 'waiting' THEN 'retrying'"
		  " ELSE 'failed' END, p.content FROM logout l"
		  " LEFT JOIN logout_portal p ON p.day = $1 AND p.hash = $2"
		  " LEFT JOIN outbox o ON o.id = p.outbox"
		  " WHERE l.day = $1 AND l.hash = $2 AND l.expires > $3"
		  " ORDER BY p.party, p.id"},
	[NEXT] = {"logout_next", DB_DURABLE, T_LOGOUT, 2, "ibbi",
		  "UPDATE logout_portal SET state = 'sent', request = $3"
		  " WHERE day = $1 AND hash = $2 AND id = (SELECT p.id FROM logout_portal p"
		  " WHERE p.day = $1 AND p.hash = $2 AND p.channel = 'front'"
		  " AND p.state = 'waiting' AND EXISTS (SELECT FROM logout l"
		  " WHERE l.day = $1 AND l.hash = $2 AND l.expires > $4)"
		  " ORDER BY p.party, p.id LIMIT 1 FOR UPDATE OF p SKIP LOCKED)"
		  " RETURNING party, content"},
	[ANSWER] = {"logout_answer", DB_DURABLE, T_LOGOUT, 2, "ibtt",
		    "UPDATE logout_portal SET state = $4"
		    " WHERE day = $1 AND request = $2 AND party = $3 AND state = 'sent'"
		    " RETURNING 1"},
	{0},
};

#define PURPOSE         "logout"
#define REQUEST_PURPOSE "logout request"

static const char *const channels[] = {
	[DB_CHANNEL_NONE] = "none",
	[DB_CHANNEL_OUTBOX] = "outbox",
	[DB_CHANNEL_FRONT] = "front",
	[DB_CHANNEL_FRAME] = "frame",
};

static const char *const states[] = {
	[DB_TOLD_WAITING] = "waiting",     [DB_TOLD_SENT] = "sent",
	[DB_TOLD_CONFIRMED] = "confirmed", [DB_TOLD_CLAIMED] = "claimed",
	[DB_TOLD_RETRYING] = "retrying",   [DB_TOLD_FAILED] = "failed",
};

/* ---- ending ---- */

/* The rows of a plan as the statements take them: for the outbox and for the page. */
static json_t *
rows_of(struct arena *a, const struct db_told *told, size_t n, time_t until,
	struct db_outbox_item *items, size_t *n_items)
{
	json_t *list = json_new_array(a);

	*n_items = 0;
	for (size_t i = 0; i < n; i++) {
		json_t *o = json_new_object(a);

		json_put_str(a, o, "id", rand_token(a, 16));
		json_put_str(a, o, "party", told[i].party);
		json_put_str(a, o, "channel", channels[told[i].channel]);
		/* What only the outbox sends is kept there alone. */
		json_put_str(a, o, "content",
			     told[i].channel == DB_CHANNEL_OUTBOX ? "" : told[i].content);
		if (told[i].channel == DB_CHANNEL_OUTBOX) {
			const char *id = rand_token(a, 16);

			json_put_str(a, o, "outbox", id);
			items[(*n_items)++] = (struct db_outbox_item){
				.id = id,
				.kind = told[i].kind,
				.target = told[i].party,
				.content = told[i].content,
				.expires = until,
			};
		}
		json_push(a, list, o);
	}
	return list;
}

bool
db_logout_add_tx(struct db_tx *tx, struct arena *a, const struct db_telling *t,
		 const struct db_participant *participants, size_t n_participants, time_t now,
		 struct err *err)
{
	const struct db_told *told;
	struct db_dated at;
	size_t n, n_items;

	t->plan(t->ctx, a, participants, n_participants, &told, &n);
	struct db_outbox_item *items = ARENA_ARRAY(a, struct db_outbox_item, n + 1);
	json_t *rows = rows_of(a, told, n, t->until, items, &n_items);

	if (!db_outbox_add_tx(tx, a, items, n_items, now, err))
		return false;
	if (t->handle == NULL || n == 0)
		return true;
	if (!db_dated_parse(PURPOSE, t->handle, &at))
		return FAIL(err, ERR_INTERNAL, NULL, "not a handle of a logout");
	struct db_param hash = db_octets(at.hash, sizeof(at.hash));

	return db_tx_run(tx, &db_logout_statements[CREATE],
			 DB_ARGS(db_int(at.day), hash, db_text(t->back), db_int(now),
				 db_int(t->handle_expires)),
			 NULL, err) &&
	       db_tx_run(tx, &db_logout_statements[PORTALS],
			 DB_ARGS(db_int(at.day), hash, db_text(json_text(a, rows, false))), NULL,
			 err);
}

/* ---- the browser's way ---- */

/* A word that is none of ours counts as the worst. */
static enum db_told_state
state_of(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (text_eq(word, states[i]))
			return (enum db_told_state)i;
	return DB_TOLD_FAILED;
}

static enum db_channel
channel_of(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(channels); i++)
		if (text_eq(word, channels[i]))
			return (enum db_channel)i;
	return DB_CHANNEL_NONE;
}

bool
db_logout_load(const struct db_call *c, const char *handle, time_t now,
	       const struct db_logout **out, struct err *err)
{
	struct db_dated at;
	struct db_rows *rows = NULL;

	if (db_dated_parse(PURPOSE, handle, &at) &&
	    !db_run(c, &db_logout_statements[LOAD],
		    DB_ARGS(db_int(at.day), db_octets(at.hash, sizeof(at.hash)), db_int(now)),
		    &rows, err))
		return false;
	if (rows == NULL || rows->n == 0) {
		*out = NULL;
		return true;
	}
	struct db_told_row *list = ARENA_ARRAY(c->a, struct db_told_row, rows->n);
	struct db_logout *l = ARENA_NEW(c->a, struct db_logout);

	*l = (struct db_logout){.back = db_get_text(rows, 0, 0), .rows = list, .n = rows->n};
	for (size_t i = 0; i < rows->n; i++)
		list[i] = (struct db_told_row){.party = db_get_text(rows, i, 1),
					       .channel = channel_of(db_get_text(rows, i, 2)),
					       .state = state_of(db_get_text(rows, i, 3)),
					       .content = db_get_text(rows, i, 4)};
	if (!db_rows_check(rows, err))
		return false;
	*out = l;
	return true;
}

bool
db_logout_next(const struct db_call *c, const char *handle, time_t now,
	       const struct db_logout_step **out, struct err *err)
{
	struct db_dated at, request_at;
	struct db_rows *rows = NULL;
	struct db_logout_step *step = NULL;

	*out = NULL;
	if (!db_dated_parse(PURPOSE, handle, &at))
		return true;
	/* Of the same day, so that the answer leads to the same partition. */
	const char *request = db_dated_create(c->a, at.day * DAY_S);

	if (!db_dated_parse(REQUEST_PURPOSE, request, &request_at))
		return FAIL(err, ERR_INTERNAL, NULL, "not an id of a request");
	if (!db_run(c, &db_logout_statements[NEXT],
		    DB_ARGS(db_int(at.day), db_octets(at.hash, sizeof(at.hash)),
			    db_octets(request_at.hash, sizeof(request_at.hash)), db_int(now)),
		    &rows, err))
		return false;
	if (rows->n == 0)
		return true;
	step = ARENA_NEW(c->a, struct db_logout_step);
	*step = (struct db_logout_step){.party = db_get_text(rows, 0, 0),
					.content = db_get_text(rows, 0, 1),
					.request = arena_printf(c->a, "_%s", request)};
	if (!db_rows_check(rows, err))
		return false;
	*out = step;
	return true;
}

bool
db_logout_answer(const struct db_call *c, const char *party, const char *request,
		 enum db_told_state state, bool *taken, struct err *err)
{
	struct db_dated at;

	*taken = false;
	if (request[0] != '_' || !db_dated_parse(REQUEST_PURPOSE, request + 1, &at))
		return true;
	return db_run_did(c, &db_logout_statements[ANSWER],
			  DB_ARGS(db_int(at.day), db_octets(at.hash, sizeof(at.hash)),
				  db_text(party), db_text(states[state])),
			  taken, err);
}
