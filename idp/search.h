/*
 * Finding names by what people type: letters without their marks and in any case, each word
 * somewhere.  "ü" is found by "u", "ue" and "ü", and "ß" by "ss".
 */
#ifndef KONTOR_IDP_SEARCH_H
#define KONTOR_IDP_SEARCH_H

#include "base/arena.h"

struct search; /* lives in its arena */

/* text: UTF-8.  NULL: it has no word. */
const struct search *search_create(struct arena *a, const char *text);

/* Does each word stand in one of these texts?  No memory is taken. */
bool search_finds(const struct search *s, const char *const *texts, size_t n);

#endif
