/*
 * Parsing and canonicalization; see xml.h.  What a document may not hold is
 * refused in three steps: by looking at its octets before libxml2 sees them (no
 * DTD code is ever reached), by counting while libxml2 parses, and by taking
 * nothing that libxml2 had any remark about.  Readers are in xml_read.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libxml/SAX2.h>
#include <libxml/c14n.h>
#include <libxml/globals.h>
#include <libxml/parser.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/memory.h"
#include "base/text.h"
#include "saml/xml_dom.h"

#define KIB     ((size_t)1024)
#define MIB     (KIB * KIB)

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

const struct xml_limits xml_limits_message = {256 * KIB, 20000, 64, 0};
const struct xml_limits xml_limits_request = {256 * KIB, 20000, 64, XML_CDATA};
const struct xml_limits xml_limits_metadata = {128 * MIB, 8000000, 64, XML_COMMENTS | XML_BOM};

/* A PrefixList names the few prefixes that occur in values ("xs"). */
#define MAX_PREFIXES 16

/* Room for the start tag that stands for the context of a decrypted element. */
#define MAX_CONTEXT_BYTES (64 * KIB)

/* ---- before the parser ---- */

static struct bytes
skip(struct bytes b, size_t n)
{
	return (struct bytes){b.p + n, b.n - n};
}

static struct bytes
skip_space(struct bytes b)
{
	while (b.n > 0 && strchr(" \t\r\n", b.p[0]) != NULL)
		b = skip(b, 1);
	return b;
}

/* One ` name="value"` of the declaration; value in lower case must be one of the words. */
static bool
take_pseudo_attribute(struct bytes *b, const char *name, const char *const *words)
{
	struct bytes t = skip_space(*b);

	if (t.n == b->n || !bytes_start(t, name))
		return false;
	t = skip_space(skip(t, strlen(name)));
	if (!bytes_start(t, "="))
		return false;
	t = skip_space(skip(t, 1));
	if (t.n == 0 || (t.p[0] != '"' && t.p[0] != '\''))
		return false;
	char quote = (char)t.p[0];

	t = skip(t, 1);
	for (; *words != NULL; words++) {
		size_t n = strlen(*words);

		if (t.n > n && strncasecmp((const char *)t.p, *words, n) == 0 &&
		    (char)t.p[n] == quote) {
			*b = skip(t, n + 1);
			return true;
		}
	}
	return false;
}

/*
 * Step over the XML declaration, so that libxml2 sees none and nothing can make
 * it read the octets as anything but UTF-8.
 */
static bool
skip_declaration(struct bytes *text, struct err *err)
{
	static const char *const version[] = {"1.0", NULL};
	static const char *const encoding[] = {"utf-8", NULL};
	static const char *const standalone[] = {"yes", "no", NULL};
	struct bytes t = *text;

	if (!bytes_start(t, "<?xml")) {
		/* A byte order mark, for one, would be skipped in silence. */
		t = skip_space(t);
		if (t.n > 0 && t.p[0] != '<')
			return FAIL(err, ERR_INPUT, NULL, "XML begins with something else");
		return true;
	}
	t = skip(t, strlen("<?xml"));
	if (!take_pseudo_attribute(&t, "version", version))
		return FAIL(err, ERR_INPUT, NULL, "XML declaration of another version");
	(void)take_pseudo_attribute(&t, "encoding", encoding);
	(void)take_pseudo_attribute(&t, "standalone", standalone);
	t = skip_space(t);
	if (!bytes_start(t, "?>"))
		return FAIL(err, ERR_INPUT, NULL, "XML declaration is not one of UTF-8");
	*text = skip(t, strlen("?>"));
	return true;
}

/*
 * Attributes (declarations among them) of the start tag at t, up to one more
 * than max: libxml2 compares each with each before it tells anybody of them.
 */
static unsigned
count_attrs(struct bytes t, unsigned max)
{
	unsigned char quote = 0;
	unsigned n = 0;

	for (size_t i = 1; i < t.n && n <= max && t.p[i] != '<'; i++) {
		unsigned char c = t.p[i];

		if (quote != 0)
			quote = c == quote ? 0 : quote;
		else if (c == '>')
			break;
		else if (c == '"' || c == '\'') {
			quote = c;
			n++;
		}
	}
	return n;
}

/*
 * Markup that may not occur is looked for in the octets themselves: "<!" and
 * "<?" begin nothing else, and where they are mere text (in a comment or a CDATA
 * section) refusing them costs nobody anything.
 */
static bool
check_markup(struct bytes text, const struct xml_limits *limits, struct err *err)
{
	const unsigned char *end = text.p + text.n;

	for (const unsigned char *p = text.p; p < end; p++) {
		p = memchr(p, '<', (size_t)(end - p));
		if (p == NULL)
			break;
		struct bytes t = {p, (size_t)(end - p)};

		if (bytes_start(t, "<?"))
			return FAIL(err, ERR_INPUT, NULL, "processing instruction in XML");
		if (bytes_start(t, "<!--") && !(limits->flags & XML_COMMENTS))
			return FAIL(err, ERR_INPUT, NULL, "comment in XML");
		if (bytes_start(t, "<![CDATA[") && !(limits->flags & XML_CDATA))
			return FAIL(err, ERR_INPUT, NULL, "CDATA section in XML");
		if (bytes_start(t, "<!") && !bytes_start(t, "<!--") && !bytes_start(t, "<![CDATA["))
			return FAIL(err, ERR_INPUT, NULL, "DTD or other declaration in XML");
		if (count_attrs(t, limits->max_attrs) > limits->max_attrs)
			return FAIL(err, ERR_INPUT, NULL, "XML element has too many attributes");
	}
	return true;
}

static bool
check_octets(struct bytes text, const struct xml_limits *limits, struct err *err)
{
	if (text.n > limits->max_bytes)
		return FAIL(err, ERR_INPUT, NULL, "XML of %zu octets, at most %zu", text.n,
			    limits->max_bytes);
	if (text.n == 0)
		return FAIL(err, ERR_INPUT, NULL, "no XML at all");
	if (memchr(text.p, '\0', text.n) != NULL || !text_is_utf8(text))
		return FAIL(err, ERR_INPUT, NULL, "XML is not UTF-8");
	return check_markup(text, limits, err);
}

/* ---- while parsing ---- */

static void
ignore_remark(void *ctx UNUSED, const char *format UNUSED, ...)
{
}

/*
 * Before main: libxml2 takes it only before its first use, and what it makes then for good
 * must not be lacking because a request came when memory was short.
 */
static void __attribute__((constructor)) prepare(void)
{
	if (xmlMemSetup(free, memory_alloc, memory_realloc, memory_strdup) != 0) {
		fputs("kontor: libxml2 takes no allocator\n", stderr);
		abort();
	}
	xmlInitParser();
	/* What it prints by itself is not of the log's form, and told in err already. */
	xmlThrDefSetGenericErrorFunc(NULL, ignore_remark);
	xmlSetGenericErrorFunc(NULL, ignore_remark);
}

struct guard {
	const struct xml_limits *limits;
	size_t nodes;
	int max_depth;
	unsigned in_scope[XML_MAX_DEPTH + 2]; /* declarations, by the depth of the element */
	const char *fault;                    /* why we stopped; NULL: we did not */
	bool remarked;                        /* libxml2 had an error or a warning */
	char remark[120];
};

static void
on_remark(void *ctx, xmlError *e)
{
	struct guard *g = ((xmlParserCtxt *)ctx)->_private;

	if (g->remarked)
		return;
	g->remarked = true;
	snprintf(g->remark, sizeof(g->remark), "%s", e->message == NULL ? "" : e->message);
	g->remark[strcspn(g->remark, "\n")] = '\0';
}

/*
 * A relative namespace name has no canonical form (XML-C14N 1.3), which libxml2
 * remarks on for default namespaces only.  One with an ampersand it neither
 * decodes nor escapes.  A long one would be repeated by canonicalization at
 * each element that uses it.
 */
static const char *
ns_fault(const char *uri)
{
	if (uri == NULL || uri[0] == '\0') /* second line: libxml2 says "" */
		return NULL;
	if (strlen(uri) > XML_MAX_NS_BYTES)
		return "XML namespace name is too long";
	if (strchr(uri, '&') != NULL)
		return "XML namespace name holds an ampersand";
	size_t letters = strspn(uri, LETTERS);

	if (letters == 0 || uri[letters + strspn(uri + letters, LETTERS "0123456789+-.")] != ':')
		return "XML namespace name is relative";
	return NULL;
}

static const char *
start_fault(const xmlParserCtxt *p, struct guard *g, int n_ns, const xmlChar **ns, int n_attr)
{
	g->nodes += 1 + (size_t)n_ns + (size_t)n_attr;
	if (p->nodeNr >= g->max_depth)
		return "XML is nested too deeply";
	if (g->nodes > g->limits->max_nodes)
		return "XML has too many elements";
	g->in_scope[p->nodeNr + 1] = g->in_scope[p->nodeNr] + (unsigned)n_ns;
	if (g->in_scope[p->nodeNr + 1] > XML_MAX_NS_IN_SCOPE)
		return "XML has too many namespace declarations in scope";
	for (int i = 0; i < n_ns; i++) {
		const char *fault = ns_fault((const char *)ns[2 * i + 1]);

		if (fault != NULL)
			return fault;
	}
	return NULL;
}

static void
on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_ns,
	 const xmlChar **ns, int n_attr, int n_defaulted, const xmlChar **attr)
{
	xmlParserCtxt *p = ctx;
	struct guard *g = p->_private;

	g->fault = start_fault(p, g, n_ns, ns, n_attr);
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

/*
 * What libxml2 keeps for a thread it makes at the thread's first call, and finding no memory
 * for it, it calls itself until the stack is used up.  So there has to be: what is given back
 * here is what the same thread gets next.
 */
static bool
thread_is_known(void)
{
	static _Thread_local bool known;
	/* second line: asked again, it has what it needs (tests/fail has it fail) */
	void *room = known ? NULL : memory_alloc(sizeof(xmlGlobalState));

	/* second line: only want of memory differs, and tests/fail sees to that */
	if (room != NULL) {
		free(room);
		(void)xmlGetLastError();
		known = true;
	}
	return known; /* second line: as above */
}

static void
parse_guarded(struct bytes text, struct guard *g, struct xml_doc *doc, bool *clean)
{
	/* No arena allocation in here: its exit would pass over libxml2's frames. */
	xmlParserCtxt *p = thread_is_known() ? xmlNewParserCtxt() : NULL;

	*clean = false;
	if (p == NULL)
		return;
	p->_private = g;
	p->sax->startElementNs = on_start;
	p->sax->serror = on_remark;
	doc->dom = xmlCtxtReadMemory(p, (const char *)text.p, (int)text.n, NULL, NULL,
				     XML_PARSE_NONET);
	/* second line: libxml2 says of one fault in several of these ways */
	*clean = doc->dom != NULL && p->wellFormed && p->nsWellFormed && p->errNo == XML_ERR_OK &&
		 !g->remarked && g->fault == NULL;
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
parse(struct arena *a, struct bytes text, struct guard *g, struct xml_doc **out, struct err *err)
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
	struct guard g = {.limits = limits, .max_depth = XML_MAX_DEPTH};
	struct xml_doc *doc;

	if ((limits->flags & XML_BOM) && bytes_start(text, "\xef\xbb\xbf"))
		text = skip(text, 3);
	if (!skip_declaration(&text, err) || !check_octets(text, limits, err) ||
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
	struct guard g = {.limits = limits, .max_depth = XML_MAX_DEPTH + 1};
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

static bool
split_prefixes(struct arena *a, const char *list, xmlChar **prefixes, struct err *err)
{
	char *p = arena_strdup(a, list);
	size_t n = 0;

	while (*(p += strspn(p, " \t\r\n")) != '\0') {
		if (n == MAX_PREFIXES)
			return FAIL(err, ERR_INPUT, NULL, "PrefixList of more than %d prefixes",
				    MAX_PREFIXES);
		prefixes[n++] = (xmlChar *)p;
		p += strcspn(p, " \t\r\n");
		if (*p != '\0')
			*p++ = '\0';
	}
	return true;
}

bool
xml_c14n(struct arena *a, const struct xml_node *n, const struct xml_node *skip_node,
	 const char *prefix_list, size_t min_bytes, struct bytes *out, struct err *err)
{
	struct subset subset = {dom_of(n), dom_of(skip_node)};
	xmlChar *prefixes[MAX_PREFIXES + 1] = {NULL};
	xmlOutputBuffer **o = ARENA_NEW(a, xmlOutputBuffer *);

	if (prefix_list != NULL && !split_prefixes(a, prefix_list, prefixes, err))
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
