/* Authorization codes and access tokens; see grant.h. */
#include "db/grant.h"

#include "db/dated.h"
#include "db/part.h"
#include "db/statements.h"

/* Purposes of the texts. */
#define CODE  "code"
#define TOKEN "access-token"

enum { CREATE, TAKE, LOCK, REVOKE_TX, REVOKE, FIND, REVOKE_ONE };

#define GRANT_COLUMNS                                                                         \
	"grant_id, party, acting, represented, sid, scope, sealed, redirect_uri, challenge, " \
	"nonce,"                                                                              \
	" extra, created, expires"
#define REVOKE_GRANT(now, grant)                                               \
	"UPDATE access_token SET revoked_at = " now " WHERE grant_id = " grant \
	" AND revoked_at IS NULL"

const struct db_statement db_grant_statements[] = {
	/* Taking part, its audit row and the code stand or are lost together. */
	[CREATE] = {"grant_create", DB_LAZY, T_SESSION, 13, DB_AUDIT_PARAMS "ibbtbbttbtttbitt",
		    "WITH p AS (INSERT INTO session_participant"
		    " (sid, party, dialect, name_id, session_index, at)"
		    " SELECT sid, $10, 'oidc', $21, $22, $1 FROM session"
		    " WHERE sid = $13 AND expires > $1"
		    " ON CONFLICT (sid, party, name_id, session_index)"
		    " DO UPDATE SET at = EXCLUDED.at RETURNING 1),"
		    " a AS (" DB_AUDIT_FROM(
			    "p") "),"
				 " g AS (INSERT INTO grant_code (day, hash, " GRANT_COLUMNS ")"
				 " SELECT $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
				 " $19, $1, $20 FROM p RETURNING 1)"
				 " SELECT FROM g"},
	/*
	 * A lock held by another node's batch is not waited for here, where others
	 * would wait with us.  The token goes with the code, so that no second use
	 * can come between them; a session that has ended gives none, and one that is
	 * about to end waits for the token, so as to take it back.
	 */
	[TAKE] =
		{"grant_take", DB_DURABLE, T_GRANT, 8, DB_AUDIT_PARAMS "ibtibi",
		 "WITH code AS (SELECT " GRANT_COLUMNS " FROM grant_code"
		 " WHERE day = $7 AND hash = $8 AND party = $9 AND taken_at IS NULL"
		 " AND expires > $1 FOR UPDATE SKIP LOCKED),"
		 " pick AS MATERIALIZED (SELECT * FROM code WHERE true" DB_CONSENT_STANDS(
			 "code") "),"
				 " alive AS (SELECT FROM session WHERE sid = (SELECT sid FROM pick)"
				 " AND expires > $1 FOR KEY SHARE),"
				 " taken AS (UPDATE grant_code g SET taken_at = $1, sealed = NULL, "
				 "extra = NULL"
				 " FROM pick, alive WHERE g.day = $7 AND g.hash = $8"
				 " RETURNING 1),"
				 " token AS (INSERT INTO access_token (day, hash, grant_id, party, "
				 "acting,"
				 " represented, sid, scope, sealed, created, expires)"
				 " SELECT $10, $11, grant_id, party, acting, represented, sid, "
				 "scope, sealed, $1,"
				 " $12 FROM pick, taken),"
				 " a AS (INSERT INTO audit (at, event, ref, subject, party, "
				 "details)"
				 " SELECT $1, $2, $3, coalesce($4, acting), $5, coalesce($6, "
				 "'{}')::jsonb"
				 " FROM pick, taken WHERE $2 IS NOT NULL)"
				 " SELECT " GRANT_COLUMNS " FROM pick, taken"},
	[LOCK] = {"grant_lock", DB_IN_TX, T_GRANT, 2, "ibt",
		  "SELECT grant_id, taken_at IS NOT NULL, acting FROM grant_code"
		  " WHERE day = $1 AND hash = $2 AND party = $3 FOR UPDATE"},
	[REVOKE_TX] = {"grant_revoke_tx", DB_IN_TX, T_TOKEN, 7, DB_AUDIT_PARAMS "b",
		       "WITH t AS (" REVOKE_GRANT("$1", "$7") " RETURNING 1)" DB_AUDIT_FROM("t")},
	[REVOKE] = {"grant_revoke", DB_DURABLE, T_TOKEN, 7, DB_AUDIT_PARAMS "b",
		    "WITH t AS (" REVOKE_GRANT("$1", "$7") " RETURNING 1)" DB_AUDIT_FROM("t")},
	[FIND] = {"token_find", DB_READ, T_TOKEN, 2, "ibi",
		  "WITH t AS MATERIALIZED (SELECT grant_id, party, acting, represented, sid, scope,"
		  " sealed, created, expires FROM access_token"
		  " WHERE day = $1 AND hash = $2 AND expires > $3 AND revoked_at IS NULL)"
		  " SELECT t.* FROM t JOIN subject a ON a.id = t.acting AND a.state = 'active'"
		  " LEFT JOIN subject r ON r.id = t.represented"
		  " WHERE (t.represented IS NULL OR r.state = 'active')" DB_CONSENT_STANDS("t")},
	[REVOKE_ONE] = {"token_revoke", DB_DURABLE, T_TOKEN, 2, "ibti",
			"UPDATE access_token SET revoked_at = $4 WHERE day = $1 AND hash = $2"
			" AND party = $3 AND revoked_at IS NULL"},
	{0},
};

bool
db_grant_create(const struct db_call *c, const char *code, const struct db_grant *g,
		const struct db_participant *p, const struct db_audit *audit, time_t now,
		struct err *err)
{
	struct db_dated at;

	if (!db_dated_parse(CODE, code, &at))
		return FAIL(err, ERR_INTERNAL, NULL, "not a code");
	return db_run_found(c, &db_grant_statements[CREATE],
			    DB_ARGS(DB_AUDIT_ARGS(audit, now), db_int(at.day),
				    db_octets(at.hash, sizeof(at.hash)),
				    db_octets(g->id, sizeof(g->id)), db_text(g->party),
				    db_id(&g->acting), db_id(g->represented), db_text(g->sid),
				    db_text(g->scope), db_bytes(g->sealed),
				    db_text(g->redirect_uri), db_text(g->challenge),
				    db_text(g->nonce), db_bytes(g->extra), db_int(g->expires),
				    db_text(p->name_id), db_text(p->session_index)),
			    err);
}

static bool
one_grant(const struct db_call *c, struct db_rows *rows, const struct db_grant **out,
	  struct err *err)
{
	struct db_grant *g = ARENA_NEW(c->a, struct db_grant);

	*g = (struct db_grant){
		.party = db_get_text(rows, 0, 1),
		.acting = db_get_id(rows, 0, 2),
		.represented = db_get_id_opt(rows, 0, 3),
		.sid = db_get_text(rows, 0, 4),
		.scope = db_get_text(rows, 0, 5),
		.sealed = db_get_bytes(rows, 0, 6),
		.redirect_uri = db_get_text(rows, 0, 7),
		.challenge = db_get_text_opt(rows, 0, 8),
		.nonce = db_get_text_opt(rows, 0, 9),
		.extra = db_get_bytes(rows, 0, 10),
		.created = db_get_int(rows, 0, 11),
		.expires = db_get_int(rows, 0, 12),
	};
	db_get_octets(rows, 0, 0, g->id, sizeof(g->id));
	if (!db_rows_check(rows, err))
		return false;
	*out = g;
	return true;
}

/*
 * Not taken by us.  Was it used before?  With the row locked (whoever was just
 * taking it has committed then), and in a second statement, which sees the token
 * that was committed with it.
 */
static bool
revoke_replayed(struct db_tx *tx, const struct db_dated *at, const char *party,
		const struct db_audit *audit, time_t now, bool *replayed, struct err *err)
{
	struct db_rows *rows;
	struct db_audit whose = {0};

	if (!db_tx_run(
		    tx, &db_grant_statements[LOCK],
		    DB_ARGS(db_int(at->day), db_octets(at->hash, sizeof(at->hash)), db_text(party)),
		    &rows, err))
		return false;
	bool used = rows->n == 1 && db_get_bool(rows, 0, 1);
	struct bytes id = rows->n == 1 ? db_get_bytes(rows, 0, 0) : (struct bytes){NULL, 0};

	if (used && audit != NULL) {
		whose = *audit;
		whose.subject = db_get_id_opt(rows, 0, 2);
		audit = &whose;
	}
	if (!db_rows_check(rows, err) ||
	    (used && !db_tx_run(tx, &db_grant_statements[REVOKE_TX],
				DB_ARGS(DB_AUDIT_ARGS(audit, now), db_bytes(id)), NULL, err)))
		return false;
	*replayed = used;
	return true;
}

static bool
look_for_replay(const struct db_call *c, const struct db_dated *at, const char *party,
		const struct db_audit *audit, time_t now, enum db_take *result, struct err *err)
{
	struct db_tx *tx;
	bool replayed = false;

	if (!db_tx_begin(c, &tx, err))
		return false;
	bool held = revoke_replayed(tx, at, party, audit, now, &replayed, err);

	if (!db_tx_conclude(tx, held, NULL, now, err))
		return false;
	*result = replayed ? DB_TAKE_REPLAYED : DB_TAKE_REFUSED;
	return true;
}

bool
db_grant_take(const struct db_call *c, const char *code, const char *party, const char *token,
	      time_t token_expires, const struct db_take_audit *audit, time_t now,
	      enum db_take *result, const struct db_grant **out, struct err *err)
{
	static const struct db_take_audit none = {NULL, NULL};
	const struct db_take_audit *trail = audit == NULL ? &none : audit;
	struct db_dated at, token_at;
	struct db_rows *rows;

	if (!db_dated_parse(TOKEN, token, &token_at))
		return FAIL(err, ERR_INTERNAL, NULL, "not a token");
	if (!db_dated_parse(CODE, code, &at)) {
		*result = DB_TAKE_REFUSED;
		*out = NULL;
		return true;
	}
	if (!db_run(c, &db_grant_statements[TAKE],
		    DB_ARGS(DB_AUDIT_ARGS(trail->taken, now), db_int(at.day),
			    db_octets(at.hash, sizeof(at.hash)), db_text(party),
			    db_int(token_at.day), db_octets(token_at.hash, sizeof(token_at.hash)),
			    db_int(token_expires)),
		    &rows, err))
		return false;
	if (rows->n == 0) {
		*out = NULL;
		return look_for_replay(c, &at, party, trail->replayed, now, result, err);
	}
	if (!one_grant(c, rows, out, err))
		return false;
	*result = DB_TAKE_TAKEN;
	return true;
}

bool
db_grant_revoke(const struct db_call *c, const unsigned char id[16], const struct db_audit *audit,
		time_t now, struct err *err)
{
	return db_run(c, &db_grant_statements[REVOKE],
		      DB_ARGS(DB_AUDIT_ARGS(audit, now), db_octets(id, 16)), NULL, err);
}

bool
db_token_find(const struct db_call *c, const char *token, time_t now, const struct db_token **out,
	      struct err *err)
{
	struct db_dated at;
	struct db_rows *rows = NULL;

	if (db_dated_parse(TOKEN, token, &at) &&
	    !db_run(c, &db_grant_statements[FIND],
		    DB_ARGS(db_int(at.day), db_octets(at.hash, sizeof(at.hash)), db_int(now)),
		    &rows, err))
		return false;
	if (rows == NULL || rows->n == 0) {
		*out = NULL;
		return true;
	}
	struct db_token *t = ARENA_NEW(c->a, struct db_token);

	*t = (struct db_token){
		.party = db_get_text(rows, 0, 1),
		.acting = db_get_id(rows, 0, 2),
		.represented = db_get_id_opt(rows, 0, 3),
		.sid = db_get_text(rows, 0, 4),
		.scope = db_get_text(rows, 0, 5),
		.sealed = db_get_bytes(rows, 0, 6),
		.created = db_get_int(rows, 0, 7),
		.expires = db_get_int(rows, 0, 8),
	};
	db_get_octets(rows, 0, 0, t->grant, sizeof(t->grant));
	if (!db_rows_check(rows, err))
		return false;
	*out = t;
	return true;
}

bool
db_token_revoke(const struct db_call *c, const char *token, const char *party, time_t now,
		struct err *err)
{
	struct db_dated at;

	return !db_dated_parse(TOKEN, token, &at) ||
	       db_run(c, &db_grant_statements[REVOKE_ONE],
		      DB_ARGS(db_int(at.day), db_octets(at.hash, sizeof(at.hash)), db_text(party),
			      db_int(now)),
		      NULL, err);
}
