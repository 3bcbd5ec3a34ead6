/*
 * Prebuilt documents: JWKS, discovery, metadata, style sheets, fonts.  Built
 * once per version, compressed once, answered on the event loop from one shared
 * response, with an entity tag for conditional requests (RFC 9110 13).
 */
#ifndef KONTOR_IDP_DOCUMENT_H
#define KONTOR_IDP_DOCUMENT_H

#include "base/embed.h"
#include "idp/response.h"

/* How a document goes out; an index into document.wire. */
enum document_form {
	DOCUMENT_PLAIN,
	DOCUMENT_GZIP,
	DOCUMENT_NOT_MODIFIED,
	DOCUMENT_FORMS,
};

struct document {
	const char *path;  /* as the route matches it: "/oidc/jwks" */
	const char *type;  /* Content-Type */
	const char *cache; /* Cache-Control */
	const char *etag;  /* weak, so that one serves both codings */
	struct bytes body;
	struct bytes gzip;          /* n = 0: not worth it */
	bool open;                  /* any web page may read it (CORS): discovery, JWKS */
	void *wire[DOCUMENT_FORMS]; /* idp/server_exchange.c: the shared responses; NULL without a
				       server */
};

#define DOCUMENTS_MAX 256

/* A further path of a document. */
struct document_alias {
	const char *path;
	const struct document *document; /* of the same documents, or NULL: left out */
};

struct documents {
	struct document *d; /* in `a`; NULL when n is 0 */
	size_t n;
	const struct document_alias *alias; /* sorted by path */
	size_t n_alias;
};

/*
 * Add a document; texts and body must live as long as `a`.  Tag and (unless
 * given) compressed form are made here.  ERR_CONFLICT: the path is there already; ERR_INTERNAL:
 * more than DOCUMENTS_MAX.
 */
MUST_USE bool documents_add(struct arena *a, struct documents *docs, const struct document *doc,
			    struct err *err);

/*
 * All further paths, in one call; `list` is sorted in place and must live as long
 * as the documents.  For many paths of few documents: what is found by one costs
 * a search in halves, and no document is made for it.
 */
void documents_name(struct documents *docs, struct document_alias *list, size_t n);

/*
 * Every embedded file as /static/NAME, to be kept for good, since the names hold
 * a digest; NAME.gz is the compressed form of NAME.  Type by its ending.
 */
MUST_USE bool documents_add_files(struct arena *a, struct documents *docs,
				  const struct embed_file *files, struct err *err);

/* By its own path or a further one; NULL: no such path. */
const struct document *documents_find(const struct documents *docs, struct bytes path);

/* Which form a request gets; both values may be empty. */
enum document_form document_choose(const struct document *doc, struct bytes if_none_match,
				   struct bytes accept_encoding);

/* The same by the request's headers. */
enum document_form document_form_for(const struct request *rq, const struct document *doc);

/* Fill rs with that form. */
void document_answer(const struct document *doc, enum document_form form, struct response *rs);

/* The handler of every route whose answer is a document of the snapshot or an asset. */
MUST_USE bool document_handle(struct request *rq, struct response *rs, struct err *err);

#endif
