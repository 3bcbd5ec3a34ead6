/* Between saml/xml.c and saml/xml_read.c only: what a document and a node are made of. */
#ifndef KONTOR_SAML_XML_DOM_H
#define KONTOR_SAML_XML_DOM_H

#include <libxml/tree.h>

#include "saml/xml.h"

struct xml_doc {
	xmlDoc *dom; /* freed with the arena; its _private points back here */
	const xmlNode *root;
	struct xml_limits limits;
	const struct xml_node **ids; /* elements with an ID, sorted by it */
	size_t n_ids;
};

static inline const xmlNode *
dom_of(const struct xml_node *n)
{
	return (const xmlNode *)(const void *)n;
}

static inline const struct xml_node *
node_of(const xmlNode *n)
{
	return (const struct xml_node *)(const void *)n;
}

/*
 * The declaration of `prefix` (NULL: the default namespace) in scope at n, or
 * NULL.  libxml2's own search may write to the tree; this one does not.
 */
const xmlNs *dom_find_ns(const xmlNode *n, const char *prefix);

/* n is an XML NCName. */
bool dom_is_ncname(const char *s);

#endif
