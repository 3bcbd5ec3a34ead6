/* Documents; see document.h. */
#include "idp/document.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/enc.h"
#include "base/hash.h"
#include "base/text.h"
#include "idp/app.h"
#include "idp/gzip.h"
#include "idp/snapshot.h"

#define GZIP_LEAST_BYTES 512

/* What the embedded files are; a font is compressed already. */
static const struct {
	const char *ending, *type;
} types[] = {
	{".css", "text/css; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".svg", "image/svg+xml"},
	{".woff2", "font/woff2"},
	{".png", "image/png"},
	{".ico", "image/x-icon"},
	{".txt", "text/plain; charset=utf-8"},
};

static bool
is_compressed(const char *type)
{
	return text_starts(type, "font/") || text_eq(type, "image/png") ||
	       text_eq(type, "image/x-icon");
}

/* Empty when it gains nothing. */
static struct bytes
compress_body(struct arena *a, struct bytes body)
{
	struct bytes packed = gzip_pack(a, body);

	return packed.n < body.n - body.n / 10 ? packed : (struct bytes){NULL, 0};
}

static const char *
make_tag(struct arena *a, struct bytes body)
{
	unsigned char digest[SHA256_BYTES];

	hash_sha256(body, digest);
	return arena_printf(a, "W/\"%s\"", enc_base64url(a, (struct bytes){digest, 16}));
}

bool
documents_add(struct arena *a, struct documents *docs, const struct document *doc, struct err *err)
{
	if (documents_find(docs, bytes_of(doc->path)) != NULL)
		return FAIL(err, ERR_CONFLICT, NULL, "document %s is there already", doc->path);
	if (docs->n == DOCUMENTS_MAX)
		return FAIL(err, ERR_INTERNAL, NULL, "more than %d documents", DOCUMENTS_MAX);
	if (docs->d == NULL)
		docs->d = ARENA_ARRAY(a, struct document, DOCUMENTS_MAX);

	struct document *d = &docs->d[docs->n++];

	*d = *doc;
	d->etag = make_tag(a, d->body);
	if (d->gzip.n == 0 && d->body.n >= GZIP_LEAST_BYTES && !is_compressed(d->type))
		d->gzip = compress_body(a, d->body);
	return true;
}

static bool
ends_in(const char *name, const char *ending)
{
	size_t n = strlen(name), e = strlen(ending);

	return n > e && strcmp(name + n - e, ending) == 0;
}

static const char *
type_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (ends_in(name, types[i].ending))
			return types[i].type;
	return "application/octet-stream";
}

bool
documents_add_files(struct arena *a, struct documents *docs, const struct embed_file *files,
		    struct err *err)
{
	for (const struct embed_file *f = files; f->name != NULL; f++) {
		struct document doc = {.path = arena_printf(a, "/static/%s", f->name),
				       .type = type_of(f->name),
				       .cache = "public, max-age=31536000, immutable",
				       .body = f->data};
		const struct embed_file *twin =
			embed_find(files, arena_printf(a, "%s.gz", f->name));

		if (twin != NULL)
			doc.gzip = twin->data;
		if (!ends_in(f->name, ".gz") && !documents_add(a, docs, &doc, err))
			return false;
	}
	return true;
}

static int
by_path(const void *x, const void *y)
{
	const struct document_alias *a = x, *b = y;

	return strcmp(a->path, b->path);
}

void
documents_name(struct documents *docs, struct document_alias *list, size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		if (list[i].document != NULL)
			list[used++] = list[i];
	if (used > 0)
		qsort(list, used, sizeof(*list), by_path);
	docs->alias = list;
	docs->n_alias = used;
}

/* strcmp of a path as received, which need not end. */
static int
compare_path(struct bytes path, const char *with)
{
	size_t n = strlen(with);
	int order = strncmp((const char *)path.p, with, path.n < n ? path.n : n);

	return order != 0 ? order : (path.n > n) - (path.n < n);
}

const struct document *
documents_find(const struct documents *docs, struct bytes path)
{
	size_t low = 0, high = docs->n_alias;

	for (size_t i = 0; i < docs->n; i++)
		if (bytes_eq(bytes_of(docs->d[i].path), path))
			return &docs->d[i];
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_path(path, docs->alias[middle].path);

		if (order == 0)
			return docs->alias[middle].document;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* The next element of a comma-separated list, trimmed.  False at the end. */
static bool
list_next(struct bytes *rest, struct bytes *item)
{
	if (rest->n == 0)
		return false;
	const unsigned char *comma = memchr(rest->p, ',', rest->n);
	size_t n = comma == NULL ? rest->n : (size_t)(comma - rest->p), step = n + (comma != NULL);
	const unsigned char *p = rest->p;

	*rest = (struct bytes){rest->p + step, rest->n - step};
	while (n > 0 && (p[0] == ' ' || p[0] == '\t'))
		p++, n--;
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	*item = (struct bytes){p, n};
	return true;
}

/* Weak comparison (RFC 9110 8.8.3.2): the W/ does not count. */
static bool
tag_matches(const char *etag, struct bytes item)
{
	if (item.n > 2 && item.p[0] == 'W' && item.p[1] == '/')
		item = (struct bytes){item.p + 2, item.n - 2};
	return bytes_eq(item, bytes_of("*")) || bytes_eq(item, bytes_of(etag + 2));
}

/* "gzip" or "gzip;q=..." with a quality above zero. */
static bool
takes_gzip(struct bytes item)
{
	if (item.n < 4 || strncasecmp((const char *)item.p, "gzip", 4) != 0)
		return false;
	if (item.n == 4)
		return true;
	for (size_t i = 4; i < item.n; i++)
		if (item.p[i] >= '1' && item.p[i] <= '9')
			return true;
	return false;
}

enum document_form
document_choose(const struct document *doc, struct bytes if_none_match,
		struct bytes accept_encoding)
{
	struct bytes item;

	while (list_next(&if_none_match, &item))
		if (tag_matches(doc->etag, item))
			return DOCUMENT_NOT_MODIFIED;
	while (doc->gzip.n > 0 && list_next(&accept_encoding, &item))
		if (takes_gzip(item))
			return DOCUMENT_GZIP;
	return DOCUMENT_PLAIN;
}

void
document_answer(const struct document *doc, enum document_form form, struct response *rs)
{
	rs->status = form == DOCUMENT_NOT_MODIFIED ? 304 : 200;
	response_header(rs, "ETag", doc->etag);
	response_header(rs, "Cache-Control", doc->cache);
	response_header(rs, "Vary", "Accept-Encoding");
	if (doc->open)
		response_header(rs, "Access-Control-Allow-Origin", "*");
	if (form == DOCUMENT_NOT_MODIFIED)
		return;
	response_header(rs, "Content-Type", doc->type);
	if (form == DOCUMENT_GZIP)
		response_header(rs, "Content-Encoding", "gzip");
	rs->body = form == DOCUMENT_GZIP ? doc->gzip : doc->body;
}

static struct bytes
header_bytes(const struct request *rq, const char *name)
{
	const char *v = request_header(rq, name);

	return bytes_of(v == NULL ? "" : v);
}

enum document_form
document_form_for(const struct request *rq, const struct document *doc)
{
	return document_choose(doc, header_bytes(rq, "if-none-match"),
			       header_bytes(rq, "accept-encoding"));
}

bool
document_handle(struct request *rq, struct response *rs, struct err *err)
{
	const struct document *doc = app_document(rq->app, rq->snap, bytes_of(rq->path));

	if (doc == NULL && rq->app->db != NULL && (rq->snap == NULL || rq->snap->stale))
		return FAIL(err, ERR_UNAVAILABLE, NULL, "documents are not built yet");
	if (doc == NULL)
		return FAIL(err, ERR_NOT_FOUND, NULL, "no such document");
	document_answer(doc, document_form_for(rq, doc), rs);
	return true;
}
