/*
 * Somebody who comes with an account of another provider: whom one may choose from, what is asked
 * of it, what its answer means for this login.  The identity passes through: it lies sealed in
 * the flow's row until the portal is answered, and makes no account and no session here
 * (docs/decisions/0030).
 */
#ifndef KONTOR_IDP_HOME_H
#define KONTOR_IDP_HOME_H

#include "idp/flow.h"
#include "idp/upstream.h"

#define SAML_ACS_PATH "/saml/acs"

/* Who came back. */
struct home {
	const struct upstream *from;
	enum saml_outcome outcome;
	/* With SAML_OUTCOME_LOGIN only: */
	enum level level;
	time_t at;            /* of the login there */
	const char *identity; /* the provider's own name for the person */
	const char *proved_by;
	const char **authorities; /* who asserted it before: the last one first */
	size_t n_authorities;
	struct held_list held;
	/* As the flow knows people; neither is stored. */
	struct db_subject subject;
	struct db_session session;
	struct db_proof proof;
};

/*
 * Whom people may come from: one that was registered by hand, by its id; else the member of a
 * federation with this entityID, as it counts now, whose text alone is read.  Who was registered
 * by hand goes before the member that it is, even while it is switched off.  Lives in rq->a.
 * Errors are federation_find's; ERR_DENIED "home_off": switched off.
 */
MUST_USE bool home_upstream_find(const struct request *rq, const char *id,
				 const struct upstream **out, struct err *err);
/* The same by entityID alone. */
MUST_USE bool home_upstream_of_entity(const struct request *rq, const char *entity_id,
				      const struct upstream **out, struct err *err);

/* A failure to find a provider that says no, now; else it may be had another time. */
static inline bool
home_is_refused(const struct err *why)
{
	return why->kind == ERR_NOT_FOUND || why->kind == ERR_DENIED;
}

/* May people come from elsewhere for this ask, if there is anybody to come from? */
bool home_offered(const struct request *rq, const struct ask *ask);

/* May they come from there?  Also by the level that is wanted. */
bool home_fits(const struct request *rq, const struct ask *ask, const struct upstream *from);

/* The highest level that those of them could tell; LEVEL_NONE: none is offered. */
enum level home_reach(const struct request *rq, const struct ask *ask);

/* Ask it: rs leads the browser there. */
MUST_USE bool home_send(struct flow *f, const struct upstream *from, struct response *rs,
			struct err *err);

/*
 * Who came back in this browser, in f->home, f->session and f->subject; nothing of them when
 * nobody did, in this browser.
 */
MUST_USE bool home_load(struct flow *f, struct err *err);

/* The flow is over: the cookie goes with it. */
void home_forget(const struct flow *f, struct response *rs);

/*
 * What the portal's sector knows this person by: of an account here account_pseudonym, of another
 * provider's the same of (provider, its name for the person), behind the kind's prefix.
 */
MUST_USE bool home_pseudonym(struct flow *f, const char *sector, const char *kept, const char **out,
			     struct err *err);

/* For the audit trail and for keys: whose account here it is; NULL: of none. */
const struct subject_id *home_subject(const struct flow *f);

/* The handler of SAML_ACS_PATH (idp/route.c). */
bool ep_saml_acs(struct request *rq, struct response *rs, struct err *err);

#endif
