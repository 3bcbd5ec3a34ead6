/* Messages that wait to be resolved; see artifact.h. */
#include "db/artifact.h"

#include "db/dated.h"
#include "db/part.h"
#include "db/statements.h"

enum { CREATE, TAKE, WAIT, LOOK, LOCK, REFUSE, REUSE, SWEEP };

/*
 * The session is locked first, as who ends it does before its artifacts go: so nobody waits
 * crosswise, and what was taken was taken before the end.
 */
#define TAKE_IT(locked)                                                                           \
	"WITH look AS MATERIALIZED (SELECT sid, party, acting, represented, consent"              \
	" FROM artifact WHERE hash = $7 AND party = $8 AND taken_at IS NULL"                      \
	" AND expires > $1),"                                                                     \
	" alive AS MATERIALIZED (SELECT FROM session WHERE sid = (SELECT sid FROM look)"          \
	" AND expires > $1 FOR KEY SHARE),"                                                       \
	" fit AS MATERIALIZED (SELECT FROM look WHERE"                                            \
	" (sid IS NULL OR EXISTS (SELECT FROM alive))" DB_CONSENT_COVERS(                         \
		"look") "),"                                                                      \
			" pick AS MATERIALIZED (SELECT hash, acting, sealed FROM artifact"        \
			" WHERE hash = $7 AND taken_at IS NULL AND EXISTS (SELECT FROM fit)"      \
			" FOR UPDATE" locked "),"                                                 \
			" taken AS (UPDATE artifact t SET taken_at = $1, sealed = NULL FROM pick" \
			" WHERE t.hash = pick.hash RETURNING 1),"                                 \
			" a AS (INSERT INTO audit (at, event, ref, subject, party, details)"      \
			" SELECT $1, $2, $3, coalesce($4, acting), $5, coalesce($6, '{}')::jsonb" \
			" FROM pick, taken WHERE $2 IS NOT NULL)"                                 \
			" SELECT sealed, acting, (SELECT account_key FROM subject WHERE id = "    \
			"acting)"                                                                 \
			" FROM pick, taken"

#define FOUND                                                                   \
	"taken_at IS NOT NULL, party <> $2, expires <= $3, refused_at IS NULL," \
	" reused_at IS NULL, acting"

const struct db_statement db_artifact_statements[] = {
	[CREATE] = {"artifact_create", DB_LAZY, T_ARTIFACT, 1, "btbii",
		    "INSERT INTO artifact (hash, party, sealed, created, expires)"
		    " VALUES ($1, $2, $3, $4, $5)"},
	/* The session's row is locked first.  Waits for nobody that has the artifact; what it
	   passed over is taken by WAIT. */
	[TAKE] = {"artifact_take", DB_DURABLE, T_SESSION, 7, DB_AUDIT_PARAMS "bt",
		  TAKE_IT(" SKIP LOCKED")},
	[WAIT] = {"artifact_take_waiting", DB_IN_TX, T_SESSION, 7, DB_AUDIT_PARAMS "bt",
		  TAKE_IT("")},
	[LOOK] = {"artifact_look", DB_READ, T_ARTIFACT, 1, "bti",
		  "SELECT " FOUND " FROM artifact WHERE hash = $1"},
	[LOCK] = {"artifact_lock", DB_IN_TX, T_ARTIFACT, 1, "bti",
		  "SELECT " FOUND " FROM artifact WHERE hash = $1 FOR UPDATE"},
	/* Once in the trail is enough; but that it came a second time is never left out. */
	[REFUSE] = {"artifact_refuse", DB_IN_TX, T_ARTIFACT, 1, "bi",
		    "UPDATE artifact SET refused_at = $2 WHERE hash = $1 AND refused_at IS NULL"
		    " RETURNING 1"},
	[REUSE] = {"artifact_reuse", DB_IN_TX, T_ARTIFACT, 1, "bi",
		   "UPDATE artifact SET reused_at = $2 WHERE hash = $1 AND reused_at IS NULL"
		   " RETURNING 1"},
	[SWEEP] = {"artifact_sweep", DB_IN_TX, T_ARTIFACT, 0, "ii",
		   "WITH gone AS (DELETE FROM artifact WHERE hash IN (SELECT hash FROM artifact"
		   " WHERE expires < $1 LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1)"
		   " SELECT count(*) FROM gone"},
	{0},
};

struct bytes
db_artifact_hash(struct arena *a, struct bytes handle)
{
	return db_hash(a, "artifact", handle);
}

bool
db_artifact_create(const struct db_call *c, const struct db_artifact *artifact, time_t now,
		   struct err *err)
{
	return db_run(c, &db_artifact_statements[CREATE],
		      DB_ARGS(db_bytes(db_artifact_hash(c->a, artifact->handle)),
			      db_text(artifact->party), db_bytes(artifact->sealed), db_int(now),
			      db_int(artifact->expires)),
		      NULL, err);
}

/* One that takes. */
struct taker {
	const struct db_call *c;
	struct bytes hash;
	const char *party;
	const struct db_artifact_audit *audit;
	time_t now;
};

/* What LOOK or LOCK found. */
struct found {
	enum db_artifact_why why;
	bool first; /* that it is refused so */
	const struct subject_id *acting;
};

static bool
found_of(struct db_rows *rows, struct found *out, struct err *err)
{
	*out = (struct found){.why = DB_ARTIFACT_UNKNOWN};
	if (rows->n == 0)
		return true;
	bool used = db_get_bool(rows, 0, 0), foreign = db_get_bool(rows, 0, 1),
	     expired = db_get_bool(rows, 0, 2);

	out->why = foreign   ? DB_ARTIFACT_FOREIGN
		   : used    ? DB_ARTIFACT_USED
		   : expired ? DB_ARTIFACT_EXPIRED
			     : DB_ARTIFACT_ENDED;
	out->first = db_get_bool(rows, 0, out->why == DB_ARTIFACT_USED ? 4 : 3);
	out->acting = db_get_id_opt(rows, 0, 5);
	return db_rows_check(rows, err);
}

#define FOUND_ARGS(t) DB_ARGS(db_bytes((t)->hash), db_text((t)->party), db_int((t)->now))
#define TAKE_ARGS(t)                                                             \
	DB_ARGS(DB_AUDIT_ARGS((t)->audit->taken, (t)->now), db_bytes((t)->hash), \
		db_text((t)->party))

static bool
taken_of(struct db_rows *rows, bool *taken, struct db_artifact_taken *out, struct err *err)
{
	*taken = rows->n > 0;
	if (*taken)
		*out = (struct db_artifact_taken){
			.sealed = db_get_bytes(rows, 0, 0),
			.acting = db_get_id_opt(rows, 0, 1),
			.account_key = db_get_bytes_opt(rows, 0, 2),
		};
	return db_rows_check(rows, err);
}

/* The row of the trail that this refusal is due; `row` NULL: none. */
static bool
note(const struct taker *t, struct db_tx *tx, const struct found *found, struct db_audit *row,
     bool *noted, struct err *err)
{
	const struct db_audit *due = found->first ? t->audit->refused[found->why] : NULL;
	const struct db_statement *mark =
		&db_artifact_statements[found->why == DB_ARTIFACT_USED ? REUSE : REFUSE];
	struct db_rows *rows;

	*noted = false;
	if (due == NULL)
		return true;
	*row = *due;
	if (row->subject == NULL)
		row->subject = found->acting;
	if (!db_tx_run(tx, mark, DB_ARGS(db_bytes(t->hash), db_int(t->now)), &rows, err))
		return false;
	*noted = rows->n > 0;
	return true;
}

/*
 * Somebody had it locked, or what it rests on is gone: take it when it is free.  If there is still
 * nothing, why is asked with the row locked: who was just taking it has committed then.
 */
static bool
wait_in(const struct taker *t, struct db_tx *tx, struct found *found, struct db_artifact_taken *out,
	struct err *err)
{
	struct db_rows *rows;
	bool taken;

	if (!db_tx_run(tx, &db_artifact_statements[WAIT], TAKE_ARGS(t), &rows, err) ||
	    !taken_of(rows, &taken, out, err))
		return false;
	if (taken) {
		*found = (struct found){.why = DB_ARTIFACT_TAKEN};
		return true;
	}
	return db_tx_run(tx, &db_artifact_statements[LOCK], FOUND_ARGS(t), &rows, err) &&
	       found_of(rows, found, err);
}

/*
 * Not taken at once.  Who has nothing to get here locks nothing that the rightful party would
 * have to wait for, but once for the trail.
 */
static bool
refuse(const struct taker *t, enum db_artifact_why *why, struct db_artifact_taken *out,
       struct err *err)
{
	struct db_artifact_taken waited = {0};
	struct db_audit row = {0};
	struct db_rows *rows;
	struct found found;
	struct db_tx *tx;
	bool noted = false;

	if (!db_run(t->c, &db_artifact_statements[LOOK], FOUND_ARGS(t), &rows, err) ||
	    !found_of(rows, &found, err))
		return false;
	*why = found.why;
	if (found.why != DB_ARTIFACT_ENDED &&
	    (!found.first || t->audit->refused[found.why] == NULL))
		return true;
	if (!db_tx_begin(t->c, &tx, err))
		return false;
	bool held = (found.why != DB_ARTIFACT_ENDED || wait_in(t, tx, &found, &waited, err)) &&
		    note(t, tx, &found, &row, &noted, err);

	if (!db_tx_conclude(tx, held, noted ? &row : NULL, t->now, err))
		return false;
	*why = found.why;
	if (found.why == DB_ARTIFACT_TAKEN)
		*out = waited;
	return true;
}

bool
db_artifact_take(const struct db_call *c, struct bytes handle, const char *party,
		 const struct db_artifact_audit *audit, time_t now, enum db_artifact_why *why,
		 struct db_artifact_taken *out, struct err *err)
{
	const struct taker t = {c, db_artifact_hash(c->a, handle), party, audit, now};
	struct db_artifact_taken at_once = {0};
	struct db_rows *rows;
	bool taken;

	if (!db_run(c, &db_artifact_statements[TAKE], TAKE_ARGS(&t), &rows, err) ||
	    !taken_of(rows, &taken, &at_once, err))
		return false;
	if (!taken)
		return refuse(&t, why, out, err);
	*why = DB_ARTIFACT_TAKEN;
	*out = at_once;
	return true;
}

bool
db_artifact_sweep(const struct db_call *c, time_t old, int64_t limit, time_t now, int64_t *n,
		  struct err *err)
{
	return db_sweep(c, &db_artifact_statements[SWEEP], db_int(old), limit, now, n, err);
}
