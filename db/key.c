/* Key rows and their states; see key.h. */
#include "db/key.h"

#include "db/names.h"
#include "db/statements.h"

enum { LIST, LOCK, ADD, RETIRE_ACTIVE, MOVE, REWRAP };

static const char *const states[] = {NULL, "planned", "published", "active", "retired", "gone"};
static const char *const places[] = {NULL, "sealed", "hsm"};

const struct db_statement db_key_statements[] = {
	[LIST] =
		{"key_list", DB_READ, T_KEY, 0, "",
		 "SELECT kid, purpose, type, state, generation, spki, certificate, sealed, created,"
		 " state_since, place FROM key ORDER BY purpose, type, generation"},
	[LOCK] = {"key_lock", DB_IN_TX, T_KEY, 0, "",
		  "SELECT FROM pg_advisory_xact_lock(hashtext('kontor key'))"},
	[ADD] = {"key_add", DB_IN_TX, T_KEY, 1, "tiitbbbit",
		 "INSERT INTO key (kid, purpose, type, state, spki, certificate, sealed, created,"
		 " state_since, place, generation)"
		 " SELECT $1, $2, $3, $4, $5, $6, $7, $8, $8, $9, coalesce(max(generation), 0) + 1"
		 " FROM key WHERE purpose = $2 AND type = $3 RETURNING generation"},
	[RETIRE_ACTIVE] = {"key_retire_active", DB_IN_TX, T_KEY, 1, "ti",
			   "UPDATE key SET state = 'retired', state_since = $2"
			   " WHERE state = 'active' AND kid <> $1 AND (purpose, type) ="
			   " (SELECT purpose, type FROM key WHERE kid = $1)"},
	[MOVE] = {"key_move", DB_IN_TX, T_KEY, 1, "tti",
		  "UPDATE key SET state = $2,"
		  " state_since = CASE WHEN state = $2 THEN state_since ELSE $3 END,"
		  " sealed = CASE WHEN $2 = 'gone' THEN NULL ELSE sealed END"
		  " WHERE kid = $1 RETURNING 1"},
	[REWRAP] = {"key_rewrap", DB_DURABLE, T_KEY, 1, "tbb",
		    "UPDATE key SET sealed = $3 WHERE kid = $1 AND sealed = $2 RETURNING 1"},
	{0},
};

const char *
db_key_state_name(enum db_key_state state)
{
	return db_name(states, ARRAY_LEN(states), (int)state);
}

bool
db_key_state_from_name(const char *name, enum db_key_state *out)
{
	int state = db_name_find(states, ARRAY_LEN(states), name);

	if (state != 0)
		*out = (enum db_key_state)state;
	return state != 0;
}

bool
db_key_list(const struct db_call *c, const struct db_key **out, size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_key_statements[LIST], NULL, 0, &rows, err))
		return false;
	struct db_key *list = ARENA_ARRAY(c->a, struct db_key, rows->n);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = (struct db_key){
			.kid = db_get_text(rows, i, 0),
			.purpose = (int)db_get_int(rows, i, 1),
			.type = (int)db_get_int(rows, i, 2),
			.state = (enum db_key_state)db_name_find(states, ARRAY_LEN(states),
								 db_get_text(rows, i, 3)),
			.generation = db_get_int(rows, i, 4),
			.spki = db_get_bytes_opt(rows, i, 5),
			.certificate = db_get_bytes_opt(rows, i, 6),
			.sealed = db_get_bytes_opt(rows, i, 7),
			.created = db_get_int(rows, i, 8),
			.state_since = db_get_int(rows, i, 9),
			.place = (enum db_key_place)db_name_find(places, ARRAY_LEN(places),
								 db_get_text(rows, i, 10)),
		};
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	*n = rows->n;
	return true;
}

static bool
add(struct db_tx *tx, const struct db_key *key, time_t now, int64_t *generation, struct err *err)
{
	struct db_rows *rows;

	if (!db_tx_run(tx, &db_key_statements[LOCK], NULL, 0, NULL, err) ||
	    !db_tx_run(tx, &db_key_statements[ADD],
		       DB_ARGS(db_text(key->kid), db_int(key->purpose), db_int(key->type),
			       db_text(db_key_state_name(key->state)), db_bytes_or_null(key->spki),
			       db_bytes_or_null(key->certificate), db_bytes_or_null(key->sealed),
			       db_int(now),
			       db_text(db_name(places, ARRAY_LEN(places), (int)key->place))),
		       &rows, err))
		return false;
	*generation = db_get_int(rows, 0, 0);
	return db_rows_check(rows, err);
}

bool
db_key_add(const struct db_call *c, const struct db_key *key, const struct db_audit *audit,
	   time_t now, int64_t *generation, struct err *err)
{
	struct db_tx *tx;
	int64_t next = 0;

	if (!db_tx_begin(c, &tx, err) ||
	    !db_tx_conclude(tx, add(tx, key, now, &next, err), audit, now, err))
		return false;
	*generation = next;
	return true;
}

static bool
move(struct db_tx *tx, const char *kid, enum db_key_state state, time_t now, struct err *err)
{
	struct db_rows *rows;

	if (!db_tx_run(tx, &db_key_statements[LOCK], NULL, 0, NULL, err))
		return false;
	if (state == DB_KEY_ACTIVE && !db_tx_run(tx, &db_key_statements[RETIRE_ACTIVE],
						 DB_ARGS(db_text(kid), db_int(now)), NULL, err))
		return false;
	if (!db_tx_run(tx, &db_key_statements[MOVE],
		       DB_ARGS(db_text(kid), db_text(db_key_state_name(state)), db_int(now)), &rows,
		       err))
		return false;
	return rows->n == 1 || FAIL(err, ERR_NOT_FOUND, NULL, "no such key");
}

bool
db_key_move(const struct db_call *c, const char *kid, enum db_key_state state,
	    const struct db_audit *audit, time_t now, struct err *err)
{
	struct db_tx *tx;

	return db_tx_begin(c, &tx, err) &&
	       db_tx_conclude(tx, move(tx, kid, state, now, err), audit, now, err);
}

bool
db_key_rewrap(const struct db_call *c, const char *kid, struct bytes old, struct bytes sealed,
	      bool *replaced, struct err *err)
{
	return db_run_did(c, &db_key_statements[REWRAP],
			  DB_ARGS(db_text(kid), db_bytes(old), db_bytes(sealed)), replaced, err);
}
