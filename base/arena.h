/*
 * Memory with one lifetime: a request, a job, a snapshot.  Everything taken
 * from an arena goes at once, wiped; foreign objects (a libxml2 document, an
 * EVP_PKEY) are tied to it by arena_defer, so an early return is always clean.
 *
 * Allocation never returns NULL.  When the cap is reached or memory is out,
 * control returns to the arena_run() that guards the work, which says so; there
 * is no other non-local exit in the program (docs/decisions/0002).  Hence: never
 * allocate from an arena while holding a lock.  Work that found no memory in a
 * library (base/memory.h) ends by itself, but counts as not done in the same way.
 *
 * Built with -Darena_debug=true each object is a malloc of its own, so that
 * sanitizers see its bounds.
 */
#ifndef KONTOR_BASE_ARENA_H
#define KONTOR_BASE_ARENA_H

#include <stdarg.h>

#include "base/err.h"

struct arena;

/*
 * A new, empty arena that gives out at most cap_bytes in all (objects and
 * bookkeeping).  Returns NULL only when memory is out.  Not thread-safe: one
 * thread at a time uses an arena.
 */
struct arena *arena_create(size_t cap_bytes);

/*
 * The same with its first object, n octets, zeroed, for what keeps an arena of its
 * own: *a becomes the arena.  Returns NULL only when memory is out.
 */
void *arena_create_with(size_t cap_bytes, size_t n, struct arena **a);

/* Run the deferred calls (last first), wipe and free everything.  a may be NULL. */
void arena_destroy(struct arena *a);

/*
 * As arena_destroy, but the arena stays usable, empty, with its cap; a little
 * of its memory, wiped, is kept for the next use.
 */
void arena_reset(struct arena *a);

/* Another cap, of an arena that is empty. */
void arena_set_cap(struct arena *a, size_t cap_bytes);

/*
 * Run fn(arg).  True when it returned by itself; false when an allocation from
 * `a`, or of a library on this thread, could not be served: what fn did to that
 * point stands, nothing of it may be read but what lies outside the arena.  Not
 * nested for one arena.
 */
MUST_USE bool arena_run(struct arena *a, void (*fn)(void *arg), void *arg);

/* After false: was it the cap that was reached?  Else memory is out. */
bool arena_was_full(const struct arena *a);

/*
 * After false, or without an arena (a NULL): say why in err, in place of whatever was
 * made of it before, and return false.  ERR_INTERNAL: the cap; ERR_UNAVAILABLE: memory.
 */
bool arena_run_failed(const struct arena *a, struct err *err);

/*
 * Leave as an allocation does that finds no memory.  An arena that nobody guards,
 * or NULL, leaves through the innermost arena_run of this thread (and is lost);
 * without one the process ends with a sentence.
 */
void arena_leave(struct arena *a) __attribute__((noreturn));

/* n octets, zeroed, aligned for any type.  n may be 0.  Never NULL (see above). */
void *arena_alloc(struct arena *a, size_t n) __attribute__((returns_nonnull, malloc));

/* count * size octets, zeroed; a product that overflows counts as "cap reached". */
void *arena_calloc(struct arena *a, size_t count, size_t size)
	__attribute__((returns_nonnull, malloc));

#define ARENA_NEW(a, type)      ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_calloc((a), (n), sizeof(type)))

/*
 * Make an object of n octets longer by `more` where it lies; the new octets are
 * zero.  False: it is not the newest, or there is no room behind it.
 */
MUST_USE bool arena_extend(struct arena *a, const void *p, size_t n, size_t more);

/* Copies that live in the arena.  arena_strdup(a, NULL) is NULL. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
struct bytes arena_bytes(struct arena *a, struct bytes b);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3)
	__attribute__((returns_nonnull));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
	__attribute__((returns_nonnull, nonnull(2), format(printf, 2, 0)));

/* Call fn(p) when the arena is reset or destroyed; last deferred, first called. */
void arena_defer(struct arena *a, void (*fn)(void *p), void *p);

/* Octets given out so far, bookkeeping included. */
size_t arena_used(const struct arena *a);

#endif
