/* Federations; see federation.h. */
#include "db/federation.h"

#include "db/names.h"
#include "db/statements.h"

enum {
	PUT,
	DROP,
	LIST,
	HURRY,
	TAKE,
	SETTLE,
	COUNT,
	BEGIN,
	PIECE_ADD,
	TEXTS_ADD,
	TEXTS_USE,
	CONCLUDE,
	SERVED,
	LEFT_ADD,
	LEFT,
	ABANDON,
	TIDY,
	COPIES,
	PIECE,
	TEXTS,
	APPROVE,
	REJECT,
	SAID,
	SUSPEND,
	UNSUSPEND,
	SUSPENSIONS,
};

#define SOURCE_COLUMNS                                                                      \
	"s.name, s.kind, s.url, s.signers, s.rules::text, s.version, s.etag,"               \
	" s.last_modified, s.due, s.fetched, s.tries, s.taken, s.trouble, k.seq, k.digest," \
	" k.octets, k.members, k.valid_until, k.signer, k.approved_by, k.at, s.rolled_back"
#define COUNTING " LEFT JOIN federation_copy k ON k.source = s.name AND k.state = 'counting'"

/* The number at octet `at` of entry i of the index. */
#define NUMBER_AT(at)                                                                           \
	"((get_byte($3, i * 40 + " #at ") << 24) | (get_byte($3, i * 40 + " #at                 \
	" + 1) << 16) | (get_byte($3, i * 40 + " #at " + 2) << 8) | get_byte($3, i * 40 + " #at \
	" + 3))"
#define ARRIVES                                                               \
	" EXISTS (SELECT FROM federation_copy WHERE seq = $2 AND source = $1" \
	" AND state = 'arriving')"

const struct db_statement db_federation_statements[] = {
	[PUT] = {"federation_put", DB_DURABLE, T_FEDERATION, 7, DB_AUDIT_PARAMS "ttttti",
		 "WITH s AS (INSERT INTO federation_source (name, kind, url, signers, rules,"
		 " version, due, lease, tries, taken) VALUES ($7, $8, $9, $10, $11::jsonb, 1,"
		 " $12, 0, 0, 0) ON CONFLICT (name) DO UPDATE SET kind = EXCLUDED.kind,"
		 " url = EXCLUDED.url, signers = EXCLUDED.signers, rules = EXCLUDED.rules,"
		 " version = federation_source.version + 1, taken = federation_source.taken + 1,"
		 " due = EXCLUDED.due, lease = 0,"
		 " tries = 0, etag = NULL, last_modified = NULL, trouble = NULL RETURNING 1),"
		 " a AS (" DB_AUDIT_FROM("s") ") SELECT FROM s"},
	[DROP] = {"federation_drop", DB_DURABLE, T_FEDERATION, 7, DB_AUDIT_PARAMS "t",
		  "WITH s AS (DELETE FROM federation_source WHERE name = $7 RETURNING 1),"
		  " a AS (" DB_AUDIT_FROM("s") ") SELECT FROM s"},
	[LIST] = {"federation_list", DB_READ, T_FEDERATION, 1, "t",
		  "SELECT " SOURCE_COLUMNS " FROM federation_source s" COUNTING
		  " WHERE $1 IS NULL OR s.name = $1 ORDER BY s.name COLLATE \"C\""},
	[HURRY] = {"federation_hurry", DB_LAZY, T_FEDERATION, 1, "ti",
		   "UPDATE federation_source SET due = $2, etag = NULL, last_modified = NULL"
		   " WHERE name = $1 AND kind = 'aggregate' RETURNING 1"},
	[TAKE] = {"federation_take", DB_LAZY, T_FEDERATION, 3, "iit",
		  "WITH s AS (UPDATE federation_source SET tries = tries + 1, taken = taken + 1,"
		  " lease = $2 WHERE name = (SELECT o.name FROM federation_source o"
		  " WHERE CASE WHEN $3 IS NULL THEN o.kind = 'aggregate' AND o.due <= $1"
		  " AND o.lease <= $1 ELSE o.name = $3 END"
		  " ORDER BY o.due LIMIT 1 FOR UPDATE OF o SKIP LOCKED) RETURNING *)"
		  " SELECT " SOURCE_COLUMNS " FROM s" COUNTING},
	[SETTLE] = {"federation_settle", DB_LAZY, T_FEDERATION, 1, "tiitttii",
		    "UPDATE federation_source SET due = CASE WHEN due IS NOT DISTINCT FROM $8"
		    " THEN $3 ELSE due END, etag = CASE WHEN due IS NOT DISTINCT FROM $8 THEN $4"
		    " END, last_modified = CASE WHEN due IS NOT DISTINCT FROM $8 THEN $5 END,"
		    " lease = 0, trouble = $6, tries = CASE WHEN $6 IS NULL THEN 0 ELSE tries"
		    " END, fetched = CASE WHEN $6 IS NULL THEN $7 ELSE fetched END"
		    " WHERE name = $1 AND taken = $2"},
	[COUNT] = {"federation_count", DB_READ, T_FEDERATION, 0, "",
		   "SELECT (SELECT count(*) FROM federation_source WHERE trouble IS NOT NULL),"
		   " (SELECT count(*) FROM federation_copy WHERE state = 'waiting')"},
	[BEGIN] = {"federation_begin", DB_LAZY, T_FEDERATION, 1, "tii",
		   "WITH s AS (SELECT name FROM federation_source WHERE name = $1 AND taken = $2"
		   " FOR UPDATE), gone AS (DELETE FROM federation_copy WHERE source = $1"
		   " AND state = 'arriving' AND EXISTS (SELECT FROM s) RETURNING 1)"
		   " INSERT INTO federation_copy (source, state, at) SELECT name, 'arriving', $3"
		   " FROM s WHERE (SELECT count(*) FROM gone) >= 0 RETURNING seq"},
	[PIECE_ADD] = {"federation_piece_add", DB_LAZY, T_FEDERATION, 0, "iib",
		       "INSERT INTO federation_piece (copy, n, octets) SELECT seq, $2, $3"
		       " FROM federation_copy WHERE seq = $1 AND state = 'arriving' RETURNING 1"},
	[TEXTS_ADD] = {"federation_texts_add", DB_LAZY, T_FEDERATION, 1, "tibb",
		       "INSERT INTO federation_text (source, digest, text, since, used)"
		       " SELECT DISTINCT ON (d) $1, d, substring($4 FROM f + 1 FOR l), $2, $2 FROM"
		       " (SELECT substring($3 FROM i * 40 + 1 FOR 32) AS d, " NUMBER_AT(
			       32) " AS f, " NUMBER_AT(36) " AS l"
							   " FROM generate_series(0, length($3) / "
							   "40 - 1) AS i) AS x"
							   " WHERE" ARRIVES
							   " ON CONFLICT (source, digest) DO "
							   "UPDATE SET"
							   " used = EXCLUDED.used, text = "
							   "EXCLUDED.text RETURNING 1"},
	[TEXTS_USE] = {"federation_texts_use", DB_LAZY, T_FEDERATION, 1, "tib",
		       "WITH u AS (UPDATE federation_text SET used = $2 WHERE source = $1"
		       " AND digest = ANY (ARRAY(SELECT substring($3 FROM i * 32 + 1 FOR 32)"
		       " FROM generate_series(0, length($3) / 32 - 1) AS i)) AND" ARRIVES
		       " RETURNING 1)"
		       " SELECT count(*) FROM u"},
	/*
	 * Each update sets the state: of several updates of one table in a statement PostgreSQL
	 * fires the trigger that lets nodes look by the columns of one of them alone.
	 */
	[CONCLUDE] = {"federation_conclude", DB_DURABLE, T_FEDERATION, 7,
		      DB_AUDIT_PARAMS "tiitibiiibtbb",
		      "WITH s AS (SELECT name FROM federation_source WHERE name = $7 AND taken = $9"
		      " FOR UPDATE), fit AS (SELECT 1 FROM s WHERE (SELECT seq FROM federation_copy"
		      " WHERE source = $7 AND state = 'counting') IS NOT DISTINCT FROM $11),"
		      " old AS (UPDATE federation_copy SET state = 'replaced' WHERE source = $7"
		      " AND state = 'counting' AND $10 = 'counting' AND EXISTS (SELECT FROM fit)"
		      " RETURNING 1), w AS (DELETE FROM federation_copy WHERE source = $7"
		      " AND state = 'waiting' AND EXISTS (SELECT FROM fit) RETURNING 1),"
		      " r AS (UPDATE federation_copy SET state = 'rejected', gone = NULL WHERE "
		      "source = $7"
		      " AND state = 'rejected' AND EXISTS (SELECT FROM fit)),"
		      " c AS (UPDATE federation_copy SET state = $10, digest = $12, octets = $13,"
		      " members = $14, valid_until = $15, signer = $16, changes = $17::jsonb,"
		      " asked = $18, gone = $19, at = $1 WHERE seq = $8 AND source = $7"
		      " AND state = 'arriving' AND EXISTS (SELECT FROM fit)"
		      " AND (SELECT count(*) FROM old) >= 0 AND (SELECT count(*) FROM w) >= 0"
		      " RETURNING 1), pruned AS (DELETE FROM federation_copy WHERE source = $7"
		      " AND state = 'replaced' AND EXISTS (SELECT FROM c) AND seq <= (SELECT seq"
		      " FROM federation_copy WHERE source = $7 AND state = 'replaced'"
		      " ORDER BY seq DESC OFFSET CASE WHEN $10 = 'counting' THEN 2 ELSE 3 END"
		      " LIMIT 1)),"
		      " a AS (" DB_AUDIT_FROM("c") ") SELECT FROM c"},
	/* The state is set to let nodes look. */
	[SERVED] = {"federation_served", DB_LAZY, T_FEDERATION, 1, "tiib",
		    "WITH s AS (SELECT name FROM federation_source WHERE name = $1 AND taken = $2"
		    " FOR UPDATE), fit AS (SELECT 1 FROM s WHERE (SELECT seq FROM federation_copy"
		    " WHERE source = $1 AND state = 'counting') IS NOT DISTINCT FROM $3),"
		    " w AS (DELETE FROM federation_copy WHERE source = $1 AND state = 'waiting'"
		    " AND EXISTS (SELECT FROM fit)), r AS (UPDATE federation_copy"
		    " SET state = 'rejected', gone = $4 WHERE source = $1 AND state = 'rejected'"
		    " AND EXISTS (SELECT FROM fit)) SELECT FROM fit"},
	[ABANDON] = {"federation_abandon", DB_LAZY, T_FEDERATION, 1, "ti",
		     "WITH c AS (DELETE FROM federation_copy WHERE source = $1 AND seq = $2"
		     " AND state = 'arriving' RETURNING seq) DELETE FROM federation_text"
		     " WHERE source = $1 AND since = $2 AND used = $2 AND EXISTS (SELECT FROM c)"},
	[LEFT_ADD] = {"federation_left_add", DB_LAZY, T_FEDERATION, 1, "tbbi",
		      "INSERT INTO federation_left (source, entity, digest, at) SELECT $1,"
		      " substring($2 FROM i * 32 + 1 FOR 32), substring($3 FROM i * 32 + 1 FOR 32),"
		      " $4 FROM generate_series(0, length($2) / 32 - 1) AS i"
		      " ON CONFLICT (source, entity) DO UPDATE SET digest = EXCLUDED.digest,"
		      " at = EXCLUDED.at"},
	[LEFT] = {"federation_left", DB_READ, T_FEDERATION, 1, "t",
		  "SELECT coalesce(string_agg(entity::bytea || digest::bytea, ''::bytea"
		  " ORDER BY entity), '') FROM federation_left WHERE source = $1"},
	[TIDY] = {"federation_tidy", DB_LAZY, T_FEDERATION, 1, "ti",
		  "WITH l AS (DELETE FROM federation_left WHERE source = $1 AND at < $2)"
		  " DELETE FROM federation_text t WHERE source = $1 AND used < (SELECT min(seq)"
		  " FROM federation_copy WHERE source = $1) AND (SELECT l.at"
		  " FROM federation_left l WHERE l.source = $1 AND l.digest = t.digest LIMIT 1)"
		  " IS NULL"},
	[COPIES] = {"federation_copies", DB_READ, T_FEDERATION, 1, "to",
		    "SELECT seq, source, state, digest, octets, members, valid_until, signer,"
		    " changes::text, asked, gone, approved_by, at FROM federation_copy"
		    " WHERE ($1 IS NULL OR source = $1) AND state <> 'arriving'"
		    " AND (NOT $2 OR state = 'waiting')"
		    " ORDER BY source COLLATE \"C\", seq DESC"},
	[PIECE] = {"federation_piece", DB_READ, T_FEDERATION, 0, "ii",
		   "SELECT octets FROM federation_piece WHERE copy = $1 AND n = $2"},
	/* One after the other by the index: what is asked for is a small part, and is wide. */
	[TEXTS] = {"federation_texts", DB_READ, T_FEDERATION, 1, "tb",
		   "SELECT (SELECT text FROM federation_text WHERE source = $1"
		   " AND digest = substring($2 FROM i * 32 + 1 FOR 32))"
		   " FROM generate_series(0, length($2) / 32 - 1) AS i ORDER BY i"},
	[APPROVE] = {"federation_approve", DB_DURABLE, T_FEDERATION, 7, DB_AUDIT_PARAMS "titit",
		     "WITH s AS (SELECT name FROM federation_source WHERE name = $7 FOR UPDATE),"
		     " fit AS (SELECT 1 FROM s WHERE (SELECT seq FROM federation_copy WHERE"
		     " source = $7 AND state = 'counting') IS NOT DISTINCT FROM $10 AND EXISTS"
		     " (SELECT FROM federation_copy WHERE source = $7 AND seq = $8"
		     " AND state = $9)), old AS (UPDATE federation_copy SET state = 'replaced'"
		     " WHERE source = $7 AND state = 'counting' AND EXISTS (SELECT FROM fit)"
		     " RETURNING 1), w AS (DELETE FROM federation_copy WHERE source = $7"
		     " AND state = 'waiting' AND seq <> $8 AND EXISTS (SELECT FROM fit)"
		     " RETURNING 1), r AS (UPDATE federation_copy SET gone = NULL WHERE source = $7"
		     " AND state = 'rejected' AND seq <> $8 AND EXISTS (SELECT FROM fit)),"
		     " c AS (UPDATE federation_copy SET state = 'counting',"
		     " approved_by = $11, gone = NULL WHERE seq = $8 AND EXISTS (SELECT FROM fit)"
		     " AND (SELECT count(*) FROM old) >= 0 AND (SELECT count(*) FROM w) >= 0"
		     " RETURNING 1), b AS (UPDATE federation_source SET"
		     " rolled_back = ($9 = 'replaced') WHERE name = $7 AND EXISTS (SELECT FROM c)),"
		     " a AS (" DB_AUDIT_FROM("c") ") SELECT FROM c"},
	[REJECT] = {"federation_reject", DB_DURABLE, T_FEDERATION, 7, DB_AUDIT_PARAMS "ti",
		    "WITH s AS (SELECT name FROM federation_source WHERE name = $7 FOR UPDATE),"
		    " w AS (SELECT seq FROM federation_copy WHERE source = $7 AND seq = $8"
		    " AND state = 'waiting' AND EXISTS (SELECT FROM s)),"
		    " gone AS (DELETE FROM federation_copy WHERE source = $7"
		    " AND state = 'rejected' AND EXISTS (SELECT FROM w) RETURNING 1),"
		    " c AS (UPDATE federation_copy SET state = 'rejected'"
		    " WHERE seq = (SELECT seq FROM w) AND (SELECT count(*) FROM gone) >= 0"
		    " RETURNING 1), e AS (UPDATE federation_source SET etag = NULL,"
		    " last_modified = NULL WHERE name = $7 AND EXISTS (SELECT FROM c)),"
		    " a AS (" DB_AUDIT_FROM("c") ") SELECT FROM c"},
	[SAID] = {"federation_said", DB_READ, T_FEDERATION, 1, "ttbb",
		  "SELECT (SELECT why FROM federation_suspended WHERE entity = $2"
		  " AND (source IS NULL OR source = $1) LIMIT 1),"
		  " EXISTS (SELECT FROM federation_copy WHERE source = $1"
		  " AND state IN ('waiting', 'rejected') AND position($3 IN gone) > 0),"
		  /* Of what counts now, or was said before of who is in it still. */
		  " (SELECT text FROM federation_text WHERE source = $1 AND digest = $4 AND used >="
		  " (SELECT seq FROM federation_copy WHERE source = $1 AND state = 'counting')),"
		  " EXISTS (SELECT FROM federation_text WHERE source = $1 AND digest = $4)"},
	[SUSPEND] = {"federation_suspend", DB_DURABLE, T_FEDERATION, 7, DB_AUDIT_PARAMS "tttt",
		     "WITH s AS (INSERT INTO federation_suspended (entity, source, by_whom, why,"
		     " at) VALUES ($7, $8, $9, $10, $1) ON CONFLICT DO NOTHING RETURNING 1),"
		     " a AS (" DB_AUDIT_FROM("s") ") SELECT FROM s"},
	[UNSUSPEND] = {"federation_unsuspend", DB_DURABLE, T_FEDERATION, 7, DB_AUDIT_PARAMS "tt",
		       "WITH s AS (DELETE FROM federation_suspended WHERE entity = $7"
		       " AND source IS NOT DISTINCT FROM $8 RETURNING 1),"
		       " a AS (" DB_AUDIT_FROM("s") ") SELECT FROM s"},
	[SUSPENSIONS] = {"federation_suspensions", DB_READ, T_FEDERATION, 0, "",
			 "SELECT entity, source, by_whom, why, at FROM federation_suspended"
			 " ORDER BY entity COLLATE \"C\", source COLLATE \"C\""},
	{0},
};

static const char *const kinds[] = {
	[DB_FEDERATION_AGGREGATE] = "aggregate",
	[DB_FEDERATION_FILE] = "file",
};

static const char *const states[] = {
	[DB_FEDERATION_ARRIVING] = "arriving", [DB_FEDERATION_COUNTING] = "counting",
	[DB_FEDERATION_WAITING] = "waiting",   [DB_FEDERATION_REJECTED] = "rejected",
	[DB_FEDERATION_REPLACED] = "replaced",
};

const char *
db_federation_kind_word(enum db_federation_kind kind)
{
	return db_name(kinds, ARRAY_LEN(kinds), (int)kind);
}

const char *
db_federation_state_word(enum db_federation_state state)
{
	return db_name(states, ARRAY_LEN(states), (int)state);
}

enum db_federation_kind
db_federation_kind_find(const char *word)
{
	return (enum db_federation_kind)db_name_find(kinds, ARRAY_LEN(kinds), word);
}

/* Something that was decided upon looking at what is not so any more. */
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

/* ---- sources ---- */

bool
db_federation_put(const struct db_call *c, const struct db_federation_source *source,
		  const struct db_audit *audit, time_t now, struct err *err)
{
	return db_run(c, &db_federation_statements[PUT],
		      DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(source->name),
			      db_text(db_federation_kind_word(source->kind)), db_text(source->url),
			      db_text(source->signers), db_text(source->rules),
			      db_int_or_null(source->kind == DB_FEDERATION_AGGREGATE ? now : 0)),
		      NULL, err);
}

bool
db_federation_drop(const struct db_call *c, const char *name, const struct db_audit *audit,
		   time_t now, struct err *err)
{
	return db_run_found(c, &db_federation_statements[DROP],
			    DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(name)), err);
}

static struct db_federation_source
source_of(struct db_rows *rows, size_t i)
{
	struct db_federation_source s = {
		.name = db_get_text(rows, i, 0),
		.kind = db_federation_kind_find(db_get_text(rows, i, 1)),
		.url = db_get_text_opt(rows, i, 2),
		.signers = db_get_text(rows, i, 3),
		.rules = db_get_text(rows, i, 4),
		.version = db_get_int(rows, i, 5),
		.etag = db_get_text_opt(rows, i, 6),
		.last_modified = db_get_text_opt(rows, i, 7),
		.due = db_get_int_opt(rows, i, 8),
		.fetched = db_get_int_opt(rows, i, 9),
		.tries = db_get_int(rows, i, 10),
		.taken = db_get_int(rows, i, 11),
		.trouble = db_get_text_opt(rows, i, 12),
		.rolled_back = db_get_bool(rows, i, 21),
	};

	s.counting = (struct db_federation_copy){
		.seq = db_get_int_opt(rows, i, 13),
		.source = s.name,
		.state = DB_FEDERATION_COUNTING,
		.digest = db_get_bytes_opt(rows, i, 14),
		.octets = db_get_int_opt(rows, i, 15),
		.members = db_get_int_opt(rows, i, 16),
		.valid_until = db_get_int_opt(rows, i, 17),
		.signer = db_get_bytes_opt(rows, i, 18),
		.approved_by = db_get_text_opt(rows, i, 19),
		.at = db_get_int_opt(rows, i, 20),
	};
	return s;
}

static bool
all_sources(const struct db_call *c, struct db_rows *rows, const struct db_federation_source **out,
	    struct err *err)
{
	struct db_federation_source *list = ARENA_ARRAY(c->a, struct db_federation_source, rows->n);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = source_of(rows, i);
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	return true;
}

bool
db_federation_list(const struct db_call *c, const char *name,
		   const struct db_federation_source **out, size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_federation_statements[LIST], DB_ARGS(db_text(name)), &rows, err) ||
	    !all_sources(c, rows, out, err))
		return false;
	*n = rows->n;
	return true;
}

bool
db_federation_hurry(const struct db_call *c, const char *name, time_t now, struct err *err)
{
	return db_run_found(c, &db_federation_statements[HURRY],
			    DB_ARGS(db_text(name), db_int(now)), err);
}

bool
db_federation_take(const struct db_call *c, const char *name, int64_t lease_s, time_t now,
		   const struct db_federation_source **out, struct err *err)
{
	const struct db_federation_source *list;
	struct db_rows *rows;

	if (!db_run(c, &db_federation_statements[TAKE],
		    DB_ARGS(db_int(now), db_int(now + lease_s), db_text(name)), &rows, err) ||
	    !all_sources(c, rows, &list, err))
		return false;
	*out = rows->n == 0 ? NULL : list;
	return true;
}

bool
db_federation_settle(const struct db_call *c, const struct db_federation_source *taken,
		     const struct db_federation_end *end, time_t now, struct err *err)
{
	return db_run(c, &db_federation_statements[SETTLE],
		      DB_ARGS(db_text(taken->name), db_int(taken->taken), db_int_or_null(end->due),
			      db_text(end->etag), db_text(end->last_modified),
			      db_text(end->trouble), db_int(now), db_int_or_null(taken->due)),
		      NULL, err);
}

bool
db_federation_count(const struct db_call *c, int64_t *failing, int64_t *waiting, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_federation_statements[COUNT], NULL, 0, &rows, err))
		return false;
	*failing = db_get_int(rows, 0, 0);
	*waiting = db_get_int(rows, 0, 1);
	return db_rows_check(rows, err);
}

/* ---- a copy that arrives ---- */

bool
db_federation_begin(const struct db_call *c, const struct db_federation_source *taken, time_t now,
		    int64_t *seq, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_federation_statements[BEGIN],
		    DB_ARGS(db_text(taken->name), db_int(taken->taken), db_int(now)), &rows, err))
		return false;
	if (rows->n == 0)
		return FAIL(err, ERR_CONFLICT, NULL, "another node is at it");
	*seq = db_get_int(rows, 0, 0);
	return db_rows_check(rows, err);
}

bool
db_federation_piece_add(const struct db_call *c, int64_t seq, int64_t n, struct bytes octets,
			struct err *err)
{
	return run_or_conflict(c, &db_federation_statements[PIECE_ADD],
			       DB_ARGS(db_int(seq), db_int(n), db_bytes(octets)), err);
}

bool
db_federation_texts_add(const struct db_call *c, const char *source, int64_t seq,
			struct bytes index, struct bytes blob, struct err *err)
{
	return run_or_conflict(
		c, &db_federation_statements[TEXTS_ADD],
		DB_ARGS(db_text(source), db_int(seq), db_bytes(index), db_bytes(blob)), err);
}

bool
db_federation_texts_use(const struct db_call *c, const char *source, int64_t seq,
			struct bytes digests, int64_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_federation_statements[TEXTS_USE],
		    DB_ARGS(db_text(source), db_int(seq), db_bytes(digests)), &rows, err))
		return false;
	*n = db_get_int(rows, 0, 0);
	return db_rows_check(rows, err);
}

bool
db_federation_conclude(const struct db_call *c, const struct db_federation_source *taken,
		       const struct db_federation_copy *copy, int64_t base,
		       const struct db_audit *audit, time_t now, struct err *err)
{
	return run_or_conflict(
		c, &db_federation_statements[CONCLUDE],
		DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(taken->name), db_int(copy->seq),
			db_int(taken->taken), db_text(db_federation_state_word(copy->state)),
			db_int_or_null(base), db_bytes(copy->digest), db_int(copy->octets),
			db_int(copy->members), db_int(copy->valid_until), db_bytes(copy->signer),
			db_text(copy->changes), db_bytes_or_null(copy->asked),
			db_bytes_or_null(copy->gone)),
		err);
}

bool
db_federation_served(const struct db_call *c, const struct db_federation_source *taken,
		     int64_t base, struct bytes gone, struct err *err)
{
	return run_or_conflict(c, &db_federation_statements[SERVED],
			       DB_ARGS(db_text(taken->name), db_int(taken->taken),
				       db_int_or_null(base), db_bytes_or_null(gone)),
			       err);
}

bool
db_federation_abandon(const struct db_call *c, const char *source, int64_t seq, struct err *err)
{
	return db_run(c, &db_federation_statements[ABANDON], DB_ARGS(db_text(source), db_int(seq)),
		      NULL, err);
}

bool
db_federation_left_add(const struct db_call *c, const char *source, struct bytes entities,
		       struct bytes digests, time_t now, struct err *err)
{
	return db_run(c, &db_federation_statements[LEFT_ADD],
		      DB_ARGS(db_text(source), db_bytes(entities), db_bytes(digests), db_int(now)),
		      NULL, err);
}

bool
db_federation_left(const struct db_call *c, const char *source, struct bytes *out, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_federation_statements[LEFT], DB_ARGS(db_text(source)), &rows, err))
		return false;
	*out = db_get_bytes(rows, 0, 0);
	return db_rows_check(rows, err);
}

bool
db_federation_tidy(const struct db_call *c, const char *source, time_t now, struct err *err)
{
	return db_run(c, &db_federation_statements[TIDY],
		      DB_ARGS(db_text(source), db_int(now - DB_FEDERATION_LEFT_S)), NULL, err);
}

/* ---- copies ---- */

bool
db_federation_copies(const struct db_call *c, const char *source, bool waiting,
		     const struct db_federation_copy **out, size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_federation_statements[COPIES],
		    DB_ARGS(db_text(source), db_bool(waiting)), &rows, err))
		return false;
	struct db_federation_copy *list = ARENA_ARRAY(c->a, struct db_federation_copy, rows->n);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = (struct db_federation_copy){
			.seq = db_get_int(rows, i, 0),
			.source = db_get_text(rows, i, 1),
			.state = (enum db_federation_state)db_name_find(states, ARRAY_LEN(states),
									db_get_text(rows, i, 2)),
			.digest = db_get_bytes(rows, i, 3),
			.octets = db_get_int(rows, i, 4),
			.members = db_get_int(rows, i, 5),
			.valid_until = db_get_int(rows, i, 6),
			.signer = db_get_bytes(rows, i, 7),
			.changes = db_get_text(rows, i, 8),
			.asked = db_get_bytes_opt(rows, i, 9),
			.gone = db_get_bytes_opt(rows, i, 10),
			.approved_by = db_get_text_opt(rows, i, 11),
			.at = db_get_int(rows, i, 12),
		};
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	*n = rows->n;
	return true;
}

bool
db_federation_piece(const struct db_call *c, int64_t seq, int64_t n, struct bytes *out,
		    struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_federation_statements[PIECE], DB_ARGS(db_int(seq), db_int(n)), &rows,
		    err))
		return false;
	*out = rows->n == 0 ? (struct bytes){NULL, 0} : db_get_bytes(rows, 0, 0);
	return db_rows_check(rows, err);
}

bool
db_federation_texts(const struct db_call *c, const char *source, struct bytes digests,
		    const struct bytes **out, struct err *err)
{
	struct db_rows *rows;
	struct bytes *texts;

	if (!db_run(c, &db_federation_statements[TEXTS],
		    DB_ARGS(db_text(source), db_bytes(digests)), &rows, err))
		return false;
	texts = ARENA_ARRAY(c->a, struct bytes, rows->n);
	for (size_t i = 0; i < rows->n; i++)
		texts[i] = db_get_bytes_opt(rows, i, 0);
	*out = texts;
	return db_rows_check(rows, err);
}

bool
db_federation_decide(const struct db_call *c, const struct db_federation_copy *copy, bool counts,
		     int64_t base, const char *by, const struct db_audit *audit, time_t now,
		     struct err *err)
{
	if (!counts)
		return run_or_conflict(c, &db_federation_statements[REJECT],
				       DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(copy->source),
					       db_int(copy->seq)),
				       err);
	return run_or_conflict(c, &db_federation_statements[APPROVE],
			       DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(copy->source),
				       db_int(copy->seq),
				       db_text(db_federation_state_word(copy->state)),
				       db_int_or_null(base), db_text(by)),
			       err);
}

/* ---- members ---- */

bool
db_federation_said(const struct db_call *c, const char *source, const char *entity,
		   struct bytes entity_sha256, struct bytes digest, struct db_federation_said *out,
		   struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_federation_statements[SAID],
		    DB_ARGS(db_text(source), db_text(entity), db_bytes(entity_sha256),
			    db_bytes(digest)),
		    &rows, err))
		return false;
	*out = (struct db_federation_said){
		.suspended = db_get_text_opt(rows, 0, 0),
		.gone = db_get_bool(rows, 0, 1),
		.text = db_get_bytes_opt(rows, 0, 2),
		.old = db_get_bytes_opt(rows, 0, 2).n == 0 && db_get_bool(rows, 0, 3),
	};
	return db_rows_check(rows, err);
}

bool
db_federation_suspend(const struct db_call *c, const struct db_federation_suspended *what,
		      const struct db_audit *audit, time_t now, struct err *err)
{
	return run_or_conflict(c, &db_federation_statements[SUSPEND],
			       DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(what->entity),
				       db_text(what->source), db_text(what->by),
				       db_text(what->why)),
			       err);
}

bool
db_federation_unsuspend(const struct db_call *c, const char *entity, const char *source,
			const struct db_audit *audit, time_t now, struct err *err)
{
	return db_run_found(c, &db_federation_statements[UNSUSPEND],
			    DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(entity), db_text(source)),
			    err);
}

bool
db_federation_suspensions(const struct db_call *c, const struct db_federation_suspended **out,
			  size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_federation_statements[SUSPENSIONS], NULL, 0, &rows, err))
		return false;
	struct db_federation_suspended *list =
		ARENA_ARRAY(c->a, struct db_federation_suspended, rows->n);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = (struct db_federation_suspended){
			.entity = db_get_text(rows, i, 0),
			.source = db_get_text_opt(rows, i, 1),
			.by = db_get_text(rows, i, 2),
			.why = db_get_text(rows, i, 3),
			.at = db_get_int(rows, i, 4),
		};
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	*n = rows->n;
	return true;
}
