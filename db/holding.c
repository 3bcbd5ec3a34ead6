/* Several aggregates read at once; see holding.h. */
#include "db/holding.h"

#include "db/part.h"
#include "db/statements.h"

enum { OF_PARTY, TELL };
enum { SUBJECT, ATTRIBUTES, N_PARTS };

/* All that is one row each, in one statement: each run of one has a price of its own. */
const struct db_statement db_holding_statements[] = {
	[OF_PARTY] = {"holding_of_party", DB_READ, T_SUBJECT, 1, "bbtt",
		      "SELECT " DB_SUBJECT_COLUMNS ", " DB_CONSENT_COLUMNS ","
		      " (SELECT value FROM pseudonym WHERE subject = $1 AND sector = $4)"
		      " FROM subject s LEFT JOIN LATERAL (SELECT given, fingerprint, attributes,"
		      " purpose, at" DB_CONSENT_LAST("$1", "$2", "$3") ") c ON true"
								       " WHERE s.id = $1"},
	/* The subject before the session, as who closes an account locks them. */
	[TELL] = {"holding_tell", DB_DURABLE, T_SUBJECT, 7, DB_AUDIT_PARAMS "btbtt",
		  "WITH who AS MATERIALIZED (SELECT FROM subject WHERE id = $7"
		  " AND state = 'active' FOR KEY SHARE),"
		  " alive AS MATERIALIZED (SELECT FROM session WHERE sid = $11 AND acting = $7"
		  " AND expires > $1 AND EXISTS (SELECT FROM who) FOR KEY SHARE),"
		  " last AS (SELECT given, fingerprint, attributes" DB_CONSENT_LAST(
			  "$7", "NULL",
			  "$8") "),"
				" fit AS MATERIALIZED (SELECT FROM who"
				" WHERE ($11 IS NULL OR EXISTS (SELECT FROM alive)) AND EXISTS"
				" (SELECT FROM last WHERE given AND fingerprint = $9"
				" AND attributes = $10::jsonb)),"
				" a AS (" DB_AUDIT_FROM("fit") ") SELECT FROM fit"},
	{0},
};

/* Of at most one row, the columns from `first` on. */
static struct db_rows *
columns_from(const struct db_rows *rows, size_t first)
{
	struct db_rows *part = ARENA_NEW(rows->a, struct db_rows);

	*part = *rows;
	part->types += first;
	part->cells += first;
	part->n_cols -= first;
	return part;
}

static bool
answer_of_party(struct arena *a, struct db_rows *rows, const struct db_consent_key *key,
		struct db_holding *out, struct err *err)
{
	struct db_rows *consent = columns_from(rows, DB_SUBJECT_N_COLUMNS);
	struct db_rows *pseudonym = columns_from(consent, DB_CONSENT_N_COLUMNS);

	return db_consent_answer(a, consent, key, &out->consent, err) &&
	       db_pseudonym_answer(pseudonym, &out->pseudonym, err);
}

bool
db_holding_load(const struct db_call *c, const struct db_holder *who, struct db_holding *out,
		struct err *err)
{
	struct db_consent_key key = {who->acting, who->represented, who->party};
	struct db_ask asks[N_PARTS] = {{0}};

	*out = (struct db_holding){0};
	if (who->party == NULL)
		db_account_ask(c->a, &who->acting, &asks[SUBJECT]);
	else
		asks[SUBJECT] = db_ask_of(c->a, &db_holding_statements[OF_PARTY],
					  DB_ARGS(db_id(&who->acting), db_id(who->represented),
						  db_text(who->party), db_text(who->sector)));
	db_attribute_ask(c->a, &who->acting, &asks[ATTRIBUTES]);
	if (!db_run_all(c, asks, N_PARTS, err) ||
	    !db_account_answer(c->a, asks[SUBJECT].rows, &out->subject, err) ||
	    !db_attribute_answer(c->a, asks[ATTRIBUTES].rows, &out->attributes, &out->n_attributes,
				 err))
		return false;
	return who->party == NULL || answer_of_party(c->a, asks[SUBJECT].rows, &key, out, err);
}

bool
db_holding_tell(const struct db_call *c, const struct db_consent *consent, const char *sid,
		const struct db_audit *audit, time_t now, bool *stands, struct err *err)
{
	return db_run_did(c, &db_holding_statements[TELL],
			  DB_ARGS(DB_AUDIT_ARGS(audit, now), db_id(&consent->acting),
				  db_text(consent->party),
				  db_octets(consent->fingerprint, sizeof(consent->fingerprint)),
				  db_text(consent->attributes), db_text(sid)),
			  stands, err);
}
