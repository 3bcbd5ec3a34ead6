/*
 * A growing run of octets in an arena, with a stated maximum.  Appending past
 * the maximum sets a mark that stays: appends after it do nothing, and
 * buf_finish says false.  So a builder appends without checks and asks once.
 */
#ifndef KONTOR_BASE_BUF_H
#define KONTOR_BASE_BUF_H

#include "base/arena.h"
#include "base/err.h"

struct buf {
	struct arena *a;
	unsigned char *p; /* p[n] is NUL whenever p is not NULL */
	size_t n, cap, max;
	bool over;
};

/* Nothing is allocated before the first append.  max_bytes counts without the NUL. */
void buf_init(struct buf *b, struct arena *a, size_t max_bytes);

void buf_add(struct buf *b, struct bytes x);
void buf_str(struct buf *b, const char *s); /* s must not be NULL */
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* What was appended; ERR_INTERNAL when the maximum was passed.  Valid while the arena lives. */
MUST_USE bool buf_finish(struct buf *b, struct bytes *out, struct err *err);

/* The same as a C string. */
MUST_USE bool buf_finish_str(struct buf *b, const char **out, struct err *err);

#endif
