/*
 * What the tests of clients share that ask until a person has answered: "karl", whom one names
 * (OpenID Connect CIBA), and the questions of these and of devices at the token endpoint.
 */
#ifndef KONTOR_TESTS_FLOW_POLLED_H
#define KONTOR_TESTS_FLOW_POLLED_H

#include "tests/flow/client.h"

#define CIBA_GRANT "urn:openid:params:grant-type:ciba"
#define CIBA_GRANTS                                                                       \
	",\"grant_types\":[\"authorization_code\",\"refresh_token\",\"" CIBA_GRANT "\"]," \
	"\"backchannel_token_delivery_mode\":"
#define POLL         CIBA_GRANTS "\"poll\""
#define NOTIFY       "https://stadtportal.example/ping"
#define PING         CIBA_GRANTS "\"ping\",\"backchannel_client_notification_endpoint\":\"" NOTIFY "\""
#define TOKEN        "8d67dc78-7faa-4d41-aabd-67707b374255"

#define DEVICE_GRANT "urn:ietf:params:oauth:grant-type:device_code"

/* Fixture of each test: what one asked of a person is no limit for the next. */
int polled_fresh(void **state);

/* "karl" logs in at the client in a browser, once: the ID token by which it knows him. */
const char *karl_was_there(struct world *w);
const char *karl_sub(struct world *w);

/* The answer of the endpoint: "" for a request that waits, else the error. */
const char *try_begin(struct web *tv, const char *form);

/* One of that person, with further parameters: its auth_req_id. */
const char *begin(struct web *tv, const char *sub, const char *more);

/* The client asks: "" for tokens, else the error. */
const char *redeem(struct web *tv, const char *auth_req_id);
const char *redeem_device(struct web *tv, const char *device_code);

/* "karl" at the list, and saying yes there and at the consent. */
void open_list(struct web *b);
void agree(struct web *b);

#endif
