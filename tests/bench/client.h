/* A small HTTP/1.1 client for load: one kept connection, a cookie jar, nothing more. */
#ifndef KONTOR_TESTS_BENCH_CLIENT_H
#define KONTOR_TESTS_BENCH_CLIENT_H

#include "base/arena.h"
#include "base/err.h"

#define CLIENT_COOKIES_MAX 32

struct client {
	int port, fd;
	const char *host;  /* Host header */
	char from[48];     /* the address that a proxy would tell; "": none */
	struct arena *a;   /* of one round; reset by the caller */
	struct arena *jar; /* cookies live longer */
	char *in;          /* of the last answer; body points into it */
	const char *cookies[CLIENT_COOKIES_MAX][2];
	size_t n_cookies;
	int status;
	bool retry_after;    /* the last answer names a time */
	char dpop_nonce[64]; /* the last one that was told; "": none was */
	int64_t asked_us;    /* when the last request was sent, CLOCK_REALTIME */
	int64_t took_us;     /* from there to when the kernel had the end of its answer */
	size_t requests;     /* sent so far */
	/* Called where the socket has nothing yet, which does not block then; NULL: it blocks. */
	void (*await)(void *ctx);
	void *await_ctx;
	const char *path;     /* last asked for */
	const char *location; /* of the last answer; NULL */
	const char *body;
	size_t body_n;
};

void client_init(struct client *c, int port, const char *host);
void client_finish(struct client *c);

/* Forget cookies and the round's memory. */
void client_forget(struct client *c);

/* Another connection of the same browser: cookies as `from` has them now. */
void client_share_cookies(struct client *c, const struct client *from);

/* form NULL: GET.  extra: header lines ending in CR LF, or "".  False: the connection broke. */
MUST_USE bool client_send(struct client *c, const char *path, const char *form, const char *extra);

/* The same in two halves, so that several can be on their way at once. */
MUST_USE bool client_ask(struct client *c, const char *path, const char *form, const char *extra);
MUST_USE bool client_hear(struct client *c);

/* A GET, then redirects to ourselves. */
MUST_USE bool client_get(struct client *c, const char *path);

/* Send the page's first form whose action begins so, hidden fields and `fields`; follow. */
MUST_USE bool client_submit(struct client *c, const char *action, const char *fields);

/* A parameter of the Location; NULL: none. */
const char *client_location_param(struct client *c, const char *name);

#endif
