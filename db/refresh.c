/* Refresh tokens; see refresh.h. */
#include "db/refresh.h"

#include <string.h>

#include "base/enc.h"
#include "base/rand.h"
#include "db/dated.h"
#include "db/part.h"
#include "db/statements.h"

#define HANDLE_BYTES 16
#define HANDLE_CHARS 22
#define SECRET_BYTES 32
#define SECRET_CHARS 43

enum { FIND, USE, WAIT, LOCK, END, SWEEP };

/*
 * The end has an index, so it is moved on only by a 64th of its time at least: a row that changes
 * in no index is changed in its place, which spares seven entries in others.
 *
 * Who asks again is given no second successor: one derived by another key is refused.
 * Subjects and session are locked first, as who ends them does before the tokens go: so nobody
 * waits crosswise, and an access token that was given was given before the end.
 */
#define USE_IT(locked)                                                                          \
	"WITH look AS MATERIALIZED (SELECT party, acting, represented, sid, consent"            \
	" FROM refresh_token WHERE handle = $7 AND party = $8 AND expires > $1),"               \
	" who AS MATERIALIZED (SELECT FROM subject WHERE id = (SELECT acting FROM look)"        \
	" AND state = 'active' FOR KEY SHARE),"                                                 \
	" whom AS MATERIALIZED (SELECT FROM subject WHERE id = (SELECT represented FROM look)"  \
	" AND state = 'active' AND EXISTS (SELECT FROM who) FOR KEY SHARE),"                    \
	" alive AS MATERIALIZED (SELECT FROM session WHERE sid = (SELECT sid FROM look)"        \
	" AND expires > $1 AND EXISTS (SELECT FROM who) FOR KEY SHARE),"                        \
	" fit AS MATERIALIZED (SELECT FROM look, who"                                           \
	" WHERE (represented IS NULL OR EXISTS (SELECT FROM whom))"                             \
	" AND (sid IS NULL OR EXISTS (SELECT FROM alive))" DB_CONSENT_COVERS(                   \
		"look") "),"                                                                    \
			" pick AS MATERIALIZED (SELECT * FROM refresh_token WHERE handle "      \
			"= $7"                                                                  \
			" AND EXISTS (SELECT FROM fit)"                                         \
			" AND (secret = $9 OR (previous = $9 AND rotated > $19 AND secret = "   \
			"$10)) FOR "                                                            \
			"UPDATE" locked "),"                                                    \
			" used AS (UPDATE refresh_token r SET secret = $10, used = $1,"         \
			" previous = CASE WHEN pick.secret = $9 AND $9 <> $10 THEN $9 "         \
			"ELSE r.previous END,"                                                  \
			" rotated = CASE WHEN pick.secret = $9 AND $9 <> $10 THEN $1 "          \
			"ELSE r.rotated END,"                                                   \
			" expires = CASE WHEN least(r.ends, $16) - r.expires < ($16 - $1) / 64" \
			" THEN r.expires ELSE least(r.ends, $16) END"                           \
			" FROM pick WHERE r.handle = pick.handle RETURNING 1),"                 \
			" token AS (INSERT INTO access_token (day, hash, grant_id, "            \
			"party, acting, represented,"                                           \
			" sid, scope, sealed, created, expires, audience, cnf, extra, consent)" \
			" SELECT $11, $12, grant_id, party, acting, represented, sid, "         \
			"$14,"                                                                  \
			" coalesce($15, sealed), $1, $13, $17, $18,"                            \
			" CASE WHEN $17 IS NOT NULL THEN extra END, consent FROM pick, used),"  \
			" a AS (INSERT INTO audit (at, event, ref, subject, party, "            \
			"details)"                                                              \
			" SELECT $1, $2, $3, coalesce($4, acting), $5, coalesce($6, "           \
			"'{}')::jsonb"                                                          \
			" FROM pick, used WHERE $2 IS NOT NULL)"                                \
			" SELECT secret <> $9 FROM pick, used"
#define USE_PARAMS DB_AUDIT_PARAMS "btbbibitbitti"

#define FITS(secret_of, since)                                                   \
	"secret = " secret_of ", previous IS NOT NULL AND previous = " secret_of \
	" AND rotated > " since

#define REVOKE_OF_GONE DB_REVOKE_TOKENS("$1", "grant_id = (SELECT grant_id FROM gone)")
#define AUDIT_OF_GONE  DB_AUDIT_FROM("gone")

const struct db_statement db_refresh_statements[] = {
	[FIND] = {"refresh_find", DB_READ, T_REFRESH, 1, "btibi",
		  "SELECT " FITS("$4",
				 "$5") ", grant_id, party, acting, represented, sid, scope,"
				       " resources, cnf, sealed, extra, created, expires, "
				       "ends, (SELECT account_key FROM subject WHERE id = acting)"
				       " FROM refresh_token"
				       " WHERE handle = $1 AND party = $2 AND expires > $3"},
	/* Waits for nobody that has the row; what it passed over is used by WAIT. */
	[USE] = {"refresh_use", DB_DURABLE, T_SUBJECT, 7, USE_PARAMS, USE_IT(" SKIP LOCKED")},
	[WAIT] = {"refresh_use_waiting", DB_IN_TX, T_SUBJECT, 7, USE_PARAMS, USE_IT("")},
	[LOCK] = {"refresh_lock", DB_IN_TX, T_REFRESH, 1, "btbi",
		  "SELECT " FITS("$3", "$4") ", acting FROM refresh_token"
					     " WHERE handle = $1 AND party = $2 FOR UPDATE"},
	[END] = {"refresh_end", DB_IN_TX, T_REFRESH, 7, DB_AUDIT_PARAMS "b",
		 "WITH gone AS (DELETE FROM refresh_token WHERE handle = $7 RETURNING grant_id),"
		 " t AS (" REVOKE_OF_GONE ")" AUDIT_OF_GONE},
	[SWEEP] = {"refresh_sweep", DB_IN_TX, T_REFRESH, 0, "ii",
		   "WITH gone AS (DELETE FROM refresh_token WHERE handle IN"
		   " (SELECT handle FROM refresh_token"
		   " WHERE expires < $1 LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1)"
		   " SELECT count(*) FROM gone"},
	{0},
};

const char *
db_refresh_create(struct arena *a)
{
	return arena_printf(a, "%s.%s", rand_token(a, HANDLE_BYTES), rand_token(a, SECRET_BYTES));
}

const char *
db_refresh_next(struct arena *a, const char *text, struct bytes secret)
{
	struct db_refresh_place place;

	if (!db_refresh_parse(text, &place) || secret.n != SECRET_BYTES)
		return NULL;
	return arena_printf(a, "%.*s.%s", HANDLE_CHARS, text, enc_base64url(a, secret));
}

bool
db_refresh_parse(const char *text, struct db_refresh_place *out)
{
	static const char token[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	if (strspn(text, token) != HANDLE_CHARS || text[HANDLE_CHARS] != '.' ||
	    strspn(text + HANDLE_CHARS + 1, token) != SECRET_CHARS ||
	    strlen(text) != HANDLE_CHARS + 1 + SECRET_CHARS)
		return false;
	db_hash_into("refresh-handle", (struct bytes){(const unsigned char *)text, HANDLE_CHARS},
		     out->handle);
	db_hash_into("refresh-token", bytes_of(text), out->secret);
	return true;
}

#define HASH(h) db_octets((h), sizeof(h))

bool
db_refresh_find(const struct db_call *c, const char *text, const char *party, time_t now,
		enum db_refresh_fit *fit, const struct db_refresh **out, struct err *err)
{
	struct db_refresh_place at;
	struct db_rows *rows = NULL;

	*fit = DB_REFRESH_UNKNOWN;
	*out = NULL;
	if (!db_refresh_parse(text, &at))
		return true;
	if (!db_run(c, &db_refresh_statements[FIND],
		    DB_ARGS(HASH(at.handle), db_text(party), db_int(now), HASH(at.secret),
			    db_int(now - DB_REFRESH_RETRY_S)),
		    &rows, err))
		return false;
	if (rows->n == 0)
		return true;
	struct db_refresh *r = ARENA_NEW(c->a, struct db_refresh);
	bool fits = db_get_bool(rows, 0, 0) || db_get_bool(rows, 0, 1);

	*r = (struct db_refresh){
		.party = db_get_text(rows, 0, 3),
		.acting = db_get_id(rows, 0, 4),
		.represented = db_get_id_opt(rows, 0, 5),
		.sid = db_get_text_opt(rows, 0, 6),
		.scope = db_get_text(rows, 0, 7),
		.resources = db_get_text_opt(rows, 0, 8),
		.cnf = db_get_text_opt(rows, 0, 9),
		.sealed = db_get_bytes(rows, 0, 10),
		.extra = db_get_bytes(rows, 0, 11),
		.created = db_get_int(rows, 0, 12),
		.expires = db_get_int(rows, 0, 13),
		.ends = db_get_int(rows, 0, 14),
		.account_key = db_get_bytes_opt(rows, 0, 15),
	};
	db_get_octets(rows, 0, 2, r->grant, sizeof(r->grant));
	if (!db_rows_check(rows, err))
		return false;
	*fit = fits ? DB_REFRESH_FITS : DB_REFRESH_REPLAYED;
	*out = fits ? r : NULL;
	return true;
}

static bool
used_of(struct db_rows *rows, enum db_refresh_used *used, struct err *err)
{
	*used = DB_REFRESH_ENDED;
	if (rows->n == 0)
		return true;
	bool again = db_get_bool(rows, 0, 0);

	if (!db_rows_check(rows, err))
		return false;
	*used = again ? DB_REFRESH_AGAIN : DB_REFRESH_USED;
	return true;
}

bool
db_refresh_use(const struct db_call *c, const char *text, const char *party,
	       const struct db_refresh_use *use, const struct db_audit *audit, time_t now,
	       enum db_refresh_used *used, struct err *err)
{
	const struct db_token_new *t = use->token;
	struct db_refresh_place at, next;
	struct db_dated token_at;
	struct db_rows *rows;
	struct db_tx *tx;

	if (!db_refresh_parse(text, &at) || !db_refresh_parse(use->next, &next) ||
	    !bytes_eq((struct bytes){at.handle, sizeof(at.handle)},
		      (struct bytes){next.handle, sizeof(next.handle)}))
		return FAIL(err, ERR_INTERNAL, NULL, "not a refresh token and its successor");
	if (!db_token_place(t, &token_at, err))
		return false;
	const struct db_param args[] = {
		DB_AUDIT_ARGS(audit, now),
		HASH(at.handle),
		db_text(party),
		HASH(at.secret),
		HASH(next.secret),
		db_int(token_at.day),
		HASH(token_at.hash),
		db_int(t->expires),
		db_text(use->scope),
		db_bytes_or_null(use->sealed),
		db_int(use->expires),
		db_text(t->audience),
		db_text(t->cnf),
		db_int(now - DB_REFRESH_RETRY_S),
	};

	if (!db_run(c, &db_refresh_statements[USE], args, ARRAY_LEN(args), &rows, err) ||
	    !used_of(rows, used, err))
		return false;
	if (*used != DB_REFRESH_ENDED)
		return true;
	/* Somebody had it locked, or what it rests on is gone: when it is free, one can tell. */
	if (!db_tx_begin(c, &tx, err))
		return false;
	bool held =
		db_tx_run(tx, &db_refresh_statements[WAIT], args, ARRAY_LEN(args), &rows, err) &&
		used_of(rows, used, err);

	if (!db_tx_conclude(tx, held, NULL, now, err)) {
		*used = DB_REFRESH_ENDED;
		return false;
	}
	return true;
}

/* Who may end the family of a text. */
struct ending {
	struct db_refresh_place at;
	const char *party;
	bool counts_too; /* also when the token is one that counts */
	const struct db_audit *audit;
	time_t now;
};

/* With the row locked: whoever was just using it has committed then. */
static bool
end_in(const struct ending *e, struct db_tx *tx, bool *ended, struct err *err)
{
	struct db_audit whose = {0};
	const struct db_audit *audit = e->audit;
	struct db_rows *rows;

	if (!db_tx_run(tx, &db_refresh_statements[LOCK],
		       DB_ARGS(HASH(e->at.handle), db_text(e->party), HASH(e->at.secret),
			       db_int(e->now - DB_REFRESH_RETRY_S)),
		       &rows, err))
		return false;
	bool end = rows->n == 1 &&
		   (e->counts_too || !(db_get_bool(rows, 0, 0) || db_get_bool(rows, 0, 1)));

	if (end && audit != NULL) {
		whose = *audit;
		whose.subject = db_get_id_opt(rows, 0, 2);
		audit = &whose;
	}
	if (!db_rows_check(rows, err) ||
	    (end &&
	     !db_tx_run(tx, &db_refresh_statements[END],
			DB_ARGS(DB_AUDIT_ARGS(audit, e->now), HASH(e->at.handle)), NULL, err)))
		return false;
	*ended = end;
	return true;
}

static bool
end(const struct db_call *c, const struct ending *e, bool *ended, struct err *err)
{
	struct db_tx *tx;
	bool done = false;

	if (!db_tx_begin(c, &tx, err))
		return false;
	if (!db_tx_conclude(tx, end_in(e, tx, &done, err), NULL, e->now, err))
		return false;
	*ended = done;
	return true;
}

bool
db_refresh_replayed(const struct db_call *c, const char *text, const char *party,
		    const struct db_audit *audit, time_t now, bool *ended, struct err *err)
{
	struct ending e = {.party = party, .audit = audit, .now = now};

	*ended = false;
	return !db_refresh_parse(text, &e.at) || end(c, &e, ended, err);
}

bool
db_refresh_revoke(const struct db_call *c, const char *text, const char *party,
		  const struct db_audit *audit, time_t now, struct err *err)
{
	struct ending e = {.party = party, .counts_too = true, .audit = audit, .now = now};
	bool ended;

	return !db_refresh_parse(text, &e.at) || end(c, &e, &ended, err);
}

bool
db_refresh_sweep(const struct db_call *c, time_t old, int64_t limit, time_t now, int64_t *n,
		 struct err *err)
{
	return db_sweep(c, &db_refresh_statements[SWEEP], db_int(old), limit, now, n, err);
}
