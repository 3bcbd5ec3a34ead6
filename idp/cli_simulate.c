/* kontor simulate: a test double of BundID or of the organisation account, in one process. */
#include <arpa/inet.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/text.h"
#include "idp/cli.h"
#include "idp/listener.h"
#include "idp/sandbox.h"
#include "idp/server.h"
#include "idp/simulate.h"

#define LISTEN_DEFAULT "127.0.0.1:8600"
#define PORTALS_MOST   64
#define FILE_MOST      ((size_t)1024 * 1024)

struct call {
	struct cli *cli;
	const char *listen, *url, *persons;
	bool reachable;
	struct sim_options o;
	struct listeners listeners;
	struct server *server;
};

/* ---- where ---- */

static bool
is_loopback(const struct sockaddr_storage *sa)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;

	if (sa->ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	return sa->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

/* "http://127.0.0.1:8600", with the port that the kernel gave. */
static const char *
url_of(struct arena *a, int fd)
{
	struct sockaddr_storage sa = {0};
	socklen_t n = sizeof(sa);
	char host[INET6_ADDRSTRLEN], port[sizeof("65535")];

	if (getsockname(fd, (struct sockaddr *)&sa, &n) != 0 ||
	    getnameinfo((struct sockaddr *)&sa, n, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return "";
	return arena_printf(a, sa.ss_family == AF_INET6 ? "http://[%s]:%s" : "http://%s:%s", host,
			    port);
}

/* Whoever reaches it can be anybody: it stays on this machine unless that was said. */
static bool
open_listener(struct call *c, struct err *err)
{
	struct config config;
	const char *text = arena_printf(c->cli->a,
					"instance = x\nbase_url = https://x.invalid\ndatabase = x\n"
					"master_key_file = /dev/null\nlisten = %s\n",
					c->listen);

	if (!config_parse(c->cli->a, "--listen", bytes_of(text), false, &config, err))
		return false;
	if (config.n_listen != 1 || config.listen[0].kind != LISTEN_TCP)
		return FAIL(err, ERR_INPUT, NULL, "--listen: one ADDRESS:PORT expected");
	if (!c->reachable && !is_loopback(&config.listen[0].addr))
		return FAIL(err, ERR_DENIED, NULL,
			    "%s can be reached from other machines, and anybody could log in as "
			    "anybody: say --reachable if that is meant",
			    c->listen);
	return listeners_open(c->cli->a, &config, &c->listeners, err);
}

/* ---- running ---- */

static bool
read_files(struct call *c, const char *const *portals, struct err *err)
{
	struct bytes *documents = ARENA_ARRAY(c->cli->a, struct bytes, c->o.n_portals + 1);

	for (size_t i = 0; i < c->o.n_portals; i++)
		if (!conf_read_file(c->cli->a, portals[i], FILE_MOST, &documents[i], err))
			return false;
	c->o.portals = documents;
	return c->persons == NULL ||
	       conf_read_file(c->cli->a, c->persons, FILE_MOST, &c->o.persons, err);
}

static void
tell_ready(const struct call *c, const struct simulate *s)
{
	struct arena *a = c->cli->a;
	json_t *o = json_new_object(a);

	json_put_str(a, o, "url", s->config.base_url);
	json_put_str(a, o, "entity_id", s->entity_id);
	json_put_i64(a, o, "pid", getpid());
	if (c->cli->json)
		cli_print_json(c->cli, o);
	else
		cli_print(arena_printf(a,
				       "TEST DOUBLE of %s, for tests alone: %s/\n"
				       "entityID, and where its metadata are: %s\n",
				       s->kind->title, s->config.base_url, s->entity_id));
	fflush(stdout); /* whether that was read is not our business */
}

static bool
serve(struct call *c, struct simulate *s, struct err *err)
{
	const struct server_options so = {.app = &s->app,
					  .fds = c->listeners.fds,
					  .n_fds = c->listeners.n,
					  .metrics_fd = -1,
					  .loops = 1,
					  .cores = 1};
	sigset_t ends;
	int sig;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	s->app.documents_ready = server_documents_ready;
	if (!sandbox_enter(err) || !server_start(&so, &c->server, err))
		return false;
	tell_ready(c, s);
	while (sigwait(&ends, &sig) != 0)
		;
	server_quiesce(c->server);
	if (!server_drain(c->server, s->config.stop_grace_ms))
		_exit(CLI_FAILED); /* a handler is stuck, and what it uses must not be taken apart
				    */
	server_stop(c->server);
	return true;
}

static enum cli_exit
run(struct call *c, const char *const *portals)
{
	struct simulate *s = ARENA_NEW(c->cli->a, struct simulate);
	struct err err = {0};

	log_open(STDERR_FILENO, LOG_LVL_INFO, "simulate");
	c->o.now = clock_now();
	if (!read_files(c, portals, &err) || !open_listener(c, &err))
		return cli_fail(c->cli, &err);
	c->o.base_url = c->url != NULL ? c->url : url_of(c->cli->a, c->listeners.fds[0]);
	if (!simulate_open(c->cli->a, &c->o, s, &err) || !serve(c, s, &err))
		return cli_fail(c->cli, &err);
	return CLI_OK;
}

/* ---- the command line ---- */

static enum cli_exit
print_persons(struct cli *cli, const struct sim_kind *kind)
{
	struct bytes json = sim_persons_built_in(kind);
	enum cli_exit rc = cli_end(cli);

	if (rc == CLI_OK)
		cli_print(arena_strndup(cli->a, (const char *)json.p, json.n));
	return rc;
}

enum cli_exit
cli_simulate(struct cli *cli)
{
	const char *suite = cli_value(cli, "--signature"), *listen = cli_value(cli, "--listen");
	const char *portals[PORTALS_MOST], *kind;
	struct call c = {
		.cli = cli,
		.listen = listen == NULL ? LISTEN_DEFAULT : listen,
		.url = cli_value(cli, "--url"),
		.persons = cli_value(cli, "--persons"),
		.reachable = cli_flag(cli, "--reachable"),
		.listeners = {.metrics = -1},
		.o = {.keys = cli_value(cli, "--keys"),
		      .suite = suite == NULL ? "ps256" : suite,
		      .person = cli_value(cli, "--answer"),
		      .outcome = cli_value(cli, "--outcome")},
	};
	bool list = cli_flag(cli, "--list-persons");

	while (c.o.n_portals < PORTALS_MOST &&
	       (portals[c.o.n_portals] = cli_value(cli, "--portal")) != NULL)
		c.o.n_portals++;
	kind = cli_word(cli);
	c.o.kind = sim_kind_find(kind);
	if (c.o.kind == NULL)
		return cli_usage(cli, "bundid or organisation expected");
	if (list)
		return print_persons(cli, c.o.kind);
	enum cli_exit rc = cli_end(cli);

	if (rc != CLI_OK)
		return rc;
	if (c.o.outcome != NULL && c.o.person == NULL)
		return cli_usage(cli, "--outcome goes with --answer");
	return run(&c, portals);
}
