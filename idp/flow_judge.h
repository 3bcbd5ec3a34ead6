/*
 * The facts of a flow at this moment: its session, the level that counts, what
 * could be released, whether consent stands.  Reads the database, writes
 * nothing; deciding is idp/flow_state.c's.
 */
#ifndef KONTOR_IDP_FLOW_JUDGE_H
#define KONTOR_IDP_FLOW_JUDGE_H

#include "idp/flow.h"

/* Set f->state, and f->level, subject, held, offer, fingerprint, granted as far as they are known.
 */
MUST_USE bool flow_judge(struct flow *f, struct err *err);

/* What the flow, which is stored, has seen so far; an empty object at its beginning. */
json_t *flow_progress(struct flow *f);

/*
 * May this proof of its session be told as one that the flow's login rests on?  One of this flow
 * where it needs its own, young enough, and still worth what it was: a code whose time is over is
 * none, though it counts for lower levels on (TR-03160-1 4.3).
 */
bool flow_rests_on(struct flow *f, const struct db_proof *proof);

#endif
