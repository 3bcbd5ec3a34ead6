/* XML from events; see canon.h. */
#include "saml/canon.h"

#include <string.h>

#include "saml/xml_guard.h"

/* ---- octets ---- */

static void
put(struct xml_out *o, const void *p, size_t n)
{
	const unsigned char *from = p;

	if (o->also != NULL)
		put(o->also, p, n);
	if (n > 0 && n <= o->cap - o->n) {
		memcpy(o->p + o->n, p, n);
		o->n += n;
		return;
	}
	while (n > 0 && !o->over) {
		size_t room = o->cap - o->n, part = n < room ? n : room;

		memcpy(o->p + o->n, from, part);
		o->n += part;
		from += part;
		n -= part;
		if (n == 0)
			break;
		if (o->full == NULL) {
			o->over = true;
			break;
		}
		o->full(o->ctx, (struct bytes){o->p, o->n});
		o->n = 0;
	}
}

void
xml_out_put(struct xml_out *o, struct bytes b)
{
	put(o, b.p, b.n);
}

static void
put_str(struct xml_out *o, const char *s)
{
	put(o, s, strlen(s));
}

/* A name as it stands in a tag. */
static void
put_name(struct xml_out *o, const char *prefix, const char *name)
{
	if (prefix != NULL) {
		put_str(o, prefix);
		put_str(o, ":");
	}
	put_str(o, name);
}

static void
put_escaped(struct xml_out *o, struct bytes text, const char *const table[256])
{
	size_t from = 0;

	for (size_t i = 0; i < text.n; i++) {
		const char *as = table[text.p[i]];

		if (as == NULL)
			continue;
		put(o, text.p + from, i - from);
		put_str(o, as);
		from = i + 1;
	}
	put(o, text.p + from, text.n - from);
}

/* XML-C14N 2.3 */
static void
put_value(struct xml_out *o, struct bytes value)
{
	static const char *const table[256] = {
		['&'] = "&amp;",  ['<'] = "&lt;",   ['"'] = "&quot;",
		['\t'] = "&#x9;", ['\n'] = "&#xA;", ['\r'] = "&#xD;"};

	put_str(o, "=\"");
	put_escaped(o, value, table);
	put_str(o, "\"");
}

static void
put_text(struct xml_out *o, struct bytes text)
{
	static const char *const table[256] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['\r'] = "&#xD;"};

	put_escaped(o, text, table);
}

static void
put_decl(struct xml_out *o, const struct xml_decl *d)
{
	put_str(o, d->prefix == NULL ? " xmlns" : " xmlns:");
	if (d->prefix != NULL)
		put_str(o, d->prefix);
	put_value(o, bytes_of(d->uri));
}

static void
put_attr(struct xml_out *o, const struct xml_push_attr *attr)
{
	put_str(o, " ");
	put_name(o, attr->prefix, attr->name);
	put_value(o, attr->value);
}

static void
put_end(struct xml_out *o, const char *prefix, const char *name)
{
	put_str(o, "</");
	put_name(o, prefix, name);
	put_str(o, ">");
}

/* ---- scope ---- */

static bool
same_prefix(const char *x, const char *y)
{
	return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
}

/* What a prefix stands for among these declarations, the last one of it; NULL: nothing. */
static const char *
find_last(const struct xml_decl *decls, size_t n, const char *prefix)
{
	while (n-- > 0)
		if (same_prefix(decls[n].prefix, prefix))
			return decls[n].uri;
	return NULL;
}

const char *
xml_scope_enter(struct xml_scope *s, const struct xml_push_tag *tag)
{
	/* second line: the parser counts what is in scope, and how deep it is */
	if (tag->n_decls > XML_MAX_NS_IN_SCOPE - s->n || tag->depth > XML_MAX_DEPTH)
		return "XML has too many namespace declarations in scope";
	if (tag->n_decls > 0)
		memcpy(s->decls + s->n, tag->decls, tag->n_decls * sizeof(*tag->decls));
	s->n += tag->n_decls;
	s->depth = tag->depth;
	s->declared[s->depth] = (unsigned char)tag->n_decls;
	return NULL;
}

void
xml_scope_leave(struct xml_scope *s)
{
	s->n -= s->declared[s->depth];
	s->depth--;
}

/* ---- canonical ---- */

/* The declarations that a start tag gets, in their order. */
struct needed {
	struct xml_decl d[XML_MAX_TAG + XML_MAX_PREFIXES + 1 + XML_MAX_NS_IN_SCOPE];
	size_t n;
};

static int
compare_prefixes(const char *x, const char *y)
{
	if (x == NULL || y == NULL)
		return (x != NULL) - (y != NULL);
	return strcmp(x, y);
}

/*
 * RFC 3741 3: a declaration is written where it is used and the nearest element around it
 * that had it written said something else.  The default one is undone only where one was written.
 */
static void
need(const struct canon *c, struct needed *needed, const char *prefix)
{
	const char *uri = find_last(c->scope->decls, c->scope->n, prefix);
	const char *was = find_last(c->rendered, c->n, prefix);
	size_t i = needed->n;

	if (prefix != NULL && strcmp(prefix, "xml") == 0)
		return;
	if (uri == NULL)
		uri = "";
	if (strcmp(uri, was == NULL ? "" : was) == 0)
		return;
	for (size_t k = 0; k < needed->n; k++)
		if (same_prefix(needed->d[k].prefix, prefix))
			return;
	for (; i > 0 && compare_prefixes(needed->d[i - 1].prefix, prefix) > 0; i--)
		needed->d[i] = needed->d[i - 1];
	needed->d[i] = (struct xml_decl){prefix, uri};
	needed->n++;
}

static int
compare_attrs(const struct xml_push_attr *x, const struct xml_push_attr *y)
{
	int c = strcmp(x->ns, y->ns);

	return c != 0 ? c : strcmp(x->name, y->name);
}

/* By name of namespace, then by name (XML-C14N 2.2). */
static void
put_sorted(struct xml_out *o, const struct xml_push_tag *tag)
{
	const struct xml_push_attr *order[XML_MAX_TAG];

	for (size_t n = 0; n < tag->n_attrs; n++) {
		size_t i = n;

		for (; i > 0 && compare_attrs(order[i - 1], &tag->attrs[n]) > 0; i--)
			order[i] = order[i - 1];
		order[i] = &tag->attrs[n];
	}
	for (size_t i = 0; i < tag->n_attrs; i++)
		put_attr(o, order[i]);
}

void
canon_apart(struct canon *c, const struct canon *around)
{
	/* No name of a namespace: XML has no such character. */
	static const struct xml_decl another = {NULL, "\x01"};
	const char *uri = find_last(around->rendered, around->n, NULL);

	c->n = 0;
	if (uri != NULL && uri[0] != '\0')
		c->rendered[c->n++] = another;
}

/* It stands for that here, whatever it stands for around. */
static bool
is_always(const struct canon *c, const char *prefix)
{
	const char *uri = find_last(c->scope->decls, c->scope->n, prefix);

	return uri != NULL && strcmp(uri, c->always) == 0;
}

static const char *
find_needed(const struct canon *c, const struct xml_push_tag *tag, struct needed *out)
{
	out->n = 0;
	need(c, out, tag->prefix);
	for (size_t i = 0; i < tag->n_attrs; i++)
		if (tag->attrs[i].prefix != NULL)
			need(c, out, tag->attrs[i].prefix);
	for (const char *const *p = c->prefixes; p != NULL && *p != NULL; p++) {
		const char *prefix = strcmp(*p, "#default") == 0 ? NULL : *p;

		if (prefix == NULL || find_last(c->scope->decls, c->scope->n, prefix) != NULL)
			need(c, out, prefix);
	}
	for (size_t i = 0; c->always != NULL && i < c->scope->n; i++)
		if (strcmp(c->scope->decls[i].uri, c->always) == 0 &&
		    is_always(c, c->scope->decls[i].prefix))
			need(c, out, c->scope->decls[i].prefix);
	return c->n + out->n > CANON_RENDERED_MOST ? "XML changes its namespaces too often" : NULL;
}

/* They are written by this tag. */
static void
note_rendered(struct canon *c, const struct xml_push_tag *tag, const struct needed *needed)
{
	c->at[tag->depth] = (unsigned short)c->n;
	for (size_t i = 0; i < needed->n; i++)
		c->rendered[c->n++] = needed->d[i];
}

static void
put_start(struct xml_out *o, const struct xml_push_tag *tag, const struct needed *needed)
{
	put(o, "<", 1);
	put_name(o, tag->prefix, tag->name);
	for (size_t i = 0; i < needed->n; i++)
		put_decl(o, &needed->d[i]);
	put_sorted(o, tag);
	put(o, ">", 1);
}

const char *
canon_start(struct canon *c, const struct xml_push_tag *tag)
{
	struct needed needed; /* large: its room is not cleared for each tag */
	const char *fault = find_needed(c, tag, &needed);

	if (fault != NULL)
		return fault;
	note_rendered(c, tag, &needed);
	put_start(c->out, tag, &needed);
	return NULL;
}

static bool
is_same(const struct needed *x, const struct needed *y)
{
	if (x->n != y->n)
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (!same_prefix(x->d[i].prefix, y->d[i].prefix) ||
		    strcmp(x->d[i].uri, y->d[i].uri) != 0)
			return false;
	return true;
}

const char *
canon_start_both(struct canon *c, struct canon *d, const struct xml_push_tag *tag)
{
	struct needed needed, of_d;
	const char *fault = find_needed(c, tag, &needed);
	struct xml_out *also = c->out->also;

	if (fault == NULL)
		fault = find_needed(d, tag, &of_d);
	if (fault != NULL)
		return fault;
	note_rendered(c, tag, &needed);
	note_rendered(d, tag, &of_d);
	if (is_same(&needed, &of_d)) {
		c->out->also = d->out;
		put_start(c->out, tag, &needed);
		c->out->also = also;
		return NULL;
	}
	put_start(c->out, tag, &needed);
	put_start(d->out, tag, &of_d);
	return NULL;
}

void
canon_end(struct canon *c, const char *prefix, const char *name, unsigned depth)
{
	c->n = c->at[depth];
	put_end(c->out, prefix, name);
}

void
canon_text(struct canon *c, struct bytes text)
{
	put_text(c->out, text);
}

/* ---- a copy ---- */

void
xml_copy_start(struct xml_out *out, const struct xml_scope *scope, const struct xml_push_tag *tag,
	       bool top)
{
	const struct xml_decl *decls = top ? scope->decls : tag->decls;
	size_t n = top ? scope->n : tag->n_decls;

	put_str(out, "<");
	put_name(out, tag->prefix, tag->name);
	for (size_t i = 0; i < n; i++) {
		bool hidden = find_last(decls + i + 1, n - i - 1, decls[i].prefix) != NULL;

		/* What is undone at the root was never declared there. */
		if (!hidden && !(top && decls[i].uri[0] == '\0'))
			put_decl(out, &decls[i]);
	}
	for (size_t i = 0; i < tag->n_attrs; i++)
		put_attr(out, &tag->attrs[i]);
	put_str(out, ">");
}

void
xml_copy_end(struct xml_out *out, const char *prefix, const char *name)
{
	put_end(out, prefix, name);
}

void
xml_copy_text(struct xml_out *out, struct bytes text)
{
	put_text(out, text);
}
