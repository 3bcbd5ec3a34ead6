/* Pseudonyms; see pseudonym.h. */
#include "db/pseudonym.h"

#include "db/part.h"
#include "db/statements.h"

enum { FIND, KEEP, SUBJECT };

const struct db_statement db_pseudonym_statements[] = {
	[FIND] = {"pseudonym_find", DB_READ, T_PSEUDONYM, 1, "bt",
		  "SELECT value FROM pseudonym WHERE subject = $1 AND sector = $2"},
	[KEEP] = {"pseudonym_keep", DB_DURABLE, T_PSEUDONYM, 1, "btiti",
		  "INSERT INTO pseudonym (subject, sector, generation, value, created)"
		  " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (subject, sector) DO NOTHING"},
	[SUBJECT] = {"pseudonym_subject", DB_READ, T_PSEUDONYM, 1, "tt",
		     "SELECT subject FROM pseudonym WHERE sector = $1 AND value = $2"},
	{0},
};

bool
db_pseudonym_answer(struct db_rows *rows, const char **out, struct err *err)
{
	const char *found = rows->n == 0 ? NULL : db_get_text_opt(rows, 0, 0);

	if (!db_rows_check(rows, err))
		return false;
	*out = found;
	return true;
}

bool
db_pseudonym_find(const struct db_call *c, struct subject_id subject, const char *sector,
		  const char **out, struct err *err)
{
	struct db_rows *rows;

	return db_run(c, &db_pseudonym_statements[FIND], DB_ARGS(db_id(&subject), db_text(sector)),
		      &rows, err) &&
	       db_pseudonym_answer(rows, out, err);
}

bool
db_pseudonym_keep(const struct db_call *c, struct subject_id subject, const char *sector,
		  int64_t generation, const char *value, time_t now, const char **out,
		  struct err *err)
{
	const char *kept;

	/* Whoever was first, it is committed now: a new statement sees it. */
	if (!db_run(c, &db_pseudonym_statements[KEEP],
		    DB_ARGS(db_id(&subject), db_text(sector), db_int(generation), db_text(value),
			    db_int(now)),
		    NULL, err) ||
	    !db_pseudonym_find(c, subject, sector, &kept, err))
		return false;
	if (kept == NULL)
		return FAIL(err, ERR_NOT_FOUND, NULL, "the subject was deleted meanwhile");
	*out = kept;
	return true;
}

bool
db_pseudonym_subject(const struct db_call *c, const char *sector, const char *value,
		     const struct subject_id **out, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_pseudonym_statements[SUBJECT], DB_ARGS(db_text(sector), db_text(value)),
		    &rows, err))
		return false;
	const struct subject_id *found = rows->n == 0 ? NULL : db_get_id_opt(rows, 0, 0);

	if (!db_rows_check(rows, err))
		return false;
	*out = found;
	return true;
}
