/*
 * Reads PO files (po.h) line by line.  Repeated keys are the caller's matter:
 * a theme's file repeats those of the program on purpose.
 */
#include "idp/po.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"

#define PO_KEY_BYTES_MAX  100
#define PO_TEXT_BYTES_MAX 4096
#define PO_ENTRIES_MAX    4096

enum po_place { PO_OUTSIDE, PO_IN_KEY, PO_IN_TEXT };

struct po_reader {
	struct arena *a;
	const char *file;
	int line;
	enum po_place place;
	int key_line;
	struct buf key, text;
	struct po po;
	size_t cap;
};

static bool
po_add(struct po_reader *r, struct err *err)
{
	if (r->po.n == PO_ENTRIES_MAX)
		return FAIL(err, ERR_INPUT, NULL, "%s:%d: more than %d entries", r->file, r->line,
			    PO_ENTRIES_MAX);
	if (r->po.n == r->cap) {
		size_t cap = r->cap == 0 ? 128 : r->cap * 2;
		struct po_entry *grown = ARENA_ARRAY(r->a, struct po_entry, cap);

		if (r->po.n > 0)
			memcpy(grown, r->po.entries, r->po.n * sizeof(*grown));
		r->po.entries = grown;
		r->cap = cap;
	}
	struct po_entry e = {.key = "", .text = "", .line = r->key_line};

	if (r->key.n > 0 && !buf_finish_str(&r->key, &e.key, err))
		return false;
	if (r->text.n > 0 && !buf_finish_str(&r->text, &e.text, err))
		return false;
	if (e.key[0] != '\0')
		r->po.entries[r->po.n++] = e;
	return true;
}

/* What was read so far is an entry; nothing is open after it. */
static bool
po_close(struct po_reader *r, struct err *err)
{
	if (r->place == PO_OUTSIDE)
		return true;
	if (r->place == PO_IN_KEY)
		return FAIL(err, ERR_INPUT, NULL, "%s:%d: msgid without msgstr", r->file,
			    r->key_line);
	if (r->key.over || r->text.over)
		return FAIL(err, ERR_INPUT, NULL, "%s:%d: key or text too long", r->file,
			    r->key_line);
	r->place = PO_OUTSIDE;
	return po_add(r, err);
}

/* A quoted string and nothing after it: append what it stands for. */
static bool
po_string(struct po_reader *r, struct bytes s, struct buf *out, struct err *err)
{
	static const char escapes[] = "\"\"\\\\n\nt\t";

	if (s.n < 2 || s.p[0] != '"')
		return FAIL(err, ERR_INPUT, NULL, "%s:%d: no string in quotes", r->file, r->line);
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '"') {
			if (i + 1 != s.n)
				break;
			return true;
		}
		if (s.p[i] != '\\') {
			buf_char(out, (char)s.p[i]);
			continue;
		}
		const char *e = escapes;

		i++;
		while (i < s.n && *e != '\0' && *e != (char)s.p[i])
			e += 2;
		if (i == s.n || *e == '\0')
			return FAIL(err, ERR_INPUT, NULL, "%s:%d: unknown escape", r->file,
				    r->line);
		buf_char(out, e[1]);
	}
	return FAIL(err, ERR_INPUT, NULL, "%s:%d: string without its end, or more after it",
		    r->file, r->line);
}

/* Does the line begin with this word and a blank?  *rest is what follows. */
static bool
po_word(struct bytes line, const char *word, struct bytes *rest)
{
	size_t n = strlen(word);

	if (!bytes_start(line, word))
		return false;
	*rest = (struct bytes){line.p + n, line.n - n};
	return true;
}

static bool
po_line(struct po_reader *r, struct bytes line, struct err *err)
{
	struct bytes rest;

	if (line.n == 0)
		return po_close(r, err);
	if (line.p[0] == '#') {
		if (po_word(line, "#,", &rest) && memmem(rest.p, rest.n, "fuzzy", 5) != NULL)
			return FAIL(err, ERR_INPUT, NULL, "%s:%d: fuzzy entry", r->file, r->line);
		return true;
	}
	if (po_word(line, "msgid ", &rest)) {
		if (!po_close(r, err))
			return false;
		r->place = PO_IN_KEY;
		r->key_line = r->line;
		buf_init(&r->key, r->a, PO_KEY_BYTES_MAX);
		return po_string(r, rest, &r->key, err);
	}
	if (r->place == PO_IN_KEY && po_word(line, "msgstr ", &rest)) {
		r->place = PO_IN_TEXT;
		buf_init(&r->text, r->a, PO_TEXT_BYTES_MAX);
		return po_string(r, rest, &r->text, err);
	}
	if (line.p[0] == '"' && r->place != PO_OUTSIDE)
		return po_string(r, line, r->place == PO_IN_KEY ? &r->key : &r->text, err);
	return FAIL(err, ERR_INPUT, NULL, "%s:%d: neither msgid, msgstr, string nor comment",
		    r->file, r->line);
}

bool
po_parse(struct arena *a, const char *file, struct bytes text, struct po *out, struct err *err)
{
	struct po_reader r = {.a = a, .file = file, .line = 1};

	if (!text_is_utf8(text) || (text.n > 0 && memchr(text.p, 0, text.n) != NULL))
		return FAIL(err, ERR_INPUT, NULL, "%s:1: not UTF-8 text", file);
	for (size_t at = 0; at < text.n; r.line++) {
		const unsigned char *end = memchr(text.p + at, '\n', text.n - at);
		size_t n = end == NULL ? text.n - at : (size_t)(end - (text.p + at));

		if (!po_line(&r, (struct bytes){text.p + at, n}, err))
			return false;
		at += n + 1;
	}
	if (!po_close(&r, err))
		return false;
	*out = r.po;
	return true;
}
