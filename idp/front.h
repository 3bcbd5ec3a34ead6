/*
 * The two ways to ask and to answer.  A front turns a protocol's request into
 * an ask, and the outcome of the login into the protocol's answer; between the
 * two lies one flow (idp/flow.h).
 */
#ifndef KONTOR_IDP_FRONT_H
#define KONTOR_IDP_FRONT_H

#include "idp/flow_state.h"
#include "idp/party.h"
#include "idp/response.h"

struct flow;
struct front;

/* What a portal wants, in no dialect. */
struct ask {
	const struct front *front;
	const struct party *party; /* NULL: our own account pages */
	level_set levels;          /* that may be told; the party's floor is added by the flow */
	bool names_attributes;     /* else the party gets what it registered */
	struct wanted_list wanted; /* what it names; may be nothing */
	bool force;                /* ForceAuthn, prompt=login: a new proof in this flow */
	bool create;               /* prompt=create: begin with the page that makes an account */
	bool passive;              /* IsPassive, prompt=none: no page */
	bool consent_anew;         /* prompt=consent */
	bool offline;              /* what is agreed to outlives the session */
	int64_t max_age_s;         /* -1: any */
	const char *lang;          /* code of the language our pages should have; NULL: any */
	const char *service;       /* of the portal's, that this is for, in its words; NULL */
	const char *behind;        /* URIs, blanks between, of whom a member asks for; NULL */
	bool behind_private;       /* they are no public bodies (eidas:SPType) */
	const char *person;        /* pseudonym of the only one who may answer; NULL: anybody */
	bool known_only;           /* only who the party's sector has a pseudonym of already */
	const char *login_hint;    /* who the portal expects, sealed (idp/login.h); NULL */
	bool local_only;  /* with an account here alone, whoever else could say who it is */
	const char *home; /* id of the provider that the portal names (IDPList); NULL */
	json_t *access;   /* what else is agreed to (idp/access.h); NULL: nothing */
	json_t *state;    /* what the front needs to answer; its own members */

	/*
	 * A request that may be answered once (SAML ID, request_uri, jti): the value of the replay
	 * mark and when the message itself expires.  It is marked once there is something that it
	 * leads to.  replay NULL: none.
	 */
	const char *replay;
	time_t replay_expires;
};

struct front {
	const char *name; /* stored in flow rows */
	bool by_form;     /* a flow that shows pages ends by the consent's form, and no other way */

	/*
	 * FLOW_ANSWER in two steps: build fills rs (signs, writes nothing), record
	 * stores what it means (participation, code, audit) and the request's replay
	 * mark when the flow has left it to it.  Nothing is sent unless both succeed, or where
	 * record sets f->replayed or f->withdrawn.
	 */
	bool (*build)(struct flow *f, struct response *rs, struct err *err);
	bool (*record)(struct flow *f, struct err *err);

	/*
	 * The party gets an orderly no: FLOW_CANCELLED, FLOW_REFUSED, FLOW_UNREACHABLE,
	 * FLOW_PASSIVE_LOGIN, FLOW_OTHER_PERSON, FLOW_PASSIVE_CONSENT, FLOW_MISSING.
	 */
	bool (*refuse)(struct flow *f, enum flow_state why, struct response *rs, struct err *err);

	/* What a level is called in the answer; NULL: the party has no word for it. */
	const char *(*level_word)(struct arena *a, const struct ask *ask, enum level told);

	/* Origins the browser may be sent to from a page of this flow (CSP form-action); NULL. */
	const char *(*origins)(struct arena *a, const struct ask *ask);
};

extern const struct front *const fronts[]; /* ends with NULL */
const struct front *front_find(const char *name);

#endif
