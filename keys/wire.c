/* Reading and writing messages of the signer; see wire.h. */
#include "keys/wire.h"

#include <string.h>

#include "base/text.h"

#define VERSION 1

static uint64_t
take(struct wire_reader *r, size_t n)
{
	uint64_t v = 0;

	if (r->bad || r->n < n) {
		r->bad = true;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		v = v << 8 | r->p[i];
	r->p += n;
	r->n -= n;
	return v;
}

uint8_t
wire_u8(struct wire_reader *r)
{
	return (uint8_t)take(r, 1);
}

uint32_t
wire_u32(struct wire_reader *r)
{
	return (uint32_t)take(r, 4);
}

uint64_t
wire_u64(struct wire_reader *r)
{
	return take(r, 8);
}

struct bytes
wire_bytes(struct wire_reader *r, size_t min, size_t max)
{
	size_t n = wire_u32(r);

	if (r->bad || n < min || n > max || n > r->n) {
		r->bad = true;
		return (struct bytes){0};
	}
	struct bytes b = {r->p, n};

	r->p += n;
	r->n -= n;
	return b;
}

const char *
wire_text(struct wire_reader *r, struct arena *a, size_t min, size_t max)
{
	struct bytes b = wire_bytes(r, min, max);
	const char *text = "";

	if (!r->bad && !text_from_bytes(a, b, max, "field", &text, NULL))
		r->bad = true;
	return text;
}

bool
wire_end(const struct wire_reader *r)
{
	return !r->bad && r->n == 0;
}

bool
wire_open(struct bytes message, struct wire_header *h, struct wire_reader *r)
{
	struct wire_reader all = {.p = message.p, .n = message.n};
	uint32_t n = wire_u32(&all);
	uint8_t version = wire_u8(&all);

	h->code = wire_u8(&all);
	h->number = wire_u64(&all);
	*r = all;
	return !all.bad && n == message.n && n <= WIRE_MAX && version == VERSION;
}

static void
put(struct buf *b, uint64_t v, size_t n)
{
	unsigned char p[8];

	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(v >> 8 * (n - 1 - i));
	buf_add(b, (struct bytes){p, n});
}

void
wire_put_u8(struct buf *b, uint8_t v)
{
	put(b, v, 1);
}

void
wire_put_u32(struct buf *b, uint32_t v)
{
	put(b, v, 4);
}

void
wire_put_u64(struct buf *b, uint64_t v)
{
	put(b, v, 8);
}

void
wire_put_bytes(struct buf *b, struct bytes v)
{
	wire_put_u32(b, (uint32_t)v.n);
	buf_add(b, v);
}

void
wire_put_text(struct buf *b, const char *s)
{
	wire_put_bytes(b, bytes_of(s));
}

void
wire_begin(struct buf *b, struct arena *a, uint8_t code, uint64_t number)
{
	buf_init(b, a, WIRE_MAX);
	wire_put_u32(b, 0); /* the length, known in the end */
	wire_put_u8(b, VERSION);
	wire_put_u8(b, code);
	wire_put_u64(b, number);
}

bool
wire_finish(struct buf *b, struct bytes *message, struct err *err)
{
	struct bytes all;

	if (!buf_finish(b, &all, err))
		return false;
	for (size_t i = 0; i < 4; i++)
		b->p[i] = (unsigned char)(all.n >> 8 * (3 - i));
	*message = all;
	return true;
}
