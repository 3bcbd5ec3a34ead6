/* Consents and their history; see consent.h. */
#include "db/consent.h"

#include <string.h>

#include "db/statements.h"

enum { FIND, STORE, WITHDRAW };

/* The row that stands; parameters: acting, represented, party. */
#define LAST(acting, represented, party)                             \
	" FROM consent WHERE acting = " acting " AND party = " party \
	" AND represented IS NOT DISTINCT FROM " represented " ORDER BY id DESC LIMIT 1"

const struct db_statement db_consent_statements[] = {
	[FIND] = {"consent_find", DB_READ, T_CONSENT, 1, "bbt",
		  "SELECT given, fingerprint, attributes::text, purpose, at" LAST("$1", "$2",
										  "$3")},
	[STORE] =
		{"consent_store", DB_DURABLE, T_CONSENT, 7, DB_AUDIT_PARAMS "bbtbtt",
		 "WITH c AS (INSERT INTO consent (acting, represented, party, given, fingerprint,"
		 " attributes, purpose, at)"
		 " VALUES ($7, $8, $9, true, $10, $11::jsonb, $12, $1) RETURNING 1)" DB_AUDIT_FROM(
			 "c")},
	[WITHDRAW] =
		{"consent_withdraw", DB_DURABLE, T_CONSENT, 7, DB_AUDIT_PARAMS "bbt",
		 "WITH last AS (SELECT given" LAST(
			 "$7", "$8",
			 "$9") "),"
			       " c AS (INSERT INTO consent (acting, represented, party, given, at)"
			       " SELECT $7, $8, $9, false, $1 FROM last WHERE given RETURNING 1),"
			       " a AS (" DB_AUDIT_FROM("c") ") SELECT FROM c"},
	{0},
};

bool
db_consent_find(const struct db_call *c, struct subject_id acting,
		const struct subject_id *represented, const char *party,
		const struct db_consent **out, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_consent_statements[FIND],
		    DB_ARGS(db_id(&acting), db_id(represented), db_text(party)), &rows, err))
		return false;
	if (rows->n == 0 || !db_get_bool(rows, 0, 0)) {
		*out = NULL;
		return db_rows_check(rows, err);
	}
	struct db_consent *consent = ARENA_NEW(c->a, struct db_consent);

	*consent = (struct db_consent){
		.acting = acting,
		.party = arena_strdup(c->a, party),
		.attributes = db_get_text(rows, 0, 2),
		.purpose = db_get_text(rows, 0, 3),
		.at = db_get_int(rows, 0, 4),
	};
	db_get_octets(rows, 0, 1, consent->fingerprint, sizeof(consent->fingerprint));
	if (represented != NULL) {
		struct subject_id *copy = ARENA_NEW(c->a, struct subject_id);

		*copy = *represented;
		consent->represented = copy;
	}
	if (!db_rows_check(rows, err))
		return false;
	*out = consent;
	return true;
}

bool
db_consent_store(const struct db_call *c, const struct db_consent *consent,
		 const struct db_audit *audit, struct err *err)
{
	return db_run(c, &db_consent_statements[STORE],
		      DB_ARGS(DB_AUDIT_ARGS(audit, consent->at), db_id(&consent->acting),
			      db_id(consent->represented), db_text(consent->party),
			      db_octets(consent->fingerprint, sizeof(consent->fingerprint)),
			      db_text(consent->attributes), db_text(consent->purpose)),
		      NULL, err);
}

bool
db_consent_withdraw(const struct db_call *c, struct subject_id acting,
		    const struct subject_id *represented, const char *party,
		    const struct db_audit *audit, time_t now, struct err *err)
{
	return db_run_found(c, &db_consent_statements[WITHDRAW],
			    DB_ARGS(DB_AUDIT_ARGS(audit, now), db_id(&acting), db_id(represented),
				    db_text(party)),
			    err);
}
