/*
 * OAuth grants: the authorization code and the access token it is exchanged
 * for.  Both are stored as hashes.  A code is taken once, by one statement that
 * also stores the token; its row stays behind as a tombstone until its partition
 * goes, so that a second use is known and revokes what the first one gave
 * (RFC 6749 4.1.2, RFC 9700 4.5).
 */
#ifndef KONTOR_DB_GRANT_H
#define KONTOR_DB_GRANT_H

#include "db/session.h"

struct db_grant {
	unsigned char id[16]; /* random; what code and tokens have in common */
	const char *party;    /* client_id */
	struct subject_id acting;
	const struct subject_id *represented; /* NULL: none */
	const char *sid;
	const char *scope;   /* "" for none */
	struct bytes sealed; /* claims released, sealed */
	const char *redirect_uri;
	const char *challenge;   /* PKCE S256; NULL: none */
	const char *nonce;       /* NULL: none */
	struct bytes extra;      /* what else the front wants back (acr, auth_time); n may be 0 */
	time_t created, expires; /* of the code */
};

/*
 * `code`: db_dated_create(a, grant->expires).  created is `now`.  With the client's part in the
 * session and the audit row.  Lazy: all of it is lost in a crash or none, and a code that is
 * lost gives nothing.  ERR_NOT_FOUND: the session has ended meanwhile; nothing may be sent.
 */
MUST_USE bool db_grant_create(const struct db_call *c, const char *code,
			      const struct db_grant *grant,
			      const struct db_participant *participant,
			      const struct db_audit *audit, time_t now, struct err *err);

enum db_take {
	DB_TAKE_REFUSED = 0, /* unknown, expired, another party's */
	DB_TAKE_REPLAYED,    /* used before: what it gave is revoked */
	DB_TAKE_TAKEN,       /* this call and no other */
};

/* The rows that a taking leaves in the trail; NULL: none. */
struct db_take_audit {
	const struct db_audit *taken;    /* its subject is filled in when it names none */
	const struct db_audit *replayed; /* for what a replay revokes; its subject is filled in */
};

/*
 * Take a code and store the access token given for it (`token`:
 * db_dated_create(a, token_expires)), durably, with its audit row.  *out is set
 * for DB_TAKE_TAKEN only, else NULL.  The checks that need the grant (redirect
 * URI, PKCE) come after: a code that fails them is used up, and
 * db_grant_revoke takes the token back.
 */
MUST_USE bool db_grant_take(const struct db_call *c, const char *code, const char *party,
			    const char *token, time_t token_expires,
			    const struct db_take_audit *audit, time_t now, enum db_take *result,
			    const struct db_grant **out, struct err *err);

/* Every token of the grant stops working, durably. */
MUST_USE bool db_grant_revoke(const struct db_call *c, const unsigned char id[16],
			      const struct db_audit *audit, time_t now, struct err *err);

struct db_token {
	unsigned char grant[16];
	const char *party;
	struct subject_id acting;
	const struct subject_id *represented; /* NULL: none */
	const char *sid;
	const char *scope;
	struct bytes sealed;
	time_t created, expires;
};

/*
 * *out is NULL: unknown, expired, revoked, its subject is not active, or the consent it rests
 * on was taken back.  Does not write.
 */
MUST_USE bool db_token_find(const struct db_call *c, const char *token, time_t now,
			    const struct db_token **out, struct err *err);

/* RFC 7009 2.1: by the party it was given to; nothing happens for anything else. */
MUST_USE bool db_token_revoke(const struct db_call *c, const char *token, const char *party,
			      time_t now, struct err *err);

#endif
