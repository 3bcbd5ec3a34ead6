/*
 * The HTTP server: the only user of libmicrohttpd.  Event loops accept, read
 * and write; documents are answered on them; everything else is suspended, run
 * by a lane worker, resumed and sent.
 */
#ifndef KONTOR_IDP_SERVER_H
#define KONTOR_IDP_SERVER_H

#include "idp/app.h"
#include "idp/config.h"

struct server_options {
	struct app *app; /* outlives the server */
	const int *fds;  /* listening sockets; the server closes its copies */
	size_t n_fds;
	int metrics_fd;           /* -1: none */
	const char *tls_cert_pem; /* NULL: plain HTTP on fds */
	const char *tls_key_pem;
	unsigned loops;                                 /* event loop threads per public listener */
	unsigned cores;                                 /* hash workers by default */
	struct kdf_memory *(*memory_create)(void *ctx); /* as in idp/lane.h */
	void (*memory_destroy)(struct kdf_memory *memory);
	void *memory_ctx;
};

struct server;

/* ERR_INPUT: TLS certificate or key that do not fit; ERR_UNAVAILABLE: threads, descriptors. */
MUST_USE bool server_start(const struct server_options *o, struct server **out, struct err *err);

/*
 * For app.documents_ready: make the shared responses of a set of documents.
 * They go with its arena, or when last sent.  Needs no server yet.
 */
void server_documents_ready(struct arena *a, struct documents *docs);

/* Accept no more; kept connections are told to close with their next answer. */
void server_quiesce(struct server *s);

/*
 * Wait until no request is under way; false: some still are after grace_ms.  Who
 * connected and has not asked yet has three seconds to do so.
 */
MUST_USE bool server_drain(struct server *s, int64_t grace_ms);

/*
 * Close all connections and stop all threads.  Only after server_quiesce, and
 * after server_drain said true: a suspended connection must not be stopped.
 */
void server_stop(struct server *s);

#endif
