/*
 * Loads, links and renders pages (page.h).  Linking finds each text, part and
 * asset once, so that rendering only walks nodes and looks up members.
 */
#include "idp/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/enc.h"
#include "base/text.h"
#include "idp/po.h"
#include "idp/template.h"

#define LANGS                LANG_COUNT
#define PAGE_BYTES_MAX       (512 * 1024)
#define THEME_FILE_MAX       (256 * 1024)
#define PAGE_PARTS_DEPTH_MAX 6
#define PAGE_FRAMES_MAX      48
#define PAGE_KEY_MAX         160

/* One text in all languages. */
struct message {
	const char *key;
	const char *plain[LANGS];
	struct template t[LANGS];
};

struct pages {
	struct template *templates; /* sorted by name */
	size_t n_templates;
	struct message *messages; /* sorted by key */
	size_t n_messages;
};

/* One text as read, before those of one key are brought together. */
struct source {
	struct po_entry e;
	const char *file;
	size_t lang;
	bool theme;
};

struct loader {
	struct arena *a;
	const char *theme_dir;
	struct source *sources;
	size_t n_sources;
	struct pages *p;
};

static int
by_template_name(const void *x, const void *y)
{
	const struct template *a = x, *b = y;

	return strcmp(a->name, b->name);
}

static int
by_message_key(const void *x, const void *y)
{
	const struct message *a = x, *b = y;

	return strcmp(a->key, b->key);
}

/* By key, then language, then the program's before the theme's. */
static int
by_source(const void *x, const void *y)
{
	const struct source *a = x, *b = y;
	int d = strcmp(a->e.key, b->e.key);

	if (d != 0)
		return d;
	if (a->lang != b->lang)
		return a->lang < b->lang ? -1 : 1;
	return (int)a->theme - (int)b->theme;
}

static const struct template *
pages_find(const struct pages *p, const char *name)
{
	struct template wanted = {.name = name};

	return bsearch(&wanted, p->templates, p->n_templates, sizeof(wanted), by_template_name);
}

static const struct message *
pages_message(const struct pages *p, const char *key)
{
	struct message wanted = {.key = key};

	return bsearch(&wanted, p->messages, p->n_messages, sizeof(wanted), by_message_key);
}

/* The theme's file of this name, if it has one. */
static bool
theme_read(const struct loader *l, const char *name, const char **path, struct bytes *out,
	   struct err *err)
{
	*path = NULL;
	if (l->theme_dir == NULL)
		return true;
	const char *full = arena_printf(l->a, "%s/%s", l->theme_dir, name);

	if (access(full, F_OK) != 0)
		return true;
	if (!conf_read_file(l->a, full, THEME_FILE_MAX, out, err))
		return false;
	*path = full;
	return true;
}

static bool
load_template(struct loader *l, const struct embed_file *f, struct err *err)
{
	const char *base = f->name + strlen("templates/"), *path;
	const char *name = arena_strndup(l->a, base, strcspn(base, "."));
	struct bytes text;

	if (!theme_read(l, f->name, &path, &text, err))
		return false;
	if (path == NULL) {
		path = arena_printf(l->a, "web/%s", f->name);
		text = f->data;
	}
	return template_parse(l->a, name, path, text, &l->p->templates[l->p->n_templates++], err);
}

static bool
load_texts(struct loader *l, const char *file, struct bytes text, size_t lang, bool theme,
	   struct err *err)
{
	struct po po;

	if (!po_parse(l->a, file, text, &po, err))
		return false;
	struct source *all = ARENA_ARRAY(l->a, struct source, l->n_sources + po.n);

	if (l->n_sources > 0)
		memcpy(all, l->sources, l->n_sources * sizeof(*all));
	for (size_t i = 0; i < po.n; i++)
		all[l->n_sources + i] = (struct source){po.entries[i], file, lang, theme};
	l->sources = all;
	l->n_sources += po.n;
	return true;
}

static bool
load_language(struct loader *l, size_t lang, struct err *err)
{
	const char *name = arena_printf(l->a, "i18n/%s.po", lang_code((enum lang)lang)), *path;
	const struct embed_file *f = embed_find(web_files, name);
	struct bytes text;

	if (f == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "web/%s is not embedded", name);
	if (!load_texts(l, arena_printf(l->a, "web/%s", name), f->data, lang, false, err) ||
	    !theme_read(l, name, &path, &text, err))
		return false;
	return path == NULL || load_texts(l, path, text, lang, true, err);
}

/* The sources of one key, sorted, become one message. */
static bool
fold_message(struct loader *l, const struct source *s, size_t n, struct err *err)
{
	struct message *m = &l->p->messages[l->p->n_messages++];

	m->key = s[0].e.key;
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && by_source(&s[i - 1], &s[i]) == 0)
			return FAIL(err, ERR_INPUT, NULL, "%s:%d: %s is there twice", s[i].file,
				    s[i].e.line, m->key);
		if (s[i].e.text[0] == '\0')
			continue;
		m->plain[s[i].lang] = s[i].e.text;
		if (!template_parse_message(l->a, s[i].file, s[i].e.line, s[i].e.text,
					    &m->t[s[i].lang], err))
			return false;
	}
	for (size_t lang = 0; lang < LANGS; lang++)
		if (m->plain[lang] == NULL)
			return FAIL(err, ERR_INPUT, NULL, "%s:%d: %s has no text in %s", s[0].file,
				    s[0].e.line, m->key, lang_code((enum lang)lang));
	return true;
}

static bool
fold_messages(struct loader *l, struct err *err)
{
	l->p->messages = ARENA_ARRAY(l->a, struct message, l->n_sources);
	if (l->n_sources > 0)
		qsort(l->sources, l->n_sources, sizeof(*l->sources), by_source);
	for (size_t i = 0, n; i < l->n_sources; i += n) {
		n = 1;
		while (i + n < l->n_sources &&
		       text_eq(l->sources[i].e.key, l->sources[i + n].e.key))
			n++;
		if (!fold_message(l, &l->sources[i], n, err))
			return false;
	}
	return true;
}

/* "kontor.css" is served as "kontor.DIGEST.css". */
static const char *
asset_find(const char *name)
{
	const char *dot = strrchr(name, '.');
	size_t stem = dot == NULL ? 0 : (size_t)(dot - name) + 1;

	for (const struct embed_file *f = web_static; stem > 0 && f->name != NULL; f++) {
		size_t digest =
			strncmp(f->name, name, stem) == 0 ? strcspn(f->name + stem, ".") : 0;

		if (digest > 0 && text_eq(f->name + stem + digest, dot))
			return f->name;
	}
	return NULL;
}

/* Is there a text whose key begins with this? */
static bool
family_exists(const struct pages *p, const char *family)
{
	for (size_t i = 0; i < p->n_messages; i++)
		if (text_starts(p->messages[i].key, family))
			return true;
	return false;
}

static bool
link_node(struct loader *l, const struct template *t, struct node *n, struct err *err)
{
	const char *asset;

	switch (n->kind) {
	case NODE_PART:
		n->part = pages_find(l->p, n->name);
		if (n->part != NULL)
			return true;
		return FAIL(err, ERR_INPUT, NULL, "%s:%d: no part %s", t->file, n->line, n->name);
	case NODE_ASSET:
		asset = asset_find(n->name);
		if (asset == NULL)
			return FAIL(err, ERR_INPUT, NULL, "%s:%d: no asset %s", t->file, n->line,
				    n->name);
		n->kind = NODE_LITERAL;
		n->literal = bytes_of(arena_printf(l->a, "/static/%s", asset));
		return true;
	case NODE_TEXT:
		n->message = n->member == NULL ? pages_message(l->p, n->name) : NULL;
		if (n->message != NULL || (n->member != NULL && family_exists(l->p, n->name)))
			return true;
		return FAIL(err, ERR_INPUT, NULL, "%s:%d: no text %s", t->file, n->line, n->name);
	default:
		return true;
	}
}

/* Parts include parts, but not without end. */
static bool
check_parts(const struct template *t, int depth, struct err *err)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->nodes[i].kind != NODE_PART)
			continue;
		if (depth == PAGE_PARTS_DEPTH_MAX)
			return FAIL(err, ERR_INPUT, NULL, "%s:%d: parts nest too deep at %s",
				    t->file, t->nodes[i].line, t->nodes[i].name);
		if (!check_parts(t->nodes[i].part, depth + 1, err))
			return false;
	}
	return true;
}

static bool
link_templates(struct loader *l, struct err *err)
{
	struct pages *p = l->p;

	qsort(p->templates, p->n_templates, sizeof(*p->templates), by_template_name);
	for (size_t i = 0; i < p->n_templates; i++)
		for (size_t k = 0; k < p->templates[i].n; k++)
			if (!link_node(l, &p->templates[i], &p->templates[i].nodes[k], err))
				return false;
	for (size_t i = 0; i < p->n_templates; i++)
		if (!check_parts(&p->templates[i], 0, err))
			return false;
	return true;
}

bool
pages_load(struct arena *a, const char *theme_dir, const struct pages **out, struct err *err)
{
	struct loader l = {.a = a, .theme_dir = theme_dir, .p = ARENA_NEW(a, struct pages)};
	size_t n = 0;

	while (web_files[n].name != NULL)
		n++;
	l.p->templates = ARENA_ARRAY(a, struct template, n);
	for (size_t lang = 0; lang < LANGS; lang++)
		if (!load_language(&l, lang, err))
			return false;
	if (!fold_messages(&l, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (text_starts(web_files[i].name, "templates/") &&
		    !load_template(&l, &web_files[i], err))
			return false;
	if (!link_templates(&l, err))
		return false;
	*out = l.p;
	return true;
}

const char *
page_text(const struct pages *p, enum lang lang, const char *key)
{
	const struct message *m = pages_message(p, key);

	return m == NULL ? key : m->plain[lang];
}

struct renderer {
	const struct pages *p;
	enum lang lang;
	struct buf out;
	const json_t *frames[PAGE_FRAMES_MAX]; /* innermost last */
	size_t depth;
	struct err *err;
};

static bool render_nodes(struct renderer *r, const struct template *t, size_t from, size_t to);

static const json_t *
frame_find(const struct renderer *r, const char *name)
{
	if (text_eq(name, "."))
		return r->frames[r->depth - 1];
	for (size_t i = r->depth; i > 0; i--) {
		const json_t *v = json_object_get(r->frames[i - 1], name);

		if (v != NULL)
			return v;
	}
	return NULL;
}

static bool
render_value(struct renderer *r, const struct template *t, const struct node *n)
{
	const json_t *v = frame_find(r, n->name);

	if (json_is_string(v))
		enc_html(&r->out, json_string_value(v));
	else if (json_is_integer(v))
		buf_printf(&r->out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else
		return FAIL(r->err, ERR_INTERNAL, NULL, "%s:%d: no value for %s", t->file, n->line,
			    n->name);
	return true;
}

static bool
render_text(struct renderer *r, const struct template *t, const struct node *n)
{
	const struct message *m = n->message;

	if (n->member != NULL) {
		const char *last = json_string_value(frame_find(r, n->member));
		char key[PAGE_KEY_MAX];

		snprintf(key, sizeof(key), "%s%s", n->name, last == NULL ? "" : last);
		m = pages_message(r->p, key);
		if (last == NULL || m == NULL)
			return FAIL(r->err, ERR_INTERNAL, NULL, "%s:%d: no text %s of %s", t->file,
				    n->line, key, n->member);
	}
	return render_nodes(r, &m->t[r->lang], 0, m->t[r->lang].n);
}

static bool
value_is_something(const json_t *v)
{
	return !(v == NULL || json_is_null(v) || json_is_false(v) ||
		 (json_is_string(v) && json_string_length(v) == 0) ||
		 (json_is_array(v) && json_array_size(v) == 0));
}

static bool
render_inside(struct renderer *r, const struct template *t, const struct node *n, const json_t *v)
{
	size_t from = (size_t)(n - t->nodes) + 1;

	if (r->depth == PAGE_FRAMES_MAX)
		return FAIL(r->err, ERR_INTERNAL, NULL, "%s:%d: sections nest too deep", t->file,
			    n->line);
	r->frames[r->depth++] = v;
	bool ok = render_nodes(r, t, from, n->end);

	r->depth--;
	return ok;
}

static bool
render_section(struct renderer *r, const struct template *t, const struct node *n)
{
	const json_t *v = frame_find(r, n->name);

	if (!value_is_something(v))
		return true;
	if (!json_is_array(v))
		return render_inside(r, t, n, v);
	for (size_t i = 0; i < json_array_size(v); i++)
		if (!render_inside(r, t, n, json_array_get(v, i)))
			return false;
	return true;
}

static bool
render_node(struct renderer *r, const struct template *t, const struct node *n)
{
	switch (n->kind) {
	case NODE_VALUE:
		return render_value(r, t, n);
	case NODE_TEXT:
		return render_text(r, t, n);
	case NODE_SECTION:
		return render_section(r, t, n);
	case NODE_INVERTED:
		return value_is_something(frame_find(r, n->name)) ||
		       render_nodes(r, t, (size_t)(n - t->nodes) + 1, n->end);
	case NODE_PART:
		return render_nodes(r, n->part, 0, n->part->n);
	case NODE_ASSET: /* a literal since it was linked */
	case NODE_LITERAL:
		break;
	}
	buf_add(&r->out, n->literal);
	return true;
}

static bool
render_nodes(struct renderer *r, const struct template *t, size_t from, size_t to)
{
	for (size_t i = from; i < to;) {
		const struct node *n = &t->nodes[i];

		if (!render_node(r, t, n))
			return false;
		i = n->end > i ? n->end : i + 1;
	}
	return true;
}

bool
page_render(struct arena *a, const struct pages *p, const char *name, enum lang lang,
	    const json_t *vars, struct bytes *html, struct err *err)
{
	const struct template *t = pages_find(p, name);
	struct renderer r = {.p = p, .lang = lang, .frames = {vars}, .depth = 1, .err = err};

	if (t == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "no template %s", name);
	buf_init(&r.out, a, PAGE_BYTES_MAX);
	return render_nodes(&r, t, 0, t->n) && buf_finish(&r.out, html, err);
}
