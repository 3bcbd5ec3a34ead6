/*
 * The program as processes: both children are back within a second, a reload
 * takes over without a lost request or keeps the old configuration, a stop lets
 * requests end.  The database stays away; that is no hindrance to serve.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "keys/masterfile.h"
#include "tests/test.h"

#define PATIENCE_US 30000000 /* before a test gives up; sanitizers on a busy machine */

static struct arena *a;
static struct arena *scratch; /* emptied by each look at the processes or the log */
static const char *kontor, *folder, *config_path, *log_path;
static pid_t supervisor;
static int notify_fd;

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static void
write_config(const char *more)
{
	write_file(
		config_path,
		arena_printf(a,
			     "instance = test\nbase_url = https://k\nlisten = unix:%s/http\n"
			     "listen_metrics = unix:%s/metrics\nmaster_key_file = %s/master.key\n"
			     "database = host=%s/nowhere connect_timeout=2\nstop_grace = 5s\n%s",
			     folder, folder, folder, folder, more));
}

static int
setup(void **state UNUSED)
{
	static char name[] = "/tmp/kontor-test-XXXXXX";
	struct masterfile mf;
	struct err err = {0};

	a = arena_create(16 << 20);
	scratch = arena_create(16 << 20);
	folder = mkdtemp(name);
	assert_non_null(folder);
	config_path = arena_printf(a, "%s/kontor.conf", folder);
	log_path = arena_printf(a, "%s/log", folder);
	masterfile_init(&mf, clock_now() - 10);
	ASSERT_OK(masterfile_create(a, &mf, arena_printf(a, "%s/master.key", folder), &err), &err);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	static const char *const files[] = {"kontor.conf", "log",     "master.key",
					    "http",        "metrics", "notify"};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		unlink(arena_printf(a, "%s/%s", folder, files[i]));
	rmdir(folder);
	arena_destroy(scratch);
	arena_destroy(a);
	return 0;
}

/* ---- looking on ---- */

static void
pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

static struct sockaddr_un
address(const char *name)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	snprintf(un.sun_path, sizeof(un.sun_path), "%s/%s", folder, name);
	return un;
}

/* What systemd would listen at. */
static void
open_notify(void)
{
	struct sockaddr_un un = address("notify");

	unlink(un.sun_path);
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(notify_fd, (struct sockaddr *)&un, sizeof(un)), 0);
	setenv("NOTIFY_SOCKET", un.sun_path, 1);
}

static void
wait_notify(const char *wanted)
{
	struct pollfd p = {.fd = notify_fd, .events = POLLIN};
	char text[512] = "";

	while (poll(&p, 1, (int)(PATIENCE_US / 1000)) > 0) {
		ssize_t n = recv(notify_fd, text, sizeof(text) - 1, 0);

		text[n > 0 ? n : 0] = '\0';
		if (strstr(text, wanted) != NULL)
			return;
	}
	fail_msg("systemd was not told %s; last: %s", wanted, text);
}

/* The child of a kind, as /proc shows its command line; 0: none. */
static pid_t
child_of(const char *kind)
{
	DIR *d = opendir("/proc");
	pid_t found = 0;

	arena_reset(scratch);
	for (struct dirent *e = readdir(d); e != NULL && found == 0; e = readdir(d)) {
		char text[512] = "";
		int fd, parent = 0;
		ssize_t n = 0;

		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		fd = open(arena_printf(scratch, "/proc/%s/stat", e->d_name), O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		if (n <= 0 || sscanf(strrchr(text, ')') + 1, " %*c %d", &parent) != 1 ||
		    parent != (int)supervisor)
			continue;
		fd = open(arena_printf(scratch, "/proc/%s/cmdline", e->d_name),
			  O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
		if (fd >= 0)
			close(fd);
		if (n > 0 && memmem(text, (size_t)n, kind, strlen(kind)) != NULL)
			found = (pid_t)atoi(e->d_name);
	}
	closedir(d);
	return found;
}

/* One request; its status, or 0 when there was no answer. */
static int
ask(const char *socket_name, const char *path)
{
	struct sockaddr_un un = address(socket_name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[512] = "";
	char request[128];
	struct timeval patience = {20, 0};
	ssize_t n = 0;

	snprintf(request, sizeof(request),
		 "GET %s HTTP/1.1\r\nHost: k\r\nConnection: close\r\n\r\n", path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0 &&
	    send(fd, request, strlen(request), MSG_NOSIGNAL) > 0)
		n = recv(fd, text, sizeof(text) - 1, 0);
	close(fd);
	return n > 12 ? atoi(text + 9) : 0;
}

static void
start(void)
{
	open_notify();
	supervisor = fork();
	assert_true(supervisor >= 0);
	if (supervisor == 0) {
		int fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);

		prctl(PR_SET_PDEATHSIG, SIGTERM); /* should a test end early */
		dup2(fd, 2);
		execl(kontor, "kontor", "serve", "--config", config_path, (char *)NULL);
		_exit(127);
	}
}

static int
wait_end(void)
{
	int status = 0;

	assert_int_equal(waitpid(supervisor, &status, 0), supervisor);
	close(notify_fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int
stop(void)
{
	kill(supervisor, SIGTERM);
	return wait_end();
}

static bool
log_has(const char *part)
{
	struct bytes text;

	arena_reset(scratch);
	return conf_read_file(scratch, log_path, 1 << 20, &text, NULL) &&
	       memmem(text.p, text.n, part, strlen(part)) != NULL;
}

static void
wait_log(const char *part)
{
	int64_t until_us = clock_mono_us() + PATIENCE_US;

	while (!log_has(part)) {
		if (clock_mono_us() > until_us)
			fail_msg("never logged: %s", part);
		pause_ms(10);
	}
}

/* ---- tests ---- */

static void
a_killed_child_is_back_within_a_second(void **state UNUSED)
{
	static const char *const kinds[] = {"http", "signer"};
	int64_t from_us = clock_mono_us(), most_us = 1000000;

	write_config("");
	start();
	wait_notify("READY=1");
	/* Where a first start takes longer than a quarter of that, the machine is busy. */
	if (clock_mono_us() - from_us > most_us / 4)
		most_us = 4 * (clock_mono_us() - from_us);
	assert_int_equal(ask("http", "/health/live"), 200);
	assert_int_equal(ask("http", "/health/ready"), 503);
	for (size_t round = 0; round < 4; round++) {
		const char *kind = kinds[round % 2];
		pid_t before = child_of(kind), http = child_of("http"), after;
		int64_t killed_us = clock_mono_us();

		assert_true(before > 0);
		kill(before, SIGKILL);
		if (strcmp(kind, "http") == 0)
			assert_int_equal(ask("http", "/health/live"), 200);
		while ((after = child_of(kind)) == 0 || after == before) {
			assert_true(clock_mono_us() - killed_us < PATIENCE_US);
			pause_ms(5);
		}
		if (clock_mono_us() - killed_us > most_us)
			fail_msg("%s took %lld us", kind, (long long)(clock_mono_us() - killed_us));
		/* The signer's death leaves the HTTP process in peace. */
		if (strcmp(kind, "signer") == 0)
			assert_int_equal(child_of("http"), http);
	}
	wait_log("signer_replaced");
	assert_int_equal(ask("metrics", "/metrics"), 200);
	assert_int_equal(stop(), 0);
	assert_int_equal(child_of("http"), 0);
	unlink(log_path);
}

static void
a_reload_takes_over_or_leaves_all_as_it_was(void **state UNUSED)
{
	write_config("");
	start();
	wait_notify("READY=1");
	pid_t first = child_of("http"), second;

	write_config("colour = red\n");
	kill(supervisor, SIGHUP);
	wait_notify("RELOADING=1");
	wait_notify("READY=1");
	assert_true(log_has("unknown key 'colour'"));
	assert_int_equal(child_of("http"), first);

	/* In order by the supervisor's judgement, but not for the new process. */
	write_config(arena_printf(a, "tls_certificate = %s\ntls_key = %s\n", log_path, log_path));
	kill(supervisor, SIGHUP);
	wait_log("the new process ended");
	assert_int_equal(child_of("http"), first);
	assert_int_equal(ask("http", "/health/live"), 200);

	write_config("site_name = Neu\nlisten_group = other\n");
	kill(supervisor, SIGHUP);
	do {
		assert_int_equal(ask("http", "/health/live"), 200); /* none is lost meanwhile */
		second = child_of("http");
	} while (second == first || second == 0 || !log_has("\"reloaded\""));
	assert_true(log_has("\"restart_needed\",\"key\":\"listen_group\""));
	assert_int_equal(ask("http", "/health/live"), 200);
	assert_int_equal(stop(), 0);
	unlink(log_path);
}

static void
a_child_that_can_never_start_ends_the_program(void **state UNUSED)
{
	write_config(
		arena_printf(a, "tls_certificate = %s\ntls_key = %s\n", config_path, config_path));
	start();
	assert_int_equal(wait_end(), 2);
	assert_true(log_has("certificate and key do not fit"));
	unlink(log_path);
}

/* The user of a process, as /proc shows it. */
static uid_t
user_of(pid_t pid)
{
	struct stat st;

	/* Not dumpable: the folder itself is root's, the task's status is not. */
	assert_int_equal(stat(arena_printf(a, "/proc/%d/status", (int)pid), &st), 0);
	FILE *f = fopen(arena_printf(a, "/proc/%d/status", (int)pid), "r");
	char line[256];
	unsigned uid = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "Uid: %u", &uid) == 1)
			break;
	fclose(f);
	return uid;
}

static void
children_run_as_two_other_users(void **state UNUSED)
{
	if (geteuid() != 0)
		skip();
	write_config("user = nobody\nsigner_user = daemon\n");
	start();
	wait_notify("READY=1");
	assert_int_equal(ask("http", "/health/live"), 200);
	assert_int_equal(user_of(child_of("http")), getpwnam("nobody")->pw_uid);
	assert_int_equal(user_of(child_of("signer")), getpwnam("daemon")->pw_uid);
	kill(child_of("signer"), SIGKILL);
	wait_log("signer_replaced");
	assert_int_equal(stop(), 0);
	unlink(log_path);

	write_config("user = no-such-user\n");
	start();
	assert_int_equal(wait_end(), 1);
	assert_true(log_has("no user no-such-user"));
	unlink(log_path);
}

static void
the_watchdog_is_fed_while_the_http_process_answers(void **state UNUSED)
{
	write_config("");
	setenv("WATCHDOG_USEC", "200000", 1);
	start();
	unsetenv("WATCHDOG_USEC");
	wait_notify("READY=1");
	wait_notify("WATCHDOG=1");
	wait_notify("WATCHDOG=1");
	assert_int_equal(stop(), 0);
	unlink(log_path);
}

static void
what_is_wrong_before_any_start_is_said(void **state UNUSED)
{
	write_config("colour = red\n");
	start();
	assert_int_equal(wait_end(), 2);
	assert_true(log_has("kontor.conf:8: unknown key 'colour'"));
	unlink(log_path);

	write_config("");
	chmod(arena_printf(a, "%s/master.key", folder), 0644);
	start();
	assert_int_equal(wait_end(), 5);
	chmod(arena_printf(a, "%s/master.key", folder), 0600);
	unlink(log_path);
}

static void
a_running_request_ends_before_the_program_does(void **state UNUSED)
{
	struct sockaddr_un un = address("http");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[512];

	write_config("body_timeout = 20s\n");
	start();
	wait_notify("READY=1");
	assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	/* A request under way: its head is there, the connection is kept. */
	send(fd, "GET /health/live HTTP/1.1\r\nHost: k\r\n\r\n", 38, MSG_NOSIGNAL);
	assert_true(recv(fd, text, sizeof(text), 0) > 0);
	kill(supervisor, SIGTERM);
	wait_notify("STOPPING=1");
	assert_int_equal(wait_end(), 0);
	assert_int_equal(recv(fd, text, sizeof(text), 0), 0);
	close(fd);
	unlink(log_path);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_killed_child_is_back_within_a_second),
		cmocka_unit_test(a_reload_takes_over_or_leaves_all_as_it_was),
		cmocka_unit_test(a_child_that_can_never_start_ends_the_program),
		cmocka_unit_test(children_run_as_two_other_users),
		cmocka_unit_test(the_watchdog_is_fed_while_the_http_process_answers),
		cmocka_unit_test(what_is_wrong_before_any_start_is_said),
		cmocka_unit_test(a_running_request_ends_before_the_program_does),
	};

	kontor = argc > 1 ? argv[1] : "kontor";
	return cmocka_run_group_tests_name("supervisor", tests, setup, teardown);
}
