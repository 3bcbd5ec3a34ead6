/*
 * The HTTP server; see server.h: connections, start and stop.  What happens on a
 * connection is idp/server_exchange.c; who is late with a head, a body or taking
 * an answer is cut off by idp/patience.c.
 */
#include "idp/server.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "idp/server_exchange.h"

#define POOL_STEP_BYTES     ((size_t)4096)
#define FDS_KEPT_BACK       128 /* database, signer, log, files */
#define SERVER_ARENA_BYTES  ((size_t)4 * 1024 * 1024)
#define METRICS_CONNECTIONS 16
#define GREET_US            ((int64_t)3000000)
#define LOOP_WAIT_MS        1000 /* at most; what happens wakes it */

/*
 * TR-02102-2: TLS 1.3 and 1.2 with ephemeral ECDH and AEAD only.
 */
#define TLS_PRIORITIES                                                                      \
	"NONE:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-ECDSA:+ECDHE-RSA:+AES-256-GCM:+AES-128-GCM:" \
	"+CHACHA20-POLY1305:+AEAD:+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-X25519:"         \
	"+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SECP384R1-SHA384:+SIGN-ECDSA-SHA256:"     \
	"+SIGN-ECDSA-SHA384:+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-RSAE-SHA384:"           \
	"+SIGN-RSA-SHA256:+SIGN-RSA-SHA384:+COMP-NULL:+CTYPE-X509:%SERVER_PRECEDENCE"

/* ---- connections ---- */

static bool
is_exempt(const struct server *s, const struct net_addr *addr)
{
	return net_list_has(&s->config->trusted_proxy, addr);
}

static enum MHD_Result
on_accept(void *cls, const struct sockaddr *sa, socklen_t n)
{
	struct loop *l = cls;
	struct net_addr addr;

	(void)n;
	if (l->internal || !net_addr_of(sa, &addr) || is_exempt(l->server, &addr) ||
	    limit_allows(l->server->limit, &addr))
		return MHD_YES;
	metrics_source_refused(l->server->app->metrics);
	return MHD_NO;
}

struct conn_memory {
	struct arena *a;
	struct conn *conn;
};

static void
conn_alloc(void *p)
{
	struct conn_memory *m = p;

	m->conn = ARENA_NEW(m->a, struct conn);
}

static void
conn_open(struct loop *l, struct MHD_Connection *mhd, void **socket_context)
{
	struct arena *a = arena_create(sizeof(struct conn) + SERVER_BODY_SLACK_BYTES);
	struct arena *target_a = arena_create(GATE_TARGET_MAX_BYTES + SERVER_BODY_SLACK_BYTES);
	const union MHD_ConnectionInfo *fd, *addr;
	struct conn_memory m = {a, NULL};

	if (a == NULL || target_a == NULL || !arena_run(a, conn_alloc, &m)) {
		arena_destroy(a);
		arena_destroy(target_a);
		return; /* on_target finds no connection: its requests are refused */
	}
	struct conn *c = m.conn;

	c->a = a;
	c->target_a = target_a;
	fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	addr = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	c->server = l->server;
	c->loop = l;
	c->internal = l->internal;
	c->mhd = mhd;
	net_addr_text(addr == NULL ? NULL : addr->client_addr, c->peer);
	if (!l->internal && addr != NULL && net_addr_of(addr->client_addr, &c->source))
		c->counted = !is_exempt(l->server, &c->source);
	if (c->counted)
		limit_count(l->server->limit, &c->source, 1);
	atomic_fetch_add(&l->server->new, 1);
	metrics_connection(l->server->app->metrics, 1);
	patience_add(l->server->patience, &c->patience, fd == NULL ? -1 : fd->connect_fd);
	*socket_context = c;
}

static void
conn_close(struct conn *c)
{
	server_greet(c);
	patience_remove(c->server->patience, &c->patience);
	if (c->counted)
		limit_count(c->server->limit, &c->source, -1);
	metrics_connection(c->server->app->metrics, -1);
	arena_destroy(c->target_a);
	arena_destroy(c->a);
}

static void
on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
	      enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		conn_open(cls, mhd, socket_context);
	else if (*socket_context != NULL)
		conn_close(*socket_context);
}

/* ---- start and stop ---- */

/* Below the limit of descriptors, so that the database and the log always get one. */
static unsigned
connection_limit(const struct config *config)
{
	struct rlimit rl;
	uint64_t most = (uint64_t)config->connections;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur != RLIM_INFINITY) {
		uint64_t free_fds = rl.rlim_cur > 2 * FDS_KEPT_BACK
					    ? (uint64_t)rl.rlim_cur - FDS_KEPT_BACK
					    : (uint64_t)rl.rlim_cur / 2;

		most = free_fds < most ? free_fds : most;
	}
	return (unsigned)most;
}

/*
 * In the loop's own thread: seen from another, a connection could be taken already and not be
 * counted yet, and would be closed unheard.
 */
static void
accept_no_more(struct loop *l)
{
	int fd = MHD_quiesce_daemon(l->daemon);

	/* Ours alone: the supervisor's copy goes on listening for who comes after us. */
	if (fd >= 0)
		close(fd);
	server_note_end(l->server, &l->server->accepting);
}

/*
 * libmicrohttpd 0.9.75 has loops of its own, but they stop until the next event when just 128
 * connections are ready (or 256, …): it asks for more, and waits.  MHD_run never waits, but
 * nobody wakes us when a connection is resumed: who does it must.
 */
static void *
loop_main(void *arg)
{
	struct loop *l = arg;
	struct pollfd p[] = {{.fd = l->epoll_fd, .events = POLLIN},
			     {.fd = l->wake_fd, .events = POLLIN}};
	eventfd_t n;
	bool accepts = true;

	while (!atomic_load(&l->stop)) {
		MHD_UNSIGNED_LONG_LONG wait_ms = LOOP_WAIT_MS;

		if (accepts && atomic_load(&l->server->closing)) {
			accept_no_more(l);
			accepts = false;
		}
		if (MHD_get_timeout(l->daemon, &wait_ms) != MHD_YES || wait_ms > LOOP_WAIT_MS)
			wait_ms = LOOP_WAIT_MS;
		if (poll(p, ARRAY_LEN(p), (int)wait_ms) > 0 && (p[1].revents & POLLIN) != 0)
			(void)eventfd_read(l->wake_fd, &n);
		(void)MHD_run(l->daemon);
	}
	return NULL;
}

/* Signals are the main thread's business. */
static bool
loop_start(struct loop *l)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	sigset_t all, before;

	if (info == NULL || l->wake_fd < 0)
		return false;
	l->epoll_fd = info->epoll_fd;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	atomic_fetch_add(&l->server->accepting, 1);
	l->started = pthread_create(&l->thread, NULL, loop_main, l) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (l->started)
		pthread_setname_np(l->thread, "loop");
	else
		atomic_fetch_sub(&l->server->accepting, 1);
	return l->started;
}

static struct MHD_Daemon *
make_daemon(struct loop *l, const struct server_options *o, int fd, unsigned most)
{
	const struct config *config = l->server->config;
	bool tls = !l->internal && o->tls_cert_pem != NULL;
	int64_t slowest_ms = config->idle_timeout_ms > config->send_timeout_ms
				     ? config->idle_timeout_ms
				     : config->send_timeout_ms;
	struct MHD_OptionItem tls_items[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)o->tls_cert_pem},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)o->tls_key_pem},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
		{MHD_OPTION_END, 0, NULL}};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (tls ? MHD_USE_TLS : 0),
				0, on_accept, l, server_on_access, l, MHD_OPTION_LISTEN_SOCKET, fd,
				MHD_OPTION_ARRAY, tls ? tls_items : none,
				MHD_OPTION_CONNECTION_LIMIT, most, MHD_OPTION_STRICT_FOR_CLIENT, 0,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, SERVER_POOL_BYTES,
				MHD_OPTION_CONNECTION_MEMORY_INCREMENT, POOL_STEP_BYTES,
				MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(slowest_ms / 1000 + 1),
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, l,
				MHD_OPTION_NOTIFY_COMPLETED, server_on_completed, l,
				MHD_OPTION_URI_LOG_CALLBACK, server_on_target, l, MHD_OPTION_END);
}

/* One more loop for a listening socket, which is closed when there can be none. */
static bool
add_loop(struct server *s, const struct server_options *o, int fd, bool internal, struct err *err)
{
	struct loop *l = &s->loops[s->n_loops];
	unsigned most = internal ? METRICS_CONNECTIONS : connection_limit(s->config) / o->loops;

	*l = (struct loop){.server = s, .internal = internal, .wake_fd = eventfd(0, EFD_CLOEXEC)};
	l->daemon = fd < 0 ? NULL : make_daemon(l, o, fd, most > 0 ? most : 1);
	if (l->daemon == NULL) {
		if (fd >= 0)
			close(fd);
		close(l->wake_fd);
		if (!internal && o->tls_cert_pem != NULL)
			return FAIL(err, ERR_INPUT, NULL,
				    "cannot serve TLS: certificate and key do not fit");
		return FAIL(err, ERR_UNAVAILABLE, NULL, "cannot start the event loops");
	}
	s->n_loops++;
	return loop_start(l) || FAIL(err, ERR_UNAVAILABLE, NULL, "no thread for an event loop");
}

/* Each loop has a descriptor of its own, since libmicrohttpd closes it. */
static bool
listen_on(struct server *s, const struct server_options *o, int fd, struct err *err)
{
	for (unsigned i = 1; i < o->loops; i++)
		if (!add_loop(s, o, fcntl(fd, F_DUPFD_CLOEXEC, 0), false, err))
			return false;
	return add_loop(s, o, fd, false, err);
}

static bool
start_lanes(struct server *s, const struct server_options *o, struct err *err)
{
	struct lanes_options lo = {.memory_create = o->memory_create,
				   .memory_destroy = o->memory_destroy,
				   .ctx = o->memory_ctx,
				   .metrics = s->app->metrics,
				   .clock_us = clock_mono_us};

	for (int lane = LANE_LIGHT; lane < LANE_COUNT; lane++)
		lo.size[lane] = (struct lane_size){(unsigned)s->config->workers[lane],
						   (unsigned)s->config->queue[lane]};
	if (lo.size[LANE_PASSWORD].workers == 0)
		lo.size[LANE_PASSWORD].workers = o->cores;
	return lanes_start(s->a, &lo, &s->app->lanes, err);
}

static bool
start_all(struct server *s, const struct server_options *o, struct err *err)
{
	if (!server_busy_ready(s, err) || !patience_start(s->a, s->config, &s->patience, err) ||
	    !start_lanes(s, o, err))
		return false;
	if (o->metrics_fd >= 0 && !add_loop(s, o, o->metrics_fd, true, err))
		return false;
	for (size_t i = 0; i < o->n_fds; i++)
		if (!listen_on(s, o, o->fds[i], err))
			return false;
	return true;
}

static void
quiet_init(struct server *s)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->quiet, &attr);
	pthread_condattr_destroy(&attr);
}

bool
server_start(const struct server_options *o, struct server **out, struct err *err)
{
	struct arena *a = arena_create(SERVER_ARENA_BYTES);

	if (a == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no memory for the server");
	struct server *s = ARENA_NEW(a, struct server);

	s->app = o->app;
	s->config = o->app->config;
	s->a = a;
	s->loops = ARENA_ARRAY(a, struct loop, o->n_fds * o->loops + 1);
	quiet_init(s);
	s->limit = limit_create(a, (unsigned)s->config->connections_per_source);
	server_documents_ready(a, &s->app->assets);
	if (!start_all(s, o, err)) {
		server_quiesce(s);
		(void)!server_drain(s, s->config->stop_grace_ms);
		server_stop(s);
		return false;
	}
	*out = s;
	return true;
}

void
server_quiesce(struct server *s)
{
	atomic_store(&s->closing, true);
	for (size_t i = 0; i < s->n_loops; i++)
		if (s->loops[i].started)
			server_wake(&s->loops[i]);
}

/* Wait for a count to fall to 0; called with the lock. */
static bool
wait_for_none(struct server *s, atomic_uint *count, int64_t until_us)
{
	struct timespec until = clock_mono_timespec(until_us);
	int rc = 0;

	while (atomic_load(count) > 0 && rc == 0)
		rc = pthread_cond_timedwait(&s->quiet, &s->lock, &until);
	return atomic_load(count) == 0;
}

/*
 * Also for who was let in but has not asked yet: his request may lie in the
 * socket already, and closing it would be an error where a later one gets our
 * successor.  Who only keeps a connection at hand is not waited for long.
 */
bool
server_drain(struct server *s, int64_t grace_ms)
{
	int64_t until_us = clock_mono_us() + grace_ms * 1000;

	pthread_mutex_lock(&s->lock);
	bool none = wait_for_none(s, &s->accepting, until_us);
	int64_t greet_us = clock_mono_us() + GREET_US;

	(void)!wait_for_none(s, &s->new, greet_us < until_us ? greet_us : until_us);
	none = wait_for_none(s, &s->busy, until_us) && none;

	pthread_mutex_unlock(&s->lock);
	return none;
}

void
server_stop(struct server *s)
{
	for (size_t i = 0; i < s->n_loops; i++) {
		struct loop *l = &s->loops[i];

		atomic_store(&l->stop, true);
		server_wake(l);
		if (l->started)
			pthread_join(l->thread, NULL);
		MHD_stop_daemon(l->daemon);
		close(l->wake_fd);
	}
	lanes_stop(s->app->lanes);
	s->app->lanes = NULL;
	patience_stop(s->patience);
	pthread_cond_destroy(&s->quiet);
	pthread_mutex_destroy(&s->lock);
	arena_destroy(s->a);
}
