/* Attributes of a subject; see attribute.h. */
#include "db/attribute.h"

#include <stdlib.h>
#include <string.h>

#include "db/part.h"
#include "db/statements.h"

enum { LOAD, PUT };

const struct db_statement db_attribute_statements[] = {
	[LOAD] = {"attribute_load", DB_READ, T_ATTRIBUTE, 1, "b",
		  "SELECT name, sealed, empty, level, source, verified_at, proofing"
		  " FROM attribute WHERE subject = $1"},
	[PUT] = {"attribute_put", DB_IN_TX, T_ATTRIBUTE, 1, "btboitib",
		 "INSERT INTO attribute (subject, name, sealed, empty, level, source, verified_at,"
		 " proofing) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
		 " ON CONFLICT (subject, name) DO UPDATE SET sealed = EXCLUDED.sealed,"
		 " empty = EXCLUDED.empty, level = EXCLUDED.level, source = EXCLUDED.source,"
		 " verified_at = EXCLUDED.verified_at, proofing = EXCLUDED.proofing"},
	{0},
};

void
db_attribute_ask(struct arena *a, const struct subject_id *subject, struct db_ask *out)
{
	*out = db_ask_of(a, &db_attribute_statements[LOAD], DB_ARGS(db_id(subject)));
}

static int
by_name(const void *x, const void *y)
{
	const struct db_attribute *a = x, *b = y;

	return strcmp(a->name, b->name);
}

/* In order of name, sorted here: PostgreSQL makes a sorter of its own for each run. */
bool
db_attribute_answer(struct arena *a, struct db_rows *rows, const struct db_attribute **out,
		    size_t *n, struct err *err)
{
	struct db_attribute *list = ARENA_ARRAY(a, struct db_attribute, rows->n);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = (struct db_attribute){
			.name = db_get_text(rows, i, 0),
			.sealed = db_get_bytes(rows, i, 1),
			.empty = db_get_bool(rows, i, 2),
			.level = (int)db_get_int(rows, i, 3),
			.source = db_get_text(rows, i, 4),
			.verified_at = db_get_int_opt(rows, i, 5),
			.proofing = db_get_bytes_opt(rows, i, 6),
		};
	if (!db_rows_check(rows, err))
		return false;
	qsort(list, rows->n, sizeof(*list), by_name);
	*out = list;
	*n = rows->n;
	return true;
}

bool
db_attribute_load(const struct db_call *c, struct subject_id subject,
		  const struct db_attribute **out, size_t *n, struct err *err)
{
	struct db_ask ask;

	db_attribute_ask(c->a, &subject, &ask);
	return db_run_all(c, &ask, 1, err) && db_attribute_answer(c->a, ask.rows, out, n, err);
}

bool
db_attribute_put_tx(struct db_tx *tx, struct subject_id subject,
		    const struct db_attribute *attributes, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct db_attribute *at = &attributes[i];

		if (!db_tx_run(tx, &db_attribute_statements[PUT],
			       DB_ARGS(db_id(&subject), db_text(at->name), db_bytes(at->sealed),
				       db_bool(at->empty), db_int(at->level), db_text(at->source),
				       db_int_or_null(at->verified_at),
				       db_bytes_or_null(at->proofing)),
			       NULL, err))
			return false;
	}
	return true;
}

bool
db_attribute_put(const struct db_call *c, struct subject_id subject,
		 const struct db_attribute *attributes, size_t n, const struct db_audit *audit,
		 time_t now, struct err *err)
{
	struct db_tx *tx;

	if (!db_tx_begin(c, &tx, err))
		return false;
	return db_tx_conclude(tx, db_attribute_put_tx(tx, subject, attributes, n, err), audit, now,
			      err);
}
