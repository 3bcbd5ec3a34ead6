/* Other identity providers; see upstream.h. */
#include "db/upstream.h"

#include "db/statements.h"

enum { SAVE, LIST, ENABLE, REMOVE, TAKE, FETCHED, SETTLE, MISS };

const struct db_statement db_upstream_statements[] = {
	[SAVE] = {"upstream_save", DB_DURABLE, T_UPSTREAM, 7, DB_AUDIT_PARAMS "tttbtot",
		  "WITH t AS (INSERT INTO upstream (id, kind, display_name, document, policy,"
		  " enabled, changed) VALUES ($7, $8, $9, $10, $11::jsonb, $12, $1)"
		  " ON CONFLICT (id) DO UPDATE SET kind = EXCLUDED.kind,"
		  " display_name = EXCLUDED.display_name, document = EXCLUDED.document,"
		  " policy = EXCLUDED.policy, enabled = EXCLUDED.enabled,"
		  " changed = EXCLUDED.changed RETURNING id),"
		  " s AS (INSERT INTO upstream_source (upstream, issuer, due) SELECT id, $13, $1"
		  " FROM t WHERE $13 IS NOT NULL ON CONFLICT (upstream) DO UPDATE SET"
		  " issuer = EXCLUDED.issuer, due = EXCLUDED.due, lease = 0, tries = 0,"
		  " missed = NULL, trouble = NULL,"
		  " discovery = CASE WHEN upstream_source.issuer = EXCLUDED.issuer"
		  " THEN upstream_source.discovery END,"
		  " keys = CASE WHEN upstream_source.issuer = EXCLUDED.issuer"
		  " THEN upstream_source.keys END),"
		  " gone AS (DELETE FROM upstream_source WHERE upstream = $7 AND $13 IS "
		  "NULL)" DB_AUDIT_FROM("t")},
	[LIST] = {"upstream_list", DB_READ, T_UPSTREAM, 0, "",
		  "SELECT id, kind, display_name, document, policy::text, enabled, changed,"
		  " s.issuer, s.discovery, s.keys, coalesce(s.fetched, 0), s.trouble"
		  " FROM upstream LEFT JOIN upstream_source s ON s.upstream = id"
		  " ORDER BY id COLLATE \"C\""},
	[ENABLE] = {"upstream_enable", DB_DURABLE, T_UPSTREAM, 7, DB_AUDIT_PARAMS "to",
		    "WITH t AS (UPDATE upstream SET enabled = $8, changed = $1 WHERE id = $7"
		    " RETURNING 1), a AS (" DB_AUDIT_FROM("t") ") SELECT FROM t"},
	[REMOVE] = {"upstream_remove", DB_DURABLE, T_UPSTREAM, 7, DB_AUDIT_PARAMS "t",
		    "WITH t AS (DELETE FROM upstream WHERE id = $7 RETURNING 1),"
		    " a AS (" DB_AUDIT_FROM("t") ") SELECT FROM t"},
	/* Looked at anew once its lock is held, as party_source is (db/source.c). */
	[TAKE] = {"upstream_take", DB_LAZY, T_UPSTREAM, 0, "ii",
		  "UPDATE upstream_source s SET tries = tries + 1, lease = $2"
		  " WHERE s.upstream = (SELECT o.upstream FROM upstream_source o"
		  " JOIN upstream u ON u.id = o.upstream WHERE o.due <= $1 AND o.lease <= $1"
		  " AND u.enabled ORDER BY o.due LIMIT 1 FOR UPDATE OF o SKIP LOCKED)"
		  " RETURNING s.upstream, s.issuer, s.discovery, s.keys, s.due, s.tries"},
	[FETCHED] = {"upstream_fetched", DB_DURABLE, T_UPSTREAM, 7, DB_AUDIT_PARAMS "titbb",
		     "WITH s AS (UPDATE upstream_source SET discovery = $10, keys = $11"
		     " WHERE upstream = $7 AND tries = $8 AND issuer = $9 RETURNING 1),"
		     " a AS (" DB_AUDIT_FROM("s") ") SELECT FROM s"},
	/* Who wanted it fetched anew meanwhile (another due) gets it. */
	[SETTLE] = {"upstream_settle", DB_LAZY, T_UPSTREAM, 1, "tiitii",
		    "UPDATE upstream_source SET due = CASE WHEN due = $6 THEN $3 ELSE due END,"
		    " lease = 0, trouble = $4, tries = CASE WHEN $4 IS NULL THEN 0 ELSE tries END,"
		    " fetched = CASE WHEN $4 IS NULL THEN $5 ELSE fetched END"
		    " WHERE upstream = $1 AND tries = $2"},
	[MISS] = {"upstream_miss", DB_LAZY, T_UPSTREAM, 1, "tii",
		  "UPDATE upstream_source SET due = least(due, $2), missed = $2"
		  " WHERE upstream = $1 AND coalesce(missed, 0) <= $2 - $3 RETURNING 1"},
	{0},
};

bool
db_upstream_save(const struct db_call *c, const struct db_upstream *u, const struct db_audit *audit,
		 time_t now, struct err *err)
{
	return db_run(c, &db_upstream_statements[SAVE],
		      DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(u->id), db_text(u->kind),
			      db_text(u->display_name), db_bytes(u->document), db_text(u->policy),
			      db_bool(u->enabled), db_text(u->issuer)),
		      NULL, err);
}

bool
db_upstream_list(const struct db_call *c, const struct db_upstream **out, size_t *n,
		 struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_upstream_statements[LIST], NULL, 0, &rows, err))
		return false;
	struct db_upstream *list = ARENA_ARRAY(c->a, struct db_upstream, rows->n + 1);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = (struct db_upstream){
			.id = db_get_text(rows, i, 0),
			.kind = db_get_text(rows, i, 1),
			.display_name = db_get_text(rows, i, 2),
			.document = db_get_bytes(rows, i, 3),
			.policy = db_get_text(rows, i, 4),
			.enabled = db_get_bool(rows, i, 5),
			.changed = db_get_int(rows, i, 6),
			.issuer = db_get_text_opt(rows, i, 7),
			.discovery = db_get_bytes_opt(rows, i, 8),
			.keys = db_get_bytes_opt(rows, i, 9),
			.fetched = db_get_int(rows, i, 10),
			.trouble = db_get_text_opt(rows, i, 11),
		};
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	*n = rows->n;
	return true;
}

bool
db_upstream_set_enabled(const struct db_call *c, const char *id, bool enabled,
			const struct db_audit *audit, time_t now, struct err *err)
{
	return db_run_found(c, &db_upstream_statements[ENABLE],
			    DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(id), db_bool(enabled)), err);
}

bool
db_upstream_remove(const struct db_call *c, const char *id, const struct db_audit *audit,
		   time_t now, struct err *err)
{
	return db_run_found(c, &db_upstream_statements[REMOVE],
			    DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(id)), err);
}

/* ---- fetching ---- */

bool
db_upstream_take(const struct db_call *c, int64_t lease_s, time_t now,
		 const struct db_upstream_taken **out, struct err *err)
{
	struct db_upstream_taken *t = NULL;
	struct db_rows *rows;

	if (!db_run(c, &db_upstream_statements[TAKE], DB_ARGS(db_int(now), db_int(now + lease_s)),
		    &rows, err))
		return false;
	if (rows->n > 0) {
		t = ARENA_NEW(c->a, struct db_upstream_taken);
		*t = (struct db_upstream_taken){
			.upstream = db_get_text(rows, 0, 0),
			.issuer = db_get_text(rows, 0, 1),
			.discovery = db_get_bytes_opt(rows, 0, 2),
			.keys = db_get_bytes_opt(rows, 0, 3),
			.due = db_get_int(rows, 0, 4),
			.tries = db_get_int(rows, 0, 5),
		};
	}
	if (!db_rows_check(rows, err))
		return false;
	*out = t;
	return true;
}

bool
db_upstream_fetched(const struct db_call *c, const struct db_upstream_taken *taken,
		    struct bytes discovery, struct bytes keys, const struct db_audit *audit,
		    time_t now, struct err *err)
{
	bool did;

	return db_run_did(c, &db_upstream_statements[FETCHED],
			  DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(taken->upstream),
				  db_int(taken->tries), db_text(taken->issuer), db_bytes(discovery),
				  db_bytes(keys)),
			  &did, err) &&
	       (did || FAIL(err, ERR_CONFLICT, NULL, "it was fetched anew meanwhile"));
}

bool
db_upstream_settle(const struct db_call *c, const struct db_upstream_taken *taken, time_t due,
		   const char *trouble, time_t now, struct err *err)
{
	return db_run(c, &db_upstream_statements[SETTLE],
		      DB_ARGS(db_text(taken->upstream), db_int(taken->tries), db_int(due),
			      db_text(trouble), db_int(now), db_int(taken->due)),
		      NULL, err);
}

bool
db_upstream_miss(const struct db_call *c, const char *id, int64_t pause_s, time_t now, bool *did,
		 struct err *err)
{
	return db_run_did(c, &db_upstream_statements[MISS],
			  DB_ARGS(db_text(id), db_int(now), db_int(pause_s)), did, err);
}
