/* Raw requests from text; see raw.h. */
#include "tests/idp/raw.h"

#include <string.h>

static struct bytes
span(const char *from, const char *to)
{
	return (struct bytes){(const unsigned char *)from, (size_t)(to - from)};
}

static void
add_header(struct raw_text *t, const char *from, const char *to)
{
	const char *colon = memchr(from, ':', (size_t)(to - from));
	const char *value = colon == NULL ? to : colon + 1;

	if (t->raw.n_headers == GATE_HEADERS_MAX + 2)
		return;
	while (value < to && *value == ' ')
		value++;
	t->headers[t->raw.n_headers++] =
		(struct raw_header){span(from, colon == NULL ? to : colon), span(value, to)};
}

void
raw_text_init(struct raw_text *t, const char *line, const char *headers)
{
	const char *end = line + strlen(line), *first = strchr(line, ' ');
	const char *last = strrchr(line, ' ');

	if (first == NULL)
		first = last = end;
	*t = (struct raw_text){.raw = {.headers = t->headers, .peer = "192.0.2.1"}};
	t->raw.method = span(line, first);
	t->raw.target = first < last ? span(first + 1, last) : span(end, end);
	t->raw.version = last < end ? span(last + 1, end) : span(end, end);
	while (*headers != '\0') {
		const char *stop = strchrnul(headers, '\n');

		add_header(t, headers, stop);
		headers = stop + (*stop == '\n');
	}
}
