/*
 * A login on its way from a party's request to its answer, stored so that any
 * node, another tab or a restart can go on.  Its id is in the URL; only the
 * browser that holds the binding cookie may use it.  States and what `ask` and
 * `progress` hold are idp/flow.c's business.
 */
#ifndef KONTOR_DB_FLOW_H
#define KONTOR_DB_FLOW_H

#include "db/audit.h"

struct db_flow {
	const char *id;    /* db_dated_create(a, expires) */
	const char *party; /* "" for a login to one's own account */
	const char *front; /* "saml", "oidc", "account" */
	struct bytes ask;  /* what the party wants; fixed */
	const char *state;
	int64_t version;                               /* counts the changes; 1 at first */
	struct bytes progress;                         /* what is known by now; n may be 0 */
	const struct subject_id *acting, *represented; /* NULL: not known yet */
	const char *sid; /* of the session it runs in; NULL: none yet */
	time_t created, expires;
	/* Of a login at another provider (idp/home.c): what it was asked, until it has answered,
	 * and what it answered.  n 0: nothing.  Set by the functions below alone. */
	struct bytes away, home;
};

/* `browser` is the binding cookie's value.  version and created are set here.  Lazy. */
MUST_USE bool db_flow_create(const struct db_call *c, const struct db_flow *flow,
			     const char *browser, time_t now, struct err *err);

/* *out is NULL: no such flow, another browser's, or expired. */
MUST_USE bool db_flow_load(const struct db_call *c, const char *id, const char *browser, time_t now,
			   const struct db_flow **out, struct err *err);

/*
 * Store state, progress, acting, represented and sid of `flow` if nobody
 * changed it since it was loaded (its version); on success flow->version is the
 * new one.  ERR_CONFLICT: somebody did, or it is gone; load it again.  Lazy.
 */
MUST_USE bool db_flow_save(const struct db_call *c, struct db_flow *flow, time_t now,
			   struct err *err);

/*
 * Note what another provider is asked, in place of whatever was asked or answered before.  As
 * db_flow_save, by the version.  Lazy.
 */
MUST_USE bool db_flow_send(const struct db_call *c, struct db_flow *flow, struct bytes away,
			   time_t now, struct err *err);

/*
 * A flow that waits for an answer, by its id alone: what is brought there is believed for what it
 * says itself, and counts in the browser that brought it.  *out is NULL when none waits.
 */
MUST_USE bool db_flow_waiting(const struct db_call *c, const char *id, time_t now,
			      const struct db_flow **out, struct err *err);

struct db_mark; /* db/seen.h */

/* An answer: to what was asked, from a provider that is a row, or a member of a federation. */
struct db_flow_answer {
	struct bytes away, home;
	const char *upstream;       /* id of the row, or with source the member's entityID */
	const char *source;         /* NULL: it is a row */
	const struct db_mark *mark; /* of the assertion; never NULL */
};

/*
 * Store it, once, with the mark and its audit row, in one durable statement.  *stored is false
 * when the flow does not wait for it any more, the mark was there, or the provider's row is gone
 * or disabled, or the member suspended.  Errors as db_mark_check.
 */
MUST_USE bool db_flow_answered(const struct db_call *c, const char *id,
			       const struct db_flow_answer *answer, const struct db_audit *audit,
			       time_t now, bool *stored, struct err *err);

/*
 * Take it away to answer the party: one durable statement, so that a flow is
 * answered once.  *out is NULL when another request was first, or as in load.
 */
MUST_USE bool db_flow_take(const struct db_call *c, const char *id, const char *browser, time_t now,
			   const struct db_flow **out, struct err *err);

#endif
