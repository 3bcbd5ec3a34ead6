/*
 * Memory of the libraries that we stand on (OpenSSL, libxml2, jansson, libcurl).  It comes from
 * here, so that running out of it is never mistaken for what they make of it: a key that
 * "cannot be read", a text that is "not well-formed", an empty answer.  Who guards work
 * (arena_run) asks afterwards whether there was enough.
 */
#ifndef KONTOR_BASE_MEMORY_H
#define KONTOR_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* As malloc, calloc, realloc and strdup; what they give is freed by free(). */
void *memory_alloc(size_t n);
void *memory_calloc(size_t count, size_t size);
void *memory_realloc(void *p, size_t n);
char *memory_strdup(const char *s);

/* Did one of them fail on this thread since it was last forgotten? */
bool memory_failed(void);
void memory_set_failed(bool failed);

#endif
