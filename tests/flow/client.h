/*
 * What the tests of clients share that are told something, or that sign what they ask: the far end
 * of what the outbox sends, and the client's key.
 */
#ifndef KONTOR_TESTS_FLOW_CLIENT_H
#define KONTOR_TESTS_FLOW_CLIENT_H

#include "tests/flow/steps.h"

/* "karl" at the client in this browser, as far as pages ask for it: the ID token. */
const char *karl_at_the_client(struct web *b);

/* ---- what it is told ---- */

/* The last request to it, by app.post. */
extern struct far {
	struct world *w;
	const char *url, *type, *body, *bearer;
	int n_requests;
	long status; /* it answers with; 0: the network fails */
} far;

/* From now on, with an outbox that is empty. */
void far_answers(struct world *w, long status);

/* Send one item of the outbox; false: there is none due. */
bool send_one(struct world *w);

/* ---- what it signs ---- */

/* Its `jwks`, with the one key that client_signs signs with. */
const char *client_jwks(struct world *w);

/* These members, with its issuer and our name as audience; typ NULL: none. */
const char *client_signs(struct world *w, const char *typ, const char *members);

#endif
