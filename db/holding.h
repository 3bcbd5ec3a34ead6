/*
 * What an answer to a portal is made of: the person's subject, attributes and consent, and its
 * pseudonym for the portal's sector.  Read in one hand-over to the reader.
 */
#ifndef KONTOR_DB_HOLDING_H
#define KONTOR_DB_HOLDING_H

#include "db/account.h"
#include "db/consent.h"

struct db_holding {
	const struct db_subject *subject; /* NULL: there is none */
	const struct db_attribute *attributes;
	size_t n_attributes;
	const struct db_consent *consent; /* NULL: none stands */
	const char *pseudonym;            /* NULL: none was made yet */
};

/* For whom: without a party there is neither consent nor pseudonym. */
struct db_holder {
	struct subject_id acting;
	const struct subject_id *represented; /* NULL: none */
	const char *party, *sector;           /* NULL: one's own account */
};

MUST_USE bool db_holding_load(const struct db_call *c, const struct db_holder *who,
			      struct db_holding *out, struct err *err);

/*
 * The last look before a person's own attributes are told on a consent that was judged earlier:
 * `audit` is written if the account is active, that consent stands unchanged and the session
 * (sid NULL: none was needed) lives, and *stands says whether.  Whoever ends the account or the
 * session at that moment waits for it.  Durable.
 */
MUST_USE bool db_holding_tell(const struct db_call *c, const struct db_consent *consent,
			      const char *sid, const struct db_audit *audit, time_t now,
			      bool *stands, struct err *err);

#endif
