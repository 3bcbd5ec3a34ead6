/*
 * Clients that ask again and again until a person has answered: devices (RFC 8628), whose person
 * types a code, and those that say whom they mean (OpenID Connect CIBA).  One row for two names,
 * both stored as hashes: the client's code, and what the person's side finds it by.  What the
 * person agrees to is a grant under the client's code (db/grant.h), redeemed once.
 */
#ifndef KONTOR_DB_POLLED_H
#define KONTOR_DB_POLLED_H

#include "db/grant.h"
#include "db/outbox.h"
#include "db/seen.h"

/* Names are in rows: never rename. */
#define DB_POLLED_DEVICE "device"
#define DB_POLLED_CIBA   "ciba"

struct db_polled {
	const char *kind;
	struct bytes handle; /* 32 octets: the person's side */
	const char *party, *scope;
	const struct subject_id *acting; /* the one who may answer; NULL: who has the handle */
	const char *acr;                 /* levels asked for, separated by spaces; NULL: unsaid */
	struct bytes sealed;             /* what the person is to read; n 0: nothing */
	const char *resources;           /* asked for, separated by spaces; NULL: unsaid */
	struct bytes details;            /* authorization details, sealed; n 0: none */
	time_t created, expires;         /* created: set when read */
};

/* The handle of a code that a person types. */
struct bytes db_polled_typed(struct arena *a, const char *user_code);

/*
 * A device.  code: db_dated_create(a, polled->expires).  *created is false when somebody has this
 * handle now.  Lazy: what is lost in a crash was agreed to by nobody.
 */
MUST_USE bool db_polled_create(const struct db_call *c, const char *code,
			       const struct db_polled *polled, int64_t pause_s, time_t now,
			       bool *created, struct err *err);

/* How much one account may be asked; each counts what waits, or was asked in the hour before. */
struct db_polled_limits {
	int64_t waiting, waiting_of_party, hourly_of_party;
};

enum db_polled_asked {
	DB_POLLED_NOBODY = 0, /* no account that is active and agrees to the party */
	DB_POLLED_TOO_MUCH,   /* of one of the limits */
	DB_POLLED_REPEATED,   /* its mark was there */
	DB_POLLED_ASKED,
};

/* What goes with one for an account. */
struct db_polled_more {
	/* The content of the outbox item that tells the client once it is answered
	 * (DB_POLLED_PING); NULL: it is not told. */
	const char *ping;
	int64_t pause_s;
	const struct db_outbox_item *mail; /* tells the person; NULL: nothing does */
	const struct db_mark *mark;        /* of a request that counts once; NULL: none */
};

/*
 * One for an account (polled->acting), and what goes with it and its audit row, durably and within
 * the limits, whoever else asks at once.  Not ASKED: nothing is stored, and the mark not used up.
 */
#define DB_POLLED_PING "ciba-ping"
MUST_USE bool db_polled_ask(const struct db_call *c, const char *code,
			    const struct db_polled *polled, const struct db_polled_more *more,
			    const struct db_polled_limits *limits, const struct db_audit *audit,
			    time_t now, enum db_polled_asked *out, struct err *err);

/*
 * What it would say now, of a mark nothing: before there is work to do for it.  Reads polled->party
 * and acting.
 */
MUST_USE bool db_polled_may_ask(const struct db_call *c, const struct db_polled *polled,
				const struct db_polled_limits *limits, time_t now,
				enum db_polled_asked *out, struct err *err);

/*
 * What waits for this account, of one party or (NULL) of all, hears no; in the transaction in which
 * the account is closed or the consent taken back, whose subject and sessions are locked.
 */
MUST_USE bool db_polled_deny_tx(struct db_tx *tx, struct subject_id acting, const char *party,
				time_t now, struct err *err);

/* One that nobody has answered yet, for this person (NULL: anybody's); *out is NULL: none. */
MUST_USE bool db_polled_find(const struct db_call *c, struct bytes handle, const char *kind,
			     const struct subject_id *acting, time_t now,
			     const struct db_polled **out, struct err *err);

/* All that wait for this person, oldest first. */
#define DB_POLLED_LIST_MAX 32
MUST_USE bool db_polled_list(const struct db_call *c, struct subject_id acting, time_t now,
			     const struct db_polled **out, size_t *n, struct err *err);

/*
 * The person says no, which counts once, with its audit row; *first is false: somebody answered
 * before, its time is over, or it is not for `acting` (NULL: nobody is known).  Durable.
 */
MUST_USE bool db_polled_deny(const struct db_call *c, struct bytes handle,
			     const struct subject_id *acting, const struct db_audit *audit,
			     time_t now, bool *first, struct err *err);

enum db_polled_said {
	DB_POLLED_TOO_LATE = 0, /* as when *first is false there */
	DB_POLLED_WITHDRAWN,    /* what it rests on was taken back: it waits still */
	DB_POLLED_SAID,
};

/*
 * grant->acting says yes: that, and the grant under the client's code, which nothing can come
 * between.  ERR_NOT_FOUND as db_grant_create: it waits still.  Durable.
 */
MUST_USE bool db_polled_agree(const struct db_call *c, struct bytes handle,
			      const struct db_grant *grant,
			      const struct db_participant *participant,
			      const struct db_audit *audit, time_t now, enum db_polled_said *out,
			      struct err *err);

enum db_polled_news {
	DB_POLLED_NO_NEWS = 0, /* nobody has answered yet */
	DB_POLLED_NEWS,
	DB_POLLED_NEWS_HAD, /* there is nothing left to ask for */
};

/* Is there something that the client can hear when it asks? */
MUST_USE bool db_polled_news(const struct db_call *c, struct bytes handle, enum db_polled_news *out,
			     struct err *err);

enum db_polled_state {
	DB_POLLED_UNKNOWN = 0, /* no such code of this kind for this party, or it is used */
	DB_POLLED_EXPIRED,
	DB_POLLED_DENIED,
	DB_POLLED_SOON, /* nothing new, and it asks too often: 5 s more between two questions */
	DB_POLLED_WAITING,
	DB_POLLED_AGREED, /* the grant is there: db_grant_take */
};

/* The client asks.  Lazy. */
MUST_USE bool db_polled_poll(const struct db_call *c, const char *code, const char *kind,
			     const char *party, time_t now, enum db_polled_state *out,
			     struct err *err);

/* How many wait for a person that was named. */
MUST_USE bool db_polled_count(const struct db_call *c, time_t now, int64_t *waiting,
			      struct err *err);

/* Remove at most `limit` rows that expired before `before`. */
MUST_USE bool db_polled_sweep(const struct db_call *c, time_t before, int64_t limit, time_t now,
			      int64_t *n, struct err *err);

#endif
