/*
 * Arenas; see arena.h.  Objects come from chunks that grow with use, or in
 * debug mode from one malloc each.  The bookkeeping of deferred calls lives in
 * the arena itself.
 */
#include "base/arena.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define CHUNK_FIRST_BYTES ((size_t)4096)
#define CHUNK_KEPT_BYTES  ((size_t)64 * 1024)
#define CHUNK_MOST_BYTES  ((size_t)256 * 1024)
#define ALIGN             ((size_t)16)

/* What lies behind `used` is zero. */
struct chunk {
	struct chunk *next;
	size_t size, used;
	_Alignas(16) unsigned char data[];
};

struct deferred {
	struct deferred *next;
	void (*fn)(void *p);
	void *p;
};

struct arena {
	struct chunk *chunks;
	struct deferred *deferred;
	struct deferred late; /* being deferred when memory ran out; fn NULL: none */
	size_t cap, used, next_chunk;
	jmp_buf *exit;       /* of the arena_run that guards us; NULL outside */
	struct arena *outer; /* what that arena_run runs in; NULL: none */
	bool full;           /* the cap was reached */
};

static _Thread_local struct arena *innermost;

/* The first object of an arena, through arena_run. */
struct first {
	struct arena *a;
	size_t n;
	void *p;
};

static void
take_first(void *arg)
{
	struct first *first = arg;

	first->p = arena_alloc(first->a, first->n);
}

struct arena *
arena_create(size_t cap_bytes)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a != NULL) {
		a->cap = cap_bytes;
		a->next_chunk = CHUNK_FIRST_BYTES;
	}
	return a;
}

void *
arena_create_with(size_t cap_bytes, size_t n, struct arena **a)
{
	struct first first = {arena_create(cap_bytes), n, NULL};

	if (first.a == NULL)
		return NULL;
	if (!arena_run(first.a, take_first, &first)) {
		arena_destroy(first.a);
		return NULL;
	}
	*a = first.a;
	return first.p;
}

static void
run_deferred(struct arena *a)
{
	if (a->late.fn != NULL)
		a->late.fn(a->late.p);
	a->late.fn = NULL;
	while (a->deferred != NULL) {
		struct deferred *d = a->deferred;

		a->deferred = d->next;
		d->fn(d->p);
	}
}

/* Wipe all chunks and free them, but for the newest one not larger than `keep_bytes`; 0: all. */
static void
release(struct arena *a, size_t keep_bytes)
{
	struct chunk *kept = NULL, *next;

	run_deferred(a);
	for (struct chunk *c = a->chunks; c != NULL; c = next) {
		next = c->next;
		wipe(c->data, c->used);
		if (kept == NULL && keep_bytes > 0 && c->size <= keep_bytes) {
			kept = c;
			kept->used = 0;
			kept->next = NULL;
		} else {
			free(c);
		}
	}
	a->chunks = kept;
	a->used = 0;
	a->full = false;
	/* Work that needs more than is kept needs a little more: not twice, mapped and unmapped. */
	a->next_chunk = kept == NULL ? CHUNK_FIRST_BYTES : CHUNK_KEPT_BYTES / 4;
}

void
arena_reset(struct arena *a)
{
#ifdef KONTOR_ARENA_DEBUG
	release(a, 0);
#else
	release(a, CHUNK_KEPT_BYTES);
#endif
}

void
arena_set_cap(struct arena *a, size_t cap_bytes)
{
	a->cap = cap_bytes;
}

void
arena_destroy(struct arena *a)
{
	if (a == NULL)
		return;
	release(a, 0);
	free(a);
}

bool
arena_run(struct arena *a, void (*fn)(void *arg), void *arg)
{
	const bool failed_before = memory_failed();
	jmp_buf here;

	a->outer = innermost;
	innermost = a;
	memory_set_failed(false);
	if (setjmp(here) == 0) {
		a->exit = &here;
		fn(arg);
	} else {
		memory_set_failed(true);
	}
	bool enough = !memory_failed();

	memory_set_failed(!enough || failed_before);
	a->exit = NULL;
	innermost = a->outer;
	return enough;
}

bool
arena_was_full(const struct arena *a)
{
	return a->full;
}

bool
arena_run_failed(const struct arena *a, struct err *err)
{
	if (err != NULL)
		err_clear(err);
	if (a != NULL && a->full)
		return FAIL(err, ERR_INTERNAL, NULL, "arena of %zu bytes exhausted", a->cap);
	return FAIL(err, ERR_UNAVAILABLE, NULL, "out of memory");
}

/* The one non-local exit.  Outside arena_run there is nobody to refuse the work to. */
void
arena_leave(struct arena *a)
{
	if (a == NULL || a->exit == NULL)
		a = innermost;
	if (a != NULL)
		longjmp(*a->exit, 1);
	fputs("kontor: out of memory\n", stderr);
	abort();
}

static void __attribute__((noreturn)) cap_reached(struct arena *a)
{
	a->full = true;
	arena_leave(a);
}

static struct chunk *
chunk_add(struct arena *a, size_t need)
{
	size_t size = need;

#ifndef KONTOR_ARENA_DEBUG
	if (size < a->next_chunk)
		size = a->next_chunk;
	if (a->next_chunk < CHUNK_MOST_BYTES)
		a->next_chunk *= 2;
#endif
	struct chunk *c = calloc(1, sizeof(*c) + size);

	if (c == NULL)
		arena_leave(a);
	c->size = size;
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

static size_t
aligned(size_t n)
{
	return (n + ALIGN - 1) / ALIGN * ALIGN;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	if (n > a->cap || a->cap - n < ALIGN || a->used > a->cap - n - ALIGN)
		cap_reached(a);
#ifdef KONTOR_ARENA_DEBUG
	struct chunk *c = chunk_add(a, n);
	void *p = c->data;

	c->used = n;
	a->used += n + ALIGN;
#else
	struct chunk *c = a->chunks;
	size_t step = aligned(n);

	if (c == NULL || c->size - c->used < step)
		c = chunk_add(a, step);
	void *p = c->data + c->used;

	c->used += step;
	a->used += step;
#endif
	return p;
}

/* Octets that the newest chunk has left, within the cap. */
static size_t
room_left(const struct arena *a)
{
#ifdef KONTOR_ARENA_DEBUG
	(void)a; /* each object has a chunk to itself */
	return 0;
#else
	const struct chunk *c = a->chunks;
	size_t within = a->cap - a->used > ALIGN ? a->cap - a->used - ALIGN : 0;
	size_t room = c == NULL ? 0 : c->size - c->used;

	return (room < within ? room : within) / ALIGN * ALIGN;
#endif
}

bool
arena_extend(struct arena *a, const void *p, size_t n, size_t more)
{
	size_t room = room_left(a), step = aligned(n);

	if (room < more || (const unsigned char *)p + step != a->chunks->data + a->chunks->used)
		return false;
	a->chunks->used += aligned(n + more) - step;
	a->used += aligned(n + more) - step;
	return true;
}

void *
arena_calloc(struct arena *a, size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		cap_reached(a);
	return arena_alloc(a, n);
}

char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	memcpy(p, s, n);
	return p;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return s == NULL ? NULL : arena_strndup(a, s, strlen(s));
}

struct bytes
arena_bytes(struct arena *a, struct bytes b)
{
	unsigned char *p = arena_alloc(a, b.n + 1);

	if (b.n > 0)
		memcpy(p, b.p, b.n);
	return (struct bytes){p, b.n};
}

/* Printed to where the next object will lie; what does not fit there is printed once more. */
char *
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	size_t room = room_left(a);
	char *at = room == 0 ? NULL : (char *)a->chunks->data + a->chunks->used;
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(at, room, fmt, again);

	va_end(again);
	if (n < 0)
		arena_leave(a);
	if ((size_t)n < room)
		return arena_alloc(a, (size_t)n + 1);
	wipe(at, room); /* what lies behind the newest object stays zero */
	char *p = arena_alloc(a, (size_t)n + 1);

	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *p = arena_vprintf(a, fmt, ap);

	va_end(ap);
	return p;
}

void
arena_defer(struct arena *a, void (*fn)(void *p), void *p)
{
	/* Should there be no memory for the note, the arena still knows what to free. */
	a->late = (struct deferred){NULL, fn, p};
	struct deferred *d = ARENA_NEW(a, struct deferred);

	*d = a->late;
	d->next = a->deferred;
	a->deferred = d;
	a->late.fn = NULL;
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}
