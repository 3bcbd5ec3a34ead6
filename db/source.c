/* Where metadata comes from, and copies of it; see source.h. */
#include "db/source.h"

#include "db/names.h"
#include "db/statements.h"

enum {
	PUT,
	DROP,
	LIST,
	LOAD,
	HURRY,
	MISS,
	TAKE,
	SETTLE,
	KEYS,
	COUNT,
	COPIES,
	HOLD,
	REPLACE,
	REJECT,
};

#define SOURCE_COLUMNS                                                                     \
	"s.party, s.url, s.signers, s.local_http, s.held, s.etag, s.last_modified, s.due," \
	" coalesce(s.fetched, 0), s.tries, s.trouble"
#define SOURCE_N_COLUMNS 11

const struct db_statement db_source_statements[] = {
	[PUT] = {"source_put", DB_DURABLE, T_SOURCE, 7, DB_AUDIT_PARAMS "ttto",
		 "WITH s AS (INSERT INTO party_source (party, url, signers, local_http, held, due,"
		 " lease, tries) SELECT id, $8, $9, $10, false, $1, 0, 0 FROM party"
		 " WHERE id = $7 ON CONFLICT (party) DO UPDATE SET keys = CASE"
		 " WHEN party_source.url = EXCLUDED.url THEN party_source.keys END,"
		 " missed = NULL, url = EXCLUDED.url, signers = EXCLUDED.signers,"
		 " local_http = EXCLUDED.local_http, held = false, etag = NULL,"
		 " last_modified = NULL, due = EXCLUDED.due, lease = 0, tries = 0,"
		 " fetched = NULL, trouble = NULL RETURNING 1),"
		 " gone AS (DELETE FROM party_copy WHERE party = $7 AND state = 'rejected'"
		 " AND EXISTS (SELECT FROM s)),"
		 " a AS (" DB_AUDIT_FROM("s") ") SELECT FROM s"},
	[DROP] = {"source_drop", DB_DURABLE, T_SOURCE, 7, DB_AUDIT_PARAMS "t",
		  "WITH s AS (DELETE FROM party_source WHERE party = $7 RETURNING 1),"
		  " a AS (" DB_AUDIT_FROM("s") ") SELECT FROM s"},
	[LIST] = {"source_list", DB_READ, T_SOURCE, 0, "",
		  "SELECT " SOURCE_COLUMNS " FROM party_source s ORDER BY party COLLATE \"C\""},
	[LOAD] = {"source_load", DB_READ, T_SOURCE, 1, "t",
		  "SELECT " SOURCE_COLUMNS " FROM party_source s WHERE party = $1"},
	[HURRY] = {"source_hurry", DB_LAZY, T_SOURCE, 1, "ti",
		   "UPDATE party_source SET due = $2, etag = NULL, last_modified = NULL"
		   " WHERE party = $1 RETURNING 1"},
	[MISS] = {"source_miss", DB_LAZY, T_SOURCE, 1, "tii",
		  "UPDATE party_source SET due = least(due, $2), missed = $2 WHERE party = $1"
		  " AND coalesce(missed, 0) <= $2 - $3 RETURNING 1"},
	/*
	 * A row that another node took since this statement looked is looked at anew once
	 * its lock is held, and then no longer fits.
	 */
	[TAKE] = {"source_take", DB_LAZY, T_SOURCE, 0, "ii",
		  "UPDATE party_source s SET tries = tries + 1, lease = $2 FROM party p"
		  " WHERE p.id = s.party AND s.party = (SELECT o.party FROM party_source o"
		  " JOIN party q ON q.id = o.party WHERE o.due <= $1 AND o.lease <= $1"
		  " AND q.enabled ORDER BY o.due LIMIT 1 FOR UPDATE OF o SKIP LOCKED)"
		  " RETURNING " SOURCE_COLUMNS ", p.display_name, p.document, p.policy::text,"
		  " p.version, p.changed, p.kind, s.keys, sha256(p.document),"
		  " (SELECT asked FROM party_copy c WHERE c.party = p.id AND state = 'pending'),"
		  " (SELECT asked FROM party_copy c WHERE c.party = p.id AND state = 'rejected'),"
		  " (SELECT c.document FROM party_copy c WHERE c.party = p.id"
		  " AND state = 'pending')"},
	/* Who wanted it fetched anew meanwhile (another due) gets it. */
	[SETTLE] = {"source_settle", DB_LAZY, T_SOURCE, 1, "tiitttii",
		    "UPDATE party_source SET due = CASE WHEN due = $8 THEN $3 ELSE due END,"
		    " etag = CASE WHEN due = $8 THEN $4 END,"
		    " last_modified = CASE WHEN due = $8 THEN $5 END, lease = 0,"
		    " trouble = $6, tries = CASE WHEN $6 IS NULL THEN 0 ELSE tries END,"
		    " fetched = CASE WHEN $6 IS NULL THEN $7 ELSE fetched END"
		    " WHERE party = $1 AND tries = $2"},
	[KEYS] = {"source_keys", DB_DURABLE, T_SOURCE, 7, DB_AUDIT_PARAMS "titb",
		  "WITH s AS (UPDATE party_source SET keys = $10 WHERE party = $7 AND tries = $8"
		  " AND url = $9 RETURNING 1), a AS (" DB_AUDIT_FROM("s") ") SELECT FROM s"},
	[COUNT] = {"source_count", DB_READ, T_SOURCE, 0, "",
		   "SELECT count(*), count(*) FILTER (WHERE trouble IS NOT NULL),"
		   " (SELECT count(*) FROM party_copy WHERE state = 'pending') FROM party_source"},
	[COPIES] = {"copy_list", DB_READ, T_SOURCE, 1, "to",
		    "SELECT seq, party, state, document, sha256, base, asked, changes::text, at"
		    " FROM party_copy WHERE ($1 IS NULL OR party = $1)"
		    " AND (NOT $2 OR state = 'pending')"
		    " ORDER BY party COLLATE \"C\", seq DESC"},
	[HOLD] = {"copy_hold", DB_DURABLE, T_PARTY, 7, DB_AUDIT_PARAMS "tbbbt",
		  "WITH old AS (SELECT id FROM party WHERE id = $7 AND sha256(document) = $8"
		  " FOR UPDATE), c AS (INSERT INTO party_copy (party, state, document, sha256,"
		  " base, asked, changes, at) SELECT id, 'pending', $9, sha256($9), $8, $10,"
		  " $11::jsonb, $1 FROM old ON CONFLICT (party, state) WHERE state <> 'replaced'"
		  " DO UPDATE SET document = EXCLUDED.document, sha256 = EXCLUDED.sha256,"
		  " base = EXCLUDED.base, asked = EXCLUDED.asked, changes = EXCLUDED.changes,"
		  " at = EXCLUDED.at RETURNING 1), a AS (" DB_AUDIT_FROM("c") ") SELECT FROM c"},
	[REPLACE] =
		{"copy_replace", DB_DURABLE, T_PARTY, 7, DB_AUDIT_PARAMS "tbboio",
		 "WITH old AS (SELECT id, document FROM party WHERE id = $7 AND kind = 'saml'"
		 " AND sha256(document) = $8 FOR UPDATE),"
		 " taken AS (DELETE FROM party_copy WHERE party = $7 AND EXISTS (SELECT FROM old)"
		 " AND seq = $11 AND document = $9 RETURNING 1),"
		 " p AS (UPDATE party SET document = $9, version = version + 1, changed = $1"
		 " FROM old WHERE party.id = old.id"
		 " AND ($11 IS NULL OR EXISTS (SELECT FROM taken))"
		 " RETURNING party.id, old.document AS was),"
		 " kept AS (INSERT INTO party_copy (party, state, document, sha256, at)"
		 " SELECT id, 'replaced', was, sha256(was), $1 FROM p WHERE NOT $10),"
		 " gone AS (DELETE FROM party_copy WHERE party = $7 AND EXISTS (SELECT FROM p)"
		 " AND seq IS DISTINCT FROM $11 AND (state = 'pending' OR seq IN"
		 " (SELECT seq FROM party_copy WHERE party = $7 AND state = 'replaced'"
		 " AND seq IS DISTINCT FROM $11 ORDER BY seq DESC"
		 " OFFSET CASE WHEN $10 THEN 5 ELSE 4 END))),"
		 " s AS (UPDATE party_source SET held = $12, etag = NULL, last_modified = NULL,"
		 " due = $1 WHERE $12 IS NOT NULL AND party = $7 AND EXISTS (SELECT FROM p)),"
		 " a AS (" DB_AUDIT_FROM("p") ") SELECT FROM p"},
	[REJECT] = {"copy_reject", DB_DURABLE, T_SOURCE, 7, DB_AUDIT_PARAMS "tib",
		    "WITH gone AS (DELETE FROM party_copy WHERE party = $7 AND state = 'rejected'"
		    " AND EXISTS (SELECT FROM party_copy WHERE party = $7 AND seq = $8"
		    " AND sha256 = $9 AND state = 'pending' FOR UPDATE) RETURNING 1),"
		    " c AS (UPDATE party_copy SET state = 'rejected' WHERE party = $7"
		    " AND seq = $8 AND sha256 = $9 AND state = 'pending' AND (SELECT count(*) FROM "
		    "gone) >= 0"
		    " RETURNING 1),"
		    " a AS (" DB_AUDIT_FROM("c") ") SELECT FROM c"},
	{0},
};

static const char *const states[] = {
	[DB_COPY_PENDING] = "pending",
	[DB_COPY_REJECTED] = "rejected",
	[DB_COPY_REPLACED] = "replaced",
};

#define PUT_ARGS(source, audit, now)                                                         \
	DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text((source)->party), db_text((source)->url), \
		db_text((source)->signers), db_bool((source)->local_http))

bool
db_source_put(const struct db_call *c, const struct db_source *source, const struct db_audit *audit,
	      time_t now, struct err *err)
{
	return db_run_found(c, &db_source_statements[PUT], PUT_ARGS(source, audit, now), err);
}

bool
db_source_follow_tx(struct db_tx *tx, const struct db_source *source, time_t now, struct err *err)
{
	const struct db_audit *none = NULL;

	if (source->url != NULL)
		return db_tx_run(tx, &db_source_statements[PUT], PUT_ARGS(source, none, now), NULL,
				 err);
	return db_tx_run(tx, &db_source_statements[DROP],
			 DB_ARGS(DB_AUDIT_ARGS(none, now), db_text(source->party)), NULL, err);
}

bool
db_source_save_party(const struct db_call *c, const struct db_party *party,
		     const struct db_source *source, const struct db_audit *audit, time_t now,
		     int64_t *version, struct err *err)
{
	struct db_tx *tx;

	if (!db_tx_begin(c, &tx, err))
		return false;
	return db_tx_conclude(tx,
			      db_party_save_tx(tx, party, now, version, err) &&
				      db_source_follow_tx(tx, source, now, err),
			      audit, now, err);
}

bool
db_source_drop(const struct db_call *c, const char *party, const struct db_audit *audit, time_t now,
	       struct err *err)
{
	return db_run_found(c, &db_source_statements[DROP],
			    DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(party)), err);
}

static struct db_source
source_of(struct db_rows *rows, size_t i)
{
	return (struct db_source){
		.party = db_get_text(rows, i, 0),
		.url = db_get_text(rows, i, 1),
		.signers = db_get_text(rows, i, 2),
		.local_http = db_get_bool(rows, i, 3),
		.held = db_get_bool(rows, i, 4),
		.etag = db_get_text_opt(rows, i, 5),
		.last_modified = db_get_text_opt(rows, i, 6),
		.due = db_get_int(rows, i, 7),
		.fetched = db_get_int(rows, i, 8),
		.tries = db_get_int(rows, i, 9),
		.trouble = db_get_text_opt(rows, i, 10),
	};
}

static bool
all_sources(const struct db_call *c, struct db_rows *rows, const struct db_source **out,
	    struct err *err)
{
	struct db_source *list = ARENA_ARRAY(c->a, struct db_source, rows->n);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = source_of(rows, i);
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	return true;
}

bool
db_source_list(const struct db_call *c, const struct db_source **out, size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_source_statements[LIST], NULL, 0, &rows, err) ||
	    !all_sources(c, rows, out, err))
		return false;
	*n = rows->n;
	return true;
}

bool
db_source_load(const struct db_call *c, const char *party, const struct db_source **out,
	       struct err *err)
{
	const struct db_source *list;
	struct db_rows *rows;

	if (!db_run(c, &db_source_statements[LOAD], DB_ARGS(db_text(party)), &rows, err) ||
	    !all_sources(c, rows, &list, err))
		return false;
	*out = rows->n == 0 ? NULL : list;
	return true;
}

bool
db_source_hurry(const struct db_call *c, const char *party, time_t now, struct err *err)
{
	return db_run_found(c, &db_source_statements[HURRY], DB_ARGS(db_text(party), db_int(now)),
			    err);
}

bool
db_source_miss(const struct db_call *c, const char *party, int64_t pause_s, time_t now, bool *did,
	       struct err *err)
{
	return db_run_did(c, &db_source_statements[MISS],
			  DB_ARGS(db_text(party), db_int(now), db_int(pause_s)), did, err);
}

static struct db_source_taken
taken_of(struct db_rows *rows)
{
	struct db_source_taken t = {.source = source_of(rows, 0)};
	size_t col = SOURCE_N_COLUMNS;

	t.party = (struct db_party){
		.id = t.source.party,
		.kind = db_get_text(rows, 0, col + 5),
		.keys = db_get_bytes_opt(rows, 0, col + 6),
		.display_name = db_get_text(rows, 0, col),
		.document = db_get_bytes(rows, 0, col + 1),
		.policy = db_get_text(rows, 0, col + 2),
		.version = db_get_int(rows, 0, col + 3),
		.enabled = true,
		.changed = db_get_int(rows, 0, col + 4),
	};
	t.base = db_get_bytes(rows, 0, col + 7);
	t.pending = db_get_bytes_opt(rows, 0, col + 8);
	t.rejected = db_get_bytes_opt(rows, 0, col + 9);
	t.pending_document = db_get_bytes_opt(rows, 0, col + 10);
	return t;
}

bool
db_source_take(const struct db_call *c, int64_t lease_s, time_t now,
	       const struct db_source_taken **out, struct err *err)
{
	struct db_source_taken *t = NULL;
	struct db_rows *rows;

	if (!db_run(c, &db_source_statements[TAKE], DB_ARGS(db_int(now), db_int(now + lease_s)),
		    &rows, err))
		return false;
	if (rows->n > 0) {
		t = ARENA_NEW(c->a, struct db_source_taken);
		*t = taken_of(rows);
	}
	if (!db_rows_check(rows, err))
		return false;
	*out = t;
	return true;
}

bool
db_source_settle(const struct db_call *c, const struct db_source_taken *taken,
		 const struct db_source_end *end, time_t now, struct err *err)
{
	return db_run(c, &db_source_statements[SETTLE],
		      DB_ARGS(db_text(taken->source.party), db_int(taken->source.tries),
			      db_int(end->due), db_text(end->etag), db_text(end->last_modified),
			      db_text(end->trouble), db_int(now), db_int(taken->source.due)),
		      NULL, err);
}

bool
db_source_count(const struct db_call *c, struct db_source_counts *out, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_source_statements[COUNT], NULL, 0, &rows, err))
		return false;
	struct db_source_counts counts = {db_get_int(rows, 0, 0), db_get_int(rows, 0, 1),
					  db_get_int(rows, 0, 2)};

	if (!db_rows_check(rows, err))
		return false;
	*out = counts;
	return true;
}

/* ---- copies ---- */

bool
db_copy_list(const struct db_call *c, const char *party, bool waiting, const struct db_copy **out,
	     size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_source_statements[COPIES], DB_ARGS(db_text(party), db_bool(waiting)),
		    &rows, err))
		return false;
	struct db_copy *list = ARENA_ARRAY(c->a, struct db_copy, rows->n);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = (struct db_copy){
			.id = db_get_int(rows, i, 0),
			.party = db_get_text(rows, i, 1),
			.state = (enum db_copy_state)db_name_find(states, ARRAY_LEN(states),
								  db_get_text(rows, i, 2)),
			.document = db_get_bytes(rows, i, 3),
			.sha256 = db_get_bytes(rows, i, 4),
			.base = db_get_bytes_opt(rows, i, 5),
			.asked = db_get_bytes_opt(rows, i, 6),
			.changes = db_get_text_opt(rows, i, 7),
			.at = db_get_int(rows, i, 8),
		};
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	*n = rows->n;
	return true;
}

/* A change that was decided upon looking at what is not so any more. */
static bool
run_or_conflict(const struct db_call *c, const struct db_statement *statement,
		const struct db_param *params, size_t n, struct err *err)
{
	bool did;

	if (!db_run_did(c, statement, params, n, &did, err))
		return false;
	return did ||
	       FAIL(err, ERR_CONFLICT, NULL, "%s: it has changed meanwhile", statement->name);
}

bool
db_source_keys(const struct db_call *c, const struct db_source_taken *taken, struct bytes keys,
	       const struct db_audit *audit, time_t now, struct err *err)
{
	return run_or_conflict(c, &db_source_statements[KEYS],
			       DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(taken->source.party),
				       db_int(taken->source.tries), db_text(taken->source.url),
				       db_bytes(keys)),
			       err);
}

bool
db_copy_hold(const struct db_call *c, const struct db_copy *copy, const struct db_audit *audit,
	     time_t now, struct err *err)
{
	return run_or_conflict(c, &db_source_statements[HOLD],
			       DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(copy->party),
				       db_bytes(copy->base), db_bytes(copy->document),
				       db_bytes(copy->asked), db_text(copy->changes)),
			       err);
}

bool
db_copy_replace(const struct db_call *c, const struct db_replace *what,
		const struct db_audit *audit, time_t now, struct err *err)
{
	struct db_param held = db_bool(what->held == DB_HELD_YES);

	held.null = what->held == DB_HELD_AS_IS;
	return run_or_conflict(
		c, &db_source_statements[REPLACE],
		DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(what->party), db_bytes(what->base),
			db_bytes(what->document), db_bool(what->forget),
			db_int_or_null(what->copy == NULL ? 0 : what->copy->id), held),
		err);
}

bool
db_copy_reject(const struct db_call *c, const struct db_copy *copy, const struct db_audit *audit,
	       time_t now, struct err *err)
{
	return run_or_conflict(c, &db_source_statements[REJECT],
			       DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(copy->party),
				       db_int(copy->id), db_bytes(copy->sha256)),
			       err);
}
