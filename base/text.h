/*
 * From octets to text.  After text_from_bytes, and only after it, something
 * from outside is a `const char *`: UTF-8 without NUL, of bounded length.
 */
#ifndef KONTOR_BASE_TEXT_H
#define KONTOR_BASE_TEXT_H

#include "base/arena.h"
#include "base/err.h"

/*
 * *out becomes a copy in `a` of b as a C string.  Refused (ERR_INPUT): more
 * than max_bytes octets, a NUL, ill-formed UTF-8 (overlong, surrogate, past
 * U+10FFFF).  `what` names the value in the error text.
 */
MUST_USE bool text_from_bytes(struct arena *a, struct bytes b, size_t max_bytes, const char *what,
			      const char **out, struct err *err);

/* Well-formed UTF-8 (RFC 3629), NUL allowed. */
bool text_is_utf8(struct bytes b);

/* Length of the well-formed sequence at p (1-4), 0 if ill-formed or n is 0; *cp is its code point.
 */
size_t text_utf8_next(const unsigned char *p, size_t n, uint32_t *cp);

/* s consists of 1..max_bytes characters from U+0021..U+007E only. */
bool text_is_visible_ascii(const char *s, size_t max_bytes);

/* Equality that takes NULL: two NULLs are equal, NULL equals no string. */
bool text_eq(const char *a, const char *b);

/* One of the n strings equals s. */
bool text_in(const char *const *strings, size_t n, const char *s);

bool text_starts(const char *s, const char *prefix);

/* A copy in `a` without leading and trailing XML white space (#x20 #x9 #xD #xA). */
char *text_trim(struct arena *a, const char *s);

/*
 * *out becomes s in Unicode's normal form C, so that one text has one spelling
 * whatever keyboard it was typed on; s itself when it is ASCII.  ERR_INTERNAL:
 * want of memory.
 */
MUST_USE bool text_nfc(struct arena *a, const char *s, const char **out, struct err *err);

/*
 * A copy in `a` that is one line on a terminal and shows in the order it is written: line ends,
 * all other controls (C0, DEL, C1), those of direction (Unicode bidi) and what is no UTF-8
 * become U+FFFD.
 */
const char *text_one_line(struct arena *a, const char *s);

/*
 * Split at single spaces into words (RFC 6749 3.3 scope lists).  Empty words
 * are dropped.  *n_out words at most max_words; more is ERR_INPUT.
 */
MUST_USE bool text_words(struct arena *a, const char *s, size_t max_words, const char ***out,
			 size_t *n_out, struct err *err);

/* Decimal digits only, no sign, no blanks, at most `max`.  False otherwise; *out untouched. */
MUST_USE bool text_to_u64(const char *s, uint64_t max, uint64_t *out);

#endif
