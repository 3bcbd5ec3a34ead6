/* Other identity providers; see upstream.h. */
#include "db/upstream.h"

#include "db/statements.h"

enum { SAVE, LIST, ENABLE, REMOVE };

const struct db_statement db_upstream_statements[] = {
	[SAVE] = {"upstream_save", DB_DURABLE, T_UPSTREAM, 7, DB_AUDIT_PARAMS "tttbto",
		  "WITH t AS (INSERT INTO upstream (id, kind, display_name, document, policy,"
		  " enabled, changed) VALUES ($7, $8, $9, $10, $11::jsonb, $12, $1)"
		  " ON CONFLICT (id) DO UPDATE SET kind = EXCLUDED.kind,"
		  " display_name = EXCLUDED.display_name, document = EXCLUDED.document,"
		  " policy = EXCLUDED.policy, enabled = EXCLUDED.enabled,"
		  " changed = EXCLUDED.changed RETURNING 1)" DB_AUDIT_FROM("t")},
	[LIST] = {"upstream_list", DB_READ, T_UPSTREAM, 0, "",
		  "SELECT id, kind, display_name, document, policy::text, enabled, changed"
		  " FROM upstream ORDER BY id COLLATE \"C\""},
	[ENABLE] = {"upstream_enable", DB_DURABLE, T_UPSTREAM, 7, DB_AUDIT_PARAMS "to",
		    "WITH t AS (UPDATE upstream SET enabled = $8, changed = $1 WHERE id = $7"
		    " RETURNING 1), a AS (" DB_AUDIT_FROM("t") ") SELECT FROM t"},
	[REMOVE] = {"upstream_remove", DB_DURABLE, T_UPSTREAM, 7, DB_AUDIT_PARAMS "t",
		    "WITH t AS (DELETE FROM upstream WHERE id = $7 RETURNING 1),"
		    " a AS (" DB_AUDIT_FROM("t") ") SELECT FROM t"},
	{0},
};

bool
db_upstream_save(const struct db_call *c, const struct db_upstream *u, const struct db_audit *audit,
		 time_t now, struct err *err)
{
	return db_run(c, &db_upstream_statements[SAVE],
		      DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(u->id), db_text(u->kind),
			      db_text(u->display_name), db_bytes(u->document), db_text(u->policy),
			      db_bool(u->enabled)),
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
