/* Messages between supervisor and HTTP process; see control.h. */
#include "idp/control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/file.h"

struct wire {
	uint32_t type, arg;
};

union fd_space {
	char octets[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

bool
control_pair(int fds[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "control socket: %s", strerror(errno));
	return true;
}

bool
control_send(int fd, enum control_type type, uint32_t arg, int passed_fd, struct err *err)
{
	struct wire w = {(uint32_t)type, arg};
	struct iovec iov = {&w, sizeof(w)};
	union fd_space space = {.octets = {0}};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (passed_fd >= 0) {
		m.msg_control = space.octets;
		m.msg_controllen = sizeof(space.octets);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &passed_fd, sizeof(int));
	}
	while (sendmsg(fd, &m, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return FAIL(err, ERR_UNAVAILABLE, NULL, "control socket: %s",
				    strerror(errno));
	return true;
}

static int
passed_fd_of(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}

bool
control_receive(int fd, struct control_message *out, struct err *err)
{
	struct wire w = {0};
	struct iovec iov = {&w, sizeof(w)};
	union fd_space space = {.octets = {0}};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = space.octets,
			   .msg_controllen = sizeof(space.octets)};
	ssize_t n;

	while ((n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC)) < 0)
		if (errno != EINTR)
			break;
	/* A peer that died with messages unread shows as a reset. */
	if (n == 0 || (n < 0 && errno == ECONNRESET)) {
		*out = (struct control_message){CONTROL_END, 0, -1};
		return true;
	}
	if (n != (ssize_t)sizeof(w))
		return FAIL(err, ERR_INTERNAL, NULL, "control socket: message of %zd octets", n);
	*out = (struct control_message){(enum control_type)w.type, w.arg, passed_fd_of(&m)};
	return true;
}

static bool
fill_memory(int fd, struct bytes text)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

	return file_write(fd, text) && fcntl(fd, F_ADD_SEALS, seals) == 0;
}

bool
control_memory(const char *name, struct bytes text, int *out, struct err *err)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && fill_memory(fd, text)) {
		*out = fd;
		return true;
	}
	if (fd >= 0)
		close(fd);
	return FAIL(err, ERR_UNAVAILABLE, NULL, "memory file: %s", strerror(errno));
}

bool
control_memory_read(struct arena *a, int fd, size_t max_bytes, struct bytes *out, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || st.st_size < 0 || (size_t)st.st_size > max_bytes)
		return FAIL(err, ERR_INTERNAL, NULL, "memory file: not of the expected size");
	size_t n = (size_t)st.st_size;
	unsigned char *p = arena_alloc(a, n + 1);

	for (size_t at = 0; at < n;) {
		ssize_t got = pread(fd, p + at, n - at, (off_t)at);

		if (got <= 0)
			return FAIL(err, ERR_INTERNAL, NULL, "memory file: cannot be read");
		at += (size_t)got;
	}
	*out = (struct bytes){p, n};
	return true;
}
