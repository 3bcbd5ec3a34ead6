/*
 * Other identity providers, registered by hand: their metadata and the policy that is ours.  Every
 * change is notified as one of the parties is, so that nodes load them again.  Of an OpenID
 * Provider the issuer is registered, and what it says of itself is fetched again and again.
 */
#ifndef KONTOR_DB_UPSTREAM_H
#define KONTOR_DB_UPSTREAM_H

#include "db/audit.h"

struct db_upstream {
	const char *id;   /* a short word, which pseudonyms of its people keep for ever */
	const char *kind; /* idp/upstream.c has the table */
	const char *display_name;
	struct bytes document; /* its metadata; n 0 with an issuer */
	const char *issuer;    /* of an OpenID Provider; NULL: it is none */
	const char *policy;    /* a JSON object as text */
	bool enabled;
	time_t changed;
	/* As fetched last: its discovery document and its keys; n 0: never.  Not saved. */
	struct bytes discovery, keys;
	time_t fetched;      /* when that went well; 0: never */
	const char *trouble; /* why it did not since; NULL: it did */
};

/*
 * Insert or replace; changed is `now`.  With an issuer it is due to be fetched at once; what was
 * fetched from another one goes.  Durable.
 */
MUST_USE bool db_upstream_save(const struct db_call *c, const struct db_upstream *upstream,
			       const struct db_audit *audit, time_t now, struct err *err);

/* All of them, disabled ones too, by id. */
MUST_USE bool db_upstream_list(const struct db_call *c, const struct db_upstream **out, size_t *n,
			       struct err *err);

/* ERR_NOT_FOUND: there is none.  Durable. */
MUST_USE bool db_upstream_set_enabled(const struct db_call *c, const char *id, bool enabled,
				      const struct db_audit *audit, time_t now, struct err *err);
MUST_USE bool db_upstream_remove(const struct db_call *c, const char *id,
				 const struct db_audit *audit, time_t now, struct err *err);

/* ---- fetching ---- */

struct db_upstream_taken {
	const char *upstream, *issuer;
	struct bytes discovery, keys; /* as they count now; n 0: none */
	int64_t due, tries;
};

/* One enabled that is due and that no node is at: ours until now + lease_s.  *out is NULL when
 * there is none.  Lazy. */
MUST_USE bool db_upstream_take(const struct db_call *c, int64_t lease_s, time_t now,
			       const struct db_upstream_taken **out, struct err *err);

/* These count from now on.  ERR_CONFLICT: it was taken again, or has another issuer.  Durable. */
MUST_USE bool db_upstream_fetched(const struct db_call *c, const struct db_upstream_taken *taken,
				  struct bytes discovery, struct bytes keys,
				  const struct db_audit *audit, time_t now, struct err *err);

/* How it ended (trouble NULL: well), and when it is due again.  Of one that was taken again since,
 * nothing is written.  Lazy. */
MUST_USE bool db_upstream_settle(const struct db_call *c, const struct db_upstream_taken *taken,
				 time_t due, const char *trouble, time_t now, struct err *err);

/* A key is asked for that is not there: let them be fetched now, unless that was so within the last
 * pause_s.  *did: it was not.  Lazy. */
MUST_USE bool db_upstream_miss(const struct db_call *c, const char *id, int64_t pause_s, time_t now,
			       bool *did, struct err *err);

#endif
