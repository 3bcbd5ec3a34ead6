/*
 * The server on real sockets: what libmicrohttpd would let through and our gate
 * must not, lanes that are full, limits, slow senders, stopping.
 */
#include "idp/server.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "tests/idp/tls.h"
#include "tests/idp/wire.h"
#include "tests/test.h"

static struct arena *life;
static struct app app;
static struct config config;
static struct server *server;
static char path[WIRE_PATH_BYTES], metrics_path[WIRE_PATH_BYTES];

/* A handler that waits until the test opens the gate. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool is_open;
static int n_inside;

static bool
handle_wait(struct request *rq UNUSED, struct response *rs, struct err *err UNUSED)
{
	pthread_mutex_lock(&lock);
	n_inside++;
	pthread_cond_broadcast(&changed);
	while (!is_open)
		pthread_cond_wait(&changed, &lock);
	n_inside--;
	pthread_mutex_unlock(&lock);
	response_text(rs, 200, "waited");
	return true;
}

static void
wait_inside(int n)
{
	pthread_mutex_lock(&lock);
	while (n_inside < n)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void
set_open(bool open)
{
	pthread_mutex_lock(&lock);
	is_open = open;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static atomic_uint n_handled; /* by the two below */

static bool
handle_echo(struct request *rq, struct response *rs, struct err *err UNUSED)
{
	atomic_fetch_add(&n_handled, 1);
	rs->status = 200;
	rs->body = rq->body;
	response_header(rs, "Content-Type", "application/octet-stream");
	response_header(rs, "X-Query", rq->query_raw);
	return true;
}

static bool
handle_light(struct request *rq, struct response *rs, struct err *err UNUSED)
{
	atomic_fetch_add(&n_handled, 1);
	response_text(rs, 200, rq->worker == NULL ? "loop" : "worker");
	return true;
}

static bool
handle_greedy(struct request *rq, struct response *rs, struct err *err UNUSED)
{
	(void)arena_alloc(rq->a, 1 << 24);
	response_text(rs, 200, "never");
	return true;
}

#define ARENA (1 << 20)

static const struct route table[] = {
	{HTTP_GET, "/loop", handle_light, LANE_LOOP, 0, 64, 0, ARENA, NULL},
	{HTTP_GET, "/hold", handle_wait, LANE_LOOP, 0, 64, 0, ARENA, NULL},
	{HTTP_GET, "/light", handle_light, LANE_LIGHT, 0, 8192, 0, ARENA, NULL},
	{HTTP_GET, "/wait", handle_wait, LANE_PASSWORD, 0, 64, 0, ARENA, NULL},
	{HTTP_GET, "/machine", handle_wait, LANE_PASSWORD, ROUTE_MACHINE, 64, 0, ARENA, NULL},
	{HTTP_POST, "/echo", handle_echo, LANE_TOKEN, ROUTE_MACHINE, 1024, 100000, ARENA, NULL},
	{HTTP_GET, "/redeem", handle_wait, LANE_TOKEN, ROUTE_MACHINE, 64, 0, ARENA, NULL},
	{HTTP_GET, "/begin", handle_light, LANE_SAML, ROUTE_BEGINS | ROUTE_REDEEMS, 64, 0, ARENA,
	 NULL},
	{HTTP_GET, "/greedy", handle_greedy, LANE_LIGHT, 0, 64, 0, ARENA, NULL},
	{HTTP_GET, "/static/", document_handle, LANE_LOOP, ROUTE_PREFIX, 64, 0, ARENA, NULL},
	{HTTP_GET, "/inside", handle_light, LANE_LOOP, ROUTE_INTERNAL, 64, 0, ARENA, NULL},
	{.path = NULL},
};

static void
start(void)
{
	int fd = listen_at(path, "public"), metrics_fd = listen_at(metrics_path, "metrics");
	struct server_options o = {.app = &app,
				   .fds = &fd,
				   .n_fds = 1,
				   .metrics_fd = metrics_fd,
				   .loops = 2,
				   .cores = 2};
	struct err err = {0};

	ASSERT_OK(server_start(&o, &server, &err), &err);
}

static void
stop(void)
{
	server_quiesce(server);
	assert_true(server_drain(server, 10000));
	server_stop(server);
	unlink(path);
	unlink(metrics_path);
}

static int
setup(void **state UNUSED)
{
	struct document doc = {.path = "/static/app.css",
			       .type = "text/css",
			       .cache = "public, max-age=60",
			       .body = bytes_of("body{}")};
	struct err err = {0};

	signal(SIGPIPE, SIG_IGN); /* the TLS client writes to whom has hung up */
	log_open(-1, LOG_LVL_ERROR, "test");
	life = arena_create(16 << 20);
	ASSERT_OK(config_parse(life, "t.conf",
			       bytes_of("instance = t\nbase_url = https://k\ndatabase = x\n"
					"listen = 127.0.0.1:0\nmaster_key_file = /dev/null\n"
					"workers_password = 1\nqueue_password = 2\n"
					"head_timeout = 400ms\nbody_timeout = 400ms\n"
					"connections_per_source = 2\n"),
			       true, &config, &err),
		  &err);
	app_init(&app, life, &config, table);
	app.documents_ready = server_documents_ready;
	ASSERT_OK(documents_add(life, &app.assets, &doc, &err), &err);
	start();
	return 0;
}

static int
teardown(void **state UNUSED)
{
	stop();
	app_finish(&app);
	arena_destroy(life);
	return 0;
}

static int
ask(const char *request)
{
	int fd = dial(path);

	say(fd, request);
	int status = hear(fd);

	close(fd);
	return status;
}

static void
requests_are_answered_and_connections_kept(void **state UNUSED)
{
	int fd = dial(path);

	for (int i = 0; i < 3; i++) {
		say(fd, "GET /loop HTTP/1.1\r\nHost: k\r\n\r\n");
		assert_int_equal(hear(fd), 200);
		assert_non_null(strstr(answer, "\r\n\r\nloop"));
		say(fd, "GET /light?a=b%20c HTTP/1.1\r\nHost: k\r\nX-A:\t1 \r\n\r\n");
		assert_int_equal(hear(fd), 200);
		assert_non_null(strstr(answer, "\r\n\r\nworker"));
		assert_non_null(strstr(answer, "X-Content-Type-Options: nosniff\r\n"));
		say(fd, "GET /none HTTP/1.1\r\nHost: k\r\n\r\n");
		assert_int_equal(hear(fd), 404);
	}
	/* Two requests in one packet are two requests. */
	say(fd, "GET /loop HTTP/1.1\r\nHost: k\r\n\r\n"
		"GET /none HTTP/1.1\r\nHost: k\r\nConnection: close\r\n\r\n");
	assert_int_equal(hear_all(fd), 200);
	assert_non_null(strstr(answer, "HTTP/1.1 404"));
}

/* Each with an honest request behind it; tests/packaging/oddities.py is the table. */
#define ODD(what, request, status) {what, request, sizeof(request) - 1, status},

static const struct {
	const char *what, *request;
	size_t n;
	int status;
} oddities[] = {
#include "oddities.inc"
};

static void
each_oddity_is_refused_and_ends_the_connection(void **state UNUSED)
{
	atomic_store(&n_handled, 0);
	for (size_t i = 0; i < ARRAY_LEN(oddities); i++) {
		int fd = dial(path), status;

		put(fd, oddities[i].request, oddities[i].n);
		status = hear_all(fd);
		if (status != oddities[i].status)
			fail_msg("%s: %d\n%s", oddities[i].what, status, answer);
		if (atomic_load(&n_handled) != 0)
			fail_msg("%s: it or what is behind it was handled", oddities[i].what);
	}
}

static void
bodies_arrive_whole_in_any_pieces(void **state UNUSED)
{
	static char body[100000];
	int fd = dial(path);
	char head[128];

	memset(body, 'x', sizeof(body));
	snprintf(head, sizeof(head),
		 "POST /echo?a=%%41 HTTP/1.1\r\nHost: k\r\nContent-Length: %zu\r\n\r\n",
		 sizeof(body) / 2);
	say(fd, head);
	put(fd, body, 1);
	put(fd, body, sizeof(body) / 2 - 1);
	assert_int_equal(hear(fd), 200);
	assert_non_null(strstr(answer, "Content-Length: 50000\r\n"));
	assert_non_null(strstr(answer, "X-Query: a=%41\r\n"));
	say(fd, "POST /echo HTTP/1.1\r\nHost: k\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
	assert_int_equal(hear(fd), 200);
	assert_non_null(strstr(answer, "\r\n\r\nabcde"));
	close(fd);
}

static void
limits_have_their_statuses(void **state UNUSED)
{
	static char big[70000];
	int fd = dial(path);

	assert_int_equal(ask("POST /echo HTTP/1.1\r\nHost: k\r\nContent-Length: 100001\r\n\r\n"),
			 413);
	assert_int_equal(ask("POST /loop HTTP/1.1\r\nHost: k\r\nContent-Length: 0\r\n\r\n"), 405);
	assert_non_null(strstr(answer, "Allow: GET, HEAD\r\n"));
	assert_int_equal(ask("GET /loop HTTP/1.1\r\nHost: evil\r\n\r\n"), 421);

	say(fd, "POST /echo HTTP/1.1\r\nHost: k\r\nTransfer-Encoding: chunked\r\n\r\n");
	memset(big, 'x', sizeof(big));
	for (int i = 0; i < 2; i++) {
		say(fd, "11170\r\n"); /* 70000 */
		put(fd, big, sizeof(big));
		say(fd, "\r\n");
	}
	say(fd, "0\r\n\r\n");
	assert_int_equal(hear(fd), 413);
	close(fd);

	memcpy(big, "GET /light?", 11);
	strcpy(big + 9000, " HTTP/1.1\r\nHost: k\r\n\r\n");
	assert_int_equal(ask(big), 414);
	memset(big, 'x', sizeof(big));
	memcpy(big, "GET /light?", 11);
	strcpy(big + 17000, " HTTP/1.1\r\nHost: k\r\n\r\n");
	assert_int_equal(ask(big), 414);
	memset(big, 'x', sizeof(big));
	memcpy(big, "GET /light HTTP/1.1\r\nHost: k\r\nX: ", 33);
	strcpy(big + 18000, "\r\n\r\n");
	assert_int_equal(ask(big), 431);
	assert_int_equal(ask("GET /greedy HTTP/1.1\r\nHost: k\r\n\r\n"), 500);
}

/* Nearly the most the gate permits at once: the library's pool has room for it. */
static void
a_large_head_is_taken(void **state UNUSED)
{
	static char head[32 * 1024];
	size_t n = 0;

	n += (size_t)sprintf(head + n, "GET /light?%08000d HTTP/1.1\r\nHost: k\r\n", 0);
	n += (size_t)sprintf(head + n, "Cookie: a=%07500d\r\n", 0);
	for (int i = 0; i < 50; i++)
		n += (size_t)sprintf(head + n, "X-%d: %0150d\r\n", i, 0);
	sprintf(head + n, "\r\n");
	assert_int_equal(ask(head), 200);
}

static void
documents_are_shared_and_conditional(void **state UNUSED)
{
	char tag[128], request[256];

	assert_int_equal(ask("GET /static/app.css HTTP/1.1\r\nHost: k\r\n\r\n"), 200);
	assert_non_null(strstr(answer, "\r\n\r\nbody{}"));
	assert_non_null(strstr(answer, "Cache-Control: public, max-age=60\r\n"));
	assert_non_null(strstr(answer, "X-Content-Type-Options: nosniff\r\n"));
	snprintf(tag, sizeof(tag), "%.*s", (int)strcspn(strstr(answer, "ETag: ") + 6, "\r"),
		 strstr(answer, "ETag: ") + 6);
	snprintf(request, sizeof(request),
		 "GET /static/app.css HTTP/1.1\r\nHost: k\r\nIf-None-Match: %s\r\n\r\n", tag);
	assert_int_equal(ask(request), 304);
	assert_int_equal(
		ask("HEAD /static/app.css HTTP/1.1\r\nHost: k\r\nConnection: close\r\n\r\n"), 200);
	assert_null(strstr(answer, "body{}"));
	assert_int_equal(ask("GET /static/none.css HTTP/1.1\r\nHost: k\r\n\r\n"), 404);
}

#define VERSIONS test_size(60, 2000)
#define REPEATED 400 /* the version's digit in its body */

/* A snapshot of one document, ten versions in turn. */
static void
publish_version(size_t n)
{
	struct snapshot *snap = snapshot_create(1 << 20);
	char *body = arena_alloc(snap->a, REPEATED);
	struct document doc = {
		.path = "/static/version", .type = "text/plain", .cache = "no-store"};
	struct err err = {0};

	memset(body, (int)('0' + n % 10), REPEATED);
	doc.body = (struct bytes){(unsigned char *)body, REPEATED};
	ASSERT_OK(documents_add(snap->a, &snap->documents, &doc, &err), &err);
	app.documents_ready(snap->a, &snap->documents);
	snapshot_publish(&app.snapshots, snap);
}

static atomic_bool all_published;

/* How many answers were not whole; as a pointer. */
static void *
ask_for_versions(void *unused UNUSED)
{
	static const char one[] = "GET /static/version HTTP/1.1\r\nHost: k\r\n\r\n";
	char got[2048], *body;
	uintptr_t wrong = 0;
	int fd = dial(path);

	while (!atomic_load(&all_published)) {
		size_t n = 0;

		body = NULL;
		(void)!send(fd, one, sizeof(one) - 1, MSG_NOSIGNAL);
		while (body == NULL || n < (size_t)(body + 4 - got) + REPEATED) {
			ssize_t more = recv(fd, got + n, sizeof(got) - 1 - n, 0);

			if (more <= 0)
				return (void *)1; /* never closed, never longer */
			n += (size_t)more;
			got[n] = '\0';
			body = strstr(got, "\r\n\r\n");
		}
		wrong += strncmp(got, "HTTP/1.1 200", 12) != 0 ||
			 strspn(body + 4, (char[]){body[4], '\0'}) != REPEATED;
	}
	close(fd);
	return (void *)wrong;
}

static void
a_swap_under_requests_tears_no_answer(void **state UNUSED)
{
	pthread_t threads[3];
	void *wrong;

	publish_version(0);
	atomic_store(&all_published, false);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_for_versions, NULL), 0);
	for (size_t n = 1; n < VERSIONS; n++) {
		publish_version(n);
		usleep(1000);
	}
	atomic_store(&all_published, true);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		pthread_join(threads[i], &wrong);
		assert_int_equal((uintptr_t)wrong, 0);
	}
}

/* A server of its own, with another configuration. */
struct other {
	struct app app;
	struct config config;
	struct server *server;
	char path[WIRE_PATH_BYTES];
};

static void
other_start(struct other *o, int fd, const char *more)
{
	struct server_options so = {
		.app = &o->app, .fds = &fd, .n_fds = 1, .metrics_fd = -1, .loops = 1, .cores = 1};
	struct err err = {0};

	ASSERT_OK(config_parse(life, "t.conf",
			       bytes_of(arena_printf(life,
						     "instance = t\nbase_url = https://k\n"
						     "database = x\nlisten = 127.0.0.1:0\n"
						     "master_key_file = /dev/null\n%s",
						     more)),
			       true, &o->config, &err),
		  &err);
	app_init(&o->app, life, &o->config, table);
	ASSERT_OK(server_start(&so, &o->server, &err), &err);
}

static void
other_stop(struct other *o)
{
	server_quiesce(o->server);
	assert_true(server_drain(o->server, 10000));
	server_stop(o->server);
	app_finish(&o->app);
}

static void
a_full_lane_answers_503_and_light_requests_go_on(void **state UNUSED)
{
	const char *wait = "GET /wait HTTP/1.1\r\nHost: k\r\n\r\n";
	int fds[3];

	set_open(false);
	for (int i = 0; i < 3; i++) {
		fds[i] = dial(path);
		say(fds[i], wait);
		if (i == 0)
			wait_inside(1); /* one runs, two wait */
	}
	for (;;) {
		unsigned waiting, running;

		lane_depth(app.lanes, LANE_PASSWORD, &waiting, &running);
		if (waiting == 2)
			break;
		sched_yield();
	}
	int64_t before_us = clock_mono_us();

	assert_int_equal(ask(wait), 503);
	assert_non_null(strstr(answer, "Retry-After: "));
	assert_non_null(strstr(answer, "Cache-Control: no-store\r\n"));
	assert_non_null(strstr(answer, "\r\n\r\nThe service is busy."));
	assert_null(strstr(answer, "Reference")); /* nothing is logged under one */
	assert_int_equal(ask("GET /machine HTTP/1.1\r\nHost: k\r\n\r\n"), 503);
	assert_non_null(strstr(answer, "Retry-After: "));
	assert_non_null(strstr(answer, "{\"error\":\"temporarily_unavailable\""));
	assert_int_equal(ask("GET /light HTTP/1.1\r\nHost: k\r\n\r\n"), 200);
	assert_int_equal(ask("GET /loop HTTP/1.1\r\nHost: k\r\n\r\n"), 200);
	assert_true(clock_mono_us() - before_us < 1500000);
	set_open(true);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(hear(fds[i]), 200);
		close(fds[i]);
	}
}

/* What cannot go on is not begun, though the lane of its beginning is idle. */
static void
no_login_begins_where_none_could_be_redeemed(void **state UNUSED)
{
	const char *redeem = "GET /redeem HTTP/1.1\r\nHost: k\r\n\r\n",
		   *begin_it = "GET /begin HTTP/1.1\r\nHost: k\r\n\r\n";
	struct other o = {.path = ""};
	int fd = listen_at(o.path, "begin"), fds[2], asks;

	other_start(&o, fd, "workers_token = 1\nqueue_token = 1\n");
	set_open(false);
	fds[0] = dial(o.path);
	say(fds[0], redeem);
	wait_inside(1);
	asks = dial(o.path);
	say(asks, begin_it);
	assert_int_equal(hear(asks), 200);
	fds[1] = dial(o.path);
	say(fds[1], redeem);
	for (unsigned waiting = 0, running; waiting == 0; sched_yield())
		lane_depth(o.app.lanes, LANE_TOKEN, &waiting, &running);
	say(asks, begin_it);
	assert_int_equal(hear(asks), 503);
	assert_non_null(strstr(answer, "Retry-After: "));
	set_open(true);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(hear(fds[i]), 200);
		close(fds[i]);
	}
	close(asks);
	other_stop(&o);
	unlink(o.path);
}

/* libmicrohttpd 0.9.75 left to itself waits for one more event then. */
static void
as_many_at_once_as_the_library_looks_at(void **state UNUSED)
{
	const char *loop = "GET /loop HTTP/1.1\r\nHost: k\r\n\r\n";
	struct other o = {.path = ""};
	int fd = listen_at(o.path, "many"), holder, fds[128];

	other_start(&o, fd, "");
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = dial(o.path);
		say(fds[i], loop);
		assert_int_equal(hear(fds[i]), 200);
	}
	set_open(false);
	holder = dial(o.path);
	say(holder, "GET /hold HTTP/1.1\r\nHost: k\r\n\r\n");
	wait_inside(1);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		say(fds[i], loop);
	set_open(true);
	assert_int_equal(hear(holder), 200);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		assert_int_equal(hear(fds[i]), 200);
		close(fds[i]);
	}
	close(holder);
	other_stop(&o);
	unlink(o.path);
}

/* The time in a queue counts, not the time that a body takes to come. */
static void
who_sends_slowly_has_not_waited(void **state UNUSED)
{
	struct other o = {.path = ""};
	int fd = listen_at(o.path, "slow"), slow;

	other_start(&o, fd, "queue_deadline = 1s\n");
	slow = dial(o.path);
	say(slow, "POST /echo HTTP/1.1\r\nHost: k\r\nContent-Length: 2\r\n\r\na");
	usleep(1100000);
	say(slow, "b");
	assert_int_equal(hear(slow), 200);
	close(slow);
	other_stop(&o);
	unlink(o.path);
}

static void
the_metrics_listener_shows_inside_rows_only(void **state UNUSED)
{
	int fd = dial(metrics_path);

	say(fd, "GET /inside HTTP/1.1\r\nHost: any\r\n\r\n");
	assert_int_equal(hear(fd), 200);
	say(fd, "GET /loop HTTP/1.1\r\nHost: k\r\n\r\n");
	assert_int_equal(hear(fd), 404);
	close(fd);
	assert_int_equal(ask("GET /inside HTTP/1.1\r\nHost: k\r\n\r\n"), 404);
}

static void
slow_senders_are_cut_off(void **state UNUSED)
{
	int head = dial(path), body = dial(path), silent = dial(path);

	say(head, "GET /loop HTTP/1.1\r\nHost: k\r\n");
	say(body, "POST /echo HTTP/1.1\r\nHost: k\r\nContent-Length: 5\r\n\r\nab");
	assert_int_equal(hear_all(silent), -1);
	assert_int_equal(hear_all(head), -1);
	assert_int_equal(hear_all(body), -1);
}

/* TR-02102-2: nothing below TLS 1.2, nothing without ephemeral keys and AEAD. */
static void
tls_is_modern_or_not_at_all(void **state UNUSED)
{
	static const struct {
		int least, most;
		const char *ciphers;
		int spoken;
	} cases[] = {
		{TLS1_VERSION, TLS1_3_VERSION, NULL, TLS1_3_VERSION},
		{TLS1_2_VERSION, TLS1_2_VERSION, NULL, TLS1_2_VERSION},
		{TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", TLS1_2_VERSION},
		{TLS1_VERSION, TLS1_1_VERSION, NULL, 0},
		{TLS1_2_VERSION, TLS1_2_VERSION, "AES128-GCM-SHA256", 0},
		{TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA", 0},
		{TLS1_2_VERSION, TLS1_2_VERSION, "DHE-RSA-AES128-GCM-SHA256", 0},
	};
	char p[WIRE_PATH_BYTES];
	int fd = listen_at(p, "tls");
	struct app other = {.config = &config};
	struct server_options o = {
		.app = &other, .fds = &fd, .n_fds = 1, .metrics_fd = -1, .loops = 1, .cores = 1};
	struct server *s;
	struct err err = {0};

	tls_make_certificate(life, &o.tls_cert_pem, &o.tls_key_pem);
	app_init(&other, life, &config, table);
	ASSERT_OK(server_start(&o, &s, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int c = dial(p);
		int spoken =
			tls_ask(c, cases[i].least, cases[i].most, cases[i].ciphers,
				"GET /loop HTTP/1.1\r\nHost: k\r\n\r\n", answer, sizeof(answer));

		close(c);
		if (spoken != cases[i].spoken ||
		    (spoken != 0 && strncmp(answer, "HTTP/1.1 200", 12) != 0))
			fail_msg("case %zu: %x %s", i, spoken, answer);
	}
	server_quiesce(s);
	assert_true(server_drain(s, 10000));
	server_stop(s);
	app_finish(&other);
	unlink(p);
}

static int
dial_tcp(const struct sockaddr_in *in)
{
	struct timeval patience = {20, 0};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)in, sizeof(*in)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

#define ONE_MORE "GET /loop HTTP/1.1\r\nHost: k\r\n\r\n"

static int
ask_tcp(int fd)
{
	say(fd, ONE_MORE);
	return hear(fd);
}

static void
one_source_has_so_many_connections_and_no_more(void **state UNUSED)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof(in);
	struct other o = {.path = ""};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), copy, fds[3];

	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	copy = dup(fd);
	other_start(&o, fd, "connections_per_source = 2\n");
	for (int i = 0; i < 2; i++) {
		fds[i] = dial_tcp(&in);
		assert_int_equal(ask_tcp(fds[i]), 200);
	}
	fds[2] = dial_tcp(&in);
	assert_int_equal(ask_tcp(fds[2]), -1);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	other_stop(&o);

	/* A proxy speaks for many. */
	other_start(&o, copy, "connections_per_source = 1\ntrusted_proxy = 127.0.0.0/8\n");
	for (int i = 0; i < 3; i++) {
		fds[i] = dial_tcp(&in);
		assert_int_equal(ask_tcp(fds[i]), 200);
	}
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	other_stop(&o);
}

/* A request that waits inside.  On a busy machine one is late, and refused; then another comes. */
static int
one_inside(const char *at, const char *request)
{
	for (;;) {
		int fd = dial(at);
		struct pollfd answer_of = {.fd = fd, .events = POLLIN};
		bool inside = false;

		say(fd, request);
		while (!inside && poll(&answer_of, 1, 1) == 0) {
			pthread_mutex_lock(&lock);
			inside = n_inside > 0;
			pthread_mutex_unlock(&lock);
		}
		if (inside)
			return fd;
		close(fd);
	}
}

static void
who_waited_too_long_gets_503_instead_of_an_answer(void **state UNUSED)
{
	const char *wait = "GET /wait HTTP/1.1\r\nHost: k\r\n\r\n";
	struct other o = {.path = ""};
	int fd = listen_at(o.path, "late"), first, second;

	other_start(&o, fd, "workers_password = 1\nqueue_deadline = 20ms\n");
	set_open(false);
	first = one_inside(o.path, wait);
	second = dial(o.path);
	say(second, wait);
	/* On a busy machine it may be late, and refused, before it waits. */
	for (unsigned waiting = 0, running, i = 0; waiting == 0 && i < 2000; i++) {
		lane_depth(o.app.lanes, LANE_PASSWORD, &waiting, &running);
		usleep(1000);
	}
	usleep(30000);
	set_open(true);
	assert_int_equal(hear(first), 200);
	assert_int_equal(hear(second), 503);
	assert_non_null(strstr(answer, "Retry-After: "));
	close(first);
	close(second);
	other_stop(&o);
	unlink(o.path);
}

static void
a_wrong_certificate_is_refused(void **state UNUSED)
{
	char p[WIRE_PATH_BYTES];
	int fd = listen_at(p, "tls");
	struct app other = {.config = &config};
	struct server_options o = {.app = &other,
				   .fds = &fd,
				   .n_fds = 1,
				   .metrics_fd = -1,
				   .tls_cert_pem = "nonsense",
				   .tls_key_pem = "nonsense",
				   .loops = 1,
				   .cores = 1};
	struct server *s;
	struct err err = {0};

	app_init(&other, life, &config, table);
	ASSERT_REFUSED(server_start(&o, &s, &err), &err, ERR_INPUT, "do not fit");
	app_finish(&other);
	unlink(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_answered_and_connections_kept),
		cmocka_unit_test(each_oddity_is_refused_and_ends_the_connection),
		cmocka_unit_test(bodies_arrive_whole_in_any_pieces),
		cmocka_unit_test(limits_have_their_statuses),
		cmocka_unit_test(a_large_head_is_taken),
		cmocka_unit_test(documents_are_shared_and_conditional),
		cmocka_unit_test(a_swap_under_requests_tears_no_answer),
		cmocka_unit_test(a_full_lane_answers_503_and_light_requests_go_on),
		cmocka_unit_test(no_login_begins_where_none_could_be_redeemed),
		cmocka_unit_test(as_many_at_once_as_the_library_looks_at),
		cmocka_unit_test(who_sends_slowly_has_not_waited),
		cmocka_unit_test(the_metrics_listener_shows_inside_rows_only),
		cmocka_unit_test(slow_senders_are_cut_off),
		cmocka_unit_test(one_source_has_so_many_connections_and_no_more),
		cmocka_unit_test(who_waited_too_long_gets_503_instead_of_an_answer),
		cmocka_unit_test(tls_is_modern_or_not_at_all),
		cmocka_unit_test(a_wrong_certificate_is_refused),
	};

	return cmocka_run_group_tests_name("server", tests, setup, teardown);
}
