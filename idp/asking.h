/*
 * Requests of clients that name a person (OpenID Connect CIBA): what of them is kept sealed, and
 * how the client is told that they are answered.
 */
#ifndef KONTOR_IDP_ASKING_H
#define KONTOR_IDP_ASKING_H

#include "db/polled.h"
#include "idp/outbox.h"
#include "idp/party.h"

/* The client's words for the person; NULL there: none.  Sealed n 0: none. */
MUST_USE bool asking_seal_message(struct request *rq, struct bytes handle, const char *message,
				  struct bytes *sealed, struct err *err);
MUST_USE bool asking_open_message(struct request *rq, const struct db_polled *polled,
				  const char **message, struct err *err);

/* The authorization details that it asks for; NULL there: none.  Sealed n 0: none. */
MUST_USE bool asking_seal_details(struct request *rq, struct bytes handle, const json_t *details,
				  struct bytes *sealed, struct err *err);
MUST_USE bool asking_open_details(struct request *rq, const struct db_polled *polled,
				  json_t **details, struct err *err);

/* The outbox item that will tell the client: its own token, and the name of its request. */
MUST_USE bool asking_ping_content(struct request *rq, struct bytes handle, const char *token,
				  const char *auth_req_id, const char **content, struct err *err);

/* By POST to its backchannel_client_notification_endpoint (CIBA Core 1.0, 10.2). */
struct outbox_outcome asking_ping(const struct outbox_try *t, struct err *err);

#endif
