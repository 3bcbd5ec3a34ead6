/*
 * The syntax of pages: from octets to a flat list of nodes.  It knows neither
 * texts nor variables; idp/page.c links and renders the nodes.
 *
 *   {{name}}                      value of a member; {{.}} the item of a list itself
 *   {{#name}}..{{/name}}          section: for each item, or once when there is something
 *   {{^name}}..{{/name}}          the opposite
 *   {{t:key}}                     text of the page's language
 *   {{t:family.*name}}            text whose key is "family." and the value of a member
 *   {{>part}}                     another template, with the same members
 *   {{asset:kontor.css}}          URL of a file below /static/
 *   {{! comment }}
 *
 * A line that holds one tag of the kinds # ^ / > ! and blanks only leaves no
 * line behind (nor, for a part, its indentation).
 */
#ifndef KONTOR_IDP_TEMPLATE_H
#define KONTOR_IDP_TEMPLATE_H

#include "base/arena.h"
#include "base/err.h"

enum node_kind {
	NODE_LITERAL,
	NODE_VALUE,
	NODE_SECTION,
	NODE_INVERTED,
	NODE_TEXT,
	NODE_PART,
	NODE_ASSET,
};

struct message;
struct template;

struct node {
	enum node_kind kind;
	int line;
	struct bytes literal; /* NODE_LITERAL */
	const char *name;     /* member, key, family with its '.', part or asset */
	const char *member;   /* NODE_TEXT of a family: whose value ends the key; else NULL */
	size_t end;           /* sections: index of the first node after it */
	const struct template *part;   /* NODE_PART, set by the linker */
	const struct message *message; /* NODE_TEXT without member, set by the linker */
};

struct template
{
	const char *name; /* "login" */
	const char *file; /* "web/templates/login.html", for errors */
	struct node *nodes;
	size_t n;
};

/*
 * Parse a template's octets, which the nodes go on pointing into.  ERR_INPUT,
 * beginning with "FILE:LINE: ": not UTF-8, a tag without its end, an empty or
 * odd name, a section that is not closed or closes another.
 */
MUST_USE bool template_parse(struct arena *a, const char *name, const char *file, struct bytes text,
			     struct template *out, struct err *err);

/*
 * Parse one text: literals and {name}.  The literals are escaped for HTML here,
 * once.  `line` is where the text stands.  ERR_INPUT: a brace without its pair,
 * an odd name.
 */
MUST_USE bool template_parse_message(struct arena *a, const char *file, int line, const char *text,
				     struct template *out, struct err *err);

#endif
