/*
 * From the database to a snapshot: keys, parties, and the documents made from
 * them.  Built aside and whole; a failure keeps the snapshot there is.
 */
#ifndef KONTOR_IDP_RELOAD_H
#define KONTOR_IDP_RELOAD_H

#include "idp/app.h"

/* Read everything, give the signer its keys, publish the new snapshot. */
MUST_USE bool app_reload(struct app *app, time_t now, struct err *err);

/*
 * The part of it that reads the types of authorization details.  One that does not parse is logged
 * and left out: what has no type is refused.
 */
MUST_USE bool reload_details(const struct db_call *c, struct snapshot *snap, struct err *err);

/* Other identity providers; one that does not parse is left out, and the log says so. */
MUST_USE bool reload_upstreams(const struct db_call *c, struct snapshot *snap, struct err *err);

#endif
