/*
 * Federations: sources of signed metadata, the copies of it that were taken (one counts, at most
 * one waits for an operator, the last few that were replaced), what they say of each member, and
 * who is suspended.  Whoever reads a copy or a text verifies it (idp/federation_read.h); here
 * nothing is.  A copy arrives in pieces and is whole, or nothing, by one statement at its end; who
 * was overtaken by another node writes nothing any more.  All goes with its source.
 */
#ifndef KONTOR_DB_FEDERATION_H
#define KONTOR_DB_FEDERATION_H

#include "db/audit.h"

#define DB_FEDERATION_KEPT   3 /* copies that were replaced */
#define DB_FEDERATION_LEFT_S ((time_t)365 * 86400)

enum db_federation_kind { DB_FEDERATION_AGGREGATE = 1, DB_FEDERATION_FILE };

enum db_federation_state {
	DB_FEDERATION_ARRIVING = 1,
	DB_FEDERATION_COUNTING,
	DB_FEDERATION_WAITING,
	DB_FEDERATION_REJECTED,
	DB_FEDERATION_REPLACED,
};

/* Static words. */
const char *db_federation_kind_word(enum db_federation_kind kind);
const char *db_federation_state_word(enum db_federation_state state);
/* 0: none of them. */
enum db_federation_kind db_federation_kind_find(const char *word);

struct db_federation_copy {
	int64_t seq; /* 0: there is none */
	const char *source;
	enum db_federation_state state;
	struct bytes digest; /* 32 octets */
	int64_t octets, members;
	time_t valid_until;
	struct bytes signer;     /* SHA-256 of a certificate */
	const char *changes;     /* a JSON object as text */
	struct bytes asked;      /* n 0: nobody was */
	struct bytes gone;       /* SHA-256 of entityIDs, joined */
	const char *approved_by; /* NULL: nobody had to */
	time_t at;
};

struct db_federation_source {
	const char *name;
	enum db_federation_kind kind;
	const char *url;                  /* NULL: of a file */
	const char *signers;              /* certificates, PEM */
	const char *rules;                /* a JSON object as text */
	int64_t version;                  /* of signers and rules */
	const char *etag, *last_modified; /* NULL: not told */
	time_t due, fetched;              /* due 0: never; fetched 0: not yet */
	int64_t tries;                    /* since it last went well */
	int64_t taken;
	const char *trouble;                /* NULL: it went well */
	bool rolled_back;                   /* what counts is an earlier copy, by an operator */
	struct db_federation_copy counting; /* without changes and gone; seq 0: none counts */
};

/* ---- sources ---- */

/* Make one, or change kind, url, signers and rules; it is due now, and what is on its way, judged
 * by what was laid down before, comes to nothing.  Durable. */
MUST_USE bool db_federation_put(const struct db_call *c, const struct db_federation_source *source,
				const struct db_audit *audit, time_t now, struct err *err);

/* ERR_NOT_FOUND: there was none.  Durable. */
MUST_USE bool db_federation_drop(const struct db_call *c, const char *name,
				 const struct db_audit *audit, time_t now, struct err *err);

/* By name; `name` NULL: all. */
MUST_USE bool db_federation_list(const struct db_call *c, const char *name,
				 const struct db_federation_source **out, size_t *n,
				 struct err *err);

/* Let it be fetched now, as if nothing of it were known.  ERR_NOT_FOUND: none, or a file.  Lazy. */
MUST_USE bool db_federation_hurry(const struct db_call *c, const char *name, time_t now,
				  struct err *err);

/*
 * One that is due and that no node is at, or with `name` that one: ours until now + lease_s.
 * *out NULL: none.  Lazy.
 */
MUST_USE bool db_federation_take(const struct db_call *c, const char *name, int64_t lease_s,
				 time_t now, const struct db_federation_source **out,
				 struct err *err);

/* How a try ended.  Of one that was taken again since nothing is written.  Lazy. */
struct db_federation_end {
	time_t due; /* 0: never */
	const char *etag, *last_modified;
	const char *trouble; /* NULL: it went well, at `now` */
};
MUST_USE bool db_federation_settle(const struct db_call *c,
				   const struct db_federation_source *taken,
				   const struct db_federation_end *end, time_t now,
				   struct err *err);

/* How many sources failed the last time, and how many copies wait. */
MUST_USE bool db_federation_count(const struct db_call *c, int64_t *failing, int64_t *waiting,
				  struct err *err);

/* ---- a copy that arrives ---- */

/* Of what was taken; what arrived before and did not end is gone.  ERR_CONFLICT: overtaken. */
MUST_USE bool db_federation_begin(const struct db_call *c, const struct db_federation_source *taken,
				  time_t now, int64_t *seq, struct err *err);

/* Piece n (0, 1, …) of what it is made of.  ERR_CONFLICT: overtaken.  Lazy, as are the
 * two below: db_federation_conclude makes all durable. */
MUST_USE bool db_federation_piece_add(const struct db_call *c, int64_t seq, int64_t n,
				      struct bytes octets, struct err *err);

/*
 * What it says of members: `blob` holds texts, `index` of each 32 octets of digest and
 * big-endian offset and length, 4 each.
 */
#define DB_FEDERATION_INDEX_BYTES 40
MUST_USE bool db_federation_texts_add(const struct db_call *c, const char *source, int64_t seq,
				      struct bytes index, struct bytes blob, struct err *err);

/* It says them too: joined digests of texts that are there.  *n: how many of them are. */
MUST_USE bool db_federation_texts_use(const struct db_call *c, const char *source, int64_t seq,
				      struct bytes digests, int64_t *n, struct err *err);

/*
 * It is whole: copy->seq, state (counting or waiting), digest, octets, members, valid_until,
 * signer, changes, asked, gone.  base: what counts still, 0: nothing.  What waits goes, and who
 * was gone from what was rejected is so no longer.
 * ERR_CONFLICT: overtaken, or another counts.  Durable, notified.
 */
MUST_USE bool db_federation_conclude(const struct db_call *c,
				     const struct db_federation_source *taken,
				     const struct db_federation_copy *copy, int64_t base,
				     const struct db_audit *audit, time_t now, struct err *err);

/*
 * What came is not taken: it is what counts already, or what was rejected.  What waits goes, and
 * `gone` (n 0: nobody) are those whom the publisher leaves out.  ERR_CONFLICT as above.  Lazy.
 */
MUST_USE bool db_federation_served(const struct db_call *c,
				   const struct db_federation_source *taken, int64_t base,
				   struct bytes gone, struct err *err);

/* It is nothing: gone, with what only it said.  Lazy. */
MUST_USE bool db_federation_abandon(const struct db_call *c, const char *source, int64_t seq,
				    struct err *err);

/*
 * Who is gone from a copy, by joined SHA-256 of entityIDs, and what was said of each last, by
 * joined digests of texts that are there.  Lazy.
 */
MUST_USE bool db_federation_left_add(const struct db_call *c, const char *source,
				     struct bytes entities, struct bytes digests, time_t now,
				     struct err *err);
/* Those of them all, each 32 octets of either, joined by entity. */
MUST_USE bool db_federation_left(const struct db_call *c, const char *source, struct bytes *out,
				 struct err *err);

/* Texts that no copy says any more go, but those of who left within DB_FEDERATION_LEFT_S.  Lazy. */
MUST_USE bool db_federation_tidy(const struct db_call *c, const char *source, time_t now,
				 struct err *err);

/* ---- copies ---- */

/* All that are whole, of one source (NULL: of all), or only those that wait; newest first. */
MUST_USE bool db_federation_copies(const struct db_call *c, const char *source, bool waiting,
				   const struct db_federation_copy **out, size_t *n,
				   struct err *err);

/* out->n 0: there is no piece of that number. */
MUST_USE bool db_federation_piece(const struct db_call *c, int64_t seq, int64_t n,
				  struct bytes *out, struct err *err);

/* The texts of joined digests; n 0 of one that is not there. */
MUST_USE bool db_federation_texts(const struct db_call *c, const char *source, struct bytes digests,
				  const struct bytes **out, struct err *err);

/*
 * An operator decides: one that waits, was rejected or was replaced counts from now on, or one that
 * waits is rejected.  One that was replaced makes the source rolled_back, others end that.
 * What is served then is asked for anew, so that its being refused is known.  base: what counts.
 * ERR_CONFLICT: another does, or the copy is not there in that state.  Durable, notified.
 */
MUST_USE bool db_federation_decide(const struct db_call *c, const struct db_federation_copy *copy,
				   bool counts, int64_t base, const char *by,
				   const struct db_audit *audit, time_t now, struct err *err);

/* ---- members ---- */

struct db_federation_said {
	const char *suspended; /* why; NULL: it is not */
	bool gone;             /* from a copy that waits or was rejected, as it is served */
	struct bytes text;     /* n 0: not there, or what counts does not say it any more */
	bool old;              /* that */
};
MUST_USE bool db_federation_said(const struct db_call *c, const char *source, const char *entity,
				 struct bytes entity_sha256, struct bytes digest,
				 struct db_federation_said *out, struct err *err);

struct db_federation_suspended {
	const char *entity;
	const char *source; /* NULL: whichever says it */
	const char *by, *why;
	time_t at;
};

/* ERR_CONFLICT: it is already.  Durable, notified. */
MUST_USE bool db_federation_suspend(const struct db_call *c,
				    const struct db_federation_suspended *what,
				    const struct db_audit *audit, time_t now, struct err *err);
/* ERR_NOT_FOUND: it is not, with this source. */
MUST_USE bool db_federation_unsuspend(const struct db_call *c, const char *entity,
				      const char *source, const struct db_audit *audit, time_t now,
				      struct err *err);
/* By entity. */
MUST_USE bool db_federation_suspensions(const struct db_call *c,
					const struct db_federation_suspended **out, size_t *n,
					struct err *err);

#endif
