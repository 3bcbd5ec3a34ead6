/* The supervisor; see supervisor.h. */
#include "idp/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "idp/control.h"
#include "idp/listener.h"
#include "idp/sandbox.h"
#include "keys/hsm.h"
#include "keys/masterfile.h"
#include "keys/sign.h"

#define PEM_MAX_BYTES      ((size_t)256 * 1024)
#define CONFIG_ARENA_BYTES ((size_t)16 * 1024 * 1024)
#define SECRETS_TIMEOUT_US 2000000
#define PAIRS_MAX          6
#define BACKOFF_FIRST_US   50000
#define BACKOFF_MOST_US    400000  /* with waiting for keys and the start: back within a second */
#define HSM_BACKOFF_US     5000000 /* at most: whoever dies at once may log in at once */
#define SETTLED_US         10000000
#define START_WAIT_MS      300
#define HANDOVER_WAIT_MS   3000
#define KILL_SLACK_US      5000000 /* past stop_grace */

/* What a pair of children is to us. */
enum pair_use { PAIR_FREE, PAIR_NEXT, PAIR_CURRENT, PAIR_LEAVING };

struct pair {
	enum pair_use use;
	struct arena *a; /* of its configuration */
	struct config config;
	struct bytes config_text;
	struct masterfile secrets;
	const char *pin;         /* of the HSM; NULL: none is set up */
	pid_t http, signer, hsm; /* 0: not running */
	int control;             /* to the HTTP process; -1: none */
	int64_t started_us, start_at_us;
	unsigned failures; /* in a row */
	int64_t hsm_started_us, hsm_start_at_us;
	unsigned hsm_failures;
	int64_t kill_at_us;   /* PAIR_LEAVING */
	int64_t pinged_at_us; /* 0: no ping on its way */
};

struct supervisor {
	struct arena *a;
	const char *config_path;
	struct config config; /* what we started with: listeners, users */
	struct listeners listeners;
	struct pair pairs[PAIRS_MAX];
	int signals, exe;
	bool stopping, ever_ready;
	enum cli_exit exit;
	int64_t watchdog_us, watchdog_at_us; /* half the interval; 0: none */
};

/* ---- starting children ---- */

/* systemd's variables are ours alone. */
static void
clean_environment(void)
{
	static const char *const names[] = {
		"NOTIFY_SOCKET", "WATCHDOG_USEC",  "WATCHDOG_PID",         "LISTEN_FDS",
		"LISTEN_PID",    "LISTEN_FDNAMES", "CREDENTIALS_DIRECTORY"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unsetenv(names[i]);
}

/* In the new process: its descriptor in its place, its user, then this program again. */
static _Noreturn void
become_child(const struct supervisor *s, const char *kind, const char *user, int fd)
{
	char *argv[] = {(char *)(uintptr_t) "kontor", (char *)(uintptr_t) "serve",
			(char *)(uintptr_t) "--child", (char *)(uintptr_t)kind, NULL};
	struct err err = {0};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	clean_environment();
	if (sandbox_become(user, &err)) {
		/* dup2 onto itself would keep close-on-exec. */
		if (fd == SUPERVISOR_CHILD_FD)
			fcntl(fd, F_SETFD, 0);
		else
			dup2(fd, SUPERVISOR_CHILD_FD);
		execveat(s->exe, "", argv, environ, AT_EMPTY_PATH);
		(void)!FAIL(&err, ERR_INTERNAL, NULL, "exec: %s", strerror(errno));
	}
	log_err(LOG_LVL_ERROR, "start", &err, "child", kind, NULL);
	_exit(CLI_FAILED);
}

static bool
start_child(const struct supervisor *s, const char *kind, const char *user, int fd, pid_t *out,
	    struct err *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "fork: %s", strerror(errno));
	if (pid == 0)
		become_child(s, kind, user, fd);
	*out = pid;
	return true;
}

/* A new signer with its secrets; *client is the other end of its socket. */
static bool
start_signer(struct supervisor *s, struct pair *p, int *client, struct err *err)
{
	int fds[2];

	if (!signer_socketpair(fds, err))
		return false;
	bool ok = start_child(s, "signer", s->config.signer_user, fds[1], &p->signer, err);

	close(fds[1]);
	if (ok &&
	    signer_send_secrets(fds[0], s->config.instance, &p->secrets, SECRETS_TIMEOUT_US, err)) {
		*client = fds[0];
		return true;
	}
	close(fds[0]);
	return false;
}

static int64_t
backoff_us(unsigned failures, int64_t most_us)
{
	int64_t wait = BACKOFF_FIRST_US;

	for (; failures > 1 && wait < most_us; failures--)
		wait *= 2;
	return failures == 0 ? 0 : wait;
}

/* The HSM process comes and goes for itself: the pair serves without, as long as it must. */
static void
plan_hsm(struct pair *p)
{
	int64_t now_us = clock_mono_us();

	if (now_us - p->hsm_started_us > SETTLED_US)
		p->hsm_failures = 0;
	p->hsm_start_at_us = now_us + backoff_us(p->hsm_failures, HSM_BACKOFF_US);
	p->hsm_failures++;
}

/* A new HSM process, and its socket for the HTTP process. */
static bool
begin_hsm(struct supervisor *s, struct pair *p, struct err *err)
{
	struct hsm_settings settings = config_hsm(&p->config, p->pin);
	int fds[2];

	if (!signer_socketpair(fds, err))
		return false;
	bool ok = start_child(s, "hsm", config_hsm_user(&s->config), fds[1], &p->hsm, err);

	close(fds[1]);
	ok = ok &&
	     hsm_send_secrets(fds[0], s->config.instance, &p->secrets, &settings,
			      SECRETS_TIMEOUT_US, err) &&
	     control_send(p->control, CONTROL_HSM, 0, fds[0], err);
	close(fds[0]);
	return ok;
}

static void
start_hsm(struct supervisor *s, struct pair *p)
{
	struct err err = {0};

	p->hsm_start_at_us = 0;
	if (p->pin == NULL)
		return;
	p->hsm_started_us = clock_mono_us();
	if (begin_hsm(s, p, &err))
		return;
	log_err(LOG_LVL_ERROR, "start", &err, "child", "hsm", NULL);
	if (p->hsm == 0) /* else its death says the rest */
		plan_hsm(p);
}

static bool
send_memory(struct pair *p, enum control_type type, struct bytes text, struct err *err)
{
	int fd;

	if (!control_memory("kontor", text, &fd, err))
		return false;
	bool ok = control_send(p->control, type, 0, fd, err);

	close(fd);
	return ok;
}

static bool
send_file(struct arena *a, struct pair *p, enum control_type type, const char *path,
	  struct err *err)
{
	struct bytes text;

	return conf_read_file(a, path, PEM_MAX_BYTES, &text, err) &&
	       send_memory(p, type, text, err);
}

/*
 * What takes memory after the start, through arena_run: whoever supervises goes on without
 * it.  Each with an arena that lives as long as what is made.
 */
struct effort {
	struct arena *a;
	struct pair *p;
	const char *path;
	struct err *err;
	bool ok;
};

static bool
make_effort(struct effort *e, void (*fn)(void *effort))
{
	if (e->a == NULL || !arena_run(e->a, fn, e))
		e->ok = arena_run_failed(e->a, e->err);
	return e->ok;
}

static void
send_pems(void *effort)
{
	struct effort *e = effort;
	const struct config *c = &e->p->config;

	e->ok = send_file(e->a, e->p, CONTROL_CERTIFICATE, c->tls_certificate, e->err) &&
		send_file(e->a, e->p, CONTROL_KEY, c->tls_key, e->err);
}

/* The TLS key passes through an arena of its own, which wipes. */
static bool
send_tls(struct pair *p, struct err *err)
{
	struct effort e = {arena_create(8 * PEM_MAX_BYTES), p, NULL, err, false};
	bool ok = make_effort(&e, send_pems);

	arena_destroy(e.a);
	return ok;
}

static bool
brief_http(struct supervisor *s, struct pair *p, int signer, struct err *err)
{
	if (!send_memory(p, CONTROL_CONFIG, p->config_text, err) ||
	    (p->config.tls_key != NULL && !send_tls(p, err)))
		return false;
	for (size_t i = 0; i < s->listeners.n; i++)
		if (!control_send(p->control, CONTROL_LISTEN, 0, s->listeners.fds[i], err))
			return false;
	if (s->listeners.metrics >= 0 &&
	    !control_send(p->control, CONTROL_METRICS, 0, s->listeners.metrics, err))
		return false;
	start_hsm(s, p); /* before the start, so that the first metadata can be signed */
	/* While another process serves there is time; else a queued connection waits a little. */
	uint32_t wait_ms = p->use == PAIR_NEXT ? HANDOVER_WAIT_MS : START_WAIT_MS;

	return control_send(p->control, CONTROL_SIGNER, 0, signer, err) &&
	       control_send(p->control, CONTROL_START, wait_ms, -1, err);
}

/*
 * The shipped unit leaves no CAP_KILL: of the users a process may be, its own may
 * end it.  Who we really are stays, so nobody can end us meanwhile.
 */
static void
kill_child(pid_t pid, const char *user)
{
	if (pid == 0 || kill(pid, SIGKILL) == 0 || errno != EPERM || user == NULL)
		return;
	const struct passwd *pw = getpwnam(user);

	if (pw == NULL || seteuid(pw->pw_uid) != 0)
		return;
	kill(pid, SIGKILL);
	if (seteuid(getuid()) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		_exit(CLI_FAILED); /* neither has a reason to fail; half of ourselves is worse than
				      none */
}

static bool
start_http(struct supervisor *s, struct pair *p, int signer, struct err *err)
{
	int fds[2];

	if (!control_pair(fds, err))
		return false;
	bool ok = start_child(s, "http", s->config.user, fds[1], &p->http, err);

	close(fds[1]);
	p->control = fds[0];
	if (ok && brief_http(s, p, signer, err))
		return true;
	/* Told half of it, it would wait for ever. */
	kill_child(p->http, s->config.user);
	close(p->control);
	p->control = -1;
	return false;
}

/* Plan the start of whatever is missing of a pair. */
static void
plan_start(struct pair *p)
{
	int64_t now_us = clock_mono_us();

	if (now_us - p->started_us > SETTLED_US)
		p->failures = 0;
	p->start_at_us = now_us + backoff_us(p->failures, BACKOFF_MOST_US);
	p->failures++;
}

/* Both children, or a new signer for a living HTTP process. */
static void
start_pair(struct supervisor *s, struct pair *p)
{
	struct err err = {0};
	int signer = -1;
	bool ok = start_signer(s, p, &signer, &err);

	p->started_us = clock_mono_us();
	p->start_at_us = 0;
	if (ok && p->http != 0)
		ok = control_send(p->control, CONTROL_SIGNER, 0, signer, &err);
	else if (ok)
		ok = start_http(s, p, signer, &err);
	if (signer >= 0)
		close(signer);
	if (!ok) {
		log_err(LOG_LVL_ERROR, "start", &err, NULL);
		/* Without our end of its control socket it is about to end; that plans another one.
		 */
		if (p->http == 0 || p->control >= 0)
			plan_start(p);
	}
}

/* ---- pairs ---- */

static struct pair *
find_pair(struct supervisor *s, enum pair_use use)
{
	for (size_t i = 0; i < PAIRS_MAX; i++)
		if (s->pairs[i].use == use)
			return &s->pairs[i];
	return NULL;
}

static void
read_config(void *effort)
{
	struct effort *e = effort;
	struct pair *p = e->p;

	e->ok = conf_read_file(p->a, e->path, CONFIG_FILE_MAX_BYTES, &p->config_text, e->err) &&
		config_parse(p->a, e->path, p->config_text, true, &p->config, e->err) &&
		masterfile_read(p->a, p->config.master_key_file, &p->secrets, e->err) &&
		(p->config.hsm_pin_file == NULL ||
		 hsm_pin_read(p->a, p->config.hsm_pin_file, &p->pin, e->err));
}

static void
free_pair(struct pair *p)
{
	if (p->control >= 0)
		close(p->control);
	arena_destroy(p->a);
	*p = (struct pair){.use = PAIR_FREE, .control = -1};
}

/* A free place with the configuration as it stands in the file now. */
static bool
new_pair(struct supervisor *s, enum pair_use use, struct pair **out, struct err *err)
{
	struct pair *p = find_pair(s, PAIR_FREE);

	if (p == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "too many processes are still leaving");
	p->control = -1;
	p->a = arena_create(CONFIG_ARENA_BYTES);
	struct effort e = {p->a, p, s->config_path, err, false};

	if (!make_effort(&e, read_config)) {
		free_pair(p);
		return false;
	}
	p->use = use;
	*out = p;
	return true;
}

static void
leave(struct pair *p, enum control_stop how)
{
	p->use = PAIR_LEAVING;
	p->start_at_us = p->hsm_start_at_us = 0;
	p->kill_at_us = clock_mono_us() + KILL_SLACK_US +
			(p->config.stop_grace_ms + p->config.stop_announce_ms) * 1000;
	if (p->control < 0 || control_send(p->control, CONTROL_STOP, (uint32_t)how, -1, NULL))
		return;
	/* The end of the socket is a word it understands as well. */
	close(p->control);
	p->control = -1;
}

static void
kill_pair(const struct supervisor *s, const struct pair *p)
{
	kill_child(p->http, s->config.user);
	kill_child(p->signer, s->config.signer_user);
	kill_child(p->hsm, config_hsm_user(&s->config));
}

/* The HTTP process listens: it is the one now. */
static void
pair_ready(struct supervisor *s, struct pair *p)
{
	struct pair *before = find_pair(s, PAIR_CURRENT);

	if (p->use == PAIR_NEXT) {
		if (before != NULL)
			leave(before, CONTROL_STOP_HANDOVER);
		p->use = PAIR_CURRENT;
		log_event(LOG_LVL_INFO, "reloaded", NULL);
	}
	s->ever_ready = true;
	sd_notify(0, "READY=1");
}

/* ---- what happens ---- */

static void
stop_all(struct supervisor *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	sd_notify(0, "STOPPING=1");
	log_event(LOG_LVL_INFO, "stopping", NULL);
	for (size_t i = 0; i < PAIRS_MAX; i++)
		if (s->pairs[i].use != PAIR_FREE)
			leave(&s->pairs[i], CONTROL_STOP_NODE);
}

static void
reload(struct supervisor *s)
{
	struct pair *p = find_pair(s, PAIR_NEXT);
	struct err err = {0};
	const char *key;

	if (s->stopping)
		return;
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_mono_us());
	if (p != NULL) {
		leave(p, CONTROL_STOP_HANDOVER);
		kill_pair(s, p);
	}
	if (!new_pair(s, PAIR_NEXT, &p, &err)) {
		log_err(LOG_LVL_ERROR, "reload_refused", &err, NULL);
		sd_notify(0, "READY=1");
		return;
	}
	key = config_needs_restart(&s->config, &p->config);
	if (key != NULL)
		log_event(LOG_LVL_WARN, "restart_needed", "key", key, NULL);
	start_pair(s, p);
}

/* A child that says by itself, before we ever served, that it cannot: so do we. */
static bool
is_hopeless(const struct supervisor *s, int status)
{
	return !s->ever_ready && WIFEXITED(status) && WEXITSTATUS(status) != CLI_OK;
}

static void
note_death(const struct pair *p, const char *kind, int status)
{
	char how[32];

	/* An orderly end after its HTTP process is no news. */
	if (p->http == 0 && WIFEXITED(status) && WEXITSTATUS(status) == CLI_OK)
		return;
	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "signal %d", WTERMSIG(status));
	else
		snprintf(how, sizeof(how), "status %d", WEXITSTATUS(status));
	log_event(LOG_LVL_WARN, "child_died", "child", kind, "how", how, NULL);
}

/* Nothing else hangs on it.  It ends by itself when its HTTP process is gone. */
static void
hsm_died(struct pair *p, int status)
{
	p->hsm = 0;
	if (p->use == PAIR_LEAVING)
		return;
	note_death(p, "hsm", status);
	if (p->http != 0)
		plan_hsm(p);
}

/* A signer ends by itself when its HTTP process is gone. */
static void
child_died(struct supervisor *s, struct pair *p, bool http, int status)
{
	*(http ? &p->http : &p->signer) = 0;
	if (http && p->control >= 0) {
		close(p->control);
		p->control = -1;
	}
	if (p->use == PAIR_LEAVING)
		return;
	note_death(p, http ? "http" : "signer", status);
	if (is_hopeless(s, status)) {
		s->exit = (enum cli_exit)WEXITSTATUS(status);
		stop_all(s);
		kill_pair(s, p);
	} else if (p->use == PAIR_NEXT) {
		/* The new configuration does not work: the old one goes on. */
		log_event(LOG_LVL_ERROR, "reload_refused", "text", "the new process ended", NULL);
		leave(p, CONTROL_STOP_HANDOVER);
		kill_pair(s, p);
		sd_notify(0, "READY=1");
	} else if (http || p->http != 0) {
		plan_start(p);
	}
}

static void
reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < PAIRS_MAX; i++) {
			struct pair *p = &s->pairs[i];

			if (p->use != PAIR_FREE && p->hsm == pid)
				hsm_died(p, status);
			else if (p->use != PAIR_FREE && (p->http == pid || p->signer == pid))
				child_died(s, p, p->http == pid, status);
			else
				continue;
			break;
		}
	}
}

static void
read_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(s);
		else if (info.ssi_signo == SIGHUP)
			reload(s);
		else
			stop_all(s);
	}
}

static void
read_control(struct supervisor *s, struct pair *p)
{
	struct control_message m;

	if (!control_receive(p->control, &m, NULL) || m.type == CONTROL_END) {
		/* SIGCHLD says the rest; do not look here again. */
		close(p->control);
		p->control = -1;
		return;
	}
	if (m.fd >= 0)
		close(m.fd);
	if (m.type == CONTROL_READY)
		pair_ready(s, p);
	if (m.type == CONTROL_PONG && p->use == PAIR_CURRENT) {
		p->pinged_at_us = 0;
		sd_notify(0, "WATCHDOG=1");
	}
}

/* systemd's watchdog is fed only by an answer of the HTTP process. */
static void
ping(struct supervisor *s, int64_t now_us)
{
	struct pair *p = find_pair(s, PAIR_CURRENT);

	s->watchdog_at_us = now_us + s->watchdog_us;
	if (p == NULL || p->control < 0 || p->pinged_at_us != 0)
		return;
	p->pinged_at_us = now_us;
	(void)!control_send(p->control, CONTROL_PING, 0, -1, NULL);
}

/* What the clock asks for; returns when to look again. */
static int64_t
on_time(struct supervisor *s)
{
	int64_t now_us = clock_mono_us(), next_us = now_us + 60000000;

	if (s->watchdog_us > 0 && now_us >= s->watchdog_at_us)
		ping(s, now_us);
	if (s->watchdog_us > 0 && s->watchdog_at_us < next_us)
		next_us = s->watchdog_at_us;
	for (size_t i = 0; i < PAIRS_MAX; i++) {
		struct pair *p = &s->pairs[i];

		if (p->start_at_us != 0 && now_us >= p->start_at_us)
			start_pair(s, p);
		if (p->hsm_start_at_us != 0 && now_us >= p->hsm_start_at_us)
			start_hsm(s, p);
		if (p->use == PAIR_LEAVING && now_us >= p->kill_at_us) {
			kill_pair(s, p);
			p->kill_at_us = now_us + KILL_SLACK_US;
		}
		if (p->start_at_us != 0 && p->start_at_us < next_us)
			next_us = p->start_at_us;
		if (p->hsm_start_at_us != 0 && p->hsm_start_at_us < next_us)
			next_us = p->hsm_start_at_us;
		if (p->use == PAIR_LEAVING && p->kill_at_us < next_us)
			next_us = p->kill_at_us;
	}
	return next_us;
}

/* Pairs whose processes are all gone. */
static void
clear_left(struct supervisor *s)
{
	for (size_t i = 0; i < PAIRS_MAX; i++)
		if (s->pairs[i].use == PAIR_LEAVING && s->pairs[i].http == 0 &&
		    s->pairs[i].signer == 0 && s->pairs[i].hsm == 0)
			free_pair(&s->pairs[i]);
}

static bool
any_pair(const struct supervisor *s)
{
	for (size_t i = 0; i < PAIRS_MAX; i++)
		if (s->pairs[i].use != PAIR_FREE)
			return true;
	return false;
}

static void
loop(struct supervisor *s)
{
	while (any_pair(s)) {
		struct pollfd fds[PAIRS_MAX + 1] = {{.fd = s->signals, .events = POLLIN}};
		int64_t wait_us = on_time(s) - clock_mono_us();

		for (size_t i = 0; i < PAIRS_MAX; i++)
			fds[i + 1] = (struct pollfd){
				.fd = s->pairs[i].use == PAIR_FREE ? -1 : s->pairs[i].control,
				.events = POLLIN};
		if (poll(fds, PAIRS_MAX + 1, wait_us <= 0 ? 0 : (int)(wait_us / 1000 + 1)) <= 0)
			continue;
		for (size_t i = 0; i < PAIRS_MAX; i++)
			if (fds[i + 1].revents != 0 && s->pairs[i].control == fds[i + 1].fd)
				read_control(s, &s->pairs[i]);
		if (fds[0].revents != 0)
			read_signals(s);
		clear_left(s);
	}
}

/* ---- begin ---- */

static bool
catch_signals(struct supervisor *s, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN); /* of a log that nobody reads */
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0)
		return FAIL(err, ERR_INTERNAL, NULL, "signalfd: %s", strerror(errno));
	return true;
}

/* Secrets lie here too: no core, no debugger. */
static bool
harden(struct err *err)
{
	const struct rlimit none = {0};

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
		return FAIL(err, ERR_INTERNAL, NULL, "process cannot be locked down: %s",
			    strerror(errno));
	return true;
}

/*
 * This very program, also when a new one lies in its place by now.  Opened
 * before we are locked down (then /proc/self is closed to us), and above the
 * place where a child expects its socket.
 */
static bool
open_self(struct supervisor *s, struct err *err)
{
	int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);

	s->exe = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, SUPERVISOR_CHILD_FD + 1);
	if (s->exe < 0)
		(void)!FAIL(err, ERR_INTERNAL, NULL, "/proc/self/exe: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return s->exe >= 0;
}

static bool
begin(struct supervisor *s, struct err *err)
{
	struct pair *first;
	uint64_t watchdog_us = 0;

	if (!open_self(s, err))
		return false;
	if (!harden(err) || !config_load(s->a, s->config_path, true, &s->config, err))
		return false;
	log_open(STDERR_FILENO, (enum log_level)s->config.log_level, "supervisor");
	if (!catch_signals(s, err) || !new_pair(s, PAIR_CURRENT, &first, err) ||
	    !listeners_open(s->a, &s->config, &s->listeners, err))
		return false;
	if (sd_watchdog_enabled(0, &watchdog_us) > 0)
		s->watchdog_us = (int64_t)watchdog_us / 2;
	log_event(LOG_LVL_INFO, "starting", "instance", s->config.instance, NULL);
	start_pair(s, first);
	return true;
}

enum cli_exit
supervisor_run(struct cli *cli)
{
	struct supervisor *s = ARENA_NEW(cli->a, struct supervisor);
	struct err err = {0};
	enum cli_exit rc = CLI_OK;

	s->a = cli->a;
	s->config_path = cli->config_path;
	s->listeners.metrics = -1;
	for (size_t i = 0; i < PAIRS_MAX; i++)
		s->pairs[i].control = -1;
	if (begin(s, &err)) {
		loop(s);
		rc = s->exit;
		log_event(LOG_LVL_INFO, "stopped", NULL);
	} else {
		rc = cli_fail(cli, &err);
	}
	for (size_t i = 0; i < PAIRS_MAX; i++)
		free_pair(&s->pairs[i]);
	listeners_close(&s->listeners);
	return rc;
}
