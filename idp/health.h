/*
 * /health/live, /health/ready and /metrics.  Readiness is looked at by a thread
 * of its own once a second; the answers only read what it saw, so they stand
 * when everything else is stuck.
 */
#ifndef KONTOR_IDP_HEALTH_H
#define KONTOR_IDP_HEALTH_H

#include "idp/response.h"

struct health_watch;

/* Look now, then every second until stopped.  Lives in `a`.  ERR_UNAVAILABLE: no thread. */
MUST_USE bool health_watch_start(struct arena *a, struct app *app, struct health_watch **out,
				 struct err *err);
void health_watch_stop(struct health_watch *w); /* w may be NULL */

/* One look: database connected and clocks together, signer there, HSM ready where one is needed. */
void health_look(struct app *app);

MUST_USE bool health_live(struct request *rq, struct response *rs, struct err *err);
MUST_USE bool health_ready(struct request *rq, struct response *rs, struct err *err);
MUST_USE bool health_metrics(struct request *rq, struct response *rs, struct err *err);

#endif
