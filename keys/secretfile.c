/* Files for their owner alone; see secretfile.h. */
#include "keys/secretfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static bool
owner_check(int fd, const char *what, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return FAIL(err, ERR_DENIED, NULL, "%s %s: not a regular file", what, path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return FAIL(err, ERR_DENIED, NULL, "%s %s: belongs to somebody else", what, path);
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return FAIL(err, ERR_DENIED, NULL,
			    "%s %s: open to others than its owner (chmod 600)", what, path);
	return true;
}

/* Close through the arena, so that every way out does. */
static void
close_fd(void *p)
{
	close((int)(intptr_t)p);
}

bool
secretfile_read(struct arena *a, const char *what, const char *path, size_t max, struct bytes *out,
		struct err *err)
{
	unsigned char *p = arena_alloc(a, max + 1);
	/* O_NONBLOCK: a FIFO in its place must not hold us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	size_t n = 0;
	ssize_t got = 0;

	if (fd < 0)
		return FAIL(err, err_kind_of_errno(errno), NULL, "%s %s: %s", what, path,
			    strerror(errno));
	arena_defer(a, close_fd, (void *)(intptr_t)fd);
	if (!owner_check(fd, what, path, err))
		return false;
	while (n <= max && (got = file_read(fd, p + n, max + 1 - n)) > 0)
		n += (size_t)got;
	if (got < 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "%s %s: %s", what, path, strerror(errno));
	*out = (struct bytes){p, n};
	return true;
}
