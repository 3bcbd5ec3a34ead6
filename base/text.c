/* Checking and comparing text; see text.h. */
#include "base/text.h"

#include <string.h>

#include <uninorm.h>

#define NFC_GROWS_MOST 3

static size_t
utf8_length(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 4;
	return 0;
}

size_t
text_utf8_next(const unsigned char *p, size_t n, uint32_t *cp)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = n == 0 ? 0 : utf8_length(p[0]);

	if (len == 0 || len > n)
		return 0;
	uint32_t v = len == 1 ? p[0] : p[0] & (0x7fU >> len);

	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (p[i] & 0x3fU);
	}
	if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*cp = v;
	return len;
}

/* How many octets at the beginning are ASCII, as far as eight at a time tell. */
static size_t
ascii_run(const unsigned char *p, size_t n)
{
	size_t i = 0;

	for (uint64_t eight; n - i >= sizeof(eight); i += sizeof(eight)) {
		memcpy(&eight, p + i, sizeof(eight));
		if ((eight & 0x8080808080808080U) != 0)
			break;
	}
	return i;
}

bool
text_is_utf8(struct bytes b)
{
	uint32_t cp;

	for (size_t i = ascii_run(b.p, b.n), step; i < b.n; i += step) {
		step = text_utf8_next(b.p + i, b.n - i, &cp);
		if (step == 0)
			return false;
		step += ascii_run(b.p + i + step, b.n - i - step);
	}
	return true;
}

bool
text_from_bytes(struct arena *a, struct bytes b, size_t max_bytes, const char *what,
		const char **out, struct err *err)
{
	if (b.n > max_bytes)
		return FAIL(err, ERR_INPUT, NULL, "%s: %zu bytes, at most %zu", what, b.n,
			    max_bytes);
	if (b.n > 0 && memchr(b.p, 0, b.n) != NULL)
		return FAIL(err, ERR_INPUT, NULL, "%s: holds a NUL", what);
	if (!text_is_utf8(b))
		return FAIL(err, ERR_INPUT, NULL, "%s: not UTF-8", what);
	*out = (const char *)arena_bytes(a, b).p;
	return true;
}

bool
text_is_visible_ascii(const char *s, size_t max_bytes)
{
	size_t n = 0;

	for (; s[n] != '\0'; n++)
		if (n == max_bytes || s[n] < 0x21 || s[n] > 0x7e)
			return false;
	return n > 0;
}

bool
text_eq(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

bool
text_in(const char *const *strings, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(strings[i], s) == 0)
			return true;
	return false;
}

bool
text_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

char *
text_trim(struct arena *a, const char *s)
{
	static const char blanks[] = " \t\r\n";
	size_t n;

	s += strspn(s, blanks);
	for (n = strlen(s); n > 0 && strchr(blanks, s[n - 1]) != NULL; n--)
		;
	return arena_strndup(a, s, n);
}

bool
text_nfc(struct arena *a, const char *s, const char **out, struct err *err)
{
	const char *end = s;

	while ((unsigned char)*end - 1U < 0x7f)
		end++;
	if (*end == '\0') {
		*out = s;
		return true;
	}
	/* No text grows by more than this (UAX 15, table of expansion factors), so the room is
	 * used. */
	size_t n = NFC_GROWS_MOST * (strlen(s) + 1);
	uint8_t *room = arena_alloc(a, n);

	if (u8_normalize(UNINORM_NFC, (const uint8_t *)s, strlen(s) + 1, room, &n) != room)
		return FAIL(err, ERR_INTERNAL, NULL, "text cannot be normalized");
	*out = (const char *)room;
	return true;
}

static bool
is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x061c || cp == 0x200e ||
	       cp == 0x200f || (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

const char *
text_one_line(struct arena *a, const char *s)
{
	size_t n = strlen(s), len;
	char *out = arena_alloc(a, 3 * n + 1), *to = out;
	uint32_t cp;

	for (size_t i = 0; i < n; i += len) {
		len = text_utf8_next((const unsigned char *)s + i, n - i, &cp);
		bool shown = len > 0 && !is_control(cp);

		if (len == 0)
			len = 1;
		memcpy(to, shown ? s + i : "\xef\xbf\xbd", shown ? len : 3);
		to += shown ? len : 3;
	}
	*to = '\0';
	return out;
}

static size_t
count_words(const char *s)
{
	size_t n = 0;

	for (const char *p = s; *p != '\0'; p++)
		if (*p != ' ' && (p == s || p[-1] == ' '))
			n++;
	return n;
}

bool
text_words(struct arena *a, const char *s, size_t max_words, const char ***out, size_t *n_out,
	   struct err *err)
{
	size_t n = count_words(s), i = 0;

	if (n > max_words)
		return FAIL(err, ERR_INPUT, NULL, "%zu words, at most %zu", n, max_words);
	const char **words = ARENA_ARRAY(a, const char *, n + 1);

	while (i < n) {
		s += strspn(s, " ");
		size_t len = strcspn(s, " ");

		words[i++] = arena_strndup(a, s, len);
		s += len;
	}
	*out = words;
	*n_out = n;
	return true;
}

bool
text_to_u64(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return false;
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v) || v > max)
			return false;
	}
	*out = v;
	return true;
}
