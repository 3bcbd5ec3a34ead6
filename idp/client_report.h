/*
 * What a client's record allows, in plain words, and what about it will give trouble: for
 * `kontor client check`.
 */
#ifndef KONTOR_IDP_CLIENT_REPORT_H
#define KONTOR_IDP_CLIENT_REPORT_H

#include "db/source.h"
#include "idp/party.h"

/* What is looked at; all of it borrowed. */
struct client_report {
	const struct parties *parties; /* of all, to find those that the record names */
	const struct party *p;         /* an OpenID Connect client, perhaps disabled */
	const struct db_source *keys;  /* of its jwks_uri; NULL: none */
};

/*
 * {"allows": {NAME: TEXT, ..}, "warnings": [{"member", "what", "clause"}, ..]}; clause is missing
 * where no text demands it.
 */
json_t *client_report_build(struct arena *a, const struct client_report *r);

#endif
