/* Relying parties; see party.h. */
#include "db/party.h"

#include "db/grant.h"
#include "db/statements.h"

enum { SAVE, LOAD, LIST, ENABLE, REMOVE };

#define PARTY_COLUMNS                                                                \
	"id, kind, display_name, document, policy::text, version, enabled, changed," \
	" (SELECT s.keys FROM party_source s WHERE s.party = party.id)"

#define REFRESH_OF_PARTY DB_HOLD_REFRESH("party = $7")
#define AUDIT_OF_ROW     DB_AUDIT_FROM("p")

const struct db_statement db_party_statements[] = {
	/*
	 * Another document of a SAML party: the one before is kept as a copy, what waits for an
	 * operator was compared with it and goes, and what its source sends waits from now on:
	 * an operator knew better.  (db/source.h)
	 */
	[SAVE] = {"party_save", DB_DURABLE, T_PARTY, 7, DB_AUDIT_PARAMS "tttbto",
		  "WITH old AS (SELECT id, document FROM party WHERE id = $7 AND kind = $8"
		  " AND kind = 'saml' AND document <> $10 FOR UPDATE),"
		  " p AS (INSERT INTO party (id, kind, display_name, document, policy, enabled,"
		  " changed, version) SELECT $7, $8, $9, $10, $11::jsonb, $12, $1, 1"
		  " WHERE (SELECT count(*) FROM old) >= 0" /* before it changes */
		  " ON CONFLICT (id) DO UPDATE SET display_name = EXCLUDED.display_name,"
		  " document = EXCLUDED.document, policy = EXCLUDED.policy,"
		  " enabled = EXCLUDED.enabled, changed = EXCLUDED.changed,"
		  " version = party.version + 1"
		  " WHERE party.kind = EXCLUDED.kind RETURNING version),"
		  " kept AS (INSERT INTO party_copy (party, state, document, sha256, at)"
		  " SELECT id, 'replaced', document, sha256(document), $1 FROM old),"
		  " gone AS (DELETE FROM party_copy WHERE party = $7 AND EXISTS (SELECT FROM old)"
		  " AND (state = 'pending' OR seq IN (SELECT seq FROM party_copy WHERE party = $7"
		  " AND state = 'replaced' ORDER BY seq DESC OFFSET 4))),"
		  " s AS (UPDATE party_source SET held = true, etag = NULL, last_modified = NULL"
		  " WHERE party = $7 AND EXISTS (SELECT FROM old)),"
		  " a AS (" DB_AUDIT_FROM("p") ") SELECT version FROM p"},
	[LOAD] = {"party_load", DB_READ, T_PARTY, 1, "t",
		  "SELECT " PARTY_COLUMNS " FROM party WHERE id = $1"},
	[LIST] = {"party_list", DB_READ, T_PARTY, 0, "",
		  "SELECT " PARTY_COLUMNS " FROM party ORDER BY id COLLATE \"C\""},
	[ENABLE] = {"party_enable", DB_DURABLE, T_PARTY, 7, DB_AUDIT_PARAMS "to",
		    "WITH p AS (UPDATE party SET enabled = $8, version = version + 1, changed = $1"
		    " WHERE id = $7 RETURNING 1), a AS (" DB_AUDIT_FROM("p") ") SELECT FROM p"},
	[REMOVE] = {"party_remove", DB_DURABLE, T_PARTY, 7, DB_AUDIT_PARAMS "t",
		    "WITH p AS (DELETE FROM party WHERE id = $7 RETURNING 1),"
		    " r AS (DELETE FROM refresh_token WHERE handle IN (" REFRESH_OF_PARTY ")),"
		    " a AS (" AUDIT_OF_ROW ") SELECT FROM p"},
	{0},
};

#define SAVE_ARGS(party, audit, now)                                                     \
	DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text((party)->id), db_text((party)->kind), \
		db_text((party)->display_name), db_bytes((party)->document),             \
		db_text((party)->policy), db_bool((party)->enabled))

static bool
saved(struct db_rows *rows, int64_t *version, struct err *err)
{
	if (rows->n == 0)
		return FAIL(err, ERR_CONFLICT, NULL, "the id belongs to a party of another kind");
	int64_t now = db_get_int(rows, 0, 0);

	if (!db_rows_check(rows, err))
		return false;
	*version = now;
	return true;
}

bool
db_party_save(const struct db_call *c, const struct db_party *party, const struct db_audit *audit,
	      time_t now, int64_t *version, struct err *err)
{
	struct db_rows *rows;

	return db_run(c, &db_party_statements[SAVE], SAVE_ARGS(party, audit, now), &rows, err) &&
	       saved(rows, version, err);
}

bool
db_party_save_tx(struct db_tx *tx, const struct db_party *party, time_t now, int64_t *version,
		 struct err *err)
{
	const struct db_audit *none = NULL;
	struct db_rows *rows;

	return db_tx_run(tx, &db_party_statements[SAVE], SAVE_ARGS(party, none, now), &rows, err) &&
	       saved(rows, version, err);
}

static bool
all_parties(const struct db_call *c, struct db_rows *rows, const struct db_party **out,
	    struct err *err)
{
	struct db_party *list = ARENA_ARRAY(c->a, struct db_party, rows->n);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = (struct db_party){
			.id = db_get_text(rows, i, 0),
			.kind = db_get_text(rows, i, 1),
			.display_name = db_get_text(rows, i, 2),
			.document = db_get_bytes(rows, i, 3),
			.policy = db_get_text(rows, i, 4),
			.version = db_get_int(rows, i, 5),
			.enabled = db_get_bool(rows, i, 6),
			.changed = db_get_int(rows, i, 7),
			.keys = db_get_bytes_opt(rows, i, 8),
		};
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	return true;
}

bool
db_party_load(const struct db_call *c, const char *id, const struct db_party **out, struct err *err)
{
	struct db_rows *rows;
	const struct db_party *list;

	if (!db_run(c, &db_party_statements[LOAD], DB_ARGS(db_text(id)), &rows, err) ||
	    !all_parties(c, rows, &list, err))
		return false;
	*out = rows->n == 0 ? NULL : list;
	return true;
}

bool
db_party_list(const struct db_call *c, const struct db_party **out, size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_party_statements[LIST], NULL, 0, &rows, err) ||
	    !all_parties(c, rows, out, err))
		return false;
	*n = rows->n;
	return true;
}

bool
db_party_set_enabled(const struct db_call *c, const char *id, bool enabled,
		     const struct db_audit *audit, time_t now, struct err *err)
{
	return db_run_found(c, &db_party_statements[ENABLE],
			    DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(id), db_bool(enabled)), err);
}

bool
db_party_remove(const struct db_call *c, const char *id, const struct db_audit *audit, time_t now,
		struct err *err)
{
	return db_run_found(c, &db_party_statements[REMOVE],
			    DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(id)), err);
}
