/* Reading and writing descriptors: what a signal or a full pipe cuts short is taken up again. */
#ifndef KONTOR_BASE_FILE_H
#define KONTOR_BASE_FILE_H

#include <sys/types.h>

#include "base/base.h"

/* Up to `most` octets; 0: the end; -1: errno says why, and it is not EINTR. */
ssize_t file_read(int fd, void *out, size_t most);

/* All of them.  False: errno says why, and some may have been written. */
MUST_USE bool file_write(int fd, struct bytes b);

#endif
