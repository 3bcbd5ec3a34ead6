/* Consents and their history; see consent.h. */
#include "db/consent.h"

#include <string.h>

#include "db/grant.h"
#include "db/part.h"
#include "db/polled.h"
#include "db/statements.h"

enum { FIND, LIST, STORE, WITHDRAW };

#define LAST         DB_CONSENT_LAST("$7", "$8", "$9")
#define AUDIT_OF_ROW DB_AUDIT_FROM("c")
#define REFRESH_OF_BOTH                              \
	DB_HOLD_REFRESH("acting = $7 AND party = $9" \
			" AND represented IS NOT DISTINCT FROM $8")

const struct db_statement db_consent_statements[] = {
	[FIND] = {"consent_find", DB_READ, T_CONSENT, 1, "bbt",
		  "SELECT " DB_CONSENT_COLUMNS DB_CONSENT_LAST("$1", "$2", "$3")},
	[LIST] = {"consent_list", DB_READ, T_CONSENT, 0, "b",
		  "SELECT " DB_CONSENT_COLUMNS ", party, represented"
		  " FROM (SELECT DISTINCT ON (party, represented) * FROM consent"
		  " WHERE acting = $1 ORDER BY party, represented, id DESC) last"
		  " WHERE given ORDER BY party"},
	[STORE] =
		{"consent_store", DB_DURABLE, T_CONSENT, 7, DB_AUDIT_PARAMS "bbtbttt",
		 "WITH c AS (INSERT INTO consent (acting, represented, party, given, fingerprint,"
		 " attributes, purpose, at, left_out)"
		 " VALUES ($7, $8, $9, true, $10, $11::jsonb, $12, $1,"
		 " ARRAY(SELECT jsonb_array_elements_text($13::jsonb))) RETURNING 1)" DB_AUDIT_FROM(
			 "c")},
	/* What it waits for are refresh tokens; the row of its own is new. */
	[WITHDRAW] = {"consent_withdraw", DB_IN_TX, T_REFRESH, 7, DB_AUDIT_PARAMS "bbt",
		      "WITH last AS (SELECT given" LAST "),"
		      " c AS (INSERT INTO consent (acting, represented, party, given, at)"
		      " SELECT $7, $8, $9, false, $1 FROM last WHERE given RETURNING 1),"
		      " r AS (DELETE FROM refresh_token WHERE EXISTS (SELECT FROM c)"
		      " AND handle IN (" REFRESH_OF_BOTH ")),"
		      " a AS (" AUDIT_OF_ROW ") SELECT FROM c"},
	{0},
};

/* What FIND and LIST have in common. */
static void
read_consent(struct db_rows *rows, size_t i, struct db_consent *out)
{
	*out = (struct db_consent){
		.attributes = db_get_text(rows, i, 2),
		.purpose = db_get_text(rows, i, 3),
		.at = db_get_int(rows, i, 4),
	};
	db_get_octets(rows, i, 1, out->fingerprint, sizeof(out->fingerprint));
}

bool
db_consent_answer(struct arena *a, struct db_rows *rows, const struct db_consent_key *key,
		  const struct db_consent **out, struct err *err)
{
	if (rows->n == 0 || !db_get_bool(rows, 0, 0)) {
		*out = NULL;
		return db_rows_check(rows, err);
	}
	struct db_consent *consent = ARENA_NEW(a, struct db_consent);

	read_consent(rows, 0, consent);
	consent->acting = key->acting;
	consent->party = arena_strdup(a, key->party);
	if (key->represented != NULL) {
		struct subject_id *copy = ARENA_NEW(a, struct subject_id);

		*copy = *key->represented;
		consent->represented = copy;
	}
	if (!db_rows_check(rows, err))
		return false;
	*out = consent;
	return true;
}

bool
db_consent_find(const struct db_call *c, struct subject_id acting,
		const struct subject_id *represented, const char *party,
		const struct db_consent **out, struct err *err)
{
	struct db_consent_key key = {acting, represented, party};
	struct db_rows *rows;

	return db_run(c, &db_consent_statements[FIND],
		      DB_ARGS(db_id(&acting), db_id(represented), db_text(party)), &rows, err) &&
	       db_consent_answer(c->a, rows, &key, out, err);
}

bool
db_consent_list(const struct db_call *c, struct subject_id acting, const struct db_consent **out,
		size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_consent_statements[LIST], DB_ARGS(db_id(&acting)), &rows, err))
		return false;
	struct db_consent *list = ARENA_ARRAY(c->a, struct db_consent, rows->n + 1);

	for (size_t i = 0; i < rows->n; i++) {
		read_consent(rows, i, &list[i]);
		list[i].acting = acting;
		list[i].party = db_get_text(rows, i, 5);
		list[i].represented = db_get_id_opt(rows, i, 6);
	}
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	*n = rows->n;
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
			      db_text(consent->attributes), db_text(consent->purpose),
			      db_text(consent->left_out == NULL ? "[]" : consent->left_out)),
		      NULL, err);
}

static bool
withdraw(struct db_tx *tx, struct subject_id acting, const struct subject_id *represented,
	 const char *party, const struct db_audit *audit, time_t now, struct err *err)
{
	struct db_rows *rows;

	/* Nobody is asked in anybody else's name. */
	if (represented == NULL && (!db_account_hold_tx(tx, acting, err) ||
				    !db_polled_deny_tx(tx, acting, party, now, err)))
		return false;
	return db_tx_run(tx, &db_consent_statements[WITHDRAW],
			 DB_ARGS(DB_AUDIT_ARGS(audit, now), db_id(&acting), db_id(represented),
				 db_text(party)),
			 &rows, err) &&
	       (rows->n > 0 || FAIL(err, ERR_NOT_FOUND, NULL, "no consent that stands"));
}

bool
db_consent_withdraw(const struct db_call *c, struct subject_id acting,
		    const struct subject_id *represented, const char *party,
		    const struct db_audit *audit, time_t now, struct err *err)
{
	struct db_tx *tx;

	return db_tx_begin(c, &tx, err) &&
	       db_tx_conclude(tx, withdraw(tx, acting, represented, party, audit, now, err), NULL,
			      now, err);
}
