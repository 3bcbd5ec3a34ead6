/* The structured log; see log.h.  A line is built in a fixed buffer, so logging needs no arena. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_BYTES 2048

static struct {
	int fd;
	enum log_level least;
	const char *process;
} sink = {2, LOG_LVL_INFO, "kontor"};

struct line {
	char p[LINE_BYTES];
	size_t n;
};

void
log_open(int fd, enum log_level least, const char *process)
{
	sink.fd = fd;
	sink.least = least;
	sink.process = process;
}

/* Appends as much as fits before the closing brace and newline. */
static void
line_char(struct line *l, char c)
{
	if (l->n < LINE_BYTES - 4)
		l->p[l->n++] = c;
}

static void
line_raw(struct line *l, const char *s)
{
	for (; *s != '\0'; s++)
		line_char(l, *s);
}

/* A JSON text; what is not printable ASCII becomes '?', so no value can forge a line. */
static void
line_text(struct line *l, const char *s)
{
	line_char(l, '"');
	for (; *s != '\0' && l->n < LINE_BYTES - 8; s++) {
		if (*s == '"' || *s == '\\')
			line_char(l, '\\');
		line_char(l, *s >= 0x20 && *s < 0x7f ? *s : '?');
	}
	line_char(l, '"');
}

static void
line_pair(struct line *l, const char *name, const char *value)
{
	if (value == NULL || l->n > LINE_BYTES - 64)
		return;
	line_char(l, ',');
	line_text(l, name);
	line_char(l, ':');
	line_text(l, value);
}

static void
line_pairs(struct line *l, va_list ap)
{
	const char *name;

	while ((name = va_arg(ap, const char *)) != NULL)
		line_pair(l, name, va_arg(ap, const char *));
}

static void
line_begin(struct line *l, enum log_level level, const char *event)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	time_t now = clock_now();
	struct tm tm;
	char when[32];

	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	l->n = 0;
	line_raw(l, "{\"time\":");
	line_text(l, when);
	line_pair(l, "level", names[level]);
	line_pair(l, "process", sink.process);
	line_pair(l, "event", event);
}

/* One write per line, so that lines of several threads and processes never mix. */
static void
line_end(struct line *l)
{
	l->p[l->n++] = '}';
	l->p[l->n++] = '\n';
	ssize_t rc = write(sink.fd, l->p, l->n);

	(void)rc; /* a log that cannot be written must not stop the work */
}

void
log_event(enum log_level level, const char *event, ...)
{
	struct line l;
	va_list ap;

	if (level > sink.least)
		return;
	line_begin(&l, level, event);
	va_start(ap, event);
	line_pairs(&l, ap);
	va_end(ap);
	line_end(&l);
}

void
log_err(enum log_level level, const char *event, const struct err *err, ...)
{
	struct line l;
	va_list ap;
	char place[128];

	if (level > sink.least)
		return;
	line_begin(&l, level, event);
	line_pair(&l, "kind", err_kind_name(err->kind));
	line_pair(&l, "proto", err->proto);
	line_pair(&l, "text", err->text);
	snprintf(place, sizeof(place), "%s:%d", err->file == NULL ? "?" : err->file, err->line);
	line_pair(&l, "place", place);
	va_start(ap, err);
	line_pairs(&l, ap);
	va_end(ap);
	line_end(&l);
}
