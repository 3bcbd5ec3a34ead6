/*
 * Consents: what a subject allowed a party to learn.  Rows are only added; the
 * last one of (acting, represented, party) stands.
 */
#ifndef KONTOR_DB_CONSENT_H
#define KONTOR_DB_CONSENT_H

#include "db/audit.h"

struct db_consent {
	struct subject_id acting;
	const struct subject_id *represented; /* NULL: none */
	const char *party;
	unsigned char fingerprint[32]; /* of all that asks anew when it changes (idp/consent.c) */
	const char *attributes;        /* JSON array of the names allowed */
	const char *left_out;          /* the same of what was offered beside them; NULL: nothing */
	const char *purpose;
	time_t at;
};

/* *out is NULL when none stands.  Does not write. */
MUST_USE bool db_consent_find(const struct db_call *c, struct subject_id acting,
			      const struct subject_id *represented, const char *party,
			      const struct db_consent **out, struct err *err);

/* All that stand, whomever the person acted for, by party; for the person's own page. */
MUST_USE bool db_consent_list(const struct db_call *c, struct subject_id acting,
			      const struct db_consent **out, size_t *n, struct err *err);

/* Durable, with its audit row.  left_out is stored for the grants there are, and not read again. */
MUST_USE bool db_consent_store(const struct db_call *c, const struct db_consent *consent,
			       const struct db_audit *audit, struct err *err);

/*
 * Take it back: the party's refresh tokens end with it, and its requests to the person that wait
 * (db/polled.h) hear no.  ERR_NOT_FOUND: none stands.  Durable.
 */
MUST_USE bool db_consent_withdraw(const struct db_call *c, struct subject_id acting,
				  const struct subject_id *represented, const char *party,
				  const struct db_audit *audit, time_t now, struct err *err);

#endif
