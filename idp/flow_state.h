/*
 * The protocol-neutral state table of a login: which step comes next is a pure
 * function of facts, so any node, another tab or a restart reaches the same
 * one.  No state is kept that the facts do not give; a form is accepted only in
 * the state whose page shows it.
 */
#ifndef KONTOR_IDP_FLOW_STATE_H
#define KONTOR_IDP_FLOW_STATE_H

#include "idp/level.h"

enum flow_state {
	FLOW_EXPIRED,         /* an hour at the page: one click starts again */
	FLOW_PARTY_GONE,      /* the portal was switched off meanwhile */
	FLOW_CANCELLED,       /* the person said no at login */
	FLOW_REFUSED,         /* the person said no at consent */
	FLOW_UNREACHABLE,     /* no means here reaches the level asked */
	FLOW_PASSIVE_LOGIN,   /* a page would be needed, but the portal forbade it */
	FLOW_LOGIN,           /* show the login page */
	FLOW_STEP_UP,         /* logged in, but below the level asked */
	FLOW_OTHER_PERSON,    /* logged in, and not the one the portal asks for */
	FLOW_MISSING,         /* a required attribute cannot be given */
	FLOW_PASSIVE_CONSENT, /* consent would be needed, but the portal forbade pages */
	FLOW_CONSENT,         /* show the consent page */
	FLOW_ANSWER,          /* everything there: assertion or code */
	FLOW_STATE_COUNT,
};

/* What the person, or a method, did on a page. */
enum flow_event {
	FLOW_EVENT_LOGIN,   /* name and password came in */
	FLOW_EVENT_STEP_UP, /* a second means came in */
	FLOW_EVENT_HOME,    /* another provider was chosen */
	FLOW_EVENT_CONSENT,
	FLOW_EVENT_CANCEL,
	FLOW_EVENT_RESTART,
	FLOW_EVENT_COUNT,
};

struct flow_facts {
	bool expired;
	bool party_enabled;
	bool passive;        /* IsPassive, prompt=none */
	bool session_usable; /* there is one, of this party's group, its account active, and it
			      * satisfies ForceAuthn, prompt=login and max_age */
	/* Another provider was asked and says: */
	bool home_cancelled;  /* the person did not log in there */
	bool home_refused;    /* or did not agree that we are told */
	bool home_below;      /* or cannot reach the level there */
	enum level session;   /* the level that session still has now */
	enum level wanted;    /* the least level asked, the party's own floor included */
	enum level reachable; /* the highest this provider's login methods can reach */
	/* Known only with a session that reaches the level: */
	bool other_person; /* than the one asked for */
	bool required_missing;
	bool consent_needed;
};

/* The first row of the table whose guard holds.  All-zero facts are FLOW_PARTY_GONE: refused. */
enum flow_state flow_state_of(const struct flow_facts *facts);

/* May this event be acted on in this state?  Pairs the table does not list are refused. */
bool flow_event_allowed(enum flow_state state, enum flow_event event);

/* Static names, for audit and docs/flow.svg. */
const char *flow_state_name(enum flow_state state);
const char *flow_event_name(enum flow_event event);

#endif
