/* Opening listeners; see listener.h. */
#include "idp/listener.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define BACKLOG         1024
#define SYSTEMD_FDS_MAX 32

/* Names of the sockets that systemd handed over, in order from SD_LISTEN_FDS_START. */
struct handed {
	char **names;
	int n;
};

static bool
fail_at(const struct listen_at *at, struct err *err)
{
	return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: %s", at->text, strerror(errno));
}

/*
 * Who owns a file may give it to a group of his own: that takes the right to
 * choose one's groups, and not the right over all files, which the shipped unit
 * does not leave.  Without either, the group must be ours already.
 */
static bool
give_to_group(const char *path, gid_t gid)
{
	gid_t before[NGROUPS_MAX];
	int n = getgroups(ARRAY_LEN(before), before);
	bool joined = n >= 0 && setgroups(1, &gid) == 0;
	bool ok = chown(path, (uid_t)-1, gid) == 0;

	return (!joined || setgroups((size_t)n, before) == 0) && ok;
}

/* The proxy's group may connect; nobody else. */
static bool
open_to_group(const struct config *config, const char *path)
{
	struct group *g;

	if (config->listen_group == NULL)
		return chmod(path, 0660) == 0;
	g = getgrnam(config->listen_group);
	if (g == NULL) {
		errno = ENOENT;
		return false;
	}
	return give_to_group(path, g->gr_gid) && chmod(path, 0660) == 0;
}

static bool
bind_to(const struct config *config, const struct listen_at *at, int fd)
{
	const struct sockaddr *sa = (const struct sockaddr *)&at->addr;
	const char *path = ((const struct sockaddr_un *)&at->addr)->sun_path;
	int one = 1;

	if (at->kind == LISTEN_UNIX)
		unlink(path);
	else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0)
		return false;
	if (sa->sa_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) != 0)
		return false;
	if (bind(fd, sa, at->addr_bytes) != 0 || listen(fd, BACKLOG) != 0)
		return false;
	return at->kind != LISTEN_UNIX || open_to_group(config, path);
}

static bool
find_handed(const struct handed *h, const struct listen_at *at, int *out, struct err *err)
{
	for (int i = 0; i < h->n; i++) {
		if (strcmp(h->names[i], at->text) == 0) {
			*out = SD_LISTEN_FDS_START + i;
			return true;
		}
	}
	return FAIL(err, ERR_INPUT, NULL, "systemd:%s: no such socket was handed over", at->text);
}

static bool
open_one(const struct config *config, const struct handed *h, const struct listen_at *at, int *out,
	 struct err *err)
{
	if (at->kind == LISTEN_SYSTEMD)
		return find_handed(h, at, out, err);
	int fd = socket(at->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return fail_at(at, err);
	if (!bind_to(config, at, fd)) {
		(void)!fail_at(at, err);
		close(fd);
		return false;
	}
	*out = fd;
	return true;
}

static void
free_names(void *p)
{
	char **names = p;

	for (size_t i = 0; names != NULL && names[i] != NULL; i++)
		free(names[i]);
	free(names);
}

bool
listeners_open(struct arena *a, const struct config *config, struct listeners *out, struct err *err)
{
	struct listeners l = {.metrics = -1};
	struct handed h = {NULL, 0};

	/* Takes the variables out of the environment, so that no child sees them. */
	h.n = sd_listen_fds_with_names(1, &h.names);
	arena_defer(a, free_names, h.names);
	for (size_t i = 0; i < config->n_listen; i++) {
		if (!open_one(config, &h, &config->listen[i], &l.fds[l.n], err)) {
			listeners_close(&l);
			return false;
		}
		l.n++;
	}
	if (config->has_metrics &&
	    !open_one(config, &h, &config->listen_metrics, &l.metrics, err)) {
		listeners_close(&l);
		return false;
	}
	*out = l;
	return true;
}

void
listeners_close(struct listeners *l)
{
	while (l->n > 0)
		close(l->fds[--l->n]);
	if (l->metrics >= 0)
		close(l->metrics);
	l->metrics = -1;
}
