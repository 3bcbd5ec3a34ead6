/*
 * What a client's record allows, in plain words, and what about it will give trouble: for
 * `kontor client check`.
 */
#ifndef KONTOR_IDP_CLIENT_REPORT_H
#define KONTOR_IDP_CLIENT_REPORT_H

#include "db/source.h"
#include "idp/fetch.h"
#include "idp/party.h"

/* What is looked at; all of it borrowed. */
struct client_report {
	const struct parties *parties; /* of all, to find those that the record names */
	const struct party *p;         /* an OpenID Connect client, perhaps disabled */
	const struct db_source *keys;  /* of its jwks_uri; NULL: none */
	struct bytes fetched;          /* what came from there last; empty: nothing yet */
	const struct net_list *inside; /* outbound_inside */
	time_t now;
};

/*
 * {"allows": {NAME: TEXT, ..}, "warnings": [{"member", "what", "clause"}, ..]}; clause is missing
 * where no text demands it.
 */
json_t *client_report_build(struct arena *a, const struct client_report *r);

/* The URLs of a client's that we call ourselves, in the order of the table; text NULL: none. */
struct client_call {
	const char *member, *url;
};
#define CLIENT_CALLS 3
void client_report_calls(const struct oidc_client *c, struct client_call out[CLIENT_CALLS]);

#endif
