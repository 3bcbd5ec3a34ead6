/* The register of members; see member.h. */
#include "db/member.h"

#include "db/names.h"
#include "db/statements.h"

enum { BRING, APPROVE, REJECT, SUSPEND, RESUME, REMOVE, LIST, DOCUMENTS, CHANGES };

/* A row of member_change for each member in `src`, a CTE of the statement. */
#define CHANGED(what, src)                                       \
	" c AS (INSERT INTO member_change (at, entity_id, what)" \
	" SELECT $1, $7, " what " FROM " src ")"

const struct db_statement db_member_statements[] = {
	[BRING] = {"member_bring", DB_DURABLE, T_MEMBER, 7, DB_AUDIT_PARAMS "tbit",
		   "WITH m AS (INSERT INTO member (entity_id, registered) VALUES ($7, $1)"
		   " ON CONFLICT (entity_id) DO UPDATE SET entity_id = EXCLUDED.entity_id"
		   " RETURNING entity_id), d AS (INSERT INTO member_document (entity_id, state,"
		   " document, sha256, valid_until, brought, brought_by)"
		   " SELECT entity_id, 'waiting', $8, sha256($8), $9, $1, $10 FROM m"
		   " ON CONFLICT (entity_id) WHERE state = 'waiting' DO UPDATE SET"
		   " document = EXCLUDED.document, sha256 = EXCLUDED.sha256,"
		   " valid_until = EXCLUDED.valid_until, brought = EXCLUDED.brought,"
		   " brought_by = EXCLUDED.brought_by RETURNING 1)" DB_AUDIT_FROM("d")},
	[APPROVE] =
		{"member_approve", DB_DURABLE, T_MEMBER, 7, DB_AUDIT_PARAMS "tbti",
		 "WITH m AS (SELECT entity_id, counts FROM member WHERE entity_id = $7"
		 " FOR UPDATE), d AS (UPDATE member_document SET state = 'approved',"
		 " decided = $1, decided_by = $9 FROM m"
		 " WHERE member_document.entity_id = m.entity_id AND state = 'waiting'"
		 " AND sha256 = $8 AND valid_until = $10 AND brought_by <> $9"
		 " RETURNING seq, m.counts),"
		 " u AS (UPDATE member SET counts = d.seq FROM d WHERE entity_id = $7)," CHANGED(
			 "CASE WHEN counts IS NULL THEN 'added' ELSE 'changed' END",
			 "d") ", a AS (" DB_AUDIT_FROM("d") ") SELECT FROM d"},
	[REJECT] = {"member_reject", DB_DURABLE, T_MEMBER, 7, DB_AUDIT_PARAMS "tbt",
		    "WITH m AS (SELECT entity_id FROM member WHERE entity_id = $7 FOR UPDATE),"
		    " d AS (UPDATE member_document SET state = 'rejected', decided = $1,"
		    " decided_by = $9 FROM m WHERE member_document.entity_id = m.entity_id"
		    " AND state = 'waiting' AND sha256 = $8 RETURNING 1),"
		    " a AS (" DB_AUDIT_FROM("d") ") SELECT FROM d"},
	[SUSPEND] = {"member_suspend", DB_DURABLE, T_MEMBER, 7, DB_AUDIT_PARAMS "ttt",
		     "WITH m AS (UPDATE member SET suspended = $1, suspended_by = $8,"
		     " suspended_why = $9 WHERE entity_id = $7 AND suspended IS NULL RETURNING "
		     "1)," CHANGED("'suspended'",
				   "m") ", a AS (" DB_AUDIT_FROM("m") ") SELECT FROM m"},
	[RESUME] = {"member_resume", DB_DURABLE, T_MEMBER, 7, DB_AUDIT_PARAMS "tt",
		    "WITH m AS (UPDATE member SET suspended = NULL, suspended_by = NULL,"
		    " suspended_why = NULL WHERE entity_id = $7 AND suspended IS NOT NULL"
		    " AND suspended_by <> $8 RETURNING 1)," CHANGED(
			    "'resumed'", "m") ", a AS (" DB_AUDIT_FROM("m") ") SELECT FROM m"},
	[REMOVE] = {"member_remove", DB_DURABLE, T_MEMBER, 7, DB_AUDIT_PARAMS "tt",
		    "WITH m AS (DELETE FROM member WHERE entity_id = $7 AND suspended IS NOT NULL"
		    " AND suspended_by <> $8 RETURNING 1)," CHANGED(
			    "'removed'", "m") ", a AS (" DB_AUDIT_FROM("m") ") SELECT FROM m"},
	[LIST] = {"member_list", DB_READ, T_MEMBER, 0, "t",
		  "SELECT m.entity_id, registered, coalesce(suspended, 0), suspended_by,"
		  " suspended_why, d.seq, d.state, d.sha256, d.valid_until, d.brought,"
		  " d.brought_by, coalesce(d.decided, 0), d.decided_by,"
		  " w.seq, w.state, w.sha256, w.valid_until, w.brought, w.brought_by,"
		  " coalesce(w.decided, 0), w.decided_by"
		  " FROM member m LEFT JOIN member_document d ON d.seq = m.counts"
		  " LEFT JOIN member_document w ON w.entity_id = m.entity_id"
		  " AND w.state = 'waiting' WHERE $1 IS NULL OR m.entity_id = $1"
		  " ORDER BY m.entity_id COLLATE \"C\""},
	[DOCUMENTS] = {"member_documents", DB_READ, T_MEMBER, 0, "t",
		       "SELECT seq, state, sha256, valid_until, brought, brought_by,"
		       " coalesce(decided, 0), decided_by, document FROM member_document"
		       " WHERE entity_id = $1 ORDER BY seq DESC"},
	[CHANGES] = {"member_changes", DB_READ, T_MEMBER, 0, "ii",
		     "SELECT seq, at, entity_id, what FROM member_change WHERE seq > $1"
		     " ORDER BY seq LIMIT $2"},
	{0},
};

static const char *const states[] = {NULL, "waiting", "approved", "rejected"};

/* Run one that changes a row or finds none that it may. */
static bool
change(const struct db_call *c, int which, const struct db_param *params, size_t n,
       const char *otherwise, struct err *err)
{
	bool did;

	if (!db_run_did(c, &db_member_statements[which], params, n, &did, err))
		return false;
	return did || FAIL(err, ERR_CONFLICT, NULL, "%s", otherwise);
}

bool
db_member_bring(const struct db_call *c, const struct db_member_document *document,
		const struct db_audit *audit, time_t now, struct err *err)
{
	return db_run(c, &db_member_statements[BRING],
		      DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(document->entity_id),
			      db_bytes(document->document), db_int(document->valid_until),
			      db_text(document->brought_by)),
		      NULL, err);
}

bool
db_member_approve(const struct db_call *c, const char *entity_id, struct bytes sha256,
		  int64_t valid_until, const char *by, const struct db_audit *audit, time_t now,
		  struct err *err)
{
	return change(c, APPROVE,
		      DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(entity_id), db_bytes(sha256),
			      db_text(by), db_int(valid_until)),
		      "this document does not wait, or not until then, or who approves it has "
		      "brought it",
		      err);
}

bool
db_member_reject(const struct db_call *c, const char *entity_id, struct bytes sha256,
		 const char *by, const struct db_audit *audit, time_t now, struct err *err)
{
	return change(c, REJECT,
		      DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(entity_id), db_bytes(sha256),
			      db_text(by)),
		      "this document does not wait", err);
}

bool
db_member_suspend(const struct db_call *c, const char *entity_id, const char *by, const char *why,
		  const struct db_audit *audit, time_t now, struct err *err)
{
	return change(
		c, SUSPEND,
		DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(entity_id), db_text(by), db_text(why)),
		"there is no such member that is not suspended", err);
}

bool
db_member_resume(const struct db_call *c, const char *entity_id, const char *by,
		 const struct db_audit *audit, time_t now, struct err *err)
{
	return change(c, RESUME,
		      DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(entity_id), db_text(by)),
		      "there is no such member that another person has suspended", err);
}

bool
db_member_remove(const struct db_call *c, const char *entity_id, const char *by,
		 const struct db_audit *audit, time_t now, struct err *err)
{
	return change(c, REMOVE,
		      DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(entity_id), db_text(by)),
		      "there is no such member that another person has suspended", err);
}

#define DOCUMENT_COLUMNS 8 /* seq to decided_by */

/* Its columns begin at `col`; without one the first is NULL. */
static const struct db_member_document *
read_document(struct db_rows *rows, size_t i, size_t col, const char *entity_id)
{
	struct db_member_document *d;

	if (db_get_int_opt(rows, i, col) == 0)
		return NULL;
	d = ARENA_NEW(rows->a, struct db_member_document);
	*d = (struct db_member_document){
		.seq = db_get_int(rows, i, col),
		.entity_id = entity_id,
		.state = (enum db_member_state)db_name_find(states, ARRAY_LEN(states),
							    db_get_text(rows, i, col + 1)),
		.sha256 = db_get_bytes(rows, i, col + 2),
		.valid_until = db_get_int(rows, i, col + 3),
		.brought = db_get_int(rows, i, col + 4),
		.brought_by = db_get_text(rows, i, col + 5),
		.decided = db_get_int(rows, i, col + 6),
		.decided_by = db_get_text_opt(rows, i, col + 7),
	};
	return d;
}

bool
db_member_list(const struct db_call *c, const char *entity_id, const struct db_member **out,
	       size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_member_statements[LIST], DB_ARGS(db_text(entity_id)), &rows, err))
		return false;
	struct db_member *list = ARENA_ARRAY(c->a, struct db_member, rows->n + 1);

	for (size_t i = 0; i < rows->n; i++) {
		struct db_member *m = &list[i];

		*m = (struct db_member){.entity_id = db_get_text(rows, i, 0),
					.registered = db_get_int(rows, i, 1),
					.suspended = db_get_int(rows, i, 2),
					.suspended_by = db_get_text_opt(rows, i, 3),
					.suspended_why = db_get_text_opt(rows, i, 4)};
		m->counts = read_document(rows, i, 5, m->entity_id);
		m->waiting = read_document(rows, i, 5 + DOCUMENT_COLUMNS, m->entity_id);
	}
	*out = list;
	*n = rows->n;
	return db_rows_check(rows, err);
}

bool
db_member_documents(const struct db_call *c, const char *entity_id,
		    const struct db_member_document **out, size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_member_statements[DOCUMENTS], DB_ARGS(db_text(entity_id)), &rows, err))
		return false;
	struct db_member_document *list = ARENA_ARRAY(c->a, struct db_member_document, rows->n + 1);

	for (size_t i = 0; i < rows->n; i++) {
		const struct db_member_document *d = read_document(rows, i, 0, entity_id);

		list[i] = d == NULL ? (struct db_member_document){.seq = 0} : *d;
		list[i].document = db_get_bytes(rows, i, DOCUMENT_COLUMNS);
	}
	*out = list;
	*n = rows->n;
	return db_rows_check(rows, err);
}

bool
db_member_changes(const struct db_call *c, int64_t since, int64_t limit,
		  const struct db_member_change **out, size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_member_statements[CHANGES], DB_ARGS(db_int(since), db_int(limit)), &rows,
		    err))
		return false;
	struct db_member_change *list = ARENA_ARRAY(c->a, struct db_member_change, rows->n + 1);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = (struct db_member_change){.seq = db_get_int(rows, i, 0),
						    .at = db_get_int(rows, i, 1),
						    .entity_id = db_get_text(rows, i, 2),
						    .what = db_get_text(rows, i, 3)};
	*out = list;
	*n = rows->n;
	return db_rows_check(rows, err);
}
