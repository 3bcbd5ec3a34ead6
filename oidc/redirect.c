/* Redirect URIs; see redirect.h.  The grammar is RFC 3986, narrowed. */
#include "oidc/redirect.h"

#include <string.h>

#include "base/enc.h"
#include "base/text.h"
#include "oidc/error.h"

#define ANSWER_MAX_BYTES   (16 * 1024)

#define BAD_URI(err, what) FAIL((err), ERR_INPUT, OIDC_INVALID_REDIRECT_URI, "redirect URI: " what)

static int
hex_value(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = memchr(digits, c, sizeof(digits) - 1);

	return at != NULL ? (int)(at - digits) % 16 : -1;
}

/* The octet of the escape at s, -1 if it is none. */
static int
escaped(const char *s)
{
	int high = s[0] == '%' ? hex_value(s[1]) : -1;
	int low = high < 0 ? -1 : hex_value(s[2]);

	return low < 0 ? -1 : high * 16 + low;
}

static bool
check_characters(const char *uri, struct err *err)
{
	if (!text_is_visible_ascii(uri, OIDC_URI_MAX_BYTES))
		return BAD_URI(err, "empty, too long or not visible ASCII");
	if (strpbrk(uri, "\"<>\\^`{|}*#") != NULL)
		return BAD_URI(err, "a fragment, a wildcard or a character no URI has");
	for (const char *s = uri; (s = strchr(s, '%')) != NULL; s++) {
		int octet = escaped(s);

		if (octet < 0x20 || octet == 0x7f)
			return BAD_URI(err, "broken escape or escaped control character");
	}
	return true;
}

/* A segment that is . or .. once its escapes are read. */
static bool
is_dots(const char *s, size_t n)
{
	size_t dots = 0;

	for (size_t i = 0; i < n; dots++)
		if (s[i] == '.')
			i += 1;
		else if (escaped(s + i) == '.')
			i += 3;
		else
			return false;
	return dots == 1 || dots == 2;
}

static bool
check_path(const char *path, struct err *err)
{
	size_t end = strcspn(path, "?");

	for (size_t i = 0; i < end; i++)
		if (escaped(path + i) == '/' || escaped(path + i) == '\\')
			return BAD_URI(err, "escaped separator in the path");
	for (size_t from = 0; from < end;) {
		size_t n = strcspn(path + from, "/?");

		if (is_dots(path + from, n))
			return BAD_URI(err, "dot segment");
		from += n + 1;
	}
	return true;
}

static bool
is_loopback(const char *host, size_t n)
{
	static const char *const names[] = {"127.0.0.1", "[::1]", "localhost"};
	static const char below[] = ".localhost"; /* RFC 6761 6.3 */
	const size_t m = sizeof(below) - 1;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strlen(names[i]) == n && strncmp(host, names[i], n) == 0)
			return true;
	return n > m && strncmp(host + n - m, below, m) == 0;
}

/* Labels of a-z 0-9 - with single dots between; [::1] as the only literal. */
static bool
is_host(const char *s, size_t n)
{
	if (n == 5 && strncmp(s, "[::1]", n) == 0)
		return true;
	for (size_t i = 0; i < n; i++) {
		bool edge = i == 0 || i + 1 == n || s[i - 1] == '.' || s[i + 1] == '.';

		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789", s[i]) == NULL &&
		    (edge || (s[i] != '-' && s[i] != '.')))
			return false;
	}
	return n > 0 && n <= 253;
}

static size_t
host_length(const char *authority)
{
	return *authority == '[' ? strcspn(authority, "]/?") + 1 : strcspn(authority, ":/?");
}

static bool
check_port(const char *port, size_t n, struct err *err)
{
	unsigned value = 0;

	for (size_t i = 0; i < n; i++) {
		if (port[i] < '0' || port[i] > '9' || n > 5 || port[0] == '0')
			return BAD_URI(err, "bad port");
		value = value * 10 + (unsigned)(port[i] - '0');
	}
	return (value > 0 && value <= 65535) || BAD_URI(err, "bad port");
}

bool
oidc_uri_check(const char *uri, bool loopback_http, struct err *err)
{
	bool https = text_starts(uri, "https://"), http = text_starts(uri, "http://");

	if (!check_characters(uri, err))
		return false;
	if (!https && !(http && loopback_http))
		return BAD_URI(err, "not https");
	const char *authority = uri + (https ? 8 : 7);
	size_t n = strcspn(authority, "/?");

	if (memchr(authority, '@', n) != NULL)
		return BAD_URI(err, "user info");
	size_t host = host_length(authority);

	if (!is_host(authority, host))
		return BAD_URI(err, "bad host");
	if (http && !is_loopback(authority, host))
		return BAD_URI(err, "http beyond loopback");
	if (host < n &&
	    (authority[host] != ':' || !check_port(authority + host + 1, n - host - 1, err)))
		return BAD_URI(err, "something after the host");
	return check_path(authority + n, err);
}

/* RFC 3986 3.1 */
static size_t
scheme_length(const char *uri)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz", more[] = "0123456789+-.";
	size_t n = 0;

	while (uri[n] != '\0' &&
	       (strchr(letters, uri[n]) != NULL || (n > 0 && strchr(more, uri[n]) != NULL)))
		n++;
	return uri[n] == ':' ? n : 0;
}

bool
oidc_uri_names_resource(const char *uri)
{
	size_t n = scheme_length(uri);

	if (text_starts(uri, "https:") || text_starts(uri, "http:"))
		return oidc_uri_check(uri, false, NULL);
	return check_characters(uri, NULL) && n > 0 && uri[n + 1] != '\0' && uri[n + 1] != '/';
}

/* RFC 8252 7.1: the letters of a domain name in reverse, so that others have no claim to it. */
static bool
is_own_scheme(const char *s, size_t n)
{
	bool dot = memchr(s, '.', n) != NULL;

	for (size_t i = 0; i < n; i++) {
		bool edge = i == 0 || i + 1 == n || s[i - 1] == '.' || s[i + 1] == '.';

		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789", s[i]) == NULL &&
		    (edge || (s[i] != '-' && s[i] != '.')))
			return false;
	}
	return n > 0 && dot && s[0] >= 'a';
}

bool
oidc_uri_check_native(const char *uri, struct err *err)
{
	size_t n = strcspn(uri, ":");

	if (text_starts(uri, "https://") || text_starts(uri, "http://"))
		return oidc_uri_check(uri, true, err);
	if (!check_characters(uri, err))
		return false;
	if (uri[n] == '\0' || !is_own_scheme(uri, n))
		return BAD_URI(err, "neither https, loopback nor a scheme with a dot");
	if (uri[n + 1] != '/' || uri[n + 2] == '/')
		return BAD_URI(err, "a scheme of its own needs a path behind one slash");
	return check_path(uri + n + 1, err);
}

bool
oidc_uri_is_loopback_of(const char *registered, const char *uri)
{
	static const char *const origins[] = {"http://127.0.0.1", "http://[::1]"};

	for (size_t i = 0; i < ARRAY_LEN(origins); i++) {
		size_t n = strlen(origins[i]), port;

		if (!text_starts(registered, origins[i]) || !text_starts(uri, origins[i]))
			continue;
		const char *rest = registered + n + strcspn(registered + n, "/?");

		/* What is between host and path is a port or nothing. */
		port = strcspn(uri + n, "/?");
		if (strcmp(rest, uri + n + port) != 0)
			return false;
		return port == 0 || (uri[n] == ':' && check_port(uri + n + 1, port - 1, NULL));
	}
	return false;
}

bool
oidc_uri_registered(struct oidc_strs registered, const char *uri)
{
	return uri != NULL && oidc_strs_have(registered, uri);
}

const char *
oidc_uri_host(struct arena *a, const char *uri)
{
	const char *authority = strstr(uri, "://");

	if (authority == NULL)
		return NULL;
	authority += 3;
	return arena_strndup(a, authority, host_length(authority));
}

bool
oidc_uri_same_origin(const char *https, const char *other)
{
	size_t n = sizeof("https://") - 1;

	n += strcspn(https + n, "/?");
	return strncmp(https, other, n) == 0 && strchr("/?", other[n]) != NULL;
}

bool
oidc_uri_with(struct arena *a, const char *uri, bool fragment, const struct param *add, size_t n,
	      const char **out, struct err *err)
{
	char separator = fragment ? '#' : strchr(uri, '?') == NULL ? '?' : '&';
	struct buf b;

	buf_init(&b, a, ANSWER_MAX_BYTES);
	buf_str(&b, uri);
	for (size_t i = 0; i < n; i++) {
		if (add[i].value == NULL)
			continue;
		buf_char(&b, separator);
		buf_str(&b, add[i].name);
		buf_char(&b, '=');
		enc_percent(&b, bytes_of(add[i].value));
		separator = '&';
	}
	return buf_finish_str(&b, out, err);
}
