/* Types of authorization details; see detail_type.h. */
#include "db/detail_type.h"

#include "db/statements.h"

enum { SAVE, LIST, REMOVE };

const struct db_statement db_detail_type_statements[] = {
	[SAVE] = {"detail_type_save", DB_DURABLE, T_DETAIL_TYPE, 7, DB_AUDIT_PARAMS "tb",
		  "WITH t AS (INSERT INTO detail_type (name, document, changed)"
		  " VALUES ($7, $8, $1) ON CONFLICT (name) DO UPDATE SET"
		  " document = EXCLUDED.document, changed = EXCLUDED.changed"
		  " RETURNING 1)" DB_AUDIT_FROM("t")},
	[LIST] = {"detail_type_list", DB_READ, T_DETAIL_TYPE, 0, "",
		  "SELECT name, document, changed FROM detail_type ORDER BY name COLLATE \"C\""},
	[REMOVE] = {"detail_type_remove", DB_DURABLE, T_DETAIL_TYPE, 7, DB_AUDIT_PARAMS "t",
		    "WITH t AS (DELETE FROM detail_type WHERE name = $7 RETURNING 1),"
		    " a AS (" DB_AUDIT_FROM("t") ") SELECT FROM t"},
	{0},
};

bool
db_detail_type_save(const struct db_call *c, const struct db_detail_type *type,
		    const struct db_audit *audit, time_t now, struct err *err)
{
	return db_run(
		c, &db_detail_type_statements[SAVE],
		DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(type->name), db_bytes(type->document)),
		NULL, err);
}

bool
db_detail_type_list(const struct db_call *c, const struct db_detail_type **out, size_t *n,
		    struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_detail_type_statements[LIST], NULL, 0, &rows, err))
		return false;
	struct db_detail_type *list = ARENA_ARRAY(c->a, struct db_detail_type, rows->n + 1);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = (struct db_detail_type){
			.name = db_get_text(rows, i, 0),
			.document = db_get_bytes(rows, i, 1),
			.changed = db_get_int(rows, i, 2),
		};
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	*n = rows->n;
	return true;
}

bool
db_detail_type_remove(const struct db_call *c, const char *name, const struct db_audit *audit,
		      time_t now, struct err *err)
{
	return db_run_found(c, &db_detail_type_statements[REMOVE],
			    DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(name)), err);
}
