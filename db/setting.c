/* Settings; see setting.h. */
#include "db/setting.h"

#include "db/statements.h"

enum { LIST, SAVE };

const struct db_statement db_setting_statements[] = {
	[LIST] = {"setting_list", DB_READ, T_SETTING, 0, "",
		  "SELECT name, value, version, changed FROM setting ORDER BY name COLLATE \"C\""},
	[SAVE] = {"setting_save", DB_DURABLE, T_SETTING, 7, DB_AUDIT_PARAMS "tti",
		  "WITH n AS (INSERT INTO setting (name, value, version, changed)"
		  " SELECT $7, $8, 1, $1 WHERE $9 = 0 ON CONFLICT DO NOTHING RETURNING 1),"
		  " u AS (UPDATE setting SET value = $8, version = version + 1, changed = $1"
		  " WHERE name = $7 AND version = $9 RETURNING 1),"
		  " c AS (SELECT FROM n UNION ALL SELECT FROM u),"
		  " a AS (" DB_AUDIT_FROM("c") ") SELECT FROM c"},
	{0},
};

bool
db_setting_list(const struct db_call *c, const struct db_setting **out, size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_setting_statements[LIST], NULL, 0, &rows, err))
		return false;
	struct db_setting *list = ARENA_ARRAY(c->a, struct db_setting, rows->n);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = (struct db_setting){.name = db_get_text(rows, i, 0),
					      .value = db_get_text(rows, i, 1),
					      .version = db_get_int(rows, i, 2),
					      .changed = db_get_int(rows, i, 3)};
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	*n = rows->n;
	return true;
}

bool
db_setting_save(const struct db_call *c, const char *name, const char *value, int64_t version,
		const struct db_audit *audit, time_t now, struct err *err)
{
	bool saved;

	if (!db_run_did(c, &db_setting_statements[SAVE],
			DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(name), db_text(value),
				db_int(version)),
			&saved, err))
		return false;
	return saved || FAIL(err, ERR_CONFLICT, NULL, "the setting was changed meanwhile");
}
