/* Fetching over https; see fetch.h. */
#include "idp/fetch.h"

#include <curl/curl.h>

#include "base/buf.h"

#define LIMIT_S       30L
#define REDIRECTS_MAX 3L

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
