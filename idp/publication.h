/*
 * A federation's administration (docs/decisions/0031): what it publishes of its members, signed
 * with its own key, as one document and as one for each member.  Another set of endpoints of the
 * same program, switched on by `federation_name`.
 */
#ifndef KONTOR_IDP_PUBLICATION_H
#define KONTOR_IDP_PUBLICATION_H

#include "db/publication.h"
#include "idp/account.h"
#include "idp/app.h"

#define PUBLICATION_PATH          "/federation/metadata"
#define PUBLICATION_ENTITIES_PATH "/federation/entities"
#define PUBLICATION_CHANGES_PATH  "/federation/changes"

#define PUBLICATION_TYPE          "application/samlmetadata+xml"
#define PUBLICATION_CACHE         "public, max-age=300"

/* One member's document, and all of them, before they are compressed. */
#define PUBLICATION_MEMBER_BYTES ((size_t)1024 * 1024)
#define PUBLICATION_BYTES        ((size_t)64 * 1024 * 1024)

/*
 * Build, sign and store what is to be published now, whether or not anything changed.  w: with a
 * signer and the keyring; its arena takes some three times the whole.  ERR_UNAVAILABLE: no active
 * federation-sign key, no signer; ERR_CONFLICT: another node was faster; ERR_DENIED: it would not
 * be read by those who follow, and what was published before counts on.
 */
MUST_USE bool publication_make(const struct account_work *w, const struct config *conf,
			       const char *by, struct db_publication *out, struct err *err);

/* The job of a node: when something changed, or the time has come. */
MUST_USE bool publication_keep(struct app *app, const struct db_call *c, time_t now,
			       struct err *err);

/* What was published last, among the snapshot's documents. */
MUST_USE bool publication_load(const struct db_call *c, const struct config *conf,
			       struct snapshot *snap, struct err *err);

/* GET PUBLICATION_ENTITIES_PATH/%7Bsha1%7D… (draft-young-md-query 2), …CHANGES_PATH?since=N */
MUST_USE bool ep_entity(struct request *rq, struct response *rs, struct err *err);
MUST_USE bool ep_changes(struct request *rq, struct response *rs, struct err *err);

#endif
