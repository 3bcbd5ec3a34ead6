/*
 * Our artifacts: a message is kept sealed under one until its party resolves it,
 * and is gone then.  Neither row nor backup shows the message or the artifact.
 */
#ifndef KONTOR_IDP_ARTIFACT_H
#define KONTOR_IDP_ARTIFACT_H

#include "db/artifact.h"
#include "idp/account.h"
#include "idp/party.h"
#include "idp/request.h"
#include "saml/binding.h"

#define ARTIFACT_LIVES_S 60

struct artifact {
	const char *text;    /* what the browser carries */
	struct bytes handle; /* the random part of it */
};

/* A new one, of nothing yet. */
void artifact_make(struct request *rq, struct artifact *out);

/*
 * What `carrier` left to be kept, as the row that this party may take for a minute: under the key
 * of whom it tells of (NULL: nobody).
 */
MUST_USE bool artifact_keep(struct request *rq, const struct artifact *artifact,
			    const struct saml_carrier *carrier, const struct party *p,
			    const struct account_lock *of, struct db_artifact *out,
			    struct err *err);

/*
 * The message that this party may have for `text`, and the prefixes it is signed with; once.
 * *message is empty when there is none for it: the log says why, the audit trail, too, where it
 * is an artifact of ours.
 */
MUST_USE bool artifact_resolve(struct request *rq, const struct party *p, const char *text,
			       struct bytes *message, const char **prefixes, struct err *err);

#endif
