/*
 * Parsing and canonicalization; see xml.h.  What a document may not hold is
 * refused in three steps: by looking at its octets before libxml2 sees them (no
 * DTD code is ever reached), by counting while libxml2 parses, and by taking
 * nothing that libxml2 had any remark about.  Readers are in xml_read.c.
 */
#include <stdlib.h>
#include <string.h>

#include <libxml/SAX2.h>
#include <libxml/c14n.h>

#include "base/buf.h"
#include "base/enc.h"
#include "saml/xml_dom.h"
#include "saml/xml_guard.h"

#define KIB ((size_t)1024)
#define MIB (KIB * KIB)

const struct xml_limits xml_limits_message = {256 * KIB, 20000, 64, 0};
const struct xml_limits xml_limits_request = {256 * KIB, 20000, 64, XML_CDATA};
const struct xml_limits xml_limits_metadata = {128 * MIB, 8000000, 64, XML_COMMENTS | XML_BOM};

/* Room for the start tag that stands for the context of a decrypted element. */
#define MAX_CONTEXT_BYTES (64 * KIB)

static bool
check_octets(struct bytes text, const struct xml_limits *limits, struct err *err)
{
	struct xml_scan scan = {0};

	if (text.n > limits->max_bytes)
		return FAIL(err, ERR_INPUT, NULL, "XML of %zu octets, at most %zu", text.n,
			    limits->max_bytes);
	if (text.n == 0)
		return FAIL(err, ERR_INPUT, NULL, "no XML at all");
	return xml_scan_octets(&scan, text, limits, err);
}

/* ---- while parsing ---- */

static void
on_remark(void *ctx, xmlError *e)
{
	xml_guard_remark(((xmlParserCtxt *)ctx)->_private, e);
}

static void
on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_ns,
	 const xmlChar **ns, int n_attr, int n_defaulted, const xmlChar **attr)
{
	xmlParserCtxt *p = ctx;
	struct xml_guard *g = p->_private;

	g->fault = xml_guard_start(g, (unsigned)p->nodeNr, n_ns, ns, n_attr);
	if (g->fault != NULL)
		xmlStopParser(p);
	else
		xmlSAX2StartElementNs(ctx, name, prefix, uri, n_ns, ns, n_attr, n_defaulted, attr);
}

static void
free_doc(void *p)
{
	struct xml_doc *doc = p;

	xmlFreeDoc(doc->dom);
}

static void
parse_guarded(struct bytes text, struct xml_guard *g, struct xml_doc *doc, bool *clean)
{
	/* No arena allocation in here: its exit would pass over libxml2's frames. */
	xmlParserCtxt *p = xml_guard_thread() ? xmlNewParserCtxt() : NULL;

	*clean = false;
	if (p == NULL)
		return;
	p->_private = g;
	p->sax->startElementNs = on_start;
	p->sax->serror = on_remark;
	doc->dom = xmlCtxtReadMemory(p, (const char *)text.p, (int)text.n, NULL, NULL,
				     XML_PARSE_NONET);
	*clean = doc->dom != NULL && xml_guard_is_clean(g, p);
	xmlFreeParserCtxt(p);
}

/* ---- after parsing ---- */

static const char *
id_of(const struct xml_node *n)
{
	return xml_attr(n, "ID");
}

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(id_of(*(const struct xml_node *const *)a),
		      id_of(*(const struct xml_node *const *)b));
}

static bool
collect_ids(struct arena *a, struct xml_doc *doc, struct err *err)
{
	const struct xml_node *n;
	size_t n_ids = 0, i = 0;

	for (n = xml_root(doc); n != NULL; n = xml_next_in_document(n)) {
		if (id_of(n) == NULL)
			continue;
		if (!dom_is_ncname(id_of(n)))
			return FAIL(err, ERR_INPUT, NULL, "ID of <%s> is not an xs:ID",
				    xml_name(n));
		n_ids++;
	}
	doc->ids = ARENA_ARRAY(a, const struct xml_node *, n_ids);
	doc->n_ids = n_ids;
	for (n = xml_root(doc); n != NULL; n = xml_next_in_document(n))
		if (id_of(n) != NULL)
			doc->ids[i++] = n;
	qsort(doc->ids, n_ids, sizeof(doc->ids[0]), compare_ids);
	for (i = 1; i < n_ids; i++)
		if (compare_ids(&doc->ids[i - 1], &doc->ids[i]) == 0)
			return FAIL(err, ERR_INPUT, NULL, "two elements have the same ID");
	return true;
}

static bool
parse(struct arena *a, struct bytes text, struct xml_guard *g, struct xml_doc **out,
      struct err *err)
{
	struct xml_doc *doc = ARENA_NEW(a, struct xml_doc);
	bool clean;

	arena_defer(a, free_doc, doc);
	parse_guarded(text, g, doc, &clean);
	if (!clean)
		return FAIL(err, ERR_INPUT, NULL, "XML refused: %s",
			    g->fault != NULL ? g->fault : g->remark);
	doc->dom->_private = doc;
	doc->root = xmlDocGetRootElement(doc->dom);
	doc->limits = *g->limits;
	*out = doc;
	return true;
}

bool
xml_parse(struct arena *a, struct bytes text, const struct xml_limits *limits, struct xml_doc **out,
	  struct err *err)
{
	struct xml_guard g = {.limits = limits, .max_depth = XML_MAX_DEPTH};
	struct xml_doc *doc;

	if (!xml_skip_declaration(&text, limits, err) || !check_octets(text, limits, err) ||
	    !parse(a, text, &g, &doc, err) || !collect_ids(a, doc, err))
		return false;
	*out = doc;
	return true;
}

/* ---- as if inside another element ---- */

/* The declarations in scope at n, each prefix once, nearest first. */
static void
add_scope(struct buf *b, const xmlNode *n)
{
	const xmlNode *start = n;

	for (; n != NULL && n->type == XML_ELEMENT_NODE; n = n->parent)
		for (const xmlNs *ns = n->nsDef; ns != NULL; ns = ns->next) {
			const char *prefix = (const char *)ns->prefix;

			if (dom_find_ns(start, prefix) != ns)
				continue;
			buf_str(b, prefix != NULL ? " xmlns:" : " xmlns");
			if (prefix != NULL)
				buf_str(b, prefix);
			buf_str(b, "=\"");
			enc_xml_attr(b, ns->href != NULL ? (const char *)ns->href : "");
			buf_str(b, "\"");
		}
}

bool
xml_parse_within(struct arena *a, struct bytes text, const struct xml_node *context,
		 const struct xml_limits *limits, struct xml_doc **out, struct err *err)
{
	/* The context is one level and one start tag more than what the limits are for. */
	struct xml_guard g = {.limits = limits, .max_depth = XML_MAX_DEPTH + 1};
	struct xml_doc *doc;
	struct bytes whole;
	struct buf b;

	if (!check_octets(text, limits, err))
		return false;
	buf_init(&b, a, text.n + MAX_CONTEXT_BYTES);
	buf_str(&b, "<context");
	add_scope(&b, dom_of(context));
	buf_str(&b, ">");
	buf_add(&b, text);
	buf_str(&b, "</context>");
	if (!buf_finish(&b, &whole, err) || !parse(a, whole, &g, &doc, err))
		return false;
	doc->root = doc->root->children;
	/* second line: what is not empty leaves a node */
	if (doc->root == NULL || doc->root->type != XML_ELEMENT_NODE || doc->root->next != NULL)
		return FAIL(err, ERR_INPUT, NULL, "XML is not one element");
	if (!collect_ids(a, doc, err))
		return false;
	*out = doc;
	return true;
}

const struct xml_node *
xml_find_id(const struct xml_doc *doc, const char *id)
{
	size_t low = 0, high = doc->n_ids;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(id, id_of(doc->ids[mid]));

		if (c == 0)
			return doc->ids[mid];
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* ---- exclusive canonical form ---- */

struct subset {
	const xmlNode *top, *skip;
};

static int
is_visible(void *ctx, xmlNode *node, xmlNode *parent)
{
	const struct subset *s = ctx;
	const xmlNode *n = node;

	/* A declaration has no parent of its own. */
	if (n->type == XML_NAMESPACE_DECL)
		n = parent;
	for (; n != NULL && n != s->skip; n = n->parent)
		if (n == s->top)
			return 1;
	return 0;
}

static void
say_nothing(void *ctx, xmlError *e)
{
	(void)ctx;
	(void)e;
}

static void
close_output(void *p)
{
	xmlOutputBuffer **out = p;

	xmlOutputBufferClose(*out);
	*out = NULL;
}

bool
xml_c14n(struct arena *a, const struct xml_node *n, const struct xml_node *skip_node,
	 const char *prefix_list, size_t min_bytes, struct bytes *out, struct err *err)
{
	struct subset subset = {dom_of(n), dom_of(skip_node)};
	xmlChar *prefixes[XML_MAX_PREFIXES + 1] = {NULL};
	xmlOutputBuffer **o = ARENA_NEW(a, xmlOutputBuffer *);

	if (prefix_list != NULL && !xml_prefixes(a, prefix_list, prefixes, err))
		return false;
	arena_defer(a, close_output, o);
	*o = xmlAllocOutputBuffer(NULL);

	xmlStructuredErrorFunc before = xmlStructuredError;
	void *before_ctx = xmlStructuredErrorContext;

	xmlSetStructuredErrorFunc(NULL, say_nothing);
	int rc = xmlC14NExecute(subset.top->doc, is_visible, &subset, XML_C14N_EXCLUSIVE_1_0,
				prefixes, 0, *o);
	xmlSetStructuredErrorFunc(before_ctx, before);

	struct bytes text = {xmlOutputBufferGetContent(*o), xmlOutputBufferGetSize(*o)};

	/* second line: what was parsed has a canonical form, and it fails for want of memory only
	 */
	if (rc < 0 || text.n == 0 || text.n < min_bytes)
		return FAIL(err, ERR_INPUT, NULL, "canonical XML failed or is too short");
	*out = arena_bytes(a, text);
	close_output(o);
	return true;
}
