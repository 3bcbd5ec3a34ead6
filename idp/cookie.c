/* Reading and writing cookies; see cookie.h. */
#include "idp/cookie.h"

#include <string.h>

#include "base/text.h"
#include "idp/gate.h"

#define PREFIX "__Host-"

static struct bytes
trimmed(struct bytes b)
{
	while (b.n > 0 && (b.p[0] == ' ' || b.p[0] == '\t'))
		b = (struct bytes){b.p + 1, b.n - 1};
	while (b.n > 0 && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == '\t'))
		b.n--;
	return b;
}

bool
cookie_next(struct bytes *rest, struct bytes *name, struct bytes *value)
{
	struct bytes part;

	do {
		if (rest->n == 0)
			return false;
		const unsigned char *semi = memchr(rest->p, ';', rest->n);
		size_t n = semi == NULL ? rest->n : (size_t)(semi - rest->p);

		part = trimmed((struct bytes){rest->p, n});
		n += semi != NULL;
		*rest = (struct bytes){rest->p + n, rest->n - n};
	} while (part.n == 0);

	const unsigned char *eq = memchr(part.p, '=', part.n);
	size_t n = eq == NULL ? 0 : (size_t)(eq - part.p);

	*name = trimmed((struct bytes){part.p, n});
	*value = eq == NULL ? part : trimmed((struct bytes){eq + 1, part.n - n - 1});
	return true;
}

bool
cookie_is_ours(struct bytes *name)
{
	size_t n = strlen(PREFIX);

	if (name->n <= n || !bytes_start(*name, PREFIX))
		return false;
	*name = (struct bytes){name->p + n, name->n - n};
	return true;
}

bool
cookie_value_ok(struct bytes value)
{
	if (value.n > COOKIE_VALUE_MAX_BYTES)
		return false;
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = value.p[i];

		if (c <= 0x20 || c >= 0x7f || c == '"' || c == ',' || c == ';' || c == '\\')
			return false;
	}
	return true;
}

static bool
is_there(const struct params *ps, struct bytes name)
{
	for (size_t i = 0; i < ps->n; i++)
		if (bytes_eq(bytes_of(ps->p[i].name), name))
			return true;
	return false;
}

bool
cookies_parse(struct arena *a, struct bytes header, struct params *out, struct err *err)
{
	struct param *list = ARENA_ARRAY(a, struct param, GATE_COOKIES_MAX);
	struct params found = {list, 0};
	struct bytes name, value;

	while (cookie_next(&header, &name, &value)) {
		struct param one;

		if (!cookie_is_ours(&name))
			continue;
		if (found.n == GATE_COOKIES_MAX)
			return FAIL(err, ERR_INPUT, NULL, "more than %d cookies", GATE_COOKIES_MAX);
		if (!cookie_value_ok(value))
			return FAIL(err, ERR_INPUT, NULL, "cookie value we never wrote");
		if (is_there(&found, name))
			return FAIL(err, ERR_INPUT, NULL, "cookie given twice");
		if (!text_from_bytes(a, name, 64, "cookie name", &one.name, err) ||
		    /* second line: it is visible ASCII */
		    !text_from_bytes(a, value, COOKIE_VALUE_MAX_BYTES, "cookie", &one.value, err))
			return false;
		list[found.n++] = one;
	}
	*out = found;
	return true;
}
