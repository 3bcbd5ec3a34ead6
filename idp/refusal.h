/*
 * What is refused to registered parties is kept, so that an operator can tell who builds a portal
 * what it does wrong (kontor client check, kontor party refused).  Requests only count it here, in
 * memory of a fixed size; a job writes what came together (idp/jobs.c).  What anybody can send in
 * a party's name is kept apart from what came with its proof, here and in db/refusal.h, so that it
 * pushes nothing of the other out.  See docs/decisions/0029.
 */
#ifndef KONTOR_IDP_REFUSAL_H
#define KONTOR_IDP_REFUSAL_H

#include "db/refusal.h"
#include "idp/party.h"
#include "idp/request.h"

#define REFUSALS_MOST     64 /* different ones between two runs of the job, proven and not each */
#define REFUSALS_OF_PARTY 8  /* of them, of one party */
#define REFUSAL_ID_BYTES  1025

struct refusals;

/* In `a`; its lock goes with it. */
struct refusals *refusals_create(struct arena *a) __attribute__((returns_nonnull));

/*
 * This request is of that party, so it says; proven: it came with a secret, key or token of the
 * party's.  A party that is named later takes the place of one that was not proven.
 */
void refusal_of(struct request *rq, const struct party *p, bool proven);

/* The request, as far as its party is known, was refused for this; also by an orderly answer. */
void refusal_note(const struct request *rq, const struct err *why);

/* Take one out to be stored, its texts in `a`.  False: there is none. */
MUST_USE bool refusals_take(struct refusals *r, struct arena *a, struct db_refusal *out);

#endif
