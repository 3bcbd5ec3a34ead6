/* XML in pieces; see xml_push.h. */
#include "saml/xml_push.h"

#include <string.h>

#include "saml/xml_guard.h"

/* What libxml2 is given at once; the declaration has to be in the first such piece. */
#define PIECE_BYTES ((size_t)8192)

/* Names that libxml2 keeps for the length of a document; a federation's are a few hundred. */
#define NAMES_BYTES ((size_t)1024 * 1024)

struct xml_push {
	xmlParserCtxt *p;
	struct xml_guard guard;
	struct xml_scan scan;
	const struct xml_push_handler *handler;
	void *ctx;
	unsigned depth;
	size_t n, total; /* octets in `piece`; given in all */
	bool begun;
	unsigned char piece[PIECE_BYTES];
};

bool
xml_push_is(const struct xml_push_tag *tag, const char *ns, const char *name)
{
	return strcmp(tag->name, name) == 0 && strcmp(tag->ns, ns) == 0;
}

const struct xml_push_attr *
xml_push_attr(const struct xml_push_tag *tag, const char *name)
{
	for (size_t i = 0; i < tag->n_attrs; i++)
		if (tag->attrs[i].prefix == NULL && strcmp(tag->attrs[i].name, name) == 0)
			return &tag->attrs[i];
	return NULL;
}

/* ---- inside libxml2 ---- */

static void
stop(struct xml_push *x, const char *fault)
{
	if (fault == NULL || x->guard.fault != NULL)
		return;
	x->guard.fault = fault;
	xmlStopParser(x->p);
}

static const char *
text_of(const xmlChar *s)
{
	return s == NULL ? "" : (const char *)s;
}

static void
on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_ns,
	 const xmlChar **ns, int n_attr, int n_defaulted UNUSED, const xmlChar **attr)
{
	struct xml_push *x = ((xmlParserCtxt *)ctx)->_private;
	struct xml_decl decls[XML_MAX_TAG];
	struct xml_push_attr attrs[XML_MAX_TAG];
	struct xml_push_tag tag = {.prefix = (const char *)prefix,
				   .name = (const char *)name,
				   .ns = text_of(uri),
				   .depth = x->depth + 1,
				   .decls = decls,
				   .attrs = attrs};

	stop(x, xml_guard_start(&x->guard, x->depth, n_ns, ns, n_attr));
	if (x->guard.fault != NULL)
		return;
	/* second line: the octets have been counted */
	if (n_ns > XML_MAX_TAG || n_attr > XML_MAX_TAG) {
		stop(x, "XML element has too many attributes");
		return;
	}
	for (; tag.n_decls < (size_t)n_ns; tag.n_decls++, ns += 2)
		decls[tag.n_decls] = (struct xml_decl){(const char *)ns[0], text_of(ns[1])};
	for (; tag.n_attrs < (size_t)n_attr; tag.n_attrs++, attr += 5)
		attrs[tag.n_attrs] = (struct xml_push_attr){(const char *)attr[1],
							    (const char *)attr[0],
							    text_of(attr[2]),
							    {attr[3], (size_t)(attr[4] - attr[3])}};
	x->depth++;
	stop(x, x->handler->start(x->ctx, &tag));
}

static void
on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri UNUSED)
{
	struct xml_push *x = ((xmlParserCtxt *)ctx)->_private;

	if (x->guard.fault == NULL)
		stop(x,
		     x->handler->end(x->ctx, (const char *)prefix, (const char *)name, x->depth));
	x->depth--;
}

static void
on_text(void *ctx, const xmlChar *text, int n)
{
	struct xml_push *x = ((xmlParserCtxt *)ctx)->_private;

	if (x->guard.fault == NULL)
		stop(x, x->handler->text(x->ctx, (struct bytes){text, (size_t)n}));
}

static void
on_remark(void *ctx, xmlError *e)
{
	xml_guard_remark(&((struct xml_push *)((xmlParserCtxt *)ctx)->_private)->guard, e);
}

/* ---- outside ---- */

static void
free_parser(void *p)
{
	xmlParserCtxt **slot = p;

	if (*slot != NULL)
		xmlFreeParserCtxt(*slot);
}

/* White space is text like any other: it has been digested. */
static xmlSAXHandler handlers = {
	.startElementNs = on_start,
	.endElementNs = on_end,
	.characters = on_text,
	.ignorableWhitespace = on_text,
	.cdataBlock = on_text,
	.serror = on_remark,
	.initialized = XML_SAX2_MAGIC,
};

struct xml_push *
xml_push_begin(struct arena *a, const struct xml_limits *limits,
	       const struct xml_push_handler *handler, void *ctx)
{
	struct xml_push *x = ARENA_NEW(a, struct xml_push);
	xmlParserCtxt **slot = ARENA_NEW(a, xmlParserCtxt *);

	arena_defer(a, free_parser, slot);
	if (xml_guard_thread())
		*slot = xmlCreatePushParserCtxt(&handlers, NULL, NULL, 0, NULL);
	if (*slot == NULL)
		arena_leave(a);
	x->p = *slot;
	x->p->_private = x;
	/* References in attributes are resolved at once; there are none but XML's own. */
	(void)xmlCtxtUseOptions(x->p, XML_PARSE_NONET | XML_PARSE_NOENT);
	x->guard = (struct xml_guard){.limits = limits, .max_depth = XML_MAX_DEPTH};
	x->handler = handler;
	x->ctx = ctx;
	return x;
}

/* As much of the text as ends with a whole character; an octet that begins none is whole. */
static size_t
whole_characters(struct bytes text)
{
	for (size_t back = 1; back <= 3 && back <= text.n; back++) {
		unsigned char c = text.p[text.n - back];

		if ((c & 0xc0) == 0x80)
			continue;
		size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;

		return length > back ? text.n - back : text.n;
	}
	return text.n;
}

static bool
refuse(const struct xml_push *x, struct err *err)
{
	return FAIL(err, ERR_INPUT, NULL, "XML refused: %s",
		    x->guard.fault != NULL ? x->guard.fault : x->guard.remark);
}

/* What has been collected goes to libxml2; an octet or three that begin a character stay. */
static bool
flush(struct xml_push *x, bool last, struct err *err)
{
	struct bytes text = {x->piece, x->n}, rest;

	if (!x->begun && !xml_skip_declaration(&text, x->guard.limits, err))
		return false;
	x->begun = true;
	rest = (struct bytes){text.p, last ? text.n : whole_characters(text)};
	if (!xml_scan_octets(&x->scan, rest, x->guard.limits, err))
		return false;
	(void)xmlParseChunk(x->p, (const char *)rest.p, (int)rest.n, last);
	if (xmlDictGetUsage(x->p->dict) > NAMES_BYTES)
		stop(x, "XML has too many names");
	if (!xml_guard_is_clean(&x->guard, x->p))
		return refuse(x, err);
	x->n = text.n - rest.n;
	memmove(x->piece, rest.p + rest.n, x->n);
	return true;
}

bool
xml_push_add(struct xml_push *x, struct bytes piece, struct err *err)
{
	x->total += piece.n;
	if (x->total > x->guard.limits->max_bytes)
		return FAIL(err, ERR_INPUT, NULL, "XML of more than %zu octets",
			    x->guard.limits->max_bytes);
	while (piece.n > 0) {
		size_t room = PIECE_BYTES - x->n, n = piece.n < room ? piece.n : room;

		memcpy(x->piece + x->n, piece.p, n);
		x->n += n;
		piece = (struct bytes){piece.p + n, piece.n - n};
		if (x->n == PIECE_BYTES && !flush(x, false, err))
			return false;
	}
	return true;
}

bool
xml_push_end(struct xml_push *x, struct err *err)
{
	if (x->total == 0)
		return FAIL(err, ERR_INPUT, NULL, "no XML at all");
	return flush(x, true, err);
}
