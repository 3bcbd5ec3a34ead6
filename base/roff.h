/* Text for manual pages, roff for man(7). */
#ifndef KONTOR_BASE_ROFF_H
#define KONTOR_BASE_ROFF_H

#include "base/buf.h"

/*
 * One text with a newline at its end: no line of it is taken for a request, an
 * empty line begins a paragraph, what stands in backquotes is bold.
 */
void roff_text(struct buf *b, const char *s);

#endif
