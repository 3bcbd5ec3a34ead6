/*
 * Identity proofing by officers: who looked at which kind of document and when,
 * with a hash of the evidence.  Two different operators, always; recorded in the
 * same transaction as the attributes it raises.
 */
#ifndef KONTOR_DB_PROOFING_H
#define KONTOR_DB_PROOFING_H

#include "db/attribute.h"

struct db_proofing {
	unsigned char id[16]; /* random */
	struct subject_id subject;
	const char *operator1, *operator2; /* must differ */
	const char *document_kind;         /* "id-card", "passport", … */
	const char *method;                /* how it was looked at: "in-person"; NULL: unsaid */
	unsigned char evidence_hash[32];
	time_t at;
};

/*
 * The attributes get this proofing's id and time whatever they hold.
 * ERR_DENIED: one operator twice; ERR_NOT_FOUND: no such subject.
 */
MUST_USE bool db_proofing_record(const struct db_call *c, const struct db_proofing *proofing,
				 const struct db_attribute *attributes, size_t n,
				 const struct db_audit *audit, struct err *err);

/* All of a subject, newest first. */
MUST_USE bool db_proofing_list(const struct db_call *c, struct subject_id subject,
			       const struct db_proofing **out, size_t *n, struct err *err);

#endif
