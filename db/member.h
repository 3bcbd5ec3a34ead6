/*
 * The register of a federation's administration: its members, what was brought of each, and what
 * became of them.  What is published of a member was brought by one person and approved by
 * another; `by` is who does it, as the operator names them.  Every change is a row of its own
 * with a number, without a gap, in the order of commits.
 */
#ifndef KONTOR_DB_MEMBER_H
#define KONTOR_DB_MEMBER_H

#include "db/audit.h"

enum db_member_state { DB_MEMBER_WAITING = 1, DB_MEMBER_APPROVED, DB_MEMBER_REJECTED };

/* A document of a member. */
struct db_member_document {
	int64_t seq;
	const char *entity_id;
	enum db_member_state state;
	struct bytes document, sha256; /* `document` is not in lists of members */
	time_t valid_until;            /* 0: it says none */
	time_t brought, decided;       /* decided 0: it waits */
	const char *brought_by, *decided_by;
};

struct db_member {
	const char *entity_id;
	time_t registered;
	const struct db_member_document *counts, *waiting; /* NULL: none */
	time_t suspended;                                  /* 0: it is not */
	const char *suspended_by, *suspended_why;
};

/*
 * Let this document wait: entity_id, document, valid_until, brought_by.  It takes the place of
 * one that waits already.  Durable, as all of these.
 */
MUST_USE bool db_member_bring(const struct db_call *c, const struct db_member_document *document,
			      const struct db_audit *audit, time_t now, struct err *err);

/*
 * valid_until: as who approves it has seen it.  ERR_CONFLICT: this document does not wait, or not
 * until then, or who approves it has brought it.
 */
MUST_USE bool db_member_approve(const struct db_call *c, const char *entity_id, struct bytes sha256,
				int64_t valid_until, const char *by, const struct db_audit *audit,
				time_t now, struct err *err);

/* ERR_CONFLICT: this document does not wait. */
MUST_USE bool db_member_reject(const struct db_call *c, const char *entity_id, struct bytes sha256,
			       const char *by, const struct db_audit *audit, time_t now,
			       struct err *err);

/* From now on it is left out.  ERR_CONFLICT: there is no such member that is not suspended. */
MUST_USE bool db_member_suspend(const struct db_call *c, const char *entity_id, const char *by,
				const char *why, const struct db_audit *audit, time_t now,
				struct err *err);

/* Both by another person than who suspended it, else ERR_CONFLICT. */
MUST_USE bool db_member_resume(const struct db_call *c, const char *entity_id, const char *by,
			       const struct db_audit *audit, time_t now, struct err *err);
MUST_USE bool db_member_remove(const struct db_call *c, const char *entity_id, const char *by,
			       const struct db_audit *audit, time_t now, struct err *err);

/* By entity_id; NULL: all. */
MUST_USE bool db_member_list(const struct db_call *c, const char *entity_id,
			     const struct db_member **out, size_t *n, struct err *err);

/* Of one member, the youngest first, with their octets. */
MUST_USE bool db_member_documents(const struct db_call *c, const char *entity_id,
				  const struct db_member_document **out, size_t *n,
				  struct err *err);

struct db_member_change {
	int64_t seq;
	time_t at;
	const char *entity_id, *what; /* "added", "changed", "suspended", "resumed", "removed" */
};

/* Those after `since` (0: from the first), at most `limit`. */
MUST_USE bool db_member_changes(const struct db_call *c, int64_t since, int64_t limit,
				const struct db_member_change **out, size_t *n, struct err *err);

#endif
