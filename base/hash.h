/* SHA-2 (and SHA-1), with one kept context per thread: fetching the algorithm each time costs more
 * than it.
 */
#ifndef KONTOR_BASE_HASH_H
#define KONTOR_BASE_HASH_H

#include "base/base.h"

#define SHA256_BYTES 32

/* A library that fails ends the process: no result of ours would mean anything. */
void hash_sha256(struct bytes text, unsigned char out[SHA256_BYTES]);

/* The same of several runs of octets in a row, as if they were joined. */
void hash_sha256_parts(const struct bytes *parts, size_t n, unsigned char out[SHA256_BYTES]);

/* For names that a standard forms by it (SAML's SourceID), never where forgery would matter. */
#define SHA1_BYTES 20
void hash_sha1(struct bytes text, unsigned char out[SHA1_BYTES]);

#define HASH_BYTES_MOST 64

struct hash_digest {
	unsigned char octets[HASH_BYTES_MOST];
	size_t n;
};

/* By OpenSSL's name: "SHA256", "SHA384", "SHA512".  False: none of these. */
MUST_USE bool hash_named(const char *name, struct bytes text, struct hash_digest *out);

/* The digest of what comes in pieces; lives in its arena. */
struct arena;
struct hash_stream;

/* NULL: not a name that hash_named knows. */
struct hash_stream *hash_stream_begin(struct arena *a, const char *name);
void hash_stream_add(struct hash_stream *h, struct bytes piece);
/* Once. */
void hash_stream_end(struct hash_stream *h, struct hash_digest *out);

#endif
