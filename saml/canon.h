/*
 * XML written from the events of xml_push, without a document: the exclusive canonical form
 * (RFC 3741, without comments) of what is signed, and copies of elements that stand by
 * themselves.  Nothing here allocates: it is called inside the parser.
 */
#ifndef KONTOR_SAML_CANON_H
#define KONTOR_SAML_CANON_H

#include "saml/xml_push.h"

/* The declarations in scope, for one who reads a document from its root on; zero at the start. */
struct xml_scope {
	struct xml_decl decls[XML_MAX_NS_IN_SCOPE];
	size_t n;
	unsigned depth;                            /* of the innermost element */
	unsigned char declared[XML_MAX_DEPTH + 2]; /* by the element at this depth */
};

/* Around each element, before and after what is written of it.  NULL, or a fault. */
const char *xml_scope_enter(struct xml_scope *s, const struct xml_push_tag *tag);
void xml_scope_leave(struct xml_scope *s);

/* Octets at a fixed place, of which full ones are handed on. */
struct xml_out {
	unsigned char *p;
	size_t n, cap;
	void (*full)(void *ctx, struct bytes b); /* NULL: `over` is set instead */
	void *ctx;
	bool over;
	struct xml_out *also; /* the same octets go there, too; NULL: nowhere */
};

/* These octets, as they are. */
void xml_out_put(struct xml_out *o, struct bytes b);

/* ---- canonical ---- */

#define CANON_RENDERED_MOST 1024

struct canon {
	const struct xml_scope *scope;
	struct xml_out *out;
	const char *const *prefixes; /* InclusiveNamespaces, ends in NULL; "#default" among them */
	const char *always;          /* prefixes of this namespace, too; NULL: of none */
	struct xml_decl rendered[CANON_RENDERED_MOST];
	size_t n;
	unsigned short at[XML_MAX_DEPTH + 2]; /* rendered ones below an element of this depth */
};

/*
 * What is written next is an element by itself, but stays what it is where `around` has got to:
 * a default namespace that was written there is undone where nothing else says so.
 */
void canon_apart(struct canon *c, const struct canon *around);

/* A start tag, whose declarations are in scope already.  NULL, or a fault. */
const char *canon_start(struct canon *c, const struct xml_push_tag *tag);
/* For two at once: what is the same is written once, into c->out, and `also` into d->out. */
const char *canon_start_both(struct canon *c, struct canon *d, const struct xml_push_tag *tag);
void canon_end(struct canon *c, const char *prefix, const char *name, unsigned depth);
void canon_text(struct canon *c, struct bytes text);

/* ---- a copy ---- */

/*
 * The same element as a document of its own: its root (`top`) declares all that is in scope
 * there, which names in values (xsi:type) may need.
 */
void xml_copy_start(struct xml_out *out, const struct xml_scope *scope,
		    const struct xml_push_tag *tag, bool top);
void xml_copy_end(struct xml_out *out, const char *prefix, const char *name);
void xml_copy_text(struct xml_out *out, struct bytes text); /* as canon_text writes it */

#endif
