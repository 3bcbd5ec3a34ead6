/* Reading a file that only its owner may see.  Internal to keys/. */
#ifndef KONTOR_KEYS_SECRETFILE_H
#define KONTOR_KEYS_SECRETFILE_H

#include "base/arena.h"
#include "base/err.h"

/*
 * Its octets, of which there may be one more than `max`, so that the caller sees
 * it is too long.  `what` names it in errors.  ERR_NOT_FOUND or ERR_UNAVAILABLE: cannot be opened.
 * ERR_DENIED: not a regular file, not owned by this user or root, or open to
 * group or others.
 */
MUST_USE bool secretfile_read(struct arena *a, const char *what, const char *path, size_t max,
			      struct bytes *out, struct err *err);

#endif
