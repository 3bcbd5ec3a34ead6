/* Clients that ask until somebody has answered; see polled.h. */
#include "db/polled.h"

#include "base/text.h"
#include "db/dated.h"
#include "db/part.h"
#include "db/statements.h"

/* Purposes of the texts: never rename. */
#define CODE  "device"
#define TYPED "device-user"

enum { CREATE, COUNT_OF, LOOK, REQUEST, FIND, LIST, HOLD, SETTLE, DENY, NEWS, POLL, COUNT, SWEEP };

#define ROW_COLUMNS \
	"kind, user_hash, party, scope, acting, acr, sealed, created, expires, resources, details"

/*
 * Who has not agreed to this party, or takes that back, is not asked by it: a name may be known to
 * others, too.
 */
#define COUNT_OF_ACCOUNT                                                              \
	"SELECT count(*) FILTER (WHERE state = 'waiting' AND expires > $3),"          \
	" count(*) FILTER (WHERE state = 'waiting' AND expires > $3 AND party = $2)," \
	" count(*) FILTER (WHERE party = $2 AND created > $3 - 3600),"                \
	" EXISTS (SELECT FROM subject WHERE id = $1 AND state = 'active')"            \
	" AND coalesce((SELECT given FROM (SELECT id, given" DB_CONSENT_LAST(         \
		"$1", "NULL", "$2") ") last), false) FROM polled WHERE acting = $1"

/* Of rows `done`, each of which is settled once. */
#define TELL(now)                                                                           \
	"INSERT INTO outbox (id, kind, target, content, state, tries, due, lease, created," \
	" expires) SELECT encode(user_hash, 'hex'), '" DB_POLLED_PING "', party, ping,"     \
	" 'waiting', 0, " now ", 0, " now ", expires FROM done WHERE ping IS NOT NULL"

const struct db_statement db_polled_statements[] = {
	[CREATE] =
		{"polled_create", DB_LAZY, T_POLLED, 1, "bbibttiiitb",
		 "INSERT INTO polled (hash, user_hash, day, code, party, scope, state, pause, soon,"
		 " created, expires, resources, details) VALUES ($1, $2, $3, $4, $5, $6, 'waiting',"
		 " $7, false, $8, $9, $10, $11)"
		 " ON CONFLICT (user_hash) DO NOTHING RETURNING 1"},
	/* In a statement after the lock, to see what was committed under it. */
	[COUNT_OF] = {"polled_count_of", DB_IN_TX, T_POLLED, 1, "bti", COUNT_OF_ACCOUNT},
	[LOOK] = {"polled_look", DB_READ, T_POLLED, 1, "bti", COUNT_OF_ACCOUNT},
	[REQUEST] = {"polled_request", DB_IN_TX, T_POLLED, 1, "bbibttiiitbtbttb",
		     "INSERT INTO polled (hash, user_hash, day, code, party, scope, state, pause,"
		     " soon, created, expires, kind, acting, acr, sealed, ping, resources, "
		     "details) VALUES ($1, $2, $3,"
		     " $4, $5, $6, 'waiting', $7, false, $8, $9, $10, $11, $12, $13, $14, $15,"
		     " $16)"},
	[FIND] = {"polled_find", DB_READ, T_POLLED, 1, "btbi",
		  "SELECT " ROW_COLUMNS " FROM polled WHERE user_hash = $1 AND kind = $2"
		  " AND acting IS NOT DISTINCT FROM $3 AND state = 'waiting' AND expires > $4"},
	[LIST] = {"polled_list", DB_READ, T_POLLED, 1, "bii",
		  "SELECT " ROW_COLUMNS " FROM polled WHERE acting = $1 AND state = 'waiting'"
		  " AND expires > $2 ORDER BY created, user_hash LIMIT $3"},
	/* Before the row, in the order of tables: an end of the session waits for the grant. */
	[HOLD] = {"polled_hold_session", DB_IN_TX, T_SESSION, 1, "t",
		  "SELECT FROM session WHERE sid = $1 FOR KEY SHARE"},
	/* Who is to be told is told by the outbox: both stand or neither. */
	[SETTLE] = {"polled_settle", DB_IN_TX, T_POLLED, 1, "btbi",
		    "WITH done AS (UPDATE polled SET state = $2, sealed = NULL,"
		    " details = NULL WHERE user_hash = $1"
		    " AND (acting IS NULL OR acting = $3) AND state = 'waiting' AND expires > $4"
		    " RETURNING day, code, party, user_hash, ping, expires),"
		    " told AS (" TELL("$4") ") SELECT day, code FROM done"},
	/* In the order in which they are polled, so that nobody waits crosswise. */
	[DENY] = {"polled_deny", DB_IN_TX, T_POLLED, 1, "bti",
		  "WITH done AS (UPDATE polled SET state = 'denied', sealed = NULL,"
		  " details = NULL WHERE hash IN"
		  " (SELECT hash FROM polled WHERE acting = $1 AND ($2 IS NULL OR party = $2)"
		  " AND state = 'waiting' ORDER BY hash FOR UPDATE)"
		  " RETURNING party, user_hash, ping, expires) " TELL("$3")},
	[NEWS] = {"polled_news", DB_READ, T_POLLED, 1, "b",
		  "SELECT state, (SELECT CASE WHEN g.taken_at IS NULL THEN 'there' ELSE 'used' END"
		  " FROM grant_code g WHERE g.day = polled.day AND g.hash = polled.code)"
		  " FROM polled WHERE user_hash = $1"},
	/* What is set is judged by what was there before.  A second of grace for the way here. */
	[POLL] = {"polled_poll", DB_LAZY, T_POLLED, 1, "btti",
		  "UPDATE polled SET soon = coalesce($4 < asked + pause - 1, false),"
		  " pause = pause + CASE WHEN $4 < asked + pause - 1 THEN 5 ELSE 0 END, asked = $4"
		  " WHERE hash = $1 AND kind = $2 AND party = $3 RETURNING CASE"
		  " WHEN expires <= $4 THEN 'expired' WHEN state = 'denied' THEN 'denied'"
		  " ELSE coalesce((SELECT CASE WHEN g.taken_at IS NULL THEN 'agreed' ELSE 'used'"
		  " END FROM grant_code g WHERE polled.state = 'agreed' AND g.day = polled.day"
		  " AND g.hash = polled.code), CASE WHEN soon THEN 'soon' ELSE 'waiting' END) END"},
	[COUNT] = {"polled_count", DB_READ, T_POLLED, 0, "i",
		   "SELECT count(*) FROM polled WHERE acting IS NOT NULL AND state = 'waiting'"
		   " AND expires > $1"},
	[SWEEP] = {"polled_sweep", DB_IN_TX, T_POLLED, 0, "ii",
		   "WITH gone AS (DELETE FROM polled WHERE hash IN (SELECT hash FROM polled"
		   " WHERE expires < $1 LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1)"
		   " SELECT count(*) FROM gone"},
	{0},
};

struct bytes
db_polled_typed(struct arena *a, const char *user_code)
{
	return db_hash(a, TYPED, bytes_of(user_code));
}

static struct bytes
hash_of(struct arena *a, const char *code)
{
	return db_hash(a, CODE, bytes_of(code));
}

bool
db_polled_create(const struct db_call *c, const char *code, const struct db_polled *p,
		 int64_t pause_s, time_t now, bool *created, struct err *err)
{
	struct db_dated at;

	if (!db_grant_code_at(code, &at))
		return FAIL(err, ERR_INTERNAL, NULL, "not a code");
	return db_run_did(c, &db_polled_statements[CREATE],
			  DB_ARGS(db_bytes(hash_of(c->a, code)), db_bytes(p->handle),
				  db_int(at.day), db_octets(at.hash, sizeof(at.hash)),
				  db_text(p->party), db_text(p->scope), db_int(pause_s),
				  db_int(now), db_int(p->expires), db_text(p->resources),
				  db_bytes_or_null(p->details)),
			  created, err);
}

/* ---- one for an account ---- */

#define COUNT_ARGS(p, now) DB_ARGS(db_id((p)->acting), db_text((p)->party), db_int(now))

/* Is there room for one more? */
static bool
judge(struct db_rows *rows, const struct db_polled_limits *limits, enum db_polled_asked *out,
      struct err *err)
{
	bool room = db_get_int(rows, 0, 0) < limits->waiting &&
		    db_get_int(rows, 0, 1) < limits->waiting_of_party &&
		    db_get_int(rows, 0, 2) < limits->hourly_of_party;

	*out = room ? DB_POLLED_ASKED : DB_POLLED_TOO_MUCH;
	if (!db_get_bool(rows, 0, 3))
		*out = DB_POLLED_NOBODY;
	return db_rows_check(rows, err);
}

bool
db_polled_may_ask(const struct db_call *c, const struct db_polled *p,
		  const struct db_polled_limits *limits, time_t now, enum db_polled_asked *out,
		  struct err *err)
{
	struct db_rows *rows;

	return db_run(c, &db_polled_statements[LOOK], COUNT_ARGS(p, now), &rows, err) &&
	       judge(rows, limits, out, err);
}

/*
 * Two who ask one person at once are counted one after the other; and who closes the account or
 * takes the consent back comes before or after.
 */
static bool
look(struct db_tx *tx, const struct db_polled *p, const struct db_polled_limits *limits, time_t now,
     enum db_polled_asked *out, struct err *err)
{
	struct db_rows *rows;

	return db_account_hold_tx(tx, *p->acting, err) &&
	       db_tx_run(tx, &db_polled_statements[COUNT_OF], COUNT_ARGS(p, now), &rows, err) &&
	       judge(rows, limits, out, err);
}

static bool
request(struct db_tx *tx, struct arena *a, const char *code, const struct db_dated *at,
	const struct db_polled *p, const struct db_polled_more *more, time_t now, struct err *err)
{
	return db_tx_run(tx, &db_polled_statements[REQUEST],
			 DB_ARGS(db_bytes(hash_of(a, code)), db_bytes(p->handle), db_int(at->day),
				 db_octets(at->hash, sizeof(at->hash)), db_text(p->party),
				 db_text(p->scope), db_int(more->pause_s), db_int(now),
				 db_int(p->expires), db_text(p->kind), db_id(p->acting),
				 db_text(p->acr), db_bytes_or_null(p->sealed), db_text(more->ping),
				 db_text(p->resources), db_bytes_or_null(p->details)),
			 NULL, err) &&
	       (more->mail == NULL || db_outbox_add_tx(tx, a, more->mail, 1, now, err));
}

/* What has been said before is no limit's matter: the mark is looked at first. */
static bool
ask(struct db_tx *tx, struct arena *a, const struct db_polled *p, const struct db_mark *mark,
    const struct db_polled_limits *limits, time_t now, enum db_polled_asked *out, struct err *err)
{
	bool first = true;

	if (!look(tx, p, limits, now, out, err) ||
	    (mark != NULL && !db_seen_once_tx(tx, a, mark, now, &first, err)))
		return false;
	if (!first)
		*out = DB_POLLED_REPEATED;
	return true;
}

bool
db_polled_ask(const struct db_call *c, const char *code, const struct db_polled *p,
	      const struct db_polled_more *more, const struct db_polled_limits *limits,
	      const struct db_audit *audit, time_t now, enum db_polled_asked *out, struct err *err)
{
	enum db_polled_asked asked = DB_POLLED_NOBODY;
	struct db_dated at;
	struct db_tx *tx;

	if (!db_grant_code_at(code, &at))
		return FAIL(err, ERR_INTERNAL, NULL, "not a code");
	if (!db_tx_begin(c, &tx, err))
		return false;
	bool held = ask(tx, c->a, p, more->mark, limits, now, &asked, err);

	if (held && asked == DB_POLLED_ASKED) {
		held = request(tx, c->a, code, &at, p, more, now, err);
		if (!db_tx_conclude(tx, held, audit, now, err))
			return false;
	} else {
		db_tx_rollback(tx); /* with the mark */
		if (!held)
			return false;
	}
	*out = asked;
	return true;
}

/* ---- the person ---- */

static bool
rows_read(const struct db_call *c, struct db_rows *rows, const struct db_polled **out,
	  struct err *err)
{
	struct db_polled *p = ARENA_ARRAY(c->a, struct db_polled, rows->n + 1);

	for (size_t i = 0; i < rows->n; i++)
		p[i] = (struct db_polled){
			.kind = db_get_text(rows, i, 0),
			.handle = db_get_bytes(rows, i, 1),
			.party = db_get_text(rows, i, 2),
			.scope = db_get_text(rows, i, 3),
			.acting = db_get_id_opt(rows, i, 4),
			.acr = db_get_text_opt(rows, i, 5),
			.sealed = db_get_bytes_opt(rows, i, 6),
			.created = db_get_int(rows, i, 7),
			.expires = db_get_int(rows, i, 8),
			.resources = db_get_text_opt(rows, i, 9),
			.details = db_get_bytes_opt(rows, i, 10),
		};
	*out = p;
	return db_rows_check(rows, err);
}

bool
db_polled_find(const struct db_call *c, struct bytes handle, const char *kind,
	       const struct subject_id *acting, time_t now, const struct db_polled **out,
	       struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_polled_statements[FIND],
		    DB_ARGS(db_bytes(handle), db_text(kind), db_id(acting), db_int(now)), &rows,
		    err) ||
	    !rows_read(c, rows, out, err))
		return false;
	if (rows->n == 0)
		*out = NULL;
	return true;
}

bool
db_polled_list(const struct db_call *c, struct subject_id acting, time_t now,
	       const struct db_polled **out, size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_polled_statements[LIST],
		    DB_ARGS(db_id(&acting), db_int(now), db_int(DB_POLLED_LIST_MAX)), &rows, err))
		return false;
	*n = rows->n;
	return rows_read(c, rows, out, err);
}

/* *first is false: there is nothing to answer.  *code is then where the grant has to be. */
static bool
settle(struct db_tx *tx, struct bytes handle, const struct subject_id *acting, const char *state,
       time_t now, bool *first, struct db_dated *code, struct err *err)
{
	struct db_rows *rows;

	if (!db_tx_run(tx, &db_polled_statements[SETTLE],
		       DB_ARGS(db_bytes(handle), db_text(state), db_id(acting), db_int(now)), &rows,
		       err))
		return false;
	*first = rows->n > 0;
	if (!*first)
		return true;
	code->day = db_get_int(rows, 0, 0);
	db_get_octets(rows, 0, 1, code->hash, sizeof(code->hash));
	return db_rows_check(rows, err);
}

bool
db_polled_deny_tx(struct db_tx *tx, struct subject_id acting, const char *party, time_t now,
		  struct err *err)
{
	return db_tx_run(tx, &db_polled_statements[DENY],
			 DB_ARGS(db_id(&acting), db_text(party), db_int(now)), NULL, err);
}

bool
db_polled_deny(const struct db_call *c, struct bytes handle, const struct subject_id *acting,
	       const struct db_audit *audit, time_t now, bool *first, struct err *err)
{
	struct db_dated code;
	bool settled = false;
	struct db_tx *tx;

	if (!db_tx_begin(c, &tx, err))
		return false;
	bool held = settle(tx, handle, acting, "denied", now, &settled, &code, err);

	if (!db_tx_conclude(tx, held, settled ? audit : NULL, now, err))
		return false;
	*first = settled;
	return true;
}

/* Settled, and what that means; not SAID: nothing may stay of it. */
static bool
agree(struct db_tx *tx, struct bytes handle, const struct db_grant *g,
      const struct db_participant *p, const struct db_audit *audit, time_t now,
      enum db_polled_said *out, struct err *err)
{
	struct db_dated code;
	bool first, stands;

	*out = DB_POLLED_TOO_LATE;
	if (!db_tx_run(tx, &db_polled_statements[HOLD], DB_ARGS(db_text(g->sid)), NULL, err) ||
	    !settle(tx, handle, &g->acting, "agreed", now, &first, &code, err))
		return false;
	if (!first)
		return true;
	if (!db_grant_create_tx(tx, &code, g, p, audit, now, &stands, err))
		return false;
	*out = stands ? DB_POLLED_SAID : DB_POLLED_WITHDRAWN;
	return true;
}

bool
db_polled_agree(const struct db_call *c, struct bytes handle, const struct db_grant *g,
		const struct db_participant *p, const struct db_audit *audit, time_t now,
		enum db_polled_said *out, struct err *err)
{
	enum db_polled_said said;
	struct db_tx *tx;

	if (!db_tx_begin(c, &tx, err))
		return false;
	if (!agree(tx, handle, g, p, audit, now, &said, err)) {
		db_tx_rollback(tx);
		return false;
	}
	*out = said;
	if (said == DB_POLLED_SAID)
		return db_tx_commit(tx, err);
	db_tx_rollback(tx);
	return true;
}

bool
db_polled_news(const struct db_call *c, struct bytes handle, enum db_polled_news *out,
	       struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_polled_statements[NEWS], DB_ARGS(db_bytes(handle)), &rows, err))
		return false;
	const char *state = rows->n == 0 ? NULL : db_get_text(rows, 0, 0);
	const char *grant = rows->n == 0 ? NULL : db_get_text_opt(rows, 0, 1);

	if (text_eq(state, "denied") || (text_eq(state, "agreed") && text_eq(grant, "there")))
		*out = DB_POLLED_NEWS;
	else
		*out = state == NULL || text_eq(grant, "used") ? DB_POLLED_NEWS_HAD
							       : DB_POLLED_NO_NEWS;
	return db_rows_check(rows, err);
}

/* ---- the client ---- */

/* A word that is none of ours counts as no code. */
static enum db_polled_state
state_of(const char *word)
{
	static const char *const words[] = {
		[DB_POLLED_UNKNOWN] = "",        [DB_POLLED_EXPIRED] = "expired",
		[DB_POLLED_DENIED] = "denied",   [DB_POLLED_SOON] = "soon",
		[DB_POLLED_WAITING] = "waiting", [DB_POLLED_AGREED] = "agreed",
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (text_eq(word, words[i]))
			return (enum db_polled_state)i;
	return DB_POLLED_UNKNOWN;
}

bool
db_polled_poll(const struct db_call *c, const char *code, const char *kind, const char *party,
	       time_t now, enum db_polled_state *out, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_polled_statements[POLL],
		    DB_ARGS(db_bytes(hash_of(c->a, code)), db_text(kind), db_text(party),
			    db_int(now)),
		    &rows, err))
		return false;
	*out = rows->n == 0 ? DB_POLLED_UNKNOWN : state_of(db_get_text(rows, 0, 0));
	return db_rows_check(rows, err);
}

/* ---- all of them ---- */

bool
db_polled_count(const struct db_call *c, time_t now, int64_t *waiting, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_polled_statements[COUNT], DB_ARGS(db_int(now)), &rows, err))
		return false;
	*waiting = db_get_int(rows, 0, 0);
	return db_rows_check(rows, err);
}

bool
db_polled_sweep(const struct db_call *c, time_t before, int64_t limit, time_t now, int64_t *n,
		struct err *err)
{
	return db_sweep(c, &db_polled_statements[SWEEP], db_int(before), limit, now, n, err);
}
