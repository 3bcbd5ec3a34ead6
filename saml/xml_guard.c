/* What XML may not hold; see xml_guard.h. */
#include "saml/xml_guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libxml/globals.h>

#include "base/memory.h"
#include "base/text.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* ---- libxml2 itself ---- */

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

/*
 * What libxml2 keeps for a thread it makes at the thread's first call, and finding no memory
 * for it, it calls itself until the stack is used up.  So there has to be: what is given back
 * here is what the same thread gets next.
 */
bool
xml_guard_thread(void)
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

/* ---- octets ---- */

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

bool
xml_skip_declaration(struct bytes *text, const struct xml_limits *limits, struct err *err)
{
	static const char *const version[] = {"1.0", NULL};
	static const char *const encoding[] = {"utf-8", NULL};
	static const char *const standalone[] = {"yes", "no", NULL};
	struct bytes t = *text;

	if ((limits->flags & XML_BOM) && bytes_start(t, "\xef\xbb\xbf"))
		t = *text = skip(t, 3);
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
 * Markup that may not occur is looked for in the octets themselves: "<!" and
 * "<?" begin nothing else, and where they are mere text (in a comment or a CDATA
 * section) refusing them costs nobody anything.
 */
static const char *
head_fault(struct xml_scan *s, unsigned char c, unsigned flags)
{
	static const char comment[] = "!--", cdata[] = "![CDATA[";

	if (s->n_head == 0) {
		if (c == '?')
			return "processing instruction in XML";
		s->may_comment = s->may_cdata = s->heading = c == '!';
	}
	if (!s->heading)
		return NULL;
	s->may_comment = s->may_comment && c == (unsigned char)comment[s->n_head];
	s->may_cdata = s->may_cdata && c == (unsigned char)cdata[s->n_head];
	s->n_head++;
	if (!s->may_comment && !s->may_cdata)
		return "DTD or other declaration in XML";
	if (s->may_comment && s->n_head == sizeof(comment) - 1) {
		s->heading = false;
		return flags & XML_COMMENTS ? NULL : "comment in XML";
	}
	if (s->may_cdata && s->n_head == sizeof(cdata) - 1) {
		s->heading = false;
		return flags & XML_CDATA ? NULL : "CDATA section in XML";
	}
	return NULL;
}

/*
 * Attributes (declarations among them) of each start tag are counted: libxml2
 * compares each with each before it tells anybody of them.
 */
static const char *
tag_fault(struct xml_scan *s, unsigned char c, const struct xml_limits *limits)
{
	const char *fault = s->heading ? head_fault(s, c, limits->flags) : NULL;

	if (fault != NULL)
		return fault;
	if (s->quote != 0)
		s->quote = c == s->quote ? 0 : s->quote;
	else if (c == '>')
		s->in_tag = false;
	else if (c == '"' || c == '\'') {
		s->quote = c;
		if (++s->n_attrs > limits->max_attrs)
			return "XML element has too many attributes";
	}
	return NULL;
}

/* Where the value of an attribute ends, or (which is a fault) a tag begins in it. */
static const unsigned char *
value_end(const unsigned char *p, const unsigned char *end, unsigned char quote)
{
	const unsigned char *q = memchr(p, quote, (size_t)(end - p));
	size_t n = (size_t)((q == NULL ? end : q) - p);
	const unsigned char *tag = memchr(p, '<', n);

	return tag != NULL ? tag : p + n;
}

bool
xml_scan_octets(struct xml_scan *s, struct bytes piece, const struct xml_limits *limits,
		struct err *err)
{
	const unsigned char *end = piece.p + piece.n;

	if (memchr(piece.p, '\0', piece.n) != NULL || !text_is_utf8(piece))
		return FAIL(err, ERR_INPUT, NULL, "XML is not UTF-8");
	for (const unsigned char *p = piece.p; p < end; p++) {
		const char *fault;

		if (!s->in_tag) {
			p = memchr(p, '<', (size_t)(end - p));
			if (p == NULL)
				break;
		} else if (s->quote != 0 && !s->heading) {
			p = value_end(p, end, s->quote);
			if (p == end)
				break;
		}
		if (*p == '<') {
			*s = (struct xml_scan){.in_tag = true, .heading = true};
			continue;
		}
		fault = tag_fault(s, *p, limits);
		if (fault != NULL)
			return FAIL(err, ERR_INPUT, NULL, "%s", fault);
	}
	return true;
}

/* ---- elements ---- */

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

const char *
xml_guard_start(struct xml_guard *g, unsigned depth, int n_ns, const xmlChar **ns, int n_attr)
{
	g->nodes += 1 + (size_t)n_ns + (size_t)n_attr;
	if (depth >= g->max_depth)
		return "XML is nested too deeply";
	if (g->nodes > g->limits->max_nodes)
		return "XML has too many elements";
	g->in_scope[depth + 1] = g->in_scope[depth] + (unsigned)n_ns;
	if (g->in_scope[depth + 1] > XML_MAX_NS_IN_SCOPE)
		return "XML has too many namespace declarations in scope";
	for (int i = 0; i < n_ns; i++) {
		const char *fault = ns_fault((const char *)ns[2 * i + 1]);

		if (fault != NULL)
			return fault;
	}
	return NULL;
}

void
xml_guard_remark(struct xml_guard *g, const xmlError *e)
{
	if (g->remarked)
		return;
	g->remarked = true;
	snprintf(g->remark, sizeof(g->remark), "%s", e->message == NULL ? "" : e->message);
	g->remark[strcspn(g->remark, "\n")] = '\0';
}

bool
xml_guard_is_clean(const struct xml_guard *g, const xmlParserCtxt *p)
{
	/* second line: libxml2 says of one fault in several of these ways */
	return p->wellFormed && p->nsWellFormed && p->errNo == XML_ERR_OK && !g->remarked &&
	       g->fault == NULL;
}

bool
xml_prefixes(struct arena *a, const char *list, xmlChar *prefixes[XML_MAX_PREFIXES + 1],
	     struct err *err)
{
	char *p = arena_strdup(a, list);
	size_t n = 0;

	while (*(p += strspn(p, " \t\r\n")) != '\0') {
		if (n == XML_MAX_PREFIXES)
			return FAIL(err, ERR_INPUT, NULL, "PrefixList of more than %d prefixes",
				    XML_MAX_PREFIXES);
		prefixes[n++] = (xmlChar *)p;
		p += strcspn(p, " \t\r\n");
		if (*p != '\0')
			*p++ = '\0';
	}
	prefixes[n] = NULL;
	return true;
}
