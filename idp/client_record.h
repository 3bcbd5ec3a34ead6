/*
 * The record of a client as it is stored and as its registrant is told of it, whoever
 * registers it: a command or the registration endpoint.
 */
#ifndef KONTOR_IDP_CLIENT_RECORD_H
#define KONTOR_IDP_CLIENT_RECORD_H

#include "idp/account.h"
#include "idp/fetch.h"
#include "idp/party.h"

struct client_record {
	const char *display_name; /* in; NULL: the client's own, else the stored one, else its id */
	const char *policy;       /* in; JSON */
	struct db_party row;      /* to be judged by party_parse and stored */
	json_t *told;             /* its metadata, and its secret if that is new (RFC 7591 3.2.1) */
};

/*
 * `stored` is the row there is, NULL: none.  Its secret stays unless `anew`, or unless another
 * kind of secret is needed.  The signer of w is asked only for client_secret_jwt.
 * ERR_UNAVAILABLE: it, or an active seal key, is not there.
 */
MUST_USE bool client_record_make(const struct account_work *w, const struct oidc_client *c,
				 const struct db_party *stored, bool anew,
				 struct client_record *record, struct err *err);

/*
 * Is this the secret that the client proves itself with?  ERR_INPUT, invalid_client_metadata: it
 * has another, or none.  The signer of w is asked only for client_secret_jwt.
 */
MUST_USE bool client_secret_check(const struct account_work *w, const struct oidc_client *c,
				  const char *secret, struct err *err);

/* By whom it is fetched: fetch_get, but for tests. */
typedef bool (*client_get_fn)(struct arena *a, const struct fetch_get *what, struct fetch_got *out,
			      struct err *err);

/*
 * OpenID Connect Core 8.1: the document at the client's sector_identifier_uri, if it has one, is
 * an array that holds each of its redirect URIs.  ERR_INPUT, invalid_client_metadata: it is not,
 * or cannot be had.  Blocks for some seconds at most.
 */
MUST_USE bool client_sector_check(struct arena *a, const struct config *config, client_get_fn get,
				  const struct oidc_client *c, struct err *err);

#endif
