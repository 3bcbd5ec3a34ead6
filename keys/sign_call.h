/*
 * One question to the signer and its answer: built field by field, sent, waited
 * for.  Between keys/sign.c (the transport) and keys/sign_ops.c (the questions).
 */
#ifndef KONTOR_KEYS_SIGN_CALL_H
#define KONTOR_KEYS_SIGN_CALL_H

#include "keys/sign.h"
#include "keys/wire.h"

struct sign_call {
	struct signer *s;
	struct arena *a;
	uint64_t number;
	struct buf fields; /* put the request's fields here with wire_put_... */
};

void sign_call_begin(struct sign_call *c, struct signer *s, struct arena *a, enum wire_op op);

/*
 * Send and wait.  *answer reads the fields of a good answer, of at most
 * answer_max octets, which lie in the call's arena; an error of the signer
 * becomes `err`.
 */
MUST_USE bool sign_call_ask(struct sign_call *c, size_t answer_max, struct wire_reader *answer,
			    struct err *err);

/* Whom to ask for this key: the signer itself, or its HSM's.  ERR_UNAVAILABLE: there is none. */
MUST_USE bool sign_route(struct signer *s, const char *kid, struct signer **out, struct err *err);

/* The HSM's client; NULL: none. */
struct signer *sign_hsm_of(struct signer *s);

/*
 * What was seen of the HSM's process, for signer_key_ready: with which one it was
 * begun, since what its predecessor did says nothing of it.
 */
unsigned sign_hsm_turn(struct signer *s);
void sign_hsm_note(struct signer *s, unsigned turn, bool down);

/* Does an active key lie in it? */
bool sign_hsm_needed(struct signer *s);

#endif
