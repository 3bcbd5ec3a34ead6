/* The structured log; see log.h.  A line is built in a fixed buffer, so logging needs no arena. */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_BYTES 2048

static struct {
	int fd;
	enum log_level least;
	const char *process;

	pthread_mutex_t lock;
	uint64_t untold; /* lines lost since a line could be written */
	bool torn;       /* a part of a line was written last */
	atomic_uint_fast64_t lost;
} sink = {.fd = 2, .least = LOG_LVL_INFO, .process = "kontor", .lock = PTHREAD_MUTEX_INITIALIZER};

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
	if (l->n < LINE_BYTES - 5) /* "}", a line break before and after, NUL */
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

/* One write for all, without waiting for a reader; what was written, -1 for nothing. */
static ssize_t
write_now(const char *p, size_t n)
{
	struct pollfd ready = {.fd = sink.fd, .events = POLLOUT};
	ssize_t rc = send(sink.fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (rc >= 0 || errno != ENOTSOCK)
		return rc;
	/* A pipe that has room has room for a line. */
	if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0)
		return -1;
	do
		rc = write(sink.fd, p, n);
	while (rc < 0 && errno == EINTR);
	return rc;
}

/* A line for itself also after one that was torn. */
static bool
write_line(struct line *l)
{
	if (sink.torn) {
		memmove(l->p + 1, l->p, l->n);
		l->p[0] = '\n';
		l->n++;
	}
	ssize_t rc = write_now(l->p, l->n);

	if (rc > 0)
		sink.torn = (size_t)rc < l->n;
	return rc > 0 && !sink.torn;
}

static void
line_close(struct line *l)
{
	l->p[l->n++] = '}';
	l->p[l->n++] = '\n';
}

/* The first line that can be written again says how many could not. */
static bool
tell_lost(void)
{
	struct line l;
	char count[24];

	if (sink.untold == 0)
		return true;
	snprintf(count, sizeof(count), "%llu", (unsigned long long)sink.untold);
	line_begin(&l, LOG_LVL_ERROR, "log_lost");
	line_pair(&l, "lines", count);
	line_close(&l);
	if (!write_line(&l))
		return false;
	sink.untold = 0;
	return true;
}

/* One write per line, so that lines of several threads and processes never mix. */
static void
line_end(struct line *l)
{
	line_close(l);
	pthread_mutex_lock(&sink.lock);
	if (!tell_lost() || !write_line(l)) {
		sink.untold++;
		atomic_fetch_add(&sink.lost, 1);
	}
	pthread_mutex_unlock(&sink.lock);
}

uint64_t
log_lost(void)
{
	return atomic_load(&sink.lost);
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
