/*
 * What every file may use without asking: attributes for the compiler and the
 * one type for octets that came from outside.
 */
#ifndef KONTOR_BASE_BASE_H
#define KONTOR_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* The result says whether the outputs may be read, so it must be looked at. */
#define MUST_USE          __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define UNUSED            __attribute__((unused))

#define ARRAY_LEN(a)      (sizeof(a) / sizeof((a)[0]))

/*
 * Octets, not text: may hold NUL, need not be UTF-8, need not end in NUL.
 * p may be NULL only when n is 0.  Never owns what it points to.
 */
struct bytes {
	const unsigned char *p;
	size_t n;
};

/* The octets of a C string without its NUL.  s must not be NULL. */
struct bytes bytes_of(const char *s);

/* Equal length and content; the time taken depends on the content. Not for secrets. */
bool bytes_eq(struct bytes a, struct bytes b);

/* b begins, ends with the characters of s.  Not for secrets. */
bool bytes_start(struct bytes b, const char *s);
bool bytes_end(struct bytes b, const char *s);

/* Equal length and content; the time taken depends on the lengths alone. */
bool bytes_eq_secret(struct bytes a, struct bytes b);

/* Overwrite n octets in a way the compiler may not remove.  p may be NULL when n is 0. */
void wipe(void *p, size_t n);

#endif
