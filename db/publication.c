/* What was published; see publication.h. */
#include "db/publication.h"

#include "db/statements.h"

enum { LAST, LIST, DOCUMENT, MEMBERS, ADD, ADD_MEMBER, FORGET, FIND, ROLL_BACK };

#define CHANGE "(SELECT coalesce(max(seq), 0) FROM member_change)"
/* What was published of member m in publication $7; NULL: nothing. */
#define THEN                                                                \
	"(SELECT source FROM publication_member b WHERE b.publication = $7" \
	" AND b.entity_id = m.entity_id)"
/* Its document is gone: it was removed since, and registered anew. */
#define GONE                                                                           \
	"EXISTS (SELECT FROM publication_member b WHERE b.publication = $7"            \
	" AND b.entity_id = m.entity_id AND NOT EXISTS (SELECT FROM member_document d" \
	" WHERE d.seq = b.source))"

const struct db_statement db_publication_statements[] = {
	[LAST] = {"publication_last", DB_READ, T_PUBLICATION, 0, "",
		  "SELECT " CHANGE ", seq, change, at, valid_until, members, sha256"
		  " FROM (VALUES (1)) one (x) LEFT JOIN (SELECT * FROM publication"
		  " ORDER BY seq DESC LIMIT 1) p ON true"},
	[LIST] = {"publication_list", DB_READ, T_PUBLICATION, 0, "",
		  "SELECT 0::bigint, seq, change, at, valid_until, members, sha256"
		  " FROM publication ORDER BY seq DESC"},
	[DOCUMENT] = {"publication_document", DB_READ, T_PUBLICATION, 0, "",
		      "SELECT document FROM publication ORDER BY seq DESC LIMIT 1"},
	[MEMBERS] = {"publication_members", DB_READ, T_MEMBER, 0, "",
		     "SELECT m.entity_id, d.seq, registered, d.valid_until, d.document"
		     " FROM member m JOIN member_document d ON d.seq = m.counts"
		     " WHERE suspended IS NULL ORDER BY m.entity_id COLLATE \"C\""},
	[ADD] = {"publication_add", DB_IN_TX, T_PUBLICATION, 0, "iiiiibb",
		 "INSERT INTO publication (base, change, at, valid_until, members, sha256, "
		 "document)"
		 " VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING seq"},
	[ADD_MEMBER] = {"publication_add_member", DB_IN_TX, T_PUBLICATION, 0, "ibtibb",
			"INSERT INTO publication_member (publication, sha1, entity_id, source,"
			" sha256, document) VALUES ($1, $2, $3, $4, $5, $6)"},
	[FORGET] = {"publication_forget", DB_IN_TX, T_PUBLICATION, 0, "i",
		    "DELETE FROM publication WHERE seq IN (SELECT seq FROM publication"
		    " ORDER BY seq DESC OFFSET $1)"},
	[FIND] = {"publication_find", DB_READ, T_PUBLICATION, 0, "b",
		  "SELECT b.document, b.sha256, p.at, p.valid_until FROM publication_member b"
		  " JOIN publication p ON p.seq = b.publication"
		  " JOIN member m ON m.entity_id = b.entity_id AND m.suspended IS NULL"
		  " WHERE b.publication = (SELECT max(seq) FROM publication) AND sha1 = $1"},
	[ROLL_BACK] = {"publication_roll_back", DB_DURABLE, T_MEMBER, 0, DB_AUDIT_PARAMS "i",
		       "WITH p AS (SELECT FROM publication WHERE seq = $7),"
		       " w AS (SELECT entity_id, counts FROM member FOR UPDATE),"
		       " u AS (UPDATE member m SET counts = " THEN " FROM w"
		       " WHERE w.entity_id = m.entity_id AND EXISTS (SELECT FROM p)"
		       " AND suspended IS NULL AND m.counts IS DISTINCT FROM " THEN " AND NOT " GONE
		       " RETURNING m.entity_id, m.counts, w.counts AS before),"
		       " c AS (INSERT INTO member_change (at, entity_id, what)"
		       " SELECT $1, entity_id, CASE WHEN counts IS NULL THEN 'removed'"
		       " WHEN before IS NULL THEN 'added' ELSE 'changed' END FROM u"
		       " ORDER BY entity_id),"
		       " a AS (" DB_AUDIT_FROM("p") ") SELECT FROM p"},
	{0},
};

static struct db_publication
read_one(struct db_rows *rows, size_t i)
{
	if (db_get_int_opt(rows, i, 1) == 0)
		return (struct db_publication){.seq = 0};
	return (struct db_publication){.seq = db_get_int(rows, i, 1),
				       .change = db_get_int(rows, i, 2),
				       .at = db_get_int(rows, i, 3),
				       .valid_until = db_get_int(rows, i, 4),
				       .members = db_get_int(rows, i, 5),
				       .sha256 = db_get_bytes(rows, i, 6)};
}

bool
db_publication_last(const struct db_call *c, struct db_publication *out, int64_t *change,
		    struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_publication_statements[LAST], NULL, 0, &rows, err))
		return false;
	*change = db_get_int(rows, 0, 0);
	*out = read_one(rows, 0);
	return db_rows_check(rows, err);
}

bool
db_publication_list(const struct db_call *c, const struct db_publication **out, size_t *n,
		    struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_publication_statements[LIST], NULL, 0, &rows, err))
		return false;
	struct db_publication *list = ARENA_ARRAY(c->a, struct db_publication, rows->n + 1);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = read_one(rows, i);
	*out = list;
	*n = rows->n;
	return db_rows_check(rows, err);
}

bool
db_publication_document(const struct db_call *c, struct bytes *out, struct err *err)
{
	struct db_rows *rows;

	*out = (struct bytes){NULL, 0};
	if (!db_run(c, &db_publication_statements[DOCUMENT], NULL, 0, &rows, err))
		return false;
	if (rows->n > 0)
		*out = db_get_bytes(rows, 0, 0);
	return db_rows_check(rows, err);
}

bool
db_publication_members(const struct db_call *c, const struct db_published **out, size_t *n,
		       struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_publication_statements[MEMBERS], NULL, 0, &rows, err))
		return false;
	struct db_published *list = ARENA_ARRAY(c->a, struct db_published, rows->n + 1);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = (struct db_published){.entity_id = db_get_text(rows, i, 0),
						.source = db_get_int(rows, i, 1),
						.registered = db_get_int(rows, i, 2),
						.valid_until = db_get_int(rows, i, 3),
						.document = db_get_bytes(rows, i, 4)};
	*out = list;
	*n = rows->n;
	return db_rows_check(rows, err);
}

static bool
add_members(struct db_tx *tx, int64_t seq, const struct db_published *members, size_t n,
	    struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (!db_tx_run(tx, &db_publication_statements[ADD_MEMBER],
			       DB_ARGS(db_int(seq), db_bytes(members[i].sha1),
				       db_text(members[i].entity_id), db_int(members[i].source),
				       db_bytes(members[i].sha256), db_bytes(members[i].document)),
			       NULL, err))
			return false;
	return true;
}

static bool
add(struct db_tx *tx, const struct db_publication *p, int64_t base, struct bytes document,
    const struct db_published *members, size_t n, struct err *err)
{
	struct db_rows *rows;

	return db_tx_run(tx, &db_publication_statements[ADD],
			 DB_ARGS(db_int(base), db_int(p->change), db_int(p->at),
				 db_int(p->valid_until), db_int((int64_t)n), db_bytes(p->sha256),
				 db_bytes(document)),
			 &rows, err) &&
	       add_members(tx, db_get_int(rows, 0, 0), members, n, err) &&
	       db_rows_check(rows, err) &&
	       db_tx_run(tx, &db_publication_statements[FORGET],
			 DB_ARGS(db_int(DB_PUBLICATIONS_KEPT)), NULL, err);
}

bool
db_publication_add(const struct db_call *c, const struct db_publication *publication, int64_t base,
		   struct bytes document, const struct db_published *members, size_t n,
		   const struct db_audit *audit, time_t now, struct err *err)
{
	struct db_tx *tx;

	return db_tx_begin(c, &tx, err) &&
	       db_tx_conclude(tx, add(tx, publication, base, document, members, n, err), audit, now,
			      err);
}

bool
db_publication_find(const struct db_call *c, struct bytes sha1, struct db_publication_found *out,
		    struct err *err)
{
	struct db_rows *rows;

	*out = (struct db_publication_found){.at = 0};
	if (!db_run(c, &db_publication_statements[FIND], DB_ARGS(db_bytes(sha1)), &rows, err))
		return false;
	if (rows->n > 0)
		*out = (struct db_publication_found){.document = db_get_bytes(rows, 0, 0),
						     .sha256 = db_get_bytes(rows, 0, 1),
						     .at = db_get_int(rows, 0, 2),
						     .valid_until = db_get_int(rows, 0, 3)};
	return db_rows_check(rows, err);
}

bool
db_publication_roll_back(const struct db_call *c, int64_t seq, const struct db_audit *audit,
			 time_t now, struct err *err)
{
	return db_run_found(c, &db_publication_statements[ROLL_BACK],
			    DB_ARGS(DB_AUDIT_ARGS(audit, now), db_int(seq)), err);
}
