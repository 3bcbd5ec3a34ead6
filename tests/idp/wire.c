/* Sockets and raw HTTP; see wire.h. */
#include "tests/idp/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/test.h"

int
listen_at(char *p, const char *name)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(p, WIRE_PATH_BYTES, "/tmp/kontor-test-%d-%s", (int)getpid(), name);
	unlink(p);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", p);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 256), 0);
	return fd;
}

int
dial(const char *at)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct timeval patience = {20, 0};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", at);
	assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

bool
is_heard(const char *at)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", at);
	bool heard = connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0;

	close(fd);
	return heard;
}

void
put(int fd, const void *p, size_t n)
{
	assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), (ssize_t)n);
}

void
say(int fd, const char *text)
{
	put(fd, text, strlen(text));
}

char answer[ANSWER_BYTES];

int
hear_all(int fd)
{
	size_t n = 0;
	ssize_t got;

	while (n < sizeof(answer) - 1 &&
	       (got = recv(fd, answer + n, sizeof(answer) - 1 - n, 0)) > 0)
		n += (size_t)got;
	answer[n] = '\0';
	close(fd);
	return n == 0 ? -1 : atoi(answer + strlen("HTTP/1.1 "));
}

int
hear(int fd)
{
	size_t n = 0, want = SIZE_MAX;

	while (n < want) {
		ssize_t got = recv(fd, answer + n, sizeof(answer) - 1 - n, 0);
		const char *end, *length;

		if (got <= 0)
			break;
		n += (size_t)got;
		answer[n] = '\0';
		end = strstr(answer, "\r\n\r\n");
		length = strcasestr(answer, "\r\nContent-Length: ");
		if (end != NULL)
			want = (size_t)(end + 4 - answer) +
			       (length == NULL ? 0 : (size_t)atol(length + 18));
	}
	return n == 0 ? -1 : atoi(answer + strlen("HTTP/1.1 "));
}
