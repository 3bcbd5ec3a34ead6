/*
 * XML from outside, libxml2 shut tight: the only reader of foreign XML in the
 * program.  A document is UTF-8 with one root, no DTD, no entity, no processing
 * instruction, and well-formed with namespaces without a single warning, or it
 * is refused.  Nothing is ever fetched.  What a document says is not proven by
 * having been parsed: that is xmlsig's business.
 *
 * Documents live in their arena; nodes, names and attribute values point into
 * the document.  There is no XPath: readers walk from the root, by namespace
 * and name.
 */
#ifndef KONTOR_SAML_XML_H
#define KONTOR_SAML_XML_H

#include "base/arena.h"
#include "base/err.h"

struct xml_doc;
struct xml_node; /* an element; opaque, never changed once parsed */

enum xml_flag {
	XML_COMMENTS = 1 << 0, /* comments may stand anywhere but inside a text that is read */
	XML_CDATA = 1 << 1,    /* CDATA sections may stand where xml_text_cdata reads */
	XML_BOM = 1 << 2,      /* the file may begin with a UTF-8 byte order mark */
};

struct xml_limits {
	size_t max_bytes;
	size_t max_nodes;   /* elements, attributes and namespace declarations together */
	unsigned max_attrs; /* attributes and namespace declarations of one element */
	unsigned flags;     /* enum xml_flag */
};

/*
 * Nesting of elements, the root counted; a namespace name's length in octets;
 * declarations on an element and those around it (each is looked through for
 * each name that is canonicalized, so many of them cost seconds).
 */
#define XML_MAX_DEPTH       64
#define XML_MAX_NS_BYTES    512
#define XML_MAX_NS_IN_SCOPE 128

extern const struct xml_limits xml_limits_message;  /* protocol messages: 256 KiB, no flag */
extern const struct xml_limits xml_limits_request;  /* the same with CDATA (akdb text fields) */
extern const struct xml_limits xml_limits_metadata; /* files: 128 MiB, comments, BOM */

/* Parse a whole document.  Everything that is not as above is ERR_INPUT. */
MUST_USE bool xml_parse(struct arena *a, struct bytes text, const struct xml_limits *limits,
			struct xml_doc **out, struct err *err);

/*
 * Parse the text of one element as if it stood inside `context`: with the
 * namespace declarations in scope there (XMLENC 4.4: decrypted octets).  The
 * new document does not touch the one of `context`.
 */
MUST_USE bool xml_parse_within(struct arena *a, struct bytes text, const struct xml_node *context,
			       const struct xml_limits *limits, struct xml_doc **out,
			       struct err *err);

/* Never NULL. */
const struct xml_node *xml_root(const struct xml_doc *doc);

/* The document a node belongs to, and the limits that document was parsed with.  Never NULL. */
const struct xml_doc *xml_doc_of(const struct xml_node *n);
const struct xml_limits *xml_doc_limits(const struct xml_doc *doc);

/*
 * The element whose `ID` attribute (of no namespace) is `id`; NULL when there
 * is none.  Two equal IDs, or one that is no NCName, refuse the document at
 * parse; xml:id means nothing here.
 */
const struct xml_node *xml_find_id(const struct xml_doc *doc, const char *id);

/* Local name; namespace name, "" when in none.  Never NULL. */
const char *xml_name(const struct xml_node *n);
const char *xml_ns(const struct xml_node *n);
bool xml_is(const struct xml_node *n, const char *ns, const char *name);

/* Parent element (NULL for the root), first child element, next sibling element; NULL: none. */
const struct xml_node *xml_parent(const struct xml_node *n);
const struct xml_node *xml_first(const struct xml_node *n);
const struct xml_node *xml_next(const struct xml_node *n);

/* The next element in document order: begin at the root, and all are seen; NULL: that was all. */
const struct xml_node *xml_next_in_document(const struct xml_node *n);

/*
 * The one child of this name.  A second one is ERR_INPUT in both; none is
 * ERR_INPUT in xml_child and *out = NULL in xml_child_opt.
 */
MUST_USE bool xml_child(const struct xml_node *n, const char *ns, const char *name,
			const struct xml_node **out, struct err *err);
MUST_USE bool xml_child_opt(const struct xml_node *n, const char *ns, const char *name,
			    const struct xml_node **out, struct err *err);

/*
 * What may stand inside an element: a sequence, as a schema writes it.  A row
 * takes between min and max children of its name (max 0: no bound).  Rows with
 * `alt` join the row before them: min and max of that first row then count
 * children of any of these names, in any order (xs:choice).
 */
struct xml_row {
	const char *ns;   /* NULL: any namespace but the parent's own (##other) */
	const char *name; /* NULL: any name */
	unsigned min, max;
	bool alt;
};

/* The children are exactly such a sequence, with nothing but white space between them. */
MUST_USE bool xml_check_children(const struct xml_node *n, const struct xml_row *rows,
				 size_t n_rows, struct err *err);

/*
 * The attributes of no namespace are all in `names` (ends in NULL).  xsi:* and
 * xml:* may always stand; attributes of another namespace only with other_ns.
 */
MUST_USE bool xml_check_attrs(const struct xml_node *n, const char *const *names, bool other_ns,
			      struct err *err);

/* Attribute of no namespace: NULL when missing; xml_need_attr: ERR_INPUT when missing. */
const char *xml_attr(const struct xml_node *n, const char *name);
MUST_USE bool xml_need_attr(const struct xml_node *n, const char *name, const char **out,
			    struct err *err);

/* Attribute of namespace ns; NULL when missing. */
const char *xml_attr_ns(const struct xml_node *n, const char *ns, const char *name);

/*
 * The text of an element that holds text only: an element or a comment in it
 * is ERR_INPUT; so is CDATA, unless read by xml_text_cdata.  White space is
 * kept; an empty element gives "".
 */
MUST_USE bool xml_text(struct arena *a, const struct xml_node *n, const char **out,
		       struct err *err);
MUST_USE bool xml_text_cdata(struct arena *a, const struct xml_node *n, const char **out,
			     struct err *err);

/*
 * Resolve a QName (white space around it is dropped) with the declarations in
 * scope at n.  Without a prefix: the default namespace, "" when there is none.
 * An undeclared prefix or a broken name is ERR_INPUT.
 */
MUST_USE bool xml_qname(struct arena *a, const struct xml_node *n, const char *text,
			const char **ns, const char **name, struct err *err);

/* The same for the xsi:type of n; *ns = *name = NULL when it has none. */
MUST_USE bool xml_xsi_type(struct arena *a, const struct xml_node *n, const char **ns,
			   const char **name, struct err *err);

/*
 * Exclusive C14N without comments (RFC 3741) of n, leaving out the subtree of
 * `skip` (may be NULL).  prefix_list is InclusiveNamespaces/@PrefixList, NULL
 * when absent.  A failed canonicalization, or one of fewer than min_bytes or
 * no octets, is ERR_INPUT.
 */
MUST_USE bool xml_c14n(struct arena *a, const struct xml_node *n, const struct xml_node *skip,
		       const char *prefix_list, size_t min_bytes, struct bytes *out,
		       struct err *err);

#endif
