/*
 * Where a party's metadata, or a client's keys (its jwks_uri), come from, and the copies of it
 * beside the one that counts (db/party.h): at most one that waits for an operator, one that was
 * rejected, and the last few that were replaced.  Copies go with their party.
 */
#ifndef KONTOR_DB_SOURCE_H
#define KONTOR_DB_SOURCE_H

#include "db/party.h"

#define DB_COPIES_KEPT 5 /* of those that were replaced */

struct db_source {
	const char *party; /* its id */
	const char *url;
	const char
		*signers; /* certificates that its signature verifies with, PEM; "": none needed */
	bool local_http;  /* SAML_LINT_LOCAL_HTTP */
	bool held;        /* all changes wait */
	const char *etag, *last_modified; /* NULL: not told */
	time_t due, fetched;              /* fetched 0: never */
	int64_t tries;                    /* since it last went well */
	const char *trouble;              /* NULL: it went well */
};

/* Follow this URL: url, signers, local_http; all else begins anew, due now, and nothing is
 * rejected.  Keys that came from this very URL stay.  ERR_NOT_FOUND: no such party.  Durable. */
MUST_USE bool db_source_put(const struct db_call *c, const struct db_source *source,
			    const struct db_audit *audit, time_t now, struct err *err);

/* db_party_save and db_source_put together or not at all, under one audit row; with url NULL it
 * is followed no longer. */
MUST_USE bool db_source_save_party(const struct db_call *c, const struct db_party *party,
				   const struct db_source *source, const struct db_audit *audit,
				   time_t now, int64_t *version, struct err *err);

/* The latter within a transaction. */
MUST_USE bool db_source_follow_tx(struct db_tx *tx, const struct db_source *source, time_t now,
				  struct err *err);

/* Follow it no longer.  ERR_NOT_FOUND: it was not followed.  Durable. */
MUST_USE bool db_source_drop(const struct db_call *c, const char *party,
			     const struct db_audit *audit, time_t now, struct err *err);

/* Sorted by party. */
MUST_USE bool db_source_list(const struct db_call *c, const struct db_source **out, size_t *n,
			     struct err *err);

/* *out is NULL when it is not followed. */
MUST_USE bool db_source_load(const struct db_call *c, const char *party,
			     const struct db_source **out, struct err *err);

/* Let it be fetched now, as if nothing of it were known.  ERR_NOT_FOUND: not followed.  Lazy. */
MUST_USE bool db_source_hurry(const struct db_call *c, const char *party, time_t now,
			      struct err *err);

/*
 * A key is asked for that a client's keys do not have: let them be fetched now, unless that was
 * so within the last pause_s.  *did: it was not.  Lazy.
 */
MUST_USE bool db_source_miss(const struct db_call *c, const char *party, int64_t pause_s,
			     time_t now, bool *did, struct err *err);

struct db_source_taken {
	struct db_source source;
	struct db_party party;          /* as it counts now */
	struct bytes base;              /* SHA-256 of its document */
	struct bytes pending, rejected; /* what was asked; n 0: no such copy */
	struct bytes pending_document;
};

/*
 * One that is due, of an enabled party, and that no node is at: ours until now + lease_s.
 * *out is NULL when there is none.  Lazy.
 */
MUST_USE bool db_source_take(const struct db_call *c, int64_t lease_s, time_t now,
			     const struct db_source_taken **out, struct err *err);

/* How a try ended.  Of one that was taken again since, nothing is written.  Lazy. */
struct db_source_end {
	time_t due;
	const char *etag, *last_modified;
	const char *trouble; /* NULL: it went well, at `now` */
};
MUST_USE bool db_source_settle(const struct db_call *c, const struct db_source_taken *taken,
			       const struct db_source_end *end, time_t now, struct err *err);

/* What was taken brought these keys.  ERR_CONFLICT: it was taken again, or comes from elsewhere
 * since.  Durable. */
MUST_USE bool db_source_keys(const struct db_call *c, const struct db_source_taken *taken,
			     struct bytes keys, const struct db_audit *audit, time_t now,
			     struct err *err);

/* How many are followed, failing, and how many parties have a copy that waits. */
struct db_source_counts {
	int64_t followed, failing, pending;
};
MUST_USE bool db_source_count(const struct db_call *c, struct db_source_counts *out,
			      struct err *err);

/* ---- copies ---- */

enum db_copy_state { DB_COPY_PENDING = 1, DB_COPY_REJECTED, DB_COPY_REPLACED };

struct db_copy {
	int64_t id;
	const char *party;
	enum db_copy_state state;
	struct bytes document, sha256;
	struct bytes base, asked; /* n 0 for one that was replaced */
	const char *changes;      /* a JSON object as text; NULL likewise */
	time_t at;
};

/* Of one party (NULL: all), or only those that wait; by party, then newest first. */
MUST_USE bool db_copy_list(const struct db_call *c, const char *party, bool waiting,
			   const struct db_copy **out, size_t *n, struct err *err);

/*
 * Let it wait for an operator: party, document, base, asked, changes.  It takes the place of
 * one that waits already.  ERR_CONFLICT: what counts is not `base` any more.  Durable.
 */
MUST_USE bool db_copy_hold(const struct db_call *c, const struct db_copy *copy,
			   const struct db_audit *audit, time_t now, struct err *err);

/*
 * Let another document count.  What counted is kept as a copy unless `forget`; a copy that
 * waits goes.  ERR_CONFLICT: what counts is not `base`, or the copy is gone.  Durable.
 */
struct db_replace {
	const char *party;
	struct bytes base, document;
	bool forget;
	const struct db_copy
		*copy; /* the document is that of this copy, which goes; NULL: it is not */
	enum db_held {
		DB_HELD_AS_IS = 0,
		DB_HELD_NO,
		DB_HELD_YES
	} held; /* of the source from now on */
};
MUST_USE bool db_copy_replace(const struct db_call *c, const struct db_replace *what,
			      const struct db_audit *audit, time_t now, struct err *err);

/* What waits was refused (party, id, sha256); one that was rejected before goes.  ERR_CONFLICT:
 * it does not wait, or another document does in its place.  Durable. */
MUST_USE bool db_copy_reject(const struct db_call *c, const struct db_copy *copy,
			     const struct db_audit *audit, time_t now, struct err *err);

#endif
