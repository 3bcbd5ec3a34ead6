/* The end of a server: who was let in is answered, however near the end it was. */
#include "idp/server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/idp/wire.h"
#include "tests/test.h"

#define ONE_MORE "GET /loop HTTP/1.1\r\nHost: k\r\n\r\n"

static struct arena *life;
static struct config config;
static struct app app;
static struct server *server;
static char path[WIRE_PATH_BYTES];
static int listening; /* as the supervisor's copy: who is not let in waits for the next process */

/* A handler that waits until the test opens the gate. */
static atomic_bool is_open, is_inside;

static bool
handle_wait(struct request *rq UNUSED, struct response *rs, struct err *err UNUSED)
{
	atomic_store(&is_inside, true);
	while (!atomic_load(&is_open))
		usleep(1000);
	response_text(rs, 200, "waited");
	return true;
}

static bool
handle_loop(struct request *rq UNUSED, struct response *rs, struct err *err UNUSED)
{
	response_text(rs, 200, "loop");
	return true;
}

static const struct route table[] = {
	{HTTP_GET, "/loop", handle_loop, LANE_LOOP, 0, 64, 0, 1 << 20, NULL},
	{HTTP_GET, "/wait", handle_wait, LANE_LIGHT, 0, 64, 0, 1 << 20, NULL},
	{.path = NULL},
};

/* The library's accept, which can be held where the connection is taken and nobody knows of it. */
static atomic_bool is_held, is_taken;

__attribute__((visibility("default"))) int
accept4(int fd, struct sockaddr *restrict addr, socklen_t *restrict n, int flags)
{
	int got = (int)syscall(SYS_accept4, fd, addr, n, flags);

	while (got >= 0 && atomic_load(&is_held)) {
		atomic_store(&is_taken, true);
		usleep(1000);
	}
	return got;
}

static int
setup(void **state UNUSED)
{
	struct server_options o = {
		.app = &app, .n_fds = 1, .metrics_fd = -1, .loops = 2, .cores = 2};
	struct err err = {0};
	int fd = listen_at(path, "stop");

	listening = dup(fd);
	o.fds = &fd;
	life = arena_create(16 << 20);
	ASSERT_OK(config_parse(life, "t.conf",
			       bytes_of("instance = t\nbase_url = https://k\ndatabase = x\n"
					"listen = 127.0.0.1:0\nmaster_key_file = /dev/null\n"),
			       true, &config, &err),
		  &err);
	app_init(&app, life, &config, table);
	ASSERT_OK(server_start(&o, &server, &err), &err);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	app_finish(&app);
	arena_destroy(life);
	close(listening);
	unlink(path);
	return 0;
}

static void
running_requests_end(void **state UNUSED)
{
	int fd = dial(path), idle = dial(path);

	atomic_store(&is_open, false);
	say(fd, "GET /wait HTTP/1.1\r\nHost: k\r\n\r\n");
	while (!atomic_load(&is_inside))
		usleep(1000);
	server_quiesce(server);
	assert_false(server_drain(server, 50));

	/* Our copies of the listening socket are closed: nobody is accepted any more. */
	close(listening);
	assert_false(is_heard(path));

	atomic_store(&is_open, true);
	assert_int_equal(hear(fd), 200);
	assert_non_null(strcasestr(answer, "Connection: close\r\n"));
	assert_true(server_drain(server, 10000));
	server_stop(server);
	assert_int_equal(hear_all(idle), -1);
	close(fd);
	listening = -1;
}

static void *
stop_main(void *arg UNUSED)
{
	server_quiesce(server);
	assert_true(server_drain(server, 10000));
	server_stop(server);
	return NULL;
}

/* His connection is ours: a new process cannot answer on it. */
static void
who_was_let_in_and_has_not_asked_is_heard(void **state UNUSED)
{
	int late = dial(path), second = dial(path);
	pthread_t thread;

	/* In their order: who came later is answered, so he is let in too. */
	say(second, ONE_MORE);
	assert_int_equal(hear(second), 200);
	close(second);
	close(listening);
	listening = -1;
	assert_int_equal(pthread_create(&thread, NULL, stop_main, NULL), 0);
	while (is_heard(path))
		usleep(1000);
	say(late, ONE_MORE);
	assert_int_equal(hear(late), 200);
	pthread_join(thread, NULL);
	close(late);
}

static void
who_is_just_being_let_in_is_heard(void **state UNUSED)
{
	pthread_t thread;
	int fd;

	atomic_store(&is_held, true);
	fd = dial(path);
	say(fd, ONE_MORE);
	while (!atomic_load(&is_taken))
		usleep(1000);
	assert_int_equal(pthread_create(&thread, NULL, stop_main, NULL), 0);
	usleep(100000); /* for a stop that does not wait to get past the accept */
	atomic_store(&is_held, false);
	assert_int_equal(hear(fd), 200);
	pthread_join(thread, NULL);
	close(fd);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(running_requests_end),
		CASE(who_was_let_in_and_has_not_asked_is_heard),
		CASE(who_is_just_being_let_in_is_heard),
	};

	return cmocka_run_group_tests_name("server_stop", tests, NULL, NULL);
}
