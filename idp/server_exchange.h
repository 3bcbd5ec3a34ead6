/*
 * What happens on a connection of the server: a request is collected, passes the
 * gate and the route table, and is answered on the loop or by a lane.  Inside of
 * the server alone; connections, start and stop are idp/server.c.
 */
#ifndef KONTOR_IDP_SERVER_EXCHANGE_H
#define KONTOR_IDP_SERVER_EXCHANGE_H

#include <microhttpd.h>
#include <pthread.h>

#include "idp/limit.h"
#include "idp/patience.h"
#include "idp/problem.h"
#include "idp/server.h"

/*
 * Head of request and answer.  A target and headers of the most the gate permits fit, and cookies
 * of what a proxy lets through; the library wipes all of it for each request, so no more.
 */
#define SERVER_POOL_BYTES       ((size_t)40 * 1024)
#define SERVER_BODY_SLACK_BYTES ((size_t)4096)

/* One request and its answer. */
struct exchange {
	bool begun;      /* the head has been seen */
	bool turned_off; /* dropped by its lane */
	struct raw_header headers[GATE_HEADERS_MAX + 1];
	struct raw_request raw;
	struct gate_head head;
	struct app_target target;
	int64_t arrived_us;       /* complete */
	struct arena *body_arena; /* NULL: no body */
	struct buf body;
	size_t body_seen; /* octets, those past the route's limit included */
	struct job job;
	struct MHD_Response *answer; /* made by a worker or a refusal */
	unsigned status;
};

struct conn {
	struct patience_item patience;
	struct server *server;
	struct loop *loop;
	struct MHD_Connection *mhd;
	bool internal, counted; /* counted: against its source */
	bool greeted;           /* its first request has begun */
	struct net_addr source;
	char peer[NET_TEXT_BYTES];
	struct arena *a;        /* of this struct */
	struct arena *target_a; /* of the request's target */
	struct bytes target;
	const char *target_from, *target_to; /* where the parser has it: only to compare places */
	struct exchange x;
};

/* An event loop: a thread, and the connections that it accepted from one listener. */
struct loop {
	struct server *server;
	bool internal, started;
	struct MHD_Daemon *daemon;
	int epoll_fd; /* the daemon's */
	int wake_fd;  /* readable: something was resumed, or the loop is to stop */
	atomic_bool stop;
	pthread_t thread;
};

struct server {
	struct app *app;
	const struct config *config;
	struct arena *a;
	struct loop *loops;
	size_t n_loops;
	struct limit *limit;
	atomic_uint busy;      /* exchanges between head and end of the answer */
	atomic_uint new;       /* connections whose first request has not begun */
	atomic_uint accepting; /* loops that still take connections */
	atomic_bool closing;
	/* Refusals that lanes make, shared: for people and programs, with each Retry-After. */
	struct MHD_Response *refusal[2][LANG_COUNT][PROBLEM_RETRY_MOST_S];
	atomic_int_fast64_t busy_logged_us[LANE_COUNT]; /* last */
	struct patience *patience;
	pthread_mutex_t lock;
	pthread_cond_t quiet; /* busy fell to 0 while closing */
};

/* The loop looks at what was resumed, and whether it is to stop.  Any thread. */
void server_wake(struct loop *l);

/* The connection's first request has begun, or never will.  On its loop; again is harmless. */
void server_greet(struct conn *c);

/* One of the counts that server_drain waits for goes down by one. */
void server_note_end(struct server *s, atomic_uint *count);

/*
 * Make the shared refusals.  They go with the server's arena, or when last sent.
 * ERR_UNAVAILABLE: no memory.
 */
MUST_USE bool server_busy_ready(struct server *s, struct err *err);

/* Callbacks of libmicrohttpd: a request line, each piece of a request, the end of an exchange. */
void *server_on_target(void *cls, const char *target, struct MHD_Connection *mhd);
enum MHD_Result server_on_access(void *cls, struct MHD_Connection *mhd, const char *url,
				 const char *method, const char *version, const char *data,
				 size_t *data_n, void **request);
void server_on_completed(void *cls, struct MHD_Connection *mhd, void **request,
			 enum MHD_RequestTerminationCode how);

#endif
