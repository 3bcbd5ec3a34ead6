/*
 * The program without its sockets: what every handler may use, and the one way
 * from a request that passed the gate to an answer.  idp/server_exchange.c drives it from
 * connections and lanes; tests call app_handle in their own thread.
 */
#ifndef KONTOR_IDP_APP_H
#define KONTOR_IDP_APP_H

#include "idp/gate.h"
#include "idp/lane.h"
#include "idp/snapshot.h"

struct config;
struct db;
struct fetch_answer;
struct fetch_get;
struct fetch_got;
struct fetch_mail;
struct fetch_post;
struct fetch_stream;
struct federation;
struct outbox;
struct pages;
struct signer;

/* What the watch (idp/health.h) saw last; atomics, so that health answers never wait. */
struct app_health {
	atomic_bool db_ready, signer_ready;
	atomic_bool hsm_missing; /* an active key lies in an HSM that is away */
	atomic_bool hsm_away;    /* so said in the log */
	atomic_bool draining;    /* we are to be stopped: tell the balancer */
	/* Of all nodes' outbox: what waits, and of that what was tried in vain. */
	atomic_llong outbox_waiting, outbox_failing;
	atomic_llong requests_waiting; /* for persons that clients named */
	atomic_llong metadata_followed, metadata_failing, metadata_waiting;
	atomic_llong federation_failing, federation_waiting;
};

struct app {
	const struct config *config; /* never changes; a new file means a new process */
	const struct route *routes;
	time_t (*clock)(struct app *app); /* the request's one look at the time */
	void *clock_ctx;                  /* for tests' clocks */
	struct db *db;                    /* NULL: none (tests of the HTTP side) */
	struct signer *signer;            /* likewise */
	const struct pages *pages;        /* NULL: errors are plain built-in pages */
	struct documents assets;          /* style sheets, fonts */
	struct snapshots snapshots;
	struct metrics *metrics;
	struct refusals *refusals;
	struct lanes *lanes;            /* NULL without a server */
	struct outbox *outbox;          /* NULL: nobody sends */
	struct refresh *refresh;        /* NULL: nobody fetches metadata and keys */
	atomic_bool keys_awaited;       /* idp/client_keys.h: by one request */
	atomic_uint upstream_calls[64]; /* idp/upstream_fetch.h: under way, by provider */
	struct federation *federation;  /* NULL: there are no members */
	/* fetch_post, fetch_get, fetch_stream and fetch_mail; for tests' networks */
	bool (*post)(struct arena *a, const struct fetch_post *what, struct fetch_answer *out,
		     struct err *err);
	bool (*get)(struct arena *a, const struct fetch_get *what, struct fetch_got *out,
		    struct err *err);
	bool (*stream)(struct arena *a, const struct fetch_stream *what, struct fetch_got *out,
		       struct err *err);
	bool (*mail)(struct arena *a, const struct fetch_mail *what, struct err *err);
	struct app_health health;

	/*
	 * idp/server_exchange.c: make the shared responses of a snapshot's documents
	 * before it is published; tied to `a`.  NULL where nothing is served.
	 */
	void (*documents_ready)(struct arena *a, struct documents *docs);
};

/*
 * Fill app, which is zeroed, for a configuration and a route table: real clock,
 * counters, empty snapshots; all else stays NULL for the caller to set.  `a`
 * must outlive app.
 */
void app_init(struct app *app, struct arena *a, const struct config *config,
	      const struct route *routes);
void app_finish(struct app *app);

/* A document of the snapshot, else an asset; NULL: none. */
const struct document *app_document(const struct app *app, const struct snapshot *snap,
				    struct bytes path);

/* Hand a finished snapshot to all requests that begin from now on. */
void app_publish(struct app *app, struct snapshot *snap);

/* What routing made of a request that passed the gate. */
struct app_target {
	const struct route *route; /* NULL: refuse with `status` */
	int status;                /* 404, 405, 413, 414, 421 */
};
/* Is this the Host of a request for `ours` (HOST or HOST:PORT)? */
bool app_is_host(struct bytes host, const char *ours);

struct app_target app_route(const struct app *app, const struct raw_request *raw,
			    const struct gate_head *head);

/*
 * Run the row's handler with everything around it: parsing, CSRF check,
 * errors, security headers, counters, one log line.  Never fails: rs is always
 * an answer.  It lives in `a` (capped by the row) and is valid until the arena
 * is reset; the snapshot is held as long.
 */
void app_answer(struct app *app, struct arena *a, const struct raw_request *raw,
		const struct gate_head *head, const struct route *route, struct worker *worker,
		int64_t arrived_us, int64_t deadline_us, struct response *rs);

/*
 * The answer to a request that never reaches a handler.  head NULL: the gate
 * refused it; route NULL: none matched.  why is a static word for the log.
 */
void app_refuse(struct app *app, struct arena *a, const struct raw_request *raw,
		const struct gate_head *head, const struct route *route, int status,
		const char *why, struct response *rs);

/*
 * The whole way of one request in the calling thread, with an arena of the
 * tests' choice: gate, route, handler.  raw->body is complete.
 */
void app_handle(struct app *app, struct arena *a, const struct raw_request *raw,
		struct worker *worker, struct response *rs);

/* Reference ids: 12 characters that people can read out, 60 random bits. */
void app_make_ref(char ref[REQUEST_REF_BYTES]);

#endif
