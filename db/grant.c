/* Authorization codes and access tokens; see grant.h. */
#include "db/grant.h"

#include <string.h>

#include "base/rand.h"
#include "db/dated.h"
#include "db/part.h"
#include "db/partition.h"
#include "db/refresh.h"
#include "db/statements.h"

/* Purposes of the texts. */
#define CODE  "code"
#define TOKEN "access-token"
#define JTI   "access-token-jti"

enum {
	CREATE,
	CREATE_ONCE,
	CREATE_FOREIGN,
	TAKE,
	LOCK,
	LOCK_FAMILY,
	REVOKE,
	TOKEN_CREATE,
	FIND,
	REVOKE_ONE,
	RESEAL
};

#define GRANT_COLUMNS                                                                         \
	"grant_id, party, acting, represented, sid, scope, sealed, redirect_uri, challenge, " \
	"nonce,"                                                                              \
	" extra, created, expires, offline, resources, cnf"

/* Taking part, its audit row and the code stand or are lost together. */
#define CREATE_PARAMS DB_AUDIT_PARAMS "ibbtbbttbtttbittottbt"
#define ALIVE                                                       \
	"(SELECT sid FROM session WHERE sid = $13 AND expires > $1" \
	" AND acting = $11 AND represented IS NOT DISTINCT FROM $12)"
#define LAST_OF_PARTY DB_CONSENT_LAST("$11", "$12", "$10")
#define AUDIT_OF_PART DB_AUDIT_FROM("p")
#define CREATE_IT(more)                                                                            \
	"alive AS " ALIVE ", last AS (SELECT id, given, fingerprint, attributes" LAST_OF_PARTY     \
	"), fit AS (SELECT id FROM last WHERE given AND fingerprint = $26"                         \
	" AND attributes = $27::jsonb" more "),"                                                   \
	" p AS (INSERT INTO session_participant (sid, party, dialect, name_id, session_index, at)" \
	" SELECT sid, $10, 'oidc', $21, $22, $1 FROM alive, fit"                                   \
	" ON CONFLICT (sid, party, name_id, session_index) DO UPDATE SET at = EXCLUDED.at"         \
	" RETURNING 1), a AS (" AUDIT_OF_PART "),"                                                 \
	" g AS (INSERT INTO grant_code (day, hash, " GRANT_COLUMNS ", consent)"                    \
	" SELECT $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $1, $20, $23,"      \
	" $24, $25, id FROM p, fit RETURNING 1)"
#define CREATED " SELECT EXISTS (SELECT FROM alive), EXISTS (SELECT FROM g)"
/* For a login that is not there any more the request is not used up. */
#define MARKED                                                                        \
	"m AS (INSERT INTO seen (day, kind, hash, expires) SELECT $28, $29, $30, $31" \
	" WHERE EXISTS " ALIVE " ON CONFLICT DO NOTHING RETURNING 1), "

#define REVOKE_OF_GRANT DB_REVOKE_TOKENS("$1", "grant_id = $7")
#define AUDIT_OF_GONE   DB_AUDIT_FROM("gone")

const struct db_statement db_grant_statements[] = {
	[CREATE] = {"grant_create", DB_LAZY, T_SESSION, 13, CREATE_PARAMS,
		    "WITH " CREATE_IT("") CREATED},
	[CREATE_ONCE] = {"grant_create_once", DB_DURABLE, T_SESSION, 13, CREATE_PARAMS "itbi",
			 "WITH " MARKED CREATE_IT(" AND EXISTS (SELECT FROM m)") CREATED
			 ", EXISTS (SELECT FROM m)"},
	[CREATE_FOREIGN] =
		{"grant_create_foreign", DB_LAZY, T_GRANT, 8, DB_AUDIT_PARAMS "ibbttbtttbit",
		 "WITH g AS (INSERT INTO grant_code (day, hash, grant_id, party, scope, sealed,"
		 " redirect_uri, challenge, nonce, extra, created, expires, offline, cnf)"
		 " VALUES ($7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $1, $17, false, $18)"
		 " RETURNING 1)" DB_AUDIT_FROM("g")},
	/*
	 * A lock held by another node's batch is not waited for here, where others
	 * would wait with us.  The token goes with the code, so that no second use
	 * can come between them; a session that has ended gives none, and one that is
	 * about to end waits for the token, so as to take it back.
	 */
	[TAKE] =
		{"grant_take", DB_DURABLE, T_GRANT, 8, DB_AUDIT_PARAMS "ibtibittbboiit",
		 "WITH code AS (SELECT " GRANT_COLUMNS ", consent FROM grant_code"
		 " WHERE day = $7 AND hash = $8 AND party = $9 AND taken_at IS NULL"
		 " AND expires > $1 FOR UPDATE SKIP LOCKED),"
		 " pick AS MATERIALIZED (SELECT * FROM code WHERE true" DB_CONSENT_COVERS(
			 "code") "),"
				 " alive AS (SELECT FROM session WHERE sid = (SELECT sid FROM pick)"
				 " AND expires > $1 FOR KEY SHARE),"
				 " taken AS (UPDATE grant_code g SET taken_at = $1, sealed = NULL, "
				 "extra = NULL"
				 " FROM pick WHERE g.day = $7 AND g.hash = $8"
				 " AND (pick.sid IS NULL OR EXISTS (SELECT FROM alive))"
				 " RETURNING 1),"
				 " kept AS (INSERT INTO refresh_token (handle, secret, grant_id,"
				 " party, acting, represented, sid, scope, resources, cnf, sealed,"
				 " extra, created, used, expires, ends, consent)"
				 " SELECT $15, $16, grant_id, party, acting, represented,"
				 " CASE WHEN NOT offline THEN sid END, scope, resources, $20,"
				 " sealed, extra, created, $1, $18, $19, consent FROM pick, taken"
				 " WHERE $15 IS NOT NULL AND (offline OR $17) AND acting IS NOT "
				 "NULL"
				 " RETURNING 1),"
				 " token AS (INSERT INTO access_token (day, hash, grant_id, party, "
				 "acting,"
				 " represented, sid, scope, sealed, created, expires, audience,"
				 " cnf, extra, consent)"
				 " SELECT $10, $11, grant_id, party, acting, represented,"
				 " CASE WHEN NOT (offline AND EXISTS (SELECT FROM kept))"
				 " THEN sid END,"
				 " scope, sealed, $1, $12, $13, $14,"
				 " CASE WHEN $13 IS NOT NULL THEN extra END, consent FROM pick, "
				 "taken),"
				 " a AS (INSERT INTO audit (at, event, ref, subject, party, "
				 "details)"
				 " SELECT $1, $2, $3, coalesce($4, acting), $5, coalesce($6, "
				 "'{}')::jsonb"
				 " FROM pick, taken WHERE $2 IS NOT NULL)"
				 " SELECT " GRANT_COLUMNS ", EXISTS (SELECT FROM kept),"
				 " (SELECT account_key FROM subject WHERE id = acting)"
				 " FROM pick, taken"},
	/* Who polls has no redirect URI, and no second use that counts. */
	[LOCK] = {"grant_lock", DB_IN_TX, T_GRANT, 2, "ibt",
		  "SELECT grant_id, taken_at IS NOT NULL AND redirect_uri <> '', acting"
		  " FROM grant_code"
		  " WHERE day = $1 AND hash = $2 AND party = $3 FOR UPDATE"},
	/* In a statement before REVOKE's: who is just using one holds the row, and gives a token.
	 */
	[LOCK_FAMILY] = {"grant_lock_family", DB_IN_TX, T_REFRESH, 1, "b",
			 DB_HOLD_REFRESH("grant_id = $1")},
	/* Both kinds of tokens; there is an audit row when there was one of either. */
	[REVOKE] = {"grant_revoke", DB_IN_TX, T_REFRESH, 7, DB_AUDIT_PARAMS "b",
		    "WITH t AS (" REVOKE_OF_GRANT " RETURNING 1),"
		    " r AS (DELETE FROM refresh_token WHERE grant_id = $7 RETURNING 1),"
		    " gone AS (SELECT FROM t UNION ALL SELECT FROM r)" AUDIT_OF_GONE},
	[TOKEN_CREATE] = {"token_create", DB_DURABLE, T_TOKEN, 8, DB_AUDIT_PARAMS "ibbttittb",
			  "WITH t AS (INSERT INTO access_token (day, hash, grant_id, party, scope,"
			  " created, expires, audience, cnf, extra)"
			  " VALUES ($7, $8, $9, $10, $11, $1, $12, $13, $14, $15) RETURNING "
			  "1)" DB_AUDIT_FROM("t")},
	/* The consent that it hangs on was given to the party of the first token. */
	[FIND] = {"token_find", DB_READ, T_TOKEN, 2, "ibi",
		  "WITH t AS MATERIALIZED (SELECT grant_id, party AS holder, acting, represented,"
		  " sid, scope, sealed, created, expires, extra, audience, cnf, act,"
		  " coalesce(origin, party) AS party, root_day, root_hash, consent FROM"
		  " access_token"
		  " WHERE day = $1 AND hash = $2 AND expires > $3 AND revoked_at IS NULL)"
		  " SELECT t.*, a.account_key FROM t LEFT JOIN subject a ON a.id = t.acting"
		  " LEFT JOIN subject r ON r.id = t.represented"
		  " LEFT JOIN session s ON s.sid = t.sid"
		  " WHERE (t.acting IS NULL OR a.state = 'active')"
		  " AND (t.represented IS NULL OR r.state = 'active')"
		  " AND (t.sid IS NULL OR s.expires > $3)" DB_CONSENT_COVERS("t")},
	[REVOKE_ONE] = {"token_revoke", DB_DURABLE, T_TOKEN, 2, "ibti",
			"UPDATE access_token SET revoked_at = $4 WHERE day = $1 AND hash = $2"
			" AND party = $3 AND revoked_at IS NULL"},
	[RESEAL] = {"token_reseal", DB_DURABLE, T_TOKEN, 2, "ibtb",
		    "UPDATE access_token SET sealed = $4 WHERE day = $1 AND hash = $2"
		    " AND party = $3 RETURNING 1"},
	{0},
};

bool
db_grant_code_at(const char *code, struct db_dated *out)
{
	return db_dated_parse(CODE, code, out);
}

#define CREATE_ARGS 27 /* and four more for the mark */

static void
create_args(const struct db_dated *at, const struct db_grant *g, const struct db_participant *p,
	    const struct db_audit *audit, time_t now, struct db_param out[CREATE_ARGS])
{
	const struct db_consent *on = g->consent;
	const struct db_param args[CREATE_ARGS] = {
		DB_AUDIT_ARGS(audit, now),
		db_int(at->day),
		db_octets(at->hash, sizeof(at->hash)),
		db_octets(g->id, sizeof(g->id)),
		db_text(g->party),
		db_id(&g->acting),
		db_id(g->represented),
		db_text(g->sid),
		db_text(g->scope),
		db_bytes(g->sealed),
		db_text(g->redirect_uri),
		db_text(g->challenge),
		db_text(g->nonce),
		db_bytes(g->extra),
		db_int(g->expires),
		db_text(p->name_id),
		db_text(p->session_index),
		db_bool(g->offline),
		db_text(g->resources),
		db_text(g->cnf),
		db_octets(on->fingerprint, sizeof(on->fingerprint)),
		db_text(on->attributes),
	};

	memcpy(out, args, sizeof(args));
}

/* *first NULL: it has no mark. */
static bool
created(struct db_rows *rows, bool *first, bool *stands, struct err *err)
{
	bool alive = db_get_bool(rows, 0, 0), given = db_get_bool(rows, 0, 1);
	bool marked = first != NULL && db_get_bool(rows, 0, 2);

	if (!db_rows_check(rows, err))
		return false;
	if (first != NULL)
		*first = marked;
	*stands = given;
	return alive || FAIL(err, ERR_NOT_FOUND, NULL, "grant_create: it is not there");
}

bool
db_grant_create_tx(struct db_tx *tx, const struct db_dated *at, const struct db_grant *g,
		   const struct db_participant *p, const struct db_audit *audit, time_t now,
		   bool *stands, struct err *err)
{
	struct db_param args[CREATE_ARGS];
	struct db_rows *rows;

	create_args(at, g, p, audit, now, args);
	return db_tx_run(tx, &db_grant_statements[CREATE], args, ARRAY_LEN(args), &rows, err) &&
	       created(rows, NULL, stands, err);
}

bool
db_grant_create(const struct db_call *c, const char *code, const struct db_grant *g,
		const struct db_participant *p, const struct db_audit *audit, time_t now,
		bool *stands, struct err *err)
{
	struct db_param args[CREATE_ARGS];
	struct db_rows *rows;
	struct db_dated at;

	if (!db_grant_code_at(code, &at))
		return FAIL(err, ERR_INTERNAL, NULL, "not a code");
	create_args(&at, g, p, audit, now, args);
	return db_run(c, &db_grant_statements[CREATE], args, ARRAY_LEN(args), &rows, err) &&
	       created(rows, NULL, stands, err);
}

bool
db_grant_create_once(const struct db_call *c, const char *code, const struct db_grant *g,
		     const struct db_participant *p, const struct db_mark *mark,
		     const struct db_audit *audit, time_t now, bool *first, bool *stands,
		     struct err *err)
{
	struct db_param args[CREATE_ARGS + 4];
	struct db_rows *rows;
	struct db_dated at;

	if (!db_grant_code_at(code, &at))
		return FAIL(err, ERR_INTERNAL, NULL, "not a code");
	if (!db_mark_check(mark, now, err))
		return false;
	create_args(&at, g, p, audit, now, args);
	args[CREATE_ARGS] = db_int(mark->expires / DAY_S);
	args[CREATE_ARGS + 1] = db_text(mark->kind);
	args[CREATE_ARGS + 2] = db_bytes(db_hash(c->a, mark->kind, mark->value));
	args[CREATE_ARGS + 3] = db_int(mark->expires);
	return db_run(c, &db_grant_statements[CREATE_ONCE], args, ARRAY_LEN(args), &rows, err) &&
	       created(rows, first, stands, err);
}

bool
db_grant_create_foreign(const struct db_call *c, const char *code, const struct db_grant *g,
			const struct db_audit *audit, time_t now, struct err *err)
{
	struct db_dated at;

	if (!db_grant_code_at(code, &at))
		return FAIL(err, ERR_INTERNAL, NULL, "not a code");
	return db_run(c, &db_grant_statements[CREATE_FOREIGN],
		      DB_ARGS(DB_AUDIT_ARGS(audit, now), db_int(at.day),
			      db_octets(at.hash, sizeof(at.hash)), db_octets(g->id, sizeof(g->id)),
			      db_text(g->party), db_text(g->scope), db_bytes(g->sealed),
			      db_text(g->redirect_uri), db_text(g->challenge), db_text(g->nonce),
			      db_bytes(g->extra), db_int(g->expires), db_text(g->cnf)),
		      NULL, err);
}

static bool
one_grant(const struct db_call *c, struct db_rows *rows, const struct db_grant **out,
	  struct err *err)
{
	struct db_grant *g = ARENA_NEW(c->a, struct db_grant);
	const struct subject_id *acting = db_get_id_opt(rows, 0, 2);

	*g = (struct db_grant){
		.party = db_get_text(rows, 0, 1),
		.foreign = acting == NULL,
		.represented = db_get_id_opt(rows, 0, 3),
		.sid = db_get_text_opt(rows, 0, 4),
		.scope = db_get_text(rows, 0, 5),
		.sealed = db_get_bytes(rows, 0, 6),
		.redirect_uri = db_get_text(rows, 0, 7),
		.challenge = db_get_text_opt(rows, 0, 8),
		.nonce = db_get_text_opt(rows, 0, 9),
		.extra = db_get_bytes(rows, 0, 10),
		.created = db_get_int(rows, 0, 11),
		.expires = db_get_int(rows, 0, 12),
		.offline = db_get_bool(rows, 0, 13),
		.resources = db_get_text_opt(rows, 0, 14),
		.cnf = db_get_text_opt(rows, 0, 15),
		.account_key = db_get_bytes_opt(rows, 0, 17),
	};
	if (acting != NULL)
		g->acting = *acting;
	db_get_octets(rows, 0, 0, g->id, sizeof(g->id));
	if (!db_rows_check(rows, err))
		return false;
	*out = g;
	return true;
}

static bool
revoke_in(struct db_tx *tx, struct bytes id, const struct db_audit *audit, time_t now,
	  struct err *err)
{
	return db_tx_run(tx, &db_grant_statements[LOCK_FAMILY], DB_ARGS(db_bytes(id)), NULL, err) &&
	       db_tx_run(tx, &db_grant_statements[REVOKE],
			 DB_ARGS(DB_AUDIT_ARGS(audit, now), db_bytes(id)), NULL, err);
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
	if (!db_rows_check(rows, err) || (used && !revoke_in(tx, id, audit, now, err)))
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
db_token_place(const struct db_token_new *token, struct db_dated *out, struct err *err)
{
	return db_dated_parse(token->is_jti ? JTI : TOKEN, token->text, out) ||
	       FAIL(err, ERR_INTERNAL, NULL, "not a token");
}

/* Where a code lies, what it gives, and where that will lie. */
struct taking {
	struct db_dated at, token_at;
	struct db_refresh_place refresh_at;
	const struct db_token_new *token;
	const struct db_refresh_new *refresh; /* NULL: none */
};

static bool
run_take(const struct db_call *c, const struct taking *t, const char *party,
	 const struct db_audit *taken, time_t now, struct db_rows **rows, struct err *err)
{
	static const struct db_refresh_new none = {0};
	const struct db_refresh_new *r = t->refresh == NULL ? &none : t->refresh;
	size_t n = t->refresh == NULL ? 0 : sizeof(t->refresh_at.handle);

	return db_run(c, &db_grant_statements[TAKE],
		      DB_ARGS(DB_AUDIT_ARGS(taken, now), db_int(t->at.day),
			      db_octets(t->at.hash, sizeof(t->at.hash)), db_text(party),
			      db_int(t->token_at.day),
			      db_octets(t->token_at.hash, sizeof(t->token_at.hash)),
			      db_int(t->token->expires), db_text(t->token->audience),
			      db_text(t->token->cnf),
			      db_bytes_or_null((struct bytes){t->refresh_at.handle, n}),
			      db_bytes_or_null((struct bytes){t->refresh_at.secret, n}),
			      db_bool(r->of_session), db_int(r->expires), db_int(r->ends),
			      db_text(r->cnf)),
		      rows, err);
}

bool
db_grant_take(const struct db_call *c, const char *code, const char *party,
	      const struct db_token_new *token, const struct db_refresh_new *refresh,
	      const struct db_take_audit *audit, time_t now, enum db_take *result,
	      const struct db_grant **out, bool *refreshed, struct err *err)
{
	static const struct db_take_audit none = {NULL, NULL};
	const struct db_take_audit *trail = audit == NULL ? &none : audit;
	struct taking t = {.token = token, .refresh = refresh};
	struct db_rows *rows;

	*out = NULL;
	*refreshed = false;
	if (!db_token_place(token, &t.token_at, err))
		return false;
	if (refresh != NULL && !db_refresh_parse(refresh->text, &t.refresh_at))
		return FAIL(err, ERR_INTERNAL, NULL, "not a refresh token");
	if (!db_dated_parse(CODE, code, &t.at)) {
		*result = DB_TAKE_REFUSED;
		return true;
	}
	if (!run_take(c, &t, party, trail->taken, now, &rows, err))
		return false;
	if (rows->n == 0)
		return look_for_replay(c, &t.at, party, trail->replayed, now, result, err);
	*refreshed = db_get_bool(rows, 0, 16);
	if (!one_grant(c, rows, out, err))
		return false;
	*result = DB_TAKE_TAKEN;
	return true;
}

bool
db_token_create(const struct db_call *c, const struct db_token_new *token, const char *party,
		const char *scope, struct bytes extra, const struct db_audit *audit, time_t now,
		struct err *err)
{
	unsigned char grant[16];
	struct db_dated at;

	rand_bytes(grant, sizeof(grant));
	return db_token_place(token, &at, err) &&
	       db_run(c, &db_grant_statements[TOKEN_CREATE],
		      DB_ARGS(DB_AUDIT_ARGS(audit, now), db_int(at.day),
			      db_octets(at.hash, sizeof(at.hash)), db_octets(grant, sizeof(grant)),
			      db_text(party), db_text(scope), db_int(token->expires),
			      db_text(token->audience), db_text(token->cnf),
			      db_bytes_or_null(extra)),
		      NULL, err);
}

bool
db_token_reseal(const struct db_call *c, const struct db_token_new *token, const char *party,
		struct bytes sealed, struct err *err)
{
	struct db_dated at;

	return db_token_place(token, &at, err) &&
	       db_run_found(c, &db_grant_statements[RESEAL],
			    DB_ARGS(db_int(at.day), db_octets(at.hash, sizeof(at.hash)),
				    db_text(party), db_bytes(sealed)),
			    err);
}

bool
db_grant_revoke(const struct db_call *c, const unsigned char id[16], const struct db_audit *audit,
		time_t now, struct err *err)
{
	struct db_tx *tx;

	if (!db_tx_begin(c, &tx, err))
		return false;
	return db_tx_conclude(tx, revoke_in(tx, (struct bytes){id, 16}, audit, now, err), NULL, now,
			      err);
}

static struct db_token *
token_of(const struct db_call *c, struct db_rows *rows)
{
	struct db_token *t = ARENA_NEW(c->a, struct db_token);

	*t = (struct db_token){
		.party = db_get_text(rows, 0, 1),
		.acting = db_get_id_opt(rows, 0, 2),
		.represented = db_get_id_opt(rows, 0, 3),
		.sid = db_get_text_opt(rows, 0, 4),
		.scope = db_get_text(rows, 0, 5),
		.sealed = db_get_bytes_opt(rows, 0, 6),
		.created = db_get_int(rows, 0, 7),
		.expires = db_get_int(rows, 0, 8),
		.extra = db_get_bytes_opt(rows, 0, 9),
		.audience = db_get_text_opt(rows, 0, 10),
		.cnf = db_get_text_opt(rows, 0, 11),
		.act = db_get_text_opt(rows, 0, 12),
		.origin = db_get_text(rows, 0, 13),
		.account_key = db_get_bytes_opt(rows, 0, 17),
	};
	db_get_octets(rows, 0, 0, t->grant, sizeof(t->grant));
	return t;
}

/* NULL: it does not count.  *rooted: it was given for another, the first of which
 * lies at *root. */
static bool
find_at(const struct db_call *c, const struct db_dated *at, time_t now, struct db_token **out,
	struct db_dated *root, bool *rooted, struct err *err)
{
	struct db_rows *rows;

	*out = NULL;
	*rooted = false;
	if (!db_run(c, &db_grant_statements[FIND],
		    DB_ARGS(db_int(at->day), db_octets(at->hash, sizeof(at->hash)), db_int(now)),
		    &rows, err))
		return false;
	if (rows->n == 0)
		return true;
	struct db_token *t = token_of(c, rows);

	if (db_get_bytes_opt(rows, 0, 15).n > 0) {
		*rooted = true;
		root->day = db_get_int(rows, 0, 14);
		db_get_octets(rows, 0, 15, root->hash, sizeof(root->hash));
	}
	if (!db_rows_check(rows, err))
		return false;
	*out = t;
	return true;
}

bool
db_token_find(const struct db_call *c, const char *text, bool is_jti, time_t now,
	      const struct db_token **out, struct err *err)
{
	struct db_token *t, *first;
	struct db_dated at, root;
	bool rooted;

	*out = NULL;
	if (!db_dated_parse(is_jti ? JTI : TOKEN, text, &at))
		return true;
	if (!find_at(c, &at, now, &t, &root, &rooted, err))
		return false;
	if (rooted) {
		if (!find_at(c, &root, now, &first, &root, &rooted, err))
			return false;
		if (first == NULL)
			return true;
	}
	*out = t;
	return true;
}

bool
db_token_revoke(const struct db_call *c, const char *text, bool is_jti, const char *party,
		time_t now, struct err *err)
{
	struct db_dated at;

	return !db_dated_parse(is_jti ? JTI : TOKEN, text, &at) ||
	       db_run(c, &db_grant_statements[REVOKE_ONE],
		      DB_ARGS(db_int(at.day), db_octets(at.hash, sizeof(at.hash)), db_text(party),
			      db_int(now)),
		      NULL, err);
}
