/*
 * Every document is read twice: for the prefixes that its values use (xsi:type), which have to
 * stand in the PrefixList, then to be written.  See publication.h.
 */
#include "saml/publication.h"

#include <string.h>

#include "base/clock.h"
#include "saml/canon.h"
#include "saml/names.h"
#include "saml/xml_guard.h"
#include "saml/xmlw.h"

#define PREFIX_BYTES 4

/* Of a signed document beside its members; what is added to one member. */
#define ROOT_BYTES 8192
#define OURS_BYTES 1024

/* What canonical form makes of a text: at most six octets of one, hardly ever more than it was. */
#define GROWTH        2

#define NOT_WRITTEN   "metadata cannot be written within its limits"

#define PREFIXES_MOST 2 /* as is_usual has them */

/* Prefixes that only values use, each once. */
struct prefixes {
	char text[PREFIXES_MOST][PREFIX_BYTES];
	const char *list[PREFIXES_MOST + 1]; /* of text, ends in NULL */
	size_t n;
};

/* What one member's document is given; texts that were made before the parser runs. */
struct edit {
	const char *id, *cache; /* NULL: in a group, that says it */
	const char *until, *registrar, *registered;
};

struct writer {
	struct xml_scope scope;
	struct canon canon;
	struct xml_out out;
	const struct edit *edits; /* of the members that come, in their order */
	size_t n_edits;
	unsigned base;      /* depth of a member's root; 0: nothing is changed */
	size_t place;       /* behind the start tag of the whole */
	unsigned skipped;   /* depth of what is left out; 0: nothing */
	bool registered;    /* of this member, RegistrationInfo is written */
	bool in_extensions; /* those of a member's root */
	const char *md;     /* prefix of a member's root */
};

/* ---- prefixes ---- */

/*
 * What types of values are called by.  The whole names the prefixes of all members in each
 * signature, and may name few: who had others would keep everybody else from being published.
 */
static bool
is_usual(struct bytes prefix)
{
	return bytes_eq(prefix, bytes_of("xs")) || bytes_eq(prefix, bytes_of("xsd"));
}

static const char *
note_prefix(struct prefixes *p, struct bytes value)
{
	const unsigned char *colon;
	size_t n;

	while (value.n > 0 && strchr(" \t\r\n", value.p[0]) != NULL)
		value = (struct bytes){value.p + 1, value.n - 1};
	colon = value.n == 0 ? NULL : memchr(value.p, ':', value.n);
	if (colon == NULL)
		return NULL;
	n = (size_t)(colon - value.p);
	if (!is_usual((struct bytes){value.p, n}))
		return "metadata have values of types that are not xs: or xsd:";
	for (size_t i = 0; i < p->n; i++)
		if (bytes_eq((struct bytes){value.p, n}, bytes_of(p->list[i])))
			return NULL;
	memcpy(p->text[p->n], value.p, n);
	p->text[p->n][n] = '\0';
	p->list[p->n] = p->text[p->n];
	p->n++;
	return NULL;
}

static const char *
prefix_start(void *ctx, const struct xml_push_tag *tag)
{
	const char *fault = NULL;

	for (size_t i = 0; i < tag->n_attrs && fault == NULL; i++)
		if (strcmp(tag->attrs[i].ns, SAML_NS_XSI) == 0 &&
		    strcmp(tag->attrs[i].name, "type") == 0)
			fault = note_prefix(ctx, tag->attrs[i].value);
	return fault;
}

static const char *
prefix_end(void *ctx UNUSED, const char *prefix UNUSED, const char *name UNUSED,
	   unsigned depth UNUSED)
{
	return NULL;
}

static const char *
prefix_text(void *ctx UNUSED, struct bytes text UNUSED)
{
	return NULL;
}

/* ---- writing ---- */

/* An element of ours within the document. */
static const char *
open_own(struct writer *w, const struct xml_push_tag *tag)
{
	const char *fault = xml_scope_enter(&w->scope, tag);

	return fault == NULL ? canon_start(&w->canon, tag) : fault;
}

static void
close_own(struct writer *w, const struct xml_push_tag *tag)
{
	canon_end(&w->canon, tag->prefix, tag->name, tag->depth);
	xml_scope_leave(&w->scope);
}

/* SAML2MDRPI 2.1 */
static const char *
write_registered(struct writer *w)
{
	static const struct xml_decl decl = {"mdrpi", SAML_NS_MDRPI};
	const struct xml_push_attr attrs[] = {
		{NULL, "registrationAuthority", "", bytes_of(w->edits->registrar)},
		{NULL, "registrationInstant", "", bytes_of(w->edits->registered)},
	};
	const struct xml_push_tag tag = {.prefix = decl.prefix,
					 .name = "RegistrationInfo",
					 .ns = SAML_NS_MDRPI,
					 .depth = w->base + 2,
					 .decls = &decl,
					 .n_decls = 1,
					 .attrs = attrs,
					 .n_attrs = ARRAY_LEN(attrs)};
	const char *fault = open_own(w, &tag);

	if (fault == NULL)
		close_own(w, &tag);
	w->registered = true;
	return fault;
}

/* For a document without, before its first role. */
static const char *
write_extensions(struct writer *w)
{
	const struct xml_push_tag tag = {.prefix = w->md,
					 .name = "Extensions",
					 .ns = SAML_NS_METADATA,
					 .depth = w->base + 1};
	const char *fault = open_own(w, &tag);

	if (fault == NULL)
		fault = write_registered(w);
	if (fault == NULL)
		close_own(w, &tag);
	return fault;
}

/* Two members may have the same IDs; nobody refers to any but ours. */
static bool
is_ours(const struct xml_push_attr *attr, bool root)
{
	if (attr->prefix != NULL)
		return false;
	if (strcmp(attr->name, "ID") == 0)
		return true;
	return root &&
	       (strcmp(attr->name, "cacheDuration") == 0 || strcmp(attr->name, "validUntil") == 0);
}

/* An element of a member, its root with what is ours to say instead of what it says. */
static const char *
write_member(struct writer *w, const struct xml_push_tag *tag, bool root)
{
	struct xml_push_attr attrs[XML_MAX_TAG + 3];
	const struct edit *e = w->edits;
	struct xml_push_tag ours = *tag;
	size_t n = 0;

	if (root && e->id != NULL)
		attrs[n++] = (struct xml_push_attr){NULL, "ID", "", bytes_of(e->id)};
	if (root && e->cache != NULL)
		attrs[n++] = (struct xml_push_attr){NULL, "cacheDuration", "", bytes_of(e->cache)};
	if (root)
		attrs[n++] = (struct xml_push_attr){NULL, "validUntil", "", bytes_of(e->until)};
	for (size_t i = 0; i < tag->n_attrs; i++)
		if (!is_ours(&tag->attrs[i], root))
			attrs[n++] = tag->attrs[i];
	/* canon.c sorts as many as one tag may have. */
	if (n > XML_MAX_TAG)
		return NOT_WRITTEN;
	ours.attrs = attrs;
	ours.n_attrs = n;
	return canon_start(&w->canon, &ours);
}

static const char *
write_root(struct writer *w, const struct xml_push_tag *tag)
{
	if (!xml_push_is(tag, SAML_NS_METADATA, "EntityDescriptor"))
		return "metadata are not one EntityDescriptor";
	if (w->n_edits == 0)
		return "metadata are more than one EntityDescriptor";
	w->md = tag->prefix;
	w->registered = false;
	w->in_extensions = false;
	return write_member(w, tag, true);
}

/* Signatures of members end where others speak; who registered them is not theirs to say. */
static bool
is_left_out(const struct writer *w, const struct xml_push_tag *tag)
{
	if (w->base == 0)
		return false;
	return (tag->depth > w->base && xml_push_is(tag, SAML_NS_DS, "Signature")) ||
	       (tag->depth == w->base + 2 && w->in_extensions &&
		strcmp(tag->ns, SAML_NS_MDRPI) == 0);
}

static const char *
write_tag(struct writer *w, const struct xml_push_tag *tag)
{
	bool child = w->base != 0 && tag->depth == w->base + 1;
	bool first = child && !w->registered;
	const char *fault = NULL;

	if (child)
		w->in_extensions = xml_push_is(tag, SAML_NS_METADATA, "Extensions");
	if (first && !w->in_extensions)
		fault = write_extensions(w);
	if (fault == NULL)
		fault = xml_scope_enter(&w->scope, tag);
	if (fault == NULL && w->base != 0 && tag->depth >= w->base)
		fault = tag->depth == w->base ? write_root(w, tag) : write_member(w, tag, false);
	else if (fault == NULL)
		fault = canon_start(&w->canon, tag);
	if (fault == NULL && first && w->in_extensions)
		fault = write_registered(w);
	return fault;
}

static const char *
write_start(void *ctx, const struct xml_push_tag *tag)
{
	struct writer *w = ctx;
	const char *fault;

	if (w->skipped != 0)
		return NULL;
	if (is_left_out(w, tag)) {
		w->skipped = tag->depth;
		return NULL;
	}
	fault = write_tag(w, tag);
	if (tag->depth == 1)
		w->place = w->out.n;
	return fault == NULL && w->out.over ? NOT_WRITTEN : fault;
}

static const char *
write_end(void *ctx, const char *prefix, const char *name, unsigned depth)
{
	struct writer *w = ctx;

	if (w->skipped != 0) {
		w->skipped = w->skipped == depth ? 0 : w->skipped;
		return NULL;
	}
	canon_end(&w->canon, prefix, name, depth);
	xml_scope_leave(&w->scope);
	if (depth == w->base) {
		w->edits++;
		w->n_edits--;
	}
	return w->out.over ? NOT_WRITTEN : NULL;
}

static const char *
write_text(void *ctx, struct bytes text)
{
	struct writer *w = ctx;

	if (w->skipped == 0)
		canon_text(&w->canon, text);
	return w->out.over ? NOT_WRITTEN : NULL;
}

static bool
read_with(struct arena *a, struct bytes text, const struct xml_push_handler *handler, void *ctx,
	  struct err *err)
{
	struct xml_limits limits = xml_limits_metadata;

	limits.max_nodes = limits.max_bytes; /* none is shorter than an octet */
	struct xml_push *x = xml_push_begin(a, &limits, handler, ctx);

	return xml_push_add(x, text, err) && xml_push_end(x, err);
}

/*
 * Canonical form of `text` in which members begin at depth `base` (0: none is changed), with the
 * prefixes of values; *place: behind the start tag of the whole.
 */
static bool
write(struct arena *a, struct bytes text, unsigned base, const struct edit *edits, size_t n_edits,
      struct saml_to_sign *out, struct err *err)
{
	static const struct xml_push_handler scan = {prefix_start, prefix_end, prefix_text},
					     handler = {write_start, write_end, write_text};
	struct prefixes *p = ARENA_NEW(a, struct prefixes);
	struct writer *w = ARENA_NEW(a, struct writer);

	w->base = base;
	w->edits = edits;
	w->n_edits = n_edits;
	w->out.cap = text.n * GROWTH + ROOT_BYTES + n_edits * OURS_BYTES;
	w->out.p = arena_alloc(a, w->out.cap);
	w->canon = (struct canon){.scope = &w->scope, .out = &w->out, .prefixes = p->list};
	if (!read_with(a, text, &scan, p, err) || !read_with(a, text, &handler, w, err))
		return false;
	out->element = (struct bytes){w->out.p, w->out.n};
	out->place = w->place;
	out->prefix_list = NULL;
	for (size_t i = 0; i < p->n; i++)
		out->prefix_list = out->prefix_list == NULL
					   ? p->list[i]
					   : arena_printf(a, "%s %s", out->prefix_list, p->list[i]);
	return true;
}

/* ---- what is published ---- */

bool
saml_member_document(struct arena *a, struct bytes text, struct bytes *out, struct err *err)
{
	struct saml_to_sign whole;

	if (!write(a, text, 0, NULL, 0, &whole, err))
		return false;
	*out = whole.element;
	return true;
}

static const char *
cache_text(struct arena *a, const struct saml_publication *p)
{
	return arena_printf(a, "PT%lldS", (long long)p->cache_s);
}

/* Of a group, which has an ID and says how long to keep it, members say neither. */
static struct edit
edit_of(struct arena *a, const struct saml_publication *p, const struct saml_member *m,
	const char *id)
{
	bool earlier = m->valid_until != 0 && m->valid_until < p->valid_until;

	return (struct edit){.id = id,
			     .cache = id == NULL ? NULL : cache_text(a, p),
			     .until = clock_text(a, earlier ? m->valid_until : p->valid_until),
			     .registrar = p->registrar,
			     .registered = clock_text(a, m->registered)};
}

bool
saml_publish_member(struct arena *a, const struct saml_publication *p, const struct saml_member *m,
		    const char *id, const struct saml_signer *signer, struct bytes *out,
		    struct err *err)
{
	struct edit edit = edit_of(a, p, m, id);
	struct saml_to_sign what = {.id = id};

	return write(a, m->document, 1, &edit, 1, &what, err) &&
	       saml_sign_enveloped(a, signer, &what, out, err);
}

/* The root, whose end tag comes behind the members. */
static bool
write_group(struct arena *a, const struct saml_publication *p, const char *id, struct bytes *start,
	    struct bytes *end, struct err *err)
{
	struct bytes whole;
	struct xmlw w;

	xmlw_init(&w, a, ROOT_BYTES / 2);
	xmlw_open(&w, &xmlns_md, "EntitiesDescriptor");
	xmlw_attr(&w, NULL, "ID", id);
	xmlw_attr(&w, NULL, "Name", p->name);
	xmlw_attr(&w, NULL, "cacheDuration", cache_text(a, p));
	xmlw_attr(&w, NULL, "validUntil", clock_text(a, p->valid_until));
	size_t n = xmlw_place(&w);

	xmlw_close(&w);
	if (!xmlw_finish(&w, &whole, err))
		return false;
	*start = (struct bytes){whole.p, n};
	*end = (struct bytes){whole.p + n, whole.n - n};
	return true;
}

bool
saml_publish_all(struct arena *a, const struct saml_publication *p,
		 const struct saml_member *members, size_t n, const char *id,
		 const struct saml_signer *signer, struct bytes *out, struct err *err)
{
	struct edit *edits = ARENA_ARRAY(a, struct edit, n + 1);
	struct saml_to_sign what = {.id = id};
	struct bytes start, end, whole;
	struct buf b;

	if (n == 0)
		return FAIL(err, ERR_INPUT, NULL, "there is no member to publish");
	if (!write_group(a, p, id, &start, &end, err))
		return false;
	buf_init(&b, a, xml_limits_metadata.max_bytes);
	buf_add(&b, start);
	for (size_t i = 0; i < n; i++) {
		edits[i] = edit_of(a, p, &members[i], NULL);
		buf_add(&b, members[i].document);
	}
	buf_add(&b, end);
	return buf_finish(&b, &whole, err) && write(a, whole, 2, edits, n, &what, err) &&
	       saml_sign_enveloped(a, signer, &what, out, err);
}
