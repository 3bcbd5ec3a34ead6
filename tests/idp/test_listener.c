/* Opening listeners: what the configuration names, and nothing half done. */
#include "idp/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/test.h"

static struct arena *a;
static char path[64];

static int
setup(void **state UNUSED)
{
	a = arena_create(8 << 20);
	snprintf(path, sizeof(path), "/tmp/kontor-test-%d-listener", (int)getpid());
	return a == NULL;
}

static int
teardown(void **state UNUSED)
{
	unlink(path);
	arena_destroy(a);
	return 0;
}

static struct config
configured(const char *listen, const char *more)
{
	struct config c;
	struct err err = {0};
	const char *text = arena_printf(a,
					"instance = a\nbase_url = https://k\ndatabase = x\n"
					"master_key_file = /dev/null\nlisten = %s\n%s",
					listen, more);

	ASSERT_OK(config_parse(a, "t.conf", bytes_of(text), true, &c, &err), &err);
	return c;
}

static void
all_that_are_named_listen(void **state UNUSED)
{
	struct config c = configured(arena_printf(a, "127.0.0.1:0 [::1]:0 unix:%s", path),
				     "listen_metrics = 127.0.0.1:0\n");
	struct listeners l;
	struct err err = {0};
	struct stat st;
	int on = 0;
	socklen_t n = sizeof(on);

	for (int again = 0; again < 2; again++) { /* a stale socket file is no hindrance */
		ASSERT_OK(listeners_open(a, &c, &l, &err), &err);
		assert_int_equal(l.n, 3);
		assert_true(l.metrics >= 0);
		for (size_t i = 0; i < l.n; i++) {
			assert_int_equal(getsockopt(l.fds[i], SOL_SOCKET, SO_ACCEPTCONN, &on, &n),
					 0);
			assert_int_equal(on, 1);
		}
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0660);
		listeners_close(&l);
		assert_int_equal(l.n, 0);
	}
}

static void
what_cannot_be_opened_is_named(void **state UNUSED)
{
	struct config c = configured("127.0.0.1:0", "");
	struct listeners l;
	struct err err = {0};

	c = configured("192.0.2.1:1", "");
	ASSERT_REFUSED(listeners_open(a, &c, &l, &err), &err, ERR_UNAVAILABLE, "192.0.2.1:1: ");
	c = configured(arena_printf(a, "127.0.0.1:0 unix:%s", path),
		       "listen_group = nosuchgroup\n");
	ASSERT_REFUSED(listeners_open(a, &c, &l, &err), &err, ERR_UNAVAILABLE, path);
	c = configured("unix:/none/such/socket", "");
	ASSERT_REFUSED(listeners_open(a, &c, &l, &err), &err, ERR_UNAVAILABLE, "/none/such");
	c = configured("127.0.0.1:0", "listen_metrics = 192.0.2.1:1\n");
	ASSERT_REFUSED(listeners_open(a, &c, &l, &err), &err, ERR_UNAVAILABLE, "192.0.2.1:1: ");
}

/* As systemd does it: from descriptor 3 on, names in the environment. */
static void
sockets_of_systemd_are_found_by_name(void **state UNUSED)
{
	struct config c = configured("systemd:http", "listen_metrics = systemd:metrics\n");
	struct listeners l;
	struct err err = {0};
	char pid[16];

	ASSERT_REFUSED(listeners_open(a, &c, &l, &err), &err, ERR_INPUT, "systemd:http: no such");
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	int fds[2] = {socket(AF_UNIX, SOCK_STREAM, 0), socket(AF_UNIX, SOCK_STREAM, 0)};

	assert_true(dup2(fds[0], 30) == 30 && dup2(fds[1], 31) == 31);
	assert_true(dup2(30, 3) == 3 && dup2(31, 4) == 4);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", "metrics:http", 1);
	ASSERT_OK(listeners_open(a, &c, &l, &err), &err);
	assert_int_equal(l.fds[0], 4);
	assert_int_equal(l.metrics, 3);
	assert_null(getenv("LISTEN_FDS"));
	listeners_close(&l);
	close(30);
	close(31);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_are_named_listen),
		cmocka_unit_test(what_cannot_be_opened_is_named),
		cmocka_unit_test(sockets_of_systemd_are_found_by_name),
	};

	return cmocka_run_group_tests_name("listener", tests, setup, teardown);
}
