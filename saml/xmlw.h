/*
 * A writer whose output is its own exclusive canonical form (RFC 3741): each
 * element declares the prefixes it uses and nobody above it declared,
 * attributes are sorted, nothing is empty-element, every value is escaped here
 * and only here.  So what we sign is hashed as written, never canonicalized.
 *
 * Calls never fail; xmlw_finish says whether all was well (a character that XML
 * has not, nesting, space, an unclosed element).
 */
#ifndef KONTOR_SAML_XMLW_H
#define KONTOR_SAML_XMLW_H

#include "base/buf.h"

/* A namespace with the prefix we write for it.  One prefix means one URI, everywhere. */
struct xmlns {
	const char *prefix, *uri;
};

extern const struct xmlns xmlns_saml, xmlns_samlp, xmlns_md, xmlns_ds, xmlns_xenc, xmlns_xenc11,
	xmlns_dsig11, xmlns_xs, xmlns_xsi, xmlns_xml;

#define XMLW_MAX_DEPTH 24
#define XMLW_MAX_ATTRS 16

struct xmlw_attr {
	const struct xmlns *ns; /* NULL: none */
	const char *name, *value;
};

struct xmlw {
	struct buf buf;
	const char *fault; /* first misuse or bad value; NULL: none */
	bool in_tag;       /* the start tag on top is not written yet */
	unsigned depth;
	struct {
		const struct xmlns *ns;
		const char *name;
		unsigned n_scope; /* of the scope below, when the element was opened */
	} open[XMLW_MAX_DEPTH];
	const struct xmlns *scope[2 * XMLW_MAX_DEPTH]; /* declared by open elements */
	unsigned n_scope;
	const struct xmlns *declare[XMLW_MAX_ATTRS]; /* asked for by the pending tag */
	unsigned n_declare;
	struct xmlw_attr attr[XMLW_MAX_ATTRS];
	unsigned n_attr;
};

void xmlw_init(struct xmlw *w, struct arena *a, size_t max_bytes);

/* name, prefixes and attribute values must stay valid until the start tag is closed by the next
 * call that is not an attribute; name until xmlw_close. */
void xmlw_open(struct xmlw *w, const struct xmlns *ns, const char *name);

/* ns NULL: of no namespace.  value NULL: no attribute is written. */
void xmlw_attr(struct xmlw *w, const struct xmlns *ns, const char *name, const char *value);

/*
 * Declare a prefix that only occurs in values (xsi:type="xs:string").  Its
 * prefix must then stand in the PrefixList that the element is signed with.
 */
void xmlw_declare(struct xmlw *w, const struct xmlns *ns);

void xmlw_text(struct xmlw *w, const char *text);
void xmlw_base64(struct xmlw *w, struct bytes octets);
void xmlw_close(struct xmlw *w);

/* Open, text (NULL: empty) and close in one. */
void xmlw_element(struct xmlw *w, const struct xmlns *ns, const char *name, const char *text);

/*
 * An element that another writer finished, whose root is of namespace ns.  Where ns is in
 * scope, the root's declaration of it is left out, as the canonical form has it.  No other
 * prefix that it uses may be in scope.
 */
void xmlw_canonical(struct xmlw *w, const struct xmlns *ns, struct bytes element);

/* Octets written so far, the pending start tag included: the place for a Signature. */
size_t xmlw_place(struct xmlw *w);

/* All elements closed and no fault; the text lives in the arena.  ERR_INTERNAL otherwise. */
MUST_USE bool xmlw_finish(struct xmlw *w, struct bytes *out, struct err *err);

#endif
