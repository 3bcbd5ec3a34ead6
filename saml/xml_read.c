/* Walking a parsed document; see xml.h.  Nothing here changes the tree. */
#include <string.h>

#include "base/text.h"
#include "saml/names.h"
#include "saml/xml_dom.h"

const xmlNs *
dom_find_ns(const xmlNode *n, const char *prefix)
{
	for (; n != NULL && n->type == XML_ELEMENT_NODE; n = n->parent)
		for (const xmlNs *ns = n->nsDef; ns != NULL; ns = ns->next)
			if (text_eq((const char *)ns->prefix, prefix))
				return ns;
	return NULL;
}

bool
dom_is_ncname(const char *s)
{
	return xmlValidateNCName((const xmlChar *)s, 0) == 0;
}

const struct xml_node *
xml_root(const struct xml_doc *doc)
{
	return node_of(doc->root);
}

const struct xml_doc *
xml_doc_of(const struct xml_node *n)
{
	return dom_of(n)->doc->_private;
}

const struct xml_limits *
xml_doc_limits(const struct xml_doc *doc)
{
	return &doc->limits;
}

const char *
xml_name(const struct xml_node *n)
{
	return (const char *)dom_of(n)->name;
}

static const char *
ns_uri(const xmlNs *ns)
{
	return ns != NULL && ns->href != NULL ? (const char *)ns->href : "";
}

const char *
xml_ns(const struct xml_node *n)
{
	return ns_uri(dom_of(n)->ns);
}

bool
xml_is(const struct xml_node *n, const char *ns, const char *name)
{
	return strcmp(xml_name(n), name) == 0 && strcmp(xml_ns(n), ns) == 0;
}

/* The first element from n on, n included. */
static const struct xml_node *
element_from(const xmlNode *n)
{
	while (n != NULL && n->type != XML_ELEMENT_NODE)
		n = n->next;
	return node_of(n);
}

const struct xml_node *
xml_parent(const struct xml_node *n)
{
	return n == xml_root(xml_doc_of(n)) ? NULL : node_of(dom_of(n)->parent);
}

const struct xml_node *
xml_first(const struct xml_node *n)
{
	return element_from(dom_of(n)->children);
}

const struct xml_node *
xml_next(const struct xml_node *n)
{
	return element_from(dom_of(n)->next); /* the root has no sibling that is an element */
}

const struct xml_node *
xml_next_in_document(const struct xml_node *n)
{
	const struct xml_node *next = xml_first(n);

	while (next == NULL && n != NULL) {
		next = xml_next(n);
		n = xml_parent(n);
	}
	return next;
}

bool
xml_child_opt(const struct xml_node *n, const char *ns, const char *name,
	      const struct xml_node **out, struct err *err)
{
	const struct xml_node *found = NULL;

	for (const struct xml_node *c = xml_first(n); c != NULL; c = xml_next(c)) {
		if (!xml_is(c, ns, name))
			continue;
		if (found != NULL)
			return FAIL(err, ERR_INPUT, NULL, "<%s> has a second <%s>", xml_name(n),
				    name);
		found = c;
	}
	*out = found;
	return true;
}

bool
xml_child(const struct xml_node *n, const char *ns, const char *name, const struct xml_node **out,
	  struct err *err)
{
	const struct xml_node *found;

	if (!xml_child_opt(n, ns, name, &found, err))
		return false;
	if (found == NULL)
		return FAIL(err, ERR_INPUT, NULL, "<%s> has no <%s>", xml_name(n), name);
	*out = found;
	return true;
}

/* ---- shape ---- */

static bool
check_only_space(const struct xml_node *n, struct err *err)
{
	for (const xmlNode *c = dom_of(n)->children; c != NULL; c = c->next) {
		if (c->type == XML_ELEMENT_NODE || c->type == XML_COMMENT_NODE)
			continue;
		if (c->type != XML_TEXT_NODE || !xmlIsBlankNode(c))
			return FAIL(err, ERR_INPUT, NULL, "<%s> has text beside its children",
				    xml_name(n));
	}
	return true;
}

static bool
row_takes(const struct xml_row *row, const struct xml_node *parent, const struct xml_node *child)
{
	if (row->name != NULL && strcmp(row->name, xml_name(child)) != 0)
		return false;
	if (row->ns != NULL)
		return strcmp(row->ns, xml_ns(child)) == 0;
	return strcmp(xml_ns(parent), xml_ns(child)) != 0;
}

/* One past the last row of the group that begins at i. */
static size_t
group_end(const struct xml_row *rows, size_t n_rows, size_t i)
{
	do
		i++;
	while (i < n_rows && rows[i].alt);
	return i;
}

bool
xml_check_children(const struct xml_node *n, const struct xml_row *rows, size_t n_rows,
		   struct err *err)
{
	const struct xml_node *c = xml_first(n);

	if (!check_only_space(n, err))
		return false;
	for (size_t i = 0, end; i < n_rows; i = end) {
		unsigned count = 0;

		end = group_end(rows, n_rows, i);
		for (; c != NULL && (rows[i].max == 0 || count < rows[i].max); c = xml_next(c)) {
			size_t r = i;

			while (r < end && !row_takes(&rows[r], n, c))
				r++;
			if (r == end)
				break;
			count++;
		}
		if (count < rows[i].min)
			return FAIL(err, ERR_INPUT, NULL, "<%s> lacks <%s>", xml_name(n),
				    rows[i].name != NULL ? rows[i].name : "any other");
	}
	if (c != NULL)
		return FAIL(err, ERR_INPUT, NULL, "<%s> has an unexpected <%s>", xml_name(n),
			    xml_name(c));
	return true;
}

static bool
is_listed(const char *const *names, const char *name)
{
	for (; *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

bool
xml_check_attrs(const struct xml_node *n, const char *const *names, bool other_ns, struct err *err)
{
	for (const xmlAttr *at = dom_of(n)->properties; at != NULL; at = at->next) {
		const char *ns = ns_uri(at->ns), *name = (const char *)at->name;
		bool fine = ns[0] == '\0'
				    ? is_listed(names, name)
				    : other_ns || strcmp(ns, SAML_NS_XSI) == 0 ||
					      strcmp(ns, (const char *)XML_XML_NAMESPACE) == 0;

		if (!fine)
			return FAIL(err, ERR_INPUT, NULL, "<%s> has an unexpected attribute %s",
				    xml_name(n), name);
	}
	return true;
}

/* ---- values ---- */

const char *
xml_attr_ns(const struct xml_node *n, const char *ns, const char *name)
{
	for (const xmlAttr *at = dom_of(n)->properties; at != NULL; at = at->next)
		if (strcmp((const char *)at->name, name) == 0 && strcmp(ns_uri(at->ns), ns) == 0)
			/* Without entities a value is one text node or none. */
			return at->children != NULL ? (const char *)at->children->content : "";
	return NULL;
}

const char *
xml_attr(const struct xml_node *n, const char *name)
{
	return xml_attr_ns(n, "", name);
}

bool
xml_need_attr(const struct xml_node *n, const char *name, const char **out, struct err *err)
{
	const char *value = xml_attr(n, name);

	if (value == NULL)
		return FAIL(err, ERR_INPUT, NULL, "<%s> has no attribute %s", xml_name(n), name);
	*out = value;
	return true;
}

static bool
text_of(struct arena *a, const struct xml_node *n, bool cdata, const char **out, struct err *err)
{
	size_t len = 0;

	for (const xmlNode *c = dom_of(n)->children; c != NULL; c = c->next) {
		if (c->type != XML_TEXT_NODE && !(cdata && c->type == XML_CDATA_SECTION_NODE))
			return FAIL(err, ERR_INPUT, NULL, "<%s> holds something beside text",
				    xml_name(n));
		len += strlen((const char *)c->content);
	}
	char *text = arena_alloc(a, len + 1), *end = text;

	for (const xmlNode *c = dom_of(n)->children; c != NULL; c = c->next) {
		size_t part = strlen((const char *)c->content);

		memcpy(end, c->content, part);
		end += part;
	}
	*out = text;
	return true;
}

bool
xml_text(struct arena *a, const struct xml_node *n, const char **out, struct err *err)
{
	return text_of(a, n, false, out, err);
}

bool
xml_text_cdata(struct arena *a, const struct xml_node *n, const char **out, struct err *err)
{
	return text_of(a, n, true, out, err);
}

bool
xml_qname(struct arena *a, const struct xml_node *n, const char *text, const char **ns,
	  const char **name, struct err *err)
{
	char *prefix = text_trim(a, text), *local = strchr(prefix, ':');

	if (local != NULL)
		*local++ = '\0';
	else {
		local = prefix;
		prefix = NULL;
	}
	if (!dom_is_ncname(local) || (prefix != NULL && !dom_is_ncname(prefix)))
		return FAIL(err, ERR_INPUT, NULL, "value of <%s> is not a QName", xml_name(n));

	const xmlNs *found = dom_find_ns(dom_of(n), prefix);

	if (found == NULL && prefix != NULL)
		return FAIL(err, ERR_INPUT, NULL, "QName in <%s> has an undeclared prefix",
			    xml_name(n));
	*ns = ns_uri(found);
	*name = local;
	return true;
}

bool
xml_xsi_type(struct arena *a, const struct xml_node *n, const char **ns, const char **name,
	     struct err *err)
{
	const char *type = xml_attr_ns(n, SAML_NS_XSI, "type");

	*ns = *name = NULL;
	return type == NULL || xml_qname(a, n, type, ns, name, err);
}
