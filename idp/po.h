/*
 * Texts in gettext's PO format, as far as web/i18n uses it: comments, msgid,
 * msgstr, strings in pieces over lines.  The msgid is a key ("login.title"),
 * not a sentence.  No contexts and no plurals: they are refused, not skipped.
 */
#ifndef KONTOR_IDP_PO_H
#define KONTOR_IDP_PO_H

#include "base/arena.h"
#include "base/err.h"

struct po_entry {
	const char *key;  /* never empty: the header entry is left out */
	const char *text; /* "" when it is not translated yet */
	int line;         /* of the msgid */
};

struct po {
	struct po_entry *entries; /* in the file's order */
	size_t n;
};

/*
 * Parse a whole file.  ERR_INPUT, beginning with "FILE:LINE: ": not UTF-8, a
 * line of another kind, an unknown escape, a string without its end, a msgid
 * without msgstr, a fuzzy entry.
 */
MUST_USE bool po_parse(struct arena *a, const char *file, struct bytes text, struct po *out,
		       struct err *err);

#endif
