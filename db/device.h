/*
 * Devices that wait for a person at a browser (RFC 8628): two codes for one row, both stored as
 * hashes.  What the person agrees to is a grant under the device's code (db/grant.h), so that it
 * is redeemed as any other code is, once.
 */
#ifndef KONTOR_DB_DEVICE_H
#define KONTOR_DB_DEVICE_H

#include "db/grant.h"

struct db_device {
	const char *party, *scope;
	time_t expires;
};

/* The name that the row of a person's code goes by. */
struct bytes db_device_user(struct arena *a, const char *user_code);

/*
 * code: db_dated_create(a, device->expires).  *created is false when somebody has this
 * user_code now.  Lazy: what is lost in a crash was agreed to by nobody.
 */
MUST_USE bool db_device_create(const struct db_call *c, const char *code, struct bytes user,
			       const struct db_device *device, int64_t pause_s, time_t now,
			       bool *created, struct err *err);

/* One that nobody has answered yet; *out is NULL: there is none. */
MUST_USE bool db_device_find(const struct db_call *c, struct bytes user, time_t now,
			     const struct db_device **out, struct err *err);

/*
 * The person's word, which counts once; *first is false: somebody answered before, or its time is
 * over.  *code is then where the grant has to be (db_grant_create_at).  Durable.
 */
MUST_USE bool db_device_answer(const struct db_call *c, struct bytes user, bool agreed, time_t now,
			       bool *first, struct db_dated *code, struct err *err);

/* The yes that was said comes to nothing, unless its grant is there: the device hears no. */
MUST_USE bool db_device_take_back(const struct db_call *c, struct bytes user, struct err *err);

enum db_device_state {
	DB_DEVICE_UNKNOWN = 0, /* no such code for this party */
	DB_DEVICE_EXPIRED,
	DB_DEVICE_DENIED,
	DB_DEVICE_SOON,    /* nothing new, and it asks too often: 5 s more between two questions */
	DB_DEVICE_WAITING, /* also while the grant is not there yet */
	DB_DEVICE_AGREED,  /* the grant is there: db_grant_take */
};

/* The device asks.  Lazy. */
MUST_USE bool db_device_ask(const struct db_call *c, const char *code, const char *party,
			    time_t now, enum db_device_state *out, struct err *err);

/* Remove at most `limit` rows that expired before `before`. */
MUST_USE bool db_device_sweep(const struct db_call *c, time_t before, int64_t limit, time_t now,
			      int64_t *n, struct err *err);

#endif
