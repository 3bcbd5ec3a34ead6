/* Reading and writing descriptors; see file.h. */
#include "base/file.h"

#include <errno.h>
#include <unistd.h>

ssize_t
file_read(int fd, void *out, size_t most)
{
	ssize_t n;

	do
		n = read(fd, out, most);
	while (n < 0 && errno == EINTR);
	return n;
}

bool
file_write(int fd, struct bytes b)
{
	while (b.n > 0) {
		ssize_t n = write(fd, b.p, b.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		b.p += n;
		b.n -= (size_t)n;
	}
	return true;
}
