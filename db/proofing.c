/* Identity proofing by officers; see proofing.h. */
#include "db/proofing.h"

#include "db/statements.h"

enum { INSERT, LIST };

const struct db_statement db_proofing_statements[] = {
	[INSERT] = {"proofing_insert", DB_IN_TX, T_PROOFING, 1, "bbtttbit",
		    "INSERT INTO proofing (id, subject, operator1, operator2, document_kind,"
		    " evidence_hash, at, method) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"},
	[LIST] = {"proofing_list", DB_READ, T_PROOFING, 1, "b",
		  "SELECT id, subject, operator1, operator2, document_kind, evidence_hash, at,"
		  " method FROM proofing WHERE subject = $1 ORDER BY at DESC, id"},
	{0},
};

static bool
record(const struct db_call *c, struct db_tx *tx, const struct db_proofing *p,
       const struct db_attribute *attributes, size_t n, struct err *err)
{
	struct db_attribute *raised = ARENA_ARRAY(c->a, struct db_attribute, n);

	for (size_t i = 0; i < n; i++) {
		raised[i] = attributes[i];
		raised[i].proofing = (struct bytes){p->id, sizeof(p->id)};
		raised[i].verified_at = p->at;
	}
	return db_tx_run(tx, &db_proofing_statements[INSERT],
			 DB_ARGS(db_octets(p->id, sizeof(p->id)), db_id(&p->subject),
				 db_text(p->operator1), db_text(p->operator2),
				 db_text(p->document_kind),
				 db_octets(p->evidence_hash, sizeof(p->evidence_hash)),
				 db_int(p->at), db_text(p->method)),
			 NULL, err) &&
	       db_attribute_put_tx(tx, p->subject, raised, n, err);
}

bool
db_proofing_record(const struct db_call *c, const struct db_proofing *proofing,
		   const struct db_attribute *attributes, size_t n, const struct db_audit *audit,
		   struct err *err)
{
	struct db_tx *tx;

	if (!db_tx_begin(c, &tx, err))
		return false;
	return db_tx_conclude(tx, record(c, tx, proofing, attributes, n, err), audit, proofing->at,
			      err);
}

bool
db_proofing_list(const struct db_call *c, struct subject_id subject, const struct db_proofing **out,
		 size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_proofing_statements[LIST], DB_ARGS(db_id(&subject)), &rows, err))
		return false;
	struct db_proofing *list = ARENA_ARRAY(c->a, struct db_proofing, rows->n);

	for (size_t i = 0; i < rows->n; i++) {
		db_get_octets(rows, i, 0, list[i].id, sizeof(list[i].id));
		list[i].subject = db_get_id(rows, i, 1);
		list[i].operator1 = db_get_text(rows, i, 2);
		list[i].operator2 = db_get_text(rows, i, 3);
		list[i].document_kind = db_get_text(rows, i, 4);
		db_get_octets(rows, i, 5, list[i].evidence_hash, sizeof(list[i].evidence_hash));
		list[i].at = db_get_int(rows, i, 6);
		list[i].method = db_get_text_opt(rows, i, 7);
	}
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	*n = rows->n;
	return true;
}
