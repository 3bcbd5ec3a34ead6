/*
 * What a federation's administration has published: each time the whole, signed, and every member
 * alone.  Documents are compressed (RFC 1952).  The youngest counts; the last few are kept.
 */
#ifndef KONTOR_DB_PUBLICATION_H
#define KONTOR_DB_PUBLICATION_H

#include "db/audit.h"

#define DB_PUBLICATIONS_KEPT 10

struct db_publication {
	int64_t seq;    /* 0: nothing was published yet */
	int64_t change; /* the last change of members that is in it */
	time_t at, valid_until;
	int64_t members;
	struct bytes sha256; /* of the document */
};

/* The youngest; *change: the last change of members that there is. */
MUST_USE bool db_publication_last(const struct db_call *c, struct db_publication *out,
				  int64_t *change, struct err *err);

/* The youngest first. */
MUST_USE bool db_publication_list(const struct db_call *c, const struct db_publication **out,
				  size_t *n, struct err *err);

/* Its document; empty when nothing was published yet, or there was no member. */
MUST_USE bool db_publication_document(const struct db_call *c, struct bytes *out, struct err *err);

/* A member that is to be published: it has a document that counts, and is not suspended. */
struct db_published {
	const char *entity_id;
	int64_t source; /* of its documents */
	time_t registered, valid_until;
	struct bytes document;     /* read: as it was brought; stored: signed and compressed */
	struct bytes sha256, sha1; /* stored: of the signed document, of entity_id */
};

/* All of them, by entity_id. */
MUST_USE bool db_publication_members(const struct db_call *c, const struct db_published **out,
				     size_t *n, struct err *err);

/*
 * Publish: change, at, valid_until, members, sha256, its document and those of the members, over
 * `base`, the seq of the one before.  Without a member there is no document.  ERR_CONFLICT: there
 * is a younger one.  Durable.
 */
MUST_USE bool db_publication_add(const struct db_call *c, const struct db_publication *publication,
				 int64_t base, struct bytes document,
				 const struct db_published *members, size_t n,
				 const struct db_audit *audit, time_t now, struct err *err);

/*
 * Of the member with this SHA-1, what was published last.  *out is empty when there is none, or
 * it is suspended or removed since.
 */
struct db_publication_found {
	struct bytes document, sha256; /* n 0: none */
	time_t at, valid_until;
};
MUST_USE bool db_publication_find(const struct db_call *c, struct bytes sha1,
				  struct db_publication_found *out, struct err *err);

/*
 * Let of every member count what was published then, and nothing of those who were not; who is
 * suspended stays as it is.  ERR_NOT_FOUND: there is no such publication any more.  Durable.
 */
MUST_USE bool db_publication_roll_back(const struct db_call *c, int64_t seq,
				       const struct db_audit *audit, time_t now, struct err *err);

#endif
