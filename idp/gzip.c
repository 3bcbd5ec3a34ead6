/* Compressed documents; see gzip.h. */
#include "idp/gzip.h"

#include <string.h>
#include <zlib.h>

#define WINDOW (15 + 16) /* the largest; with the head and tail of RFC 1952 */
#define LENGTH 4         /* octets at its end: how long it becomes, little-endian */

struct bytes
gzip_pack(struct arena *a, struct bytes b)
{
	z_stream z = {0};

	if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, WINDOW, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		return (struct bytes){NULL, 0};
	size_t cap = deflateBound(&z, (uLong)b.n);
	unsigned char *out = arena_alloc(a, cap);

	z.next_in = (z_const Bytef *)b.p;
	z.avail_in = (uInt)b.n;
	z.next_out = out;
	z.avail_out = (uInt)cap;
	int rc = deflate(&z, Z_FINISH);
	size_t n = z.total_out;

	deflateEnd(&z);
	return rc == Z_STREAM_END ? (struct bytes){out, n} : (struct bytes){NULL, 0};
}

bool
gzip_unpack(struct arena *a, struct bytes b, size_t most, struct bytes *out, struct err *err)
{
	z_stream z = {0};
	size_t n = 0;

	for (size_t i = 0; i < LENGTH && b.n >= LENGTH; i++)
		n |= (size_t)b.p[b.n - LENGTH + i] << (8 * i);
	if (b.n < LENGTH || n > most)
		return FAIL(err, ERR_INTERNAL, NULL, "compressed document is damaged");
	unsigned char *p = arena_alloc(a, n + 1);

	if (inflateInit2(&z, WINDOW) != Z_OK)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no memory to read a document");
	z.next_in = (z_const Bytef *)b.p;
	z.avail_in = (uInt)b.n;
	z.next_out = p;
	z.avail_out = (uInt)n + 1;
	int rc = inflate(&z, Z_FINISH);
	bool whole = rc == Z_STREAM_END && z.total_out == n && z.avail_in == 0;

	inflateEnd(&z);
	if (!whole)
		return FAIL(err, ERR_INTERNAL, NULL, "compressed document is damaged");
	*out = (struct bytes){p, n};
	return true;
}
