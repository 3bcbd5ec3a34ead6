/*
 * One-time things that are raced (race_kinds.c) and who races them (race.c).  A kind says how a
 * thing is come by and how it is used; that exactly one use counts is judged the same for all.
 */
#ifndef KONTOR_TESTS_NEMESIS_RACE_H
#define KONTOR_TESTS_NEMESIS_RACE_H

#include "keys/private.h"
#include "tests/bench/client.h"
#include "tests/bench/portal.h"

#define RACE_USES_MAX 4
#define RACE_HELD_MAX 128

/* The key of clients that prove themselves by one. */
struct race_key {
	struct private_key key; /* a lane for each racer */
	const char *jwk;        /* the public half */
};

/* One request that uses the thing. */
struct race_use {
	const char *path, *form, *extra; /* as client_ask takes them */
};

struct racer {
	struct client browser, program;    /* of a person who is logged in; of the client */
	struct client uses[RACE_USES_MAX]; /* even ones at the first node, odd ones at the second */
	const struct bench_portal *portal;
	const struct race_kind *kind;
	struct race_key *key;
	const char *host, *client_id;
	size_t number;
	char held[RACE_HELD_MAX]; /* what goes from one try to the next; "": nothing */
};

struct race_kind {
	const char *name; /* its client is bench-NAME, or bench-tokensNAME with offline access */
	bool logs_in;     /* it needs a person: the browser is logged in first */
	bool by_browser;  /* it is used by the browser */
	bool alike;       /* all uses succeed, and are given the same */
	/* Where a login begins; NULL: at the portal's own request. */
	const char *(*ask)(struct racer *r);
	/* Once, after the login; NULL: nothing to do. */
	bool (*begin)(struct racer *r);
	/* A new thing and its uses, all of which are sent. */
	bool (*prepare)(struct racer *r, struct race_use uses[RACE_USES_MAX]);
	const char *given; /* the member of the JSON that a success gives; NULL: a code */
	int refused;       /* the status of a refusal, and what it says; alike: none is refused */
	const char *why;
	/* When all uses have been answered: is what this answer gave as it should be now?  Asks by
	 * race_ask, so that one can tell no from no answer.  NULL: nothing to look at. */
	bool (*after)(struct racer *r, const char *answer);
};

/* NULL: there is no such kind. */
const struct race_kind *race_kind_find(const char *name);

/* The key from the variables RACE_KEY (a file, PKCS#8 DER) and RACE_JWK. */
struct race_key *race_key_open(struct arena *a, size_t lanes);

/* A text of a JSON object; NULL: none. */
const char *race_member(struct arena *a, const char *json, const char *name);

/* A request of the client; program.status is 0 when nothing was answered. */
MUST_USE bool race_ask(struct racer *r, const char *path, const char *form, const char *extra);

#endif
