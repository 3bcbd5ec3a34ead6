/*
 * Members of federations, known by signed metadata alone (docs/decisions/0032).  Of each member a
 * node keeps what its own verification of the signed aggregate said: two digests, roles, an end.
 * The member's text is read from the database when it is asked for, and counts only if it has
 * that digest; who suspended it is read at the same time.  Any thread.
 */
#ifndef KONTOR_IDP_FEDERATION_H
#define KONTOR_IDP_FEDERATION_H

#include "db/db.h"
#include "idp/policy.h"
#include "saml/aggregate.h"
#include "saml/metadata.h"

struct app;
struct federation; /* of a process: app->federation; NULL: none (tests of other parts) */

/* What the operator laid down for a source, or for one of its members (idp/federation_rules.h). */
struct federation_policy {
	struct policy policy; /* as of a party of ours.  For members that we ask, too: level_cap,
				 attributes, suite, vocabulary, names */
	int64_t lifetime_s;   /* of answers, 60..120 */
	enum level attribute_level; /* of attributes that come without one; LEVEL_NONE: left out */
	enum level home_cap;        /* that it may tell of people; unsaid: substantial at most */
	bool scoped;                /* it speaks for subjects of its own scopes alone */
	const char **scopes;        /* those an operator named; n 0: those its metadata has */
	size_t n_scopes;
};

struct federation_member {
	const char *source;            /* the name of the federation's source */
	const struct saml_party *saml; /* of the role that was asked for */
	const struct federation_policy *policy;
	const char *const *scopes; /* what it may speak for, by its policy, without what another
				      member has as well; scoped and n 0: nothing */
	size_t n_scopes;
	const char *digest; /* SHA-256 of its text, hex */
	time_t valid_until; /* the earliest that counts; never 0 */
};

/*
 * A member by entityID, in one role (SAML_ROLE_IDP or SAML_ROLE_SP), as it counts at `now`.  All
 * lives in c->a.  Of several sources that have it those of the lowest rank decide, and none of a
 * higher one counts even while it does not there.
 * Errors, by kind and proto:
 *   ERR_NOT_FOUND   "member_unknown"    no source has it, or not in this role
 *   ERR_DENIED      "member_over"       its validUntil, or its copy's, has passed
 *   ERR_DENIED      "member_suspended"  an operator suspended it
 *   ERR_DENIED      "member_left_out"   a filter leaves it out; the text says which
 *   ERR_DENIED      "member_disputed"   two sources of one rank say it differently
 *   ERR_UNAVAILABLE "members_loading"   a source is not indexed yet: it may be there, try again
 *   ERR_INTERNAL    its row is missing or was changed; ERR_UNAVAILABLE: the database
 */
MUST_USE bool federation_find(struct app *app, const struct db_call *c, const char *entity_id,
			      enum saml_role role, time_t now, struct federation_member *out,
			      struct err *err);

/* An identity provider that people choose from. */
struct federation_choice {
	const char *entity_id, *source;
	const char *de, *en;  /* mdui:DisplayName, else OrganizationDisplayName, else the host */
	const char *keywords; /* mdui:Keywords of all languages, separated by spaces; "" */
	const char *origin;   /* "https://konto.land.example" of where it is asked */
	enum level home_cap;  /* as of its policy */
};

/*
 * All that count at `now` and are not hidden from discovery
 * (http://refeds.org/category/hide-from-discovery), by `de` then entityID.  They live until the
 * arena goes; nothing of the database is asked.  *complete is false while a source is not indexed
 * yet.
 */
void federation_choices(struct app *app, struct arena *a, time_t now,
			const struct federation_choice *const **out, size_t *n, bool *complete);

/* The highest level that any of those may tell of; LEVEL_NONE: there is none. */
enum level federation_reach(struct app *app, time_t now);

/* ---- of the process ---- */

/* It lives as long as `a`, and reads nothing by itself yet. */
struct federation *federation_create(struct arena *a, struct app *app);

/* The thread that reads copies.  ERR_UNAVAILABLE: there is none. */
MUST_USE bool federation_start(struct federation *f, struct err *err);
/* Let what is being read be, then stop. */
void federation_stop(struct federation *f);

/* Something about federations has changed: look soon.  Any thread; never waits. */
void federation_changed(struct federation *f);

/* Look at once, in the calling thread (tests, commands); waits for a look that goes on. */
MUST_USE bool federation_look(struct federation *f, struct err *err);

/* For /metrics. */
struct buf;
void federation_metrics(struct federation *f, struct buf *b, time_t now);

#endif
