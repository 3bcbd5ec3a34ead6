/*
 * The configuration file: `key = value` lines, `#` comments.  What keys there
 * are is the caller's table; an unknown key, a repeated key, a wrong unit or a
 * missing required key is an error that names the line.
 */
#ifndef KONTOR_BASE_CONF_H
#define KONTOR_BASE_CONF_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum conf_type {
	CONF_TEXT,     /* const char * */
	CONF_BOOL,     /* bool; yes | no */
	CONF_COUNT,    /* int64_t; digits */
	CONF_DURATION, /* int64_t milliseconds; digits and one of ms s min h d */
	CONF_SIZE,     /* int64_t bytes; digits and one of B KiB MiB GiB */
	CONF_FILE,     /* const char *; must name a readable file when the file is checked */
	CONF_CHOICE,   /* int; one of a list of words, its index */
};

enum conf_apply { CONF_RELOAD, CONF_RESTART };

struct conf_row {
	const char *key;
	enum conf_type type;
	size_t offset;        /* of the field in the caller's struct */
	const char *fallback; /* as it would stand in the file; NULL: required; "": none (NULL/0) */
	const char *choices;  /* CONF_CHOICE: words separated by '|' */
	int64_t min, max;     /* COUNT, DURATION, SIZE; max 0: no bound */
	enum conf_apply apply;
	const char *sentence; /* for docs/config.md */
};

/*
 * Fill *target (the caller's struct, zeroed) from the text of a file.  All
 * texts live in `a`.  The error text begins with "FILE:LINE: ".
 */
MUST_USE bool conf_parse(struct arena *a, const char *file_name, struct bytes text,
			 const struct conf_row *rows, size_t n_rows, void *target, struct err *err);

/* The line on which a key stands, for checks that need more than one row; 0: not in the file. */
unsigned conf_line(struct bytes text, const char *key);

/* The text of a file of at most max_bytes; when it cannot be read, err_kind_of_errno. */
MUST_USE bool conf_read_file(struct arena *a, const char *path, size_t max_bytes, struct bytes *out,
			     struct err *err);

/* The rows for a manual page of section 5, roff for man(7). */
void conf_manual(struct arena *a, struct buf *b, const struct conf_row *rows, size_t n_rows);

/* docs/config.md: a Markdown table of the rows. */
char *conf_document(struct arena *a, const struct conf_row *rows, size_t n_rows);

#endif
