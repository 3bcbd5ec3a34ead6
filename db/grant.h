/*
 * OAuth grants: the authorization code and the access token it is exchanged
 * for; refresh tokens are in db/refresh.h.  All are stored as hashes.  A code is taken once, by one
 * statement that also stores the token; its row stays behind as a tombstone until its partition
 * goes, so that a second use of an authorization code is known and revokes what the first one gave
 * (RFC 6749 4.1.2, RFC 9700 4.5).  Codes of clients that poll (db/polled.h) went through nobody's
 * browser: who asks again has lost an answer, and what was given stays.
 */
#ifndef KONTOR_DB_GRANT_H
#define KONTOR_DB_GRANT_H

#include "db/dated.h"
#include "db/consent.h"
#include "db/session.h"

struct db_grant {
	unsigned char id[16]; /* random; what code and tokens have in common */
	const char *party;    /* client_id */
	bool foreign; /* of somebody without an account here: acting and sid stand for nothing */
	struct subject_id acting;
	const struct subject_id *represented; /* NULL: none */
	const char *sid;
	const char *scope;        /* "" for none */
	struct bytes sealed;      /* claims released, under the key of `acting` */
	struct bytes account_key; /* that key, wrapped; set when read, as it is today */
	const char *redirect_uri;
	const char *challenge;   /* PKCE S256; NULL: none */
	const char *nonce;       /* NULL: none */
	struct bytes extra;      /* what else the front wants back (acr, auth_time); n may be 0 */
	bool offline;            /* agreed to: with a refresh token it outlives the session */
	const char *resources;   /* asked for, separated by spaces; NULL: unsaid */
	const char *cnf;         /* the key its tokens have to be bound to; NULL: any */
	time_t created, expires; /* of the code */
	const struct db_consent *consent; /* what it rests on, as it was judged; NULL when read */
};

/* Where the row of a code lies; false: not a code. */
MUST_USE bool db_grant_code_at(const char *code, struct db_dated *out);

/*
 * `code`: db_dated_create(a, grant->expires).  created is `now`.  With the client's part in the
 * session and the audit row.  Lazy: all of it is lost in a crash or none, and a code that is
 * lost gives nothing.  *stands is false, and nothing is stored, when the consent is no longer
 * what it rests on.  ERR_NOT_FOUND: the session has ended meanwhile, or acts for somebody else by
 * now; nothing may be sent.
 */
MUST_USE bool db_grant_create(const struct db_call *c, const char *code,
			      const struct db_grant *grant,
			      const struct db_participant *participant,
			      const struct db_audit *audit, time_t now, bool *stands,
			      struct err *err);

/*
 * The same for a request that is answered once, with its mark.  Durable.  *first is false, and
 * nothing is stored, when it was there; a consent that does not stand leaves it.
 */
MUST_USE bool db_grant_create_once(const struct db_call *c, const char *code,
				   const struct db_grant *grant,
				   const struct db_participant *participant,
				   const struct db_mark *mark, const struct db_audit *audit,
				   time_t now, bool *first, bool *stands, struct err *err);

/* The same of somebody without an account here (foreign): of no session, consent or mark. */
MUST_USE bool db_grant_create_foreign(const struct db_call *c, const char *code,
				      const struct db_grant *grant, const struct db_audit *audit,
				      time_t now, struct err *err);

/* db_grant_create within a transaction, where only the place of the code is known. */
MUST_USE bool db_grant_create_tx(struct db_tx *tx, const struct db_dated *at,
				 const struct db_grant *grant,
				 const struct db_participant *participant,
				 const struct db_audit *audit, time_t now, bool *stands,
				 struct err *err);

enum db_take {
	DB_TAKE_REFUSED = 0, /* unknown, expired, another party's; of who polls: used before */
	DB_TAKE_REPLAYED,    /* an authorization code used before: what it gave is revoked */
	DB_TAKE_TAKEN,       /* this call and no other */
};

/* The rows that a taking leaves in the trail; NULL: none. */
struct db_take_audit {
	const struct db_audit *taken;    /* its subject is filled in when it names none */
	const struct db_audit *replayed; /* for what a replay revokes; its subject is filled in */
};

/* An access token that is stored with what gives it. */
struct db_token_new {
	const char *text; /* db_dated_create(a, expires): the token, or the jti of a signed one */
	bool is_jti;
	time_t expires;
	const char *audience; /* a resource; NULL: our own endpoints */
	const char *cnf;      /* the key it is bound to; NULL: none */
};

/* A refresh token that a code gives: when offline access was agreed to, else only `of_session`. */
struct db_refresh_new {
	const char *text; /* db_refresh_create(a) */
	bool of_session;  /* one that ends with the session will do */
	const char *cnf;  /* the key that proves who may use it; NULL: its client proves itself */
	time_t expires, ends;
};

/*
 * Take a code and store the access token given for it, and the refresh token (NULL: none is to be
 * given; *refreshed: there is one), durably, with its audit row.  *out is set
 * for DB_TAKE_TAKEN only, else NULL.  The checks that need the grant (redirect
 * URI, PKCE) come after: a code that fails them is used up, and
 * db_grant_revoke takes the tokens back.
 */
MUST_USE bool db_grant_take(const struct db_call *c, const char *code, const char *party,
			    const struct db_token_new *token, const struct db_refresh_new *refresh,
			    const struct db_take_audit *audit, time_t now, enum db_take *result,
			    const struct db_grant **out, bool *refreshed, struct err *err);

/*
 * A token of the party's own, without a subject, with its audit row.  Durable: a JWT goes on
 * working at its resource, whatever a crash loses here.
 */
MUST_USE bool db_token_create(const struct db_call *c, const struct db_token_new *token,
			      const char *party, const char *scope, struct bytes extra,
			      const struct db_audit *audit, time_t now, struct err *err);

/* What a token that was just given stands for is less.  ERR_NOT_FOUND: it is not there.  Durable.
 */
MUST_USE bool db_token_reseal(const struct db_call *c, const struct db_token_new *token,
			      const char *party, struct bytes sealed, struct err *err);

/* Every token of the grant stops working, durably. */
MUST_USE bool db_grant_revoke(const struct db_call *c, const unsigned char id[16],
			      const struct db_audit *audit, time_t now, struct err *err);

struct db_token {
	unsigned char grant[16];
	const char *party;
	const char
		*origin; /* whom the person agreed to: the same, or whose token it was given for */
	const struct subject_id *acting;      /* NULL: the party's own, without a subject */
	const struct subject_id *represented; /* NULL: none */
	const char *sid;                      /* NULL: it hangs on no session */
	const char *scope;
	struct bytes sealed;      /* n 0: nothing was released */
	struct bytes account_key; /* of `acting`, wrapped; n 0: it has none */
	struct bytes extra;       /* of the login or the client, with an audience; n may be 0 */
	const char *audience, *cnf, *act;
	time_t created, expires;
};

/*
 * By its text, or (is_jti) by the jti of a signed one.  *out is NULL: unknown, expired, revoked,
 * its session has ended, its subject is not active, or the consent it rests on was taken back; or
 * the same is true of the token that it was exchanged for.  Does not write.
 */
MUST_USE bool db_token_find(const struct db_call *c, const char *text, bool is_jti, time_t now,
			    const struct db_token **out, struct err *err);

/* RFC 7009 2.1: by the party it was given to; nothing happens for anything else. */
MUST_USE bool db_token_revoke(const struct db_call *c, const char *text, bool is_jti,
			      const char *party, time_t now, struct err *err);

/* ---- for db/refresh.c ---- */

/*
 * All access tokens that `which` is true of.  Whoever takes back several rows locks the refresh
 * tokens before them, and each kind in the order of its key: so nobody waits crosswise.
 */
#define DB_REVOKE_TOKENS(now, which)                                                  \
	"UPDATE access_token SET revoked_at = " now " WHERE (day, hash) IN"           \
	" (SELECT day, hash FROM access_token WHERE " which " AND revoked_at IS NULL" \
	" ORDER BY day, hash FOR UPDATE)"

/* The refresh tokens that `which` is true of, held until the end. */
#define DB_HOLD_REFRESH(which) \
	"SELECT handle FROM refresh_token WHERE " which " ORDER BY handle FOR UPDATE"

struct db_dated;
MUST_USE bool db_token_place(const struct db_token_new *token, struct db_dated *out,
			     struct err *err);

#endif
