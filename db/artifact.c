/* Messages that wait to be resolved; see artifact.h. */
#include "db/artifact.h"

#include "db/dated.h"
#include "db/part.h"
#include "db/statements.h"

enum { CREATE, TAKE, LOCK, REFUSE, SWEEP };

const struct db_statement db_artifact_statements[] = {
	[CREATE] = {"artifact_create", DB_LAZY, T_ARTIFACT, 1, "btbii",
		    "INSERT INTO artifact (hash, party, sealed, created, expires)"
		    " VALUES ($1, $2, $3, $4, $5)"},
	/*
	 * The session is locked first, as who ends it does before its artifacts go: so nobody
	 * waits crosswise, and what was taken was taken before the end.  A lock on the artifact
	 * itself is not waited for: who holds it takes it, or takes it away.
	 */
	[TAKE] = {"artifact_take", DB_DURABLE, T_ARTIFACT, 7, DB_AUDIT_PARAMS "bt",
		  "WITH look AS MATERIALIZED (SELECT sid, party, acting, represented, created"
		  " FROM artifact WHERE hash = $7 AND party = $8 AND taken_at IS NULL"
		  " AND expires > $1),"
		  " alive AS MATERIALIZED (SELECT FROM session WHERE sid = (SELECT sid FROM look)"
		  " AND expires > $1 FOR KEY SHARE),"
		  " fit AS MATERIALIZED (SELECT FROM look WHERE"
		  " (sid IS NULL OR EXISTS (SELECT FROM alive))" DB_CONSENT_STANDS(
			  "look") "),"
				  " pick AS MATERIALIZED (SELECT hash, acting, sealed FROM artifact"
				  " WHERE hash = $7 AND taken_at IS NULL AND EXISTS (SELECT FROM "
				  "fit)"
				  " FOR UPDATE SKIP LOCKED),"
				  " taken AS (UPDATE artifact t SET taken_at = $1, sealed = NULL "
				  "FROM pick"
				  " WHERE t.hash = pick.hash RETURNING 1),"
				  " a AS (INSERT INTO audit (at, event, ref, subject, party, "
				  "details)"
				  " SELECT $1, $2, $3, coalesce($4, acting), $5, coalesce($6, "
				  "'{}')::jsonb"
				  " FROM pick, taken WHERE $2 IS NOT NULL)"
				  " SELECT sealed FROM pick, taken"},
	[LOCK] = {"artifact_lock", DB_IN_TX, T_ARTIFACT, 1, "bti",
		  "SELECT taken_at IS NOT NULL, party <> $2, expires <= $3, refused_at IS NULL,"
		  " acting FROM artifact WHERE hash = $1 FOR UPDATE"},
	[REFUSE] = {"artifact_refuse", DB_IN_TX, T_ARTIFACT, 1, "bi",
		    "UPDATE artifact SET refused_at = $2 WHERE hash = $1"},
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

/* What LOCK found. */
struct found {
	enum db_artifact_why why;
	bool first; /* that it is refused */
	const struct subject_id *acting;
};

static bool
look(struct db_tx *tx, struct bytes hash, const char *party, time_t now, struct found *out,
     struct err *err)
{
	struct db_rows *rows;

	if (!db_tx_run(tx, &db_artifact_statements[LOCK],
		       DB_ARGS(db_bytes(hash), db_text(party), db_int(now)), &rows, err))
		return false;
	*out = (struct found){.why = DB_ARTIFACT_UNKNOWN};
	if (rows->n == 0)
		return true;
	bool used = db_get_bool(rows, 0, 0), foreign = db_get_bool(rows, 0, 1),
	     expired = db_get_bool(rows, 0, 2);

	out->why = foreign   ? DB_ARTIFACT_FOREIGN
		   : used    ? DB_ARTIFACT_USED
		   : expired ? DB_ARTIFACT_EXPIRED
			     : DB_ARTIFACT_ENDED;
	out->first = db_get_bool(rows, 0, 3);
	out->acting = db_get_id_opt(rows, 0, 4);
	return db_rows_check(rows, err);
}

/*
 * Not taken by us.  Why, is asked with the row locked: who was just taking it has committed
 * then.
 */
static bool
refuse(const struct db_call *c, struct bytes hash, const char *party,
       const struct db_artifact_audit *audit, time_t now, enum db_artifact_why *why,
       struct err *err)
{
	struct db_audit whose = {0};
	struct found found = {0};
	struct db_tx *tx;

	if (!db_tx_begin(c, &tx, err))
		return false;
	bool held = look(tx, hash, party, now, &found, err);
	const struct db_audit *row = held && found.first ? audit->refused[found.why] : NULL;

	if (row != NULL) {
		whose = *row;
		if (whose.subject == NULL)
			whose.subject = found.acting;
		held = db_tx_run(tx, &db_artifact_statements[REFUSE],
				 DB_ARGS(db_bytes(hash), db_int(now)), NULL, err);
	}
	if (!db_tx_conclude(tx, held, row == NULL ? NULL : &whose, now, err))
		return false;
	*why = found.why;
	return true;
}

bool
db_artifact_take(const struct db_call *c, struct bytes handle, const char *party,
		 const struct db_artifact_audit *audit, time_t now, enum db_artifact_why *why,
		 struct bytes *sealed, struct err *err)
{
	struct bytes hash = db_artifact_hash(c->a, handle);
	struct db_rows *rows;

	if (!db_run(c, &db_artifact_statements[TAKE],
		    DB_ARGS(DB_AUDIT_ARGS(audit->taken, now), db_bytes(hash), db_text(party)),
		    &rows, err))
		return false;
	if (rows->n == 0)
		return refuse(c, hash, party, audit, now, why, err);
	struct bytes taken = db_get_bytes(rows, 0, 0);

	if (!db_rows_check(rows, err))
		return false;
	*why = DB_ARTIFACT_TAKEN;
	*sealed = taken;
	return true;
}

bool
db_artifact_sweep(const struct db_call *c, time_t old, int64_t limit, time_t now, int64_t *n,
		  struct err *err)
{
	return db_sweep(c, &db_artifact_statements[SWEEP], db_int(old), limit, now, n, err);
}
