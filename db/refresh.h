/*
 * Refresh tokens.  All that a grant ever gave are one row: the token that counts,
 * and the one before it, which counts for a moment more because its answer may have
 * been lost.  Any other one with the same handle was used before, by its owner or by
 * a thief, and ends them all (RFC 9700 4.14.2).
 */
#ifndef KONTOR_DB_REFRESH_H
#define KONTOR_DB_REFRESH_H

#include "db/grant.h"

#define DB_REFRESH_RETRY_S 30 /* the one before counts so long, unless its successor was used */

/* A new text: a handle that stays and a secret. */
const char *db_refresh_create(struct arena *a);

/* The text with the same handle and another secret (32 octets); NULL: not a text of ours. */
const char *db_refresh_next(struct arena *a, const char *text, struct bytes secret);

struct db_refresh {
	unsigned char grant[16];
	const char *party;
	struct subject_id acting;
	const struct subject_id *represented; /* NULL: none */
	const char *sid;                      /* NULL: it outlives the session */
	const char *scope;
	const char *resources, *cnf; /* NULL: unsaid, none */
	struct bytes sealed, extra;
	struct bytes account_key; /* of `acting`, wrapped; n 0: it was deleted */
	time_t created;           /* of the grant */
	time_t expires;           /* unless it is used before */
	time_t ends;
};

enum db_refresh_fit {
	DB_REFRESH_UNKNOWN = 0, /* never given, ended, or another party's */
	DB_REFRESH_REPLAYED,    /* used before */
	DB_REFRESH_FITS,
};

/* Look without using it.  *out is set for DB_REFRESH_FITS only, else NULL. */
MUST_USE bool db_refresh_find(const struct db_call *c, const char *text, const char *party,
			      time_t now, enum db_refresh_fit *fit, const struct db_refresh **out,
			      struct err *err);

/* What using one gives. */
struct db_refresh_use {
	const char *next; /* db_refresh_next, the same for the same text, else who asks again is
			     refused; the text: it stays */
	const struct db_token_new *token;
	const char *scope;   /* of the access token */
	struct bytes sealed; /* of the access token; n 0: that of the grant */
	time_t expires;      /* of the refresh token, as far as its end allows; it is moved on by a
			      64th of that time at least, else it stays */
};

enum db_refresh_used {
	DB_REFRESH_ENDED = 0, /* nothing was given: see db_refresh_find */
	DB_REFRESH_AGAIN,     /* as before: its answer may have been lost */
	DB_REFRESH_USED,      /* this call and no other */
};

/*
 * Use it: one durable statement that makes `next` the one that counts and stores the access token,
 * with the audit row (its subject is filled in).  Account, session, consent are looked at in it:
 * what ends them at that moment is waited for, or takes the token back.
 */
MUST_USE bool db_refresh_use(const struct db_call *c, const char *text, const char *party,
			     const struct db_refresh_use *use, const struct db_audit *audit,
			     time_t now, enum db_refresh_used *used, struct err *err);

/*
 * One that was used before: the whole grant ends, durably, with the audit row (its subject is
 * filled in).  *ended is false when it counts after all, or there is nothing left to end.
 */
MUST_USE bool db_refresh_replayed(const struct db_call *c, const char *text, const char *party,
				  const struct db_audit *audit, time_t now, bool *ended,
				  struct err *err);

/* RFC 7009 2.1: its party gives it back, and the grant's access tokens with it.  As above. */
MUST_USE bool db_refresh_revoke(const struct db_call *c, const char *text, const char *party,
				const struct db_audit *audit, time_t now, struct err *err);

/* Remove at most `limit` rows that expired before `old`; *n were.  As db_session_sweep. */
MUST_USE bool db_refresh_sweep(const struct db_call *c, time_t old, int64_t limit, time_t now,
			       int64_t *n, struct err *err);

/* ---- for db/grant.c ---- */

struct db_refresh_place {
	unsigned char handle[32], secret[32];
};

/* False for a text that we cannot have given out. */
MUST_USE bool db_refresh_parse(const char *text, struct db_refresh_place *out);

#endif
