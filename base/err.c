/* Recording a failure; see err.h. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
	[ERR_NONE] = "none",         [ERR_INPUT] = "input",
	[ERR_DENIED] = "denied",     [ERR_NOT_FOUND] = "not_found",
	[ERR_CONFLICT] = "conflict", [ERR_UNAVAILABLE] = "unavailable",
	[ERR_INTERNAL] = "internal",
};

const char *
err_kind_name(enum err_kind kind)
{
	return (size_t)kind < ARRAY_LEN(kind_names) ? kind_names[kind] : "unknown";
}

enum err_kind
err_kind_of_errno(int number)
{
	switch (number) {
	case EIO:
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return ERR_UNAVAILABLE;
	default:
		return ERR_NOT_FOUND;
	}
}

/* A text may quote what a peer sent; in a log line it must stay printable ASCII. */
static void
make_printable(char *s)
{
	char *end = s; /* of what is not blank */

	for (; *s != '\0'; s++) {
		if (*s == '\n' ||
		    *s == '\t') /* libraries end and fold their sentences with these */
			*s = ' ';
		else if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f)
			*s = '?';
		if (*s != ' ')
			end = s + 1;
	}
	*end = '\0';
}

void
err_set(struct err *err, enum err_kind kind, const char *proto, const char *file, int line,
	const char *fmt, ...)
{
	va_list ap;

	if (err == NULL || err->kind != ERR_NONE)
		return;
	err->kind = kind;
	err->proto = proto;
	err->file = file;
	err->line = line;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	make_printable(err->text);
}

void
err_clear(struct err *err)
{
	*err = (struct err){0};
}
