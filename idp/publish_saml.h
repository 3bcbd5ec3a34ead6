/*
 * Our SAML metadata: the general view, and what single parties are shown instead.
 * A party may be answered by a key of another type than most, be told other
 * NameIDs, sign in ways that are for old parties: at an address of its own it
 * reads what is true for it.  Parties of one kind share one document.
 */
#ifndef KONTOR_IDP_PUBLISH_SAML_H
#define KONTOR_IDP_PUBLISH_SAML_H

#include "idp/app.h"

#define METADATA_PATH "/saml/metadata"

/* Where a party reads our metadata: METADATA_PATH and the beginning of its entityID's SHA-256. */
const char *publish_party_path(struct arena *a, const char *entity_id);

/*
 * Add all views to the snapshot, whose keyring and parties are loaded.  Without a
 * key to sign with, none.  When that key is out of reach, those of before stay and
 * the snapshot is stale.
 */
MUST_USE bool publish_saml(struct app *app, struct snapshot *snap, time_t now, struct err *err);

#endif
