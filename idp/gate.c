/*
 * The gate; see gate.h.  Each rule is one function that names the rule it
 * finds broken; gate_check asks them in order.
 */
#include "idp/gate.h"

#include <string.h>
#include <strings.h>

#include "idp/cookie.h"

static const struct {
	const char *name;
	int status;
} rules[GATE_RULE_COUNT] = {
	[GATE_UNCHECKED] = {"unchecked", 400},
	[GATE_PASS] = {"pass", 200},
	[GATE_TORN] = {"torn", 400},
	[GATE_VERSION] = {"version", 505},
	[GATE_METHOD] = {"method", 405},
	[GATE_TARGET] = {"target", 400},
	[GATE_TARGET_LONG] = {"target_long", 414},
	[GATE_HEADERS_LARGE] = {"headers_large", 431},
	[GATE_HEADER_NAME] = {"header_name", 400},
	[GATE_HEADER_VALUE] = {"header_value", 400},
	[GATE_HEADER_REPEATED] = {"header_repeated", 400},
	[GATE_HOST] = {"host", 400},
	[GATE_FRAMING] = {"framing", 400},
	[GATE_BODY_UNEXPECTED] = {"body_unexpected", 400},
	[GATE_CONTENT_CODING] = {"content_coding", 415},
	[GATE_EXPECT] = {"expect", 417},
	[GATE_COOKIE] = {"cookie", 400},
};

/* Headers we read.  A list-valued one may come in several lines; the others only once. */
static const struct {
	const char *name;
	bool list;
} headers[] = {
	{"host", false},
	{"content-length", false},
	{"transfer-encoding", false},
	{"cookie", false},
	{"authorization", false},
	{"content-type", false},
	{"origin", false},
	{"referer", false},
	{"sec-fetch-site", false},
	{"expect", false},
	{"content-encoding", false},
	{"dpop", false},
	{"client-cert", false},
	{"x-client-cert-verify", false},
	{"if-none-match", true},
	{"accept", true},
	{"accept-language", true},
	{"accept-encoding", true},
	{"x-forwarded-for", true},
};

const char *
gate_rule_name(enum gate_rule rule)
{
	return (size_t)rule < GATE_RULE_COUNT ? rules[rule].name : rules[GATE_UNCHECKED].name;
}

int
gate_rule_status(enum gate_rule rule)
{
	return (size_t)rule < GATE_RULE_COUNT ? rules[rule].status : 400;
}

const char *
gate_header_name(size_t i)
{
	return i < ARRAY_LEN(headers) ? headers[i].name : NULL;
}

static bool
same_name(struct bytes name, const char *lower)
{
	return name.n == strlen(lower) && strncasecmp((const char *)name.p, lower, name.n) == 0;
}

static bool
same_octets(struct bytes b, const char *s)
{
	return bytes_eq(b, bytes_of(s));
}

bool
gate_header_find(const struct raw_request *raw, const char *lower_name, struct bytes *value)
{
	for (size_t i = 0; i < raw->n_headers; i++) {
		if (same_name(raw->headers[i].name, lower_name)) {
			*value = raw->headers[i].value;
			return true;
		}
	}
	return false;
}

static bool
is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
is_hex(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* One of the characters of `set`; NUL never is. */
static bool
is_one_of(unsigned char c, const char *set)
{
	return c != 0 && strchr(set, c) != NULL;
}

static enum gate_rule
check_line(const struct raw_request *raw, struct gate_head *out)
{
	static const struct {
		const char *name;
		enum http_method method;
	} methods[] = {{"GET", HTTP_GET},         {"POST", HTTP_POST}, {"HEAD", HTTP_HEAD},
		       {"OPTIONS", HTTP_OPTIONS}, {"PUT", HTTP_PUT}, /* RFC 7592 */
		       {"DELETE", HTTP_DELETE}};

	if (!same_octets(raw->version, "HTTP/1.1") && !same_octets(raw->version, "HTTP/1.0"))
		return GATE_VERSION;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (same_octets(raw->method, methods[i].name)) {
			out->method = methods[i].method;
			return GATE_PASS;
		}
	}
	return GATE_METHOD;
}

/* The one escape that a path may have, at the start of a segment (draft-young-md-query-saml). */
#define SHA1_MARK "%7Bsha1%7D"

static bool
is_sha1_mark(struct bytes path, size_t segment, size_t i)
{
	size_t n = strlen(SHA1_MARK);

	return i == segment && path.n - i > n &&
	       strncasecmp((const char *)path.p + i, SHA1_MARK, n) == 0;
}

/*
 * No other escape is read in a path: that settles %2f, %2e and every second decoding at once.
 */
static bool
path_ok(struct bytes path)
{
	size_t segment = 0; /* start of the current segment */

	if (path.n == 0 || path.p[0] != '/')
		return false;
	for (size_t i = 0; i <= path.n; i++) {
		if (is_sha1_mark(path, segment, i))
			i += strlen(SHA1_MARK);
		if (i < path.n && path.p[i] != '/') {
			if (!is_alnum(path.p[i]) && !is_one_of(path.p[i], "-._~"))
				return false;
			continue;
		}
		struct bytes s = {path.p + segment, i - segment};

		if (same_octets(s, ".") || same_octets(s, ".."))
			return false;
		if (s.n == 0 && i > 0 && i < path.n) /* "//" */
			return false;
		segment = i + 1;
	}
	return true;
}

static bool
query_ok(struct bytes query)
{
	for (size_t i = 0; i < query.n; i++) {
		unsigned char c = query.p[i];

		if (c <= 0x20 || c >= 0x7f || is_one_of(c, "#\"<>"))
			return false;
		if (c != '%')
			continue;
		if (query.n - i < 3 || !is_hex(query.p[i + 1]) || !is_hex(query.p[i + 2]) ||
		    (query.p[i + 1] == '0' && query.p[i + 2] == '0'))
			return false;
	}
	return true;
}

static enum gate_rule
check_target(const struct raw_request *raw, struct gate_head *out)
{
	struct bytes t = raw->target;

	if (t.n > GATE_TARGET_MAX_BYTES)
		return GATE_TARGET_LONG;
	const unsigned char *mark = t.n == 0 ? NULL : memchr(t.p, '?', t.n);

	out->path = t;
	if (mark != NULL) {
		out->path.n = (size_t)(mark - t.p);
		out->query = (struct bytes){mark + 1, t.n - out->path.n - 1};
	}
	return path_ok(out->path) && query_ok(out->query) ? GATE_PASS : GATE_TARGET;
}

/* RFC 9110 5.1: a token. A space before the colon would be part of the name here. */
static bool
header_name_ok(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!is_alnum(name.p[i]) && !is_one_of(name.p[i], "!#$%&'*+-.^_`|~"))
			return false;
	return name.n > 0;
}

/* RFC 9110 5.5: no control character but TAB; obs-text only where `any8`. */
static bool
header_value_ok(struct bytes value, bool any8)
{
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = value.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f || (c >= 0x80 && !any8))
			return false;
	}
	return true;
}

static size_t
known_index(struct bytes name)
{
	size_t i = 0;

	while (i < ARRAY_LEN(headers) && !same_name(name, headers[i].name))
		i++;
	return i;
}

static enum gate_rule
check_headers(const struct raw_request *raw)
{
	bool seen[ARRAY_LEN(headers)] = {false};
	size_t total = 0;

	if (raw->n_headers > GATE_HEADERS_MAX)
		return GATE_HEADERS_LARGE;
	for (size_t i = 0; i < raw->n_headers; i++) {
		const struct raw_header *h = &raw->headers[i];
		size_t k = known_index(h->name);
		bool known = k < ARRAY_LEN(headers);

		total += h->name.n + h->value.n + 4;
		if (total > GATE_HEADERS_MAX_BYTES)
			return GATE_HEADERS_LARGE;
		if (!header_name_ok(h->name))
			return GATE_HEADER_NAME;
		/* A foreign cookie or an unread header may hold what it likes above ASCII. */
		if (!header_value_ok(h->value, !known || same_name(h->name, "cookie")))
			return GATE_HEADER_VALUE;
		if (known && seen[k] && !headers[k].list)
			return GATE_HEADER_REPEATED;
		if (known)
			seen[k] = true;
	}
	return GATE_PASS;
}

/* RFC 9112 3.2: required, and nothing but a name or address and a port. */
static enum gate_rule
check_host(const struct raw_request *raw, struct gate_head *out)
{
	/* second line: what is not there is empty */
	if (!gate_header_find(raw, "host", &out->host) || out->host.n == 0 || out->host.n > 255)
		return GATE_HOST;
	for (size_t i = 0; i < out->host.n; i++)
		if (!is_alnum(out->host.p[i]) && !is_one_of(out->host.p[i], ".-:[]_"))
			return GATE_HOST;
	return GATE_PASS;
}

static bool
parse_length(struct bytes digits, uint64_t *out)
{
	uint64_t v = 0;

	if (digits.n == 0 || digits.n > 15)
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(digits.p[i] - '0');
	}
	*out = v;
	return true;
}

/* RFC 9112 6.1, 6.3: one way to tell where the body ends, or none. */
static enum gate_rule
check_framing(const struct raw_request *raw, struct gate_head *out)
{
	struct bytes length = {NULL, 0}, coding = {NULL, 0};
	bool has_length = gate_header_find(raw, "content-length", &length);
	bool has_coding = gate_header_find(raw, "transfer-encoding", &coding);

	if (has_length && has_coding)
		return GATE_FRAMING;
	if (has_length && !parse_length(length, &out->content_length))
		return GATE_FRAMING;
	if (has_coding &&
	    (!same_octets(coding, "chunked") || !same_octets(raw->version, "HTTP/1.1")))
		return GATE_FRAMING;
	out->chunked = has_coding;
	out->has_body = has_coding || out->content_length > 0;
	bool bodied = out->method == HTTP_POST || out->method == HTTP_PUT;

	if (out->has_body && !bodied)
		return GATE_BODY_UNEXPECTED;
	if (bodied && !has_length && !has_coding)
		return GATE_FRAMING;
	return GATE_PASS;
}

static enum gate_rule
check_expectations(const struct raw_request *raw)
{
	struct bytes v;

	if (gate_header_find(raw, "content-encoding", &v) && !same_name(v, "identity"))
		return GATE_CONTENT_CODING;
	if (gate_header_find(raw, "expect", &v) && !same_name(v, "100-continue"))
		return GATE_EXPECT;
	return GATE_PASS;
}

/* A cookie of ours twice: a sibling host planted one (cookie tossing). */
static enum gate_rule
check_cookies(const struct raw_request *raw)
{
	struct bytes rest, name, value, ours[GATE_COOKIES_MAX];
	size_t n_ours = 0, n = 0;

	if (!gate_header_find(raw, "cookie", &rest))
		return GATE_PASS;
	while (cookie_next(&rest, &name, &value)) {
		if (++n > GATE_COOKIES_MAX)
			return GATE_COOKIE;
		if (!cookie_is_ours(&name))
			continue;
		if (!cookie_value_ok(value))
			return GATE_COOKIE;
		for (size_t i = 0; i < n_ours; i++)
			if (bytes_eq(ours[i], name))
				return GATE_COOKIE;
		ours[n_ours++] = name;
	}
	return GATE_PASS;
}

enum gate_rule
gate_check(const struct raw_request *raw, struct gate_head *out)
{
	struct gate_head head = {0};
	enum gate_rule rule = raw->torn ? GATE_TORN : check_line(raw, &head);

	if (rule == GATE_PASS)
		rule = check_target(raw, &head);
	if (rule == GATE_PASS)
		rule = check_headers(raw);
	if (rule == GATE_PASS)
		rule = check_host(raw, &head);
	if (rule == GATE_PASS)
		rule = check_framing(raw, &head);
	if (rule == GATE_PASS)
		rule = check_expectations(raw);
	if (rule == GATE_PASS)
		rule = check_cookies(raw);
	if (rule == GATE_PASS)
		*out = head;
	return rule;
}
