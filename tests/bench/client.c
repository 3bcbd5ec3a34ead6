/* A small HTTP client for load; see client.h. */
#include "tests/bench/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/text.h"

#define ROUND_BYTES  ((size_t)16 * 1024 * 1024)
#define ANSWER_BYTES ((size_t)512 * 1024)

void
client_init(struct client *c, int port, const char *host)
{
	*c = (struct client){.port = port,
			     .host = host,
			     .fd = -1,
			     .a = arena_create(ROUND_BYTES),
			     .jar = arena_create(ROUND_BYTES),
			     .in = malloc(ANSWER_BYTES + 1)};
	if (c->a == NULL || c->jar == NULL || c->in == NULL)
		abort();
}

void
client_finish(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	arena_destroy(c->a);
	arena_destroy(c->jar);
	free(c->in);
}

void
client_forget(struct client *c)
{
	c->n_cookies = 0;
	arena_reset(c->jar);
	arena_reset(c->a);
}

void
client_share_cookies(struct client *c, const struct client *from)
{
	for (size_t i = 0; i < from->n_cookies; i++)
		for (size_t part = 0; part < 2; part++)
			c->cookies[i][part] = arena_strdup(c->jar, from->cookies[i][part]);
	c->n_cookies = from->n_cookies;
}

static bool
dial(struct client *c)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)c->port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int one = 1;

	if (c->fd >= 0)
		return true;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		return false;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(c->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
	return c->await == NULL || fcntl(c->fd, F_SETFL, O_NONBLOCK) == 0;
}

static bool
write_all(struct client *c, struct bytes b)
{
	while (b.n > 0) {
		ssize_t n = write(c->fd, b.p, b.n);

		if (n <= 0)
			return false;
		b.p += n;
		b.n -= (size_t)n;
	}
	return true;
}

static void
keep_cookie(struct client *c, const char *line)
{
	size_t name = strcspn(line, "="), value = strcspn(line + name + 1, ";");
	const char *n = arena_strndup(c->jar, line, name);
	size_t i = 0;

	while (i < c->n_cookies && strcmp(c->cookies[i][0], n) != 0)
		i++;
	if (i == CLIENT_COOKIES_MAX)
		return;
	c->cookies[i][0] = n;
	c->cookies[i][1] = arena_strndup(c->jar, line + name + 1, value);
	c->n_cookies += i == c->n_cookies;
	if (strstr(line, "Max-Age=0") != NULL) {
		c->n_cookies--;
		memmove(&c->cookies[i], &c->cookies[i + 1],
			(c->n_cookies - i) * sizeof(c->cookies[0]));
	}
}

/* Header lines of the answer; returns the length of the body, SIZE_MAX when it comes in chunks. */
static size_t
read_head(struct client *c, char *head)
{
	size_t length = 0;
	char *save = NULL;

	c->status = (int)strtol(head + strlen("HTTP/1.1 "), NULL, 10);
	c->location = NULL;
	c->retry_after = false;
	for (char *line = strtok_r(head, "\r\n", &save); line != NULL;
	     line = strtok_r(NULL, "\r\n", &save)) {
		if (strncasecmp(line, "content-length: ", 16) == 0)
			length = strtoul(line + 16, NULL, 10);
		if (strncasecmp(line, "transfer-encoding: chunked", 26) == 0)
			length = SIZE_MAX;
		if (strncasecmp(line, "retry-after: ", 13) == 0)
			c->retry_after = true;
		if (strncasecmp(line, "dpop-nonce: ", 12) == 0)
			snprintf(c->dpop_nonce, sizeof(c->dpop_nonce), "%s", line + 12);
		if (strncasecmp(line, "location: ", 10) == 0)
			c->location = arena_strdup(c->a, line + 10);
		if (strncasecmp(line, "set-cookie: ", 12) == 0)
			keep_cookie(c, line + 12);
	}
	return length;
}

/* What is being received: `have` octets at p, then a NUL. */
struct incoming {
	char *p;
	size_t have;
};

static int64_t
real_us(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* When the kernel had it: how long we then waited for the processor is not the server's doing. */
static void
note_arrival(struct client *c, struct msghdr *m)
{
	struct timespec t;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&t, CMSG_DATA(h), sizeof(t));
		c->took_us = real_us(t) - c->asked_us;
	}
}

static bool
read_some(struct client *c, struct incoming *in)
{
	struct iovec to = {in->p + in->have, ANSWER_BYTES - in->have};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct timespec))];
	struct msghdr m = {.msg_iov = &to, .msg_iovlen = 1};
	ssize_t n;

	do {
		m.msg_control = control;
		m.msg_controllen = sizeof(control);
		n = recvmsg(c->fd, &m, 0);
		if (n < 0 && errno == EAGAIN && c->await != NULL)
			c->await(c->await_ctx);
	} while (n < 0 && errno == EAGAIN && c->await != NULL);
	if (n <= 0)
		return false;
	note_arrival(c, &m);
	in->have += (size_t)n;
	in->p[in->have] = '\0';
	return true;
}

/* A body in chunks that begins at `at`: joined in place. */
static bool
join_chunks(struct client *c, struct incoming *in, size_t at)
{
	size_t to = at, n = 1;

	c->body = in->p + at;
	while (n > 0) {
		char *line = NULL;

		while ((line = strstr(in->p + at, "\r\n")) == NULL)
			if (!read_some(c, in))
				return false;
		n = strtoul(in->p + at, NULL, 16);
		at = (size_t)(line + 2 - in->p);
		while (in->have < at + n + 2)
			if (!read_some(c, in))
				return false;
		memmove(in->p + to, in->p + at, n);
		to += n;
		at += n + 2;
	}
	in->p[to] = '\0';
	c->body_n = (size_t)(in->p + to - c->body);
	return true;
}

static bool
receive(struct client *c)
{
	struct incoming in = {c->in, 0};
	char *end;

	in.p[0] = '\0';

	while ((end = strstr(in.p, "\r\n\r\n")) == NULL)
		if (!read_some(c, &in))
			return false;
	size_t head = (size_t)(end - in.p) + 4;

	*end = '\0';
	c->body = in.p + head;
	c->body_n = read_head(c, in.p);
	if (c->body_n == SIZE_MAX)
		return join_chunks(c, &in, head);
	while (in.have < head + c->body_n)
		if (!read_some(c, &in))
			return false;
	return true;
}

static bool
hang_up(struct client *c)
{
	close(c->fd);
	c->fd = -1;
	return false;
}

bool
client_ask(struct client *c, const char *path, const char *form, const char *extra)
{
	struct timespec now;
	struct buf b;

	if (!dial(c))
		return false;
	c->path = arena_strdup(c->a, path);
	buf_init(&b, c->a, 1024 * 1024);
	buf_printf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n%s", form == NULL ? "GET" : "POST", path,
		   c->host, extra);
	if (c->from[0] != '\0')
		buf_printf(&b, "X-Forwarded-For: %s\r\n", c->from);
	for (size_t i = 0; i < c->n_cookies; i++)
		buf_printf(&b, "%s%s=%s%s", i == 0 ? "Cookie: " : "; ", c->cookies[i][0],
			   c->cookies[i][1], i + 1 == c->n_cookies ? "\r\n" : "");
	if (form != NULL)
		buf_printf(&b,
			   "Origin: https://%s\r\nContent-Type: application/x-www-form-urlencoded"
			   "\r\nContent-Length: %zu\r\n\r\n%s",
			   c->host, strlen(form), form);
	else
		buf_str(&b, "\r\n");
	c->requests++;
	clock_gettime(CLOCK_REALTIME, &now);
	c->asked_us = real_us(now);
	return write_all(c, (struct bytes){b.p, b.n}) || hang_up(c);
}

bool
client_hear(struct client *c)
{
	return receive(c) || hang_up(c);
}

bool
client_send(struct client *c, const char *path, const char *form, const char *extra)
{
	return client_ask(c, path, form, extra) && client_hear(c);
}

static const char *
own_path(const struct client *c, const char *url)
{
	const char *base = arena_printf(c->a, "https://%s", c->host);

	return url[0] == '/' ? url : text_starts(url, base) ? url + strlen(base) : NULL;
}

static bool
follow(struct client *c)
{
	while ((c->status == 303 || c->status == 302) && own_path(c, c->location) != NULL)
		if (!client_send(c, own_path(c, c->location), NULL, ""))
			return false;
	return true;
}

bool
client_get(struct client *c, const char *path)
{
	return client_send(c, path, NULL, "") && follow(c);
}

static const char *
quoted(struct client *c, const char *from, const char *before)
{
	const char *p = strstr(from, before);

	if (p == NULL)
		return NULL;
	p += strlen(before);
	return arena_strndup(c->a, p, strcspn(p, "\""));
}

bool
client_submit(struct client *c, const char *action, const char *fields)
{
	const char *form = strstr(c->body, arena_printf(c->a, "action=\"%s", action));
	struct buf b;

	if (form == NULL)
		return false;
	const char *path = quoted(c, form, "action=\""), *end = strstr(form, "</form>");

	if (path[0] == '?') /* of the page itself */
		path = arena_printf(c->a, "%.*s", (int)strcspn(c->path, "?"), c->path);

	buf_init(&b, c->a, 65536);
	buf_str(&b, fields);
	for (const char *p = form; (p = strstr(p, "<input type=\"hidden\"")) != NULL && p < end;
	     p++) {
		buf_printf(&b, "&%s=", quoted(c, p, " name=\""));
		enc_percent(&b, bytes_of(quoted(c, p, " value=\"")));
	}
	return client_send(c, path, (const char *)b.p, "") && follow(c);
}

const char *
client_location_param(struct client *c, const char *name)
{
	const char *p =
		c->location == NULL ? NULL : strstr(c->location, arena_printf(c->a, "%s=", name));

	if (p == NULL)
		return NULL;
	p += strlen(name) + 1;
	return arena_strndup(c->a, p, strcspn(p, "&"));
}
