/*
 * XML from outside in pieces, for documents that are too large to be held: what is refused is
 * what xml.h refuses, but for equal IDs, which only who holds the whole can tell.  Memory does
 * not grow with the document.
 *
 * The handler's functions run inside libxml2, which cannot be left: they allocate from no arena.
 */
#ifndef KONTOR_SAML_XML_PUSH_H
#define KONTOR_SAML_XML_PUSH_H

#include "saml/xml.h"

/* Declarations or attributes of one start tag, whatever the limits of the document. */
#define XML_MAX_TAG 64

/* A namespace declaration: prefix NULL for the default one; uri "" when that is undone. */
struct xml_decl {
	const char *prefix, *uri;
};

struct xml_push_attr {
	const char *prefix, *name, *ns; /* prefix NULL and ns "": of no namespace */
	struct bytes value;             /* references resolved */
};

/*
 * A start tag.  Prefixes and names of namespaces live as long as the parser; the rest only
 * during the call.
 */
struct xml_push_tag {
	const char *prefix, *name, *ns; /* prefix NULL: none; ns "": of no namespace */
	unsigned depth;                 /* 1: the root */
	const struct xml_decl *decls;
	size_t n_decls;
	const struct xml_push_attr *attrs;
	size_t n_attrs;
};

/* The attribute of this name and of no namespace; NULL: none. */
const struct xml_push_attr *xml_push_attr(const struct xml_push_tag *tag, const char *name);
bool xml_push_is(const struct xml_push_tag *tag, const char *ns, const char *name);

/* Each returns NULL, or why the document is refused (a static text): nothing comes after that. */
struct xml_push_handler {
	const char *(*start)(void *ctx, const struct xml_push_tag *tag);
	const char *(*end)(void *ctx, const char *prefix, const char *name, unsigned depth);
	const char *(*text)(void *ctx, struct bytes text); /* a run may come in several pieces */
};

struct xml_push; /* lives in its arena */

/* `limits` and `handler` outlive the parser. */
struct xml_push *xml_push_begin(struct arena *a, const struct xml_limits *limits,
				const struct xml_push_handler *handler, void *ctx);

/*
 * The next octets, in pieces of any size; what they hold may reach the handler later.  After an
 * ERR_INPUT nothing more may be added.
 */
MUST_USE bool xml_push_add(struct xml_push *x, struct bytes piece, struct err *err);

/* There is no more: the rest reaches the handler, and the document was whole. */
MUST_USE bool xml_push_end(struct xml_push *x, struct err *err);

#endif
