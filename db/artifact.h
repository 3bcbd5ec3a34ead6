/*
 * SAML messages under their artifacts, until the party has resolved them.  Taking
 * one is durable and happens once; what tells of a person can be had only while the
 * session it was made in lasts and the consent it rests on stands.
 */
#ifndef KONTOR_DB_ARTIFACT_H
#define KONTOR_DB_ARTIFACT_H

#include "db/audit.h"

struct db_artifact {
	struct bytes handle; /* random octets that we gave out; stored is their hash */
	const char *party;   /* the entityID of who alone may resolve it */
	struct bytes sealed;
	time_t expires;
};

/*
 * Of a message that tells of nobody (an error).  True means visible; a crash may lose it.  With
 * an assertion it is stored by db_session_participate.
 */
MUST_USE bool db_artifact_create(const struct db_call *c, const struct db_artifact *artifact,
				 time_t now, struct err *err);

/* Why there is nothing to be had. */
enum db_artifact_why {
	DB_ARTIFACT_TAKEN = 0, /* there is: it was taken now */
	DB_ARTIFACT_UNKNOWN,   /* never made, or swept, or its session has ended */
	DB_ARTIFACT_USED,      /* resolved before */
	DB_ARTIFACT_FOREIGN,   /* made for another party */
	DB_ARTIFACT_EXPIRED,
	DB_ARTIFACT_ENDED, /* the consent was taken back */
	DB_ARTIFACT_COUNT,
};

/* Rows of the audit trail; the subject is filled in where they name none. */
struct db_artifact_audit {
	const struct db_audit *taken;
	const struct db_audit *refused[DB_ARTIFACT_COUNT]; /* NULL: none.  One for each artifact,
							      and one of USED */
};

/* What was taken.  `account_key` is that of `acting`, wrapped, as it is today. */
struct db_artifact_taken {
	struct bytes sealed;
	const struct subject_id *acting; /* NULL: it tells of nobody */
	struct bytes account_key;
};

/*
 * Take what `party` may have, durably, with its audit row.  *out is set for
 * DB_ARTIFACT_TAKEN only.  From then on it is gone, whether the answer arrives or not.
 */
MUST_USE bool db_artifact_take(const struct db_call *c, struct bytes handle, const char *party,
			       const struct db_artifact_audit *audit, time_t now,
			       enum db_artifact_why *why, struct db_artifact_taken *out,
			       struct err *err);

/* Remove at most `limit` rows that expired before `old`; *n were.  As db_session_sweep. */
MUST_USE bool db_artifact_sweep(const struct db_call *c, time_t old, int64_t limit, time_t now,
				int64_t *n, struct err *err);

/* ---- for db/session.c ---- */

struct bytes db_artifact_hash(struct arena *a, struct bytes handle);

#endif
