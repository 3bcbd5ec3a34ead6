/*
 * Single logouts: who in an ended session is told of its end and how, and what became of it.
 * Written in the transaction that ends the session (db_session_end).  The browser that
 * logs out finds its logout by a text that is stored as a hash only.
 */
#ifndef KONTOR_DB_LOGOUT_H
#define KONTOR_DB_LOGOUT_H

#include "db/outbox.h"
#include "db/session.h"

enum db_channel {
	DB_CHANNEL_NONE,   /* it cannot be told */
	DB_CHANNEL_OUTBOX, /* we tell it, whatever the browser does */
	DB_CHANNEL_FRONT,  /* the browser takes it there, and brings the answer */
	DB_CHANNEL_FRAME,  /* a page of ours has it in a frame; there is no answer */
};

/* One party, by one name it knows the person by. */
struct db_told {
	const char *party;
	enum db_channel channel;
	const char *kind;    /* of the outbox; NULL for other channels */
	const char *content; /* what telling it takes; not empty */
};

/* What is to happen when a session ends. */
struct db_telling {
	/*
	 * Whom to tell, of those who took part; *out in `a`.  Called once, within the
	 * transaction: it must not use the database.
	 */
	void (*plan)(void *ctx, struct arena *a, const struct db_participant *list, size_t n,
		     const struct db_told **out, size_t *n_out);
	void *ctx;
	time_t until;       /* the outbox tries no longer */
	const char *handle; /* db_dated_create(a, handle_expires); NULL: nobody will ask */
	const char *back;   /* for the page; not NULL with a handle */
	time_t handle_expires;
};

/* Between session.c and logout.c. */
MUST_USE bool db_logout_add_tx(struct db_tx *tx, struct arena *a, const struct db_telling *telling,
			       const struct db_participant *list, size_t n, time_t now,
			       struct err *err);

enum db_told_state {
	DB_TOLD_WAITING,   /* its turn has not come, or the outbox is at its first try */
	DB_TOLD_SENT,      /* the browser was sent there and has not come back */
	DB_TOLD_CONFIRMED, /* says so, signed */
	DB_TOLD_CLAIMED,   /* says so, and nothing proves that it was the party */
	DB_TOLD_RETRYING,  /* has not done it so far; the outbox goes on */
	DB_TOLD_FAILED,    /* cannot be told, or does not do it */
};

struct db_told_row {
	const char *party;
	enum db_channel channel;
	enum db_told_state state; /* of DB_CHANNEL_FRAME always DB_TOLD_CLAIMED */
	const char *content;      /* of DB_CHANNEL_FRONT and _FRAME, else "" */
};

struct db_logout {
	const char *back;
	const struct db_told_row *rows; /* by party */
	size_t n;
};

/* *out is NULL: unknown, or over. */
MUST_USE bool db_logout_load(const struct db_call *c, const char *handle, time_t now,
			     const struct db_logout **out, struct err *err);

/* Where the browser has to go next. */
struct db_logout_step {
	const char *party, *content;
	const char *request; /* the id its LogoutRequest must have: an xs:ID, fresh */
};

/* From now on it counts as sent; each is once.  *out is NULL: there is none.  Durable. */
MUST_USE bool db_logout_next(const struct db_call *c, const char *handle, time_t now,
			     const struct db_logout_step **out, struct err *err);

/*
 * The answer of `party` to a request that the browser took there; each is taken once.
 * *taken is false: it answers nothing that is open.  Durable.
 */
MUST_USE bool db_logout_answer(const struct db_call *c, const char *party, const char *request,
			       enum db_told_state state, bool *taken, struct err *err);

#endif
