/* The configuration file; see conf.h. */
#include "base/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/roff.h"
#include "base/text.h"

#define MAX_LINE_BYTES 4096

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit durations[] = {{"ms", 1},      {"s", 1000},     {"min", 60000},
					{"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit sizes[] = {
	{"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {NULL, 0}};
static const struct unit counts[] = {{"", 1}, {NULL, 0}};

static const char *const type_names[] = {
	[CONF_TEXT] = "text",         [CONF_BOOL] = "yes or no", [CONF_COUNT] = "count",
	[CONF_DURATION] = "duration", [CONF_SIZE] = "size",      [CONF_FILE] = "file",
	[CONF_CHOICE] = "one of",
};

/* Where a value stands, for the error text: "kontor.conf:12" or "default of KEY". */
struct place {
	struct arena *a;
	const char *text;
};

static bool
parse_number(const struct place *at, const struct conf_row *row, const struct unit *units,
	     const char *s, int64_t *out, struct err *err)
{
	size_t digits = strspn(s, "0123456789");
	uint64_t v;
	int64_t scaled;

	if (!text_to_u64(arena_strndup(at->a, s, digits), INT64_MAX, &v))
		return FAIL(err, ERR_INPUT, NULL, "%s: %s: not a number", at->text, row->key);
	while (units->name != NULL && strcmp(units->name, s + digits) != 0)
		units++;
	if (units->name == NULL)
		return FAIL(err, ERR_INPUT, NULL, "%s: %s: unknown or missing unit '%s' (%s)",
			    at->text, row->key, s + digits, type_names[row->type]);
	if (__builtin_mul_overflow((int64_t)v, units->factor, &scaled) || scaled < row->min ||
	    (row->max != 0 && scaled > row->max))
		return FAIL(err, ERR_INPUT, NULL, "%s: %s: out of range", at->text, row->key);
	*out = scaled;
	return true;
}

static bool
parse_bool(const struct place *at, const struct conf_row *row, const char *s, bool *out,
	   struct err *err)
{
	if (strcmp(s, "yes") != 0 && strcmp(s, "no") != 0)
		return FAIL(err, ERR_INPUT, NULL, "%s: %s: yes or no expected", at->text, row->key);
	*out = s[0] == 'y';
	return true;
}

static bool
parse_choice(const struct place *at, const struct conf_row *row, const char *s, int *out,
	     struct err *err)
{
	int index = 0;
	size_t n = strlen(s);

	for (const char *w = row->choices; *w != '\0'; index++) {
		size_t len = strcspn(w, "|");

		if (len == n && strncmp(w, s, n) == 0) {
			*out = index;
			return true;
		}
		w += len + (w[len] == '|');
	}
	return FAIL(err, ERR_INPUT, NULL, "%s: %s: one of %s expected", at->text, row->key,
		    row->choices);
}

static bool
parse_file(const struct place *at, const struct conf_row *row, const char *s, const char **out,
	   struct err *err)
{
	if (access(s, R_OK) != 0)
		return FAIL(err, ERR_INPUT, NULL, "%s: %s: cannot read the file: %s", at->text,
			    row->key, strerror(errno));
	*out = s;
	return true;
}

static bool
set_field(const struct place *at, const struct conf_row *row, const char *s, void *target,
	  struct err *err)
{
	void *field = (unsigned char *)target + row->offset;

	switch (row->type) {
	case CONF_TEXT:
		*(const char **)field = s;
		return true;
	case CONF_BOOL:
		return parse_bool(at, row, s, field, err);
	case CONF_COUNT:
		return parse_number(at, row, counts, s, field, err);
	case CONF_DURATION:
		return parse_number(at, row, durations, s, field, err);
	case CONF_SIZE:
		return parse_number(at, row, sizes, s, field, err);
	case CONF_FILE:
		return parse_file(at, row, s, field, err);
	case CONF_CHOICE:
		return parse_choice(at, row, s, field, err);
	}
	return FAIL(err, ERR_INTERNAL, NULL, "%s: unknown type", row->key);
}

static size_t
row_find(const struct conf_row *rows, size_t n_rows, const char *key)
{
	size_t i = 0;

	while (i < n_rows && strcmp(rows[i].key, key) != 0)
		i++;
	return i;
}

/* One line that is neither blank nor a comment. */
static bool
parse_line(const struct place *at, char *line, const struct conf_row *rows, size_t n_rows,
	   bool *seen, void *target, struct err *err)
{
	char *eq = strchr(line, '=');

	if (eq == NULL)
		return FAIL(err, ERR_INPUT, NULL, "%s: 'key = value' expected", at->text);
	*eq = '\0';
	const char *key = text_trim(at->a, line), *value = text_trim(at->a, eq + 1);
	size_t i = row_find(rows, n_rows, key);

	if (i == n_rows)
		return FAIL(err, ERR_INPUT, NULL, "%s: unknown key '%s'", at->text, key);
	if (seen[i])
		return FAIL(err, ERR_INPUT, NULL, "%s: %s: given twice", at->text, key);
	if (*value == '\0')
		return FAIL(err, ERR_INPUT, NULL, "%s: %s: no value", at->text, key);
	seen[i] = true;
	return set_field(at, &rows[i], value, target, err);
}

static bool
set_fallbacks(struct arena *a, const char *file_name, const struct conf_row *rows, size_t n_rows,
	      const bool *seen, void *target, struct err *err)
{
	for (size_t i = 0; i < n_rows; i++) {
		struct place at = {a, arena_printf(a, "%s: default", file_name)};

		if (seen[i] || (rows[i].fallback != NULL && rows[i].fallback[0] == '\0'))
			continue;
		if (rows[i].fallback == NULL)
			return FAIL(err, ERR_INPUT, NULL, "%s: missing key '%s'", file_name,
				    rows[i].key);
		if (!set_field(&at, &rows[i], rows[i].fallback, target, err))
			return false;
	}
	return true;
}

bool
conf_parse(struct arena *a, const char *file_name, struct bytes text, const struct conf_row *rows,
	   size_t n_rows, void *target, struct err *err)
{
	bool *seen = ARENA_ARRAY(a, bool, n_rows + 1);
	unsigned number = 1;

	for (size_t i = 0, end; i < text.n; i = end + 1, number++) {
		struct place at = {a, arena_printf(a, "%s:%u", file_name, number)};
		const char *checked;

		for (end = i; end < text.n && text.p[end] != '\n'; end++)
			;
		if (!text_from_bytes(a, (struct bytes){text.p + i, end - i}, MAX_LINE_BYTES,
				     at.text, &checked, err))
			return false;
		char *line = text_trim(a, checked);

		if (*line == '\0' || *line == '#')
			continue;
		if (!parse_line(&at, line, rows, n_rows, seen, target, err))
			return false;
	}
	return set_fallbacks(a, file_name, rows, n_rows, seen, target, err);
}

unsigned
conf_line(struct bytes text, const char *key)
{
	size_t n = strlen(key);
	unsigned number = 1;

	for (size_t i = 0; i < text.n; i++, number++) {
		while (i < text.n && (text.p[i] == ' ' || text.p[i] == '\t'))
			i++;
		size_t end = i + n;

		if (end < text.n && memcmp(text.p + i, key, n) == 0 &&
		    memchr("= \t", text.p[end], 3) != NULL)
			return number;
		while (i < text.n && text.p[i] != '\n')
			i++;
	}
	return 0;
}

static void
close_fd(void *p)
{
	close((int)(intptr_t)p);
}

bool
conf_read_file(struct arena *a, const char *path, size_t max_bytes, struct bytes *out,
	       struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf b;
	unsigned char part[4096];
	ssize_t n = 0;

	if (fd < 0)
		return FAIL(err, err_kind_of_errno(errno), NULL, "%s: %s", path, strerror(errno));
	arena_defer(a, close_fd, (void *)(intptr_t)fd);
	buf_init(&b, a, max_bytes);
	while (!b.over && (n = file_read(fd, part, sizeof(part))) > 0)
		buf_add(&b, (struct bytes){part, (size_t)n});
	wipe(part, sizeof(part));
	if (n < 0)
		return FAIL(err, err_kind_of_errno(errno), NULL, "%s: %s", path, strerror(errno));
	if (b.over)
		return FAIL(err, ERR_INPUT, NULL, "%s: more than %zu bytes", path, max_bytes);
	return buf_finish(&b, out, err);
}

/* "one of error,warn,info,debug" */
static const char *
type_text(struct arena *a, const struct conf_row *r)
{
	if (r->type != CONF_CHOICE)
		return type_names[r->type];
	char *text = arena_printf(a, "%s %s", type_names[r->type], r->choices);

	for (char *p = text; *p != '\0'; p++)
		if (*p == '|')
			*p = ',';
	return text;
}

static const char *
apply_text(const struct conf_row *r)
{
	return r->apply == CONF_RELOAD ? "reload" : "restart";
}

void
conf_manual(struct arena *a, struct buf *b, const struct conf_row *rows, size_t n_rows)
{
	for (size_t i = 0; i < n_rows; i++) {
		const struct conf_row *r = &rows[i];
		const char *fallback = r->fallback == NULL ? "required"
				       : *r->fallback == '\0'
					       ? "none by default"
					       : arena_printf(a, "default %s", r->fallback);

		buf_printf(b, ".TP\n.B %s\n", r->key);
		roff_text(b, r->sentence);
		roff_text(b, arena_printf(a, "(%s; %s; %s)", type_text(a, r), fallback,
					  apply_text(r)));
	}
}

char *
conf_document(struct arena *a, const struct conf_row *rows, size_t n_rows)
{
	struct buf b;
	const char *out = "";

	buf_init(&b, a, 1024 * 1024);
	buf_str(&b,
		"| key | type | default | change | meaning |\n| --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < n_rows; i++) {
		const struct conf_row *r = &rows[i];
		const char *fallback = r->fallback == NULL ? "required" : r->fallback;

		buf_printf(&b, "| `%s` | %s | %s | %s | %s |\n", r->key, type_text(a, r), fallback,
			   apply_text(r), r->sentence);
	}
	if (!buf_finish_str(&b, &out, NULL))
		return arena_strdup(a, "");
	return arena_strdup(a, out);
}
