/*
 * Logins for members of federations: of them nothing is kept.  Who has proven himself is known to
 * the flow's row alone, in the browser that did so; no session is made, and none that is there is
 * used (TR-03160-1 4.3; docs/decisions/0034).
 */
#ifndef KONTOR_IDP_FLOW_MEMBER_H
#define KONTOR_IDP_FLOW_MEMBER_H

#include "idp/flow.h"
#include "idp/home.h"
#include "idp/party_member.h"

/* Nobody's session, consent or pseudonym is kept: of an account elsewhere, or for a member. */
static inline bool
flow_is_passing(const struct flow *f)
{
	return f->home != NULL || party_is_member(f->ask.party);
}

/* Whom audit rows name that tell what a party got; NULL: nobody. */
static inline const struct subject_id *
flow_audited(const struct flow *f)
{
	return flow_is_passing(f) ? NULL : home_subject(f);
}

/* f->session is who proved himself in this flow, in this browser; NULL: nobody yet. */
void flow_member_load(struct flow *f);

/* The flow's own part of flow_proved. */
MUST_USE bool flow_member_proved(struct flow *f, struct subject_id subject,
				 const struct db_proof *proof, struct response *rs,
				 struct err *err);

/* Count what became of a member's request ("request": it was refused at once); no more than that.
 */
void flow_member_count(struct request *rq, const struct party *p, const char *outcome,
		       enum level told);

/* The flow is over: the cookie goes with it. */
void flow_member_forget(const struct flow *f, struct response *rs);

/* What the party's sector knows the person by; for a member computed each time, and not kept. */
MUST_USE bool flow_pseudonym(struct flow *f, const char **out, struct err *err);

#endif
