/* Fetching over https; see fetch.h. */
#include "idp/fetch.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"

#define LIMIT_S       30L
#define REDIRECTS_MAX 3L

/*
 * IANA's registries of special-purpose addresses, and what carries another address inside:
 * NAT64, 6to4, Teredo, IPv4-compatible.  Mapped addresses are IPv4 ones here (idp/net.h).
 */
static const struct {
	const char *addr;
	unsigned bits; /* of the mapped form */
} not_public[] = {
	{"0.0.0.0", 104},     {"10.0.0.0", 104},    {"100.64.0.0", 106}, {"127.0.0.0", 104},
	{"169.254.0.0", 112}, {"172.16.0.0", 108},  {"192.0.0.0", 120},  {"192.0.2.0", 120},
	{"192.88.99.0", 120}, {"192.168.0.0", 112}, {"198.18.0.0", 111}, {"198.51.100.0", 120},
	{"203.0.113.0", 120}, {"224.0.0.0", 99},    {"::", 96},          {"64:ff9b::", 96},
	{"64:ff9b:1::", 48},  {"100::", 64},        {"2001::", 23},      {"2001:db8::", 32},
	{"2002::", 16},       {"3fff::", 20},       {"5f00::", 16},      {"fc00::", 7},
	{"fe80::", 9},        {"ff00::", 8},
};

static struct net hidden_nets[ARRAY_LEN(not_public)];
static const struct net_list hidden = {hidden_nets, ARRAY_LEN(hidden_nets), false};
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool prepared;

/* At first use: before main OpenSSL, which this starts, might not have its memory yet. */
static void
prepare(void)
{
	prepared = curl_global_init_mem(CURL_GLOBAL_DEFAULT, memory_alloc, free, memory_realloc,
					memory_strdup, memory_calloc) == CURLE_OK;
	for (size_t i = 0; i < ARRAY_LEN(not_public); i++) {
		hidden_nets[i].bits = not_public[i].bits;
		prepared = net_addr_parse(not_public[i].addr, &hidden_nets[i].addr) && prepared;
	}
}

static bool
is_ready(struct err *err)
{
	pthread_once(&once, prepare);
	return prepared || FAIL(err, ERR_UNAVAILABLE, NULL, "libcurl does not start");
}

static size_t
take(char *p, size_t size, size_t n, void *into)
{
	struct buf *b = into;

	buf_add(b, (struct bytes){(unsigned char *)p, size * n});
	return b->over ? 0 : size * n;
}

static void
easy_free(void *p)
{
	curl_easy_cleanup(p);
}

static bool
set_options(CURL *c, const char *url, const char *ca_file, struct buf *b)
{
	return curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "https") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_MAXREDIRS, REDIRECTS_MAX) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_TIMEOUT, LIMIT_S) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEDATA, b) == CURLE_OK &&
	       (ca_file == NULL || curl_easy_setopt(c, CURLOPT_CAINFO, ca_file) == CURLE_OK);
}

/* What came of a GET. */
static bool
end_fetch(CURL *c, CURLcode rc, struct buf *b, struct bytes *out, struct err *err)
{
	long status = 0;

	if (b->over)
		return FAIL(err, ERR_INPUT, NULL, "the document has more than %zu bytes", b->max);
	if (rc == CURLE_UNSUPPORTED_PROTOCOL || rc == CURLE_URL_MALFORMAT)
		return FAIL(err, ERR_INPUT, NULL, "an https URL is needed");
	if (rc != CURLE_OK)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "fetching failed: %s",
			    curl_easy_strerror(rc));
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return FAIL(err, ERR_INPUT, NULL, "the server answered %ld", status);
	return buf_finish(b, out, err);
}

bool
fetch_url(struct arena *a, const char *url, const char *ca_file, size_t max_bytes,
	  struct bytes *out, struct err *err)
{
	if (!is_ready(err))
		return false;
	CURL *c = curl_easy_init();
	struct buf b;

	if (c == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "fetching cannot start");
	arena_defer(a, easy_free, c);
	buf_init(&b, a, max_bytes);
	if (!set_options(c, url, ca_file, &b))
		return FAIL(err, ERR_INPUT, NULL, "not a URL that can be fetched");
	return end_fetch(c, curl_easy_perform(c), &b, out, err);
}

struct local {
	struct net_list loopback;
	bool refused;
};

/* Called with the address itself, after the name was resolved. */
static curl_socket_t
open_loopback(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct local *local = ctx;
	struct net_addr addr;

	if (purpose != CURLSOCKTYPE_IPCXN || !net_addr_of(&to->addr, &addr) ||
	    !net_list_has(&local->loopback, &addr)) {
		local->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static bool
set_local_options(CURL *c, const char *url, struct buf *b, struct local *local)
{
	return curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_TIMEOUT, LIMIT_S) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_loopback) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, local) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEDATA, b) == CURLE_OK;
}

bool
fetch_local_url(struct arena *a, const char *url, size_t max_bytes, struct bytes *out,
		struct err *err)
{
	struct local local = {.refused = false};

	if (!is_ready(err) || !net_list_parse(a, "127.0.0.0/8 ::1", &local.loopback, err))
		return false;
	CURL *c = curl_easy_init();
	struct buf b;

	if (c == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "fetching cannot start");
	arena_defer(a, easy_free, c);
	buf_init(&b, a, max_bytes);
	if (!set_local_options(c, url, &b, &local))
		return FAIL(err, ERR_INPUT, NULL, "not a URL that can be fetched");
	CURLcode rc = curl_easy_perform(c);

	if (local.refused)
		return FAIL(err, ERR_DENIED, NULL, "http is for this machine itself alone");
	return end_fetch(c, rc, &b, out, err);
}

/* ---- guarded: to servers that metadata names ---- */

#define CONNECT_MS 3000L
#define HEADER_MAX 256 /* octets of an ETag or Last-Modified that is kept */

bool
fetch_is_public(const struct net_addr *addr)
{
	return is_ready(NULL) && !net_list_has(&hidden, addr);
}

/* One exchange; whatever libcurl calls with it takes nothing from an arena: its exit would pass
 * over libcurl's frames. */
struct exchange {
	const char *url, *ca_file;
	const struct net_list *inside;
	size_t max_bytes;
	int64_t timeout_ms;
	unsigned char *body;
	size_t n;
	bool over, refused;
	char etag[HEADER_MAX], last_modified[HEADER_MAX], cache[HEADER_MAX];
};

static size_t
take_answer(char *p, size_t size, size_t n, void *into)
{
	struct exchange *x = into;

	if (size * n > x->max_bytes - x->n) {
		x->over = true;
		return 0;
	}
	memcpy(x->body + x->n, p, size * n);
	x->n += size * n;
	return size * n;
}

/* Called with the address itself, after the name was resolved. */
static curl_socket_t
open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct exchange *x = ctx;
	struct net_addr addr;

	if (purpose != CURLSOCKTYPE_IPCXN || !net_addr_of(&to->addr, &addr) ||
	    (!fetch_is_public(&addr) && (x->inside == NULL || !net_list_has(x->inside, &addr)))) {
		x->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static void
headers_free(void *p)
{
	curl_slist_free_all(p);
}

static bool
set_guarded(CURL *c, struct exchange *x, struct curl_slist *headers)
{
	return curl_easy_setopt(c, CURLOPT_URL, x->url) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)x->timeout_ms) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, x) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_answer) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEDATA, x) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
	       (x->ca_file == NULL || curl_easy_setopt(c, CURLOPT_CAINFO, x->ca_file) == CURLE_OK);
}

static bool
exchange_failed(const struct exchange *x, CURLcode rc, const char *doing, struct err *err)
{
	if (x->refused)
		return FAIL(err, ERR_DENIED, NULL, "its address is not one we may send to");
	if (x->over)
		return FAIL(err, ERR_INPUT, NULL, "the answer has more than %zu bytes",
			    x->max_bytes);
	if (rc == CURLE_UNSUPPORTED_PROTOCOL || rc == CURLE_URL_MALFORMAT ||
	    rc == CURLE_LOGIN_DENIED)
		return FAIL(err, ERR_INPUT, NULL, "an https URL is needed");
	return FAIL(err, ERR_UNAVAILABLE, NULL, "%s failed: %s", doing, curl_easy_strerror(rc));
}

/* A handle of libcurl, set up for the exchange. */
static bool
begin(struct arena *a, struct exchange *x, struct curl_slist *headers, const char *doing,
      CURL **out, struct err *err)
{
	CURL *c = curl_easy_init();

	if (c == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "%s cannot start", doing);
	arena_defer(a, easy_free, c);
	if (!set_guarded(c, x, headers))
		return FAIL(err, ERR_INPUT, NULL, "not a URL that can be sent to");
	*out = c;
	return true;
}

static bool
perform(CURL *c, struct exchange *x, const char *doing, long *status, struct err *err)
{
	CURLcode rc = curl_easy_perform(c);

	if (rc != CURLE_OK)
		return exchange_failed(x, rc, doing, err);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, status);
	return true;
}

/* ---- telling others ---- */

static struct curl_slist *
headers_of(struct arena *a, const struct fetch_post *what)
{
	struct curl_slist *list =
		curl_slist_append(NULL, arena_printf(a, "Content-Type: %s", what->type));

	/* Not asked first whether the body may come. */
	list = curl_slist_append(list, "Expect:");
	if (what->action != NULL)
		list = curl_slist_append(list, arena_printf(a, "SOAPAction: \"%s\"", what->action));
	if (what->bearer != NULL)
		list = curl_slist_append(list,
					 arena_printf(a, "Authorization: Bearer %s", what->bearer));
	arena_defer(a, headers_free, list);
	return list;
}

bool
fetch_post(struct arena *a, const struct fetch_post *what, struct fetch_answer *out,
	   struct err *err)
{
	static const char doing[] = "sending";
	struct exchange x = {.url = what->url,
			     .ca_file = what->ca_file,
			     .inside = what->inside,
			     .max_bytes = what->max_bytes,
			     .timeout_ms = what->timeout_ms,
			     .body = arena_alloc(a, what->max_bytes)};
	long status = 0;
	CURL *c;

	if (!is_ready(err) || !begin(a, &x, headers_of(a, what), doing, &c, err))
		return false;
	if (curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)what->body.n) !=
		    CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_POSTFIELDS, what->body.p) != CURLE_OK)
		return FAIL(err, ERR_INPUT, NULL, "not a body that can be sent");
	if (!perform(c, &x, doing, &status, err))
		return false;
	*out = (struct fetch_answer){status, {x.body, x.n}};
	return true;
}

/* ---- mail ---- */

struct letter {
	struct bytes rest;
};

static size_t
give_letter(char *into, size_t size, size_t n, void *ctx)
{
	struct letter *l = ctx;
	size_t some = l->rest.n < size * n ? l->rest.n : size * n;

	memcpy(into, l->rest.p, some);
	l->rest.p += some;
	l->rest.n -= some;
	return some;
}

bool
fetch_relay_is_here(const char *relay)
{
	static const char six[] = "[::1]";
	char number[INET_ADDRSTRLEN];
	struct in_addr in;

	if (!text_starts(relay, "smtp://"))
		return false;
	const char *host = relay + strlen("smtp://");

	if (text_starts(host, six))
		return host[strlen(six)] == '\0' || host[strlen(six)] == ':';
	size_t n = strcspn(host, ":");

	if (n >= sizeof(number))
		return false;
	memcpy(number, host, n);
	number[n] = '\0';
	return inet_pton(AF_INET, number, &in) == 1 && ntohl(in.s_addr) >> 24 == IN_LOOPBACKNET;
}

static bool
set_mail(CURL *c, const struct fetch_mail *what, struct curl_slist *to, struct letter *l)
{
	long tls = fetch_relay_is_here(what->relay) ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL;

	return curl_easy_setopt(c, CURLOPT_URL, what->relay) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_USE_SSL, tls) == CURLE_OK &&
	       (what->ca_file == NULL ||
		curl_easy_setopt(c, CURLOPT_CAINFO, what->ca_file) == CURLE_OK) &&
	       curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)what->timeout_ms) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_MAIL_FROM, what->from) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_MAIL_RCPT, to) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_READFUNCTION, give_letter) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_READDATA, l) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_UPLOAD, 1L) == CURLE_OK;
}

bool
fetch_mail(struct arena *a, const struct fetch_mail *what, struct err *err)
{
	struct curl_slist *to;
	struct letter l = {what->message};
	long status = 0;

	if (!is_ready(err))
		return false;
	CURL *c = curl_easy_init();

	if (c == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "mail cannot start");
	arena_defer(a, easy_free, c);
	to = curl_slist_append(NULL, what->to);
	arena_defer(a, headers_free, to);
	if (to == NULL || !set_mail(c, what, to, &l))
		return FAIL(err, ERR_UNAVAILABLE, NULL, "not a relay that mail can be given to");
	CURLcode rc = curl_easy_perform(c);

	if (rc == CURLE_OK)
		return true;
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	return FAIL(err, status >= 500 && status < 600 ? ERR_DENIED : ERR_UNAVAILABLE, NULL,
		    "the relay did not take it (%ld): %s", status, curl_easy_strerror(rc));
}

/* ---- looking again ---- */

/* The value of a header line of this name, if it is short and plain enough to be sent back. */
static void
keep_header(const char *line, size_t n, const char *name, char *into)
{
	size_t skip = strlen(name), len;

	if (n <= skip || strncasecmp(line, name, skip) != 0)
		return;
	while (skip < n && (line[skip] == ' ' || line[skip] == '\t'))
		skip++;
	while (n > skip && (line[n - 1] == '\r' || line[n - 1] == '\n' || line[n - 1] == ' '))
		n--;
	len = n - skip;
	if (len >= HEADER_MAX)
		return;
	for (size_t i = 0; i < len; i++)
		if (line[skip + i] < ' ' || line[skip + i] > '~')
			return;
	memcpy(into, line + skip, len);
	into[len] = '\0';
}

static size_t
take_header(char *p, size_t size, size_t n, void *into)
{
	struct exchange *x = into;

	keep_header(p, size * n, "ETag:", x->etag);
	keep_header(p, size * n, "Last-Modified:", x->last_modified);
	keep_header(p, size * n, "Cache-Control:", x->cache);
	return size * n;
}

static struct curl_slist *
conditions_of(struct arena *a, const struct fetch_get *what)
{
	struct curl_slist *list =
		curl_slist_append(NULL, arena_printf(a, "Accept: %s", what->accept));

	if (what->known.etag != NULL)
		list = curl_slist_append(list,
					 arena_printf(a, "If-None-Match: %s", what->known.etag));
	if (what->known.last_modified != NULL)
		list = curl_slist_append(
			list, arena_printf(a, "If-Modified-Since: %s", what->known.last_modified));
	arena_defer(a, headers_free, list);
	return list;
}

/* *out stays as it was when the header did not come. */
static void
put_known(struct arena *a, const char *header, const char **out)
{
	if (header[0] != '\0')
		*out = arena_strdup(a, header);
}

/* RFC 9111 5.2.2.1, 5.2.2.4, 5.2.2.5; of what is not understood nothing is said. */
static int64_t
fresh_of(const char *cache)
{
	int64_t fresh = -1;

	for (const char *word = cache; *word != '\0'; word += strcspn(word, ",")) {
		uint64_t s;

		word += strspn(word, ", \t");
		size_t n = strcspn(word, ", \t");

		if ((n == 8 && (strncasecmp(word, "no-cache", n) == 0 ||
				strncasecmp(word, "no-store", n) == 0)))
			return 0;
		if (n > 8 && n < 8 + 12 && strncasecmp(word, "max-age=", 8) == 0) {
			char digits[12 + 1] = {0};

			memcpy(digits, word + 8, n - 8);
			if (text_to_u64(digits, INT32_MAX, &s))
				fresh = (int64_t)s;
		}
	}
	return fresh;
}

/* What came of it, of an answer that went well. */
static bool
end_get(struct arena *a, const struct fetch_get *what, const struct exchange *x, long status,
	struct fetch_got *out, struct err *err)
{
	bool asked = what->known.etag != NULL || what->known.last_modified != NULL;
	struct fetch_got got = {.same = asked && status == 304};

	if (status != 200 && !got.same)
		return FAIL(err, ERR_INPUT, NULL, "the server answered %ld", status);
	if (got.same)
		got.known = what->known;
	else
		got.body = (struct bytes){x->body, x->n};
	got.fresh_s = fresh_of(x->cache);
	put_known(a, x->etag, &got.known.etag);
	put_known(a, x->last_modified, &got.known.last_modified);
	*out = got;
	return true;
}

static bool
set_headers(CURL *c, struct exchange *x, struct err *err)
{
	return (curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_HEADERDATA, x) == CURLE_OK) ||
	       FAIL(err, ERR_INTERNAL, NULL, "libcurl takes no header function");
}

bool
fetch_get(struct arena *a, const struct fetch_get *what, struct fetch_got *out, struct err *err)
{
	static const char doing[] = "fetching";
	struct exchange x = {.url = what->url,
			     .ca_file = what->ca_file,
			     .inside = what->inside,
			     .max_bytes = what->max_bytes,
			     .timeout_ms = what->timeout_ms,
			     .body = arena_alloc(a, what->max_bytes)};
	long status = 0;
	CURL *c;

	return is_ready(err) && begin(a, &x, conditions_of(a, what), doing, &c, err) &&
	       set_headers(c, &x, err) && perform(c, &x, doing, &status, err) &&
	       end_get(a, what, &x, status, out, err);
}

/* ---- what is large ---- */

#define STREAM_BYTES   ((size_t)64 * 1024) /* several of what libcurl writes at once */
#define STREAM_WAIT_MS 1000

struct streaming {
	struct exchange x; /* its body is what has come and was not handed on */
	CURLM *multi;
	CURL *easy;
	size_t total;
	bool paused;
};

/* Outside of libcurl there is more room in a moment. */
static size_t
take_some(char *p, size_t size, size_t n, void *into)
{
	struct streaming *s = into;

	if (size * n > STREAM_BYTES - s->x.n) {
		s->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	memcpy(s->x.body + s->x.n, p, size * n);
	s->x.n += size * n;
	return size * n;
}

static void
multi_free(void *p)
{
	struct streaming *s = p;

	curl_multi_remove_handle(s->multi, s->easy);
	curl_multi_cleanup(s->multi);
}

static bool
hand_on(struct streaming *s, const struct fetch_stream *what, struct err *err)
{
	struct bytes piece = {s->x.body, s->x.n};
	long status = 0;

	curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	s->total += piece.n;
	s->x.n = 0;
	if (s->total > what->get.max_bytes)
		return FAIL(err, ERR_INPUT, NULL, "the answer has more than %zu bytes",
			    what->get.max_bytes);
	/* Of an error's page nobody wants to read. */
	if (piece.n > 0 && status == 200 && !what->take(what->ctx, piece, err))
		return false;
	if (s->paused) {
		s->paused = false;
		return curl_easy_pause(s->easy, CURLPAUSE_CONT) == CURLE_OK ||
		       FAIL(err, ERR_UNAVAILABLE, NULL, "fetching failed");
	}
	return true;
}

/* Until all has come and is handed on. */
static bool
run_stream(struct streaming *s, const struct fetch_stream *what, struct err *err)
{
	int running = 1, left;
	CURLMsg *m;

	while (running > 0 || s->x.n > 0) {
		if (curl_multi_perform(s->multi, &running) != CURLM_OK)
			return FAIL(err, ERR_UNAVAILABLE, NULL, "fetching failed");
		if (s->x.n > 0 || s->paused) {
			if (!hand_on(s, what, err))
				return false;
		} else if (running > 0) {
			(void)curl_multi_poll(s->multi, NULL, 0, STREAM_WAIT_MS, NULL);
		}
	}
	while ((m = curl_multi_info_read(s->multi, &left)) != NULL)
		if (m->msg == CURLMSG_DONE && m->data.result != CURLE_OK)
			return exchange_failed(&s->x, m->data.result, "fetching", err);
	return true;
}

bool
fetch_stream(struct arena *a, const struct fetch_stream *what, struct fetch_got *out,
	     struct err *err)
{
	struct streaming *s = ARENA_NEW(a, struct streaming);
	const struct fetch_get *get = &what->get;
	long status = 0;

	s->x = (struct exchange){.url = get->url,
				 .ca_file = get->ca_file,
				 .inside = get->inside,
				 .timeout_ms = get->timeout_ms,
				 .body = arena_alloc(a, STREAM_BYTES)};
	if (!is_ready(err) || !begin(a, &s->x, conditions_of(a, get), "fetching", &s->easy, err) ||
	    !set_headers(s->easy, &s->x, err))
		return false;
	s->multi = curl_multi_init();
	if (s->multi == NULL ||
	    curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, take_some) != CURLE_OK ||
	    curl_easy_setopt(s->easy, CURLOPT_WRITEDATA, s) != CURLE_OK ||
	    curl_multi_add_handle(s->multi, s->easy) != CURLM_OK) {
		curl_multi_cleanup(s->multi);
		return FAIL(err, ERR_UNAVAILABLE, NULL, "fetching cannot start");
	}
	arena_defer(a, multi_free, s);
	if (!run_stream(s, what, err))
		return false;
	curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	return end_get(a, get, &s->x, status, out, err);
}
