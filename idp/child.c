/*
 * The HTTP process; see child.h.  Collects what it needs from the supervisor,
 * locks itself down, serves, and ends when told to or when the supervisor dies.
 */
#include "idp/child.h"

#include <poll.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "db/db.h"
#include "idp/control.h"
#include "idp/federation_take.h"
#include "idp/health.h"
#include "idp/jobs.h"
#include "idp/outbox.h"
#include "idp/page.h"
#include "idp/refresh.h"
#include "idp/sandbox.h"
#include "idp/server.h"
#include "keys/sign.h"

/*
 * Where all want the processor each thread gets a like share of it, and one loop alone among many
 * workers is too slow even to refuse what they cannot do.
 */
#define LOOPS_PER_CORE    2

#define HEAPS_MOST        4
#define TRIM_BYTES        (16 * 1024 * 1024)
#define CHILD_ARENA_BYTES ((size_t)256 * 1024 * 1024)
#define PEM_MAX_BYTES     ((size_t)256 * 1024)
#define SIGNER_TIMEOUT_US 5000000
#define HSM_SLACK_US      1000000 /* past hsm_timeout, after which its process answers */

struct child {
	struct arena *a;
	int control;
	struct config config;
	const char *certificate, *key; /* PEM; NULL: plain HTTP */
	int fds[CONFIG_LISTEN_MAX], metrics_fd, signer_fd;
	int hsm_fd; /* -1: none (yet) */
	size_t n_fds;
	struct app app;
	struct server *server;
	uint32_t wait_ms;                        /* for the first snapshot */
	_Atomic(struct jobs *) jobs;             /* set while the database's listener may call */
	_Atomic(struct federation *) federation; /* likewise */
};

static bool
take_pem(struct child *c, int fd, const char **out, struct err *err)
{
	struct bytes text;

	if (!control_memory_read(c->a, fd, PEM_MAX_BYTES, &text, err))
		return false;
	*out = (const char *)text.p; /* a NUL follows */
	return true;
}

static bool
take_config(struct child *c, int fd, struct err *err)
{
	struct bytes text;

	return control_memory_read(c->a, fd, CONFIG_FILE_MAX_BYTES, &text, err) &&
	       config_parse(c->a, "configuration", text, false, &c->config, err);
}

/* One message before the start.  A descriptor that is not kept is closed by the caller. */
static bool
take_message(struct child *c, const struct control_message *m, bool *kept, struct err *err)
{
	*kept = false;
	switch (m->type) {
	case CONTROL_CONFIG:
		return take_config(c, m->fd, err);
	case CONTROL_CERTIFICATE:
		return take_pem(c, m->fd, &c->certificate, err);
	case CONTROL_KEY:
		return take_pem(c, m->fd, &c->key, err);
	case CONTROL_LISTEN:
		if (c->n_fds == CONFIG_LISTEN_MAX)
			return FAIL(err, ERR_INTERNAL, NULL, "too many listeners");
		c->fds[c->n_fds++] = m->fd;
		break;
	case CONTROL_METRICS:
		c->metrics_fd = m->fd;
		break;
	case CONTROL_SIGNER:
		c->signer_fd = m->fd;
		break;
	case CONTROL_HSM:
		c->hsm_fd = m->fd;
		break;
	default:
		return FAIL(err, ERR_INTERNAL, NULL, "unexpected message %d", (int)m->type);
	}
	*kept = true;
	return true;
}

/* Everything up to CONTROL_START. */
static bool
collect(struct child *c, struct err *err)
{
	for (;;) {
		struct control_message m;
		bool kept;

		if (!control_receive(c->control, &m, err))
			return false;
		if (m.type == CONTROL_START) {
			c->wait_ms = m.arg;
			return true;
		}
		bool ok = take_message(c, &m, &kept, err);

		if (m.fd >= 0 && !kept)
			close(m.fd);
		if (!ok)
			return false;
	}
}

/* The database says that something changed; also at each new connection, when it may have. */
static void
changed(void *ctx, const char *what)
{
	struct child *c = ctx;
	struct jobs *jobs = atomic_load(&c->jobs);
	struct federation *federation = atomic_load(&c->federation);
	bool members = text_eq(what, "federation");

	if (jobs != NULL) /* else the first snapshot is still to come */
		jobs_changed(jobs);
	if (federation != NULL && (members || what == NULL))
		federation_changed(federation);
}

static void
finish_app(void *p)
{
	app_finish(p);
}

static void
close_signer(void *p)
{
	signer_destroy(p);
}

static void
close_db(void *p)
{
	db_destroy(p);
}

static void
end_jobs(void *p)
{
	jobs_stop(p);
}

static void
end_outbox(void *p)
{
	outbox_stop(p);
}

static void
end_refresh(void *p)
{
	refresh_stop(p);
}

static void
end_federation(void *p)
{
	federation_stop(p);
}

static void
end_fetcher(void *p)
{
	federation_fetcher_stop(p);
}

static void
end_watch(void *p)
{
	health_watch_stop(p);
}

/* Whatever is opened is tied to the arena: last opened, first closed. */
static bool
open_app(struct child *c, struct err *err)
{
	app_init(&c->app, c->a, &c->config, routes);
	arena_defer(c->a, finish_app, &c->app);
	c->app.documents_ready = server_documents_ready;
	if (!signer_create(c->signer_fd, SIGNER_TIMEOUT_US, &c->app.signer, err))
		return false;
	arena_defer(c->a, close_signer, c->app.signer);
	if (c->config.hsm_module != NULL &&
	    !signer_add_hsm(c->app.signer, c->hsm_fd,
			    c->config.hsm_timeout_ms * 1000 + HSM_SLACK_US, err))
		return false;
	return pages_load(c->a, c->config.theme_dir, &c->app.pages, err) &&
	       documents_add_files(c->a, &c->app.assets, web_static, err);
}

static bool
open_federation(struct child *c, struct err *err)
{
	struct federation_fetcher *fetcher;

	if (!federation_start(c->app.federation, err))
		return false;
	arena_defer(c->a, end_federation, c->app.federation);
	atomic_store(&c->federation, c->app.federation);
	if (!federation_fetcher_start(c->a, &c->app, &fetcher, err))
		return false;
	arena_defer(c->a, end_fetcher, fetcher);
	return true;
}

/* The database's listener may call until it is closed, so what it wakes must outlive it. */
static bool
open_state(struct child *c, struct err *err)
{
	struct db_options o = {.conninfo = c->config.database,
			       .application_name = "kontor",
			       .tx_connections = (unsigned)c->config.database_connections,
			       .clock = clock_now,
			       .changed = changed,
			       .changed_ctx = c};
	struct jobs *jobs;

	if (!db_create(&o, &c->app.db, err))
		return false;
	if (!jobs_start(c->a, &c->app, &jobs, err)) {
		db_destroy(c->app.db);
		return false;
	}
	c->app.federation = federation_create(c->a, &c->app);
	arena_defer(c->a, close_db, c->app.db);
	arena_defer(c->a, end_jobs, jobs);
	if (!outbox_start(c->a, &c->app, &c->app.outbox, err))
		return false;
	arena_defer(c->a, end_outbox, c->app.outbox);
	if (!refresh_start(c->a, &c->app, &c->app.refresh, err))
		return false;
	arena_defer(c->a, end_refresh, c->app.refresh);
	atomic_store(&c->jobs, jobs);
	return open_federation(c, err);
}

static struct kdf_memory *
make_memory(void *ctx)
{
	const struct config *config = ctx;
	struct kdf_memory *m;

	return kdf_memory_create(config_password_cost(config).m_kib, &m, NULL) ? m : NULL;
}

/* The first snapshot, and the watch over our health. */
static bool
get_ready(struct child *c, struct err *err)
{
	struct health_watch *watch;

	if (!snapshot_wait(&c->app.snapshots, 0, c->wait_ms))
		log_event(LOG_LVL_WARN, "started_without_keys", NULL);
	if (!health_watch_start(c->a, &c->app, &watch, err))
		return false;
	arena_defer(c->a, end_watch, watch);
	return true;
}

/* Those we may run on: a service can be bound to some of the machine's. */
static unsigned
cores_for_us(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0) /* more cores than the set has bits */
		return (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	return (unsigned)CPU_COUNT(&set);
}

static bool
start(struct child *c, struct err *err)
{
	struct server_options o = {.app = &c->app,
				   .fds = c->fds,
				   .n_fds = c->n_fds,
				   .metrics_fd = c->metrics_fd,
				   .tls_cert_pem = c->certificate,
				   .tls_key_pem = c->key,
				   .loops = LOOPS_PER_CORE * cores_for_us(),
				   .cores = cores_for_us(),
				   .memory_create = make_memory,
				   .memory_destroy = kdf_memory_destroy,
				   .memory_ctx = &c->config};

	return sandbox_enter(err) && open_app(c, err) && open_state(c, err) && get_ready(c, err) &&
	       server_start(&o, &c->server, err) &&
	       control_send(c->control, CONTROL_READY, 0, -1, err);
}

/* A new signer after the old one's death: calls under way fail, the next ones go to it. */
static void
replace_signer(struct child *c, int fd)
{
	struct err err = {0};

	if (!signer_replace_fd(c->app.signer, fd, &err))
		log_err(LOG_LVL_ERROR, "signer_replaced", &err, NULL);
	else
		log_event(LOG_LVL_INFO, "signer_replaced", NULL);
}

/* The same for the HSM process; whether the token is there as well, idp/health.c says. */
static void
replace_hsm(struct child *c, int fd)
{
	struct err err = {0};

	if (!signer_replace_hsm(c->app.signer, fd, &err))
		log_err(LOG_LVL_ERROR, "hsm_replaced", &err, NULL);
	else
		log_event(LOG_LVL_INFO, "hsm_replaced", NULL);
}

/* Until told to stop; the supervisor's death is the same as a stop. */
static enum control_stop
serve(struct child *c)
{
	struct control_message m;

	while (control_receive(c->control, &m, NULL)) {
		switch (m.type) {
		case CONTROL_PING:
			(void)!control_send(c->control, CONTROL_PONG, m.arg, -1, NULL);
			break;
		case CONTROL_SIGNER:
			replace_signer(c, m.fd);
			break;
		case CONTROL_HSM:
			replace_hsm(c, m.fd);
			break;
		case CONTROL_STOP:
			return (enum control_stop)m.arg;
		default:
			return CONTROL_STOP_NODE;
		}
	}
	return CONTROL_STOP_NODE;
}

/* Say 503 to the balancer for a while; a second word from the supervisor cuts it short. */
static void
announce(struct child *c)
{
	struct pollfd p = {.fd = c->control, .events = POLLIN};

	atomic_store(&c->app.health.draining, true);
	(void)poll(&p, 1, (int)c->config.stop_announce_ms);
}

/* False: a handler is stuck, and what it uses must not be taken apart. */
static bool
stop(struct child *c, enum control_stop how)
{
	if (how == CONTROL_STOP_NODE)
		announce(c);
	server_quiesce(c->server);
	if (!server_drain(c->server, c->config.stop_grace_ms))
		return false;
	server_stop(c->server);
	return true;
}

static enum cli_exit
run(struct child *c)
{
	struct err err = {0};

	if (!collect(c, &err)) {
		log_err(LOG_LVL_ERROR, "start", &err, NULL);
		return CLI_FAILED;
	}
	log_open(STDERR_FILENO, (enum log_level)c->config.log_level, "http");
	if (!start(c, &err)) {
		log_err(LOG_LVL_ERROR, "start", &err, NULL);
		return err.kind == ERR_INPUT ? CLI_USAGE : CLI_FAILED;
	}
	log_event(LOG_LVL_INFO, "started", NULL);
	if (!stop(c, serve(c))) {
		log_event(LOG_LVL_ERROR, "stopped_with_requests", NULL);
		_exit(CLI_FAILED);
	}
	log_event(LOG_LVL_INFO, "stopped", NULL);
	return CLI_OK;
}

struct running {
	struct child *c;
	enum cli_exit rc;
};

static void
run_guarded(void *arg)
{
	struct running *r = arg;

	r->rc = run(r->c);
}

enum cli_exit
child_run(int control)
{
	struct child c = {.a = arena_create(CHILD_ARENA_BYTES),
			  .control = control,
			  .metrics_fd = -1,
			  .signer_fd = -1,
			  .hsm_fd = -1};

	/*
	 * A hundred threads that mostly wait share few heaps, and a heap is not given back for
	 * every large block: memory stays flat either way, but less of it, and with less work.
	 */
	mallopt(M_ARENA_MAX, HEAPS_MOST);
	mallopt(M_MXFAST, 0);
	mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
	/* Ctrl-C reaches the whole group, but when to stop is the supervisor's to say. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (c.a == NULL)
		return CLI_FAILED;
	struct running r = {&c, CLI_FAILED};

	if (!arena_run(c.a, run_guarded, &r))
		log_event(LOG_LVL_ERROR, "out_of_memory", NULL);
	arena_destroy(c.a);
	return r.rc;
}
