/*
 * One login, from what a portal asks to what it gets.  Which step comes next
 * is decided by idp/flow_state.c from facts gathered here; a flow is stored only
 * when a page has to be shown, and it goes on at any node.
 */
#ifndef KONTOR_IDP_FLOW_H
#define KONTOR_IDP_FLOW_H

#include "db/flow.h"
#include "db/holding.h"
#include "idp/account.h"
#include "idp/front.h"
#include "idp/session.h"

/* A page older than this starts again with one click; the row is kept for a day. */
#define FLOW_GOES_ON_S 3600
#define FLOW_KEPT_S    86400

/* Where a browser goes whose request had been used before, with "party" and "request". */
#define FLOW_AGAIN "/flow/again"

/* Among the names of what was agreed to: also without a login. */
#define CONSENT_OFFLINE "offline_access"

struct login_method; /* idp/login.h */
struct home;         /* idp/home.h */

struct flow {
	struct request *rq;
	struct ask ask;
	struct db_flow *row; /* NULL: not stored */
	const char *browser; /* the binding secret; NULL: not stored */
	enum flow_state state;
	const struct login_method *only; /* of a client without a browser: the one means it has */
	const struct home *home;         /* who came back from another provider; NULL: nobody did */
	bool home_failed;                /* somebody did, and something went wrong there */
	const struct db_session *session; /* usable or not; NULL: none.  Of `home`: of this flow
					   * alone, and stored nowhere */
	enum level level; /* what counts for this ask (proofs of this flow when forced) */
	const struct db_subject *subject; /* of the session; NULL: none that is active */
	struct db_holding holding;        /* what is stored of it; set when level is not NONE */
	struct held_list held;            /* its attributes, opened */
	struct release offer;             /* what could go out */
	struct release granted;           /* what may go out: set in FLOW_ANSWER */
	const char *fingerprint;          /* of the offer */
	const struct db_consent *consent; /* what `granted` rests on; NULL: none */
	void *built;                      /* what the front's build hands to its record */

	/*
	 * The request's replay mark that the front's record has to leave with its answer
	 * (NULL: it was left before), whether record found it there already, and whether it found
	 * that the consent does not stand any more.
	 */
	const struct db_mark *mark;
	bool replayed, withdrawn;
};

/*
 * The level the party (there is one) is told: that of this login, never above the request's or
 * the party's cap.
 */
enum level flow_told_level(const struct flow *f);

/* The level that counts: what was asked or the party's floor, whichever is higher. */
enum level flow_wanted_level(const struct ask *ask);

/*
 * Begin with what a front read from a request.  With a session that is good
 * enough, stored consent, or an orderly no, rs is the answer; else the flow is
 * stored and rs leads to its page.  `browser_sends_cookies` is false for
 * cross-site POST: then the session is read only on the flow's own page.
 * The request is used once the flow is stored or its answer is built: what led to nothing may
 * come again.  ERR_CONFLICT: the request was used before.
 */
MUST_USE bool flow_start(struct request *rq, const struct ask *ask, bool browser_sends_cookies,
			 struct response *rs, struct err *err);

/* The mark of a request that is answered once. */
const struct db_mark *flow_mark(struct arena *a, const struct party *p, const char *replay,
				time_t expires);

/*
 * The request that `replay` names was used before: rs leads to the flow of this browser that it
 * began (after a POST by way of FLOW_AGAIN, which sees the cookies), or is a page that says that
 * there is none any more.  p NULL: of nobody.
 */
MUST_USE bool flow_come_again(struct request *rq, const struct party *p, const char *replay,
			      struct response *rs, struct err *err);

/* As flow_start for our own pages: a flow that has to be stored leads to `route` and its id. */
MUST_USE bool flow_start_at(struct request *rq, const struct ask *ask, const char *route,
			    struct response *rs, struct err *err);

/*
 * The stored flow that path_tail names, bound to this browser, with its state.
 * *out is NULL, and rs a page that says so, when there is none any more.
 */
MUST_USE bool flow_load(struct request *rq, struct response *rs, struct flow **out,
			struct err *err);

/* Show the page of its state, or answer. */
MUST_USE bool flow_show(struct flow *f, struct response *rs, struct err *err);

/* A form of event `e` came in.  False: not in this state; rs leads to where the flow really is. */
MUST_USE bool flow_take_event(struct flow *f, enum flow_event e, struct response *rs);

/* rs leads to the flow's own page.  Always true. */
bool flow_lead_on(const struct flow *f, struct response *rs);

/* Store what the flow has seen; another tab that was faster is no failure. */
MUST_USE bool flow_keep(struct flow *f, const json_t *progress, struct err *err);

/* A method proved `subject`: session, progress of the flow, and rs leads on. */
MUST_USE bool flow_proved(struct flow *f, struct subject_id subject, enum level level,
			  const char *method, struct response *rs, struct err *err);

/* The person agreed to these names (optional attributes); rs is the answer. */
MUST_USE bool flow_consented(struct flow *f, const char *const *names, size_t n,
			     struct response *rs, struct err *err);

/* The person said no, or leaves the page that says that something required is missing. */
MUST_USE bool flow_cancelled(struct flow *f, struct response *rs, struct err *err);

/*
 * The same for a client without a browser: nothing can be asked of anybody, so nothing is stored,
 * and it is answered within this request.  `by` is the one means it has; its state says what is
 * so before that was used.
 */
MUST_USE bool flow_of_client(struct request *rq, const struct ask *ask,
			     const struct login_method *by, struct flow **out, struct err *err);

/* It proved `subject`: rs is the answer, an orderly no where a page would be needed. */
MUST_USE bool flow_client_proved(struct flow *f, struct subject_id subject, enum level level,
				 struct response *rs, struct err *err);

/* The answer of the state it is in.  ERR_CONFLICT: the request was used before. */
MUST_USE bool flow_client_answer(struct flow *f, struct response *rs, struct err *err);

/* Start again with the same ask, after an hour at the page. */
MUST_USE bool flow_restart(struct flow *f, struct response *rs, struct err *err);

/* Members every page of a flow shows: portal, level, action, token, cancel. */
json_t *flow_vars(struct flow *f, const char *form_route, struct response *rs);

/* Path of a form or of the flow's own page: "/flow/password/" and the id. */
const char *flow_path(const struct flow *f, const char *route);

#endif
