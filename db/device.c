/* Devices; see device.h. */
#include "db/device.h"

#include "base/text.h"
#include "db/dated.h"
#include "db/statements.h"

#define DEVICE "device"
#define USER   "device-user"

enum { CREATE, FIND, ANSWER, TAKE_BACK, ASK, SWEEP };

const struct db_statement db_device_statements[] = {
	[CREATE] =
		{"device_create", DB_LAZY, T_DEVICE, 1, "bbibttiii",
		 "INSERT INTO device (hash, user_hash, day, code, party, scope, state, pause, soon,"
		 " created, expires) VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, false, $8, $9)"
		 " ON CONFLICT (user_hash) DO NOTHING RETURNING 1"},
	[FIND] = {"device_find", DB_READ, T_DEVICE, 1, "bi",
		  "SELECT party, scope, expires FROM device"
		  " WHERE user_hash = $1 AND state = 'waiting' AND expires > $2"},
	[ANSWER] = {"device_answer", DB_DURABLE, T_DEVICE, 1, "bti",
		    "UPDATE device SET state = $2"
		    " WHERE user_hash = $1 AND state = 'waiting' AND expires > $3"
		    " RETURNING day, code"},
	[TAKE_BACK] =
		{"device_take_back", DB_DURABLE, T_DEVICE, 1, "b",
		 "UPDATE device SET state = 'denied' WHERE user_hash = $1 AND state = 'agreed'"
		 " AND NOT EXISTS (SELECT FROM grant_code g"
		 " WHERE g.day = device.day AND g.hash = device.code)"},
	/* What is set is judged by what was there before.  A second of grace for the way here. */
	[ASK] = {"device_ask", DB_LAZY, T_DEVICE, 1, "bti",
		 "UPDATE device SET soon = coalesce($3 < asked + pause - 1, false),"
		 " pause = pause + CASE WHEN $3 < asked + pause - 1 THEN 5 ELSE 0 END, asked = $3"
		 " WHERE hash = $1 AND party = $2 RETURNING CASE"
		 " WHEN expires <= $3 THEN 'expired' WHEN state = 'denied' THEN 'denied'"
		 " WHEN state = 'agreed' AND EXISTS (SELECT FROM grant_code g"
		 " WHERE g.day = device.day AND g.hash = device.code) THEN 'agreed'"
		 " WHEN soon THEN 'soon' ELSE 'waiting' END"},
	[SWEEP] = {"device_sweep", DB_IN_TX, T_DEVICE, 0, "ii",
		   "WITH gone AS (DELETE FROM device WHERE hash IN (SELECT hash FROM device"
		   " WHERE expires < $1 LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1)"
		   " SELECT count(*) FROM gone"},
	{0},
};

struct bytes
db_device_user(struct arena *a, const char *user_code)
{
	return db_hash(a, USER, bytes_of(user_code));
}

bool
db_device_create(const struct db_call *c, const char *code, struct bytes user,
		 const struct db_device *d, int64_t pause_s, time_t now, bool *created,
		 struct err *err)
{
	struct db_dated at;

	if (!db_grant_code_at(code, &at))
		return FAIL(err, ERR_INTERNAL, NULL, "not a code");
	return db_run_did(c, &db_device_statements[CREATE],
			  DB_ARGS(db_bytes(db_hash(c->a, DEVICE, bytes_of(code))), db_bytes(user),
				  db_int(at.day), db_octets(at.hash, sizeof(at.hash)),
				  db_text(d->party), db_text(d->scope), db_int(pause_s),
				  db_int(now), db_int(d->expires)),
			  created, err);
}

bool
db_device_find(const struct db_call *c, struct bytes user, time_t now, const struct db_device **out,
	       struct err *err)
{
	struct db_device *d = NULL;
	struct db_rows *rows;

	if (!db_run(c, &db_device_statements[FIND], DB_ARGS(db_bytes(user), db_int(now)), &rows,
		    err))
		return false;
	if (rows->n > 0) {
		d = ARENA_NEW(c->a, struct db_device);
		*d = (struct db_device){.party = db_get_text(rows, 0, 0),
					.scope = db_get_text(rows, 0, 1),
					.expires = db_get_int(rows, 0, 2)};
	}
	if (!db_rows_check(rows, err))
		return false;
	*out = d;
	return true;
}

bool
db_device_answer(const struct db_call *c, struct bytes user, bool agreed, time_t now, bool *first,
		 struct db_dated *code, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_device_statements[ANSWER],
		    DB_ARGS(db_bytes(user), db_text(agreed ? "agreed" : "denied"), db_int(now)),
		    &rows, err))
		return false;
	*first = rows->n > 0;
	if (!*first)
		return true;
	code->day = db_get_int(rows, 0, 0);
	db_get_octets(rows, 0, 1, code->hash, sizeof(code->hash));
	return db_rows_check(rows, err);
}

bool
db_device_take_back(const struct db_call *c, struct bytes user, struct err *err)
{
	return db_run(c, &db_device_statements[TAKE_BACK], DB_ARGS(db_bytes(user)), NULL, err);
}

/* A word that is none of ours counts as no code. */
static enum db_device_state
state_of(const char *word)
{
	static const char *const words[] = {
		[DB_DEVICE_UNKNOWN] = "",        [DB_DEVICE_EXPIRED] = "expired",
		[DB_DEVICE_DENIED] = "denied",   [DB_DEVICE_SOON] = "soon",
		[DB_DEVICE_WAITING] = "waiting", [DB_DEVICE_AGREED] = "agreed",
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (text_eq(word, words[i]))
			return (enum db_device_state)i;
	return DB_DEVICE_UNKNOWN;
}

bool
db_device_ask(const struct db_call *c, const char *code, const char *party, time_t now,
	      enum db_device_state *out, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_device_statements[ASK],
		    DB_ARGS(db_bytes(db_hash(c->a, DEVICE, bytes_of(code))), db_text(party),
			    db_int(now)),
		    &rows, err))
		return false;
	*out = rows->n == 0 ? DB_DEVICE_UNKNOWN : state_of(db_get_text(rows, 0, 0));
	return db_rows_check(rows, err);
}

bool
db_device_sweep(const struct db_call *c, time_t before, int64_t limit, time_t now, int64_t *n,
		struct err *err)
{
	return db_sweep(c, &db_device_statements[SWEEP], db_int(before), limit, now, n, err);
}
