/* idp/fetch.c: whom we send to, what we take from whom, and that nothing leads elsewhere. */
#include "idp/fetch.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/idp/tls.h"
#include "tests/test.h"

static struct arena *a;

/* ---- a server ---- */

struct server {
	SSL_CTX *ctx;
	int fd, port;
	const char *answer; /* whole, headers and all; NULL: none ever comes */
	size_t n_asked;
	char request[8192]; /* of the last one */
	pthread_t thread;
	const char *ca_file;
};

static struct server server;

static void
serve_one(int fd)
{
	SSL *ssl = SSL_new(server.ctx);

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		int n = 0, got;

		/* The requests here end with their body's last word. */
		while (n < (int)sizeof(server.request) - 1 &&
		       (got = SSL_read(ssl, server.request + n,
				       (int)sizeof(server.request) - 1 - n)) > 0) {
			n += got;
			server.request[n] = '\0';
			if (strstr(server.request, "<end/>") != NULL)
				break;
		}
		__atomic_add_fetch(&server.n_asked, 1, __ATOMIC_SEQ_CST);
		if (server.answer != NULL)
			SSL_write(ssl, server.answer, (int)strlen(server.answer));
		else
			SSL_read(ssl, server.request, 1); /* until the other side gives up */
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	close(fd);
}

static void *
serve(void *arg UNUSED)
{
	int fd;

	while ((fd = accept(server.fd, NULL, NULL)) >= 0)
		serve_one(fd);
	return NULL;
}

static int
start_server(void **state UNUSED)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t n = sizeof(in);
	const char *cert, *key;
	char dir[] = "/tmp/kontor-fetch-XXXXXX";

	signal(SIGPIPE, SIG_IGN);
	a = arena_create(64 << 20);
	tls_make_certificate(a, &cert, &key);
	server.ctx = SSL_CTX_new(TLS_server_method());
	BIO *bio = BIO_new_mem_buf(cert, -1);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	SSL_CTX_use_certificate(server.ctx, x);
	X509_free(x);
	BIO_free(bio);
	bio = BIO_new_mem_buf(key, -1);
	EVP_PKEY *k = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	SSL_CTX_use_PrivateKey(server.ctx, k);
	EVP_PKEY_free(k);
	BIO_free(bio);
	assert_non_null(mkdtemp(dir));
	server.ca_file = arena_printf(a, "%s/ca.pem", dir);
	FILE *f = fopen(server.ca_file, "w");

	assert_non_null(f);
	fputs(cert, f);
	fclose(f);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(server.fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(server.fd, 16), 0);
	getsockname(server.fd, (struct sockaddr *)&in, &n);
	server.port = ntohs(in.sin_port);
	return pthread_create(&server.thread, NULL, serve, NULL);
}

static int
stop_server(void **state UNUSED)
{
	shutdown(server.fd, SHUT_RDWR);
	close(server.fd);
	pthread_join(server.thread, NULL);
	unlink(server.ca_file);
	*strrchr((char *)(uintptr_t)server.ca_file, '/') = '\0';
	rmdir(server.ca_file);
	SSL_CTX_free(server.ctx);
	arena_destroy(a);
	return 0;
}

static struct net_list
nets(const char *text)
{
	struct net_list list = {0};
	struct err err = {0};

	ASSERT_OK(net_list_parse(a, text, &list, &err), &err);
	return list;
}

static bool
post_to(const char *host, const char *inside, struct fetch_answer *out, struct err *err)
{
	struct net_list list = nets(inside);
	struct fetch_post what = {
		.url = arena_printf(a, "https://%s:%d/slo", host, server.port),
		.ca_file = server.ca_file,
		.type = "text/xml",
		.action = "http://example.org/action",
		.body = bytes_of("<body/><end/>"),
		.max_bytes = 64,
		.timeout_ms = 4000,
		.inside = &list,
	};

	return fetch_post(a, &what, out, err);
}

#define HERE     "localhost", "127.0.0.0/8 ::1"
#define OK(body) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" body

/* ---- tests ---- */

static void
a_body_is_sent_and_the_answer_read(void **state UNUSED)
{
	struct fetch_answer got;
	struct err err = {0};

	server.answer = OK("<answer/>");
	ASSERT_OK(post_to(HERE, &got, &err), &err);
	assert_int_equal(got.status, 200);
	assert_true(bytes_eq(got.body, bytes_of("<answer/>")));
	assert_non_null(strstr(server.request, "POST /slo HTTP/1.1\r\n"));
	assert_non_null(strstr(server.request, "\r\nContent-Type: text/xml\r\n"));
	assert_non_null(
		strstr(server.request, "\r\nSOAPAction: \"http://example.org/action\"\r\n"));
	assert_non_null(strstr(server.request, "\r\nContent-Length: 13\r\n"));
	assert_null(strstr(server.request, "Expect"));
	assert_null(strstr(server.request, "Cookie"));
	assert_null(strstr(server.request, "Authorization"));
	/* Another status is told, not judged. */
	server.answer = "HTTP/1.1 500 No\r\nConnection: close\r\n\r\nfault";
	ASSERT_OK(post_to(HERE, &got, &err), &err);
	assert_int_equal(got.status, 500);
	assert_true(bytes_eq(got.body, bytes_of("fault")));
}

static void
no_redirect_is_followed(void **state UNUSED)
{
	struct fetch_answer got;
	struct err err = {0};
	size_t before = server.n_asked;

	server.answer = arena_printf(a,
				     "HTTP/1.1 307 Go\r\nConnection: close\r\nContent-Length: 0\r\n"
				     "Location: https://localhost:%d/other\r\n\r\n",
				     server.port);
	ASSERT_OK(post_to(HERE, &got, &err), &err);
	assert_int_equal(got.status, 307);
	assert_int_equal(server.n_asked, before + 1);
}

static void
an_address_that_is_not_public_is_not_connected_to(void **state UNUSED)
{
	static const char *const hosts[] = {"localhost",  "127.0.0.1",  "127.1",
					    "2130706433", "0x7f000001", "[::ffff:127.0.0.1]",
					    "0.0.0.0",    "[::1]"};
	size_t before = server.n_asked;
	struct fetch_answer got;
	struct err err = {0};

	server.answer = OK("x");
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
		ASSERT_REFUSED(post_to(hosts[i], "10.0.0.0/8", &got, &err), &err, ERR_DENIED,
			       "not one we may send to");
	assert_int_equal(server.n_asked, before);
}

static void
what_is_public_is_told_from_what_is_not(void **state UNUSED)
{
	static const struct {
		const char *addr;
		bool public;
	} cases[] = {
		{"8.8.8.8", true},
		{"1.1.1.1", true},
		{"172.15.255.255", true},
		{"172.32.0.1", true},
		{"100.63.0.1", true},
		{"100.128.0.1", true},
		{"223.255.255.1", true},
		{"2a01:4f8::1", true},
		{"2606:4700::1111", true},
		{"::ffff:8.8.8.8", true},
		{"10.0.0.1", false},
		{"127.0.0.1", false},
		{"127.255.0.1", false},
		{"169.254.169.254", false},
		{"172.16.0.1", false},
		{"172.31.9.9", false},
		{"192.168.1.1", false},
		{"100.64.0.1", false},
		{"0.0.0.0", false},
		{"0.1.2.3", false},
		{"192.0.0.8", false},
		{"198.18.0.1", false},
		{"198.19.255.1", false},
		{"224.0.0.1", false},
		{"255.255.255.255", false},
		{"240.0.0.1", false},
		{"192.0.2.1", false},
		{"::", false},
		{"::1", false},
		{"::7f00:1", false},
		{"::ffff:10.0.0.1", false},
		{"::ffff:169.254.169.254", false},
		{"64:ff9b::7f00:1", false},
		{"2002:7f00:1::", false},
		{"fc00::1", false},
		{"fdff::1", false},
		{"fe80::1", false},
		{"fec0::1", false},
		{"ff02::1", false},
		{"2001::1", false},
		{"2001:db8::1", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_addr addr;

		assert_true(net_addr_parse(cases[i].addr, &addr));
		if (fetch_is_public(&addr) != cases[i].public)
			fail_msg("%s", cases[i].addr);
	}
}

static void
the_answer_has_an_end(void **state UNUSED)
{
	char *long_one = arena_printf(a, OK("%064d"), 1);
	struct fetch_answer got;
	struct err err = {0};

	server.answer = long_one;
	ASSERT_OK(post_to(HERE, &got, &err), &err);
	assert_int_equal(got.body.n, 64);
	server.answer = arena_printf(a, OK("%065d"), 1);
	ASSERT_REFUSED(post_to(HERE, &got, &err), &err, ERR_INPUT, "more than 64 bytes");
}

static void
who_never_answers_is_waited_for_so_long(void **state UNUSED)
{
	struct net_list list = nets("127.0.0.0/8");
	struct fetch_post what = {
		.url = arena_printf(a, "https://localhost:%d/", server.port),
		.ca_file = server.ca_file,
		.type = "text/xml",
		.body = bytes_of("<end/>"),
		.max_bytes = 64,
		.timeout_ms = 300,
		.inside = &list,
	};
	struct fetch_answer got;
	struct err err = {0};

	server.answer = NULL;
	ASSERT_REFUSED(fetch_post(a, &what, &got, &err), &err, ERR_UNAVAILABLE, "sending failed");
}

static void
a_certificate_of_another_name_or_authority_is_refused(void **state UNUSED)
{
	struct net_list list = nets("127.0.0.0/8");
	struct fetch_post what = {
		.url = arena_printf(a, "https://127.0.0.1:%d/", server.port),
		.ca_file = server.ca_file,
		.type = "text/xml",
		.body = bytes_of("<end/>"),
		.max_bytes = 64,
		.timeout_ms = 4000,
		.inside = &list,
	};
	struct fetch_answer got;
	struct err err = {0};

	server.answer = OK("x");
	ASSERT_REFUSED(fetch_post(a, &what, &got, &err), &err, ERR_UNAVAILABLE, "sending failed");
	what.url = arena_printf(a, "https://localhost:%d/", server.port);
	ASSERT_OK(fetch_post(a, &what, &got, &err), &err);
	what.ca_file = NULL;
	ASSERT_REFUSED(fetch_post(a, &what, &got, &err), &err, ERR_UNAVAILABLE, "sending failed");
}

static void
only_https_is_spoken(void **state UNUSED)
{
	static const char *const urls[] = {
		"http://localhost:%d/",          "file:///etc/passwd",     "x",       "",
		"https://user:pw@localhost:%d/", "gopher://localhost:%d/", "https://"};
	struct net_list list = nets("127.0.0.0/8");
	size_t before = server.n_asked;
	struct fetch_answer got;
	struct err err = {0};

	server.answer = OK("x");
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		char url[128];
		struct fetch_post what = {.url = url,
					  .ca_file = server.ca_file,
					  .type = "t",
					  .max_bytes = 64,
					  .timeout_ms = 4000,
					  .inside = &list};
		const char *port = strstr(urls[i], "%d");

		snprintf(url, sizeof(url), "%.*s",
			 port == NULL ? (int)strlen(urls[i]) : (int)(port - urls[i]), urls[i]);
		if (port != NULL)
			snprintf(url + strlen(url), sizeof(url) - strlen(url), "%d/", server.port);
		ASSERT_REFUSED(fetch_post(a, &what, &got, &err), &err, ERR_INPUT, "URL");
	}
	assert_int_equal(server.n_asked, before);
}

/* ---- looking again ---- */

static bool
get_known(const char *inside, struct fetch_known known, struct fetch_got *out, struct err *err)
{
	struct net_list list = nets(inside);
	struct fetch_get what = {
		.url = arena_printf(a, "https://localhost:%d/metadata", server.port),
		.ca_file = server.ca_file,
		.accept = "text/xml, <end/>", /* where the server here stops reading */
		.known = known,
		.max_bytes = 64,
		.timeout_ms = 4000,
		.inside = &list,
	};

	return fetch_get(a, &what, out, err);
}

#define NEAR_BY "127.0.0.0/8 ::1"

static void
a_document_is_asked_for_only_if_it_is_another(void **state UNUSED)
{
	const struct fetch_known none = {0};
	struct fetch_got got, again;
	struct err err = {0};

	server.answer = "HTTP/1.1 200 OK\r\nConnection: close\r\netag: \"v1\" \r\n"
			"Last-Modified: Thu, 26 Nov 2026 12:00:00 GMT\r\n\r\n<md/>";
	ASSERT_OK(get_known(NEAR_BY, none, &got, &err), &err);
	assert_false(got.same);
	assert_true(bytes_eq(got.body, bytes_of("<md/>")));
	assert_string_equal(got.known.etag, "\"v1\"");
	assert_string_equal(got.known.last_modified, "Thu, 26 Nov 2026 12:00:00 GMT");
	assert_non_null(strstr(server.request, "GET /metadata HTTP/1.1\r\n"));
	assert_null(strstr(server.request, "If-"));
	assert_null(strstr(server.request, "Cookie"));
	server.answer = "HTTP/1.1 304 Not Modified\r\nConnection: close\r\nETag: \"v2\"\r\n\r\n";
	ASSERT_OK(get_known(NEAR_BY, got.known, &again, &err), &err);
	assert_true(again.same);
	assert_int_equal(again.body.n, 0);
	assert_string_equal(again.known.etag, "\"v2\"");
	assert_string_equal(again.known.last_modified, "Thu, 26 Nov 2026 12:00:00 GMT");
	assert_non_null(strstr(server.request, "\r\nIf-None-Match: \"v1\"\r\n"));
	assert_non_null(
		strstr(server.request, "\r\nIf-Modified-Since: Thu, 26 Nov 2026 12:00:00 GMT\r\n"));
	/* Whom nothing was asked of that kind has not answered. */
	ASSERT_REFUSED(get_known(NEAR_BY, none, &got, &err), &err, ERR_INPUT, "answered 304");
}

static void
a_document_comes_with_200_and_from_where_it_was_asked(void **state UNUSED)
{
	static const char *const answers[] = {"404 No", "500 No", "204 Nothing", "206 Part",
					      "302 Go\r\nLocation: https://localhost:1/other"};
	const struct fetch_known none = {0};
	size_t before = server.n_asked;
	struct fetch_got got;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		server.answer =
			arena_printf(a, "HTTP/1.1 %s\r\nConnection: close\r\n\r\n", answers[i]);
		ASSERT_REFUSED(get_known(NEAR_BY, none, &got, &err), &err, ERR_INPUT,
			       arena_printf(a, "answered %.3s", answers[i]));
	}
	assert_int_equal(server.n_asked, before + ARRAY_LEN(answers));
	server.answer = OK("x");
	ASSERT_REFUSED(get_known("10.0.0.0/8", none, &got, &err), &err, ERR_DENIED,
		       "not one we may send to");
	assert_int_equal(server.n_asked, before + ARRAY_LEN(answers));
	server.answer = arena_printf(a, OK("%065d"), 1);
	ASSERT_REFUSED(get_known(NEAR_BY, none, &got, &err), &err, ERR_INPUT, "more than 64 bytes");
}

static void
how_long_it_stays_fresh_is_read(void **state UNUSED)
{
	static const struct {
		const char *cache;
		int64_t fresh_s;
	} cases[] = {
		{"max-age=600", 600},
		{"public, Max-Age=600, must-revalidate", 600},
		{"s-maxage=1,max-age=7", 7},
		{"max-age=0", 0},
		{"private, no-cache", 0},
		{"no-store,max-age=600", 0},
		{"max-age=600, NO-STORE", 0},
		{"max-age=\"600\"", -1},
		{"max-age=-1", -1},
		{"max-age=", -1},
		{"max-age=99999999999", -1},
		{"max-age=9999999999999999999999", -1},
		{"xmax-age=600", -1},
		{"no-cachet", -1},
		{"public", -1},
		{"", -1},
	};
	const struct fetch_known none = {0};
	struct fetch_got got;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		server.answer = arena_printf(
			a, "HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: %s\r\n\r\nx",
			cases[i].cache);
		ASSERT_OK(get_known(NEAR_BY, none, &got, &err), &err);
		if (got.fresh_s != cases[i].fresh_s)
			fail_msg("%s: %lld", cases[i].cache, (long long)got.fresh_s);
	}
}

static void
headers_that_could_not_be_sent_back_are_not_kept(void **state UNUSED)
{
	const struct fetch_known none = {0};
	struct fetch_got got;
	struct err err = {0};

	server.answer = arena_printf(a,
				     "HTTP/1.1 200 OK\r\nConnection: close\r\nETag: \"%0300d\"\r\n"
				     "Last-Modified: \x80\r\nX-ETag: y\r\n\r\nx",
				     1);
	ASSERT_OK(get_known(NEAR_BY, none, &got, &err), &err);
	assert_null(got.known.etag);
	assert_null(got.known.last_modified);
}

struct streamed {
	size_t n, pieces, longest, most; /* most: after which it is refused; 0: never */
	unsigned sum;
};

static bool
take_streamed(void *ctx, struct bytes piece, struct err *err)
{
	struct streamed *s = ctx;

	s->n += piece.n;
	s->pieces++;
	s->longest = piece.n > s->longest ? piece.n : s->longest;
	for (size_t i = 0; i < piece.n; i++)
		s->sum = s->sum * 31 + piece.p[i];
	return s->most == 0 || s->n <= s->most || FAIL(err, ERR_DENIED, NULL, "enough");
}

static bool
stream(const char *inside, size_t max_bytes, struct streamed *s, struct fetch_got *got,
       struct err *err)
{
	const struct net_list near_by = nets(inside);
	const struct fetch_stream what = {
		.get = {.url = arena_printf(a, "https://localhost:%d/metadata", server.port),
			.ca_file = server.ca_file,
			.accept = "text/xml, <end/>",
			.max_bytes = max_bytes,
			.timeout_ms = 20000,
			.inside = &near_by},
		.take = take_streamed,
		.ctx = s,
	};

	return fetch_stream(a, &what, got, err);
}

/* However long it is, little of it is there at once. */
static void
a_long_document_comes_in_pieces(void **state UNUSED)
{
	size_t n = (size_t)3 << 20;
	char *body = arena_alloc(a, n + 1);
	struct streamed s = {0};
	struct fetch_got got;
	struct err err = {0};
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++) {
		body[i] = (char)('a' + i % 23);
		sum = sum * 31 + (unsigned char)body[i];
	}
	server.answer = arena_printf(a,
				     "HTTP/1.1 200 OK\r\nConnection: close\r\nETag: \"v1\"\r\n"
				     "Content-Length: %zu\r\n\r\n%s",
				     n, body);
	ASSERT_OK(stream(NEAR_BY, n, &s, &got, &err), &err);
	assert_int_equal(s.n, n);
	assert_int_equal(s.sum, sum);
	assert_true(s.longest <= 64 * 1024);
	assert_int_equal(got.body.n, 0);
	assert_string_equal(got.known.etag, "\"v1\"");
	/* Who takes it says when it is enough, and so does the cap. */
	s = (struct streamed){.most = 100000};
	ASSERT_REFUSED(stream(NEAR_BY, n, &s, &got, &err), &err, ERR_DENIED, "enough");
	assert_true(s.n <= 100000 + 64 * 1024);
	s = (struct streamed){0};
	ASSERT_REFUSED(stream(NEAR_BY, n - 1, &s, &got, &err), &err, ERR_INPUT, "has more than");
	assert_true(s.n < n);
	/* Cut off before its end. */
	server.answer = arena_printf(a,
				     "HTTP/1.1 200 OK\r\nConnection: close\r\n"
				     "Content-Length: %zu\r\n\r\n%.1000s",
				     n, body);
	s = (struct streamed){0};
	ASSERT_REFUSED(stream(NEAR_BY, n, &s, &got, &err), &err, ERR_UNAVAILABLE,
		       "fetching failed");
	/* The page of an error is not the document. */
	server.answer = "HTTP/1.1 404 No\r\nConnection: close\r\n\r\n<html/>";
	s = (struct streamed){0};
	ASSERT_REFUSED(stream(NEAR_BY, n, &s, &got, &err), &err, ERR_INPUT, "answered 404");
	assert_int_equal(s.n, 0);
	ASSERT_REFUSED(stream("10.0.0.0/8", n, &s, &got, &err), &err, ERR_DENIED,
		       "not one we may send to");
}

static void
a_relay_is_here_by_its_number_alone(void **state UNUSED)
{
	static const char *const here[] = {"smtp://127.0.0.1", "smtp://127.0.0.1:2525",
					   "smtp://127.255.255.255:25", "smtp://[::1]",
					   "smtp://[::1]:2525"};
	static const char *const elsewhere[] = {
		"smtps://127.0.0.1", "smtp://localhost", "smtp://localhost:2525",
		"smtp://128.0.0.1", "smtp://127.example", "smtp://127.0.0.1.example",
		/* as long as a number may be, and then more */
		"smtp://127.100.100.100.example", "smtp://127.1", "smtp://[::1].example",
		"smtp://[::2]", "smtp://", "smtp"};

	for (size_t i = 0; i < ARRAY_LEN(here); i++)
		assert_true(fetch_relay_is_here(here[i]));
	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++)
		assert_false(fetch_relay_is_here(elsewhere[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_relay_is_here_by_its_number_alone),
		cmocka_unit_test(a_long_document_comes_in_pieces),
		cmocka_unit_test(a_body_is_sent_and_the_answer_read),
		cmocka_unit_test(no_redirect_is_followed),
		cmocka_unit_test(an_address_that_is_not_public_is_not_connected_to),
		cmocka_unit_test(what_is_public_is_told_from_what_is_not),
		cmocka_unit_test(the_answer_has_an_end),
		cmocka_unit_test(who_never_answers_is_waited_for_so_long),
		cmocka_unit_test(a_certificate_of_another_name_or_authority_is_refused),
		cmocka_unit_test(only_https_is_spoken),
		cmocka_unit_test(a_document_is_asked_for_only_if_it_is_another),
		cmocka_unit_test(a_document_comes_with_200_and_from_where_it_was_asked),
		cmocka_unit_test(how_long_it_stays_fresh_is_read),
		cmocka_unit_test(headers_that_could_not_be_sent_back_are_not_kept),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
