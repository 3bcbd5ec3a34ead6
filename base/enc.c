/* Encodings; see enc.h. */
#include "base/enc.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

static const char alphabet_url[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char alphabet_std[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Writes the characters of b without padding and returns their number. */
static size_t
encode64(const char *alphabet, struct bytes b, char *out)
{
	size_t o = 0, i = 0;

	for (; b.n - i >= 3; i += 3, o += 4) {
		uint32_t v = (uint32_t)b.p[i] << 16 | (uint32_t)b.p[i + 1] << 8 | b.p[i + 2];

		out[o] = alphabet[v >> 18];
		out[o + 1] = alphabet[v >> 12 & 63];
		out[o + 2] = alphabet[v >> 6 & 63];
		out[o + 3] = alphabet[v & 63];
	}
	if (i < b.n) {
		uint32_t v = (uint32_t)b.p[i] << 16 | (b.n - i > 1 ? (uint32_t)b.p[i + 1] << 8 : 0);

		out[o++] = alphabet[v >> 18];
		out[o++] = alphabet[v >> 12 & 63];
		if (b.n - i > 1)
			out[o++] = alphabet[v >> 6 & 63];
	}
	return o;
}

char *
enc_base64url(struct arena *a, struct bytes b)
{
	char *out = arena_alloc(a, (b.n + 2) / 3 * 4 + 1);

	encode64(alphabet_url, b, out);
	return out;
}

char *
enc_base64(struct arena *a, struct bytes b)
{
	size_t full = (b.n + 2) / 3 * 4;
	char *out = arena_alloc(a, full + 1);

	for (size_t o = encode64(alphabet_std, b, out); o < full; o++)
		out[o] = '=';
	return out;
}

static int
value64(unsigned char c, bool url)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == (url ? '-' : '+'))
		return 62;
	if (c == (url ? '_' : '/'))
		return 63;
	return -1;
}

/* Decode characters that carry no padding; spare bits must be zero, so each value has one spelling.
 */
static bool
decode64(struct arena *a, struct bytes text, bool url, struct bytes *out, struct err *err)
{
	unsigned char *p = arena_alloc(a, text.n / 4 * 3 + 3);
	size_t o = 0;
	uint32_t v = 0;

	if (text.n % 4 == 1)
		return FAIL(err, ERR_INPUT, NULL, "base64: impossible length");
	for (size_t i = 0; i < text.n; i++) {
		int d = value64(text.p[i], url);

		if (d < 0)
			return FAIL(err, ERR_INPUT, NULL, "base64: foreign character");
		v = v << 6 | (uint32_t)d;
		if (i % 4 == 3) {
			p[o++] = (unsigned char)(v >> 16);
			p[o++] = (unsigned char)(v >> 8);
			p[o++] = (unsigned char)v;
			v = 0;
		}
	}
	unsigned spare = text.n % 4 == 2 ? 4 : text.n % 4 == 3 ? 2 : 0;

	if ((v & ((1U << spare) - 1)) != 0)
		return FAIL(err, ERR_INPUT, NULL, "base64: spare bits set");
	if (spare == 4)
		p[o++] = (unsigned char)(v >> 4);
	if (spare == 2) {
		p[o++] = (unsigned char)(v >> 10);
		p[o++] = (unsigned char)(v >> 2);
	}
	*out = (struct bytes){p, o};
	return true;
}

bool
dec_base64url(struct arena *a, struct bytes text, struct bytes *out, struct err *err)
{
	return decode64(a, text, true, out, err);
}

static struct bytes
without_space(struct arena *a, struct bytes text)
{
	unsigned char *p = arena_alloc(a, text.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = text.p[i];

		if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
			p[n++] = c;
	}
	return (struct bytes){p, n};
}

bool
dec_base64(struct arena *a, struct bytes text, bool allow_space, struct bytes *out, struct err *err)
{
	if (allow_space)
		text = without_space(a, text);
	if (text.n % 4 != 0)
		return FAIL(err, ERR_INPUT, NULL, "base64: length is no multiple of 4");
	for (int pad = 0; pad < 2 && text.n > 0 && text.p[text.n - 1] == '='; pad++)
		text.n--;
	return decode64(a, text, false, out, err);
}

bool
dec_basic(struct arena *a, const char *authorization, struct bytes *user, struct bytes *password,
	  struct err *err)
{
	static const char scheme[] = "Basic ";
	struct bytes pair;

	if (strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
		return FAIL(err, ERR_INPUT, NULL, "Authorization is not Basic");
	const char *text = authorization + sizeof(scheme) - 1;

	text += strspn(text, " ");
	if (!dec_base64(a, bytes_of(text), false, &pair, err))
		return false;
	const unsigned char *colon = memchr(pair.p, ':', pair.n);

	if (colon == NULL)
		return FAIL(err, ERR_INPUT, NULL, "Basic credentials without colon");
	size_t n = (size_t)(colon - pair.p);

	*user = (struct bytes){pair.p, n};
	*password = (struct bytes){colon + 1, pair.n - n - 1};
	return true;
}

char *
enc_hex(struct arena *a, struct bytes b)
{
	static const char digits[] = "0123456789abcdef";
	char *out = arena_alloc(a, b.n * 2 + 1);

	for (size_t i = 0; i < b.n; i++) {
		out[2 * i] = digits[b.p[i] >> 4];
		out[2 * i + 1] = digits[b.p[i] & 15];
	}
	return out;
}

static int
value16(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
dec_hex(struct arena *a, struct bytes text, struct bytes *out, struct err *err)
{
	unsigned char *p = arena_alloc(a, text.n / 2 + 1);

	if (text.n % 2 != 0)
		return FAIL(err, ERR_INPUT, NULL, "hex: odd length");
	for (size_t i = 0; i < text.n; i += 2) {
		int hi = value16(text.p[i]), lo = value16(text.p[i + 1]);

		if (hi < 0 || lo < 0)
			return FAIL(err, ERR_INPUT, NULL, "hex: foreign character");
		p[i / 2] = (unsigned char)(hi << 4 | lo);
	}
	*out = (struct bytes){p, text.n / 2};
	return true;
}

static bool
is_unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c != 0 && strchr("-._~", c) != NULL);
}

void
enc_percent(struct buf *b, struct bytes text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (is_unreserved(text.p[i]))
			buf_char(b, (char)text.p[i]);
		else
			buf_printf(b, "%%%02X", text.p[i]);
	}
}

bool
dec_form(struct arena *a, struct bytes text, struct bytes *out, struct err *err)
{
	unsigned char *p = arena_alloc(a, text.n + 1);
	size_t o = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = text.p[i];

		if (c == '+')
			c = ' ';
		if (c == '%') {
			int hi = text.n - i > 2 ? value16(text.p[i + 1]) : -1;
			int lo = text.n - i > 2 ? value16(text.p[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return FAIL(err, ERR_INPUT, NULL, "broken percent escape");
			c = (unsigned char)(hi << 4 | lo);
			i += 2;
			if (c == 0)
				return FAIL(err, ERR_INPUT, NULL, "escaped NUL");
		}
		p[o++] = c;
	}
	*out = (struct bytes){p, o};
	return true;
}

/* What stands for an octet; NULL: it stands for itself.  The NUL has "" and ends the text. */
typedef const char *escapes[UCHAR_MAX + 1];

/* Copies s to b, what needs no escape in runs. */
static void
escape_with(struct buf *b, const char *s, const escapes table)
{
	for (;;) {
		const unsigned char *from = (const unsigned char *)s, *p = from;

		while (table[*p] == NULL)
			p++;
		buf_add(b, (struct bytes){from, (size_t)(p - from)});
		if (*p == '\0')
			return;
		buf_str(b, table[*p]);
		s = (const char *)p + 1;
	}
}

void
enc_html(struct buf *b, const char *s)
{
	static const escapes table = {['\0'] = "",    ['&'] = "&amp;",  ['<'] = "&lt;",
				      ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;"};

	escape_with(b, s, table);
}

void
enc_xml_text(struct buf *b, const char *s)
{
	static const escapes table = {
		['\0'] = "", ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['\r'] = "&#xD;"};

	escape_with(b, s, table);
}

void
enc_xml_attr(struct buf *b, const char *s)
{
	static const escapes table = {
		['\0'] = "",      ['&'] = "&amp;",  ['<'] = "&lt;",  ['"'] = "&quot;",
		['\t'] = "&#x9;", ['\n'] = "&#xA;", ['\r'] = "&#xD;"};

	escape_with(b, s, table);
}
