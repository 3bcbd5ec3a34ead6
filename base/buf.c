/* Growing octets in an arena; see buf.h. */
#include "base/buf.h"

#include <stdio.h>
#include <string.h>

void
buf_init(struct buf *b, struct arena *a, size_t max_bytes)
{
	*b = (struct buf){.a = a, .max = max_bytes};
}

/* Room for n more octets and the NUL; false when that passes the maximum. */
static bool
buf_reserve(struct buf *b, size_t n)
{
	if (b->over || n > b->max - b->n) {
		b->over = true;
		return false;
	}
	if (b->n + n + 1 <= b->cap)
		return true;
	size_t cap = b->cap == 0 ? 256 : b->cap * 2;

	while (cap < b->n + n + 1)
		cap *= 2;
	if (b->cap > 0 && arena_extend(b->a, b->p, b->cap, cap - b->cap)) {
		b->cap = cap;
		return true;
	}
	unsigned char *p = arena_alloc(b->a, cap);

	if (b->n > 0)
		memcpy(p, b->p, b->n);
	b->p = p;
	b->cap = cap;
	return true;
}

void
buf_add(struct buf *b, struct bytes x)
{
	if (!buf_reserve(b, x.n))
		return;
	if (x.n > 0)
		memcpy(b->p + b->n, x.p, x.n);
	b->n += x.n;
	b->p[b->n] = 0;
}

void
buf_str(struct buf *b, const char *s)
{
	buf_add(b, bytes_of(s));
}

void
buf_char(struct buf *b, char c)
{
	unsigned char u = (unsigned char)c;

	buf_add(b, (struct bytes){&u, 1});
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	size_t room = b->cap - b->n;
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(b->p == NULL ? NULL : (char *)b->p + b->n, room, fmt, ap);

	va_end(ap);
	if (n < 0 || !buf_reserve(b, (size_t)n)) {
		if (b->p != NULL)
			b->p[b->n] = 0;
		return;
	}
	if ((size_t)n >= room) {
		va_start(ap, fmt);
		vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->n += (size_t)n;
}

bool
buf_finish(struct buf *b, struct bytes *out, struct err *err)
{
	buf_add(b, (struct bytes){0}); /* so that an empty one has its NUL too */
	if (b->over)
		return FAIL(err, ERR_INTERNAL, NULL, "more than %zu bytes to write", b->max);
	*out = (struct bytes){b->p, b->n};
	return true;
}

bool
buf_finish_str(struct buf *b, const char **out, struct err *err)
{
	struct bytes all;

	if (!buf_finish(b, &all, err))
		return false;
	*out = (const char *)all.p;
	return true;
}
