/*
 * What several aggregates are read from in one hand-over (db/holding.c): each gives the
 * statement or the columns it is read with, and makes of the rows what its own functions give.
 * And parts of statements that several have.
 */
#ifndef KONTOR_DB_PART_H
#define KONTOR_DB_PART_H

#include "db/account.h"
#include "db/consent.h"
#include "db/sql.h"

#define DB_SUBJECT_COLUMNS \
	"s.id, s.kind, s.origin, s.state, s.issuer, s.foreign_id, s.account_key, s.created"
#define DB_SUBJECT_N_COLUMNS 8
void db_account_ask(struct arena *a, const struct subject_id *id, struct db_ask *out);
MUST_USE bool db_account_answer(struct arena *a, struct db_rows *rows,
				const struct db_subject **out, struct err *err);

void db_attribute_ask(struct arena *a, const struct subject_id *subject, struct db_ask *out);
MUST_USE bool db_attribute_answer(struct arena *a, struct db_rows *rows,
				  const struct db_attribute **out, size_t *n, struct err *err);

/* Whose consent to whom. */
struct db_consent_key {
	struct subject_id acting;
	const struct subject_id *represented; /* NULL: none */
	const char *party;
};
/* The row that stands; parameters: acting, represented, party. */
#define DB_CONSENT_LAST(acting, represented, party)                  \
	" FROM consent WHERE acting = " acting " AND party = " party \
	" AND represented IS NOT DISTINCT FROM " represented " ORDER BY id DESC LIMIT 1"
#define DB_CONSENT_COLUMNS   "coalesce(given, false), fingerprint, attributes::text, purpose, at"
#define DB_CONSENT_N_COLUMNS 5
MUST_USE bool db_consent_answer(struct arena *a, struct db_rows *rows,
				const struct db_consent_key *key, const struct db_consent **out,
				struct err *err);

/*
 * Of something that has the id of the consent it was given on: since then it was not taken
 * back, and nothing that it allowed was offered again and left out.  Ids, not times: clocks differ.
 * Asked of the one row that was found: as a condition of a partitioned table it would be
 * prepared for every partition at each run.
 */
#define DB_CONSENT_COVERS(g)                                                                  \
	" AND NOT EXISTS (SELECT FROM consent w WHERE w.acting = " g ".acting"                \
	" AND w.party = " g ".party AND w.represented IS NOT DISTINCT FROM " g ".represented" \
	" AND w.id > coalesce(" g ".consent, 0) AND (NOT w.given"                             \
	" OR (SELECT c.attributes FROM consent c WHERE c.id = " g ".consent) ?| w.left_out))"

/* One column: the value, or NULL where there is none. */
MUST_USE bool db_pseudonym_answer(struct db_rows *rows, const char **out, struct err *err);

#endif
