/* Fetching over https; see fetch.h. */
#include "idp/fetch.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"

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

bool
fetch_url(struct arena *a, const char *url, const char *ca_file, size_t max_bytes,
	  struct bytes *out, struct err *err)
{
	if (!is_ready(err))
		return false;
	CURL *c = curl_easy_init();
	long status = 0;
	struct buf b;

	if (c == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "fetching cannot start");
	arena_defer(a, easy_free, c);
	buf_init(&b, a, max_bytes);
	if (!set_options(c, url, ca_file, &b))
		return FAIL(err, ERR_INPUT, NULL, "not a URL that can be fetched");
	CURLcode rc = curl_easy_perform(c);

	if (b.over)
		return FAIL(err, ERR_INPUT, NULL, "the document has more than %zu bytes",
			    max_bytes);
	if (rc == CURLE_UNSUPPORTED_PROTOCOL || rc == CURLE_URL_MALFORMAT)
		return FAIL(err, ERR_INPUT, NULL, "an https URL is needed");
	if (rc != CURLE_OK)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "fetching failed: %s",
			    curl_easy_strerror(rc));
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return FAIL(err, ERR_INPUT, NULL, "the server answered %ld", status);
	return buf_finish(&b, out, err);
}

/* ---- telling others ---- */

#define CONNECT_MS 3000L

bool
fetch_is_public(const struct net_addr *addr)
{
	return is_ready(NULL) && !net_list_has(&hidden, addr);
}

struct posting {
	const struct fetch_post *what;
	unsigned char *body;
	size_t n;
	bool over, refused;
};

/* Nothing is taken from an arena in here: its exit would pass over libcurl's frames. */
static size_t
take_answer(char *p, size_t size, size_t n, void *into)
{
	struct posting *post = into;

	if (size * n > post->what->max_bytes - post->n) {
		post->over = true;
		return 0;
	}
	memcpy(post->body + post->n, p, size * n);
	post->n += size * n;
	return size * n;
}

/* Called with the address itself, after the name was resolved. */
static curl_socket_t
open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct posting *post = ctx;
	const struct net_list *inside = post->what->inside;
	struct net_addr addr;

	if (purpose != CURLSOCKTYPE_IPCXN || !net_addr_of(&to->addr, &addr) ||
	    (!fetch_is_public(&addr) && (inside == NULL || !net_list_has(inside, &addr)))) {
		post->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static void
headers_free(void *p)
{
	curl_slist_free_all(p);
}

static struct curl_slist *
headers_of(struct arena *a, const struct fetch_post *what)
{
	struct curl_slist *list =
		curl_slist_append(NULL, arena_printf(a, "Content-Type: %s", what->type));

	/* Not asked first whether the body may come. */
	list = curl_slist_append(list, "Expect:");
	if (what->action != NULL)
		list = curl_slist_append(list, arena_printf(a, "SOAPAction: \"%s\"", what->action));
	arena_defer(a, headers_free, list);
	return list;
}

static bool
set_post(CURL *c, struct posting *post, struct curl_slist *headers)
{
	const struct fetch_post *what = post->what;

	return curl_easy_setopt(c, CURLOPT_URL, what->url) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)what->timeout_ms) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, post) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_answer) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEDATA, post) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)what->body.n) ==
		       CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_POSTFIELDS, what->body.p) == CURLE_OK &&
	       (what->ca_file == NULL ||
		curl_easy_setopt(c, CURLOPT_CAINFO, what->ca_file) == CURLE_OK);
}

static bool
post_failed(const struct posting *post, CURLcode rc, struct err *err)
{
	if (post->refused)
		return FAIL(err, ERR_DENIED, NULL, "its address is not one we may send to");
	if (post->over)
		return FAIL(err, ERR_INPUT, NULL, "the answer has more than %zu bytes",
			    post->what->max_bytes);
	if (rc == CURLE_UNSUPPORTED_PROTOCOL || rc == CURLE_URL_MALFORMAT ||
	    rc == CURLE_LOGIN_DENIED)
		return FAIL(err, ERR_INPUT, NULL, "an https URL is needed");
	return FAIL(err, ERR_UNAVAILABLE, NULL, "sending failed: %s", curl_easy_strerror(rc));
}

bool
fetch_post(struct arena *a, const struct fetch_post *what, struct fetch_answer *out,
	   struct err *err)
{
	struct posting post = {.what = what, .body = arena_alloc(a, what->max_bytes)};

	if (!is_ready(err))
		return false;
	struct curl_slist *headers = headers_of(a, what);
	CURL *c = curl_easy_init();
	long status = 0;

	if (c == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "sending cannot start");
	arena_defer(a, easy_free, c);
	if (!set_post(c, &post, headers))
		return FAIL(err, ERR_INPUT, NULL, "not a URL that can be sent to");
	CURLcode rc = curl_easy_perform(c);

	if (rc != CURLE_OK)
		return post_failed(&post, rc, err);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	*out = (struct fetch_answer){status, {post.body, post.n}};
	return true;
}
