/* Writing XML in canonical form; see xmlw.h. */
#include "saml/xmlw.h"

#include <string.h>

#include "base/enc.h"
#include "base/text.h"
#include "saml/names.h"

const struct xmlns xmlns_saml = {"saml", SAML_NS_ASSERTION};
const struct xmlns xmlns_samlp = {"samlp", SAML_NS_PROTOCOL};
const struct xmlns xmlns_md = {"md", SAML_NS_METADATA};
const struct xmlns xmlns_ds = {"ds", SAML_NS_DS};
const struct xmlns xmlns_xenc = {"xenc", SAML_NS_XENC};
const struct xmlns xmlns_xenc11 = {"xenc11", SAML_NS_XENC11};
const struct xmlns xmlns_dsig11 = {"dsig11", SAML_NS_DSIG11};
const struct xmlns xmlns_xs = {"xs", SAML_NS_XS};
const struct xmlns xmlns_xsi = {"xsi", SAML_NS_XSI};
const struct xmlns xmlns_xml = {"xml", SAML_NS_XML};

void
xmlw_init(struct xmlw *w, struct arena *a, size_t max_bytes)
{
	*w = (struct xmlw){0};
	buf_init(&w->buf, a, max_bytes);
}

static void
fault(struct xmlw *w, const char *what)
{
	if (w->fault == NULL)
		w->fault = what;
}

/* Every character is one that XML 1.0 2.2 has. */
static bool
is_xml_text(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t left = strlen(s), n;
	uint32_t c;

	for (; left > 0; p += n, left -= n) {
		n = 1;
		if (*p >= 0x20 && *p < 0x80) /* second line: but quicker than what follows */
			continue;
		n = text_utf8_next(p, left, &c);
		if (n == 0 || c == 0xfffe || c == 0xffff)
			return false;
		if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
			return false;
	}
	return true;
}

static bool
in_scope(const struct xmlw *w, const struct xmlns *ns)
{
	for (unsigned i = 0; i < w->n_scope; i++)
		if (strcmp(w->scope[i]->prefix, ns->prefix) == 0)
			return true;
	return false;
}

static void
write_name(struct xmlw *w, const struct xmlns *ns, const char *name)
{
	if (ns != NULL) {
		buf_str(&w->buf, ns->prefix);
		buf_char(&w->buf, ':');
	}
	buf_str(&w->buf, name);
}

/* Put ns into its place among the new declarations, unless somebody above wrote it. */
static void
bring_into_scope(struct xmlw *w, const struct xmlns *ns)
{
	unsigned first = w->open[w->depth - 1].n_scope, at = w->n_scope;

	if (ns == NULL || in_scope(w, ns) || strcmp(ns->prefix, xmlns_xml.prefix) == 0)
		return;
	if (w->n_scope == ARRAY_LEN(w->scope)) {
		fault(w, "too many prefixes");
		return;
	}
	for (; at > first && strcmp(w->scope[at - 1]->prefix, ns->prefix) > 0; at--)
		w->scope[at] = w->scope[at - 1];
	w->scope[at] = ns;
	w->n_scope++;
}

/* Namespace name, then local name: RFC 3741 3, XML-C14N 2.2. */
static int
compare_attrs(const struct xmlw_attr *x, const struct xmlw_attr *y)
{
	int c = strcmp(x->ns != NULL ? x->ns->uri : "", y->ns != NULL ? y->ns->uri : "");

	return c != 0 ? c : strcmp(x->name, y->name);
}

static void
end_tag_start(struct xmlw *w)
{
	if (!w->in_tag)
		return;
	unsigned top = w->depth - 1;

	w->in_tag = false;
	bring_into_scope(w, w->open[top].ns);
	for (unsigned i = 0; i < w->n_attr; i++)
		bring_into_scope(w, w->attr[i].ns);
	for (unsigned i = 0; i < w->n_declare; i++)
		bring_into_scope(w, w->declare[i]);
	buf_char(&w->buf, '<');
	write_name(w, w->open[top].ns, w->open[top].name);
	for (unsigned i = w->open[top].n_scope; i < w->n_scope; i++) {
		buf_printf(&w->buf, " xmlns:%s=\"", w->scope[i]->prefix);
		enc_xml_attr(&w->buf, w->scope[i]->uri);
		buf_char(&w->buf, '"');
	}
	for (unsigned i = 0; i < w->n_attr; i++) {
		buf_char(&w->buf, ' ');
		write_name(w, w->attr[i].ns, w->attr[i].name);
		buf_str(&w->buf, "=\"");
		enc_xml_attr(&w->buf, w->attr[i].value);
		buf_char(&w->buf, '"');
	}
	buf_char(&w->buf, '>');
	w->n_attr = w->n_declare = 0;
}

void
xmlw_open(struct xmlw *w, const struct xmlns *ns, const char *name)
{
	end_tag_start(w);
	if (w->depth == 0 && w->buf.n > 0)
		fault(w, "second root");
	if (w->depth == XMLW_MAX_DEPTH) {
		fault(w, "nested too deeply");
		return;
	}
	w->open[w->depth].ns = ns;
	w->open[w->depth].name = name;
	w->open[w->depth].n_scope = w->n_scope;
	w->depth++;
	w->in_tag = true;
}

void
xmlw_attr(struct xmlw *w, const struct xmlns *ns, const char *name, const char *value)
{
	struct xmlw_attr new = {ns, name, value};
	unsigned at = w->n_attr;

	if (value == NULL)
		return;
	if (!w->in_tag || w->n_attr == XMLW_MAX_ATTRS) {
		fault(w, "attribute without a start tag, or one too many");
		return;
	}
	if (!is_xml_text(value))
		fault(w, "attribute value is not XML text");
	for (; at > 0 && compare_attrs(&w->attr[at - 1], &new) > 0; at--)
		w->attr[at] = w->attr[at - 1];
	if (at > 0 && compare_attrs(&w->attr[at - 1], &new) == 0)
		fault(w, "attribute twice");
	w->attr[at] = new;
	w->n_attr++;
}

void
xmlw_declare(struct xmlw *w, const struct xmlns *ns)
{
	if (!w->in_tag || w->n_declare == XMLW_MAX_ATTRS)
		fault(w, "declaration without a start tag, or one too many");
	else
		w->declare[w->n_declare++] = ns;
}

void
xmlw_text(struct xmlw *w, const char *text)
{
	end_tag_start(w);
	if (w->depth == 0)
		fault(w, "text outside the root");
	if (!is_xml_text(text))
		fault(w, "text is not XML text");
	enc_xml_text(&w->buf, text);
}

void
xmlw_base64(struct xmlw *w, struct bytes octets)
{
	xmlw_text(w, enc_base64(w->buf.a, octets));
}

void
xmlw_close(struct xmlw *w)
{
	end_tag_start(w);
	if (w->depth == 0) {
		fault(w, "closed more than was open");
		return;
	}
	w->depth--;
	buf_str(&w->buf, "</");
	write_name(w, w->open[w->depth].ns, w->open[w->depth].name);
	buf_char(&w->buf, '>');
	w->n_scope = w->open[w->depth].n_scope;
}

void
xmlw_element(struct xmlw *w, const struct xmlns *ns, const char *name, const char *text)
{
	xmlw_open(w, ns, name);
	if (text != NULL)
		xmlw_text(w, text);
	xmlw_close(w);
}

/* What stands before and behind the declaration that follows the root's name. */
static bool
cut_declaration(struct arena *a, const struct xmlns *ns, struct bytes element, struct bytes *before,
		struct bytes *after)
{
	struct bytes declared = bytes_of(arena_printf(a, " xmlns:%s=\"%s\"", ns->prefix, ns->uri));
	const unsigned char *space = memchr(element.p, ' ', element.n);

	if (space == NULL)
		return false;
	*before = (struct bytes){element.p, (size_t)(space - element.p)};
	*after = (struct bytes){space, element.n - before->n};
	if (!bytes_start(*after, (const char *)declared.p))
		return false;
	after->p += declared.n;
	after->n -= declared.n;
	return true;
}

void
xmlw_canonical(struct xmlw *w, const struct xmlns *ns, struct bytes element)
{
	struct bytes before, after;

	end_tag_start(w);
	if (!in_scope(w, ns)) {
		buf_add(&w->buf, element);
	} else if (cut_declaration(w->buf.a, ns, element, &before, &after)) {
		buf_add(&w->buf, before);
		buf_add(&w->buf, after);
	} else {
		fault(w, "finished element does not declare its prefix first");
	}
}

size_t
xmlw_place(struct xmlw *w)
{
	end_tag_start(w);
	return w->buf.n;
}

bool
xmlw_finish(struct xmlw *w, struct bytes *out, struct err *err)
{
	if (w->fault != NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "XML cannot be written: %s", w->fault);
	if (w->depth != 0 || w->buf.n == 0)
		return FAIL(err, ERR_INTERNAL, NULL, "XML is not finished");
	return buf_finish(&w->buf, out, err);
}
