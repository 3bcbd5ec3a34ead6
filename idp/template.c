/* Parses templates and texts (template.h).  One pass, no look-back but for the blank line rule. */
#include "idp/template.h"

#include <string.h>

#include "base/enc.h"
#include "base/text.h"

#define TEMPLATE_DEPTH_MAX   16
#define TEMPLATE_NAME_MAX    64
#define TEMPLATE_MESSAGE_MAX 32768

struct parser {
	struct arena *a;
	struct template t;
	size_t cap;
	struct bytes text;
	size_t at;      /* where to go on */
	size_t counted; /* line is the one of text.p[counted] */
	int line;
	size_t open[TEMPLATE_DEPTH_MAX]; /* indices of the sections we are in */
	size_t depth;
};

static bool
parser_fail(const struct parser *p, const char *what, const char *name, struct err *err)
{
	return FAIL(err, ERR_INPUT, NULL, "%s:%d: %s%s%s", p->t.file, p->line, what,
		    name[0] == '\0' ? "" : " ", name);
}

static struct node *
parser_add(struct parser *p, enum node_kind kind)
{
	if (p->t.n == p->cap) {
		size_t cap = p->cap == 0 ? 16 : p->cap * 2;
		struct node *grown = ARENA_ARRAY(p->a, struct node, cap);

		if (p->t.n > 0)
			memcpy(grown, p->t.nodes, p->t.n * sizeof(*grown));
		p->t.nodes = grown;
		p->cap = cap;
	}
	struct node *n = &p->t.nodes[p->t.n++];

	*n = (struct node){.kind = kind, .line = p->line, .name = ""};
	return n;
}

static void
parser_literal(struct parser *p, struct bytes literal)
{
	if (literal.n > 0)
		parser_add(p, NODE_LITERAL)->literal = literal;
}

/* Names of members, keys, parts and assets: [A-Za-z0-9_.-], not empty, not long. */
static bool
name_is_good(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	return n > 0 && n <= TEMPLATE_NAME_MAX && s[n] == '\0';
}

static bool
parser_section_end(struct parser *p, const char *name, struct err *err)
{
	if (p->depth == 0)
		return parser_fail(p, "nothing is open to be closed by", name, err);
	struct node *n = &p->t.nodes[p->open[p->depth - 1]];

	if (!text_eq(n->name, name))
		return parser_fail(p, "another section is open than", name, err);
	n->end = p->t.n;
	p->depth--;
	return true;
}

/* {{t:key}} or {{t:family.*member}} */
static bool
parser_text(struct parser *p, char *key, struct err *err)
{
	struct node *n = parser_add(p, NODE_TEXT);
	char *star = strchr(key, '*');

	n->name = key;
	if (star == NULL)
		return name_is_good(key) || parser_fail(p, "odd text key", key, err);
	n->member = star + 1;
	if (star == key || star[-1] != '.' || !name_is_good(n->member))
		return parser_fail(p, "odd text family", key, err);
	*star = '\0';
	return name_is_good(key) || parser_fail(p, "odd text family", key, err);
}

/* The inside of one tag, trimmed. */
static bool
parser_tag(struct parser *p, char *tag, struct err *err)
{
	static const struct {
		const char *prefix;
		enum node_kind kind;
	} kinds[] = {
		{"#", NODE_SECTION},    {"^", NODE_INVERTED}, {">", NODE_PART},
		{"asset:", NODE_ASSET}, {"", NODE_VALUE},
	};

	if (tag[0] == '!')
		return true;
	if (text_starts(tag, "t:"))
		return parser_text(p, tag + 2, err);
	if (tag[0] == '/')
		return parser_section_end(p, tag + 1, err);

	size_t k = 0;

	while (!text_starts(tag, kinds[k].prefix))
		k++;
	const char *name = tag + strlen(kinds[k].prefix);

	if (!name_is_good(name))
		return parser_fail(p, "odd name in a tag:", name, err);
	if (kinds[k].kind == NODE_SECTION || kinds[k].kind == NODE_INVERTED) {
		if (p->depth == TEMPLATE_DEPTH_MAX)
			return parser_fail(p, "sections nest too deep at", name, err);
		p->open[p->depth++] = p->t.n;
	}
	parser_add(p, kinds[k].kind)->name = name;
	return true;
}

/*
 * When nothing but blanks stands around a tag on its line: cut them from the
 * literal before it and step over the line's end after it.
 */
static void
parser_swallow_line(struct parser *p, struct bytes *before)
{
	size_t keep = before->n, next = p->at;

	while (keep > 0 && (before->p[keep - 1] == ' ' || before->p[keep - 1] == '\t'))
		keep--;
	bool starts_line = keep > 0 ? before->p[keep - 1] == '\n'
				    : before->p == p->text.p || before->p[-1] == '\n';

	while (next < p->text.n && (p->text.p[next] == ' ' || p->text.p[next] == '\t'))
		next++;
	if (!starts_line || (next < p->text.n && p->text.p[next] != '\n'))
		return;
	before->n = keep;
	p->at = next < p->text.n ? next + 1 : next;
}

/* The line of the tag at `open`, for errors. */
static void
parser_count_lines(struct parser *p, size_t open)
{
	for (; p->counted < open; p->counted++)
		p->line += p->text.p[p->counted] == '\n';
}

/* From the current place to behind the next tag, or to the end. */
static bool
parser_step(struct parser *p, struct err *err)
{
	const unsigned char *from = p->text.p + p->at;
	size_t left = p->text.n - p->at;
	const unsigned char *open = memmem(from, left, "{{", 2);

	if (open == NULL) {
		parser_literal(p, (struct bytes){from, left});
		p->at = p->text.n;
		return true;
	}
	struct bytes before = {from, (size_t)(open - from)};
	const unsigned char *close = memmem(open, left - before.n, "}}", 2);

	parser_count_lines(p, p->at + before.n);
	if (close == NULL)
		return parser_fail(p, "a tag without its end", "", err);
	p->at = (size_t)(close - p->text.p) + 2;

	char *tag = arena_strndup(p->a, (const char *)open + 2, (size_t)(close - open) - 2);

	tag = text_trim(p->a, tag);
	if (tag[0] != '\0' && strchr("#^/>!", tag[0]) != NULL)
		parser_swallow_line(p, &before);
	parser_literal(p, before);
	return parser_tag(p, tag, err);
}

bool
template_parse(struct arena *a, const char *name, const char *file, struct bytes text,
	       struct template *out, struct err *err)
{
	struct parser p = {.a = a, .t = {.name = name, .file = file}, .text = text, .line = 1};

	if (!text_is_utf8(text) || (text.n > 0 && memchr(text.p, 0, text.n) != NULL))
		return FAIL(err, ERR_INPUT, NULL, "%s:1: not UTF-8 text", file);
	while (p.at < text.n)
		if (!parser_step(&p, err))
			return false;
	if (p.depth > 0) {
		const struct node *n = &p.t.nodes[p.open[p.depth - 1]];

		p.line = n->line;
		return parser_fail(&p, "section is not closed:", n->name, err);
	}
	*out = p.t;
	return true;
}

bool
template_parse_message(struct arena *a, const char *file, int line, const char *text,
		       struct template *out, struct err *err)
{
	struct parser p = {.a = a, .t = {.name = "", .file = file}, .line = line};

	while (*text != '\0') {
		size_t n = strcspn(text, "{}");
		struct buf escaped;
		struct bytes literal;

		buf_init(&escaped, a, TEMPLATE_MESSAGE_MAX);
		enc_html(&escaped, arena_strndup(a, text, n));
		if (!buf_finish(&escaped, &literal, err))
			return false;
		parser_literal(&p, literal);
		text += n;
		if (*text == '\0')
			break;
		n = strcspn(text, "}");
		if (*text == '}' || text[n] == '\0')
			return parser_fail(&p, "a brace without its pair", "", err);
		const char *name = arena_strndup(a, text + 1, n - 1);

		if (!name_is_good(name))
			return parser_fail(&p, "odd name in a text:", name, err);
		parser_add(&p, NODE_VALUE)->name = name;
		text += n + 1;
	}
	*out = p.t;
	return true;
}
