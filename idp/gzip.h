/* Documents compressed as HTTP knows it (RFC 1952), once, at the highest level. */
#ifndef KONTOR_IDP_GZIP_H
#define KONTOR_IDP_GZIP_H

#include "base/arena.h"
#include "base/err.h"

/* Empty when zlib has no memory. */
struct bytes gzip_pack(struct arena *a, struct bytes b);

/* ERR_INTERNAL: it is damaged, or becomes more than `most` octets. */
MUST_USE bool gzip_unpack(struct arena *a, struct bytes b, size_t most, struct bytes *out,
			  struct err *err);

#endif
