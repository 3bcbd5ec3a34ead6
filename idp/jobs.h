/*
 * What happens without a request: a new snapshot when something changed, clean-up
 * by the clock.  One thread; every node runs it, and each job is harmless when
 * several do it at once.
 */
#ifndef KONTOR_IDP_JOBS_H
#define KONTOR_IDP_JOBS_H

#include "idp/app.h"

struct jobs;

/*
 * Begin; the first snapshot is built at once.  *out lives as long as `a`, so that
 * jobs_changed may still be called after jobs_stop.  ERR_UNAVAILABLE: no thread.
 */
MUST_USE bool jobs_start(struct arena *a, struct app *app, struct jobs **out, struct err *err);

/* Let what runs end, then stop. */
void jobs_stop(struct jobs *j);

/* Something that snapshots hold has changed: build a new one soon.  Any thread; never waits. */
void jobs_changed(struct jobs *j);

#endif
