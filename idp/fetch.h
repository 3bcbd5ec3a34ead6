/* The only user of libcurl: fetch a document an operator names. */
#ifndef KONTOR_IDP_FETCH_H
#define KONTOR_IDP_FETCH_H

#include "base/arena.h"
#include "base/err.h"

/*
 * GET an https URL: at most max_bytes, 30 s in all, three redirects, each again
 * https.  ca_file: PEM of further authorities to trust; NULL: the system's.
 * ERR_UNAVAILABLE: the network; ERR_INPUT: not https, another status than 200,
 * too much.
 */
MUST_USE bool fetch_url(struct arena *a, const char *url, const char *ca_file, size_t max_bytes,
			struct bytes *out, struct err *err);

#endif
