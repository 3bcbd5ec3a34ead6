/*
 * The strict gate every request passes before anything believes it: against
 * request smuggling (RFC 9112 11.2) and cookie tossing.  Pure: looks at octets,
 * allocates nothing, so that it can be tested and fuzzed without a socket.
 *
 * What it lets through is one well-formed HTTP/1.x request whose framing no
 * other parser can read differently.  After a refusal the connection is closed.
 */
#ifndef KONTOR_IDP_GATE_H
#define KONTOR_IDP_GATE_H

#include "idp/request.h"

#define GATE_TARGET_MAX_BYTES  ((size_t)16 * 1024)
#define GATE_HEADERS_MAX_BYTES ((size_t)16 * 1024)
#define GATE_HEADERS_MAX       64
#define GATE_COOKIES_MAX       64

struct raw_header {
	struct bytes name, value;
};

/* A request as its parser shows it; all octets belong to the parser. */
struct raw_request {
	struct bytes method, target, version;
	const struct raw_header *headers;
	size_t n_headers;
	struct bytes body; /* empty until it has arrived whole */
	const char *peer;  /* text address of the other end; "unix" */
	bool internal;     /* came in on the metrics listener */
	bool torn;         /* the parser joined or cut lines: fold, bare LF, NUL */
};

/* What the gate read in passing; points into the raw request. */
struct gate_head {
	enum http_method method;
	struct bytes path;  /* '/' and unreserved characters, no dot segment */
	struct bytes query; /* without '?'; escapes are whole, none is %00 */
	struct bytes host;
	bool has_body, chunked;
	uint64_t content_length; /* 0 when chunked */
};

/* Why a request was refused.  Names are metric labels: append, never rename. */
enum gate_rule {
	GATE_UNCHECKED = 0, /* never an answer of gate_check; counts as refused */
	GATE_PASS,
	GATE_TORN,
	GATE_VERSION,
	GATE_METHOD,
	GATE_TARGET,
	GATE_TARGET_LONG,
	GATE_HEADERS_LARGE,
	GATE_HEADER_NAME,
	GATE_HEADER_VALUE,
	GATE_HEADER_REPEATED,
	GATE_HOST,
	GATE_FRAMING,
	GATE_BODY_UNEXPECTED,
	GATE_CONTENT_CODING,
	GATE_EXPECT,
	GATE_COOKIE,
	GATE_RULE_COUNT,
};

MUST_USE enum gate_rule gate_check(const struct raw_request *raw, struct gate_head *out);

const char *gate_rule_name(enum gate_rule rule); /* static; "unchecked" for what is not a rule */
int gate_rule_status(enum gate_rule rule);       /* HTTP status of the refusal; 400 by default */

/*
 * Names, in lower case, of the headers that reach handlers; NULL past the end.
 * A header not listed here is as if it had not been sent.
 */
const char *gate_header_name(size_t i);

/* The first value of a header by its lower-case name; false: not there. */
MUST_USE bool gate_header_find(const struct raw_request *raw, const char *lower_name,
			       struct bytes *value);

#endif
